"""Least squares at a strength, where the Gram matrix of all columns is known.

Loss and slopes at any point then follow from those at one (``quadratic.foresee``), so a
point of a path is one exact step on the support and one look at all conditions: nothing
is left for the outer loop to do. Where the step is refused the loop takes over.
"""

from dataclasses import replace

import numpy as np

from penglm.interruption import serve
from penglm.solver import coordinate_descent, line_search, newton, quadratic
from penglm.solver import working_set as ws
from penglm.solver.irls import FORCING, TARGET, aim
from penglm.solver.outcome import Options, Outcome
from penglm.solver.problem import Problem
from penglm.solver.solution import Point, Status
from penglm.solver.working_set import Warm


def solve_on_gram(
    problem: Problem, alpha: float, start: Warm, score_scale: float, options: Options
) -> Outcome | None:
    """Return the solution at one strength, None where this way does not lead there.

    Parameters
    ----------
    problem : Problem
    alpha : float
    start : Warm
        With second derivatives over all columns that can move.
    score_scale : float
    options : Options

    Returns
    -------
    Outcome or None
        ``OPTIMAL``, every one of the p conditions checked, if there is one.
    """
    here, curvature = start.here, start.curvature
    is_asked = options.whole and options.road in ("auto", "covariance")
    if here is None or curvature is None or not (is_asked and problem.is_quadratic):
        return None
    fixed = problem.penalty.is_fixed
    terms = problem.inner_penalty.terms(alpha)
    n_movable, n_free = (
        np.count_nonzero(~fixed),
        np.count_nonzero(problem.is_free(alpha)),
    )
    if curvature.columns.size < n_movable or n_free == n_movable:
        return None
    if not newton.can_settle(terms):
        return None
    serve()
    unit, beside_unit = aim(problem, alpha, score_scale)
    target = TARGET * options.tol

    sub = coordinate_descent.state(
        problem, here, curvature.columns, alpha, unit, FORCING * target
    )
    step = coordinate_descent.settled(sub, curvature)
    if step is None:
        return None
    coef = here.point.coef.copy()
    coef[curvature.columns] = step.coef
    there = Point(coef, here.point.intercept + step.intercept_change)
    found = quadratic.foresee(here, there, curvature)
    violation = ws.violation(problem, found, alpha, unit)
    beside = abs(found.intercept_score) / beside_unit
    if not max(violation.max(initial=0.0), beside) <= target:
        return None
    history = tuple(line_search.objective(problem, at, alpha) for at in (here, found))
    curvature = replace(curvature, factor=step.factor)
    warm = Warm(there, alpha, found.score, curvature, found, start.bare())
    return Outcome(warm, Status.OPTIMAL, found.loss, 1, history)
