"""Accept a step only if the penalised objective falls."""

import numpy as np

from penglm.solver import quadratic
from penglm.solver.problem import Problem
from penglm.solver.quadratic import Expansion
from penglm.solver.solution import Point

SUFFICIENT = 1e-4  # share of the predicted decrease (Nocedal and Wright, ch. 3)
HALVINGS = 60
ROUNDING = 16 * np.finfo(float).eps  # of what the objective adds up: all is equal


def objective(problem: Problem, here: Expansion, alpha: float) -> float:
    """Return mean half-deviance plus penalty at an expansion's point."""
    return here.loss + cost(problem, here.point, alpha)


def cost(problem: Problem, point: Point, alpha: float) -> float:
    """Return the penalty of a point."""
    support = point.support
    return problem.inner_penalty.value(point.coef[support], alpha, support)


# A step may be tried where nothing is representable; its value is then infinite or NaN.
@np.errstate(over="ignore", invalid="ignore")
def backtrack(
    problem: Problem, here: Expansion, there: Point, alpha: float
) -> Expansion | None:
    """Halve the step to ``there`` until the objective falls enough.

    Returns
    -------
    Expansion or None
        The accepted point, expanded. None if no step of any length
        lowers the objective: the iteration has come as far as rounding lets it.

    Notes
    -----
    The decrease is measured against the linear part of the model plus the change of
    the penalty, which is negative for every descent direction of a convex penalty
    (Lee, Sun and Saunders, 2014, SIAM J. Optim. 24, eq. 2.10).
    """
    start = here.point
    step = there.coef - start.coef
    shift = there.intercept - start.intercept
    now = objective(problem, here, alpha)
    slope = -float(here.score @ step) - here.intercept_score * shift
    slope += cost(problem, there, alpha) - cost(problem, start, alpha)
    slack = ROUNDING * (abs(now) + here.size)
    length = 1.0
    for _ in range(HALVINGS):
        point = there
        if length < 1.0:
            point = Point(start.coef + length * step, start.intercept + length * shift)
        candidate = quadratic.expand(problem, point)
        value = objective(problem, candidate, alpha)
        # A step too long for its own model may still descend once it is shorter.
        enough = now + SUFFICIENT * length * slope + slack
        if value < now if slope > slack else value <= enough:
            return candidate
        length *= 0.5
    return None
