"""Centring and scaling that never touch the stored columns."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from penglm.design import Dense, Standardized

N_ROWS = 200
EPS = np.finfo(float).eps
# Sums over the rows of products near one.
ROUNDING = 8 * N_ROWS * EPS


def matrix():
    return np.random.default_rng(41).normal(3.0, 2.0, size=(N_ROWS, 4))


def weights():
    return np.random.default_rng(42).uniform(0.1, 3.0, size=N_ROWS)


def standardized(X, weight):
    return Standardized(Dense(X), *Dense(X).moments(weight))


def test_its_own_moments_standardize_a_design():
    mean, sd = standardized(matrix(), weights()).moments(weights())
    assert_allclose(mean, np.zeros(4), atol=ROUNDING)
    assert_allclose(sd, np.ones(4), rtol=ROUNDING)


def test_centred_columns_are_orthogonal_to_the_weights():
    design = standardized(matrix(), weights())
    size = weights().sum()
    assert_allclose(design.gradient(weights()) / size, np.zeros(4), atol=ROUNDING)


def test_gram_of_a_standardized_design_has_a_unit_diagonal():
    weight = weights()
    gram = standardized(matrix(), weight).gram(weight) / weight.sum()
    assert_allclose(np.diag(gram), np.ones(4), rtol=ROUNDING)


def test_a_column_with_scale_zero_becomes_zeros():
    X = matrix()
    X[:, 1] = 7.0
    design = standardized(X, weights())
    assert_array_equal(design.to_dense()[:, 1], np.zeros(N_ROWS))
    gram = design.gram(weights())
    assert_array_equal(gram[1], np.zeros(4))
    assert design.gradient(weights())[1] == 0.0
    only = np.array([1])
    assert_array_equal(design.linear_predictor(np.ones(1), only), np.zeros(N_ROWS))
    mean, sd = design.moments(weights())
    assert mean[1] == 0.0
    assert sd[1] == 0.0


def test_a_second_standardization_is_one_with_both_centres():
    X = matrix()
    center, scale = np.full(4, 1.0), np.full(4, 4.0)
    inner = Standardized(Dense(X), center, scale)
    outer = Standardized(inner, np.full(4, 0.5), np.full(4, 2.0))
    once = Standardized(Dense(X), center + 0.5 * scale, 2.0 * scale)
    weight, coef = weights(), np.arange(1.0, 5.0)
    for a, b in (
        (outer.to_dense(), once.to_dense()),
        (outer.linear_predictor(coef), once.linear_predictor(coef)),
        (outer.gradient(weight), once.gradient(weight)),
        (outer.gram(weight), once.gram(weight)),
        (outer.moments(weight), once.moments(weight)),
    ):
        assert_allclose(a, b, rtol=ROUNDING, atol=ROUNDING * N_ROWS)


def test_gram_far_from_zero_keeps_its_digits():
    # The stored design centres before squaring: a mean of 1e9 costs no digits.
    X = 1e9 + matrix()
    design = standardized(X, np.ones(N_ROWS))
    centred = X - X.mean(axis=0)
    expected = np.corrcoef(centred, rowvar=False) * N_ROWS
    # The mean itself is known to half a unit in its last place, 1e-7 of the sd.
    known = 1e9 * EPS
    assert_allclose(design.gram(np.ones(N_ROWS)), expected, atol=known * N_ROWS)


def test_taken_rows_keep_centre_and_scale():
    design = standardized(matrix(), weights())
    taken = design.take(np.arange(3))
    assert_array_equal(taken.center, design.center)
    assert_array_equal(taken.scale, design.scale)
