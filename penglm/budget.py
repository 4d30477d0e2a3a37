"""The constrained form: the least loss among coefficients that cost no more.

A budget is what the penalty charges for each unit of its strength. Down a path it
rises, so the strength that spends a given budget is a root in one dimension, and the
solution there, certified at that strength, solves the constrained problem with the
strength as its multiplier.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy import optimize

from penglm._typing import Vector
from penglm.exceptions import PenglmInputError
from penglm.path import alpha_max, solve_at
from penglm.solver import quadratic
from penglm.solver.null import Null
from penglm.solver.outcome import Options
from penglm.solver.problem import Problem
from penglm.solver.solution import Solution, Status
from penglm.solver.working_set import Warm

# How near to its budget a solution comes, and how well it has to be solved for that.
SHARE = 1e-9
SHARPNESS = 1e-10
# What may be missing: to the budget, as a share of it, and to the least loss, as a
# share of that of the null model.
NEAR = 1e-8
LOSS = 1e-8
# Strengths tried are a quarter of the one before; the eighth asks whether the budget is
# ever spent.
STEP = 0.25
ASK_AFTER = 8
STEPS = 60
ROUNDING = 4.0 * float(np.finfo(float).eps)


def spent(problem: Problem, solution: Solution) -> float:
    """Return what a solution costs for each unit of strength.

    ``sum_j f_j (l1_ratio |b_j| + (1 - l1_ratio) / 2 b_j^2)``, where ``b_j`` is the
    coefficient as it is penalised: times the standard deviation of its column where the
    model standardises. Infinite where there is no finite solution.
    """
    if solution.status is Status.NO_FINITE_SOLUTION:
        return float("inf")
    entries = solution.entries
    return problem.penalty.value(entries.values, 1.0, entries.places)


def start_below(
    problem: Problem, solutions: Sequence[Solution], alpha: float
) -> Warm | None:
    """Return the nearest stronger solution as a start, None if there is none."""
    stronger = [solution for solution in solutions if solution.alpha > alpha]
    if not stronger:
        return None
    near = min(stronger, key=lambda solution: solution.alpha)
    point = problem.point(near.intercept, near.coef)
    here = quadratic.expand(problem, point)
    return Warm(point, near.alpha, here.score, here=here)


def solve_budget(
    problem: Problem, budget: float, null: Null, options: Options
) -> Solution:
    """Solve with a budget in place of a strength.

    Parameters
    ----------
    problem : Problem
    budget : float
        Most that the coefficients may cost, >= 0.
    null : Null
    options : Options

    Returns
    -------
    Solution
        Its ``alpha`` is the multiplier of the constraint: 0, or next to it, where the
        budget is more than the loss has use for.

    Raises
    ------
    PenglmInputError
        If limits leave no coefficients that cost so little, or the penalty is not
        convex: its paths jump, and a budget may lie in a jump.
    """
    if not problem.penalty.is_convex:
        raise PenglmInputError(
            f"budget is for convex penalties, not '{problem.penalty.name}', whose "
            "solutions jump from one budget to another; pass alpha.",
            argument="budget",
        )
    if budget == np.inf:
        return solve_at(problem, 0.0, null, options)
    sharp = replace(options, tol=min(options.tol, SHARPNESS))
    search = Search(problem, null, sharp, budget)
    alpha = search.strength(alpha_max(problem, null))
    solution = search.known[alpha]
    if solution.status not in (Status.OPTIMAL, Status.OPTIMAL_INACCURATE):
        return solution
    is_near = solution.certificate.kkt_residual <= options.tol
    is_best = is_near and search.is_enough(alpha)
    status = Status.OPTIMAL if is_best else Status.OPTIMAL_INACCURATE
    return replace(solution, status=status)


class Search:
    """Solves at one strength after another, each from the nearest stronger one.

    Attributes
    ----------
    known : dict of float to Solution
        What was solved, by strength.
    """

    def __init__(
        self, problem: Problem, null: Null, options: Options, budget: float
    ) -> None:
        self.problem, self.null, self.options = problem, null, options
        self.budget = budget
        self.known: dict[float, Solution] = {}

    def excess(self, alpha: float) -> float:
        """Return what the solution at a strength costs above the budget, 0 if near."""
        if alpha not in self.known:
            start = start_below(self.problem, list(self.known.values()), alpha)
            self.known[alpha] = solve_at(
                self.problem, alpha, self.null, self.options, start=start
            )
        apart = spent(self.problem, self.known[alpha]) - self.budget
        return 0.0 if abs(apart) <= SHARE * self.budget else apart

    def is_enough(self, alpha: float) -> bool:
        """Tell whether the solution at a strength solves the constrained problem.

        It costs no more than the budget, and what it leaves buys no more loss than the
        strength times that, by the duality of both forms.
        """
        excess = self.excess(alpha)
        if excess > NEAR * self.budget:
            return False
        if alpha in (0.0, np.inf) or excess >= 0.0:
            return True
        least = self.null.deviance / (2.0 * self.problem.weight_total)
        return alpha * -excess <= LOSS * least

    def strength(self, largest: float) -> float:
        """Return the strength that spends the budget, next to 0 if none does."""
        excess = self.excess(largest)
        if excess == 0.0:
            return largest
        if excess > 0.0:
            return self.upwards(largest)
        above = largest
        for step in range(1, STEPS + 1):
            below = largest * STEP**step
            if self.excess(below) >= 0.0:
                return self.between(below, above)
            if step == ASK_AFTER and self.excess(0.0) <= 0.0:
                return 0.0
            if step >= ASK_AFTER and self.is_enough(below):
                return below
            above = below
        return above

    def upwards(self, largest: float) -> float:
        """Return a strength above that at which a lasso would be empty: ridge."""
        least = self.excess(float("inf"))
        if least == float("inf"):
            # Free columns run off to infinity, whatever the others may cost.
            return least
        if least > 0.0:
            raise PenglmInputError(
                f"budget = {self.budget:g}, but coefficients within their limits "
                f"cost at least {self.budget + least:g}; allow as much, or widen the "
                "limits.",
                argument="budget",
            )
        below, above = largest, largest / STEP
        while above < float("inf") and self.excess(above) > 0.0:
            below, above = above, above / STEP
        return self.between(below, above) if above < float("inf") else above

    def between(self, low: float, high: float) -> float:
        """Return the strength between two that spends the budget."""
        if self.excess(low) > 0.0 > self.excess(high):
            optimize.brentq(self.excess, low, high, xtol=ROUNDING * low, rtol=ROUNDING)
        most = NEAR * self.budget
        within = [alpha for alpha in self.known if self.excess(alpha) <= most]
        return max(within, key=self.excess)


def budgets(problem: Problem, solutions: Sequence[Solution]) -> Vector:
    """Return what every solution of a path costs (m,)."""
    return np.array([spent(problem, solution) for solution in solutions])
