"""Signals and what became of them, each in units of its own threshold.

One coordinate's optimality condition, solved for the coefficient, is
``(h_j + l2_j) b_j = sign(z_j) max(|z_j| - threshold_j, 0)``. Divided by the threshold
it is the same curve for all columns, but for the slope ``h_j / (h_j + l2_j)`` with
which the part that the coefficient takes up, ``h_j b_j``, rises beyond the kink.
"""

from dataclasses import dataclass

import numpy as np

from penglm._typing import Index, Mask, Vector
from penglm.exceptions import PenglmInputError
from penglm.explanation.refits import Refits


@dataclass(frozen=True, eq=False)
class Thresholded:
    """Columns that a threshold applies to.

    Attributes
    ----------
    columns : Index (k,)
    signal : Vector (k,)
        ``z_j`` over the threshold.
    own : Vector (k,)
        ``h_j b_j`` over the threshold.
    slope : Vector (k,)
        ``h_j / (h_j + l2_j)``; NaN where the coefficient is zero, since it shows
        nothing of it.
    is_limited : Mask (k,)
        Whether a limit holds the coefficient.
    """

    columns: Index
    signal: Vector
    own: Vector
    slope: Vector
    is_limited: Mask


def thresholded(refits: Refits) -> Thresholded:
    """Return the signals of a solution in units of their thresholds.

    Raises
    ------
    PenglmInputError
        If no column has a threshold: the strength is zero or infinite, or there is no
        L1 part.
    """
    problem, solution = refits.problem, refits.solution
    penalty, at = problem.penalty, refits.signals(solution.alpha)
    columns = np.flatnonzero(
        (at.threshold > 0.0) & (at.threshold < np.inf) & ~penalty.is_fixed
    )
    if not columns.size:
        raise PenglmInputError(
            "no column has a threshold: soft thresholding needs an L1 part and a "
            "strength that is positive and finite; fit with l1_ratio > 0.",
            argument="alpha",
        )
    coef, own = solution.coef[columns], at.own[columns]
    with np.errstate(invalid="ignore"):
        pull = penalty.terms(solution.alpha).l2[columns] * coef
        # From the units of the raw column to those of the penalised coefficient.
        pull = pull / problem.penalty_scale[columns]
        slope = own / (own + pull)
    low, high = penalty.lower[columns], penalty.upper[columns]
    is_limited = ((coef <= low) & (at.signal[columns] < 0.0)) | (
        (coef >= high) & (at.signal[columns] > 0.0)
    )
    unit = at.threshold[columns]
    return Thresholded(
        columns, at.signal[columns] / unit, own / unit, slope, is_limited
    )
