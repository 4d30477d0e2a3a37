"""Certificates of least squares from the Gram matrix that the path was solved with.

Of a quadratic loss the slopes at any point follow from those at one point and the Gram
matrix. Where rows are many that saves a walk over all rows for every point of a path.
What it costs in proof is made good by measuring it: some points of the path are judged
from the raw rows as well, and the largest difference between both ways is added to
every violation found.
"""

import numpy as np

from penglm._typing import Index
from penglm.solver import quadratic
from penglm.solver.certificate import Candidates, certify, judgement, sum_scores
from penglm.solver.problem import Problem
from penglm.solver.quadratic import LARGEST_CACHE, Curvature, Expansion
from penglm.solver.solution import Certificate

# Points of a path that are judged from the raw rows too.
MEASURED = 3
# With fewer points or numbers than this the raw rows are walked through for each.
FEWEST, LEAST_NUMBERS = 10, 1_000_000
# A difference of both ways of more than this share of the tolerance is too much.
ROOM = 0.1


def may_suit(problem: Problem, n_points: int) -> bool:
    """Tell whether a Gram matrix of all columns would be worth a path's while."""
    p = problem.n_features
    is_large = problem.engine.n_obs * p >= LEAST_NUMBERS and p <= LARGEST_CACHE
    return problem.is_quadratic and n_points >= FEWEST and is_large


def suits(problem: Problem, n_points: int, curvature: Curvature) -> bool:
    """Tell whether the slopes of a path follow from its Gram matrix."""
    movable = np.count_nonzero(~problem.penalty.is_fixed)
    return may_suit(problem, n_points) and curvature.columns.size == movable


def certify_from_gram(
    problem: Problem,
    candidates: Candidates,
    null: Expansion,
    curvature: Curvature,
    score_scale: float,
    tol: float,
) -> list[tuple[Certificate, float]]:
    """Judge the points of a path as ``certificate.certify`` does, without gaps.

    Parameters
    ----------
    problem : Problem
    candidates : Candidates
    null : Expansion
        From which all others are foreseen.
    curvature : Curvature
        Over all columns that can move.
    score_scale, tol : float
    """
    m = candidates.alphas.size
    some = np.unique(np.linspace(0, m - 1, MEASURED).astype(np.int64))
    expansions = [foresee(problem, candidates, k, null, curvature) for k in range(m)]
    apart = difference(problem, candidates, some, expansions)
    least = min(
        float(problem.unit(alpha, score_scale).min())
        for alpha in candidates.alphas.tolist()
    )
    if not apart <= ROOM * tol * least:
        return certify(problem, candidates, score_scale, with_gap=False)
    return [
        judgement(
            problem, candidates.coefs[:, k], float(candidates.alphas[k]), score_scale,
            expansion.loss, expansion.intercept_score, expansion.score, apart,
        )
        for k, expansion in enumerate(expansions)
    ]  # fmt: skip


def foresee(
    problem: Problem,
    candidates: Candidates,
    k: int,
    null: Expansion,
    curvature: Curvature,
) -> Expansion:
    """Return loss and slopes at a candidate."""
    point = problem.point(float(candidates.intercepts[k]), candidates.coefs[:, k])
    return quadratic.foresee(null, point, curvature)


def difference(
    problem: Problem, candidates: Candidates, some: Index, found: list[Expansion]
) -> float:
    """Return the largest difference to slopes that were summed over the raw rows."""
    _, beside, score, _ = sum_scores(problem, candidates.take(some), None)
    movable = ~problem.penalty.is_fixed
    apart = [
        np.abs(score[movable, i] - found[k].score[movable]).max(initial=0.0)
        for i, k in enumerate(some.tolist())
    ]
    apart += [
        abs(float(beside[i]) - found[k].intercept_score)
        for i, k in enumerate(some.tolist())
    ]
    return float(np.max(apart))
