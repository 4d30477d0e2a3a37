"""Several storages act as one matrix."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from penglm.design import Categorical, Dense, Sparse, Split, Standardized, beside
from penglm.exceptions import PenglmInputError

N_ROWS = 50
# Sums of N_ROWS rounded products; the sizes of the terms are near one.
ROUNDING = 8 * N_ROWS * np.finfo(float).eps


def numeric(n_columns, seed):
    return np.random.default_rng(seed).normal(size=(N_ROWS, n_columns))


def factor(n_levels, seed):
    codes = np.random.default_rng(seed).integers(-1, n_levels, size=N_ROWS)
    return Categorical(codes, n_levels)


def parts():
    return [factor(4, 1), Dense(numeric(3, 2)), factor(3, 3), Dense(numeric(2, 4))]


def test_parts_of_parts_are_parts():
    a, b, c, d = parts()
    assert Split([Split([a, b]), Split([c, d])]).parts == (a, b, c, d)


def test_different_numbers_of_rows_are_refused():
    with pytest.raises(PenglmInputError, match=r"have \[2, 3\] rows") as caught:
        Split([Dense(np.ones((3, 1))), Dense(np.ones((2, 1)))])
    assert caught.value.argument == "parts"


def test_columns_follow_the_parts():
    design = Split(parts())
    both = [part.to_dense() for part in parts()]
    assert_array_equal(design.to_dense(), np.hstack(both))
    pieces = [(piece.start, piece.stop) for piece in design.columns()]
    assert pieces == [(0, 4), (4, 7), (7, 10), (10, 12)]


def test_a_part_without_columns_takes_no_place():
    design = Split([Dense(numeric(2, 5)), Dense(numeric(0, 5)), Dense(numeric(1, 6))])
    assert design.shape == (N_ROWS, 3)
    weight = np.ones(N_ROWS)
    dense = design.to_dense()
    assert_allclose(design.gram(weight), dense.T @ dense, atol=ROUNDING * N_ROWS)
    assert_allclose(design.linear_predictor(np.ones(3)), dense.sum(axis=1))


def test_two_factors_meet_in_their_cross_table():
    left, right = factor(4, 7), factor(6, 8)
    weight = np.linspace(0.0, 1.0, N_ROWS)
    expected = left.to_dense().T @ (weight[:, None] * right.to_dense())
    gram = Split([left, right]).gram(weight)
    assert_allclose(gram[:4, 4:], expected, atol=ROUNDING)


def test_two_factors_of_many_levels_need_no_table():
    # The full table would have 10**10 cells.
    levels = 10**5
    rows = np.arange(N_ROWS)
    design = Split([Categorical(rows * 7, levels), Categorical(rows * 11, levels)])
    assert 2 * levels == design.shape[1]
    gram = design.gram(np.ones(N_ROWS), np.array([7, 14, levels + 11, levels + 1]))
    expected = np.diag([1.0, 1.0, 1.0, 0.0])
    expected[0, 2] = expected[2, 0] = 1.0
    assert_array_equal(gram, expected)


@pytest.mark.parametrize("n_columns", [15, 16, 17, 40])
def test_dense_columns_are_weighted_a_few_at_a_time_without_loss(n_columns):
    assert beside.COLUMNS_AT_ONCE == 16
    X, weight = numeric(n_columns, 9), np.linspace(0.0, 1.0, N_ROWS)
    center = np.full(n_columns + 4, 0.5)
    for design in (Split([Dense(X), factor(4, 1)]), Split([factor(4, 1), Dense(X)])):
        centred = design.to_dense() - center
        gram = design.gram(weight, center=center)
        expected = centred.T @ (weight[:, None] * centred)
        assert_allclose(gram, expected, atol=ROUNDING * N_ROWS)


def test_a_dense_column_far_from_zero_is_centred_before_it_meets_a_factor():
    # Taken off afterwards, a mean of 1e9 would leave seven digits.
    far, levels = 1e9 + numeric(1, 10), factor(3, 11)
    weight = np.linspace(0.5, 1.0, N_ROWS)
    design = Split([levels, Dense(far), Sparse(sparse.eye_array(N_ROWS, 2))])
    mean = np.average(design.to_dense(), axis=0, weights=weight)
    centred = design.to_dense() - mean
    gram = design.gram(weight, center=mean)
    expected = centred.T @ (weight[:, None] * centred)
    assert_allclose(gram, expected, atol=ROUNDING * N_ROWS)


def test_a_standardized_part_counts_with_its_centre():
    X, inner = numeric(2, 12), numeric(3, 13)
    part = Standardized(Dense(inner), np.full(3, 0.5), np.full(3, 2.0))
    design = Split([Dense(X), part])
    dense = np.hstack([X, (inner - 0.5) / 2.0])
    weight = np.linspace(0.0, 1.0, N_ROWS)
    coef = np.arange(1.0, 6.0)
    assert_allclose(design.linear_predictor(coef), dense @ coef, atol=ROUNDING)
    expected = dense.T @ (weight[:, None] * dense)
    assert_allclose(design.gram(weight), expected, atol=ROUNDING)


def test_rows_of_a_design_that_was_walked_along_are_those_alone():
    rng = np.random.default_rng(0)
    X = Split([Dense(rng.normal(size=(9, 2))), Categorical(np.arange(9) % 3, 3)])
    assert X.numbers.shape == (9, 2)
    assert_array_equal(X.rows(2, 6).numbers, X.numbers[2:6])
