"""Several strengths of a tall problem advanced together, one pass for all of them.

Where rows are many and columns few, a pass over the rows costs more than all that is
done with its result, and hardly more for four points than for one. So four strengths
take their steps side by side, with second derivatives that learn from all the steps.
"""

from collections.abc import Sequence

import numpy as np

from penglm.interruption import serve
from penglm.solver import line_search, quadratic
from penglm.solver import working_set as ws
from penglm.solver.irls import TARGET, Play, aim
from penglm.solver.outcome import Options, Outcome
from penglm.solver.problem import Problem
from penglm.solver.quadratic import Expansion
from penglm.solver.solution import Status
from penglm.solver.working_set import Warm

# Strengths side by side: as many points as one walk over the rows serves.
LANES = 4
# Steps that four strengths take together before each goes on alone.
MOST_STEPS = 8


class Lane:
    """One of the strengths: where it is, and how far from its optimum."""

    def __init__(
        self, problem: Problem, alpha: float, score_scale: float, options: Options
    ) -> None:
        self.problem, self.alpha = problem, alpha
        self.unit, self.beside_unit = aim(problem, alpha, score_scale)
        is_free = problem.is_free(alpha)
        self.play = Play(problem, alpha, self.unit, is_free, options, None)
        self.history: list[float] = []
        self.worst = np.inf

    def enter(self, here: Expansion) -> None:
        """Go on from an expansion."""
        self.here, self.before = here, self.worst
        self.history.append(line_search.objective(self.problem, here, self.alpha))
        self.violation = ws.violation(self.problem, here, self.alpha, self.unit)
        beside = abs(here.intercept_score) / self.beside_unit
        self.worst = max(self.violation.max(initial=0.0), beside)


def suits(problem: Problem, alpha: float, options: Options) -> bool:
    """Tell whether a problem is one for steps side by side."""
    lane = Lane(problem, alpha, 1.0, options)
    is_tall = lane.play.is_secant and lane.play.is_whole
    return options.abreast and is_tall and options.max_iter >= MOST_STEPS


def solve_abreast(
    problem: Problem,
    alphas: Sequence[float],
    start: Warm,
    score_scale: float,
    options: Options,
) -> tuple[list[Outcome], Warm]:
    """Solve at some descending strengths together.

    Parameters
    ----------
    problem : Problem
    alphas : sequence of float
        At most ``LANES``.
    start : Warm
    score_scale : float
    options : Options

    Returns
    -------
    (list of Outcome, Warm)
        The strengths that were solved, from the first on, and a start for the next:
        as far as it came, if it was not solved.
    """
    here = start.here or quadratic.expand(problem, start.point)
    known, target = start.curvature, TARGET * options.tol
    lanes = [Lane(problem, alpha, score_scale, options) for alpha in alphas]
    for lane in lanes:
        lane.enter(here)
    for _ in range(MOST_STEPS):
        serve()
        moving = [lane for lane in lanes if lane.worst > target]
        if not moving:
            break
        points = []
        for lane in moving:
            lane.play.curvature = known
            points.append(lane.play.move(lane.here, lane.violation, lane.worst, target))
            known = lane.play.curvature
        before, is_lost = moving[0].here, False
        for lane, found in zip(
            moving, quadratic.expand_all(problem, points), strict=True
        ):
            if known is not None and np.isfinite(found.loss):
                # Neighbours before the first step, later each its own.
                from_here = before if len(lane.history) == 1 else lane.here
                known = known.corrected(from_here, found)
                before = found
            value = line_search.objective(problem, found, lane.alpha)
            if not value < lane.history[-1]:
                is_lost = True
                break
            lane.enter(found)
        if is_lost:
            break
        if any(lane.play.is_slow(lane.before, lane.worst, target) for lane in moving):
            known = None
    done: list[Outcome] = []
    for lane in lanes:
        score = lane.here.score
        warm = Warm(lane.here.point, lane.alpha, score, known, lane.here)
        if lane.worst > target:
            return done, warm
        n_iter, history = len(lane.history) - 1, tuple(lane.history)
        done.append(Outcome(warm, Status.OPTIMAL, lane.here.loss, n_iter, history))
    return done, done[-1].warm
