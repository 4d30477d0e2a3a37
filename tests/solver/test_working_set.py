"""Which coordinates are in play: every violator, and none twice."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import penglm as pg
from penglm.path import alpha_max
from penglm.solver import quadratic
from penglm.solver import working_set as ws
from penglm.solver.irls import solve
from penglm.solver.null import fit_null
from penglm.solver.outcome import Options
from penglm.solver.quadratic import Expansion
from penglm.solver.solution import Point

P = 520
SEEDS = st.integers(0, 2**32 - 1)
TOL = 1e-8


def build(**options):
    """Return a problem with more columns than are always looked at."""
    rng = np.random.default_rng(5)
    X = rng.normal(size=(60, P))
    y = X[:, 0] - X[:, 1] + rng.normal(size=60)
    return pg.PenalizedGLM(y, X, **options).problem(1.0)


def null_of(problem):
    null = fit_null(problem, Options(tol=TOL))
    return null, alpha_max(problem, null)


def test_violation_is_zero_at_a_solution_and_large_off_it():
    problem = build()
    null, largest = null_of(problem)
    alpha = 0.7 * largest
    options = Options(tol=TOL)
    outcome = solve(problem, alpha, null.warm(largest), null.score_scale, options)
    unit = problem.unit(alpha, null.score_scale)
    here = quadratic.expand(problem, outcome.warm.point)
    assert ws.violation(problem, here, alpha, unit).max() <= TOL
    coef = outcome.warm.point.coef.copy()
    coef[outcome.warm.point.support[0]] *= 1.01
    off = quadratic.expand(problem, Point(coef, outcome.warm.point.intercept))
    assert ws.violation(problem, off, alpha, unit).max() > 1e-4


def test_violation_of_some_columns_is_the_part_of_all():
    problem = build()
    here = quadratic.expand(problem, Point(np.zeros(P), 0.0))
    columns = np.array([4, 9, 300])
    unit = problem.unit(0.1, 1.0)
    whole = ws.violation(problem, here, 0.1, unit)
    small = problem.narrowed(columns)
    part = ws.violation(small, here.take(columns), 0.1, unit[columns])
    assert_array_equal(part, whole[columns])


def expansion(coef):
    """Return an expansion of which only the place matters."""
    return Expansion(Point(coef, 0.0), 0.0, 0.0, np.zeros(coef.size))


@settings(max_examples=50)
@given(seed=SEEDS)
def test_grow_adds_the_worst_and_never_drops(seed):
    rng = np.random.default_rng(seed)
    coef = np.where(rng.uniform(size=P) < 0.05, 1.0, 0.0)
    distance = rng.exponential(size=P)
    working = np.sort(rng.permutation(P)[:20])
    is_free = rng.uniform(size=P) < 0.01
    grown = ws.grow(working, expansion(coef), distance, is_free=is_free, target=0.5)

    assert set(working) | set(np.flatnonzero(coef)) <= set(grown)
    assert set(np.flatnonzero(is_free)) <= set(grown)
    assert_array_equal(grown, np.unique(grown))
    # Of the violators, those left out are no worse than those taken in for it.
    taken = np.isin(np.arange(P), grown)
    wrong = distance > 0.5
    room = max(ws.LEAST_GROWTH, 2 * np.count_nonzero(coef))
    left_out = distance[wrong & ~taken]
    anyway = is_free | (coef != 0.0) | np.isin(np.arange(P), working)
    chosen = distance[wrong & taken & ~anyway]
    assert left_out.max(initial=0.0) <= chosen.min(initial=np.inf)
    assert np.count_nonzero(wrong & taken) >= min(room, np.count_nonzero(wrong))


def test_grow_takes_no_more_than_there_is_room_for():
    here = expansion(np.zeros(P))
    distance = np.arange(P, dtype=float)
    grown = ws.grow(
        np.zeros(0, dtype=np.int64), here, distance, is_free=np.zeros(P, bool),
        target=0.5,
    )  # fmt: skip
    assert_array_equal(grown, np.arange(P - ws.LEAST_GROWTH, P))


def test_grow_leaves_satisfied_columns_alone():
    here = expansion(np.zeros(P))
    working = np.array([2, 5])
    grown = ws.grow(
        working, here, np.full(P, 0.5), is_free=np.zeros(P, bool), target=0.5
    )
    assert_array_equal(grown, working)
