"""How a dense block keeps what it was given."""

import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from penglm.design import Dense
from penglm.design.base import BLOCK_SIZE

EPS = np.finfo(float).eps


def matrix(n_rows=40, dtype=float):
    return np.random.default_rng(1).normal(size=(n_rows, 4)).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floats_are_kept_without_a_copy(dtype):
    X = matrix(dtype=dtype)
    assert Dense(X).X is X


@pytest.mark.parametrize("dtype", ["i4", "u1", "?", "f2", ">f8", ">f4", "g"])
def test_everything_else_becomes_float64(dtype):
    X = (10 * np.abs(matrix())).astype(dtype)
    design = Dense(X)
    assert design.X.dtype == np.float64
    assert design.X.dtype.isnative
    assert_array_equal(design.to_dense(), X.astype(float))


def test_single_precision_is_added_up_in_double():
    # In float32 the sum would stop growing at 2**24.
    X = np.ones((2**24 // 1000, 1), dtype=np.float32)
    rows = np.full(X.shape[0], 1000.0)
    rows[0] = 1001.0
    assert Dense(X).gradient(rows)[0] == rows.sum()
    assert Dense(X).gradient(rows, np.array([0]))[0] == rows.sum()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_fortran_columns_are_swept_where_they_lie(dtype):
    X = np.asfortranarray(matrix(dtype=dtype))
    (piece,) = Dense(X).columns()
    assert np.shares_memory(piece.dense, X)
    assert piece.dense.dtype == dtype


def test_the_matrix_handed_out_is_a_copy():
    X = matrix()
    assert not np.shares_memory(Dense(X).to_dense(), X)


# Rows of three columns that fill a block.
BLOCK_ROWS = BLOCK_SIZE // 3


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_rows", [1, BLOCK_ROWS - 1, BLOCK_ROWS, 2 * BLOCK_ROWS + 1])
def test_no_row_is_lost_at_the_end_of_a_block(n_rows, dtype):
    X = matrix(n_rows, dtype)
    wide = X.astype(float)
    design, columns = Dense(X), np.array([2, 0])
    tolerance = {"rtol": 1e3 * EPS, "atol": n_rows * 1e2 * EPS}
    weight = np.linspace(0.0, 1.0, n_rows)
    eta = design.linear_predictor(np.ones(2), columns)
    assert_allclose(eta, wide[:, columns].sum(axis=1), **tolerance)
    assert_allclose(design.gradient(weight), wide.T @ weight, **tolerance)
    gram = wide.T @ (weight[:, None] * wide)
    assert_allclose(design.gram(weight), gram, **tolerance)
    mean = np.average(wide, axis=0)
    sd = wide.std(axis=0)
    assert_allclose(design.moments(np.ones(n_rows)), (mean, sd), **tolerance)


def test_centring_happens_before_squaring():
    # Taken off afterwards, a mean of 1e9 would leave no digit of the variance.
    X = 1e9 + matrix(500)
    center = X.mean(axis=0)
    gram = Dense(X).gram(np.ones(500), center=center)
    assert_allclose(gram, (X - center).T @ (X - center), rtol=1e4 * EPS)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_moments_need_no_copy_of_the_columns(order, dtype):
    X = np.asarray(matrix(50_000, dtype), order=order)
    design, weight = Dense(X), np.ones(50_000)
    design.moments(weight)
    tracemalloc.start()
    design.moments(weight)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # The shares of the rows.
    assert peak < 1.5 * weight.nbytes


def test_moments_do_not_depend_on_gaps_between_rows_or_on_precision():
    X = matrix(700).astype(np.float32).astype(float)
    wide = np.full((1400, 9), np.nan)
    wide[::2, 1:5] = X
    weight = np.random.default_rng(2).uniform(0.5, 2.0, size=700)
    expected = Dense(X).moments(weight)
    for same in (wide[::2, 1:5], np.repeat(X, 3, axis=1)[:, ::3], X.astype(np.float32)):
        assert_array_equal(Dense(same).moments(weight), expected)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
def test_an_empty_matrix_has_moments(shape):
    mean, sd = Dense(np.zeros(shape)).moments(np.ones(shape[0]))
    assert_array_equal(mean, np.zeros(shape[1]))
    assert_array_equal(sd, np.zeros(shape[1]))
