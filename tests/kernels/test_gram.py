"""Gram matrices of rows copied together against NumPy, compiled or not."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from penglm.kernels import gram


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("order", ["C", "F"])
def test_pack_centres_scales_and_weighs_chosen_columns(dtype, order):
    rng = np.random.default_rng(0)
    X = np.array(rng.normal(size=(9, 5)), dtype=dtype, order=order)
    columns, rows = np.array([4, 0, 3]), slice(2, 8)
    center, factor, root = rng.normal(size=3), rng.uniform(size=3), rng.uniform(size=9)
    out, wide = np.full((4, 7), -1.0), X.astype(np.float64)
    gram.pack(X, 2, 8, columns, center, factor, root, out)
    expected = (wide[rows][:, columns] - center) * factor * root[rows, None]
    assert_allclose(out[:3, :6], expected.T, rtol=1e-14)
    assert np.all(out[3] == -1.0)
    assert np.all(out[:, 6] == -1.0)
    assert_array_equal(X, wide.astype(dtype))


@pytest.mark.parametrize("k", [4, 64, 68, 136])
@pytest.mark.parametrize("n", [1, 7, 50])
def test_products_of_the_first_rows_are_added_to_the_upper_half(k, n):
    rng = np.random.default_rng(k)
    Z, before = rng.normal(size=(k, 50)), rng.normal(size=(k, k))
    out = before.copy()
    gram.add_products(Z, n, out)
    part = Z[:, :n]
    upper = np.triu_indices(k)
    expected = before + part @ part.T
    size = np.abs(before) + np.abs(part) @ np.abs(part.T)
    assert np.all(np.abs(out - expected)[upper] <= 1e-14 * size[upper])
