"""Some columns of every storage: a design of its own, like the dense columns."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from penglm.design import Categorical, Dense, Sparse, Split, Standardized

EPS = np.finfo(float).eps


def selections(p):
    """Return ascending columns: all, the outer ones, every third, and one alone."""
    return [
        np.arange(p),
        np.array([0, p - 1]),
        np.arange(1, p, 3),
        np.array([p // 2]),
        np.sort(np.random.default_rng(p).permutation(p)[: p // 2]),
    ]


def test_selected_columns_are_those_of_the_dense_matrix(case):
    for columns in selections(case.design.shape[1]):
        part = case.design.select(columns)
        assert part.shape == (case.dense.shape[0], columns.size)
        expected = np.asarray(case.design.to_dense())[:, columns]
        assert_array_equal(part.to_dense(), expected)


def test_selected_columns_answer_every_product(case):
    rng = np.random.default_rng(2)
    n_rows, p = case.design.shape
    values, weight = rng.normal(size=(n_rows, 4)), rng.uniform(0.1, 2.0, n_rows)
    for columns in selections(p):
        part, k = case.design.select(columns), columns.size
        X = np.asarray(case.dense, dtype=float)[:, columns]
        size = np.asarray(case.size, dtype=float)[:, columns]
        coef = rng.normal(size=k)
        apart = np.abs(part.linear_predictor(coef) - X @ coef)
        assert np.all(apart <= 64 * EPS * (size @ np.abs(coef)))
        for right in (values[:, 0], values):
            apart = np.abs(part.gradient(right) - X.T @ right)
            assert np.all(apart <= 64 * EPS * (size.T @ np.abs(right)))
        apart = np.abs(part.gram(weight) - X.T @ (weight[:, None] * X))
        assert np.all(apart <= 64 * EPS * (size.T @ (weight[:, None] * size)))
        inner = np.arange(0, k, 2)
        assert_allclose(
            part.gradient(values[:, 0], inner), part.gradient(values[:, 0])[inner],
            rtol=0.0, atol=64 * EPS * (size.T @ np.abs(values[:, 0])).max(),
        )  # fmt: skip


def test_moments_of_selected_columns_are_theirs(case):
    weight = np.random.default_rng(3).uniform(0.1, 2.0, case.design.shape[0])
    mean, sd = case.design.moments(weight)
    for columns in selections(case.design.shape[1]):
        part_mean, part_sd = case.design.select(columns).moments(weight)
        size = case.size.max(axis=0)[columns].astype(float)
        assert np.all(np.abs(part_mean - mean[columns]) <= 64 * EPS * size)
        assert np.all(np.abs(part_sd - sd[columns]) <= 64 * EPS * size)


def test_selected_columns_are_swept_without_gap(plain_case):
    for columns in selections(plain_case.design.shape[1]):
        part = plain_case.design.select(columns)
        swept = []
        for piece in part.columns():
            if piece.dense is not None:
                swept.append(np.asarray(piece.dense, dtype=float))
                continue
            shape = (part.shape[0], piece.stop - piece.start)
            parts = (piece.data, piece.indices, piece.indptr)
            swept.append(sparse.csc_array(parts, shape=shape).toarray())
        assert_array_equal(np.hstack(swept), part.to_dense())


def test_rows_and_columns_are_picked_in_either_order(case):
    rows = np.arange(0, case.design.shape[0], 3)
    for columns in selections(case.design.shape[1]):
        one = case.design.select(columns).take(rows)
        other = case.design.take(rows).select(columns)
        assert_array_equal(one.to_dense(), other.to_dense())


def test_selection_of_a_selection_is_a_selection(case):
    columns = np.arange(0, case.design.shape[1], 2)
    inner = np.arange(0, columns.size, 2)
    twice = case.design.select(columns).select(inner)
    once = case.design.select(columns[inner])
    assert_array_equal(twice.to_dense(), once.to_dense())


def test_selecting_leaves_the_design_as_it_was(case):
    before = np.array(case.design.to_dense())
    part = case.design.select(np.arange(0, case.design.shape[1], 2))
    part.gram(np.ones(part.shape[0]))
    assert_array_equal(case.design.to_dense(), before)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("order", ["C", "F"])
def test_selected_dense_columns_keep_their_type_and_lie_one_after_the_other(
    dtype, order
):
    X = np.asarray(np.random.default_rng(0).normal(size=(30, 9)), dtype, order=order)
    part = Dense(X).select(np.array([0, 4, 8]))
    assert part.X.dtype == dtype
    assert part.X.flags.f_contiguous


@pytest.mark.parametrize("order", ["C", "F"])
def test_chosen_columns_are_copied_together_when_somebody_needs_it(order):
    rng = np.random.default_rng(2)
    X = np.asarray(rng.normal(size=(600, 300)), order=order)
    columns = np.sort(rng.permutation(300)[:200])
    part = Dense(X).select(columns)
    coef, rows = rng.normal(size=200), rng.normal(size=(600, 2))
    center, factor = rng.normal(size=(2, 200))
    expected = (X[:, columns] - center) * factor
    some = np.array([3, 150])
    for _ in range(2):
        # Before there is a copy, and after.
        assert_allclose(part.linear_predictor(coef), X[:, columns] @ coef)
        assert_allclose(part.gradient(rows), X[:, columns].T @ rows)
        assert_allclose(part.gradient(rows, some), X[:, columns[some]].T @ rows)
        assert_array_equal(part.standard_columns(center, factor), expected.T)
        part.gram(np.ones(600))
    assert part.X.flags.f_contiguous


def storages():
    """Return the five kinds of design over the same rows."""
    rng = np.random.default_rng(1)
    X, level = rng.normal(size=(30, 4)), rng.integers(-1, 3, 30)
    split = Split([Dense(X), Categorical(level, 3), Sparse(sparse.csr_array(X))])
    return {
        "dense": Dense(X),
        "sparse": Sparse(sparse.csc_array(X)),
        "categorical": Categorical(level, 3),
        "split": split,
        "standardized": Standardized(Dense(X), X.mean(axis=0), X.std(axis=0)),
    }


@pytest.mark.parametrize("kind", sorted(set(storages()) - {"split"}))
def test_no_column_at_all_is_a_design_too(kind):
    nobody = np.zeros(0, dtype=np.int64)
    part = storages()[kind].select(nobody)
    assert part.shape == (30, 0)
    assert_array_equal(part.linear_predictor(np.zeros(0)), np.zeros(30))
    assert part.gradient(np.ones(30)).shape == (0,)
    assert part.gradient(np.ones((30, 3))).shape == (0, 3)
    assert part.gram(np.ones(30)).shape == (0, 0)


@pytest.mark.parametrize("columns", [[1], [4, 6], [0, 5, 9], [8, 9, 10]])
def test_part_of_a_split_that_nobody_chose_is_left_out(columns):
    design = storages()["split"]
    part = design.select(np.array(columns))
    assert_array_equal(part.to_dense(), design.to_dense()[:, columns])
