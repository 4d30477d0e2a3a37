"""Which coordinates to look at, and which of those to touch."""

from dataclasses import dataclass

import numpy as np

from penglm._typing import Index, Mask, Vector
from penglm.solver.problem import Problem
from penglm.solver.quadratic import Curvature, Expansion
from penglm.solver.solution import Point

# Below this many columns a pass over all of them costs less than choosing some.
SMALL = 500
# New coordinates taken in at a time, besides as many as are already active.
LEAST_GROWTH = 100


@dataclass(frozen=True, eq=False)
class Warm:
    """Where an earlier solve ended.

    Attributes
    ----------
    point : Point
    alpha : float
        Its strength; ``alpha_max`` for the null model.
    score : Vector (p,)
        Slope over all columns there.
    curvature : Curvature or None
        Second derivatives to go on from.
    here : Expansion or None
        Loss and slope there, over all columns, which saves the next solve a pass.
    ahead : Point or None
        A start that may be better, to be tried.
    """

    point: Point
    alpha: float
    score: Vector
    curvature: Curvature | None = None
    here: Expansion | None = None
    ahead: Point | None = None


def violation(problem: Problem, here: Expansion, alpha: float, unit: Vector) -> Vector:
    """Return each coordinate's distance from its optimality condition, in units."""
    columns = here.columns
    distance = problem.inner_penalty.subgradient_distance(
        here.coef, here.score, alpha, columns
    )
    return distance / (unit if columns is None else unit[columns])


def strong(problem: Problem, alpha: float, warm: Warm) -> Index | None:
    """Return the survivors of the sequential strong rule; None for all columns.

    The rule may err; the solver checks all columns before it ends.

    References
    ----------
    Tibshirani et al. (2012), J. R. Stat. Soc. B 74(2), eq. 10.
    """
    if problem.n_features <= SMALL:
        return None
    terms = problem.inner_penalty.terms(alpha)
    before = problem.inner_penalty.terms(warm.alpha)
    keep = np.abs(warm.score) >= 2.0 * terms.l1 - before.l1
    keep |= warm.point.coef != 0.0
    keep &= terms.lower < terms.upper
    return np.flatnonzero(keep)


def grow(
    working: Index, here: Expansion, distance: Vector, *, is_free: Mask, target: float
) -> Index:
    """Add the worst violators to the working set; never drop a coordinate."""
    columns = here.columns
    candidates = np.arange(distance.size) if columns is None else columns
    active = here.point.support
    wrong = distance > target
    free = np.zeros_like(wrong) if not is_free.any() else is_free[candidates]
    room = max(LEAST_GROWTH, 2 * active.size)
    if wrong.sum() > room:
        wrong &= distance >= np.partition(distance, -room)[-room]
    taken = np.zeros(here.point.coef.size, dtype=bool)
    for part in (working, active, candidates[wrong | free]):
        taken[part] = True
    return np.flatnonzero(taken)
