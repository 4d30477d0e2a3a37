"""What each column still has to say at a solution, on the scale of the threshold.

The signal of a column is the weighted product of the column, centred, with what would
be left of the response if the column's own coefficient were taken away and nothing else
moved. A coefficient is zero exactly where its signal stays within its threshold.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from penglm._typing import Index, Vector
from penglm.engines import Block
from penglm.penalties import Penalty
from penglm.solver.problem import Problem
from penglm.solver.solution import Solution


@dataclass(frozen=True, eq=False)
class Conditions:
    """Signals of columns and what they have to exceed, per unit as it is penalised.

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

    @classmethod
    def of(cls, signal: Vector, penalty: Penalty, alpha: float) -> Self:
        """Return the thresholds of a penalty on columns in the unit of signals."""
        with np.errstate(invalid="ignore"):
            threshold = penalty.threshold(alpha)
        alone = penalty.threshold(1.0)
        return cls(signal, np.where(alone > 0.0, threshold, 0.0), alone)

    def alone(self, column: int) -> float:
        """Return the strength at which a column's signal equals its threshold."""
        return float(abs(self.signal[column]) / self.unit_threshold[column])


@dataclass(frozen=True, eq=False)
class Signals(Conditions):
    """The same at a solution whose rows are known.

    Attributes
    ----------
    own : Vector (p,)
        What of each signal the coefficient itself takes up, ``h_j b_j``.
    """

    own: Vector


def signals(
    problem: Problem, solution: Solution, unit: Vector, columns: Index | None = None
) -> Signals:
    """Return signals and thresholds (k,) at a solution.

    Parameters
    ----------
    problem : Problem
    solution : Solution
        Finite.
    unit : Vector (p,)
        How much of the solver's coefficient is one unit of the penalised one: 1 where
        the model standardises, the scale of the column where it does not.
    columns : Index (k,), optional
        All p if not given.

    Notes
    -----
    With ``g_j`` minus the derivative of the mean half-deviance and ``h_j`` its second
    derivative once the intercept follows, ``z_j = g_j + h_j b_j``. That is
    ``(1 / W) x_j' diag(w) r_j``, ``w`` the working weights, ``x_j`` centred by them and
    ``r_j`` the working residual with the column's own part put back (Friedman, Hastie
    and Tibshirani, 2010, J. Stat. Softw. 33(1), eq. 10).
    """
    chosen = slice(None) if columns is None else columns
    point = problem.point(solution.intercept, solution.coef)
    coef = point.coef[chosen]

    def sums(block: Block) -> tuple[Vector, float, Vector, Vector]:
        rows = problem.linearise(block, point)
        design = problem.columns_of(block)
        slope = design.gradient(block.sample_weight * rows.score_factor, columns)
        if not coef.any():
            return slope, 0.0, np.zeros_like(slope), np.zeros_like(slope)
        weight = block.sample_weight * rows.working_weight
        part = design if columns is None else design.select(columns)
        mean, sd = part.moments(weight)
        total = float(weight.sum())
        return slope, total, total * mean, total * (sd**2 + mean**2)

    signal, total, first, second = problem.engine.sum(sums)
    if problem.fit_intercept and total > 0.0:
        second = np.maximum(second - first**2 / total, 0.0)
    own = second * coef / problem.weight_total
    signal = signal / problem.weight_total + own
    at = Conditions.of(signal, problem.inner_penalty, solution.alpha)
    return Signals(
        signal * unit[chosen],
        (at.threshold * unit)[chosen],
        (at.unit_threshold * unit)[chosen],
        own * unit[chosen],
    )
