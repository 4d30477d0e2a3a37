"""The curve of soft thresholding with the columns of a fit on it."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from penglm._typing import Mask, Vector
from penglm.plots import canvas

MOST_NAMES = 10
# Signals beyond so many thresholds are told, not drawn: the kink would be lost.
FARTHEST = 6.0
# Room beyond the last signal, and least distance of two names, as shares of the width.
ROOM, LABEL_STEP = 0.08, 0.035
# Slopes that differ by less look the same.
ALIKE = 0.01


def soft_threshold(
    signal: Vector,
    own: Vector,
    slopes: Vector,
    is_limited: Mask,
    names: Sequence[str],
    *,
    most_names: int = MOST_NAMES,
    ax: Any = None,
) -> Any:
    """Draw what coefficients take up of their signals, in units of the threshold.

    Parameters
    ----------
    signal, own : Vector (k,)
    slopes : Vector (k,)
        Of the curve beyond its kink, NaN where unknown.
    is_limited : Mask (k,)
        Drawn as squares: a limit keeps them off the curve.
    names : sequence of str (k,)
    most_names : int
        Columns that carry their name: those nearest to the threshold.
    ax : matplotlib axes, optional

    Returns
    -------
    matplotlib axes
    """
    ax = canvas.axes_of(ax)
    canvas.tidy(ax)
    far = np.abs(signal) > FARTHEST
    reach = max(float(np.abs(signal[~far]).max(initial=0.0)), 1.5)
    reach = (1.0 + ROOM) * (FARTHEST if far.any() else reach)
    ax.axvspan(-1.0, 1.0, color="0.93", linewidth=0, zorder=0)
    ax.plot([-reach, reach], [-reach, reach], color="0.6", linewidth=1.0,
            linestyle=":", label="without a penalty")  # fmt: skip
    draw_curve(ax, slopes[np.isfinite(slopes)], reach)
    for kind, marker, label in (
        (is_limited, "s", "held by a limit"),
        (~is_limited & (own == 0.0), "o", "zero"),
        (~is_limited & (own != 0.0), "o", "not zero"),
    ):
        shown = kind & ~far
        if shown.any():
            face = "white" if label == "zero" else "black"
            ax.plot(
                signal[shown], own[shown], marker, markerfacecolor=face,
                markeredgecolor="black", markersize=5, zorder=4, label=label,
                clip_on=False,
            )  # fmt: skip
    near = np.argsort(np.abs(np.abs(signal) - 1.0), kind="stable")
    near = near[~far[near]][:most_names]
    ax.set_xlim(-reach, reach)
    ax.set_ylim(-reach, reach)
    name_near(ax, signal[near], own[near], [names[j] for j in near], reach)
    ax.set_xlabel("signal, in thresholds")
    ax.set_ylabel("taken up by the coefficient, in thresholds")
    note = "grey: signals that are held at zero"
    if far.any():
        most = np.flatnonzero(far)[np.argsort(-np.abs(signal[far]))][:3]
        said = ", ".join(f"{canvas.escaped(names[j])} {signal[j]:.3g}" for j in most)
        more = f" and {far.sum() - 3} more" if far.sum() > 3 else ""
        note += f"; beyond the picture: {said}{more}"
    ax.set_title(note, fontsize=8, color="0.35")
    canvas.legend(ax)
    return ax


def draw_curve(ax: Any, slopes: Vector, reach: float) -> None:
    """Draw the curve, or the band between the least and the largest slope."""
    kink, rise = np.array([-reach, -1.0, 1.0, reach]), reach - 1.0
    if not slopes.size:
        ax.plot([-1.0, 1.0], [0.0, 0.0], color="black", linewidth=1.6,
                label="soft thresholding")  # fmt: skip
        return
    low, high = float(slopes.min()), float(slopes.max())
    if high - low < ALIKE:
        said = "" if low > 1.0 - ALIKE else f", slope {np.median(slopes):.2g}"
        end = rise * float(np.median(slopes))
        ax.plot(kink, [-end, 0.0, 0.0, end], color="black", linewidth=1.6,
                label=f"soft thresholding{said}")  # fmt: skip
        return
    for sign in (-1.0, 1.0):
        side = sign * np.array([1.0, reach])
        ax.fill_between(
            side, [0.0, sign * rise * low], [0.0, sign * rise * high], color="0.75",
            linewidth=0, zorder=1,
            label=f"soft thresholding, slopes {low:.2g} to {high:.2g}"
            if sign > 0.0 else None,
        )  # fmt: skip
    ax.plot([-1.0, 1.0], [0.0, 0.0], color="black", linewidth=1.6)


def name_near(
    ax: Any, x: Vector, y: Vector, names: Sequence[str], reach: float
) -> None:
    """Write names upright: below the axis for positive signals, above for negative."""
    for sign in (-1.0, 1.0):
        side = np.flatnonzero(x < 0.0 if sign < 0.0 else x >= 0.0)
        places = canvas.spread(x[side], LABEL_STEP * 2.0 * reach)
        for j, place in zip(side.tolist(), places, strict=True):
            ax.annotate(
                canvas.escaped(names[j]), xy=(x[j], y[j]),
                xytext=(place, -0.22 * sign * reach), rotation=90, fontsize=8,
                ha="center", va="top" if sign > 0.0 else "bottom",
                arrowprops={"arrowstyle": "-", "color": "0.5", "lw": 0.5,
                            "shrinkA": 1.0, "shrinkB": 3.0},
            )  # fmt: skip
