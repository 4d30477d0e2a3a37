"""A factor is its one-hot matrix, kept as codes."""

import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from penglm.design import Categorical

CODES = np.array([1, 0, 2, -1, 2, 1, 0, 2])
EPS = np.finfo(float).eps


def one_hot(drop=None):
    hot = (CODES[:, None] == np.arange(3)).astype(float)
    return hot if drop is None else np.delete(hot, drop, axis=1)


@pytest.mark.parametrize("drop", [None, 0, 1, 2])
def test_each_level_but_the_reference_has_a_column(drop):
    assert_array_equal(Categorical(CODES, 3, drop).to_dense(), one_hot(drop))


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.int64, float])
def test_codes_may_be_any_integers(dtype):
    design = Categorical(CODES.astype(dtype), 3)
    assert_array_equal(design.to_dense(), one_hot())


@pytest.mark.parametrize("drop", [None, 1])
def test_a_row_without_a_level_is_a_row_of_zeros(drop):
    design = Categorical(CODES, 3, drop)
    coef = np.full(design.shape[1], 7.0)
    assert design.linear_predictor(coef)[3] == 0.0


def test_a_level_that_never_occurs_is_a_column_of_zeros():
    design = Categorical(CODES, 5)
    mean, sd = design.moments(np.ones(CODES.size))
    assert_array_equal(mean[3:], [0.0, 0.0])
    assert_array_equal(sd[3:], [0.0, 0.0])
    assert_array_equal(design.gradient(np.ones(CODES.size))[3:], [0.0, 0.0])


@pytest.mark.parametrize("n_rows", [1, 7, 1000, 100_000])
def test_a_level_of_all_rows_is_constant(n_rows):
    weight = np.random.default_rng(31).uniform(0.5, 2.0, size=n_rows)
    mean, sd = Categorical(np.ones(n_rows), 3).moments(weight)
    assert_array_equal(mean, [0.0, 1.0, 0.0])
    assert_array_equal(sd, [0.0, 0.0, 0.0])


def test_moments_are_those_of_a_proportion():
    weight = np.arange(1.0, CODES.size + 1.0)
    share = np.array([9.0, 7.0, 16.0]) / 36.0
    mean, sd = Categorical(CODES, 3).moments(weight)
    assert_allclose(mean, share, rtol=8 * EPS)
    assert_allclose(sd, np.sqrt(share * (1.0 - share)), rtol=8 * EPS)


def test_a_nearly_constant_level_keeps_its_sd():
    # One row of tiny weight is the only one outside.
    level = np.zeros(1000, dtype=int)
    level[123] = 1
    weight = np.ones(1000)
    weight[123] = 1e-9
    share = 1e-9 / (999.0 + 1e-9)
    sd = np.sqrt(share * (1.0 - share))
    assert_allclose(Categorical(level, 2).moments(weight)[1], [sd, sd], rtol=1e3 * EPS)


def test_gram_of_a_factor_is_diagonal():
    weight = np.linspace(0.0, 1.0, CODES.size)
    gram = Categorical(CODES, 3).gram(weight)
    assert_allclose(gram, np.diag(one_hot().T @ weight), rtol=8 * EPS)


def test_indicator_is_csc_with_one_entry_a_row():
    indicator = Categorical(CODES, 3).indicator()
    assert isinstance(indicator, sparse.csc_array)
    assert indicator.has_canonical_format
    assert indicator.nnz == np.count_nonzero(CODES >= 0)


def test_taken_rows_keep_levels_that_no_longer_occur():
    taken = Categorical(CODES, 3, drop=0).take(np.array([0, 3]))
    assert taken.shape == (2, 2)
    assert_array_equal(taken.to_dense(), [[1.0, 0.0], [0.0, 0.0]])


def test_later_changes_of_the_codes_do_not_reach_the_design():
    given = CODES.copy()
    design = Categorical(given, 3)
    given[:] = 0
    assert_array_equal(design.to_dense(), one_hot())
    assert_array_equal(design.take(np.arange(CODES.size)).to_dense(), one_hot())


def test_many_levels_cost_no_matrix():
    n, levels = 10**5, 10**5
    # A few vectors; the matrix would take 80 GB.
    few_vectors = 20 * 8 * (n + levels)
    tracemalloc.start()
    design = Categorical(np.arange(n)[::-1], levels)
    eta = design.linear_predictor(np.arange(float(levels)))
    gradient = design.gradient(np.arange(float(n)))
    design.columns()
    design.moments(np.ones(n))
    gram = design.gram(np.ones(n), np.array([3, 5]))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < few_vectors
    assert_array_equal(eta, np.arange(n)[::-1])
    assert_array_equal(gradient, np.arange(n)[::-1])
    assert_array_equal(gram, np.eye(2))
