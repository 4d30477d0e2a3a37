"""A pilot: the same problem on a sample of its rows, solved for a start.

Where rows are many for each column, a tenth of them knows the optimum to a few per
cent and its second derivatives as well, for a tenth of the work. All rows go on from
there. A sample that misleads costs time; slopes and conditions are those of all rows.

References
----------
Wang, Zhu and Ma (2018), Optimal subsampling for large sample logistic regression, J.
Am. Stat. Assoc. 113(522), whose first step this is.
"""

from dataclasses import replace

import numpy as np

from penglm._typing import Index
from penglm.engines import Local
from penglm.solver import newton
from penglm.solver.irls import LEAST_NUMBERS, solve
from penglm.solver.outcome import Options
from penglm.solver.problem import Problem, column_scale, measure
from penglm.solver.quadratic import Curvature
from penglm.solver.solution import Status
from penglm.solver.working_set import Warm

# One row of so many is taken.
EVERY = 10
# Rows of the sample for each column; with fewer it knows too little.
ROWS_A_COLUMN = 50
# A strength at least this share of the last one is near enough without a pilot.
NEAR = 0.6
# The sample errs by more than this.
TOL = 0.1
SEED = 0


def suits(problem: Problem, alpha: float, start: Warm, options: Options) -> bool:
    """Tell whether a pilot may pay on the way from a start to a strength."""
    n_obs, p = problem.engine.n_obs, problem.n_features
    is_convex = problem.family.is_convex and problem.penalty.is_convex
    return (
        options.pilot
        and is_convex
        and not problem.is_quadratic
        and problem.engine.whole() is not None
        and 0.0 <= alpha < NEAR * start.alpha
        and n_obs >= EVERY * ROWS_A_COLUMN * p
        and n_obs * p >= EVERY * LEAST_NUMBERS
    )


def rows(n_obs: int) -> Index:
    """Return one row of every ten, at random among them.

    The order of the rows says as little about them as possible: neither a sorted nor a
    periodic one makes the sample another population.
    """
    n_groups = n_obs // EVERY
    within = np.random.default_rng(SEED).integers(0, EVERY, n_groups)
    taken: Index = EVERY * np.arange(n_groups) + within
    return taken


def sample(problem: Problem) -> Problem:
    """Return the problem on a sample of its rows.

    Raises
    ------
    ValueError
        If the rows are not in memory as one block.
    """
    whole = problem.engine.whole()
    if whole is None:
        raise ValueError("a sample needs the rows in one block")
    part = whole.take(rows(problem.engine.n_obs))
    total = float(part.sample_weight.sum())
    return replace(problem, engine=Local([part]), weight_total=total)


def lead(
    problem: Problem, alpha: float, start: Warm, score_scale: float, options: Options
) -> Warm:
    """Return the start at a strength that a sample gives, or the one there was.

    Parameters
    ----------
    problem : Problem
    alpha : float
    start : Warm
    score_scale : float
    options : Options

    Returns
    -------
    Warm
        ``is_bounded`` where the sample has an optimum.

    Notes
    -----
    The loss of each row is convex and bounded below, so along no direction does it fall
    for ever. If that of the sample rises at last in every direction in which the
    penalty does not, so does that of all rows: what separates them would separate the
    sample too (Silvapulle, 1981, J. R. Stat. Soc. B 43(3)).
    """
    if not suits(problem, alpha, start, options):
        return start
    few, is_movable = sample(problem), ~problem.penalty.is_fixed
    is_free = problem.is_free(alpha)
    lacking = column_scale(measure(few.engine), problem.fit_intercept)[1] & is_movable
    if (lacking & is_free).any():
        return start
    alone = Warm(start.point, start.alpha, start.score)
    asked = replace(options, tol=max(TOL, options.tol))
    found = solve(few, alpha, alone, score_scale, asked)
    known = found.warm.curvature
    if found.status is not Status.OPTIMAL or not rises(known, np.flatnonzero(is_free)):
        return start
    # Along a column that the sample lacks a step would have no end.
    n_movable = np.count_nonzero(is_movable)
    if known is None or lacking.any() or known.columns.size < n_movable:
        known = None
    return Warm(found.warm.point, alpha, start.score, known, is_bounded=True)


def rises(known: Curvature | None, free: Index) -> bool:
    """Tell whether a loss bends along every direction of some columns."""
    if free.size == 0:
        return True
    if known is None or not np.isin(free, known.columns).all():
        return False
    gram = known.among(free).gram
    return newton.solve_positive(gram, np.zeros(free.size)) is not None
