"""Every kernel of codes beside the one-hot matrix, compiled and interpreted alike.

Run with NUMBA_DISABLE_JIT=1 the same tests judge the uncompiled code.
"""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from penglm.kernels import codes as kernels

EPS = np.finfo(float).eps
N_ROWS = 70
# Sums of that many numbers of size one, added up in another order.
ROUNDING = 8 * N_ROWS * EPS
WIDTHS = np.array([4, 1, 6])
STARTS = np.array([0, 4, 5])
N_SLOTS = 11

every_size = pytest.mark.parametrize("size", [np.uint8, np.uint16, np.uint32])


def levels(size=np.uint8):
    rng = np.random.default_rng(61)
    return rng.integers(0, WIDTHS, size=(N_ROWS, 3)).astype(size)


def one_hot(codes):
    return np.hstack([np.eye(k)[codes[:, f]] for f, k in enumerate(WIDTHS)])


def numbers(*shape):
    return np.random.default_rng(62).normal(size=shape)


@every_size
def test_look_up_adds_the_product_with_the_one_hot_matrix(size):
    codes, table, out = levels(size), numbers(N_SLOTS), numbers(N_ROWS)
    expected = out + one_hot(codes) @ table
    kernels.look_up(codes, STARTS, table, out)
    assert_allclose(out, expected, atol=ROUNDING)


@every_size
def test_add_up_adds_the_product_with_the_transposed_matrix(size):
    codes, table, rows = levels(size), numbers(N_SLOTS), numbers(N_ROWS)
    expected = table + one_hot(codes).T @ rows
    kernels.add_up(codes, STARTS, rows, table)
    assert_allclose(table, expected, atol=ROUNDING)


@every_size
def test_place_translates_the_levels_of_some_factors(size):
    codes = levels(size)
    home = np.random.default_rng(63).permutation(N_SLOTS)
    out = np.empty((2, N_ROWS), dtype=np.uint32)
    kernels.place(codes, STARTS, np.array([2, 0]), home, out)
    assert_array_equal(out[0], home[5 + codes[:, 2].astype(int)])
    assert_array_equal(out[1], home[codes[:, 0].astype(int)])


def places():
    codes = levels()
    return np.ascontiguousarray((codes + STARTS).T.astype(np.uint32))


def test_cross_adds_the_weighted_product_of_factors_that_meet():
    weight, table = np.abs(numbers(N_ROWS)), numbers(N_SLOTS, N_SLOTS)
    left, right = np.array([0, 2]), np.array([2, 1])
    hot = one_hot(levels())
    expected = table.copy()
    for a, b in ((slice(0, 4), slice(5, 11)), (slice(5, 11), slice(4, 5))):
        expected[a, b] += hot[:, a].T @ (weight[:, None] * hot[:, b])
    flat = table.ravel()
    kernels.cross(places(), places(), left, right, weight, N_SLOTS, flat)
    assert_allclose(flat.reshape(table.shape), expected, atol=ROUNDING)


@pytest.mark.parametrize("n_columns", range(5))
def test_add_columns_adds_the_product_of_numbers_and_levels(n_columns):
    columns, table = numbers(n_columns, N_ROWS), numbers(n_columns, N_SLOTS)
    expected = table + columns @ one_hot(levels())
    kernels.add_columns(places(), columns, table)
    assert_allclose(table, expected, atol=ROUNDING)
