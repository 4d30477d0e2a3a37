"""What each column still has to say at a solution, on the scale of the threshold.

The signal of a column is the weighted product of the column, centred, with what would
be left of the response if the column's own coefficient were taken away and nothing else
moved. A coefficient is zero exactly where its signal stays within its threshold.
"""

from dataclasses import dataclass

import numpy as np

from penglm._typing import Vector
from penglm.engines import Block
from penglm.solver import quadratic
from penglm.solver.problem import Problem
from penglm.solver.solution import Point, Solution


@dataclass(frozen=True, eq=False)
class Signals:
    """Signals of all columns, in the units of the penalised coefficients.

    Attributes
    ----------
    signal : Vector (p,)
        For each unit of the coefficient as it is penalised: times the standard
        deviation of its column where the model standardises.
    threshold : Vector (p,)
        ``alpha * l1_ratio * f_j``; 0 where nothing holds a coefficient at zero.
    unit_threshold : Vector (p,)
        The same at strength one.
    """

    signal: Vector
    threshold: Vector
    unit_threshold: Vector

    def alone(self, column: int) -> float:
        """Return the strength at which a column's signal equals its threshold."""
        return float(abs(self.signal[column]) / self.unit_threshold[column])


def signals(problem: Problem, solution: Solution, unit: Vector) -> Signals:
    """Return signals and thresholds (p,) at a solution.

    Parameters
    ----------
    problem : Problem
    solution : Solution
        Finite.
    unit : Vector (p,)
        How much of the solver's coefficient is one unit of the penalised one: 1 where
        the model standardises, the scale of the column where it does not.

    Notes
    -----
    With ``g_j`` minus the derivative of the mean half-deviance and ``h_j`` its second
    derivative once the intercept follows, ``z_j = g_j + h_j b_j``. That is
    ``(1 / W) x_j' diag(w) r_j``, ``w`` the working weights, ``x_j`` centred by them and
    ``r_j`` the working residual with the column's own part put back (Friedman, Hastie
    and Tibshirani, 2010, J. Stat. Softw. 33(1), eq. 10).
    """
    point = problem.point(solution.intercept, solution.coef)
    signal = quadratic.expand(problem, point).score
    support = point.support
    if support.size:
        signal = signal + working_variance(problem, point) * point.coef
    penalty = problem.inner_penalty
    with np.errstate(invalid="ignore"):
        threshold = penalty.threshold(solution.alpha)
    return Signals(
        signal * unit,
        np.where(penalty.threshold(1.0) > 0.0, threshold, 0.0) * unit,
        penalty.threshold(1.0) * unit,
    )


def working_variance(problem: Problem, point: Point) -> Vector:
    """Return ``h`` (p,): sums of squares of the columns under the working weights.

    About their weighted means where there is an intercept, divided by ``W``.
    """

    def sums(block: Block) -> tuple[float, Vector, Vector]:
        weight = block.sample_weight * problem.linearise(block, point).working_weight
        mean, sd = problem.columns_of(block).moments(weight)
        total = float(weight.sum())
        return total, total * mean, total * (sd**2 + mean**2)

    total, first, second = problem.engine.sum(sums)
    if problem.fit_intercept and total > 0.0:
        second = np.maximum(second - first**2 / total, 0.0)
    return np.asarray(second) / problem.weight_total
