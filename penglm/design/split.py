"""Several storages side by side."""

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse

from penglm._typing import Array, Index, Matrix, Vector
from penglm.design.base import (
    ALL_ROWS,
    Columns,
    Design,
    chosen,
    positions,
    recentre,
    symmetric,
)
from penglm.design.categorical import Categorical
from penglm.design.dense import Dense
from penglm.design.sparse import Sparse
from penglm.exceptions import PenglmInputError

# Dense columns weighted at a time beside another part; n times this many numbers.
COLUMNS_AT_ONCE = 16
# Cross tables up to this many cells are filled directly.
LARGEST_TABLE = 4_000_000


class Split(Design):
    """Designs of the same rows, side by side; columns in the order of the parts.

    Parameters
    ----------
    parts : sequence of Design
    """

    def __init__(self, parts: Sequence[Design]) -> None:
        flat: list[Design] = []
        for part in parts:
            flat.extend(part.parts if isinstance(part, Split) else [part])
        rows = {part.shape[0] for part in flat}
        if len(rows) != 1:
            raise PenglmInputError(
                f"parts of a design have {sorted(rows)} rows; they must agree.",
                argument="parts",
            )
        self.parts: tuple[Design, ...] = tuple(flat)
        widths = [part.shape[1] for part in flat]
        self.starts = np.concatenate([[0], np.cumsum(widths)]).astype(np.int64)
        self.shape = (rows.pop(), int(self.starts[-1]))

    def pieces(self, columns: Index) -> Iterator[tuple[int, Index, Index]]:
        """Yield (part, columns inside it, their places in ``columns``)."""
        if np.all(columns[:-1] <= columns[1:]):
            ends = np.searchsorted(columns, self.starts)
            for k in np.flatnonzero(ends[:-1] < ends[1:]).tolist():
                mine = np.arange(ends[k], ends[k + 1])
                yield k, columns[mine] - self.starts[k], mine
            return
        home = np.searchsorted(self.starts, columns, side="right") - 1
        for k in range(len(self.parts)):
            places = np.flatnonzero(home == k)
            if places.size:
                yield k, columns[places] - self.starts[k], places

    def linear_predictor(self, coef: Array, columns: Index | None = None) -> Any:
        coef = np.asarray(coef, dtype=np.float64)
        out = np.zeros((self.shape[0], *coef.shape[1:]))
        for k, inside, places in self.pieces(positions(columns, self.shape[1])):
            out += self.parts[k].linear_predictor(coef[places], inside)
        return out

    def gradient(self, row_values: Array, columns: Index | None = None) -> Any:
        if columns is None:
            return np.concatenate([part.gradient(row_values) for part in self.parts])
        picked = np.asarray(columns)
        out = np.empty((picked.size, *row_values.shape[1:]))
        for k, inside, places in self.pieces(picked):
            out[places] = self.parts[k].gradient(row_values, inside)
        return out

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
        out = np.zeros((mine.size, theirs.size))
        for a, inside, rows in self.pieces(mine):
            for b, beside, cols in self.pieces(theirs):
                if others is None and b < a:
                    continue
                left = self.piece(a, inside, center, factor)
                right = self.piece(b, beside, center, factor)
                if a == b:
                    part = left.gram(working_weight, beside)
                else:
                    part = cross_gram(left, right, working_weight)
                out[np.ix_(rows, cols)] = part
                if others is None:
                    out[np.ix_(cols, rows)] = part.T
        return symmetric(out) if others is None else out

    def piece(
        self, k: int, columns: Index, center: Vector | None, factor: Vector | None
    ) -> "Piece":
        """Return chosen columns of a part with what is done to them."""
        mine = slice(self.starts[k], self.starts[k + 1])
        return Piece(
            self.parts[k],
            columns,
            None if center is None else center[mine],
            None if factor is None else factor[mine],
        )

    def moments(self, sample_weight: Vector) -> tuple[Vector, Vector]:
        both = [part.moments(sample_weight) for part in self.parts]
        return (
            np.concatenate([mean for mean, _ in both]),
            np.concatenate([sd for _, sd in both]),
        )

    def take(self, rows: Index) -> "Split":
        return Split([part.take(rows) for part in self.parts])

    def select(self, columns: Index) -> "Split":
        return Split(
            [self.parts[k].select(inside) for k, inside, _ in self.pieces(columns)]
        )

    def rows(self, first: int, last: int) -> "Split":
        part = copy(self)
        part.parts = tuple(each.rows(first, last) for each in self.parts)
        part.shape = (part.parts[0].shape[0], self.shape[1])
        return part

    @property
    def block_rows(self) -> int:
        wanted = [part.block_rows for part in self.parts]
        # To cut up one part costs more than the cache saves on the others.
        return ALL_ROWS if ALL_ROWS in wanted else min(wanted)

    def columns(self) -> tuple[Columns, ...]:
        found: list[Columns] = []
        for part, start in zip(self.parts, self.starts.tolist(), strict=False):
            found.extend(
                replace(piece, start=piece.start + start, stop=piece.stop + start)
                for piece in part.columns()
            )
        return tuple(found)

    def to_dense(self) -> Matrix:
        return np.hstack([part.to_dense() for part in self.parts])


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
    a, b = left.design, right.design
    if isinstance(a, Categorical) and isinstance(b, Categorical):
        out = contingency(a, b, weight, left.columns, right.columns)
        out = out * chosen(left.factor, left.columns, 1.0)[:, None]
        out *= chosen(right.factor, right.columns, 1.0)
    else:
        weighted = sparse.diags_array(weight) @ compressed(right)
        out = (compressed(left).T @ weighted).toarray()
    if left.center is None:
        return out
    return recentre(
        out, left.sums(weight), right.sums(weight), float(weight.sum()),
        left.centers(), right.centers(),
    )  # fmt: skip


def contingency(
    left: Categorical,
    right: Categorical,
    weight: Vector,
    inside: Index | None = None,
    beside: Index | None = None,
) -> Matrix:
    """Return the weighted cross table (k, l) of chosen levels of two factors."""
    row, n_rows = placed(left, inside)
    column, n_columns = placed(right, beside)
    if (n_rows + 1) * (n_columns + 1) <= LARGEST_TABLE:
        wide = n_columns + 1
        cells: Vector = np.zeros((n_rows + 1) * wide)
        cells += np.bincount(row * wide + column, weight, cells.size)
        return cells.reshape(n_rows + 1, wide)[:-1, :-1]
    met = (row < n_rows) & (column < n_columns)
    entries = (weight[met], (row[met], column[met]))
    table: Matrix = sparse.coo_array(entries, shape=(n_rows, n_columns)).toarray()
    return table


def placed(factor: Categorical, columns: Index | None) -> tuple[Index, int]:
    """Return where each row's level stands in ``columns``, past the end if nowhere."""
    if columns is None:
        return factor.column, factor.shape[1]
    home = np.full(factor.shape[1] + 1, columns.size, dtype=np.int64)
    home[columns] = np.arange(columns.size)
    return home[factor.column], columns.size


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
