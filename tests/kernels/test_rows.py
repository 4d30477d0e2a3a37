"""Walks along rows against products, families and NumPy, compiled or not."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from penglm.families import Binomial, Gaussian, Poisson
from penglm.kernels import rows, terms

FAMILIES = {0: Gaussian(), 1: Binomial(), 2: Poisson()}
# Sums of some thousand terms in another order.
SAME = 1e-11


def case(kind, n=700, p=7, m=4, dtype=np.float64):
    rng = np.random.default_rng(kind)
    X = rng.normal(size=(n, p)).astype(dtype)
    y = {
        0: rng.normal(size=n),
        1: rng.choice([0.0, 1.0, 0.3], size=n),
        2: rng.poisson(1.0, size=n) * 1.0,
    }[kind]
    w, offset = rng.uniform(0.2, 2.0, n), 0.1 * rng.normal(size=n)
    return X, y, w, offset, 0.4 * rng.normal(size=(p, m)), rng.normal(size=m)


def definition(kind, X, y, w, offset, coefs, intercepts):
    """Return sums (3, m) and slopes (p, m) from the family and products."""
    family, m = FAMILIES[kind], intercepts.size
    sums, slopes = np.empty((3, m)), np.empty((X.shape[1], m))
    for k in range(m):
        eta = X @ coefs[:, k] + intercepts[k] + offset
        loss, score, weight = family.working_terms(y, eta)
        size = np.abs(score * eta) + (kind > 0) * weight * (np.abs(eta) + 1.0)
        sums[:, k] = w @ loss, w @ score, w @ size
        slopes[:, k] = X.T @ (w * score)
    return sums, slopes


@pytest.mark.parametrize("kind", FAMILIES)
@pytest.mark.parametrize("n", [1, 3, 255, 256, 700, 1025])
@pytest.mark.parametrize("p", [1, 2, 7, 6000])
def test_walk_is_products_and_terms(kind, n, p):
    X, y, w, offset, coefs, intercepts = case(kind, n, p)
    if p > 100:
        # Blocks of fewer rows than a matrix of few columns has.
        X, y, w, offset = X[:9], y[:9], w[:9], offset[:9]
        coefs = coefs / 50.0
    expected, slopes = definition(kind, X, y, w, offset, coefs, intercepts)
    four, rest = np.ascontiguousarray(coefs.T), (offset, y, w)
    by_rows = X, rows.rows_at_once(p), rows.expand_rows, rows.expand_rows_four
    by_columns = (
        np.ascontiguousarray(X.T), rows.STRETCH, rows.expand_columns,
        rows.expand_columns_four,
    )  # fmt: skip
    for stored, step, at_one, at_four in (by_rows, by_columns):
        pieces = -(-len(X) // step)
        sums, g = np.empty((3, 4, pieces)), np.zeros((4, p))
        at_four(kind, stored, 0, len(X), four, intercepts, *rest, g, sums)
        assert_allclose(sums.sum(axis=2), expected, rtol=SAME, atol=SAME)
        assert_allclose(g.T, slopes, rtol=SAME, atol=1e-10)
        sums, g = np.empty((3, pieces)), np.zeros(p)
        at_one(kind, stored, 0, len(X), four[2], intercepts[2], *rest, g, sums)
        assert_allclose(sums.sum(axis=1), expected[:, 2], rtol=SAME, atol=SAME)
        assert_allclose(g, slopes[:, 2], rtol=SAME, atol=1e-10)


@pytest.mark.parametrize("by_rows", [True, False])
def test_a_part_of_the_rows_is_walked_along_alone(by_rows):
    X, y, w, offset, coefs, intercepts = case(1, 1500, 7)
    part = slice(333, 1400)
    expected, slopes = definition(
        1, X[part], y[part], w[part], offset[part], coefs, intercepts
    )
    stored = X if by_rows else np.asfortranarray(X)
    walked = rows.expand_rows_four if by_rows else rows.expand_columns_four
    step = rows.rows_at_once(7) if by_rows else rows.STRETCH
    sums, g = np.empty((3, 4, -(-1067 // step))), np.zeros((4, 7))
    walked(
        1, stored if by_rows else stored.T, 333, 1400, coefs.T.copy(), intercepts,
        offset, y, w, g, sums,
    )  # fmt: skip
    assert_allclose(sums.sum(axis=2), expected, rtol=SAME, atol=SAME)
    assert_allclose(g.T, slopes, rtol=SAME, atol=1e-10)


@pytest.mark.parametrize("kind", FAMILIES)
@pytest.mark.parametrize("m", [1, 2, 5])
@pytest.mark.parametrize("q", [0, 3])
@pytest.mark.parametrize("order", ["C", "F"])
def test_walk_with_factors_is_that_of_their_columns(kind, m, q, order):
    X, y, w, offset, coefs, intercepts = case(kind, 1500, q + 9, m)
    rng = np.random.default_rng(5)
    codes = np.column_stack([rng.integers(0, 5, 1500), rng.integers(0, 4, 1500)])
    starts, X = np.array([0, 5]), np.array(X[:, :q], order=order)
    hot = np.hstack([np.eye(5)[codes[:, 0]], np.eye(4)[codes[:, 1]]])
    expected, slopes = definition(
        kind, np.hstack([X, hot]), y, w, offset, coefs, intercepts
    )
    sums = np.empty((3, m, -(-1500 // rows.PIECE)))
    g, h = np.zeros((q, m)), np.zeros((9, m))
    rows.expand_mixed(
        kind, X, codes.astype(np.uint8), starts, 0, 1500, coefs[:q].copy(),
        coefs[q:].copy(), intercepts, offset, y, w, g, h, sums,
    )  # fmt: skip
    assert_allclose(sums.sum(axis=2), expected, rtol=SAME, atol=SAME)
    assert_allclose(np.vstack([g, h]), slopes, rtol=SAME, atol=1e-10)


def test_float32_rows_are_widened():
    X, y, w, offset, coefs, intercepts = case(1, dtype=np.float32)
    wide = X.astype(np.float64)
    expected, slopes = definition(1, wide, y, w, offset, coefs, intercepts)
    sums, g = np.empty((3, 4, 1)), np.zeros((4, 7))
    rows.expand_rows_four(
        1, X, 0, 700, coefs.T.copy(), intercepts, offset, y, w, g, sums
    )
    assert_allclose(g.T, slopes, rtol=SAME, atol=1e-10)
    assert_allclose(sums.sum(axis=2), expected, rtol=SAME)


@pytest.mark.parametrize("kind", [1, 2])
def test_terms_are_those_of_scipy_far_out_and_near(kind, monkeypatch):
    eta = np.concatenate([np.linspace(-40.0, 40.0, 4001), [-700.0, -745.0, 600.0, 0.0]])
    for y in (0.0, 1.0, 0.25):
        own, loss, score, weight = np.empty((4, eta.size))
        terms.response_terms(kind, np.full(eta.size, y), own)
        terms.terms_of_rows(kind, np.full(eta.size, y), own, eta, loss, score, weight)
        monkeypatch.setattr("penglm.families.base.MANY_ROWS", 10**9)
        expected = FAMILIES[kind].working_terms(np.full(eta.size, y), eta)
        size = np.abs(expected[0]) + np.abs(y * eta)
        room = 4e-15 * (1.0 + np.abs(eta) / 40.0)
        assert np.all(np.abs(loss - expected[0]) <= room * (size + 1.0))
        assert_allclose(score, expected[1], rtol=4e-14, atol=1e-300)
        assert_allclose(weight, expected[2], rtol=4e-14, atol=1e-300)


def test_exponential_keeps_its_digits_and_ends_like_the_real_one():
    x = np.linspace(-30.0, 30.0, 3001)
    found = np.array([terms.exponential(each) for each in x])
    assert_allclose(found, np.exp(x), rtol=2e-15)
    assert terms.exponential(0.0) == 1.0
    assert terms.exponential(-1e300) == 0.0
    assert terms.exponential(-np.inf) == 0.0
    assert terms.exponential(1e300) == np.inf
    assert terms.exponential(709.0) == pytest.approx(np.exp(709.0), rel=1e-12)


def test_logarithm_of_one_more_keeps_its_digits():
    q = np.concatenate([np.linspace(0.0, 1.0, 1001), np.logspace(-300, 0, 301)])
    found = np.array([terms.log_of_one_more(each) for each in q])
    assert_allclose(found, np.log1p(q), rtol=4e-16 * 4, atol=0.0)


def test_what_overflows_is_no_number_that_could_be_believed():
    X, y = np.full((5, 1), 1e3), np.zeros(5)
    sums, g = np.empty((3, 1)), np.zeros(1)
    rows.expand_rows(
        2, X, 0, 5, np.array([1e3]), 0.0, np.zeros(5), y, np.ones(5), g, sums
    )
    assert not np.isfinite(sums[0].sum())
