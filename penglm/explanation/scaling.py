"""What the units of columns decide where columns are not standardised.

A penalty on raw columns charges a column of small numbers more for the same effect. Two
things are told: how far apart the standard deviations are (``spread``, which costs
nothing), and which columns the same model chooses once they are standardised
(``advise``, which solves along its path).
"""

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from penglm._typing import Mask, Vector
from penglm.exceptions import PenglmInputError
from penglm.explanation.account import Account
from penglm.explanation.refits import AT_A_TIME, SHARPNESS, STEP, Refits
from penglm.explanation.terms import Terms
from penglm.path import alpha_max, solve_at
from penglm.solver.problem import Problem
from penglm.solver.solution import Solution, Status

if TYPE_CHECKING:
    import pandas as pd

# Standard deviations may differ so much before anyone is warned: metres beside
# kilograms do by less, euros beside years by more.
MOST_SPREAD = 100.0
# Most that the standard deviation of 0 and 1 can be, and what it is taken for: a level
# is rare or not, but its unit is the same.
OF_INDICATORS = 0.5
# Columns named of each kind.
MOST_SAID = 10


@dataclass(frozen=True)
class Scaled:
    """One column under the penalty, as it is and standardised.

    Attributes
    ----------
    name : str
    sd : float
        Standard deviation of the column.
    is_in, is_in_standardized : bool
        Whether its coefficient is nonzero in the fit, and in the standardised fit.
    """

    name: str
    sd: float
    is_in: bool
    is_in_standardized: bool


@dataclass(frozen=True, repr=False)
class ScalingAdvice(Account):
    """Which columns a fit chooses, and which it would if they were standardised.

    Attributes
    ----------
    columns : tuple of Scaled
        Those that the penalty decides about.
    alpha_standardized : float
        Strength of the standardised fit that chooses as many of them.
    is_standardized : bool
        Whether the fit itself standardises all of its columns.
    """

    columns: tuple[Scaled, ...]
    alpha_standardized: float
    is_standardized: bool

    @property
    def changed(self) -> tuple[Scaled, ...]:
        """Columns that are in one of the two fits only."""
        return tuple(one for one in self.columns if one.is_in != one.is_in_standardized)

    @property
    def sentences(self) -> list[str]:
        """How far apart the columns are, then what would change."""
        if self.is_standardized:
            return ["its columns are standardised; their units decide nothing."]
        if not self.columns:
            return ["the penalty decides about no column."]
        return [self.comparison, *self.changes]

    @property
    def comparison(self) -> str:
        """Say what is compared."""
        low = min(self.columns, key=lambda one: one.sd)
        high = max(self.columns, key=lambda one: one.sd)
        return (
            f"standard deviations go from {low.sd:.4g} ({low.name}) to {high.sd:.4g} "
            f"({high.name}); compared with the standardised fit at alpha "
            f"{self.alpha_standardized:.4g}."
        )

    @property
    def changes(self) -> list[str]:
        """What would change, one sentence a column, then what is left out."""
        now = chosen(sum(one.is_in for one in self.columns))
        then = chosen(sum(one.is_in_standardized for one in self.columns))
        entered = [
            f"{one.name} (sd {one.sd:.4g}) is zero; standardised it would be {then}."
            for one in self.changed
            if not one.is_in
        ]
        left = [
            f"{one.name} (sd {one.sd:.4g}) is {now}; standardised it would be zero."
            for one in self.changed
            if one.is_in
        ]
        said = entered[:MOST_SAID] + left[:MOST_SAID]
        more = len(entered) + len(left) - len(said)
        if more:
            said.append(f"{more} more columns would change.")
        return said or ["standardised, the same columns would be chosen."]

    def frame(self) -> "pd.DataFrame":
        """Return the numbers, one row a column.

        Returns
        -------
        DataFrame
            Columns ``sd``, ``is_in`` and ``is_in_standardized``.
        """
        import pandas as pd

        names = ["sd", "is_in", "is_in_standardized"]
        rows = [tuple(getattr(one, name) for name in names) for one in self.columns]
        return pd.DataFrame(rows, columns=names, index=[c.name for c in self.columns])


def chosen(count: int) -> str:
    """Return what a column is among so many that are chosen."""
    return "the only one chosen" if count == 1 else f"among the {count} chosen"


def advise(
    refits: Refits, terms: Terms, l1_ratio: float, factor: Vector
) -> ScalingAdvice:
    """Compare the columns of a fit with those of a standardised one of equal size.

    Parameters
    ----------
    refits : Refits
    terms : Terms
    l1_ratio : float
    factor : Vector (p,)
        Penalty factors.

    Raises
    ------
    PenglmInputError
        If there is no L1 part, so that nothing is chosen; if the factors were learnt
        from a pilot fit, in whose units they are.
    """
    problem, penalty, solution = refits.problem, refits.problem.penalty, refits.solution
    if l1_ratio == 0.0:
        raise PenglmInputError(
            "without an L1 part every column is in the model, whatever its unit; use "
            "l1_ratio > 0.",
            argument="l1_ratio",
        )
    if penalty.name == "adaptive":
        raise PenglmInputError(
            "the factors of an adaptive penalty are in the units of its pilot's "
            "coefficients; fit the model with standardize=True to compare.",
            argument="penalty",
        )
    is_decided = ~(penalty.is_fixed | penalty.is_free)
    is_same = bool(np.array_equal(problem.penalty_scale, problem.scale))
    other = solution
    if not is_same:
        there = standardized(problem, l1_ratio, factor)
        other = as_many(refits, there, is_decided)
    now, then = solution.coef != 0.0, other.coef != 0.0
    columns = tuple(
        Scaled(terms.names[j], float(problem.scale[j]), bool(now[j]), bool(then[j]))
        for j in np.flatnonzero(is_decided)
    )
    return ScalingAdvice(
        solution.alpha, l1_ratio, solution.status, refits.is_estimated, columns,
        other.alpha, is_same,
    )  # fmt: skip


def standardized(problem: Problem, l1_ratio: float, factor: Vector) -> Problem:
    """Return the same problem with a penalty per standard deviation."""
    known = problem.penalty
    penalty = type(known).build(
        l1_ratio, factor, problem.scale, known.lower, known.upper
    )
    return replace(problem, penalty=penalty, penalty_scale=problem.scale)


def as_many(refits: Refits, problem: Problem, is_decided: Mask) -> Solution:
    """Return the first solution down another path with no fewer of these columns.

    The last of the path, if it never has as many.
    """

    def count(solution: Solution) -> int:
        return int(is_decided[solution.entries.places].sum())

    wanted = count(refits.solution)
    null, options = refits.null, refits.options
    top = solve_at(problem, alpha_max(problem, null), null, options)
    others = Refits(problem, top, null, options, is_estimated=refits.is_estimated)
    above = below = top
    while count(below) < wanted and below.alpha > others.floor:
        alphas = below.alpha * STEP ** np.arange(1, AT_A_TIME + 1)
        alphas = np.unique(np.maximum(alphas, others.floor))[::-1]
        for found in others.solve(alphas.tolist()):
            if found.status is Status.NO_FINITE_SOLUTION:
                return below
            above, below = below, found
            if count(below) >= wanted:
                break
    while count(below) > wanted and above.alpha > below.alpha * (1.0 + SHARPNESS):
        # Root by root: their product may have no place among doubles.
        middle = others.at(math.sqrt(above.alpha) * math.sqrt(below.alpha))
        if count(middle) >= wanted:
            below = middle
        else:
            above = middle
    return below


@dataclass(frozen=True)
class Spread:
    """The columns whose standard deviations lie farthest apart.

    Attributes
    ----------
    smallest, largest : int
        Their positions.
    ratio : float
    """

    smallest: int
    largest: int
    ratio: float


def spread(sd: Vector, factor: Vector, is_decided: Mask) -> Spread:
    """Return how far apart units are, as far as the penalty notices.

    Parameters
    ----------
    sd, factor : Vector (p,)
    is_decided : Mask (p,)
        Columns to look at; positive ``sd`` and ``factor``.

    Notes
    -----
    A penalty ``f_j |b_j|`` is one of ``f_j / sd_j`` on a standardised column. So a
    caller who passed factors that grow with ``sd_j`` has scaled the columns, and one
    who passed other factors meant them: the smaller of both ratios counts.
    """
    places = np.flatnonzero(is_decided)
    if not places.size:
        return Spread(0, 0, 1.0)
    size = np.log(sd[places])
    eased = size - np.log(factor[places])
    low, high = int(np.argmin(size)), int(np.argmax(size))
    with np.errstate(over="ignore"):
        ratio = float(np.exp(min(np.ptp(size), np.ptp(eased))))
    return Spread(int(places[low]), int(places[high]), ratio)
