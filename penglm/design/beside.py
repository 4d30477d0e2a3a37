"""Blocks of a Gram matrix between two parts of a design, whatever their storage.

Dense columns beside factors have a quicker road, in ``crossed``.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from penglm._typing import Index, Matrix, Vector
from penglm.design.base import Design, chosen, recentre
from penglm.design.categorical import Categorical
from penglm.design.dense import Dense
from penglm.design.sparse import Sparse

# Dense columns weighted at a time beside another part; n times this many numbers.
COLUMNS_AT_ONCE = 16


@dataclass(frozen=True, eq=False)
class Piece:
    """Chosen columns of one part, their centres and factors."""

    design: Design
    columns: Index
    center: Vector | None
    factor: Vector | None

    def gram(self, weight: Vector, others: Index) -> Matrix:
        """Return the Gram matrix (k, l) with other columns of the same part."""
        return self.design.gram(weight, self.columns, others, self.center, self.factor)

    def sums(self, weight: Vector) -> Vector:
        """Return ``X' w`` (k,) of the columns times their factors."""
        raw: Vector = self.design.gradient(weight, self.columns)
        return raw * chosen(self.factor, self.columns, 1.0)

    def centers(self) -> Vector:
        """Return the centres (k,) of the columns times their factors."""
        center = chosen(self.center, self.columns, 0.0)
        return center * chosen(self.factor, self.columns, 1.0)


def cross_gram(left: Piece, right: Piece, weight: Vector) -> Matrix:
    """Return ``L' diag(w) R`` of pieces of two parts."""
    if isinstance(left.design, Dense):
        return dense_cross(left.design, left, right, weight)
    if isinstance(right.design, Dense):
        return dense_cross(right.design, right, left, weight).T
    return sparse_cross(left, right, weight)


def dense_cross(store: Dense, left: Piece, right: Piece, weight: Vector) -> Matrix:
    """Return the block of a dense piece and any other.

    The dense piece is centred a few columns at a time. The other one may be zero nearly
    everywhere, so its centre is taken off afterwards, against sums already centred.
    """
    out = np.zeros((left.columns.size, right.columns.size))
    center = chosen(right.center, right.columns, 0.0)
    for start in range(0, left.columns.size, COLUMNS_AT_ONCE):
        few = left.columns[start : start + COLUMNS_AT_ONCE]
        part = store.X[:, few].astype(np.float64)
        part -= chosen(left.center, few, 0.0)
        part *= chosen(left.factor, few, 1.0)
        part *= weight[:, None]
        rows = right.design.gradient(part, right.columns).T
        rows = rows - np.outer(part.sum(axis=0), center)
        out[start : start + COLUMNS_AT_ONCE] = rows
    return out * chosen(right.factor, right.columns, 1.0)


def sparse_cross(left: Piece, right: Piece, weight: Vector) -> Matrix:
    """Return the block of two storages that are zero nearly everywhere."""
    weighted = sparse.diags_array(weight) @ compressed(right)
    out: Matrix = (compressed(left).T @ weighted).toarray()
    if left.center is None:
        return out
    return recentre(
        out, left.sums(weight), right.sums(weight), float(weight.sum()),
        left.centers(), right.centers(),
    )  # fmt: skip


def compressed(piece: Piece) -> Any:
    """Return the columns of a piece times their factors, CSC."""
    design = piece.design
    if isinstance(design, Sparse):
        return design.scaled(piece.columns, piece.factor)
    matrix = (
        design.indicator()[:, piece.columns]
        if isinstance(design, Categorical)
        else sparse.csc_array(design.to_dense()[:, piece.columns])
    )
    return matrix @ sparse.diags_array(chosen(piece.factor, piece.columns, 1.0))
