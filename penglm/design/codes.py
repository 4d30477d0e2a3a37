"""Factors side by side as rows of small integers, and tables of their levels."""

from collections.abc import Sequence
from copy import copy

import numpy as np

from penglm._typing import Array, Index, Vector

# Rows whose places in an answer are looked up at a time. No power of two: columns that
# far apart would take each other's place in the cache.
ROWS_AT_ONCE = 6000


class Codes:
    """Levels of several factors, a row of integers for each row of the data.

    A table has a slot for each level that has a column, factor after factor, and behind
    every factor a spare one, for the rows whose level has none.

    Parameters
    ----------
    values : integer array (n, f)
        Column of the level of each row among those of its factor; the number of
        columns where it has none. C order.
    widths : Index (f,)
        Number of columns of each factor.
    """

    def __init__(self, values: Array, widths: Index) -> None:
        self.values = values
        self.widths = widths
        ends = np.cumsum(widths + 1)
        self.starts = ends - widths - 1
        self.n_slots = int(ends[-1]) if ends.size else 0

    @property
    def column_slots(self) -> Index:
        """Slots (p,) of the columns of all factors, one factor after the other."""
        return np.delete(np.arange(self.n_slots), self.starts + self.widths)

    def look_up(self, table: Array, out: Array) -> None:
        """Add to ``out`` (n,) or (n, m) what the table holds for the levels of a row.

        Parameters
        ----------
        table : ndarray (s,) or (s, m)
            One row for each slot.
        """
        from penglm.kernels import codes as kernels

        if table.ndim == 1:
            kernels.look_up(self.values, self.starts, table, out)
            return
        for k in range(table.shape[1]):
            column = np.zeros(out.shape[0])
            kernels.look_up(self.values, self.starts, table[:, k].copy(), column)
            out[:, k] += column

    def sums(self, row_values: Array) -> Array:
        """Return row values (n,) or (n, m) summed by level, (s,) or (s, m)."""
        from penglm.kernels import codes as kernels

        if row_values.ndim == 1:
            each = np.ascontiguousarray(row_values, dtype=np.float64)
            sums = np.zeros(self.n_slots)
            kernels.add_up(self.values, self.starts, each, sums)
            return sums
        everyone, slots = np.arange(len(self.widths)), np.arange(self.n_slots)
        table = np.zeros((row_values.shape[1], self.n_slots))
        for first in range(0, len(self.values), ROWS_AT_ONCE):
            rows = slice(first, first + ROWS_AT_ONCE)
            columns = np.ascontiguousarray(row_values[rows].T, dtype=np.float64)
            places = self.places(rows, everyone, slots)
            kernels.add_columns(places, columns, table)
        return table.T

    def places(self, rows: slice, members: Index, home: Index) -> Array:
        """Return where levels of some rows and factors stand in an answer, (f, n).

        ``home`` (s,) says so of each slot.
        """
        part = self.values[rows]
        # A table of 2**32 rows does not fit anywhere.
        out = np.empty((len(members), len(part)), dtype=np.uint32)
        if len(members):
            from penglm.kernels import codes as kernels

            kernels.place(part, self.starts, members, home, out)
        return out

    def take(self, rows: Index | slice) -> "Codes":
        """Return the same factors with these rows only; a view of a slice."""
        part = copy(self)
        part.values = self.values[rows]
        return part


def smallest(width: int) -> np.dtype[np.unsignedinteger]:
    """Return the smallest integer type that numbers so many columns and a spare one."""
    return np.min_scalar_type(width)


def encode(codes: Array, n_levels: int, drop: int | None) -> Codes:
    """Return one factor of levels (n,), -1 for none; ``drop`` has no column."""
    width = n_levels - (drop is not None)
    # Levels without a column share one place past the end; -1 is the last one.
    home = np.full(n_levels + 1, width, dtype=smallest(width))
    kept = np.delete(np.arange(n_levels), [] if drop is None else drop)
    home[kept] = np.arange(width)
    level = np.asarray(codes)
    level = level if level.dtype.kind in "iu" else level.astype(np.int64)
    return Codes(home[level][:, None], np.array([width]))


def side_by_side(factors: Sequence[Codes]) -> Codes:
    """Return the codes of several factors as one block, so that a row is one visit."""
    if len(factors) == 1:
        return factors[0]
    widths = np.array([int(factor.widths[0]) for factor in factors], dtype=np.int64)
    n_rows = len(factors[0].values) if factors else 0
    number = smallest(int(widths.max(initial=0)))
    values = np.empty((n_rows, len(factors)), dtype=number)
    for f, factor in enumerate(factors):
        values[:, f] = factor.values[:, 0]
    return Codes(values, widths)


def table_of(codes: Codes, slots: Index, numbers: Vector) -> Array:
    """Return a table with the numbers (k,) or (k, m) in these slots, zero elsewhere."""
    table = np.zeros((codes.n_slots, *numbers.shape[1:]))
    table[slots] = numbers
    return table
