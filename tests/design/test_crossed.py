"""Dense columns and factors side by side have the Gram matrix of their columns."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from penglm.design import Categorical, Dense, Split, crossed
from penglm.design.codes import ROWS_AT_ONCE

N_ROWS = 2 * ROWS_AT_ONCE + 1
# Relative to what is added up, as one sum after the other over all these rows.
ROUNDING = 1e-13


def numeric(n_columns, seed, order="C"):
    values = np.random.default_rng(seed).normal(1.0, 1.0, size=(N_ROWS, n_columns))
    return Dense(np.asarray(values, order=order))


def factor(n_levels, seed, drop=None):
    level = np.random.default_rng(seed).integers(-1, n_levels, size=N_ROWS)
    return Categorical(level, n_levels, drop)


def plain():
    return Split([numeric(3, 1), factor(7, 2), factor(5, 3, drop=0), factor(40, 4)])


def mixed():
    return Split(
        [
            factor(5, 5, drop=2),
            numeric(2, 6, order="F"),
            factor(3, 7),
            Dense(numeric(4, 8).X.astype(np.float32)),
            Dense(np.zeros((N_ROWS, 0))),
            Categorical(np.zeros(N_ROWS), 1, 0),
        ]
    )


def only_dense():
    return Split([numeric(3, 1), numeric(2, 9, order="F")])


def only_factors():
    return Split([factor(4, 2), factor(9, 3)])


designs = pytest.mark.parametrize(
    "make", [plain, mixed, only_dense, only_factors], ids=lambda make: make.__name__
)


def weights():
    weight = np.random.default_rng(10).uniform(0.0, 2.0, size=N_ROWS)
    weight[::9] = 0.0
    return weight


@designs
@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize("scaled", [False, True])
def test_gram_is_that_of_the_one_hot_columns(make, centred, scaled):
    design, weight = make(), weights()
    n_features = design.shape[1]
    rng = np.random.default_rng(11)
    center = rng.uniform(-1.0, 1.0, size=n_features) if centred else None
    by = rng.uniform(-2.0, 2.0, size=n_features) if scaled else None
    dense = design.to_dense()
    size = np.abs(dense) + (0.0 if center is None else np.abs(center))
    dense = dense if center is None else dense - center
    if by is not None:
        dense, size = dense * by, size * np.abs(by)
    several = rng.permutation(n_features)[: n_features // 2]
    picks = [
        None,
        np.arange(n_features),
        several,
        np.array([n_features - 1]),
        several[:0],
    ]
    for columns, others in itertools.product(picks, picks):
        left = slice(None) if columns is None else columns
        right = left if others is None else others
        gram = design.gram(weight, columns, others, center, by)
        expected = dense[:, left].T @ (weight[:, None] * dense[:, right])
        bound = size[:, left].T @ (weight[:, None] * size[:, right])
        assert gram.shape == expected.shape
        assert np.all(np.abs(gram - expected) <= ROUNDING * bound)


@designs
def test_gram_is_exactly_symmetric(make):
    design = make()
    gram = design.gram(weights(), center=np.full(design.shape[1], 0.3))
    assert_array_equal(gram, gram.T)


@designs
def test_gram_of_the_one_half_is_a_part_of_the_whole(make):
    design = make()
    columns = np.arange(0, design.shape[1], 2)
    whole = design.gram(weights())
    assert_allclose(
        design.gram(weights(), columns, None),
        whole[np.ix_(columns, columns)],
        rtol=ROUNDING,
        atol=ROUNDING,
    )


def test_a_dense_column_of_any_size_meets_a_factor():
    huge = numeric(1, 12).X * 1e200
    design = Split([Dense(huge), factor(4, 2)])
    by = np.array([1e-200, 1.0, 1.0, 1.0, 1.0])
    one = Split([Dense(huge * 1e-200), factor(4, 2)])
    assert_allclose(
        design.gram(weights(), factor=by), one.gram(weights()), rtol=1e-12, atol=1e-9
    )


def test_levels_that_do_not_occur_leave_zeros():
    design = Split([Categorical(np.zeros(3), 4), Categorical(np.ones(3), 3, drop=0)])
    expected = np.zeros((6, 6))
    expected[np.ix_([0, 4], [0, 4])] = 3.0
    assert_array_equal(design.gram(np.ones(3)), expected)


def test_neighbouring_columns_are_picked_without_a_copy():
    assert crossed.as_slice(np.array([2, 3, 4])) == slice(2, 5)
    assert_array_equal(crossed.as_slice(np.array([2, 4])), [2, 4])
