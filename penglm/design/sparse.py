"""A sparse block, by columns."""

from typing import Any

import numpy as np
from scipy import sparse

from penglm._typing import Array, Index, Matrix, Vector
from penglm.design.base import (
    ALL_ROWS,
    CONSTANT,
    Columns,
    Design,
    chosen,
    positions,
    recentre,
    symmetric,
    unsigned,
)


class Sparse(Design):
    """A sparse matrix; never becomes dense.

    Parameters
    ----------
    X : SciPy sparse matrix or array (n, p)
        Any format. Duplicates are summed, explicit zeros removed, on an own copy where
        there are any.
    """

    def __init__(self, X: Any) -> None:
        number = np.float32 if X.dtype == np.float32 else np.float64
        given = sparse.csc_array(X)
        csc = given.astype(number)
        clean = csc.has_canonical_format and csc.data.all()
        if not clean:
            csc = csc.copy() if csc.data is given.data else csc
            csc.sum_duplicates()
            csc.eliminate_zeros()
        self.X = csc
        self.shape = (int(X.shape[0]), int(X.shape[1]))

    def chosen(self, columns: Index | None) -> Any:
        """Return the chosen columns, CSC float64."""
        part = self.X if columns is None else self.X[:, columns]
        return part.astype(np.float64, copy=False)

    def scaled(
        self, columns: Index | None, factor: Vector | None, shift: Vector | None = None
    ) -> Any:
        """Return the chosen columns, shifted and times their factors, CSC float64.

        Only entries are shifted: for columns that have one in every row.
        """
        part = self.chosen(columns)
        mine, counts = positions(columns, self.shape[1]), np.diff(part.indptr)
        data = part.data
        if shift is not None and shift[mine].any():
            data = data - np.repeat(shift[mine], counts)
        if factor is not None:
            data = data * np.repeat(factor[mine], counts)
        return sparse.csc_array((data, part.indices, part.indptr), shape=part.shape)

    def entries(self) -> tuple[Array, Array, Array]:
        """Return the arrays that kernels read: data, unsigned row numbers, bounds."""
        return self.X.data, unsigned(self.X.indices), self.X.indptr

    def linear_predictor(self, coef: Array, columns: Index | None = None) -> Any:
        coef = np.asarray(coef, dtype=np.float64)
        if columns is None or coef.ndim > 1:
            return self.chosen(columns) @ coef
        from penglm.kernels.compressed import add_columns

        out = np.zeros(self.shape[0])
        add_columns(*self.entries(), np.asarray(columns), coef, out)
        return out

    def gradient(self, row_values: Array, columns: Index | None = None) -> Any:
        from penglm.kernels.compressed import dot_columns, dot_many

        mine = positions(columns, self.shape[1])
        values = np.ascontiguousarray(row_values, dtype=np.float64)
        # One row for each vector: the slopes that belong together lie together.
        out = np.empty((*values.shape[1:], mine.size))
        product = dot_columns if values.ndim == 1 else dot_many
        product(*self.entries(), mine, values, out)
        return out.T

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
        if not (mine.size and theirs.size):
            return np.zeros((mine.size, theirs.size))
        if center is not None:
            # A full column is centred at once: far from zero nothing would be left.
            is_full = np.diff(self.X.indptr) == self.shape[0]
            shift, center = (
                np.where(is_full, center, 0.0),
                np.where(is_full, 0.0, center),
            )
        else:
            shift = None
        left = self.scaled(columns, factor, shift)
        right = left if others is None else self.scaled(others, factor, shift)
        weighted = sparse.diags_array(working_weight) @ right
        out = (left.T @ weighted).toarray()
        if center is not None:
            out = recentre(
                out, left.T @ working_weight, right.T @ working_weight,
                float(working_weight.sum()),
                center[mine] * chosen(factor, mine, 1.0),
                center[theirs] * chosen(factor, theirs, 1.0),
            )  # fmt: skip
        return symmetric(out) if others is None else out

    def moments(self, sample_weight: Vector) -> tuple[Vector, Vector]:
        from penglm.kernels.compressed import moments

        share = sample_weight / sample_weight.sum()
        mean, sd = np.zeros((2, self.shape[1]))
        moments(*self.entries(), share, CONSTANT, mean, sd)
        return mean, sd

    def take(self, rows: Index) -> "Sparse":
        return Sparse(self.X.tocsr()[rows].tocsc())

    def select(self, columns: Index) -> "Sparse":
        part = Sparse.__new__(Sparse)
        part.X = self.X[:, columns]
        part.shape = (self.shape[0], len(columns))
        return part

    def rows(self, first: int, last: int) -> "Sparse":
        """Return rows first to last - 1; a copy, unless they are all of them."""
        first, last, _ = slice(first, last).indices(self.shape[0])
        if (first, last) == (0, self.shape[0]):
            return self
        return Sparse(self.X[first:last])

    @property
    def n_stored(self) -> int:
        return int(self.X.nnz)

    @property
    def block_rows(self) -> int:
        # Entries lie column by column, so a part of the rows is a search in each.
        return ALL_ROWS

    def columns(self) -> tuple[Columns, ...]:
        X = self.X
        return (Columns(0, self.shape[1], None, X.data, X.indices, X.indptr),)

    def to_dense(self) -> Matrix:
        return self.X.toarray().astype(np.float64)
