"""Solving at several strengths with few of the columns, checked with all of them.

Most columns stay at zero, and the strong rule says beforehand which most of them are.
What is left is copied together and solved as a problem of its own, for a few strengths
ahead. One pass over all columns then checks all these solutions at once. The rule may
err: columns it missed are let in, and what they spoil is solved again.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from penglm._typing import Index
from penglm.solver import abreast, at_once, between, quadratic
from penglm.solver import working_set as ws
from penglm.solver.factor import Factor
from penglm.solver.gram_path import solve_on_gram
from penglm.solver.irls import TARGET, aim, solve
from penglm.solver.outcome import Options, Outcome
from penglm.solver.problem import Problem
from penglm.solver.quadratic import Expansion
from penglm.solver.working_set import Warm

# Below this many columns a pass over all of them costs less than choosing some.
SMALL = 500
# How fast slopes are taken to change, as a share of the change of the threshold; where
# it is known how they went, how far from that they are taken to go.
SLOPE = 0.1
ASTRAY = 0.2
# Strengths that are solved between two passes over all columns.
AHEAD = 8
# Their points and slopes may be so many numbers, or a share of those of the design.
MOST_NUMBERS, SHARE = 500_000, 0.3
# From the start, strengths down to this share of it are near enough to go abreast.
NEAR = 0.6
# Copying more than this share of the columns together saves nothing.
LARGEST_SHARE = 0.5


def strong(problem: Problem, alpha: float, warm: Warm) -> Index | None:
    """Return the survivors of the sequential strong rule; None for all columns.

    The rule of the paper takes a slope to change as fast as the threshold. Hardly any
    does, so that most survivors would be carried along for nothing; and since whoever
    is missed is let in afterwards, the rule may be bolder here. On a path slopes go on
    nearly as they went, so that it need not be cautious but about the rest.

    References
    ----------
    Tibshirani et al. (2012), J. R. Stat. Soc. B 74(2), eq. 10.
    """
    if problem.n_features <= SMALL:
        return None
    terms = problem.inner_penalty.terms(alpha)
    before = problem.inner_penalty.terms(warm.alpha)
    score, share = warm.score, SLOPE
    if warm.trend is not None:
        score, share = score + (alpha - warm.alpha) * warm.trend, ASTRAY
    keep = np.abs(score) >= terms.l1 - share * (before.l1 - terms.l1)
    keep &= terms.lower < terms.upper
    keep |= warm.point.coef != 0.0
    columns = np.flatnonzero(keep)
    return columns if columns.size <= LARGEST_SHARE * problem.n_features else None


def solve_ahead(
    problem: Problem,
    alphas: Sequence[float],
    start: Warm,
    score_scale: float,
    options: Options,
) -> list[Outcome]:
    """Solve at some descending strengths, each from the one before.

    Parameters
    ----------
    problem : Problem
    alphas : sequence of float
        At most ``AHEAD`` of them are solved.
    start : Warm
        The null model or the solution at a larger strength.
    score_scale : float
    options : Options

    Returns
    -------
    list of Outcome
        At least one. ``OPTIMAL`` only where every one of the p conditions was checked.
    """
    few = list(alphas[: n_ahead(problem)])
    near = [a for a in few[: abreast.LANES] if a >= NEAR * start.alpha]
    if len(near) > 1 and abreast.suits(problem, few[0], options):
        solved, start = abreast.solve_abreast(
            problem, near, start, score_scale, options
        )
        if solved:
            return solved
    if problem.n_features <= SMALL and at_once.suits(problem, options):
        return solve_each(problem, few, start, score_scale, options)
    known = solve_on_gram(problem, few[0], start, score_scale, options)
    if known is not None:
        return [known]
    columns = strong(problem, few[-1], start) if options.screen else None
    while columns is None and len(few) > 1 and options.screen:
        few = few[: len(few) // 2]
        columns = strong(problem, few[-1], start)
    if columns is None:
        return [solve(problem, few[0], start, score_scale, options)]
    done: list[Outcome] = []
    origin = start
    anchor = start.here if between.suits(problem, start.here, options) else None
    while few:
        small = problem.narrowed(columns)
        warm = among(start, columns)
        found = solve_each(small, few, warm, score_scale, options)
        checked = widen(problem, small, found, columns, anchor)
        is_in = np.zeros(problem.n_features, dtype=np.bool_)
        is_in[columns] = True
        wrong = [violators(problem, each, score_scale, options) for each in checked]
        missed = [who[~is_in[who]] for who in wrong]
        n_right = next((k for k, who in enumerate(missed) if who.size), len(few))
        done.extend(checked[:n_right])
        few = few[n_right:]
        if done:
            start = done[-1].warm
        if few:
            columns = np.union1d(columns, np.concatenate(missed))
            last = checked[-1].warm.curvature
            if last is not None:
                last = replace(last, factor=Factor())
            start = replace(start, curvature=last)
    done[-1] = replace(done[-1], warm=since(origin, done[-1].warm))
    return done


def n_ahead(problem: Problem) -> int:
    """Return how many strengths are solved between two passes over all columns."""
    room = max(MOST_NUMBERS, SHARE * problem.n_stored)
    return min(max(int(room / (3 * max(problem.n_features, 1))), 1), AHEAD)


def since(origin: Warm, warm: Warm) -> Warm:
    """Return the end of a stretch of the path, knowing how slopes changed along it."""
    way = warm.alpha - origin.alpha
    return replace(warm, trend=(warm.score - origin.score) / way) if way else warm


def solve_each(
    problem: Problem,
    alphas: Sequence[float],
    start: Warm,
    score_scale: float,
    options: Options,
) -> list[Outcome]:
    """Solve at descending strengths, each from the one before."""
    found: list[Outcome] = []
    if at_once.suits(problem, options):
        found = at_once.solve_at_once(problem, alphas, start, score_scale, options)
    for alpha in alphas[len(found) :]:
        warm = found[-1].warm if found else start
        found.append(solve(problem, alpha, warm, score_scale, options))
    return found


def among(warm: Warm, columns: Index) -> Warm:
    """Return a start for the problem narrowed to some columns."""
    curvature = None if warm.curvature is None else warm.curvature.among(columns)
    here = None if warm.here is None else warm.here.take(columns)
    point, before = warm.point.take(columns), warm.before
    if before is not None:
        before = replace(before, point=before.point.take(columns))
    return Warm(point, warm.alpha, warm.score[columns], curvature, here, before)


def widen(
    problem: Problem,
    small: Problem,
    found: Sequence[Outcome],
    columns: Index,
    anchor: Expansion | None,
) -> list[Outcome]:
    """Return outcomes of the narrowed problem with slopes of all columns.

    With an ``anchor``, the expansion that the path came from, slopes between it and the
    last outcome may be off where that changes nothing; see ``between``.
    """
    p = problem.n_features
    heres = None
    if anchor is not None:
        heres = between.expand_few(problem, small, columns, anchor, found)
    if heres is None:
        points = [outcome.warm.point.among(columns, p) for outcome in found]
        heres = quadratic.expand_all(problem, points)
    wide = []
    for outcome, here in zip(found, heres, strict=True):
        curvature = outcome.warm.curvature
        if curvature is not None:
            known = curvature.point.among(columns, p)
            curvature = curvature.beyond(columns, known)
        # A path goes on from the last alone.
        before = outcome.warm.before if outcome is found[-1] else None
        if before is not None:
            before = replace(before, point=before.point.among(columns, p))
        warm = replace(
            outcome.warm, point=here.point, score=here.score, curvature=curvature,
            here=here, before=before,
        )  # fmt: skip
        wide.append(replace(outcome, warm=warm))
    return wide


def violators(
    problem: Problem, outcome: Outcome, score_scale: float, options: Options
) -> Index:
    """Return columns at zero that should not be there."""
    warm = outcome.warm
    # At zero a slope below the threshold violates nothing, whatever the limits.
    above = np.abs(warm.score) > problem.inner_penalty.threshold(warm.alpha)
    above &= warm.point.coef == 0.0
    if not above.any():
        return np.flatnonzero(above)
    unit, _ = aim(problem, warm.alpha, score_scale)
    wrong = ws.violation(problem, outcome.here, warm.alpha, unit) > TARGET * options.tol
    return np.flatnonzero(wrong & above)
