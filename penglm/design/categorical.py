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
from penglm.design.codes import encode, table_of


class Categorical(Design):
    """Indicator columns of the levels of a factor.

    Parameters
    ----------
    codes : integer array (n,)
        Level of each row; -1 for a row that belongs to none. Kept as the smallest
        integers that hold them.
    n_levels : int
    drop : int, optional
        Reference level, which gets no column.
    """

    def __init__(self, codes: Array, n_levels: int, drop: int | None = None) -> None:
        self.codes = encode(codes, int(n_levels), drop)
        self.shape = (len(self.codes.values), int(self.codes.widths[0]))
        self.swept: tuple[Columns, ...] | None = None

    def linear_predictor(self, coef: Array, columns: Index | None = None) -> Any:
        coef = np.asarray(coef, dtype=np.float64)
        table = table_of(self.codes, positions(columns, self.shape[1]), coef)
        out = np.zeros((self.shape[0], *coef.shape[1:]))
        self.codes.look_up(table, out)
        return out

    def gradient(self, row_values: Array, columns: Index | None = None) -> Any:
        return self.codes.sums(row_values)[positions(columns, self.shape[1])]

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
        return moments_of_shares(self.codes.sums(sample_weight / sample_weight.sum()))

    def take(self, rows: Index) -> "Categorical":
        return self.part(rows)

    def select(self, columns: Index) -> "Categorical":
        home = np.full(self.shape[1] + 1, -1, dtype=np.int64)
        home[columns] = np.arange(len(columns))
        return Categorical(home[self.codes.values[:, 0]], len(columns))

    def rows(self, first: int, last: int) -> "Categorical":
        return self.part(slice(first, last))

    def part(self, rows: Index | slice) -> "Categorical":
        """Return the same factor with these rows only; a view of a slice."""
        part = copy(self)
        part.codes = self.codes.take(rows)
        part.shape = (len(part.codes.values), self.shape[1])
        part.swept = None
        return part

    @property
    def n_stored(self) -> int:
        return self.shape[0]

    @property
    def block_rows(self) -> int:
        return MOST_ROWS

    def indicator(self) -> Any:
        """Return the one-hot matrix (n, p), CSC with one entry a row."""
        column = self.codes.values[:, 0]
        rows = np.flatnonzero(column < self.shape[1])
        entries = (np.ones(rows.size), (rows, column[rows].astype(np.int64)))
        return sparse.coo_array(entries, shape=self.shape).tocsc()

    def columns(self) -> tuple[Columns, ...]:
        if self.swept is None:
            one = self.indicator()
            self.swept = (
                Columns(0, self.shape[1], None, one.data, one.indices, one.indptr),
            )
        return self.swept

    def is_indicator(self) -> Any:
        return np.ones(self.shape[1], dtype=bool)

    def to_dense(self) -> Matrix:
        dense: Matrix = self.indicator().toarray()
        return dense


def moments_of_shares(sums: Vector) -> tuple[Vector, Vector]:
    """Return mean (p,) and sd (p,) of the columns of one factor.

    ``sums`` (p + 1,) are the shares of the weight by column, that of the rows without
    one last.
    """
    rest = 1.0 - sums
    most = int(sums.argmax())
    # One minus nearly one would leave nothing of a light row.
    rest[most] = np.delete(sums, most).sum()
    mean = np.where(rest == 0.0, 1.0, sums)[:-1]
    sd = np.sqrt(mean * np.maximum(rest[:-1], 0.0))
    return mean, constant_to_zero(sd, np.ones_like(sd))
