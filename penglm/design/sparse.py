"""A sparse block, by columns."""

from typing import Any

import numpy as np
from scipy import sparse

from penglm._typing import Array, Index, Matrix, Vector
from penglm.design.base import (
    Columns,
    Design,
    constant_to_zero,
    positions,
    power_of_two,
    recentre,
    symmetric,
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

    def linear_predictor(self, coef: Array, columns: Index | None = None) -> Any:
        return self.chosen(columns) @ np.asarray(coef, dtype=np.float64)

    def gradient(self, row_values: Array, columns: Index | None = None) -> Any:
        return self.chosen(columns).T @ row_values

    def gram(
        self,
        working_weight: Vector,
        columns: Index | None = None,
        others: Index | None = None,
        center: Vector | None = None,
    ) -> Matrix:
        left = self.chosen(columns)
        right = left if others is None else self.chosen(others)
        weighted = sparse.diags_array(working_weight) @ right
        out = (left.T @ weighted).toarray()
        if center is not None:
            mine = positions(columns, self.shape[1])
            theirs = mine if others is None else others
            out = recentre(
                out, left.T @ working_weight, right.T @ working_weight,
                float(working_weight.sum()), center, mine, theirs,
            )  # fmt: skip
        return symmetric(out) if others is None else out

    def moments(self, sample_weight: Vector) -> tuple[Vector, Vector]:
        X = self.chosen(None)
        size = np.zeros(self.shape[1])
        column = np.repeat(np.arange(self.shape[1]), np.diff(X.indptr))
        np.maximum.at(size, column, np.abs(X.data))
        unit = power_of_two(size)
        share = sample_weight / sample_weight.sum()
        value = X.data / unit[column]
        part = share[X.indices]
        n_features = self.shape[1]
        filled = np.bincount(column, part, n_features)
        mean = np.bincount(column, part * value, n_features)
        square = np.bincount(column, part * (value - mean[column]) ** 2, n_features)
        # Rows without an entry differ from the mean by the mean itself.
        full = np.diff(X.indptr) == self.shape[0]
        square += np.where(full, 0.0, np.maximum(1.0 - filled, 0.0)) * mean**2
        sd = constant_to_zero(np.sqrt(square), size / unit)
        return mean * unit, sd * unit

    def take(self, rows: Index) -> "Sparse":
        return Sparse(self.X.tocsr()[rows].tocsc())

    def columns(self) -> tuple[Columns, ...]:
        X = self.X
        return (Columns(0, self.shape[1], None, X.data, X.indices, X.indptr),)

    def to_dense(self) -> Matrix:
        return self.X.toarray().astype(np.float64)
