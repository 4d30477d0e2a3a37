"""A dense block in float64 or float32."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np

from penglm import threads
from penglm._typing import Array, Index, Matrix, Vector
from penglm.design.base import (
    BLOCK_SIZE,
    MOST_ROWS,
    Columns,
    Design,
    chosen,
    constant_to_zero,
    positions,
    symmetric,
)

# From this share of the columns on, a product with all of them costs less than picking.
MANY_COLUMNS = 8
# Fewer rows at a time than this cost more in calls than they save in cache.
LEAST_ROWS = 256
# Products with more vectors at a time are left to BLAS, as are those of few numbers.
MOST_VECTORS = 12
# So many rows for each column make a design tall.
TALL = 5
LEAST_NUMBERS = 100_000


class Dense(Design):
    """A dense matrix, kept as it came.

    Parameters
    ----------
    X : ndarray (n, p)
        Any order and strides. float32 stays float32 and is widened a block of rows at
        a time; everything else becomes float64.
    """

    def __init__(self, X: Array) -> None:
        native = X.dtype.isnative and X.dtype in (np.float32, np.float64)
        self.X = X if native else X.astype(np.float64)
        self.shape = (int(X.shape[0]), int(X.shape[1]))
        self.swept: tuple[Columns, ...] | None = None

    def blocks(self, n_columns: int | None = None) -> Iterator[slice]:
        """Yield slices of rows, so many that their chosen columns stay in cache."""
        width = self.shape[1] if n_columns is None else n_columns
        step = rows_at_once(width)
        for first in range(0, self.shape[0], step):
            yield slice(first, first + step)

    def block(self, rows: slice, columns: Index | None) -> Matrix:
        """Return some rows of the chosen columns as float64."""
        part = self.X[rows]
        part = part if columns is None else part[:, columns]
        return part.astype(np.float64, copy=False)

    def goes_by_columns(self, n_columns: int, n_vectors: int) -> bool:
        """Tell whether a product is one for the kernels that walk along columns."""
        return (
            self.X.flags.f_contiguous
            and n_vectors <= MOST_VECTORS
            and n_columns * self.shape[0] >= LEAST_NUMBERS
        )

    def linear_predictor(self, coef: Array, columns: Index | None = None) -> Any:
        coef = np.asarray(coef, dtype=np.float64)
        n_vectors = 1 if coef.ndim == 1 else coef.shape[1]
        if columns is not None and self.goes_by_columns(len(columns), n_vectors):
            from penglm.kernels.columns import combine

            sums = np.zeros((n_vectors, self.shape[0]))
            combine(self.X.T, columns, coef.reshape(-1, n_vectors), sums)
            return sums.T.reshape(self.shape[0], *coef.shape[1:])
        if columns is not None and MANY_COLUMNS * len(columns) > self.shape[1]:
            everyone = np.zeros((self.shape[1], *coef.shape[1:]))
            everyone[columns] = coef
            columns, coef = None, everyone
        if columns is None and self.X.dtype == np.float64:
            return self.X @ coef
        out = np.empty((self.shape[0], *coef.shape[1:]))
        for rows in self.blocks(coef.shape[0]):
            out[rows] = self.block(rows, columns) @ coef
        return out

    def gradient(self, row_values: Array, columns: Index | None = None) -> Any:
        if columns is None and self.X.dtype == np.float64:
            if row_values.ndim == 1:
                return self.X.T @ row_values
            if not self.goes_by_columns(*self.shape[1:], row_values.shape[1]):
                return (row_values.T @ self.X).T
        k = self.shape[1] if columns is None else len(columns)
        n_vectors = 1 if row_values.ndim == 1 else row_values.shape[1]
        if self.goes_by_columns(k, n_vectors):
            from penglm.kernels.columns import dots

            vectors = np.ascontiguousarray(row_values.reshape(-1, n_vectors).T)
            sums = np.empty((k, n_vectors))
            dots(self.X.T, positions(columns, self.shape[1]), vectors, sums)
            return sums.reshape(k, *row_values.shape[1:])
        by_columns = self.X.flags.f_contiguous
        if columns is not None and by_columns and n_vectors > MOST_VECTORS:
            return self.X.T[columns] @ row_values
        if columns is not None and MANY_COLUMNS * k > self.shape[1]:
            return self.gradient(row_values)[columns]
        out = np.zeros((k, *row_values.shape[1:]))
        for rows in self.blocks(k):
            out += self.block(rows, columns).T @ row_values[rows]
        return out

    def expand(
        self,
        kind: int,
        coefs: Matrix,
        intercepts: Vector,
        offset: Vector,
        y: Vector,
        sample_weight: Vector,
    ) -> tuple[Matrix, Matrix] | None:
        flags, (n, p) = self.X.flags, self.shape
        # Of many columns most coefficients are zero: products skip these, a walk not.
        is_tall = n >= TALL * p and self.X.size >= LEAST_NUMBERS
        if not is_tall or not (flags.c_contiguous or flags.f_contiguous):
            return None
        m = intercepts.size

        def part(rows: slice) -> tuple[Matrix, Matrix]:
            sums, slopes = np.empty((3, m)), np.empty((p, m))
            for first in range(0, m, 4):
                some = slice(first, first + 4)
                sums[:, some], slopes[:, some] = self.walk(
                    rows, kind, coefs[:, some], intercepts[some], offset, y,
                    sample_weight,
                )  # fmt: skip
            return sums, slopes

        sums, slopes = threads.total(part, threads.cut(n, p, p * m))
        return sums, slopes

    def walk(
        self,
        rows: slice,
        kind: int,
        coefs: Matrix,
        intercepts: Vector,
        offset: Vector,
        y: Vector,
        sample_weight: Vector,
    ) -> tuple[Matrix, Matrix]:
        """Return what ``expand`` does for some rows, at four points at most."""
        from penglm.kernels import rows as kernels

        m, p = intercepts.size, self.shape[1]
        width = 1 if m == 1 else 4
        start, shift = np.zeros((width, p)), np.zeros(width)
        start[:m], shift[:m] = coefs.T, intercepts
        if self.X.flags.c_contiguous:
            X, step = self.X, kernels.rows_at_once(p)
            one, four = kernels.expand_rows, kernels.expand_rows_four
        else:
            X, step = self.X.T, kernels.STRETCH
            one, four = kernels.expand_columns, kernels.expand_columns_four
        found = np.zeros((width, p))
        sums = np.empty((3, width, -(-(rows.stop - rows.start) // step)))
        given = kind, X, rows.start, rows.stop
        rest = offset, y, sample_weight
        if width == 1:
            one(*given, start[0], shift[0], *rest, found[0], sums[:, 0])
        else:
            four(*given, start, shift, *rest, found, sums)
        return sums.sum(axis=2)[:, :m], found[:m].T

    def gram(
        self,
        working_weight: Vector,
        columns: Index | None = None,
        others: Index | None = None,
        center: Vector | None = None,
        factor: Vector | None = None,
    ) -> Matrix:
        mine = positions(columns, self.shape[1])
        theirs = mine if others is None else others
        if others is not None and self.X.flags.f_contiguous:
            left = moved(self.block(slice(None), mine), mine, center, factor)
            left = working_weight[:, None] * left
            rows = self.gradient(left, theirs)
            if center is not None:
                rows -= np.outer(center[theirs], left.sum(axis=0))
            return rows.T * chosen(factor, theirs, 1.0)
        if others is None and self.X.size >= LEAST_NUMBERS:
            return self.packed_gram(working_weight, mine, center, factor)
        out = np.zeros((mine.size, len(theirs)))
        for rows in self.blocks(max(mine.size, len(theirs))):
            weight = working_weight[rows, None]
            left = moved(self.block(rows, mine), mine, center, factor)
            if others is None:
                root = np.sqrt(weight) * left
                out += root.T @ root
                continue
            right = moved(self.block(rows, theirs), theirs, center, factor)
            out += (weight * left).T @ right
        return symmetric(out) if others is None else out

    def packed_gram(
        self,
        working_weight: Vector,
        columns: Index,
        center: Vector | None,
        factor: Vector | None,
    ) -> Matrix:
        """Return the Gram matrix, a block of rows copied together at a time."""
        from penglm.kernels import gram as kernels

        k, root = columns.size, np.sqrt(working_weight)
        middle, size = chosen(center, columns, 0.0), chosen(factor, columns, 1.0)
        # Columns of zeros make up fours.
        width, step = k + -k % 4, rows_at_once(2 * k)

        def part(rows: slice) -> tuple[Matrix]:
            block, out = np.zeros((width, step)), np.zeros((width, width))
            for first in range(rows.start, rows.stop, step):
                last = min(first + step, rows.stop)
                kernels.pack(self.X, first, last, columns, middle, size, root, block)
                kernels.add_products(block, last - first, out)
            return (out,)

        pieces = threads.cut(self.shape[0], k, width * width)
        (out,) = threads.total(part, pieces)
        return symmetric(out[:k, :k])

    def moments(self, sample_weight: Vector) -> tuple[Vector, Vector]:
        from penglm.kernels import moments as kernels

        size, unit, mean, square = np.zeros((4, self.shape[1]))
        share = sample_weight / sample_weight.sum()
        if self.X.size:
            down, across = np.abs(self.X.strides)
            measure = kernels.by_rows if across <= down else kernels.by_columns
            measure(self.X, share, size, unit, mean, square)
        unit[size == 0.0] = 1.0
        sd = constant_to_zero(np.sqrt(square), size / unit)
        return mean * unit, sd * unit

    def take(self, rows: Index) -> "Dense":
        if self.X.flags.f_contiguous:
            # Picked by brackets the rows would come first in memory.
            chosen_rows = np.arange(self.shape[0])[rows]
            return Dense(self.X.T.take(chosen_rows, axis=1).T)
        return Dense(self.X[rows])

    def select(self, columns: Index) -> "Dense":
        return Chosen(self, columns)

    def rows(self, first: int, last: int) -> "Dense":
        return Dense(self.X[first:last])

    @property
    def block_rows(self) -> int:
        return min(rows_at_once(self.shape[1]), MOST_ROWS)

    def columns(self) -> tuple[Columns, ...]:
        if self.swept is None:
            stored = np.asfortranarray(self.X)
            self.swept = (Columns(0, self.shape[1], dense=stored),)
        return self.swept

    def to_dense(self) -> Matrix:
        return self.X.astype(np.float64)

    def standard_columns(self, center: Vector, factor: Vector) -> Matrix:
        return standard(self.X, None, center, factor)


class Chosen(Dense):
    """Some columns of a dense matrix, copied together once somebody needs that.

    Products with contiguous columns do without, as does a copy of them that is centred
    and scaled.

    Parameters
    ----------
    source : Dense (n, p)
    columns : Index (k,)
    """

    def __init__(self, source: Dense, columns: Index) -> None:
        self.source, self.chosen = source, np.asarray(columns)
        self.shape = (source.shape[0], int(self.chosen.size))
        self.swept = None

    @cached_property
    def X(self) -> Array:  # type: ignore[override]  # noqa: N802, the field's name
        """The columns one after the other: what is chosen is walked through so."""
        if self.source.X.flags.f_contiguous:
            return self.source.X.T[self.chosen].T
        return np.asfortranarray(self.source.X[:, self.chosen])

    @property
    def is_apart(self) -> bool:
        """Whether the columns are still where they came from, and contiguous there."""
        return "X" not in self.__dict__ and self.source.X.flags.f_contiguous

    def linear_predictor(self, coef: Array, columns: Index | None = None) -> Any:
        if self.is_apart:
            return self.source.linear_predictor(coef, chosen_of(self.chosen, columns))
        return super().linear_predictor(coef, columns)

    def standard_columns(self, center: Vector, factor: Vector) -> Matrix:
        if self.is_apart:
            return standard(self.source.X, self.chosen, center, factor)
        return super().standard_columns(center, factor)


def chosen_of(chosen: Index, columns: Index | None) -> Index:
    """Return where some of the chosen columns come from, all of them for None."""
    return chosen if columns is None else chosen[columns]


def standard(X: Array, columns: Index | None, center: Vector, factor: Vector) -> Matrix:
    """Return a copy (k, n) of columns, centred and scaled, each contiguous."""
    from penglm.kernels.columns import standardize

    mine = positions(columns, X.shape[1])
    out = np.empty((mine.size, X.shape[0]))
    standardize(X.T, mine, center, factor, out)
    return out


def rows_at_once(n_columns: int) -> int:
    """Return how many rows of so many columns stay in cache."""
    return max(BLOCK_SIZE // max(n_columns, 1), LEAST_ROWS)


def moved(
    rows: Matrix, columns: Index, center: Vector | None, factor: Vector | None
) -> Matrix:
    """Return rows (n, k) of chosen columns, centred and scaled; a copy if changed."""
    rows = rows if center is None else rows - center[columns]
    return rows if factor is None else rows * factor[columns]
