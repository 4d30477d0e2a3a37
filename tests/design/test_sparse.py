"""How a sparse block stays sparse."""

import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from penglm.design import Sparse, Split, Standardized

TALL, WIDE = 10**6, 10**5
ENTRIES = 500
# A few vectors of one number a row or a column, 8 bytes each; the dense matrix would
# take 800 GB, and one dense column block of the chosen columns many times this.
FEW_VECTORS = 16 * 8 * (TALL + WIDE)

FORMATS = ("bsr", "coo", "csc", "csr", "dia", "dok", "lil")


def entries():
    rng = np.random.default_rng(21)
    row = rng.integers(0, TALL, size=ENTRIES)
    column = rng.choice(WIDE, size=ENTRIES, replace=False)
    return row, column, rng.normal(size=ENTRIES)


@pytest.fixture(scope="module")
def huge():
    """Return a huge matrix with one entry in a few of its columns."""
    row, column, value = entries()
    return Sparse(sparse.coo_array((value, (row, column)), shape=(TALL, WIDE)))


@pytest.fixture
def little_memory():
    """Fail the test if it holds more than a few vectors at any time."""
    tracemalloc.start()
    yield
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < FEW_VECTORS


@pytest.mark.usefixtures("little_memory")
def test_a_huge_design_is_built_without_becoming_dense():
    row, column, value = entries()
    design = Sparse(sparse.coo_array((value, (row, column)), shape=(TALL, WIDE)))
    assert design.X.nnz == ENTRIES


@pytest.mark.usefixtures("little_memory")
def test_products_of_a_huge_design_take_a_few_vectors(huge):
    row, column, value = entries()
    eta = huge.linear_predictor(np.ones(WIDE))
    assert_allclose(eta, np.bincount(row, value, TALL))
    gradient = huge.gradient(np.arange(TALL, dtype=float))
    assert_allclose(gradient[column], value * row)
    assert np.count_nonzero(gradient) == np.count_nonzero(row)
    few = column[:5]
    assert_allclose(huge.linear_predictor(np.ones(5), few)[row[:5]], value[:5])
    assert_allclose(huge.gradient(np.ones(TALL), few), value[:5])


@pytest.mark.usefixtures("little_memory")
def test_gram_of_a_huge_design_is_only_as_large_as_asked(huge):
    _, column, value = entries()
    gram = huge.gram(np.ones(TALL), column[:5])
    assert_allclose(np.diag(gram), value[:5] ** 2)
    wide = huge.gram(np.ones(TALL), column[:5], column, center=np.zeros(WIDE))
    assert_allclose(wide[:, :5], gram)


@pytest.mark.usefixtures("little_memory")
def test_moments_of_a_huge_design_take_a_few_vectors(huge):
    _, column, value = entries()
    mean, sd = huge.moments(np.ones(TALL))
    assert_allclose(mean[column], value / TALL)
    share = 1.0 / TALL
    assert_allclose(sd[column], np.abs(value) * np.sqrt(share * (1.0 - share)))
    assert np.count_nonzero(sd) == ENTRIES


@pytest.mark.usefixtures("little_memory")
def test_centring_a_huge_design_keeps_it_sparse(huge):
    _, column, value = entries()
    mean, sd = huge.moments(np.ones(TALL))
    design = Standardized(huge, mean, sd)
    eta = design.linear_predictor(np.ones(WIDE))
    assert abs(eta.sum()) < TALL * ENTRIES * np.finfo(float).eps * np.abs(eta).max()
    gram = design.gram(np.ones(TALL), column[:3])
    assert_allclose(np.diag(gram), TALL)
    assert_allclose(design.gradient(eta)[column[0]] / TALL, 1.0, rtol=0.1)
    del value


@pytest.mark.usefixtures("little_memory")
def test_rows_of_a_huge_design_are_taken_sparse(huge):
    row, column, value = entries()
    taken = huge.take(row[:3])
    assert taken.X.nnz >= 3
    assert_allclose(taken.gradient(np.ones(3))[column[:3]], value[:3])


@pytest.mark.usefixtures("little_memory")
def test_a_huge_design_beside_itself_stays_sparse(huge):
    _, column, value = entries()
    pair = Split([huge, huge])
    eta = pair.linear_predictor(np.ones(2 * WIDE))
    assert_allclose(eta.sum(), 2.0 * value.sum())
    gram = pair.gram(np.ones(TALL), np.array([column[0], WIDE + column[0]]))
    assert_allclose(gram, np.full((2, 2), value[0] ** 2))


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("kind", ["array", "matrix"])
def test_every_scipy_format_is_accepted(name, kind):
    X = np.triu(np.arange(1.0, 13.0).reshape(4, 3))
    given = getattr(sparse, f"{name}_{kind}")(X)
    design = Sparse(given)
    assert_array_equal(design.to_dense(), X)
    assert isinstance(design.linear_predictor(np.ones(3)), np.ndarray)
    assert_array_equal(design.linear_predictor(np.ones(3)), X.sum(axis=1))


@pytest.mark.parametrize("make", [sparse.csr_array, sparse.csc_array])
def test_entries_are_summed_sorted_and_nonzero(make):
    rows, columns = np.array([2, 0, 2, 1, 1]), np.array([0, 0, 0, 1, 1])
    values = np.array([1.0, 2.0, 3.0, 4.0, -4.0])
    (piece,) = Sparse(make((values, (rows, columns)), shape=(3, 2))).columns()
    assert_array_equal(piece.indices, [0, 2])
    assert_array_equal(piece.data, [2.0, 4.0])
    assert_array_equal(piece.indptr, [0, 2, 2])


def test_cleaning_leaves_the_given_matrix_alone():
    X = sparse.csc_array(([1.0, 2.0, 0.0], [1, 0, 1], [0, 2, 3]), shape=(2, 2))
    X.has_sorted_indices = False
    Sparse(X).columns()
    assert_array_equal(X.data, [1.0, 2.0, 0.0])
    assert_array_equal(X.indices, [1, 0, 1])


def test_the_design_does_not_follow_later_changes():
    X = sparse.csc_array(np.eye(3))
    design = Sparse(X)
    X.data[:] = 7.0
    assert_array_equal(design.to_dense(), np.eye(3))


def test_single_precision_stays_single_in_storage():
    design = Sparse(sparse.csr_array(np.eye(3, dtype=np.float32)))
    (piece,) = design.columns()
    assert piece.data.dtype == np.float32
    assert design.to_dense().dtype == np.float64


def test_an_empty_matrix_has_zero_products():
    design = Sparse(sparse.csr_array((4, 3)))
    assert_array_equal(design.linear_predictor(np.ones(3)), np.zeros(4))
    assert_array_equal(design.gradient(np.ones(4)), np.zeros(3))
    assert_array_equal(design.gram(np.ones(4)), np.zeros((3, 3)))
    assert_array_equal(design.moments(np.ones(4)), np.zeros((2, 3)))
