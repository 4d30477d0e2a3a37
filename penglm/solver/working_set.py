"""Which coordinates to touch, and what one solve hands to the next."""

from dataclasses import dataclass

import numpy as np

from penglm._typing import Index, Mask, Vector
from penglm.solver.problem import Problem
from penglm.solver.quadratic import Curvature, Expansion
from penglm.solver.solution import Point

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
    before : Warm or None
        The point of the path before this one, bare.
    is_bounded : bool
        Whether the objective is known to have a finite minimum.
    trend : Vector (p,) or None
        How the score changed lately, for each unit of the strength.
    """

    point: Point
    alpha: float
    score: Vector
    curvature: Curvature | None = None
    here: Expansion | None = None
    before: "Warm | None" = None
    is_bounded: bool = False
    trend: Vector | None = None

    def bare(self) -> "Warm":
        """Return the point alone, without what only a next solve would need."""
        return Warm(self.point, self.alpha, np.zeros(0))


def violation(problem: Problem, here: Expansion, alpha: float, unit: Vector) -> Vector:
    """Return each coordinate's distance from its optimality condition, in units."""
    coef, penalty = here.point.coef, problem.inner_penalty
    return penalty.subgradient_distance(coef, here.score, alpha) / unit


def grow(
    working: Index, here: Expansion, distance: Vector, *, is_free: Mask, target: float
) -> Index:
    """Add the worst violators to the working set; never drop a coordinate."""
    active = here.point.support
    wrong = distance > target
    room = max(LEAST_GROWTH, 2 * active.size)
    if np.count_nonzero(wrong) > room:
        wrong &= distance >= np.partition(distance, -room)[-room]
    wrong |= is_free
    wrong[active] = True
    wrong[working] = True
    return np.flatnonzero(wrong)
