"""Slopes of many columns at several points of a path, from exact ones at two of them.

Along a path the slopes of the rows hardly turn: those at one strength are nearly a
combination of those at its neighbours. The same combination of the columns' slopes is
then wrong by no more than the length of what is left over, for a column of unit sd by
the inequality of Cauchy and Schwarz. Where that proves a column to be below its
threshold, nobody has to walk through it.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from penglm._typing import Array, Index, Matrix, Vector
from penglm.engines import Block
from penglm.solver.outcome import Options, Outcome
from penglm.solver.problem import Problem
from penglm.solver.quadratic import Expansion
from penglm.solver.solution import Point

# Fewer points than this lie close enough about their start and their last.
ENOUGH = 5


def suits(problem: Problem, start: Expansion | None, options: Options) -> bool:
    """Tell whether slopes can be bounded: of centred columns, in memory."""
    return (
        options.between
        and start is not None
        and problem.fit_intercept
        and problem.engine.whole() is not None
    )


def expand_few(
    problem: Problem,
    small: Problem,
    columns: Index,
    start: Expansion,
    found: Sequence[Outcome],
) -> list[Expansion] | None:
    """Return loss and slope over all columns where a narrowed problem was solved.

    Parameters
    ----------
    problem, small : Problem
        ``small`` has some ``columns`` of ``problem``.
    columns : Index (k,)
    start : Expansion
        Of ``problem``, where the path came from; zero beyond ``columns``.
    found : sequence of Outcome
        Of ``small``, in the order of the path.

    Returns
    -------
    list of Expansion or None
        The last one is exact. In the others a slope may be off where it and the true
        one are both below the threshold. None where a loss is not finite.
    """
    block = small.engine.whole()
    points = [start.point.take(columns), *(outcome.warm.point for outcome in found)]
    if block is None:
        return None
    rows = slopes_of_rows(small, block, points)
    if not np.isfinite(rows).all():
        return None
    last = len(found)
    knots = [0, last] if last < ENOUGH else [0, last // 2, last]
    scores = np.empty((last + 1, problem.n_features))
    scores[0] = start.score
    scores[knots[1:]] = exact(problem, rows[knots[1:]])
    others = np.setdiff1d(np.arange(last + 1), knots)
    if others.size:
        share, apart = combine(rows, knots, others, block.sample_weight)
        scores[others] = share @ scores[knots]
        reach = apart / np.sqrt(problem.weight_total)
        doubtful = np.zeros(problem.n_features, dtype=np.bool_)
        for k, off in zip(others.tolist(), reach.tolist(), strict=True):
            threshold = problem.inner_penalty.threshold(found[k - 1].warm.alpha)
            doubtful |= np.abs(scores[k]) + off > threshold
        doubtful[columns] = False
        rest = np.flatnonzero(doubtful & ~problem.penalty.is_fixed)
        if rest.size:
            scores[np.ix_(others, rest)] = exact(problem, rows[others], rest)
    expansions = []
    for outcome, score in zip(found, scores[1:], strict=True):
        here = outcome.here
        score[columns] = here.score
        point = here.point.among(columns, problem.n_features)
        expansions.append(replace(here, point=point, score=score))
    return expansions


def slopes_of_rows(problem: Problem, block: Block, points: Sequence[Point]) -> Matrix:
    """Return the weighted slopes (m, n) of the rows at some points."""
    at = problem.linearised(block, points)
    return np.array([block.sample_weight * each.score_factor for each in at])


def exact(problem: Problem, rows: Matrix, columns: Index | None = None) -> Matrix:
    """Return the slopes (m, k) of columns, from those of the rows (m, n)."""
    block = problem.engine.whole()
    if block is None:
        raise ValueError("slopes of rows need all rows in one block")
    found: Array = problem.columns_of(block).gradient(rows.T, columns)
    return found.T / problem.weight_total


def combine(
    rows: Matrix, knots: list[int], others: Index, sample_weight: Vector
) -> tuple[Matrix, Vector]:
    """Return the combinations (m, k) of knots nearest to other points, and how near.

    The root of each row's weight is taken out of its slope and belongs to the columns,
    whose squares then add up to the weight total.
    """
    scaled = rows / np.sqrt(sample_weight)
    parts = np.linalg.lstsq(scaled[knots].T, scaled[others].T)[0]
    share = parts.T.astype(np.float64, copy=False)
    left = scaled[others] - share @ scaled[knots]
    return share, np.sqrt((left**2).sum(axis=1))
