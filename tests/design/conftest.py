"""Every storage of a design beside the matrix it stands for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from penglm.design import (
    Categorical,
    Dense,
    Design,
    Sparse,
    Split,
    Standardized,
)

N_ROWS = 60
N_COLUMNS = 7
N_LEVELS = 5


@dataclass
class Case:
    """A storage beside the matrix it stands for.

    ``size`` bounds the numbers that are added up to reach an entry of ``dense``: more
    than its absolute value where a centre is taken off.
    """

    design: Design
    dense: Any
    size: Any
    given: tuple[Any, ...]


def numbers():
    """Return a matrix with many zeros and columns of different sizes."""
    rng = np.random.default_rng(20261123)
    values = rng.normal(size=(N_ROWS, N_COLUMNS)) * 10.0 ** np.arange(-3, 4)
    return np.where(rng.uniform(size=values.shape) < 0.5, 0.0, values)


def codes():
    """Return levels, every one present, some rows without one."""
    rng = np.random.default_rng(20261124)
    level = rng.integers(-1, N_LEVELS, size=N_ROWS)
    level[: N_LEVELS + 1] = np.arange(-1, N_LEVELS)
    return level


def read_only(array):
    array.setflags(write=False)
    return array


def dense(values):
    return Case(Dense(values), values, np.abs(values), (values,))


def c_order():
    return dense(numbers())


def fortran_order():
    return dense(np.asfortranarray(numbers()))


def strided():
    wide = np.full((2 * N_ROWS, 3 * N_COLUMNS), np.nan)
    wide[::-2, ::3] = numbers()
    return dense(wide[::-2, ::3])


def locked():
    return dense(read_only(numbers()))


def single():
    return dense(numbers().astype(np.float32))


def integers():
    return dense(np.rint(numbers()).astype(np.int64))


def swapped():
    return dense(numbers().astype(">f8"))


def several_blocks():
    return dense(np.tile(numbers(), (40, 1)))


def from_sparse(matrix):
    values = matrix.toarray().astype(float)
    parts = matrix.coords if matrix.format == "coo" else (matrix.indices, matrix.indptr)
    return Case(Sparse(matrix), values, np.abs(values), (matrix.data, *parts))


def csr():
    return from_sparse(sparse.csr_array(numbers()))


def csc():
    return from_sparse(sparse.csc_array(numbers()))


def csc_locked():
    matrix = sparse.csc_array(numbers())
    for part in (matrix.data, matrix.indices, matrix.indptr):
        read_only(part)
    return from_sparse(matrix)


def coo_with_duplicates():
    one = sparse.coo_array(numbers())
    rows, columns = one.coords
    data = np.concatenate([0.25 * one.data, 0.75 * one.data])
    both = (np.concatenate([rows, rows]), np.concatenate([columns, columns]))
    return from_sparse(sparse.coo_array((data, both), shape=one.shape))


def csc_with_duplicates():
    # Each entry twice, in one column after the other.
    one = sparse.csc_array(numbers())
    parts = (np.repeat(0.5 * one.data, 2), np.repeat(one.indices, 2), 2 * one.indptr)
    return from_sparse(sparse.csc_array(parts, shape=one.shape))


def explicit_zeros():
    full = sparse.csc_array(np.ones((N_ROWS, N_COLUMNS)))
    full.data[:] = numbers().T.ravel()
    return from_sparse(full)


def unsorted_indices():
    one = sparse.csc_array(numbers())
    for first, last in zip(one.indptr[:-1], one.indptr[1:], strict=True):
        one.data[first:last] = one.data[first:last][::-1].copy()
        one.indices[first:last] = one.indices[first:last][::-1].copy()
    one.has_sorted_indices = False
    return from_sparse(one)


def sparse_single():
    return from_sparse(sparse.csr_array(numbers().astype(np.float32)))


def sparse_integers():
    return from_sparse(sparse.csr_array(np.rint(numbers()).astype(np.int32)))


def sparse_matrix():
    return from_sparse(sparse.csr_matrix(numbers()))


def factor(drop=None):
    level = codes()
    hot = (level[:, None] == np.arange(N_LEVELS)).astype(float)
    hot = hot if drop is None else np.delete(hot, drop, axis=1)
    return Case(Categorical(level, N_LEVELS, drop), hot, hot, (level,))


def factor_without_first():
    return factor(drop=0)


def factor_without_middle():
    return factor(drop=2)


def split(*cases):
    return Case(
        Split([case.design for case in cases]),
        np.hstack([case.dense.astype(float) for case in cases]),
        np.hstack([case.size for case in cases]),
        sum((case.given for case in cases), ()),
    )


def all_storages():
    return split(csc(), factor(), c_order(), factor_without_first(), sparse_single())


def wide_dense_beside_others():
    # More dense columns than are weighted at a time.
    return split(single(), c_order(), factor(), fortran_order(), csr(), locked())


def nested():
    return split(split(c_order(), factor()), split(csr(), single()))


PLAIN = [
    c_order, fortran_order, strided, locked, single, integers, swapped, several_blocks,
    csr, csc, csc_locked, coo_with_duplicates, csc_with_duplicates, explicit_zeros,
    unsorted_indices, sparse_single, sparse_integers, sparse_matrix,
    factor, factor_without_first, factor_without_middle,
    all_storages, wide_dense_beside_others, nested,
]  # fmt: skip


def standardized(make: Callable[[], Case]) -> Callable[[], Case]:
    """Return a maker of the same design, centred and scaled, one column to zero."""

    def build() -> Case:
        inner = make()
        values = inner.dense.astype(np.longdouble)
        center = values.mean(axis=0).astype(float) + 0.25
        scale = values.std(axis=0).astype(float)
        scale[2] = 0.0
        factor = np.divide(1.0, scale, out=np.zeros_like(scale), where=scale > 0.0)
        return Case(
            Standardized(inner.design, center, scale),
            (values - center) * factor,
            (np.abs(values) + np.abs(center)) * factor,
            (*inner.given, center, scale),
        )

    build.__name__ = f"standardized_{make.__name__}"
    return build


ALL_KINDS = PLAIN + [standardized(make) for make in PLAIN]
"""Every storage over the same numbers, alone and standardised."""


def name(make: Callable[[], Case]) -> str:
    return make.__name__


@pytest.fixture(params=ALL_KINDS, ids=name)
def case(request):
    """One storage after the other."""
    return request.param()


@pytest.fixture(params=PLAIN, ids=name)
def plain_case(request):
    """One storage after the other, none of them standardised."""
    return request.param()


@pytest.fixture(params=PLAIN, ids=name)
def both_cases(request):
    """One storage after the other: as it is, and standardised."""
    return request.param(), standardized(request.param)()
