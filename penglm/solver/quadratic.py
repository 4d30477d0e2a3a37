"""Second-order model of the loss around the current linear predictor.

One IRLS step replaces the half-deviance by its quadratic expansion in ``eta``.
Everything the inner solver needs to know about the family and the link is in the sums
built here, so no module below this one imports a family. They are sums over row
blocks, so no module above it knows where the rows live.

The expansion uses the exact Hessian where it is positive, row by row, and expected
information (Fisher scoring) elsewhere. See docs/objective.md for the scaling by
``sum(sample_weight)``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from penglm._typing import Index, Matrix, Vector
from penglm.engines import Block
from penglm.solver.factor import Factor
from penglm.solver.problem import Linearised, Problem
from penglm.solver.solution import Point

# A cached Gram matrix larger than this is started afresh rather than extended.
LARGEST_CACHE = 3000
# Columns that a new Gram matrix has room for beyond its own.
LEAST_ROOM = 64
# A step along which the slopes changed less than this share of what was foreseen says
# nothing, and no step says that all weights changed by more than this.
CURVED = 1e-2
RESCALED = (0.5, 2.0)


@dataclass(frozen=True, eq=False)
class Expansion:
    """Loss and slope at a point.

    Attributes
    ----------
    point : Point
    loss : float
        Mean half-deviance.
    intercept_score : float
        Minus the derivative of ``loss`` in the intercept.
    score : Vector (p,)
        The same for the coefficients.
    size : float
        What ``loss`` is a difference of: its rounding is some eps times this, even
        where a saturated model leaves no loss at all.
    """

    point: Point
    loss: float
    intercept_score: float
    score: Vector
    size: float = 0.0

    def take(self, columns: Index) -> "Expansion":
        """Return the part that belongs to some columns, all others being zero."""
        point = self.point.take(columns)
        return replace(self, point=point, score=self.score[columns])


@dataclass(frozen=True, eq=False)
class Curvature:
    """Second derivatives of the mean half-deviance, with the intercept profiled out.

    With ``s`` the second derivative in the intercept and ``c`` the mixed ones, the
    coefficients see ``H - c c' / s`` once the intercept follows them.

    Attributes
    ----------
    point : Point
        Where they were taken.
    columns : Index (k,)
    weight_sum : float
        Second derivative in the intercept; 0 without one.
    cross : Vector (k,)
        Mixed derivatives of intercept and coefficients; 0 without one.
    store : Matrix (at least k, at least k)
        The profiled Gram matrix, with room for more columns.
    factor : Factor
        Of the part that belongs to the support, kept between steps.
    """

    point: Point
    columns: Index
    weight_sum: float
    cross: Vector
    store: Matrix
    factor: Factor

    @property
    def gram(self) -> Matrix:
        """The profiled Gram matrix (k, k), a view."""
        return self.store[: self.columns.size, : self.columns.size]

    def corrected(self, here: Expansion, there: Expansion) -> "Curvature":
        """Return second derivatives that explain what a step did to the slopes.

        The BFGS formula on the matrix with the intercept, after a rescaling of it that
        fits the step: the weights of all rows often grow or shrink together.

        References
        ----------
        Nocedal and Wright (2006), Numerical Optimization, 2nd ed., eq. 6.19.
        """
        mine = self.columns
        step = there.point.coef[mine] - here.point.coef[mine]
        turn = here.score[mine] - there.score[mine]
        s, c = self.weight_sum, self.cross
        shift = there.point.intercept - here.point.intercept if s > 0.0 else 0.0
        beside = here.intercept_score - there.intercept_score
        foreseen = s * shift + float(c @ step)
        bend = self.gram @ step
        if s > 0.0:
            bend += c * (foreseen / s)
        known = float(step @ bend) + shift * foreseen
        found = float(step @ turn) + shift * beside
        if not found > CURVED * known > 0.0:
            return self
        scale = float(np.clip(found / known, *RESCALED))
        if s == 0.0:
            gram = scale * self.gram
            gram += np.outer(turn / found, turn)
            gram -= np.outer(bend * (scale / known), bend)
            return replace(self, store=gram, point=there.point, factor=Factor())
        new = scale * s + beside**2 / found - scale * foreseen**2 / known
        cross = scale * c + turn * (beside / found) - bend * (scale * foreseen / known)
        gram = scale * (self.gram + np.outer(c / s, c))
        gram += np.outer(turn / found, turn)
        gram -= np.outer(bend * (scale / known), bend)
        gram -= np.outer(cross / new, cross)
        return replace(
            self, store=gram, point=there.point, weight_sum=new, cross=cross,
            factor=Factor(),
        )  # fmt: skip

    def among(self, columns: Index) -> "Curvature":
        """Return what is known about some columns, numbered by their places there."""
        if not columns.size:
            store = with_room(np.zeros((0, 0)))
            return replace(
                self, point=self.point.take(columns), columns=columns,
                cross=self.cross[:0], store=store, factor=Factor(),
            )  # fmt: skip
        order = np.argsort(columns)
        places = np.searchsorted(columns, self.columns, sorter=order)
        places = order[np.minimum(places, columns.size - 1)]
        kept = np.flatnonzero(columns[places] == self.columns)
        store, factor = self.store, self.factor
        if kept.size < self.columns.size:
            store = with_room(store[np.ix_(kept, kept)])
            factor = factor.among(kept)
        return replace(
            self, point=self.point.take(columns), columns=places[kept],
            cross=self.cross[kept], store=store, factor=factor,
        )  # fmt: skip

    def beyond(self, columns: Index, point: Point) -> "Curvature":
        """Return the same, numbered as where ``columns`` were taken from."""
        return replace(self, point=point, columns=columns[self.columns])


def with_room(matrix: Matrix) -> Matrix:
    """Return a copy in the corner of a larger matrix."""
    k = len(matrix)
    store = np.empty((k + k // 4 + LEAST_ROOM, k + k // 4 + LEAST_ROOM))
    store[:k, :k] = matrix
    return store


def expand(problem: Problem, point: Point) -> Expansion:
    """Return loss and slope at ``point``, in one pass."""
    return expand_all(problem, [point])[0]


def expand_all(problem: Problem, points: Sequence[Point]) -> list[Expansion]:
    """Return loss and slope at several points, in one pass for all of them."""
    m = len(points)

    def slope(block: Block) -> tuple[Matrix, Matrix]:
        found = in_one_walk(problem, block, points)
        if found is not None:
            return found
        if m == 1:
            at = [problem.linearise(block, points[0])]
        else:
            at = problem.linearised(block, points)
        sums, rows = np.zeros((3, m)), np.empty((m, block.y.size))
        for k in range(m):
            sums[:, k], rows[k] = weighted_terms(problem, at[k])
        values = rows[0] if m == 1 else rows.T
        score = problem.columns_of(block).gradient(values)
        return sums, score.reshape(-1, m)

    sums, score = problem.engine.sum(slope)
    sums, score = sums / problem.weight_total, score / problem.weight_total
    if not problem.fit_intercept:
        sums[1] = 0.0
    return [
        Expansion(
            point, float(sums[0, k]), float(sums[1, k]), score[:, k].copy(),
            float(sums[2, k]),
        )
        for k, point in enumerate(points)
    ]  # fmt: skip


def in_one_walk(
    problem: Problem, block: Block, points: Sequence[Point]
) -> tuple[Matrix, Matrix] | None:
    """Return sums and slopes over a block where the storage has a kernel for it."""
    kind = problem.family.row_kind
    if kind is None:
        return None
    found = problem.columns_of(block).expand(
        kind,
        np.column_stack([point.coef for point in points]),
        np.array([point.intercept for point in points]),
        block.offset,
        block.y,
        block.sample_weight,
    )
    if found is None:
        return None
    sums, score = found
    lost = ~np.isfinite(sums[0])
    # Outside the family's means there is no slope, and none is needed.
    sums[:, lost] = np.array([[np.inf], [0.0], [0.0]])
    score[:, lost] = 0.0
    return sums, score


def weighted_terms(
    problem: Problem, at: Linearised
) -> tuple[tuple[float, float, float], Vector]:
    """Return sums over a block of loss, slope and size, and the slopes of its rows."""
    sample_weight = at.block.sample_weight
    total = at.block.total(at.loss)
    if not np.isfinite(total):
        # Outside the family's means there is no slope, and none is needed.
        return (np.inf, 0.0, 0.0), np.zeros_like(at.eta)
    weighted = sample_weight * at.score_factor
    parts = np.abs(at.score_factor * at.eta)
    if not problem.is_quadratic:
        parts += at.working_weight * (np.abs(at.eta) + 1.0)
    size = at.block.total(parts)
    return (total, float(weighted.sum()), size), weighted


def loss_at(problem: Problem, point: Point) -> float:
    """Return the mean half-deviance alone."""

    def total(block: Block) -> tuple[float]:
        loss, _, _ = problem.family.working_terms(block.y, problem.eta(block, point))
        return (block.total(loss),)

    (loss,) = problem.engine.sum(total)
    return float(loss) / problem.weight_total


def foresee(here: Expansion, there: Point, curvature: Curvature) -> Expansion:
    """Return the expansion of a quadratic loss at another point, without a pass.

    ``curvature`` holds all columns of ``here``.
    """
    order = curvature.columns
    step = there.coef[order] - here.point.coef[order]
    shift = there.intercept - here.point.intercept
    beside = float(curvature.cross @ step) + curvature.weight_sum * shift
    bend = curvature.gram @ step
    if curvature.weight_sum > 0.0:
        bend += curvature.cross * (beside / curvature.weight_sum)
    score = here.score.copy()
    rise = 0.5 * (float(step @ bend) + shift * beside)
    rise -= float(score[order] @ step) + here.intercept_score * shift
    score[order] -= bend
    return replace(
        here,
        point=there,
        loss=here.loss + rise,
        intercept_score=here.intercept_score - beside,
        score=score,
    )


def curve(
    problem: Problem, point: Point, columns: Index, known: Curvature | None = None
) -> Curvature:
    """Return the second derivatives over ``columns`` at ``point``, in one pass.

    ``known``, taken at the same point, saves the part of the work that an earlier call
    did; its columns come first.
    """
    if known is None:
        new = columns
    else:
        is_new = np.zeros(problem.n_features, dtype=np.bool_)
        is_new[columns] = True
        is_new[known.columns] = False
        new = np.flatnonzero(is_new)
        if not new.size:
            return known
    if known is None or known.columns.size + new.size > LARGEST_CACHE:
        store = with_room(np.zeros((0, 0)))
        known = Curvature(point, columns[:0], 0.0, np.zeros(0), store, Factor())
        new = columns
    everything = np.concatenate([known.columns, new])
    others = everything if known.columns.size else None

    def second(block: Block) -> tuple[float, Vector, Matrix]:
        weight = block.sample_weight * problem.curvature(block, point)
        design = problem.columns_of(block)
        gram = design.gram(weight, new, others)
        return float(weight.sum()), design.gradient(weight, new), gram

    weight_sum, cross, rows = problem.engine.sum(second)
    total = problem.weight_total
    weight_sum, cross, rows = weight_sum / total, cross / total, rows / total
    if not problem.fit_intercept:
        weight_sum, cross = 0.0, np.zeros_like(cross)
    cross = np.concatenate([known.cross, cross])
    k, n_known = everything.size, known.columns.size
    if weight_sum > 0.0:
        rows -= np.outer(cross[n_known:] / weight_sum, cross)
    store = known.store
    if len(store) < k:
        grown = with_room(np.empty((k, k)))
        grown[:n_known, :n_known] = known.gram
        store = grown
    store[n_known:k, :k] = rows
    store[:n_known, n_known:k] = rows[:, :n_known].T
    return Curvature(point, everything, weight_sum, cross, store, known.factor)
