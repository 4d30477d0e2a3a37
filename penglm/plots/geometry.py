"""Contours of the loss, the body of the penalty, and where they touch."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from penglm._typing import Matrix, Vector
from penglm.plots import canvas

# Contours inside the one through the fit, and at most so many in all.
INSIDE, CONTOURS = 3, 9
# Pairs on each side after the spline; corners of the outline of a body.
FINE, DIRECTIONS = 241, 721
# Sides that differ by more than this factor are not drawn to one scale.
STRETCH = 2.0


def geometry(
    x: Vector,
    y: Vector,
    loss: Matrix,
    *,
    fit: Vector,
    fit_loss: float,
    least: Vector | None,
    l1_ratio: float,
    factor: Vector,
    budget: float,
    names: Sequence[str],
    units: Sequence[str],
    note: str,
    ax: Any = None,
) -> Any:
    """Draw contours of a loss, the pairs within a budget, and the fit.

    Parameters
    ----------
    x, y : Vector (m,)
    loss : Matrix (m, m)
        By ``y`` and ``x``.
    fit : Vector (2,)
    fit_loss : float
        A contour goes through it, drawn heavier.
    least : Vector (2,) or None
    l1_ratio, budget : float
    factor : Vector (2,)
    names, units : sequence of str (2,)
    note : str
        What was held, above the axes.
    ax : matplotlib axes, optional

    Returns
    -------
    matplotlib axes
    """
    ax = canvas.axes_of(ax, size=(5.6, 5.2))
    canvas.tidy(ax)
    ax.grid(visible=False)
    outline = body(l1_ratio, factor, budget, 4.0 * max(np.ptp(x), np.ptp(y)))
    ax.fill(
        outline[:, 0], outline[:, 1], facecolor="0.85", edgecolor="0.25",
        linewidth=1.2, zorder=1, label=f"penalty at most {budget:.3g}",
    )  # fmt: skip
    fine_x, fine_y, surface = refined(x, y, loss)
    finite = surface[np.isfinite(surface)]
    bottom = finite.min() if least is None else min(finite.min(), fit_loss)
    others = [one for one in levels(bottom, fit_loss, finite.max()) if one != fit_loss]
    ax.contour(fine_x, fine_y, surface, others, colors="0.55", linewidths=0.8, zorder=2)
    if bottom < fit_loss < finite.max():
        ax.contour(
            fine_x, fine_y, surface, [fit_loss], colors="black", linewidths=1.5,
            zorder=3,
        )  # fmt: skip
        ax.plot([], [], color="black", linewidth=1.5, label="loss of the fit")
    ax.axhline(0.0, color="0.6", linewidth=0.7, zorder=1.5)
    ax.axvline(0.0, color="0.6", linewidth=0.7, zorder=1.5)
    if least is not None and inside(least, x, y):
        ax.plot(*least, "x", color="black", markersize=7, mew=1.6, zorder=4,
                label="least loss")  # fmt: skip
    ax.plot(*fit, "o", color="black", markersize=7, zorder=5, label="fit")
    ax.set_xlim(x[0], x[-1])
    ax.set_ylim(y[0], y[-1])
    if 1.0 / STRETCH <= np.ptp(x) / np.ptp(y) <= STRETCH:
        ax.set_aspect("equal", adjustable="box")
    ax.set_xlabel(f"{canvas.escaped(names[0])} ({units[0]})")
    ax.set_ylabel(f"{canvas.escaped(names[1])} ({units[1]})")
    ax.set_title(note, fontsize=8, color="0.35")
    canvas.legend_below(ax)
    return ax


def body(l1_ratio: float, factor: Vector, budget: float, far: float) -> Matrix:
    """Return the outline (k, 2) of the pairs that cost no more than a budget.

    In each direction the cost grows as ``l1 r + l2 r^2 / 2``, whose root is closed. A
    coefficient that costs nothing leaves a strip, cut off at ``far``.
    """
    angle = np.linspace(0.0, 2.0 * np.pi, DIRECTIONS)
    way = np.column_stack([np.cos(angle), np.sin(angle)])
    # Corners lie on the axes, and rounding must not cut them.
    way[np.abs(way) < 1e-12] = 0.0
    l1 = l1_ratio * (np.abs(way) @ factor)
    l2 = (1.0 - l1_ratio) * (way**2 @ factor)
    slope = l1 + np.sqrt(l1**2 + 2.0 * l2 * budget)
    ever = np.full_like(slope, np.inf)
    length = np.divide(2.0 * budget, slope, out=ever, where=slope > 0.0)
    return way * np.minimum(length, far)[:, None]


def levels(bottom: float, fit_loss: float, top: float) -> Vector:
    """Return rising losses to draw, that of the fit among them if it is above least.

    They rise as squares, so that contours of a quadratic are equally far apart.
    """
    if fit_loss > bottom:
        step = (fit_loss - bottom) / INSIDE**2
        most = int(np.sqrt(max(top - bottom, 0.0) / step))
        ranks = np.arange(1, most + 1)
        # Where the fit is near the bottom, every contour would be too many.
        beyond = np.unique(np.linspace(INSIDE, most, CONTOURS - INSIDE).astype(int))
        ranks = ranks if most <= CONTOURS else np.r_[1:INSIDE, beyond]
        found = bottom + step * ranks**2.0
        return np.where(ranks == INSIDE, fit_loss, found)
    ranks = np.arange(1, CONTOURS + 1)
    return bottom + (top - bottom) * (ranks / CONTOURS) ** 2


def refined(x: Vector, y: Vector, loss: Matrix) -> tuple[Vector, Vector, Matrix]:
    """Return the loss on a finer grid, through a spline where it is finite."""
    if not np.isfinite(loss).all():
        return x, y, np.ma.masked_invalid(loss)
    from scipy.interpolate import RectBivariateSpline

    fine_x = np.linspace(x[0], x[-1], FINE)
    fine_y = np.linspace(y[0], y[-1], FINE)
    return fine_x, fine_y, RectBivariateSpline(y, x, loss)(fine_y, fine_x)


def inside(pair: Vector, x: Vector, y: Vector) -> bool:
    """Tell whether a pair lies in the picture."""
    return bool(x[0] <= pair[0] <= x[-1] and y[0] <= pair[1] <= y[-1])
