"""Both kernels of moments beside extended precision, compiled and interpreted alike.

Run with NUMBA_DISABLE_JIT=1 the same tests judge the uncompiled code.
"""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from penglm.kernels import moments as kernels

EPS = np.finfo(float).eps
# Sums over the rows of numbers near one, in blocks.
ROUNDING = 1e3 * EPS

KERNELS = {"rows": kernels.by_rows, "columns": kernels.by_columns}
either_kernel = pytest.mark.parametrize("name", KERNELS)
# About where blocks of rows and lanes within them end.
HEIGHTS = (1, 2, 63, 64, 65, 256, 257, 2048, 2049, 2200)


def measured(name, X, share):
    """Return size, mean and sd (p,) by one of the kernels."""
    size, unit, mean, square = np.full((4, X.shape[1]), np.nan)
    ordered = np.ascontiguousarray(X) if name == "rows" else np.asfortranarray(X)
    KERNELS[name](ordered, share, size, unit, mean, square)
    unit[size == 0.0] = 1.0
    return size, mean * unit, np.sqrt(square) * unit


def expected(X, share):
    wide, weight = X.astype(np.longdouble), share.astype(np.longdouble)
    weight = weight / weight.sum()
    mean = weight @ wide
    sd = np.sqrt(weight @ (wide - mean) ** 2)
    return np.abs(X).max(axis=0), mean.astype(float), sd.astype(float)


def shares(n_rows, seed=71):
    weight = np.random.default_rng(seed).uniform(0.1, 2.0, size=n_rows)
    return weight / weight.sum()


def numbers(n_rows, n_columns, dtype=float):
    rng = np.random.default_rng(72)
    return rng.normal(1.0, 2.0, size=(n_rows, n_columns)).astype(dtype)


def assert_measured(name, X, share):
    size, mean, sd = measured(name, X, share)
    known = expected(X, share)
    assert_array_equal(size, known[0])
    assert np.all(np.abs(mean - known[1]) <= ROUNDING * known[0])
    # Of a constant column even extended precision leaves a spread.
    assert np.all(np.abs(sd - known[2]) <= ROUNDING * known[2] + EPS * known[0])


@either_kernel
@pytest.mark.parametrize("n_rows", HEIGHTS)
def test_no_row_is_lost_at_the_end_of_a_block(name, n_rows):
    assert_measured(name, numbers(n_rows, 2), shares(n_rows))


@either_kernel
@pytest.mark.parametrize("n_columns", [1, 511, 512, 513])
def test_no_column_is_lost_at_the_end_of_a_panel(name, n_columns):
    assert_measured(name, numbers(20, n_columns), shares(20))


@either_kernel
def test_single_precision_is_widened(name):
    assert_measured(name, numbers(300, 3, np.float32), shares(300))


@either_kernel
@pytest.mark.parametrize("power", [-290, -200, -5, 5, 200, 300])
def test_a_column_of_any_size_has_its_moments(name, power):
    X = numbers(300, 2) * 10.0**power
    assert_measured(name, X, shares(300))


@either_kernel
@pytest.mark.parametrize("before", [0.0, 1e-200, 1.0, -1e150])
@pytest.mark.parametrize("after", [0.0, 1e-200, 3.0, 1e200])
def test_the_unit_follows_the_largest_number(name, before, after):
    X = np.full((4200, 2), before)
    X[2100:] = after
    X[:, 1] = X[::-1, 1]
    assert_measured(name, X, shares(4200))


@either_kernel
def test_rows_of_no_weight_count_for_the_size_alone(name):
    X, share = numbers(2500, 2), shares(2500)
    share[:2200] = 0.0
    X[5] = 100.0
    size, mean, sd = measured(name, X, share)
    assert_array_equal(size, [100.0, 100.0])
    known = expected(X[2200:], share[2200:])
    assert_allclose(mean, known[1], rtol=100 * ROUNDING)
    assert_allclose(sd, known[2], rtol=100 * ROUNDING)


@either_kernel
def test_a_constant_column_has_no_spread_at_all(name):
    X = np.tile([0.1, 1e9 / 7, -1e-200 / 3, 0.0], (2100, 1))
    _, mean, sd = measured(name, X, shares(2100))
    assert_array_equal(sd, np.zeros(4))
    assert_array_equal(mean, X[0])


@either_kernel
def test_a_mean_far_from_zero_costs_no_digits(name):
    X = 1e9 + numbers(2100, 2)
    size, mean, sd = measured(name, X, shares(2100))
    known = expected(X, shares(2100))
    assert_array_equal(size, known[0])
    assert_allclose(mean, known[1], rtol=4 * EPS)
    assert_allclose(sd, known[2], rtol=ROUNDING)


def test_columns_with_strides_are_read_where_they_lie():
    wide = numbers(400, 9)
    X, share = wide[::-2, ::3], shares(200)
    size, unit, mean, square = np.zeros((4, 3))
    kernels.by_columns(X, share, size, unit, mean, square)
    known = expected(X, share)
    assert_array_equal(size, known[0])
    assert_allclose(mean * unit, known[1], atol=ROUNDING)
    assert_allclose(np.sqrt(square) * unit, known[2], rtol=ROUNDING)
