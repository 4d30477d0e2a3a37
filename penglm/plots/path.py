"""Coefficients along a path, and what held-out rows say about it."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from penglm._typing import Index, Matrix, Vector
from penglm.plots import canvas

AGAINST = {
    "alpha": "alpha (log scale, strongest first)",
    "budget": "budget: sum of |coef|",
    "deviance_ratio": "share of the null deviance explained",
}
MOST_NAMES = 10


def coefficients(
    against: str,
    x: Vector,
    coef: Matrix,
    names: Sequence[str],
    counts: Index,
    *,
    unit: str,
    chosen: float | None = None,
    most_names: int = MOST_NAMES,
    ax: Any = None,
) -> Any:
    """Draw coefficients along a path.

    Parameters
    ----------
    against : {"alpha", "budget", "deviance_ratio"}
    x : Vector (m,)
        What the horizontal axis measures, at every point of the path.
    coef : Matrix (k, m)
    names : sequence of str (k,)
    counts : Index (m,)
        Nonzero coefficients at every point.
    unit : str
        Of the coefficients, for the label.
    chosen : float, optional
        Where to draw a line, on the scale of ``x``.
    most_names : int
        Lines that carry a name: those that reach farthest. The others are faint.
    ax : matplotlib axes, optional

    Returns
    -------
    matplotlib axes
        Dots on the zero line are knots: a coefficient enters or leaves there.
    """
    ax = canvas.axes_of(ax)
    canvas.tidy(ax)
    order = np.argsort(x, kind="stable")
    if against == "alpha":
        canvas.falling(ax, AGAINST[against])
        order = order[::-1]
    else:
        ax.set_xlabel(AGAINST[against])
    x, coef, counts = x[order], coef[:, order], counts[order]
    reach = np.abs(coef).max(axis=1, initial=0.0)
    named = np.argsort(-reach, kind="stable")[:most_names]
    named = named[reach[named] > 0.0]
    for j in np.setdiff1d(np.flatnonzero(reach > 0.0), named):
        ax.plot(x, coef[j], color=canvas.FAINT, linewidth=0.8, zorder=1)
    for k, j in enumerate(named):
        ax.plot(x, coef[j], label=canvas.escaped(names[j]), **canvas.style(k))
    ax.axhline(0.0, color="black", linewidth=0.8)
    mark_knots(ax, x, coef, named)
    if chosen is not None:
        ax.axvline(chosen, color="black", linewidth=1.0, linestyle=(0, (6, 3)))
    ax.set_ylabel(f"coefficient ({unit})")
    ax.margins(x=0.0)
    shades = [canvas.style(k)["color"] for k in range(named.size)]
    canvas.label_ends(ax, x[-1], coef[named, -1], [names[j] for j in named], shades)
    mark_counts(ax, x, counts)
    return ax


def mark_knots(ax: Any, x: Vector, coef: Matrix, named: Index) -> None:
    """Put a dot on the zero line where a coefficient enters or leaves.

    It stands at the point of the path where the coefficient is still, or again, zero.
    """
    colors = dict.fromkeys(range(len(coef)), canvas.FAINT)
    colors |= {int(j): canvas.style(k)["color"] for k, j in enumerate(named)}
    is_zero = coef == 0.0
    line, step = np.nonzero(is_zero[:, 1:] != is_zero[:, :-1])
    if not line.size:
        return
    at = np.where(is_zero[line, step], step, step + 1)
    ax.scatter(x[at], np.zeros(at.size), s=14, c=[colors[int(j)] for j in line],
               zorder=3, clip_on=False, label="_knots")  # fmt: skip


def mark_counts(ax: Any, x: Vector, counts: Index) -> None:
    """Write the number of nonzero coefficients above the axes, where it fits."""
    here = np.log(x) if ax.get_xscale() == "log" else x
    wanted = np.linspace(here[0], here[-1], 7)
    shown = np.unique([np.abs(here - at).argmin() for at in wanted])
    for k in shown:
        ax.annotate(
            f"{counts[k]:d}", xy=(x[k], 1.0), xycoords=ax.get_xaxis_transform(),
            xytext=(0, 3), textcoords="offset points", ha="center", fontsize=8,
            color="0.35",
        )  # fmt: skip
    ax.set_title("number of nonzero coefficients", fontsize=8, color="0.35", pad=16)


def scores(
    alphas: Vector,
    mean: Vector,
    std: Vector,
    counts: Index,
    *,
    metric: str,
    alpha_min: float,
    alpha_1se: float,
    selected_by: str,
    ax: Any = None,
) -> Any:
    """Draw the cross-validation curve with its standard errors and both choices.

    Parameters
    ----------
    alphas, mean, std : Vector (m,)
    counts : Index (m,)
    metric, selected_by : str
    alpha_min, alpha_1se : float
    ax : matplotlib axes, optional

    Returns
    -------
    matplotlib axes
    """
    ax = canvas.axes_of(ax)
    canvas.tidy(ax)
    canvas.falling(ax, AGAINST["alpha"])
    usable = np.isfinite(mean) & np.isfinite(std)
    alphas, mean, std = alphas[usable], mean[usable], std[usable]
    counts = counts[usable]
    ax.fill_between(alphas, mean - std, mean + std, color="0.88", linewidth=0)
    ax.plot(alphas, mean, color="black", linewidth=1.6, marker=".", markersize=4)
    for name, alpha, dash in (("min", alpha_min, "-."), ("1se", alpha_1se, "--")):
        at = int(np.abs(alphas - alpha).argmin())
        said = " (chosen)" if name == selected_by else ""
        ax.axvline(
            alpha, color="0.25", linestyle=dash, linewidth=1.2,
            label=f"{name}{said}: alpha {alpha:.3g}, {counts[at]} nonzero",
        )  # fmt: skip
    ax.set_ylabel(f"{metric}, mean of folds ± one standard error")
    ax.margins(x=0.0)
    canvas.legend(ax)
    mark_counts(ax, alphas, counts)
    return ax
