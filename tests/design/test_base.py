"""What every storage has to do: the products of the matrix it stands for.

The storages are listed in ``conftest.py`` and come as the fixture ``case``.
"""

import itertools
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from penglm.design import (
    Categorical,
    Columns,
    Dense,
    Sparse,
    Split,
    Standardized,
    as_design,
)
from penglm.design.base import ALL_ROWS, MOST_ROWS
from penglm.design.dense import LEAST_ROWS
from penglm.exceptions import PenglmInputError

VALUES = np.arange(12.0).reshape(4, 3)
EPS = np.finfo(float).eps
# A sum of k rounded products is off by at most about k eps times the sum of their
# sizes; the second factor covers the few roundings of weights, centres and scales.
SLACK = 4

right_sides = pytest.mark.parametrize("extra", [(), (1,), (3,)], ids=str)


def exact(array):
    return np.asarray(array).astype(np.longdouble)


def assert_sum_close(actual, expected, bound, terms):
    """Assert that sums agree to the rounding of that many terms, in float64."""
    assert isinstance(actual, np.ndarray)
    assert actual.dtype == np.float64
    assert actual.shape == expected.shape
    error = np.abs(exact(actual) - expected)
    assert np.all(error <= SLACK * (terms + SLACK) * EPS * exact(bound))


def some_columns(case):
    """Return selections: all, none, one, and several out of order."""
    p = case.design.shape[1]
    several = np.random.default_rng(3).permutation(p)[: p - 1]
    return None, np.arange(0), np.array([p - 1]), several


def chosen(matrix, columns):
    return exact(matrix if columns is None else matrix[:, columns])


def weights(n_rows):
    """Return weights of very different sizes, some zero."""
    weight = 10.0 ** np.random.default_rng(4).uniform(-3, 3, size=n_rows)
    weight[::7] = 0.0
    return weight


def test_shape_is_that_of_the_matrix(case):
    assert case.design.shape == case.dense.shape


@right_sides
def test_linear_predictor_is_matrix_times_coef(case, extra):
    for columns in some_columns(case):
        left, size = chosen(case.dense, columns), chosen(case.size, columns)
        coef = np.random.default_rng(5).normal(size=(left.shape[1], *extra))
        eta = case.design.linear_predictor(coef, columns)
        assert_sum_close(eta, left @ exact(coef), size @ abs(exact(coef)), coef.size)


@right_sides
def test_gradient_is_transposed_matrix_times_row_values(case, extra):
    n = case.design.shape[0]
    rows = np.random.default_rng(6).normal(size=(n, *extra))
    for columns in some_columns(case):
        left, size = chosen(case.dense, columns), chosen(case.size, columns)
        gradient = case.design.gradient(rows, columns)
        assert_sum_close(gradient, left.T @ exact(rows), size.T @ abs(exact(rows)), n)


@pytest.mark.parametrize("centred", [False, True])
def test_gram_is_the_weighted_product(case, centred):
    n, p = case.design.shape
    weight = weights(n)
    rng = np.random.default_rng(7)
    center = rng.normal(size=p) * exact(case.size).max(axis=0).astype(float)
    center = center if centred else None
    shift = 0.0 if center is None else exact(center)
    matrix, size = exact(case.dense) - shift, exact(case.size) + np.abs(shift)
    picks = some_columns(case)
    pairs = [(a, None) for a in picks] + [(a, b) for a in picks for b in picks[1:]]
    for columns, others in pairs:
        beside = columns if others is None else others
        left, right = chosen(matrix, columns), chosen(matrix, beside)
        bound = chosen(size, columns).T @ (weight[:, None] * chosen(size, beside))
        gram = case.design.gram(weight, columns, others, center)
        product = left.T @ (exact(weight)[:, None] * right)
        assert_sum_close(gram, product, bound, n)


@pytest.mark.parametrize("centred", [False, True])
def test_gram_is_exactly_symmetric(case, centred):
    n, p = case.design.shape
    center = np.random.default_rng(8).normal(size=p) if centred else None
    for columns in some_columns(case):
        gram = case.design.gram(weights(n), columns, center=center)
        assert_array_equal(gram, gram.T)


def test_moments_are_weighted_mean_and_sd(case):
    n = case.design.shape[0]
    weight = weights(n)
    share = exact(weight) / exact(weight).sum()
    values = exact(case.dense)
    mean = share @ values
    sd = np.sqrt(share @ (values - mean) ** 2)
    largest = exact(case.size).max(axis=0)
    actual_mean, actual_sd = case.design.moments(weight)
    assert_sum_close(actual_mean, mean, largest, n)
    assert_sum_close(actual_sd, sd, sd + largest, n)


def test_moments_do_not_depend_on_the_unit_of_the_weights(case):
    # A power of two, so that not one bit may change.
    weight = weights(case.design.shape[0])
    expected = case.design.moments(weight)
    assert_array_equal(case.design.moments(weight * 2.0**-40), expected)


def test_take_keeps_the_chosen_rows_in_order(case):
    rows = np.array([5, 3, 3, 59, 0])
    taken = case.design.take(rows)
    assert type(taken) is type(case.design)
    assert_array_equal(taken.to_dense(), case.design.to_dense()[rows])
    coef = np.random.default_rng(9).normal(size=case.design.shape[1])
    eta = taken.linear_predictor(coef)
    expected = exact(case.dense)[rows] @ exact(coef)
    bound = exact(case.size)[rows] @ abs(exact(coef))
    assert_sum_close(eta, expected, bound, coef.size)


def test_take_accepts_a_mask(case):
    mask = np.arange(case.design.shape[0]) % 3 == 0
    assert_array_equal(case.design.take(mask).to_dense(), case.design.to_dense()[mask])


@pytest.mark.parametrize(("first", "last"), [(0, 60), (7, 50), (20, 10**6), (5, 5)])
def test_a_slice_of_rows_is_a_design_of_these_rows(case, first, last):
    part = case.design.rows(first, last)
    dense = case.design.to_dense()[first:last]
    assert type(part) is type(case.design)
    assert part.shape == dense.shape
    assert_array_equal(part.to_dense(), dense)
    again = part.rows(1, 3)
    assert_array_equal(again.to_dense(), dense[1:3])


def test_products_of_slices_add_up_to_those_of_the_whole(case):
    n, p = case.design.shape
    rng = np.random.default_rng(15)
    weight, coef, rows = weights(n), rng.normal(size=p), rng.normal(size=n)
    ends = [0, 11, 12, n // 2, n]
    slices = [slice(a, b) for a, b in itertools.pairwise(ends)]
    parts = [case.design.rows(part.start, part.stop) for part in slices]
    eta = [part.linear_predictor(coef) for part in parts]
    size = exact(case.size)
    assert_sum_close(
        np.concatenate(eta), exact(case.dense) @ exact(coef), size @ abs(exact(coef)), p
    )
    pairs = list(zip(parts, slices, strict=True))
    gradient = sum(part.gradient(rows[mine]) for part, mine in pairs)
    expected = exact(case.dense).T @ exact(rows)
    assert_sum_close(gradient, expected, size.T @ abs(exact(rows)), n)
    gram = sum(part.gram(weight[mine]) for part, mine in pairs)
    weighted = exact(weight)[:, None] * exact(case.dense)
    bound = size.T @ (exact(weight)[:, None] * size)
    assert_sum_close(gram, exact(case.dense).T @ weighted, bound, n)


def stored(design):
    """Return the arrays that hold the numbers of a design."""
    if isinstance(design, Standardized):
        return stored(design.design)
    if isinstance(design, Split):
        return [array for part in design.parts for array in stored(part)]
    if isinstance(design, Categorical):
        return [design.codes.values]
    return [design.X.data if isinstance(design, Sparse) else design.X]


def test_a_slice_of_rows_shares_the_memory(case):
    n = case.design.shape[0]
    whole = stored(case.design)
    for first, last in ((0, n), (3, n - 1)):
        part = stored(case.design.rows(first, last))
        for mine, all_rows in zip(part, whole, strict=True):
            is_sparse = all_rows.ndim == 1 and all_rows.dtype.kind == "f"
            # Compressed columns are shared whole or not at all.
            if not is_sparse or last - first == n:
                assert np.shares_memory(mine, all_rows)


def test_a_block_of_rows_is_all_of_them_where_a_part_is_dear(case):
    n = case.design.shape[0]
    has_sparse = any(
        array.ndim == 1 and array.dtype.kind == "f" for array in stored(case.design)
    )
    assert (case.design.block_rows == ALL_ROWS) == has_sparse
    assert case.design.block_rows >= min(n, LEAST_ROWS)


def test_a_block_of_rows_stays_in_cache():
    tall, wide = np.broadcast_to(0.0, (10**6, 10)), np.broadcast_to(0.0, (10**6, 200))
    factor = Categorical(np.zeros(10**6), 3)
    for design in (Dense(tall), Dense(wide), Split([factor, Dense(wide)])):
        assert 2**19 <= 8 * design.block_rows * max(design.shape[1], 10) <= 2**21
    assert factor.block_rows == MOST_ROWS
    assert Split([factor, Dense(tall)]).block_rows == Dense(tall).block_rows
    assert Dense(np.broadcast_to(0.0, (10**6, 10**5))).block_rows == LEAST_ROWS
    assert Dense(np.zeros((5, 0))).block_rows == MOST_ROWS


def test_to_dense_is_the_matrix(case):
    assert_sum_close(case.design.to_dense(), exact(case.dense), case.size, 2)


def assembled(pieces: tuple[Columns, ...], n_rows: int) -> Any:
    """Return the matrix that the pieces of a design make up."""
    found = []
    for piece in pieces:
        width = piece.stop - piece.start
        if piece.dense is not None:
            assert piece.dense.flags.f_contiguous
            assert piece.data is None
            found.append(piece.dense)
        else:
            parts = (piece.data, piece.indices, piece.indptr)
            shape = (n_rows, width)
            found.append(sparse.csc_array(parts, shape=shape).toarray())
        assert found[-1].dtype in (np.float32, np.float64)
        assert found[-1].shape == (n_rows, width)
    return np.hstack(found)


def test_columns_make_up_the_matrix_without_gap(plain_case):
    case = plain_case
    pieces = case.design.columns()
    ends = [0, *(piece.stop for piece in pieces)]
    assert [piece.start for piece in pieces] == ends[:-1]
    assert ends[-1] == case.design.shape[1]
    matrix = assembled(pieces, case.design.shape[0])
    assert_array_equal(matrix, case.design.to_dense())


def test_columns_of_a_standardized_design_are_those_before_centring(both_cases):
    inner, outer = both_cases
    assert_array_equal(
        assembled(outer.design.columns(), inner.design.shape[0]),
        inner.design.to_dense(),
    )


def test_columns_are_kept(case):
    design = case.design
    for first, second in zip(design.columns(), design.columns(), strict=True):
        assert first.dense is second.dense
        assert first.data is second.data


def test_nothing_given_is_modified(case):
    n, p = case.design.shape
    rng = np.random.default_rng(10)
    coef, rows = rng.normal(size=(p, 2)), rng.normal(size=(n, 2))
    weight, center = weights(n), rng.normal(size=p)
    columns, others = some_columns(case)[3], np.array([1, 0])
    given = [*case.given, coef, rows, weight, center, columns, others]
    before = [array.copy() for array in given]
    case.design.linear_predictor(coef)
    case.design.linear_predictor(coef[columns], columns)
    case.design.gradient(rows)
    case.design.gradient(rows, columns)
    case.design.gram(weight)
    case.design.gram(weight, columns, others, center)
    case.design.moments(weight)
    case.design.take(columns).columns()
    case.design.columns()
    case.design.to_dense()[:] = np.nan
    for array, copy in zip(given, before, strict=True):
        assert_array_equal(array, copy)


def test_products_of_single_precision_vectors_are_float64(case):
    n, p = case.design.shape
    assert case.design.linear_predictor(np.ones(p, np.float32)).dtype == np.float64
    assert case.design.gradient(np.ones(n, np.float32)).dtype == np.float64


def test_as_design_picks_the_storage_that_fits():
    assert isinstance(as_design(VALUES), Dense)
    assert isinstance(as_design(VALUES.tolist()), Dense)
    assert isinstance(as_design(sparse.dok_array(VALUES)), Sparse)
    design = Dense(VALUES)
    assert as_design(design) is design


@pytest.mark.parametrize(("ndim", "values"), [(1, [1.0, 2.0]), (3, [[[1.0]]])])
def test_as_design_refuses_what_is_no_matrix(ndim, values):
    text = f"X has {ndim} dimensions; a design has two"
    with pytest.raises(PenglmInputError, match=text) as caught:
        as_design(values)
    assert caught.value.argument == "X"


FULL = {
    "dense": Dense,
    "fortran": lambda X: Dense(np.asfortranarray(X)),
    "sparse": lambda X: Sparse(sparse.csr_array(X)),
    "split": lambda X: Split([Dense(X[:, :1]), Sparse(sparse.csc_array(X[:, 1:]))]),
}
full_storages = pytest.mark.parametrize("build", FULL.values(), ids=FULL)

# The sd of n values about a mean is good to about n roundings where nothing cancels.
SD_ROUNDINGS = 100


@full_storages
def test_moments_keep_their_digits_far_from_zero(build):
    rng = np.random.default_rng(11)
    X = 1e9 + rng.normal(size=(5000, 3))
    weight = rng.uniform(0.5, 2.0, size=5000)
    share = exact(weight) / exact(weight).sum()
    mean = share @ exact(X)
    sd = np.sqrt(share @ (exact(X) - mean) ** 2)
    actual_mean, actual_sd = build(X).moments(weight)
    assert_allclose(actual_mean, mean.astype(float), rtol=SD_ROUNDINGS * EPS)
    # About a mean that is off by some roundings of its own, the sd is off by their
    # square.
    mean_error = np.sqrt(5000) * EPS * 1e9
    tolerance = SD_ROUNDINGS * EPS + mean_error**2
    assert_allclose(actual_sd, sd.astype(float), rtol=tolerance)


@full_storages
@pytest.mark.parametrize("power", [-150, -9, 9, 150])
def test_moments_scale_with_the_column(build, power):
    X = np.random.default_rng(12).normal(size=(50, 3))
    X[::5, 1:] = 0.0
    weight = weights(50)
    mean, sd = build(X).moments(weight)
    scaled_mean, scaled_sd = build(X * 10.0**power).moments(weight)
    assert_allclose(scaled_mean, mean * 10.0**power, rtol=SD_ROUNDINGS * EPS)
    assert_allclose(scaled_sd, sd * 10.0**power, rtol=SD_ROUNDINGS * EPS)


@full_storages
def test_moments_hold_columns_of_all_scales_at_once(build):
    X = np.random.default_rng(13).normal(size=(50, 5))
    scale = np.array([1e-150, 1e-8, 1.0, 1e8, 1e150])
    expected = build(X).moments(weights(50))
    actual = build(X * scale).moments(weights(50))
    assert_allclose(actual, expected * scale, rtol=SD_ROUNDINGS * EPS)


@full_storages
@pytest.mark.parametrize("n_rows", [1, 2, 30, 1000, 100_000])
@pytest.mark.parametrize("even", [True, False])
def test_a_constant_column_has_sd_exactly_zero(build, n_rows, even):
    value = np.array([0.1, 1 / 3, -7.0, 0.0, 1e9 / 7, 1e-150 / 3, 1e150 / 3])
    X = np.tile(value, (n_rows, 1))
    rng = np.random.default_rng(14)
    weight = np.ones(n_rows) if even else rng.uniform(0.5, 2.0, size=n_rows)
    mean, sd = build(X).moments(weight)
    assert_array_equal(sd, np.zeros(value.size))
    assert_allclose(mean, value, rtol=n_rows * EPS)


@full_storages
def test_one_different_row_is_no_constant_column(build):
    X = np.full((1000, 2), 5.0)
    X[77] += 1e-9
    _, sd = build(X).moments(np.ones(1000))
    assert np.all(sd > 0.0)


@full_storages
def test_a_light_row_that_alone_differs_keeps_its_sd(build):
    X = np.ones((1000, 2))
    X[123] = 0.0
    weight = np.ones(1000)
    weight[123] = 1e-9
    share = 1e-9 / (999.0 + 1e-9)
    sd = np.full(2, np.sqrt(share * (1.0 - share)))
    assert_allclose(build(X).moments(weight)[1], sd, rtol=1000 * EPS)
