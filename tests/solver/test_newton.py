"""Exact steps against brute force and exact arithmetic."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import penglm as pg
from penglm.engines import Local
from penglm.penalties import PenaltyTerms, distance
from penglm.solver import newton
from penglm.solver.factor import Factor
from penglm.solver.solution import Point

EPS = np.finfo(float).eps
K = 4
# The violation that is left counts as none.
TOL = 1e-12
# Solutions of systems with a condition below a thousand.
SAME = 1e-10
SEEDS = st.integers(0, 2**32 - 1)

many = settings(max_examples=40)


def draw(seed, sort="plain"):
    """Return Gram, slope at zero, penalty and start; ``sort`` says what is in it."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(12, K)) + 0.7 * rng.normal(size=(12, 1))
    gram, score = X.T @ X / 12, rng.normal(size=K)
    l1, l2 = rng.uniform(0.05, 0.6, K), np.zeros(K)
    lower, upper = np.full(K, -np.inf), np.full(K, np.inf)
    if "ridge" in sort:
        l2 = rng.uniform(0.0, 0.5, K)
    if "free" in sort:
        l1[rng.integers(0, K)] = 0.0
    if "limits" in sort:
        low, high = np.sort(rng.normal(0.0, 0.4, (2, K)), axis=0)
        lower = np.where(rng.uniform(size=K) < 0.6, low, lower)
        upper = np.where(rng.uniform(size=K) < 0.6, high, upper)
        upper[0] = lower[0] if np.isfinite(lower[0]) else upper[0]
    terms = PenaltyTerms(0, l1, l2, lower, upper)
    start = np.where(rng.uniform(size=K) < 0.5, rng.normal(size=K), 0.0)
    return gram, score, terms, np.clip(start, lower, upper)


def objective(gram, score, terms, coef):
    smooth = coef @ gram @ coef / 2 - score @ coef
    return smooth + terms.l1 @ np.abs(coef) + terms.l2 @ coef**2 / 2


def candidates(terms, j):
    """Return what coordinate j can be: a value, or a sign with its value open."""
    stops = {stop for stop in (terms.lower[j], terms.upper[j]) if np.isfinite(stop)}
    if terms.lower[j] <= 0.0 <= terms.upper[j]:
        stops.add(0.0)
    return [("at", stop) for stop in stops] + [("open", -1.0), ("open", 1.0)]


def brute_force(gram, score, terms):
    """Return the best of all points that are stationary on some pattern."""
    best, least = None, np.inf
    for pattern in itertools.product(*(candidates(terms, j) for j in range(K))):
        is_open = np.array([kind == "open" for kind, _ in pattern])
        value = np.array([number for _, number in pattern])
        coef = np.where(is_open, 0.0, value)
        if is_open.any():
            matrix = (gram + np.diag(terms.l2))[np.ix_(is_open, is_open)]
            right = score - gram @ coef - terms.l1 * value
            coef[is_open] = np.linalg.solve(matrix, right[is_open])
        allowed = (terms.lower <= coef) & (coef <= terms.upper)
        # A free coordinate has no sign to keep.
        allowed &= ~is_open | (coef * value >= 0.0) | (terms.l1 == 0.0)
        if allowed.all() and objective(gram, score, terms, coef) < least:
            best, least = coef, objective(gram, score, terms, coef)
    return best


def settle(gram, slope, coef, terms, factor=None):
    """Return where the exact step ends, and the factor it leaves."""
    factor = Factor() if factor is None else factor
    return newton.settle(gram, slope, coef, terms, np.ones(K), TOL, factor)


SORTS = ("plain", "ridge", "free", "limits", "ridge free", "ridge free limits")


@pytest.mark.parametrize("sort", SORTS)
@many
@given(seed=SEEDS)
def test_settle_finds_the_minimum_over_all_sign_patterns(sort, seed):
    gram, score, terms, start = draw(seed, sort)
    found, _ = settle(gram, score - gram @ start, start, terms)
    assert_allclose(found, brute_force(gram, score, terms), rtol=0.0, atol=SAME)


@pytest.mark.parametrize("sort", SORTS)
@many
@given(seed=SEEDS)
def test_settled_point_satisfies_its_optimality_conditions(sort, seed):
    gram, score, terms, start = draw(seed, sort)
    found, _ = settle(gram, score - gram @ start, start, terms)
    violation = distance(terms, found, score - gram @ found)
    assert violation.max() <= TOL + 100 * EPS


def test_settle_leaves_what_it_was_given_alone():
    gram, score, terms, start = draw(1)
    given = gram, score - gram @ start, start
    before = [array.copy() for array in given]
    settle(*given, terms)
    for array, copy in zip(given, before, strict=True):
        assert_array_equal(array, copy)


@pytest.mark.parametrize("sort", SORTS)
@many
@given(seed=SEEDS)
def test_factor_that_settling_leaves_is_that_of_its_members(sort, seed):
    gram, score, terms, start = draw(seed, sort)
    found, factor = settle(gram, score - gram @ start, start, terms)
    members = factor.members[: factor.count]
    # No coordinate twice; whoever may still move is there.
    assert np.unique(members).size == members.size
    inside = (found > terms.lower) & (found < terms.upper)
    assert set(np.flatnonzero(inside & (found != 0.0))) <= set(members)
    lower = np.tril(factor.matrix[: factor.count, : factor.count])
    expected = (gram + np.diag(terms.l2))[np.ix_(members, members)]
    assert_allclose(lower @ lower.T, expected, rtol=0.0, atol=SAME)


@pytest.mark.parametrize("sort", SORTS)
@many
@given(seed=SEEDS)
def test_factor_of_an_earlier_step_changes_nothing(sort, seed):
    gram, score, terms, start = draw(seed, sort)
    _, known = settle(gram, score - gram @ start, start, terms)
    # Another slope, as a Newton step or the next strength brings it.
    score = score + np.random.default_rng(seed).normal(0.0, 0.3, K)
    slope = score - gram @ start
    fresh, _ = settle(gram, slope, start, terms)
    found, _ = settle(gram, slope, start, terms, known)
    assert_allclose(found, fresh, rtol=0.0, atol=SAME)


def test_matrix_with_room_to_grow_is_read_in_its_corner_alone():
    gram, score, terms, start = draw(1, "ridge")
    store = np.full((K + 3, K + 3), np.nan)
    store[:K, :K] = gram
    expected, _ = settle(gram, score - gram @ start, start, terms)
    found, _ = settle(store, score - gram @ start, start, terms)
    assert_array_equal(found, expected)


def test_settle_refuses_a_support_of_dependent_columns():
    X = np.random.default_rng(2).normal(size=(12, K))
    X[:, 1] = X[:, 0]
    terms = PenaltyTerms(0, *np.zeros((2, K)), *np.full((2, K), np.inf))
    gram = X.T @ X
    terms = PenaltyTerms(0, terms.l1, terms.l2, -terms.upper, terms.upper)
    assert settle(gram, X.T @ X[:, 2], np.zeros(K), terms) is None


def test_ridge_makes_dependent_columns_solvable():
    X = np.random.default_rng(2).normal(size=(12, K))
    X[:, 1] = X[:, 0]
    free = np.full(K, np.inf)
    terms = PenaltyTerms(0, np.zeros(K), np.full(K, 0.1), -free, free)
    gram, score = X.T @ X, X.T @ X[:, 2]
    found, _ = settle(gram, score, np.zeros(K), terms)
    assert found[0] == pytest.approx(found[1], abs=SAME)


def test_settle_gives_up_on_a_support_that_is_too_large(monkeypatch):
    monkeypatch.setattr(newton, "LARGEST_SUPPORT", 1)
    gram, _, terms, _ = draw(3)
    start = np.ones(K)
    assert settle(gram, start, start, terms) is None


def test_only_piecewise_quadratic_penalties_can_be_settled():
    _, _, terms, _ = draw(0)
    assert newton.can_settle(terms)
    other = PenaltyTerms(1, terms.l1, terms.l2, terms.lower, terms.upper, 3.0)
    assert not newton.can_settle(other)


@pytest.mark.parametrize("size", [1e-150, 1e-9, 1.0, 1e9, 1e150])
def test_solve_positive_solves_at_any_scale(size):
    gram, score, _, _ = draw(4)
    scale = np.array([1.0, size, 1.0, 1.0])
    found = newton.solve_positive(gram * np.outer(scale, scale), score * scale)
    assert_allclose(found * scale, np.linalg.solve(gram, score), rtol=SAME)


def dependent_grams():
    """Return matrices that no Newton step can be solved with."""
    X = np.random.default_rng(5).normal(size=(12, 3))
    twice, summed, empty = X.copy(), X.copy(), X.copy()
    twice[:, 2] = -3.0 * X[:, 0]
    summed[:, 2] = X[:, 0] + X[:, 1]
    empty[:, 1] = 0.0
    nearly = twice + 1e-7 * X
    found = {"twice": twice, "summed": summed, "empty": empty, "nearly": nearly}
    grams = {name: columns.T @ columns for name, columns in found.items()}
    grams["more columns than rows"] = X[:2].T @ X[:2]
    grams["not finite"] = np.full((3, 3), np.nan)
    return grams


@pytest.mark.parametrize("name", dependent_grams())
def test_solve_positive_refuses_dependent_columns(name):
    assert newton.solve_positive(dependent_grams()[name], np.ones(3)) is None


def exact_least_squares(columns, target):
    """Return the solution of the normal equations in rational numbers."""
    rows = [[Fraction(value) for value in row] for row in columns.tolist()]
    right = [Fraction(value) for value in target.tolist()]
    k = len(rows[0])
    system = [
        [sum(row[i] * row[j] for row in rows) for j in range(k)]
        + [sum(row[i] * y for row, y in zip(rows, right, strict=True))]
        for i in range(k)
    ]
    for i in range(k):
        system[i] = [value / system[i][i] for value in system[i]]
        for other in set(range(k)) - {i}:
            factor = system[other][i]
            pairs = zip(system[other], system[i], strict=True)
            system[other] = [a - factor * b for a, b in pairs]
    return np.array([float(row[-1]) for row in system])


@pytest.mark.skipif(
    np.finfo(np.longdouble).eps == EPS, reason="no float longer than double here"
)
@pytest.mark.parametrize("degree", [2, 4, 6, 8])
def test_refined_least_squares_has_the_digits_of_exact_arithmetic(degree):
    x = np.arange(15.0)
    columns = np.vander(x, degree + 1, increasing=True)
    target = np.cos(x)
    size = np.linalg.norm(columns, axis=0)
    found, rank = newton.refined_least_squares(
        (columns / size).astype(np.longdouble), target.astype(np.longdouble)
    )
    exact = exact_least_squares(columns / size, target)
    assert rank == degree + 1
    # What the longer float loses to the condition is less than one rounding.
    assert np.linalg.norm(found - exact) <= 4 * EPS * np.linalg.norm(exact)


def test_refined_least_squares_is_the_one_of_least_norm():
    columns = np.random.default_rng(6).normal(size=(20, 5))
    columns[:, 4] = columns[:, 0] - 2.0 * columns[:, 1]
    target = np.random.default_rng(7).normal(size=20)
    found, rank = newton.refined_least_squares(
        columns.astype(np.longdouble), target.astype(np.longdouble)
    )
    assert rank == 4
    assert_allclose(found, np.linalg.pinv(columns) @ target, rtol=SAME)


def test_refined_least_squares_of_wide_columns_fits_exactly():
    columns = np.random.default_rng(8).normal(size=(4, 9))
    target = np.arange(4.0)
    found, rank = newton.refined_least_squares(
        columns.astype(np.longdouble), target.astype(np.longdouble)
    )
    assert rank == 4
    assert_allclose(columns @ found, target, rtol=0.0, atol=SAME)


def dependent_design():
    X = np.random.default_rng(9).normal(5.0, 1.0, (30, 6))
    X[:, 2] = X[:, 0] - X[:, 1] + 4.0
    X[:, 5] = 2.0 * X[:, 3]
    return X


@pytest.mark.parametrize("size", [1e-150, 1.0, 1e150])
def test_dependent_columns_are_those_made_of_earlier_ones(size):
    X = dependent_design() * size
    problem = pg.PenalizedGLM(np.arange(30.0), X).problem()
    assert_array_equal(newton.dependent_columns(problem), [2, 5])


def test_a_shifted_copy_is_dependent_only_beside_an_intercept():
    X = dependent_design()[:, :3]
    model = pg.PenalizedGLM(np.arange(30.0), X, fit_intercept=False)
    assert_array_equal(newton.dependent_columns(model.problem()), [])


def test_dependent_columns_are_looked_for_under_the_weights():
    X = dependent_design()
    X[:3, 2] += 1.0
    weight = np.ones(30)
    weight[:3] = 0.0
    problem = pg.PenalizedGLM(np.arange(30.0), X, var_weights=weight).problem()
    assert_array_equal(newton.dependent_columns(problem), [2, 5])


def test_least_squares_needs_its_rows_together():
    model = pg.PenalizedGLM(np.arange(30.0), dependent_design())
    (block,) = model.statement.engine.blocks
    engine = Local([block.take(np.arange(15)), block.take(np.arange(15, 30))])
    problem = model.statement.problem(1.0, engine)
    with pytest.raises(ValueError, match="least squares needs all rows in one block"):
        newton.least_squares(problem, Point(np.zeros(6), 0.0))
    assert not newton.dependent_columns(problem).size
