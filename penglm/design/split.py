"""Several storages side by side."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import sparse

from penglm._typing import Array, Index, Matrix, Vector
from penglm.design.base import Columns, Design, positions, symmetric
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
        chosen = positions(columns, self.shape[1])
        out = np.empty((chosen.size, *row_values.shape[1:]))
        for k, inside, places in self.pieces(chosen):
            out[places] = self.parts[k].gradient(row_values, inside)
        return out

    def gram(
        self,
        working_weight: Vector,
        columns: Index | None = None,
        others: Index | None = None,
        center: Vector | None = None,
    ) -> Matrix:
        mine = positions(columns, self.shape[1])
        theirs = mine if others is None else np.asarray(others)
        out = np.zeros((mine.size, theirs.size))
        for a, inside, rows in self.pieces(mine):
            for b, beside, cols in self.pieces(theirs):
                if others is None and b < a:
                    continue
                part = self.cross(a, inside, b, beside, working_weight, center)
                out[np.ix_(rows, cols)] = part
                if others is None:
                    out[np.ix_(cols, rows)] = part.T
        return symmetric(out) if others is None else out

    def cross(
        self,
        a: int,
        inside: Index,
        b: int,
        beside: Index,
        weight: Vector,
        center: Vector | None,
    ) -> Matrix:
        """Return the Gram block of two parts."""
        left, right = self.parts[a], self.parts[b]
        first = second = None
        if center is not None:
            first = center[self.starts[a] : self.starts[a + 1]]
            second = center[self.starts[b] : self.starts[b + 1]]
        if a == b:
            return left.gram(weight, inside, beside, first)
        if isinstance(right, Dense) and not isinstance(left, Dense):
            return cross_gram(right, beside, left, inside, weight, second, first).T
        return cross_gram(left, inside, right, beside, weight, first, second)

    def moments(self, sample_weight: Vector) -> tuple[Vector, Vector]:
        both = [part.moments(sample_weight) for part in self.parts]
        return (
            np.concatenate([mean for mean, _ in both]),
            np.concatenate([sd for _, sd in both]),
        )

    def take(self, rows: Index) -> "Split":
        return Split([part.take(rows) for part in self.parts])

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


def cross_gram(
    left: Design,
    inside: Index,
    right: Design,
    beside: Index,
    weight: Vector,
    first: Vector | None,
    second: Vector | None,
) -> Matrix:
    """Return ``(L - c)' diag(w) (R - d)`` of two storages; a dense one comes first.

    A dense part is centred a few columns at a time. The other part is zero nearly
    everywhere, so its centre is taken off afterwards, against sums already centred.
    """
    if not isinstance(left, Dense):
        return sparse_cross(left, inside, right, beside, weight, first, second)
    out = np.zeros((inside.size, beside.size))
    for start in range(0, inside.size, COLUMNS_AT_ONCE):
        chosen = inside[start : start + COLUMNS_AT_ONCE]
        part = left.X[:, chosen].astype(np.float64)
        part = part if first is None else part - first[chosen]
        part *= weight[:, None]
        rows = right.gradient(part, beside).T
        if second is not None:
            rows = rows - np.outer(part.sum(axis=0), second[beside])
        out[start : start + COLUMNS_AT_ONCE] = rows
    return out


def sparse_cross(
    left: Design,
    inside: Index,
    right: Design,
    beside: Index,
    weight: Vector,
    first: Vector | None,
    second: Vector | None,
) -> Matrix:
    """Return the block of two storages that are zero nearly everywhere."""
    if isinstance(left, Categorical) and isinstance(right, Categorical):
        out = contingency(left, right, weight)[np.ix_(inside, beside)]
    else:
        a, b = compressed(left, inside), compressed(right, beside)
        out = (a.T @ (sparse.diags_array(weight) @ b)).toarray()
    if first is None or second is None:
        return out
    here, there = left.gradient(weight, inside), right.gradient(weight, beside)
    c, d = first[inside], second[beside]
    out = out - np.outer(here, d) - np.outer(c, there)
    return out + float(weight.sum()) * np.outer(c, d)


def contingency(left: Categorical, right: Categorical, weight: Vector) -> Matrix:
    """Return the weighted cross table (p, q) of two factors."""
    p, q = left.shape[1] + 1, right.shape[1] + 1
    if p * q <= LARGEST_TABLE:
        cells: Vector = np.zeros(p * q)
        cells += np.bincount(left.column * q + right.column, weight, p * q)
        return cells.reshape(p, q)[:-1, :-1]
    a, b = left.indicator(), right.indicator()
    table: Matrix = (a.T @ (sparse.diags_array(weight) @ b)).toarray()
    return table


def compressed(part: Design, columns: Index) -> Any:
    """Return chosen columns of a sparse or categorical part, CSC."""
    if isinstance(part, Sparse):
        return part.chosen(columns)
    if isinstance(part, Categorical):
        return part.indicator()[:, columns]
    return sparse.csc_array(part.to_dense()[:, columns])
