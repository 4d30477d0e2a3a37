"""Axes to draw on, and what all pictures share."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from penglm._typing import Vector
from penglm.exceptions import PenglmInputError

# Dark to light, but none too light for white paper; dashes tell equal greys apart.
DASHES = ("-", "--", "-.", ":")
SHADES = ("#1b4965", "#c1440e", "#3a7d44", "#6a4c93", "#8a6d00", "#5c6770")
FAINT = "0.78"
# Least distance of two labels, as a share of the height of the axes.
LABEL_STEP = 0.045


def axes_of(ax: Any, size: tuple[float, float] = (7.0, 4.4)) -> Any:
    """Return the axes given, or those of a new figure of a size in inches.

    Raises
    ------
    ImportError
        If matplotlib is not there.
    """
    if ax is not None:
        return ax
    try:
        from matplotlib import pyplot
    except ImportError:
        raise ImportError(
            "pictures need matplotlib: python -m pip install 'penglm[plot]'"
        ) from None
    _, ax = pyplot.subplots(figsize=size, layout="constrained")
    return ax


def tidy(ax: Any) -> None:
    """Take away what carries no ink of its own."""
    ax.spines["right"].set_visible(False)
    ax.spines["top"].set_visible(False)
    ax.grid(axis="y", color="0.92", linewidth=0.8)
    ax.set_axisbelow(True)


def style(k: int) -> dict[str, Any]:
    """Return shade and dash of the ``k``-th named line; 24 differ."""
    shade = SHADES[k % len(SHADES)]
    dash = DASHES[k // len(SHADES) % len(DASHES)]
    return {"color": shade, "linestyle": dash, "linewidth": 1.6}


def spread(wanted: Vector, least: float) -> Vector:
    """Return heights (k,) near those wanted, in their order, ``least`` apart.

    The nearest in the sense of least squares: after taking ``least`` a rank off,
    heights must not fall, which is isotonic regression.
    """
    from scipy.optimize import isotonic_regression

    order = np.argsort(wanted, kind="stable")
    rank = least * np.arange(wanted.size)
    out = np.empty_like(wanted)
    out[order] = isotonic_regression(wanted[order] - rank).x + rank
    return out


def label_ends(
    ax: Any, x: float, heights: Vector, names: Sequence[str], colors: Sequence[str]
) -> None:
    """Write names beside the ends of lines, moved apart where they would overlap."""
    if not len(names):
        return
    low, high = ax.get_ylim()
    places = spread(np.asarray(heights, dtype=float), LABEL_STEP * (high - low))
    for end, place, name, color in zip(heights, places, names, colors, strict=True):
        ax.annotate(
            escaped(name), xy=(x, end), xytext=(1.03, place),
            textcoords=ax.get_yaxis_transform(), va="center", fontsize=8, color=color,
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": color, "lw": 0.5,
                        "shrinkA": 0.0, "shrinkB": 0.0},
        )  # fmt: skip


def escaped(name: str) -> str:
    """Return a name that matplotlib does not read as mathematics."""
    return str(name).replace("$", r"\$")


def falling(ax: Any, label: str) -> None:
    """Make the horizontal axis one of strengths, strongest at the left."""
    ax.set_xscale("log")
    if not ax.xaxis_inverted():
        ax.invert_xaxis()
    ax.xaxis.set_major_formatter("{x:g}")
    ax.set_xlabel(label)


def legend(ax: Any) -> None:
    """Say what the lines are, on paper that hides none of them quite."""
    ax.legend(fontsize=8, framealpha=0.85, edgecolor="none")


def legend_below(ax: Any) -> None:
    """Say what the lines are beneath the axes and their label, where these are full."""
    from matplotlib.transforms import ScaledTranslation

    lower = ScaledTranslation(0.0, -34.0 / 72.0, ax.figure.dpi_scale_trans)
    ax.legend(
        fontsize=8, frameon=False, ncols=2, loc="upper center",
        bbox_to_anchor=(0.5, 0.0), bbox_transform=ax.transAxes + lower,
    )  # fmt: skip


def positive(alphas: Vector) -> Any:
    """Return which strengths have a logarithm.

    Raises
    ------
    PenglmInputError
        If fewer than two have.
    """
    shown = (alphas > 0.0) & (alphas < np.inf)
    if np.unique(alphas[shown]).size < 2:
        raise PenglmInputError(
            "a picture along the path needs two or more strengths that are positive "
            "and finite; fit a path of more points.",
            argument="alphas",
        )
    return shown
