"""The Gram matrix of dense columns and factors side by side, in one pass over the rows.

Dense columns are centred and scaled a block of rows at a time, before anything is
squared. Two factors meet in a table of weights, a dense column and a factor in sums by
level; their levels are zero nearly everywhere, so their centres are taken off
afterwards, against sums already centred.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from penglm._typing import Array, Index, Matrix, Vector
from penglm.design.base import chosen, recentre, symmetric
from penglm.design.codes import ROWS_AT_ONCE, Codes
from penglm.design.dense import Dense, rows_at_once


@dataclass(frozen=True, eq=False)
class Picked:
    """Chosen columns of a dense part, their centres and factors (k,).

    Attributes
    ----------
    store : Dense
    columns : Index (k,)
    center, factor : Vector (k,) or None
    """

    store: Dense
    columns: Index
    center: Vector | None
    factor: Vector | None

    def write(self, rows: slice, out: Matrix) -> None:
        """Write some rows of the columns, centred and scaled, to ``out`` (k, n)."""
        part = self.store.X[rows]
        part = part[:, as_slice(self.columns)]
        if self.center is None:
            out[:] = part.T
        else:
            np.subtract(part.T, self.center[:, None], out=out)
        if self.factor is not None:
            out *= self.factor[:, None]


@dataclass(frozen=True, eq=False)
class Side:
    """The columns on one side of a Gram matrix: dense ones first, then levels.

    Attributes
    ----------
    dense : sequence of Picked
    codes : Codes
        Of all factors, those without a chosen level among them.
    slots : Index (l,)
        Chosen levels, as slots of ``codes``.
    center, factor : Vector (l,) or None
        Of the chosen levels.
    """

    dense: Sequence[Picked]
    codes: Codes
    slots: Index
    center: Vector | None
    factor: Vector | None

    @property
    def n_dense(self) -> int:
        """Number of dense columns."""
        return sum(len(part.columns) for part in self.dense)

    @property
    def members(self) -> Index:
        """The factors that have a chosen level."""
        found: Index = np.unique(
            np.searchsorted(self.codes.starts, self.slots, side="right") - 1
        )
        return found

    @property
    def width(self) -> int:
        """Number of columns of a table of the chosen levels and the spare ones."""
        return len(self.slots) + len(self.codes.widths)

    def home(self) -> Index:
        """Return where each slot stands in such a table, unchosen ones past the end.

        A place of its own for the rest of each factor: additions to one and the same
        number wait for each other.
        """
        factor = np.repeat(np.arange(len(self.codes.widths)), self.codes.widths + 1)
        home: Index = len(self.slots) + factor
        home[self.slots] = np.arange(len(self.slots))
        return home

    def block(self, rows: slice, n_rows: int) -> Matrix:
        """Return some rows of the dense columns, centred and scaled, (k, n)."""
        out = np.empty((self.n_dense, n_rows))
        first = 0
        for part in self.dense:
            last = first + len(part.columns)
            part.write(rows, out[first:last])
            first = last
        return out


def gram(weight: Vector, left: Side, right: Side) -> Matrix:
    """Return ``L' diag(w) R`` (k, l); exactly symmetric if ``left`` is ``right``."""
    same = left is right
    codes = left.codes
    k, m = left.n_dense, right.n_dense
    home = left.home(), right.home()
    members = left.members, right.members
    a, b = meetings(*members, once=same)
    numbers = np.zeros((k, m))
    table = np.zeros(left.width * right.width)
    by_level = np.zeros((k, right.width)), np.zeros((m, left.width))
    sums = np.zeros(k), np.zeros(m)
    for rows in blocks(len(weight), max(k, m)):
        w = weight[rows]
        A = codes.places(rows, members[0], home[0])
        B = A if same else codes.places(rows, members[1], home[1])
        add_meetings(A, B, a, b, w, right.width, table)
        if k:
            Z = left.block(rows, len(w))
            if same:
                # Half the work of a product of two matrices.
                root = np.sqrt(w)
                Z *= root
                numbers += Z @ Z.T
                Z *= root
            else:
                Z *= w
                if m:
                    numbers += Z @ right.block(rows, len(w)).T
            add_block(B, Z, by_level[0], sums[0])
        if m and not same:
            Z = right.block(rows, len(w))
            Z *= w
            add_block(A, Z, by_level[1], sums[1])
    out = np.empty((k + len(left.slots), m + len(right.slots)))
    out[:k, :m] = numbers
    out[:k, m:] = beside_levels(by_level[0], sums[0], right)
    if same:
        out[k:, :m] = out[:k, m:].T
    else:
        out[k:, :m] = beside_levels(by_level[1], sums[1], left).T
    out[k:, m:] = levels(table.reshape(left.width, right.width), weight, left, right)
    return symmetric(out) if same else out


def blocks(n_rows: int, n_dense: int) -> list[slice]:
    """Return slices of rows, so many that dense columns and places stay in cache."""
    step = min(rows_at_once(n_dense), ROWS_AT_ONCE)
    return [slice(first, first + step) for first in range(0, n_rows, step)]


def meetings(left: Index, right: Index, *, once: bool) -> tuple[Index, Index]:
    """Return pairs of different factors, as positions in two lists of them."""
    pairs = [
        (p, q)
        for p, a in enumerate(left.tolist())
        for q, b in enumerate(right.tolist())
        if (a < b if once else a != b)
    ]
    both = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return both[:, 0].copy(), both[:, 1].copy()


def add_meetings(
    A: Array, B: Array, a: Index, b: Index, weight: Vector, width: int, table: Vector
) -> None:
    """Add the weights of some rows to the cells where their levels meet."""
    from penglm.kernels import codes as kernels

    if a.size:
        kernels.cross(A, B, a, b, np.ascontiguousarray(weight), width, table)


def add_block(places: Array, Z: Matrix, by_level: Matrix, sums: Vector) -> None:
    """Add weighted dense columns (k, n) to their sums, by level and in all."""
    from penglm.kernels import codes as kernels

    if len(places):
        kernels.add_columns(places, Z, by_level)
        sums += Z.sum(axis=1)


def beside_levels(by_level: Matrix, sums: Vector, side: Side) -> Matrix:
    """Return the block (k, l) of dense columns, centred by now, and levels."""
    out = by_level[:, : len(side.slots)]
    if side.center is not None:
        out = out - np.outer(sums, side.center)
    return out if side.factor is None else out * side.factor


def levels(table: Matrix, weight: Vector, left: Side, right: Side) -> Matrix:
    """Return the block (k, l) of levels beside levels, from where factors meet."""
    out = table[: len(left.slots), : len(right.slots)].copy()
    if not out.size:
        return out
    if left is right:
        out += out.T.copy()
    # A factor beside itself is a diagonal.
    sums = left.codes.sums(weight)
    _, here, there = np.intersect1d(left.slots, right.slots, return_indices=True)
    out[here, there] += sums[left.slots[here]]
    if left.center is not None and right.center is not None:
        out = recentre(
            out, sums[left.slots], sums[right.slots], float(weight.sum()),
            left.center, right.center,
        )  # fmt: skip
    if left.factor is not None:
        out *= np.outer(left.factor, chosen(right.factor, np.arange(out.shape[1]), 1.0))
    return out


def as_slice(columns: Index) -> Index | slice:
    """Return neighbouring columns as a slice, which picks them without a copy."""
    first, n_columns = int(columns[0]), len(columns)
    if np.array_equal(columns, np.arange(first, first + n_columns)):
        return slice(first, first + n_columns)
    return columns
