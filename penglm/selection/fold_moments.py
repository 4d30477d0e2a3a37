"""Least squares without a fold, from sums over the folds.

Of the rows outside a fold least squares needs no more than their second moments, and
those are sums over the other folds. One walk over all rows serves all folds, and the
path of the whole data; a fold is then a problem of as many rows as there are columns,
and one for the response. What is left of its own rows' squares is a sum, too.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy import linalg

from penglm._typing import Index, Matrix, Vector
from penglm.design import Dense, Standardized
from penglm.engines import Block, Engine, Local
from penglm.solver.factor import Factor
from penglm.solver.problem import Moments, Problem
from penglm.solver.quadratic import Curvature, with_room
from penglm.solver.solution import Point

# Where there are so many rows for each of few columns.
LARGEST_WIDTH, ROWS_A_COLUMN, LEAST_NUMBERS = 500, 5, 1_000_000
# Outside a fold a column may vary far less than inside it; sums about a common middle
# would then keep few digits of it.
LEAST_SHARE = 1e-6
# Squares left over that are a smaller share of what they are a difference of are summed
# over the rows.
LEAST_LEFT = 1e-4


@dataclass(frozen=True, eq=False)
class Sums:
    """Weighted sums over some rows, about the middle of all rows, in their sd.

    Attributes
    ----------
    weight : float
    first : Vector (p + 1,)
        Of the columns and the response.
    second : Matrix (p + 1, p + 1)
        Of their products.
    """

    weight: float
    first: Vector
    second: Matrix


@dataclass(frozen=True, eq=False)
class Compact:
    """A problem whose few rows have the second moments of many.

    Attributes
    ----------
    problem : Problem
        On centred columns, without an intercept.
    curvature : Curvature
        Its second derivatives.
    middle : Vector (p + 1,)
        Mean of its rows, in the units of the sums.
    mean : Vector (p,)
        What the columns were centred by.
    level : float
        Linear predictor there, less the offset.
    """

    problem: Problem
    curvature: Curvature
    middle: Vector
    mean: Vector
    level: float


def suits(problem: Problem) -> bool:
    """Tell whether second moments of the rows are all that a problem needs of them."""
    p, n_obs = problem.n_features, problem.engine.n_obs
    return (
        problem.is_quadratic
        and problem.fit_intercept
        and 0 < p <= LARGEST_WIDTH
        and n_obs >= ROWS_A_COLUMN * p
        and n_obs * p >= LEAST_NUMBERS
    )


class FoldMoments:
    """Second moments of each fold of the rows of a block.

    Parameters
    ----------
    block : Block
    fold : Index (n,)
        Fold of each row, counted from 0.
    whole : Problem
        The problem on all rows.
    """

    def __init__(self, block: Block, fold: Index, whole: Problem) -> None:
        self.whole, self.center, self.scale = whole, whole.center, whole.scale
        response = block.y - block.offset
        self.level = float(np.average(response, weights=block.sample_weight))
        count, p = int(fold.max()) + 1, whole.n_features
        weight, first = np.zeros(count), np.zeros((count, p + 1))
        second = np.zeros((count, p + 1, p + 1))
        for k, part in sorted_by_fold(block, fold):
            self.add(part, first[k], second[k])
            weight[k] += part.sample_weight.sum()
        # A mean square is one but where a column is constant; rounding says nothing.
        square = np.einsum("kjj->j", second)[:-1]
        constant = np.flatnonzero(square < 0.5 * weight.sum())
        first[:, constant], second[:, constant], second[:, :, constant] = 0.0, 0.0, 0.0
        self.sums = [Sums(float(weight[k]), first[k], second[k]) for k in range(count)]

    def add(self, part: Block, first: Vector, second: Matrix) -> None:
        """Add the sums over some rows."""
        columns = Standardized(part.design, self.center, self.scale, self.whole.factor)
        weight, rest = part.sample_weight, part.y - part.offset - self.level
        sums = columns.gradient(np.column_stack([weight, weight * rest]))
        first[:-1] += sums[:, 0]
        first[-1] += weight @ rest
        second[:-1, :-1] += columns.gram(weight)
        second[:-1, -1] += sums[:, 1]
        second[-1, :-1] += sums[:, 1]
        second[-1, -1] += weight @ rest**2

    def outside(self, k: int | None) -> Sums:
        """Return the sums over all folds but one, added up in their order."""
        parts = [sums for i, sums in enumerate(self.sums) if i != k]
        return Sums(
            sum(part.weight for part in parts),
            np.sum([part.first for part in parts], axis=0),
            np.sum([part.second for part in parts], axis=0),
        )

    def curvature(self) -> Curvature:
        """Return the second derivatives of the problem on all rows."""
        total = self.outside(None)
        cross = total.first[:-1] / total.weight
        second = total.second[:-1, :-1] / total.weight
        return second_derivatives(self.whole, second - np.outer(cross, cross), cross)

    def without(
        self, k: int, problem_on: Callable[[Engine, Moments], Problem]
    ) -> Compact | None:
        """Return the problem on the other folds; None where sums would lose digits."""
        total = self.outside(k)
        mean = total.first / total.weight
        raw = total.second / total.weight
        second = raw - np.outer(mean, mean)
        variance = np.diag(second)
        is_constant = np.diag(raw) == 0.0
        if not np.all((variance > LEAST_SHARE * np.diag(raw)) | is_constant):
            return None
        sd = np.sqrt(variance)
        size = np.where(is_constant, 1.0, sd)
        correlation = second / np.outer(size, size)
        rows = root(correlation) * size
        center = self.center + mean[:-1] * self.scale
        moments = Moments(total.weight, center, sd[:-1] * self.scale)
        n = len(rows)
        few = Block(
            Dense(rows[:, :-1] * self.scale),
            np.ascontiguousarray(rows[:, -1]),
            np.full(n, total.weight),
            np.zeros(n),
        )
        problem = problem_on(Local([few]), moments)
        problem = replace(
            problem, center=np.zeros_like(problem.center), fit_intercept=False
        )
        curvature = second_derivatives(problem, correlation[:-1, :-1])
        return Compact(problem, curvature, mean, center, self.level + float(mean[-1]))

    def losses(
        self, k: int, compact: Compact, support: Index, coefs: Matrix
    ) -> Vector | None:
        """Return mean squares (m,) left of the rows of a fold; None if digits are lost.

        ``coefs`` (k, m) are those of ``support``, in the units of the data.
        """
        sums = self.sums[k]
        steps = np.zeros((self.scale.size + 1, coefs.shape[1]))
        steps[support], steps[-1] = -self.scale[support, None] * coefs, 1.0
        shift = compact.middle @ steps
        size = np.square(steps).T @ np.diag(sums.second)
        left = np.einsum("jm,jm->m", steps, sums.second @ steps)
        left += shift * (shift * sums.weight - 2.0 * (sums.first @ steps))
        kept = left > LEAST_LEFT * size
        return left / sums.weight if kept.all() else None


def of(block: Block, fold: Index, whole: Problem) -> FoldMoments | None:
    """Return the second moments of each fold, None where they do not say it all."""
    return FoldMoments(block, fold, whole) if suits(whole) else None


def sorted_by_fold(block: Block, fold: Index) -> Iterator[tuple[int, Block]]:
    """Yield the rows of a block some of one fold at a time, in a fixed order.

    So many rows are copied together that a fold has enough of them for a product.
    """
    count, n_obs = int(fold.max()) + 1, fold.size
    step = min(count * min(block.design.block_rows, n_obs), n_obs)
    for start in range(0, n_obs, step):
        some = slice(start, start + step)
        order = np.argsort(fold[some], kind="stable")
        ends = np.searchsorted(fold[some], np.arange(count + 1), sorter=order)
        part = Block(
            block.design.rows(start, start + step), block.y[some],
            block.sample_weight[some], block.offset[some],
        ).take(order)  # fmt: skip
        for k in range(count):
            first, last = int(ends[k]), int(ends[k + 1])
            if first < last:
                yield k, Block(
                    part.design.rows(first, last), part.y[first:last],
                    part.sample_weight[first:last], part.offset[first:last],
                )  # fmt: skip


def root(matrix: Matrix) -> Matrix:
    """Return a matrix whose product with itself, transposed first, is the given one."""
    try:
        return np.ascontiguousarray(linalg.cholesky(matrix, check_finite=False))
    except linalg.LinAlgError:
        size, vectors = np.linalg.eigh(matrix)
        found: Matrix = np.sqrt(np.maximum(size, 0.0))[:, None] * vectors.T
        return found


def second_derivatives(
    problem: Problem, gram: Matrix, cross: Vector | None = None
) -> Curvature:
    """Return what is known of a least-squares problem with this Gram matrix (p, p).

    ``cross`` (p,) are its mixed derivatives with the intercept, already profiled out.
    """
    movable = np.flatnonzero(~problem.penalty.is_fixed)
    point = Point(problem.inner_penalty.null_coef, 0.0)
    weight_sum = 0.0 if cross is None else 1.0
    cross = np.zeros(movable.size) if cross is None else cross[movable]
    store = with_room(gram[np.ix_(movable, movable)])
    return Curvature(point, movable, weight_sum, cross, store, Factor())
