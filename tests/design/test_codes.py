"""Levels are kept as small integers, and a slice of them is a view."""

import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from penglm.design import Categorical, Dense, Split
from penglm.design.codes import Codes, encode, side_by_side

N_ROWS = 1000


@pytest.mark.parametrize(
    ("width", "size"), [(1, 1), (255, 1), (256, 2), (65535, 2), (65536, 4)]
)
def test_a_level_takes_as_few_bytes_as_number_it(width, size):
    last = np.array([0, width - 1, -1])
    codes = encode(last, width, None)
    assert codes.values.itemsize == size
    assert_array_equal(codes.values[:, 0], [0, width - 1, width])
    hot = Categorical(last, width)
    assert_array_equal(hot.linear_predictor(np.arange(1.0, width + 1)), [1, width, 0])


def test_the_reference_level_needs_no_number_of_its_own():
    codes = encode(np.array([0, 1, 255, -1]), 256, 0)
    assert codes.values.dtype == np.uint8
    assert_array_equal(codes.values[:, 0], [255, 0, 254, 255])


def test_factors_side_by_side_are_one_block_of_rows():
    rng = np.random.default_rng(51)
    one, two = rng.integers(-1, 5, size=N_ROWS), rng.integers(0, 400, size=N_ROWS)
    codes = side_by_side([encode(one, 5, None), encode(two, 400, None)])
    assert codes.values.flags.c_contiguous
    assert codes.values.dtype == np.uint16
    assert_array_equal(codes.values[:, 0], np.where(one < 0, 5, one))
    assert_array_equal(codes.values[:, 1], two)
    assert_array_equal(codes.column_slots, np.delete(np.arange(407), [5, 406]))


@pytest.mark.parametrize("extra", [(), (1,), (3,)], ids=str)
@pytest.mark.parametrize("n_rows", [0, 1, 5999, 6000, 6001])
def test_sums_lose_no_row_at_the_end_of_a_block(n_rows, extra):
    level = np.arange(n_rows) % 7
    rows = np.random.default_rng(52).integers(0, 9, size=(n_rows, *extra)).astype(float)
    sums = Codes(level.astype(np.uint8)[:, None], np.array([6])).sums(rows)
    expected = [rows[level == k].sum(axis=0) for k in range(7)]
    assert_allclose(sums, np.reshape(expected, sums.shape), rtol=0, atol=0)


def test_a_slice_is_a_view():
    codes = encode(np.arange(N_ROWS) % 5, 5, None)
    part = codes.take(slice(3, 9))
    assert np.shares_memory(part.values, codes.values)


def test_products_with_many_factors_take_a_vector_and_a_table():
    n_rows = 300_000
    level = np.arange(n_rows) % 11
    tracemalloc.start()
    design = Split([Categorical(level, 11 + k) for k in range(6)])
    _, building = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    row, coef = np.ones(n_rows), np.ones(design.shape[1])
    before, _ = tracemalloc.get_traced_memory()
    design.linear_predictor(coef)
    design.gradient(row)
    design.gram(row)
    design.moments(row)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # One byte a row for each factor, alone and in the block.
    assert building < 13 * n_rows
    assert peak - before < 2 * 8 * n_rows


def test_parts_keep_their_own_levels_beside_the_block():
    parts = [Categorical(np.arange(4) % 2, 2), Dense(np.ones((4, 1)))]
    assert Split(parts).codes is parts[0].codes
