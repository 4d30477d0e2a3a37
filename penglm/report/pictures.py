"""The pictures of a page: coefficients and scores along the path, and its rows."""

from dataclasses import dataclass

import numpy as np

from penglm._typing import Index, Matrix, Vector
from penglm.plots.canvas import spread
from penglm.plots.rows import N_BINS, equal_bins
from penglm.report.along import Along
from penglm.report.digits import shown
from penglm.report.markup import shortened
from penglm.report.svg import Plot, Scale, between
from penglm.results.cross_validation import CVResults

WIDTH, LEFT, RIGHT = 680.0, 58.0, 168.0
TOP, BOTTOM = 34.0, 48.0
# Half as wide as a page, for two beside each other.
SMALL, SMALL_RIGHT = 340.0, 14.0
MOST_NAMES, MOST_LINES = 10, 50
NAME_LETTERS, NAME_STEP = 20, 21.0
N_LOOKS, N_SHADES = 24, 6
# The middle of so many residuals is shaded.
MIDDLE = (0.1, 0.9)
MOST_DOTS = 400
# Fewer say little of how residuals spread.
LEAST_ROWS = 25


@dataclass(frozen=True)
class Axis:
    """Where the strengths of a page are in its pictures.

    Attributes
    ----------
    shown : Index (k,)
        Strengths that have a logarithm.
    scale : Scale
    """

    shown: Index
    scale: Scale

    @classmethod
    def of(cls, alphas: Vector) -> "Axis | None":
        """Return the axis of some strengths, None if there is nothing to draw along."""
        some = np.flatnonzero((alphas > 0.0) & (alphas < np.inf))
        if some.size < 2:
            return None
        ends = float(alphas[some].max()), float(alphas[some].min())
        return cls(some, Scale(*ends, LEFT, WIDTH - RIGHT, is_log=True))

    def places(self, alphas: Vector) -> list[float | None]:
        """Return where each strength is, None for one that has no logarithm."""
        out: list[float | None] = [None] * alphas.size
        for k in self.shown.tolist():
            out[k] = round(float(self.scale(alphas[k])), 1)
        return out


def plot(axis: Axis, height: float, *values: Matrix) -> Plot:
    """Return empty axes along the path."""
    y = Scale(*between(*values), height - BOTTOM, TOP)
    return Plot(axis.scale, y, WIDTH, height)


def look(k: int) -> str:
    """Return the classes of the ``k``-th named line; 24 differ."""
    return f"c{k % N_SHADES} d{k // N_SHADES % 4}"


def coefficients(along: Along, axis: Axis, unit: str) -> tuple[str, int]:
    """Draw coefficients along the path as they are penalised.

    Returns
    -------
    str
        The picture.
    int
        How many lines it leaves out.
    """
    alphas = along.alphas[axis.shown]
    size = along.coef[:, axis.shown] * along.size[:, None]
    reach = np.abs(size).max(axis=1, initial=0.0)
    order = np.argsort(-reach, kind="stable")
    order = order[reach[order] > 0.0][:MOST_LINES]
    drawing = plot(axis, 400.0, size[order], np.zeros(1))
    drawing.axes(
        "alpha (log scale, strongest penalty first)",
        f"coefficient {unit}",
    )
    drawing.line(alphas[[0, -1]], np.zeros(2), "zero")
    named = order[:MOST_NAMES]
    for j in order[MOST_NAMES:][::-1]:
        drawing.line(*begun(alphas, size[j]), "faint")
    for k, j in enumerate(named):
        drawing.line(*begun(alphas, size[j]), look(k))
    mark(drawing, along)
    ends = drawing.y(size[named, -1])
    edge = drawing.x.end
    for k, (j, at) in enumerate(zip(named, apart(ends, drawing), strict=True)):
        drawing.stroke(edge, ends[k], edge + 10, at, f"leader {look(k)}")
        called = shortened(along.names[j], NAME_LETTERS)
        drawing.write(edge + 14, at + 4, called, look=f"end-name t{k % N_SHADES}")
    n_drawn, n_moved = order.size, int(np.sum(reach > 0.0))
    said = (
        f"Lines of {n_drawn} coefficients against alpha. The {named.size} that reach "
        "farthest are named: " + ", ".join(along.names[j] for j in named) + ". "
        "The table below has the numbers."
    )
    return drawing.picture("path-picture", "Coefficients along the path", said), (
        n_moved - n_drawn
    )


def apart(wanted: Vector, drawing: Plot) -> Vector:
    """Return heights near those wanted, apart by a line of text, inside the axes."""
    order = np.argsort(wanted, kind="stable")
    rank = np.empty(wanted.size)
    rank[order] = NAME_STEP * np.arange(wanted.size)
    room = drawing.y.start - NAME_STEP * max(wanted.size - 1, 0)
    free = spread(wanted, NAME_STEP) - rank
    return np.clip(free, drawing.y.end, max(room, drawing.y.end)) + rank


def begun(alphas: Vector, values: Vector) -> tuple[Vector, Vector]:
    """Return a line from where it leaves zero on."""
    start = max(int(np.argmax(values != 0.0)) - 1, 0)
    return alphas[start:], values[start:]


def mark(drawing: Plot, along: Along) -> None:
    """Draw the line that a slider moves, at the chosen strength."""
    alpha = float(along.alphas[along.chosen])
    if 0.0 < alpha < np.inf:
        drawing.upright(alpha, "cursor")


def scores(cv: CVResults, along: Along, axis: Axis) -> str:
    """Draw the cross-validation curve with its standard errors and both choices."""
    usable = np.isfinite(cv.mean_score) & np.isfinite(cv.std_score)
    usable &= (cv.alphas > 0.0) & (cv.alphas < np.inf)
    alphas = cv.alphas[usable]
    mean, std = cv.mean_score[usable], cv.std_score[usable]
    order = np.argsort(-alphas, kind="stable")
    alphas, mean, std = alphas[order], mean[order], std[order]
    drawing = plot(axis, 280.0, mean - std, mean + std)
    drawing.axes(
        "alpha (log scale, strongest penalty first)",
        f"{cv.metric} on rows left out, ± one standard error",
    )
    drawing.band(alphas, mean - std, mean + std, "band")
    drawing.line(alphas, mean, "c0 d0")
    choices = [("best", cv.alpha_min, "d2"), ("1se", cv.alpha_1se, "d1")]
    if cv.alpha_min == cv.alpha_1se:
        choices = [("best and 1se", cv.alpha_min, "d1")]
    for _, alpha, dash in choices:
        if alpha > 0.0:
            drawing.upright(alpha, f"choice {dash}")
    wanted = np.array([float(drawing.y(mean[np.abs(alphas - a).argmin()]))
                       for _, a, _ in choices])  # fmt: skip
    places = apart(wanted, drawing)
    for (words, alpha, dash), at in zip(choices, places, strict=True):
        edge = drawing.x.end
        drawing.stroke(edge + 6, at, edge + 28, at, f"choice {dash}")
        drawing.write(edge + 34, at + 4, f"{words}: {shown(alpha)}", look="end-name")
    mark(drawing, along)
    said = (
        f"Mean {cv.metric} against alpha. Best at alpha {shown(cv.alpha_min)}; the "
        f"one-standard-error rule takes alpha {shown(cv.alpha_1se)}. The table of the "
        "path has the numbers."
    )
    return drawing.picture("score-picture", "Cross-validation", said)


@dataclass(frozen=True, eq=False)
class Tenths:
    """Means of fitted values and responses, in groups of equal weight.

    Attributes
    ----------
    fitted, observed, weight : Vector (b,)
    """

    fitted: Vector
    observed: Vector
    weight: Vector

    @classmethod
    def of(cls, fitted: Vector, y: Vector, weight: Vector) -> "Tenths":
        """Return the tenths of some rows, by rising fitted mean."""
        bins = equal_bins(fitted, weight, N_BINS)
        return cls(
            np.array([np.average(fitted[b], weights=weight[b]) for b in bins]),
            np.array([np.average(y[b], weights=weight[b]) for b in bins]),
            np.array([weight[b].sum() for b in bins]),
        )


def calibration(tenths: Tenths) -> str:
    """Draw the mean response of each tenth against its mean fitted value."""
    ends = between(tenths.fitted, tenths.observed)
    drawing = small(ends, ends)
    drawing.axes("mean of the fitted values", "mean of the response")
    drawing.line(np.array(ends), np.array(ends), "zero d1")
    drawing.line(tenths.fitted, tenths.observed, "c0 d0")
    drawing.dots(tenths.fitted, tenths.observed, "dots")
    return drawing.picture(
        "calibration-picture", "Calibration by tenths",
        "Mean response against mean fitted value in ten groups of rows; on the dashed "
        "line they are equal. The table below the picture has the numbers.",
    )  # fmt: skip


def residuals(fitted: Vector, residual: Vector, weight: Vector) -> str:
    """Draw residuals against fitted means: their mean, and the middle four fifths."""
    used = np.flatnonzero(weight > 0.0)
    n_bins = int(np.clip(used.size // LEAST_ROWS, 1, 2 * N_BINS))
    bins = equal_bins(fitted, weight, n_bins)
    centers = np.array([np.average(fitted[b], weights=weight[b]) for b in bins])
    means = np.array([np.average(residual[b], weights=weight[b]) for b in bins])
    low, high = np.array([np.quantile(residual[b], MIDDLE) for b in bins]).T
    has_dots = used.size <= MOST_DOTS
    seen = residual[used] if has_dots else np.r_[low, high]
    across = fitted[used] if has_dots else centers
    drawing = small(between(across), between(seen, np.zeros(1)))
    drawing.axes("fitted mean", "deviance residual")
    if len(bins) > 1:
        drawing.band(centers, low, high, "band")
    if has_dots:
        drawing.dots(across, seen, "cloud", radius=1.6)
    drawing.line(np.array([drawing.x.low, drawing.x.high]), np.zeros(2), "zero d1")
    drawing.line(centers, means, "c0 d0")
    dots = " Each dot is a row." if has_dots else ""
    return drawing.picture(
        "residual-picture", "Residuals",
        f"Deviance residuals against fitted means: their mean in {len(bins)} groups as "
        f"a line, the middle four fifths shaded.{dots}",
    )  # fmt: skip


def small(x: tuple[float, float], y: tuple[float, float]) -> Plot:
    """Return empty axes half a page wide."""
    across = Scale(*x, LEFT, SMALL - SMALL_RIGHT)
    return Plot(across, Scale(*y, 300.0 - BOTTOM, TOP), SMALL, 300.0)
