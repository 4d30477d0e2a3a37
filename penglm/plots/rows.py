"""Rows against their fitted means: residuals, calibration, lift."""

from typing import Any

import numpy as np

from penglm._typing import Vector
from penglm.plots import canvas

N_BINS = 10
# A cloud of more rows than this is drawn as a grid.
MOST_DOTS = 5000


def residuals(
    fitted: Vector, residual: Vector, weight: Vector, *, kind: str, ax: Any = None
) -> Any:
    """Draw residuals (n,) against fitted values, with their mean in twenty bins.

    More than 5000 rows are drawn as hexagons, darker where there are more.
    """
    ax = canvas.axes_of(ax)
    canvas.tidy(ax)
    if fitted.size <= MOST_DOTS:
        ax.scatter(fitted, residual, s=9, color="0.55", alpha=0.6, linewidths=0)
    else:
        ax.hexbin(fitted, residual, gridsize=60, cmap="Greys", bins="log", mincnt=1)
    bins = equal_bins(fitted, weight, 2 * N_BINS)
    centers = [np.average(fitted[b], weights=weight[b]) for b in bins]
    means = [np.average(residual[b], weights=weight[b]) for b in bins]
    ax.plot(centers, means, color="black", linewidth=1.6, label="mean in bins")
    ax.axhline(0.0, color="black", linewidth=0.8, linestyle=":")
    ax.set_xlabel("fitted mean")
    ax.set_ylabel(f"{kind} residual")
    canvas.legend(ax)
    return ax


def equal_bins(fitted: Vector, weight: Vector, n_bins: int) -> list[Any]:
    """Return the rows of ``n_bins`` groups of rising mean and about equal weight.

    Rows of one mean stay together, so groups may be fewer.
    """
    order = np.argsort(fitted, kind="stable")
    order = order[weight[order] > 0.0]
    middle = np.cumsum(weight[order]) - 0.5 * weight[order]
    group = np.minimum(n_bins * middle / weight[order].sum(), n_bins - 1).astype(int)
    _, first, inverse = np.unique(fitted[order], return_index=True, return_inverse=True)
    group = group[first][inverse]
    return [order[group == k] for k in np.unique(group)]


def calibration(fitted: Vector, y: Vector, weight: Vector, ax: Any = None) -> Any:
    """Draw the observed mean against the fitted one, by deciles of the fitted."""
    ax = canvas.axes_of(ax)
    canvas.tidy(ax)
    bins = equal_bins(fitted, weight, N_BINS)
    expected = np.array([np.average(fitted[b], weights=weight[b]) for b in bins])
    observed = np.array([np.average(y[b], weights=weight[b]) for b in bins])
    ends = [min(expected.min(), observed.min()), max(expected.max(), observed.max())]
    ax.plot(ends, ends, color="0.6", linewidth=1.0, linestyle="--", label="equal")
    ax.plot(expected, observed, color="black", marker="o", linewidth=1.4,
            label="a tenth of the weight each")  # fmt: skip
    ax.set_xlabel("mean of the fitted values")
    ax.set_ylabel("mean of the response")
    canvas.legend(ax)
    return ax


def lift(fitted: Vector, y: Vector, weight: Vector, ax: Any = None) -> Any:
    """Draw the share of the response that the rows of largest fitted mean hold.

    References
    ----------
    Frees, Meyers and Cummings (2011), J. Am. Stat. Assoc. 106, 1085: the ordered Lorenz
    curve, here from the largest mean down.
    """
    ax = canvas.axes_of(ax)
    canvas.tidy(ax)
    for key, look in (
        (fitted, {"color": "black", "label": "the model"}),
        (y, {"color": "0.45", "label": "the best order", "linestyle": ":"}),
    ):
        rows, gained = concentration(key, y, weight)
        ax.plot(rows, gained, linewidth=1.6, **look)
    ax.plot([0, 1], [0, 1], color="0.6", linewidth=1.0, linestyle="--", label="chance")
    ax.set_xlabel("share of the weight, largest fitted mean first")
    ax.set_ylabel("share of the response")
    canvas.legend(ax)
    return ax


def concentration(key: Vector, y: Vector, weight: Vector) -> tuple[Vector, Vector]:
    """Return cumulated shares of weight and of response, largest ``key`` first.

    Rows of one key come together: their order says nothing.
    """
    _, group = np.unique(-key, return_inverse=True)
    rows = np.r_[0.0, np.cumsum(np.bincount(group, weight))]
    gained = np.r_[0.0, np.cumsum(np.bincount(group, weight * y))]
    return rows / rows[-1], gained / gained[-1]
