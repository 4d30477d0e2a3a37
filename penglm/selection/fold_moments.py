"""Least squares without a fold, from sums over the folds.

Of the rows outside a fold least squares needs no more than their second moments, and
those are sums over the other folds. One walk over all rows serves all folds; each is
then a problem of as many rows as there are columns, and one for the response.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from penglm._typing import Index, Matrix, Vector
from penglm.design import Dense, Standardized
from penglm.engines import Block, Engine, Local
from penglm.solver.problem import Moments, Problem

# Where there are so many rows for each of few columns.
LARGEST_WIDTH, ROWS_A_COLUMN, LEAST_NUMBERS = 500, 5, 1_000_000
# Outside a fold a column may vary far less than inside it; sums about a common middle
# would then keep few digits of it.
LEAST_SHARE = 1e-6


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

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(
            self.weight + other.weight,
            self.first + other.first,
            self.second + other.second,
        )


@dataclass(frozen=True, eq=False)
class Compact:
    """A problem whose few rows have the second moments of many.

    Attributes
    ----------
    problem : Problem
        On centred columns, without an intercept.
    mean : Vector (p,)
        What the columns were centred by.
    level : float
        Linear predictor there, less the offset.
    """

    problem: Problem
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
        self.center, self.scale = whole.center, whole.scale
        response = block.y - block.offset
        self.level = float(np.average(response, weights=block.sample_weight))
        self.sums = [
            self.sum_over(block.take(np.flatnonzero(fold == k)))
            for k in range(int(fold.max()) + 1)
        ]

    def sum_over(self, part: Block) -> Sums:
        """Return the sums over the rows of one fold."""
        columns = Standardized(part.design, self.center, self.scale)
        weight, rest = part.sample_weight, part.y - part.offset - self.level
        p = columns.shape[1]
        rows = np.column_stack([weight, weight * rest])
        first, second = np.empty(p + 1), np.empty((p + 1, p + 1))
        first[:p], second[:p, p] = columns.gradient(rows).T
        second[p, :p] = second[:p, p]
        second[:p, :p] = columns.gram(weight)
        first[p], second[p, p] = weight @ rest, weight @ rest**2
        return Sums(float(weight.sum()), first, second)

    def without(
        self, k: int, problem_on: Callable[[Engine, Moments], Problem]
    ) -> Compact | None:
        """Return the problem on the other folds; None where sums would lose digits."""
        total = sum_of([sums for i, sums in enumerate(self.sums) if i != k])
        mean = total.first / total.weight
        raw = total.second / total.weight
        second = raw - np.outer(mean, mean)
        variance = np.diag(second)
        if not np.all(variance > LEAST_SHARE * np.diag(raw)):
            return None
        sd = np.sqrt(variance)
        size, vectors = np.linalg.eigh(second / np.outer(sd, sd))
        rows = np.sqrt(np.maximum(size, 0.0))[:, None] * vectors.T * sd
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
        return Compact(problem, center, self.level + float(mean[-1]))


def sum_of(parts: Sequence[Sums]) -> Sums:
    """Return the sum of some parts, in their order."""
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total
