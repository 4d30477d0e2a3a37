"""Starts on the line through the last two points of a path."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal

import penglm as pg
from penglm.solver import line_search, quadratic
from penglm.solver.extrapolation import ahead, better, lead
from penglm.solver.solution import Point
from penglm.solver.working_set import Warm

K = 5
ROUNDING = 1e-12


def problem(lower=-np.inf, upper=np.inf):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(30, K))
    y = X @ np.array([1.0, -1.0, 0.5, 0.0, 0.0]) + rng.normal(size=30)
    model = pg.PenalizedGLM(
        y, X, lower=np.full(K, lower), upper=np.full(K, upper)
    )  # fmt: skip
    return model.problem(1.0)


EVERYTHING = problem()
coefs = hnp.arrays(float, K, elements=st.sampled_from([-1.5, -0.5, 0.0, 0.25, 1.0, 2]))


@given(coefs, coefs, st.floats(0.05, 0.95))
def test_zeros_stay_and_no_sign_changes(before, last, third):
    found = ahead(Point(before, 0.0), Point(last, 0.0), (2.0, 1.0, third), EVERYTHING)
    assert not found.coef[last == 0.0].any()
    assert np.all(found.coef * last >= 0.0)


@given(coefs, coefs, st.floats(0.05, 0.95))
def test_only_what_kept_its_sign_moves(before, last, third):
    found = ahead(Point(before, 0.0), Point(last, 0.0), (2.0, 1.0, third), EVERYTHING)
    still = before * last <= 0.0
    assert_array_equal(found.coef[still], last[still])


def test_a_line_is_followed():
    slope = np.array([1.0, -2.0, 0.5, 3.0, -1.0])
    points = [Point(slope * (3.0 - alpha), 2.0 * alpha) for alpha in (2.0, 1.5, 0.8)]
    found = ahead(*points[:2], (2.0, 1.5, 0.8), EVERYTHING)
    assert_allclose(found.coef, points[2].coef, rtol=ROUNDING)
    assert found.intercept == pytest.approx(points[2].intercept, rel=ROUNDING)


def test_limits_end_the_line():
    bounded = problem(-0.1, 0.1)
    limits = bounded.inner_penalty
    before, last = Point(0.1 * limits.upper, 0.0), Point(0.9 * limits.upper, 0.0)
    found = ahead(before, last, (2.0, 1.0, 0.1), bounded)
    assert_array_equal(found.coef, limits.upper)


@pytest.mark.parametrize("alphas", [(1.0, 1.0, 0.5), (2.0, 1.0, 1.0), (1.0, 2.0, 0.5)])
def test_strengths_that_do_not_descend_lead_nowhere(alphas):
    before, last = Point(np.ones(K), 0.0), Point(2.0 * np.ones(K), 0.0)
    assert ahead(before, last, alphas, EVERYTHING) is last


def test_a_start_that_is_no_better_is_not_taken():
    alpha, good = 0.1, Point(np.zeros(K), 0.0)
    here = quadratic.expand(EVERYTHING, good)
    assert better(EVERYTHING, here, Point(100.0 * np.ones(K), 0.0), alpha) is here
    lower = Point(np.array([0.3, -0.3, 0.1, 0.0, 0.0]), 0.0)
    found = better(EVERYTHING, here, lower, alpha)
    assert found.point is lower
    now = line_search.objective(EVERYTHING, here, alpha)
    assert line_search.objective(EVERYTHING, found, alpha) < now


def test_small_dense_problems_start_where_they_ended():
    before = Warm(Point(0.5 * np.ones(K), 0.0), 2.0, np.zeros(K))
    last = Warm(Point(np.ones(K), 0.0), 1.0, np.zeros(K), before=before)
    assert lead(EVERYTHING, last, 0.5) is None
    assert lead(EVERYTHING, before, 0.5) is None
