"""Where a path will be at its next strength, judged by its last two points.

Between two changes of sign the coefficients of a lasso are linear in the strength for
least squares, and nearly so for other losses. Where thousands of them move a little at
every point of a path, a start on that line saves sweeps.
"""

import numpy as np

from penglm.solver import compressed, line_search, quadratic
from penglm.solver.problem import Problem
from penglm.solver.quadratic import Expansion
from penglm.solver.solution import Point
from penglm.solver.working_set import Warm


def ahead(
    before: Point, last: Point, alphas: tuple[float, float, float], problem: Problem
) -> Point:
    """Return the point on the line through the last two, at a third strength.

    Parameters
    ----------
    before, last : Point
        Solutions at the first two strengths.
    alphas : tuple of float
        Three strengths, descending.
    problem : Problem
        Whose limits hold.

    Returns
    -------
    Point
        A coefficient moves if it had the same sign at both points, and at most to
        zero or to its limit; the others stay where they were last.
    """
    first, second, third = alphas
    if not first > second > third:
        return last
    share = (third - second) / (second - first)
    same = before.coef * last.coef > 0.0
    line = last.coef + share * (last.coef - before.coef)
    line = np.where(line * last.coef > 0.0, line, 0.0)
    penalty = problem.inner_penalty
    coef = np.clip(np.where(same, line, last.coef), penalty.lower, penalty.upper)
    shift = share * (last.intercept - before.intercept)
    return Point(coef, last.intercept + shift)


def lead(problem: Problem, last: Warm, alpha: float) -> Point | None:
    """Return the start at ``alpha`` that two points of a path give.

    Only where sweeps over many sparse columns are the cost; elsewhere a solve from the
    last point is exact in a step or two, and None is returned.
    """
    whole, before = problem.engine.whole(), last.before
    if before is None or whole is None:
        return None
    support = last.point.support
    if not compressed.suits(whole.design, support, is_asked=False):
        return None
    alphas = before.alpha, last.alpha, alpha
    return ahead(before.point, last.point, alphas, problem)


def begin(problem: Problem, alpha: float, start: Warm, *, is_led: bool) -> Expansion:
    """Return the expansion that a solve goes on from."""
    here = start.here or quadratic.expand(problem, start.point)
    there = lead(problem, start, alpha) if is_led else None
    return here if there is None else better(problem, here, there, alpha)


def better(problem: Problem, here: Expansion, there: Point, alpha: float) -> Expansion:
    """Return the expansion at ``there`` if the objective is lower than ``here``."""
    candidate = quadratic.expand(problem, there)
    now = line_search.objective(problem, here, alpha)
    lower = line_search.objective(problem, candidate, alpha) < now
    return candidate if lower else here
