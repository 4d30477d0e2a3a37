"""The edited factor beside NumPy's, and the walk beside its definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from penglm.kernels import active_set
from penglm.penalties import PenaltyTerms, distance

K = 7
SEEDS = st.integers(0, 2**32 - 1)
# Factors of matrices with a condition below a thousand.
SAME = 1e-11
TOL = 1e-10

few = settings(max_examples=20)


def positive(rng, k=K):
    X = rng.normal(size=(3 * k, k))
    return X.T @ X / (3 * k) + 0.1 * np.eye(k)


def factor_of(matrix, room=K):
    """Return the factor that appending one column after another gives."""
    L = np.zeros((room, room))
    for k in range(len(matrix)):
        assert active_set.append_row(L, k, matrix[k, :k].copy(), matrix[k, k])
    return L


@few
@given(seed=SEEDS)
def test_appended_columns_make_the_factor(seed):
    matrix = positive(np.random.default_rng(seed))
    expected = np.linalg.cholesky(matrix)
    assert_allclose(np.tril(factor_of(matrix)), expected, rtol=SAME, atol=SAME)


@few
@given(seed=SEEDS, q=st.integers(0, K - 1))
def test_deleted_column_leaves_the_factor_of_the_others(seed, q):
    matrix = positive(np.random.default_rng(seed))
    L = factor_of(matrix)
    active_set.delete_row(L, K, q)
    rest = np.delete(np.delete(matrix, q, 0), q, 1)
    left = np.tril(L[: K - 1, : K - 1])
    assert_allclose(left @ left.T, rest, rtol=SAME, atol=SAME)


@few
@given(seed=SEEDS)
def test_many_edits_keep_the_factor(seed):
    rng = np.random.default_rng(seed)
    matrix = positive(rng)
    L, members = np.zeros((K, K)), []
    for _ in range(60):
        k = len(members)
        if k and (k == K or rng.uniform() < 0.5):
            q = int(rng.integers(0, k))
            active_set.delete_row(L, k, q)
            members.pop(q)
        else:
            j = int(rng.choice(np.setdiff1d(np.arange(K), members)))
            assert active_set.append_row(L, k, matrix[j, members], matrix[j, j])
            members.append(j)
        left = np.tril(L[: len(members), : len(members)])
        expected = matrix[np.ix_(members, members)]
        assert_allclose(left @ left.T, expected, rtol=SAME, atol=SAME)


@few
@given(seed=SEEDS)
def test_solution_solves_the_system(seed):
    rng = np.random.default_rng(seed)
    matrix, r, d = positive(rng), rng.normal(size=K), np.empty(K)
    active_set.solve(factor_of(matrix), K, r, d)
    assert_allclose(matrix @ d, r, rtol=SAME, atol=SAME)


@pytest.mark.parametrize("size", [1.0, 1e-12, 1e12])
def test_dependent_column_is_refused_at_any_scale(size):
    X = np.random.default_rng(0).normal(size=(20, 3))
    X = np.column_stack([X, X @ [1.0, -2.0, 0.5]])
    matrix = size * (X.T @ X)
    L = factor_of(matrix[:3, :3], 4)
    assert not active_set.append_row(L, 3, matrix[3, :3].copy(), matrix[3, 3])


@given(seed=SEEDS)
def test_breach_is_the_distance_that_the_penalty_knows(seed):
    rng = np.random.default_rng(seed)
    terms = PenaltyTerms(0, rng.uniform(0, 1, 9), rng.uniform(0, 1, 9),
                         rng.choice([-np.inf, -0.5, 0.0], 9),
                         rng.choice([np.inf, 0.5, 0.0], 9))  # fmt: skip
    coef = np.clip(rng.choice([0.0, 0.5, -0.5, 0.2], 9), terms.lower, terms.upper)
    score = rng.normal(size=9)
    signal = score - terms.l2 * coef
    found = [
        active_set.breach(
            coef[j], signal[j], terms.l1[j], terms.lower[j], terms.upper[j]
        )
        for j in range(9)
    ]
    assert_array_equal(found, distance(terms, coef, score))


def quadratic(seed, k=30):
    """Return a walk's arguments from zero, with a mix and some limits."""
    rng = np.random.default_rng(seed)
    gram, score = positive(rng, k), rng.normal(size=k)
    lower, upper = np.full(k, -np.inf), np.full(k, np.inf)
    lower[:5], upper[3:8] = -0.1, 0.1
    l1, l2 = np.full(k, 0.3), rng.uniform(0.0, 0.2, k)
    l1[9] = l2[9] = 0.0
    return gram, score, PenaltyTerms(0, l1, l2, lower, upper)


def walk(gram, score, terms, kernel=active_set.walk, most=500, room=None):
    k = score.size
    room = k if room is None else room
    v, coef, s = score.copy(), np.zeros(k), np.zeros(k)
    m, L = np.zeros(room, dtype=np.int64), np.zeros((room, room))
    end, n, n_changes = kernel(
        gram, v, coef, terms.l1, terms.l2, terms.lower, terms.upper, np.ones(k), TOL,
        L, m, 0, s, most,
    )  # fmt: skip
    return end, n, v, coef, m[:n], n_changes, L


@few
@given(seed=SEEDS)
def test_walk_ends_where_every_condition_holds(seed):
    gram, score, terms = quadratic(seed)
    end, n, v, coef, m, n_changes, L = walk(gram, score, terms)
    assert end == active_set.SETTLED
    assert_allclose(v, score - gram @ coef, rtol=SAME, atol=SAME)
    assert distance(terms, coef, score - gram @ coef).max() <= 10 * TOL
    inside = (coef > terms.lower) & (coef < terms.upper)
    assert set(np.flatnonzero(inside & (coef != 0.0))) <= set(m)
    # From an empty support every member has entered once more than it has left.
    assert n_changes >= n == np.unique(m).size
    assert (n_changes - n) % 2 == 0
    lower = np.tril(L[:n, :n])
    expected = (gram + np.diag(terms.l2))[np.ix_(m, m)]
    assert_allclose(lower @ lower.T, expected, rtol=SAME, atol=SAME)


@few
@given(seed=SEEDS, most=st.integers(1, 12))
def test_walk_that_is_cut_short_can_go_on_from_its_slope(seed, most):
    gram, score, terms = quadratic(seed)
    end, n, v, coef, m, _, L = walk(gram, score, terms, most=most)
    assert end in (active_set.SETTLED, active_set.GOES_ON)
    assert_allclose(v, score - gram @ coef, rtol=SAME, atol=SAME)
    # Several may have come in or gone at once: the factor is that of whoever is left.
    lower = np.tril(L[:n, :n])
    expected = (gram + np.diag(terms.l2))[np.ix_(m, m)]
    assert_allclose(lower @ lower.T, expected, rtol=SAME, atol=SAME)


def test_walk_without_room_is_refused():
    gram, score, terms = quadratic(1)
    assert walk(gram, score, terms, room=2)[0] == active_set.REFUSED


@few
@given(seed=SEEDS, room=st.integers(0, 3))
def test_follow_brings_the_slope_to_moved_coordinates(seed, room):
    rng = np.random.default_rng(seed)
    gram, v = np.full((K + room, K + room), np.nan), rng.normal(size=K)
    gram[:K, :K] = positive(rng)
    moved = np.where(rng.uniform(size=K) < 0.5, rng.normal(size=K), 0.0)
    expected = v - gram[:K, :K] @ moved
    active_set.follow(gram, v, moved)
    assert_allclose(v, expected, rtol=SAME, atol=SAME)


@pytest.mark.parametrize("apart", [1.0, 1.0 / active_set.EAGER + 1e-6, 10.0])
def test_whoever_wants_to_move_about_as_much_is_let_in_together(apart):
    # Orthogonal columns; one step lets in, the next solves, and so forth.
    score = np.array([1.0, 1.0 / apart, 0.0]) + 0.5
    terms = PenaltyTerms(0, np.full(3, 0.5), np.zeros(3),
                         np.full(3, -np.inf), np.full(3, np.inf))  # fmt: skip
    _, n, _, _, m, n_changes, _ = walk(np.eye(3), score, terms, most=1)
    together = apart <= 1.0 / active_set.EAGER
    assert n == n_changes == (2 if together else 1)
    assert_array_equal(m, [0, 1][:n])
    end, n, _, coef, _, _, _ = walk(np.eye(3), score, terms)
    assert end == active_set.SETTLED
    assert_allclose(coef, score - 0.5, rtol=SAME, atol=SAME)


def test_many_that_turn_at_once_are_dropped_at_once():
    # A start on the wrong side of zero for all but one, under a weak penalty.
    k = 12
    v, coef = np.full(k, -1.0), np.full(k, 0.1)
    v[0] = 1.0
    l1, free = np.full(k, 0.2), np.full(k, np.inf)
    m, s = np.arange(k), np.ones(k)
    end, n, n_changes = active_set.walk(
        np.eye(k), v, coef, l1, np.zeros(k), -free, free, np.ones(k), TOL,
        np.eye(k), m, k, s, k,
    )  # fmt: skip
    # One step, after which there is no room left for another.
    assert (end, n, n_changes) == (active_set.GOES_ON, 1, k - 1)
    assert_array_equal(coef[1:], np.zeros(k - 1))
    terms = PenaltyTerms(0, l1, np.zeros(k), -free, free)
    end, n, v, coef, _, _, _ = walk(np.eye(k), v + coef, terms)
    assert end == active_set.SETTLED
    assert_allclose(coef, np.r_[0.9, np.full(k - 1, -0.7)], rtol=SAME)


@pytest.mark.parametrize("seed", range(5))
def test_compiled_and_interpreted_walk_alike(seed):
    gram, score, terms = quadratic(seed)
    plain = getattr(active_set.walk, "py_func", active_set.walk)
    for a, b in zip(
        walk(gram, score, terms), walk(gram, score, terms, plain), strict=True
    ):
        assert_allclose(a, b, rtol=SAME, atol=SAME)
