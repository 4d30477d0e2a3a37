"""What a design is: a stored matrix with three products and a few questions."""

import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from penglm._typing import Array, Index, Matrix, Vector
from penglm.exceptions import PenglmInputError

# A Gram matrix costs so many passes for each column: BLAS computes, a pass only reads.
GRAM_PASSES = 0.05
# Numbers handled at a time where a block of rows has to be copied: it stays in cache.
BLOCK_SIZE = 131_072
# Rows handled at a time where the columns cost next to nothing: of a few vectors.
MOST_ROWS = 65_536
# Where a part of the rows is dear to get at.
ALL_ROWS = sys.maxsize
# A column whose sd is below this share of its size differs only by rounding.
CONSTANT = 64 * np.finfo(float).eps


@dataclass(frozen=True, eq=False)
class Columns:
    """Consecutive columns as a kernel sweeps them: dense, or compressed sparse.

    Attributes
    ----------
    start, stop : int
        Which columns of the design these are.
    dense : ndarray (n, k) or None
        Fortran order, float32 or float64.
    data, indices, indptr : ndarray or None
        CSC arrays where ``dense`` is None.
    """

    start: int
    stop: int
    dense: Array | None = None
    data: Array | None = None
    indices: Array | None = None
    indptr: Array | None = None

    @property
    def nbytes(self) -> int:
        """Size of the stored numbers and indices."""
        stored = self.dense, self.data, self.indices
        return sum(part.nbytes for part in stored if part is not None)

    def counts(self, columns: Index, n_obs: int) -> Index:
        """Return how many entries (k,) columns of this piece store."""
        if self.indptr is None:
            return np.full(columns.size, n_obs)
        found: Index = self.indptr[columns + 1] - self.indptr[columns]
        return found


class Design(ABC):
    """One block of rows of a design matrix.

    Products return float64 whatever the storage. ``columns`` arguments pick columns
    by position, all of them when None. No method changes what it was given.

    Attributes
    ----------
    shape : tuple of int
        Rows and columns.
    """

    shape: tuple[int, int]

    @abstractmethod
    def linear_predictor(self, coef: Array, columns: Index | None = None) -> Any:
        """Return ``X[:, columns] @ coef``: (n,) for (k,), (n, m) for (k, m)."""

    @abstractmethod
    def gradient(self, row_values: Array, columns: Index | None = None) -> Any:
        """Return ``X[:, columns]' @ row_values``: (k,) for (n,), (k, m) for (n, m)."""

    def expand(
        self,
        kind: int,
        coefs: Matrix,
        intercepts: Vector,
        offset: Vector,
        y: Vector,
        sample_weight: Vector,
    ) -> tuple[Matrix, Matrix] | None:
        """Go from coefficients to slopes in one walk, where there is a kernel for it.

        Parameters
        ----------
        kind : int
            ``Family.row_kind``.
        coefs : Matrix (p, m)
            Several points at once cost little more than one.
        intercepts : Vector (m,)
        offset, y, sample_weight : Vector (n,)

        Returns
        -------
        (Matrix (3, m), Matrix (p, m)) or None
            Weighted sums of loss, slope and size as ``quadratic.weighted_terms`` has
            them, and the slopes of the columns. None where there is no such kernel.
        """
        return None

    @abstractmethod
    def gram(
        self,
        working_weight: Vector,
        columns: Index | None = None,
        others: Index | None = None,
        center: Vector | None = None,
        factor: Vector | None = None,
    ) -> Matrix:
        """Return ``Z[:, columns]' diag(w) Z[:, others]`` (k, l) of ``Z = (X - c) f``.

        Parameters
        ----------
        working_weight : Vector (n,)
        columns, others : Index, optional
            ``others`` is ``columns`` when None; the result is then exactly symmetric.
        center : Vector (p,), optional
            Subtracted from the columns, without a copy of them.
        factor : Vector (p,), optional
            Multiplies the columns, before anything is squared: a Gram matrix of columns
            of size 1e200 would not be representable.
        """

    @abstractmethod
    def moments(self, sample_weight: Vector) -> tuple[Vector, Vector]:
        """Return weighted mean (p,) and sd (p,), the sd divided by the weight total.

        Computed about the mean, not as a difference of squares. The sd is exactly 0
        where a column is constant up to rounding.
        """

    @abstractmethod
    def take(self, rows: Index) -> "Design":
        """Return the same storage with these rows only."""

    @abstractmethod
    def select(self, columns: Index) -> "Design":
        """Return the same storage with these columns only; ``columns`` ascend."""

    @abstractmethod
    def rows(self, first: int, last: int) -> "Design":
        """Return rows first to last - 1 as a design that shares this one's memory.

        Cheap if there are ``block_rows`` of them. As in a slice, ``last`` may lie past
        the end.
        """

    @property
    def n_stored(self) -> int:
        """How many numbers are stored: what a product with one vector has to read."""
        return self.shape[0] * self.shape[1]

    @property
    def gram_passes(self) -> float:
        """How many products with one vector a Gram matrix of all columns costs."""
        return GRAM_PASSES * self.shape[1]

    @property
    @abstractmethod
    def block_rows(self) -> int:
        """How many rows at a time suit a loop that needs every column of each.

        So few that they stay in cache from one product to the next; ``ALL_ROWS``, more
        than any design has, where a part of them is dear to get at.
        """

    @abstractmethod
    def columns(self) -> tuple[Columns, ...]:
        """Return the pieces that column kernels sweep, in column order; kept."""

    def is_indicator(self) -> Any:
        """Return a boolean (p,): columns that hold nothing but 0 and 1."""
        found = np.zeros(self.shape[1], dtype=bool)
        for piece in self.columns():
            width = piece.stop - piece.start
            if piece.indptr is None:
                entries: Any = piece.dense
                other = ((entries != 0.0) & (entries != 1.0)).any(axis=0)
            else:
                home = np.repeat(np.arange(width), np.diff(piece.indptr))
                other = np.bincount(home[piece.data != 1.0], minlength=width) > 0
            found[piece.start : piece.stop] = ~other
        return found

    @abstractmethod
    def to_dense(self) -> Matrix:
        """Return a copy of the matrix (n, p); for tests and small problems."""

    def standard_columns(self, center: Vector, factor: Vector) -> Matrix:
        """Return a copy (p, n) of the columns ``(x - center) factor``, one by one."""
        dense = self.to_dense()
        dense -= center
        dense *= factor
        return np.ascontiguousarray(dense.T)


def positions(columns: Index | None, n_features: int) -> Index:
    """Return column positions, spelled out."""
    return np.arange(n_features) if columns is None else np.asarray(columns)


def unsigned(indices: Array) -> Array:
    """Return row numbers as unsigned integers of the same size, without a copy."""
    plain: Array = indices.view(np.uint32 if indices.itemsize == 4 else np.uint64)
    return plain


def recentre(
    raw: Matrix, left: Vector, right: Vector, total: float, a: Vector, b: Vector
) -> Matrix:
    """Centre a Gram matrix after the fact, for storages that are mostly zero.

    ``left`` (k,) and ``right`` (l,) are ``X' w`` over its rows' and its columns'
    coordinates, ``a`` and ``b`` their centres, ``total`` the sum of the weights.
    """
    centred: Matrix = (
        raw - np.outer(left, b) - np.outer(a, right) + total * np.outer(a, b)
    )
    return centred


def chosen(values: Vector | None, columns: Index, default: float) -> Vector:
    """Return the values (k,) of some columns, a constant where there are none."""
    return np.full(columns.size, default) if values is None else values[columns]


def symmetric(matrix: Matrix) -> Matrix:
    """Return the matrix with its lower half copied from the upper one."""
    upper = np.triu(matrix)
    return upper + np.triu(matrix, 1).T


def power_of_two(size: Vector) -> Vector:
    """Return powers of two near ``size`` (p,), 1 where it is 0."""
    _, exponent = np.frexp(np.where(size > 0.0, size, 1.0))
    return np.ldexp(1.0, np.clip(exponent, -1000, 1000))


def constant_to_zero(sd: Vector, size: Vector) -> Vector:
    """Return the sd (p,) with rounding noise set to exactly 0."""
    return np.where(sd <= CONSTANT * size, 0.0, sd)


def as_design(X: Any) -> Design:
    """Return the storage that fits ``X``.

    Raises
    ------
    PenglmInputError
        If it is not a matrix.
    """
    from penglm.design.dense import Dense
    from penglm.design.sparse import Sparse

    if isinstance(X, Design):
        return X
    if sparse.issparse(X):
        return Sparse(X)
    array = np.asarray(X)
    if array.ndim != 2:
        raise PenglmInputError(
            f"X has {array.ndim} dimensions; a design has two.", argument="X"
        )
    return Dense(array)
