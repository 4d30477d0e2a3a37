"""Which columns are looked at: every violator, and none twice."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import penglm as pg
from penglm.path import alpha_max, fit_null
from penglm.solver import quadratic
from penglm.solver import working_set as ws
from penglm.solver.irls import Options, solve
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


@pytest.mark.parametrize("share", [0.95, 0.8, 0.6])
def test_strong_rule_keeps_every_column_of_the_next_solution(share):
    problem = build()
    null, largest = null_of(problem)
    warm = null.warm(largest)
    kept = ws.strong(problem, share * largest, warm)
    options = Options(tol=TOL, screen=False)
    outcome = solve(problem, share * largest, warm, null.score_scale, options)
    assert set(outcome.warm.point.support) <= set(kept)
    assert 0 < kept.size < P


def test_strong_rule_is_the_rule_of_the_paper():
    problem = build()
    null, largest = null_of(problem)
    warm, alpha = null.warm(largest), 0.7 * largest
    # Equation 10: drop column j if |x_j' r| < 2 lambda_k - lambda_(k-1).
    expected = np.flatnonzero(np.abs(warm.score) >= 2.0 * alpha - largest)
    assert_array_equal(ws.strong(problem, alpha, warm), expected)


def test_strong_rule_keeps_what_is_nonzero_and_drops_what_is_fixed():
    factor = np.ones(P)
    factor[10] = np.inf
    problem = build(penalty_factor=factor)
    _, largest = null_of(problem)
    coef = np.zeros(P)
    coef[[7, 10]] = 1.0
    score = np.zeros(P)
    score[10] = 1e9
    warm = ws.Warm(Point(coef, 0.0), largest, score)
    assert_array_equal(ws.strong(problem, 0.9 * largest, warm), [7])


def test_strong_rule_keeps_free_columns():
    factor = np.ones(P)
    factor[[3, 400]] = 0.0
    problem = build(penalty_factor=factor)
    warm = ws.Warm(Point(np.zeros(P), 0.0), 1.0, np.zeros(P))
    assert_array_equal(ws.strong(problem, 0.9, warm), [3, 400])


def test_few_columns_are_all_looked_at():
    rng = np.random.default_rng(6)
    X = rng.normal(size=(30, 5))
    problem = pg.PenalizedGLM(X[:, 0], X).problem(1.0)
    warm = ws.Warm(Point(np.zeros(5), 0.0), 1.0, np.zeros(5))
    assert ws.strong(problem, 0.5, warm) is None


def test_step_too_long_for_the_strong_rule_keeps_everything():
    problem = build()
    null, largest = null_of(problem)
    kept = ws.strong(problem, 0.4 * largest, null.warm(largest))
    assert kept.size == P


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
    part = ws.violation(problem, here.take(columns), 0.1, unit)
    assert_array_equal(part, whole[columns])


def expansion(coef, columns=None):
    """Return an expansion of which only the place matters."""
    size = coef.size if columns is None else columns.size
    return Expansion(Point(coef, 0.0), 0.0, 0.0, np.zeros(size), columns)


@settings(max_examples=50)
@given(seed=SEEDS, narrowed=st.booleans())
def test_grow_adds_the_worst_and_never_drops(seed, narrowed):
    rng = np.random.default_rng(seed)
    coef = np.where(rng.uniform(size=P) < 0.05, 1.0, 0.0)
    columns = np.sort(rng.permutation(P)[:300]) if narrowed else None
    here = expansion(coef, columns)
    distance = rng.exponential(size=here.score.size)
    working = np.sort(rng.permutation(P)[:20])
    is_free = rng.uniform(size=P) < 0.01
    grown = ws.grow(working, here, distance, is_free=is_free, target=0.5)

    candidates = np.arange(P) if columns is None else columns
    assert set(working) | set(np.flatnonzero(coef)) <= set(grown)
    assert set(candidates[is_free[candidates]]) <= set(grown)
    assert_array_equal(grown, np.unique(grown))
    # Of the violators, those left out are no worse than those taken in.
    taken = np.isin(candidates, grown)
    wrong = distance > 0.5
    left_out = distance[wrong & ~taken]
    chosen = distance[wrong & taken & (coef[candidates] == 0.0)]
    chosen = np.delete(chosen, np.flatnonzero(chosen < left_out.max(initial=0.0)))
    assert left_out.max(initial=0.0) <= chosen.min(initial=np.inf)
    room = max(ws.LEAST_GROWTH, 2 * np.count_nonzero(coef))
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
