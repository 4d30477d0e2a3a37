"""A factor as integer codes: one-hot columns without the matrix."""

from copy import copy
from typing import Any

import numpy as np
from scipy import sparse

from penglm._typing import Array, Index, Matrix, Vector
from penglm.design.base import (
    MOST_ROWS,
    Columns,
    Design,
    constant_to_zero,
    positions,
    recentre,
)


class Categorical(Design):
    """Indicator columns of the levels of a factor.

    Parameters
    ----------
    codes : integer array (n,)
        Level of each row; -1 for a row that belongs to none.
    n_levels : int
    drop : int, optional
        Reference level, which gets no column.
    """

    def __init__(self, codes: Array, n_levels: int, drop: int | None = None) -> None:
        self.n_levels = int(n_levels)
        self.drop = drop
        level = np.asarray(codes).astype(np.int64)
        width = self.n_levels - (drop is not None)
        # Column of each level; rows without a column share one place past the end.
        home = np.full(self.n_levels + 1, width, dtype=np.int64)
        kept = np.delete(np.arange(self.n_levels), [] if drop is None else drop)
        home[kept] = np.arange(width)
        self.column = home[level]
        self.codes = level
        self.shape = (level.size, width)
        self.swept: tuple[Columns, ...] | None = None

    def linear_predictor(self, coef: Array, columns: Index | None = None) -> Any:
        coef = np.asarray(coef, dtype=np.float64)
        table = np.zeros((self.shape[1] + 1, *coef.shape[1:]))
        table[positions(columns, self.shape[1])] = coef
        return table[self.column]

    def gradient(self, row_values: Array, columns: Index | None = None) -> Any:
        width = self.shape[1] + 1
        sums: Array
        if row_values.ndim == 1:
            sums = np.bincount(self.column, row_values, width)
        else:
            sums = np.empty((width, row_values.shape[1]))
            for k in range(row_values.shape[1]):
                sums[:, k] = np.bincount(self.column, row_values[:, k], width)
        return sums[positions(columns, self.shape[1])]

    def gram(
        self,
        working_weight: Vector,
        columns: Index | None = None,
        others: Index | None = None,
        center: Vector | None = None,
        factor: Vector | None = None,
    ) -> Matrix:
        mine = positions(columns, self.shape[1])
        theirs = mine if others is None else np.asarray(others)
        sums = self.gradient(working_weight)
        out = np.where(mine[:, None] == theirs, sums[mine][:, None], 0.0)
        if center is not None:
            out = recentre(
                out, sums[mine], sums[theirs], float(working_weight.sum()),
                center[mine], center[theirs],
            )  # fmt: skip
        if factor is not None:
            out *= np.outer(factor[mine], factor[theirs])
        return out

    def moments(self, sample_weight: Vector) -> tuple[Vector, Vector]:
        share = sample_weight / sample_weight.sum()
        sums = np.bincount(self.column, share, self.shape[1] + 1)
        rest = 1.0 - sums
        most = int(sums.argmax())
        # One minus nearly one would leave nothing of a light row.
        rest[most] = np.delete(sums, most).sum()
        mean = np.where(rest == 0.0, 1.0, sums)[:-1]
        sd = np.sqrt(mean * np.maximum(rest[:-1], 0.0))
        return mean, constant_to_zero(sd, np.ones_like(sd))

    def take(self, rows: Index) -> "Categorical":
        return Categorical(self.codes[rows], self.n_levels, self.drop)

    def select(self, columns: Index) -> "Categorical":
        home = np.full(self.shape[1] + 1, -1, dtype=np.int64)
        home[columns] = np.arange(len(columns))
        return Categorical(home[self.column], len(columns))

    def rows(self, first: int, last: int) -> "Categorical":
        part = copy(self)
        part.codes = self.codes[first:last]
        part.column = self.column[first:last]
        part.shape = (part.column.size, self.shape[1])
        part.swept = None
        return part

    @property
    def block_rows(self) -> int:
        return MOST_ROWS

    def indicator(self) -> Any:
        """Return the one-hot matrix (n, p), CSC with one entry a row."""
        rows = np.flatnonzero(self.column < self.shape[1])
        entries = (np.ones(rows.size), (rows, self.column[rows]))
        return sparse.coo_array(entries, shape=self.shape).tocsc()

    def columns(self) -> tuple[Columns, ...]:
        if self.swept is None:
            one = self.indicator()
            self.swept = (
                Columns(0, self.shape[1], None, one.data, one.indices, one.indptr),
            )
        return self.swept

    def to_dense(self) -> Matrix:
        dense: Matrix = self.indicator().toarray()
        return dense
