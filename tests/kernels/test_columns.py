"""Products with chosen columns: compiled, interpreted and by NumPy."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from penglm.design import Dense
from penglm.kernels import columns as kernels

EPS = np.finfo(float).eps
ROWS = kernels.ROWS
DTYPES = (np.float32, np.float64)
# Every remainder of the loops over two, four and so many rows at a time.
COUNTS = range(10)
LENGTHS = (1, 7, ROWS - 1, ROWS, ROWS + 1, 2 * ROWS + 3)

plain = {
    name: getattr(kernel, "py_func", kernel)
    for name, kernel in (
        ("dots", kernels.dots),
        ("combine", kernels.combine),
        ("standardize", kernels.standardize),
    )
}
either_type = pytest.mark.parametrize("dtype", DTYPES)


def draw(n_rows, dtype, n_columns=12):
    """Return columns as rows of a matrix in memory."""
    rng = np.random.default_rng([n_rows, n_columns])
    return rng.normal(size=(n_columns, n_rows)).astype(dtype), rng


def close(found, expected, size):
    """Compare sums of many numbers with the rounding that their sizes leave."""
    assert found.shape == expected.shape
    assert np.all(np.abs(found - expected) <= 4 * np.sqrt(ROWS) * EPS * (size + EPS))


def dots(kernel, X, chosen, R):
    out = np.full((chosen.size, len(R)), np.nan)
    kernel(X, chosen, R, out)
    return out


def combine(kernel, X, chosen, coef, before):
    out = before.copy()
    kernel(X, chosen, coef, out)
    return out


@either_type
@pytest.mark.parametrize("n_rows", LENGTHS)
def test_dots_are_those_of_numpy(n_rows, dtype):
    X, rng = draw(n_rows, dtype)
    wide = X.astype(float)
    for k in COUNTS:
        chosen = rng.permutation(12)[:k]
        for m in COUNTS:
            R = rng.normal(size=(m, n_rows))
            expected, size = wide[chosen] @ R.T, np.abs(wide[chosen]) @ np.abs(R.T)
            close(dots(kernels.dots, X, chosen, R), expected, size)


@either_type
@pytest.mark.parametrize("n_rows", LENGTHS)
def test_combinations_are_those_of_numpy(n_rows, dtype):
    X, rng = draw(n_rows, dtype)
    wide = X.astype(float)
    for k in COUNTS:
        chosen = rng.permutation(12)[:k]
        for m in COUNTS:
            coef, before = rng.normal(size=(k, m)), rng.normal(size=(m, n_rows))
            expected = before + coef.T @ wide[chosen]
            size = np.abs(before) + np.abs(coef.T) @ np.abs(wide[chosen])
            close(combine(kernels.combine, X, chosen, coef, before), expected, size)


@either_type
@pytest.mark.parametrize("n_rows", [7, ROWS + 2])
def test_compiled_and_interpreted_agree(n_rows, dtype):
    X, rng = draw(n_rows, dtype, 5)
    wide = np.abs(X.astype(float))
    # Interpreted a number costs a microsecond: every remainder, not every pair.
    for k, m in ((1, 1), (2, 4), (3, 5), (5, 2)):
        chosen = rng.permutation(5)[:k]
        R, coef = rng.normal(size=(m, n_rows)), rng.normal(size=(k, m))
        a = dots(kernels.dots, X, chosen, R)
        b = dots(plain["dots"], X.astype(float), chosen, R)
        close(a, b, wide[chosen] @ np.abs(R.T))
        a = combine(kernels.combine, X, chosen, coef, R)
        b = combine(plain["combine"], X.astype(float), chosen, coef, R)
        close(a, b, np.abs(R) + np.abs(coef.T) @ wide[chosen])


@either_type
def test_sums_of_single_numbers_are_carried_in_double(dtype):
    # In float32 one would vanish beside the others.
    X = np.ones((2, 4000), dtype)
    X[:, 0] = 2.0**25
    R, chosen = np.ones((5, 4000)), np.arange(2)
    expected = np.full((2, 5), 2.0**25 + 3999.0)
    assert_array_equal(dots(kernels.dots, X, chosen, R), expected)
    found = combine(kernels.combine, X, chosen, np.ones((2, 5)), R)
    assert_array_equal(found[:, 0], np.full(5, 2.0**26 + 1.0))


@either_type
def test_column_may_be_chosen_twice_and_in_any_order(dtype):
    X, rng = draw(50, dtype)
    chosen, R = np.array([7, 2, 7, 0, 2]), rng.normal(size=(6, 50))
    wide = X[chosen].astype(float)
    size = np.abs(wide) @ np.abs(R.T)
    close(dots(kernels.dots, X, chosen, R), wide @ R.T, size)
    coef, before = rng.normal(size=(5, 6)), np.zeros((6, 50))
    size = np.abs(coef.T) @ np.abs(wide)
    close(combine(kernels.combine, X, chosen, coef, before), coef.T @ wide, size)


@either_type
@pytest.mark.parametrize("m", [1, 2, 3, 4, 5, 12, 13])
def test_dense_design_goes_by_columns_where_they_are_long(m, dtype):
    # Beyond the size at which the kernels take over, and one vector beyond their most.
    rng = np.random.default_rng(m)
    X = np.asfortranarray(rng.normal(size=(12_000, 14)).astype(dtype))
    design, wide = Dense(X), X.astype(float)
    chosen = np.array([13, 0, 5, 6, 7, 1, 2, 9, 10])
    assert design.goes_by_columns(chosen.size, m) == (m <= 12)
    R, coef = rng.normal(size=(12_000, m)), rng.normal(size=(chosen.size, m))
    size = np.abs(wide).T @ np.abs(R)
    close(design.gradient(R), wide.T @ R, size)
    close(design.gradient(R, chosen), wide[:, chosen].T @ R, size[chosen])
    size = np.abs(wide[:, chosen]) @ np.abs(coef)
    close(design.linear_predictor(coef, chosen), wide[:, chosen] @ coef, size)
    one = design.gradient(R[:, 0], chosen)
    close(one, wide[:, chosen].T @ R[:, 0], np.abs(wide).T[chosen] @ np.abs(R[:, 0]))
    one = design.linear_predictor(coef[:, 0], chosen)
    close(one, wide[:, chosen] @ coef[:, 0], size[:, 0] + np.abs(one))


@either_type
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("kernel", [kernels.standardize, plain["standardize"]])
def test_columns_are_centred_and_scaled_on_the_way(kernel, order, dtype):
    X, rng = draw(30, dtype)
    chosen = rng.permutation(12)[:5]
    center, factor = rng.normal(size=(2, 5))
    out = np.empty((5, 30))
    kernel(np.asarray(X, order=order), chosen, center, factor, out)
    expected = (X[chosen].astype(float) - center[:, None]) * factor[:, None]
    assert_array_equal(out, expected)
