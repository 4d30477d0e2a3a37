"""Several storages side by side."""

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from penglm import threads
from penglm._typing import Array, Index, Matrix, Vector
from penglm.design import crossed
from penglm.design.base import ALL_ROWS, Columns, Design, positions, symmetric
from penglm.design.beside import Piece, cross_gram
from penglm.design.categorical import Categorical, moments_of_shares
from penglm.design.codes import side_by_side, table_of
from penglm.design.dense import Dense
from penglm.exceptions import PenglmInputError

# Fewer rows than this are not worth a kernel.
LEAST_EXPANDED = 20_000


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
        factors = [part for part in flat if isinstance(part, Categorical)]
        self.codes = side_by_side([factor.codes for factor in factors])
        # Where each column stands in a table of all levels; -1 if it is no level.
        self.slots = np.full(self.shape[1], -1, dtype=np.int64)
        is_factor = [isinstance(part, Categorical) for part in flat]
        self.slots[np.repeat(is_factor, widths)] = self.codes.column_slots

    def pieces(self, columns: Index) -> Iterator[tuple[int, Index, Index]]:
        """Yield (part, columns inside it, their places in ``columns``)."""
        if np.all(columns[:-1] <= columns[1:]):
            ends = np.searchsorted(columns, self.starts)
            for k in np.flatnonzero(ends[:-1] < ends[1:]).tolist():
                mine = np.arange(ends[k], ends[k + 1])
                yield k, columns[mine] - self.starts[k], mine
            return
        home = np.searchsorted(self.starts, columns, side="right") - 1
        for k in np.unique(home).tolist():
            places = np.flatnonzero(home == k)
            yield k, columns[places] - self.starts[k], places

    def numeric(self, columns: Index) -> Iterator[tuple[Design, Index, Index]]:
        """Yield the same of the parts that are no factors, the parts themselves."""
        for k, inside, places in self.pieces(columns):
            if not isinstance(self.parts[k], Categorical):
                yield self.parts[k], inside, places

    def linear_predictor(self, coef: Array, columns: Index | None = None) -> Any:
        coef = np.asarray(coef, dtype=np.float64)
        picked = positions(columns, self.shape[1])
        out: Array | None = None
        for part, inside, places in self.numeric(picked):
            eta = part.linear_predictor(coef[places], whole_or(inside, part))
            out = eta if out is None else np.add(out, eta, out=out)
        if out is None:
            out = np.zeros((self.shape[0], *coef.shape[1:]))
        slots = self.slots[picked]
        is_level = slots >= 0
        if is_level.any():
            table = table_of(self.codes, slots[is_level], coef[is_level])
            self.codes.look_up(table, out)
        return out

    def gradient(self, row_values: Array, columns: Index | None = None) -> Any:
        picked = positions(columns, self.shape[1])
        out = np.empty((picked.size, *row_values.shape[1:]))
        for part, inside, places in self.numeric(picked):
            out[places] = part.gradient(row_values, whole_or(inside, part))
        slots = self.slots[picked]
        is_level = slots >= 0
        if is_level.any():
            out[is_level] = self.codes.sums(row_values)[slots[is_level]]
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
        numbers = self.numbers
        if numbers is None or self.shape[0] < LEAST_EXPANDED:
            return None
        from penglm.kernels import rows

        m, codes = intercepts.size, self.codes
        is_level = self.slots >= 0
        table = np.zeros((codes.n_slots, m))
        table[self.slots[is_level]] = coefs[is_level]
        start = np.ascontiguousarray(coefs[~is_level])

        def part(some: slice) -> tuple[Matrix, Matrix, Matrix]:
            found, levels = np.zeros_like(start), np.zeros_like(table)
            sums = np.empty((3, m, -(-(some.stop - some.start) // rows.PIECE)))
            rows.expand_mixed(
                kind, numbers, codes.values, codes.starts, some.start, some.stop, start,
                table, intercepts, offset, y, sample_weight, found, levels, sums,
            )  # fmt: skip
            return sums.sum(axis=2), found, levels

        width = numbers.shape[1] + codes.values.shape[1]
        pieces = threads.cut(self.shape[0], width, table.size)
        sums, found, levels = threads.total(part, pieces)
        slopes = np.empty((self.shape[1], m))
        slopes[~is_level], slopes[is_level] = found, levels[self.slots[is_level]]
        return sums, slopes

    @cached_property
    def numbers(self) -> Array | None:
        """The one dense part (n, q) beside factors, rows contiguous; None if unlike."""
        others = [part for part in self.parts if not isinstance(part, Categorical)]
        if not others:
            return np.zeros((self.shape[0], 0))
        only = others[0]
        # Along contiguous columns products are faster: 15 ms for 500,000 x 16, not 19.
        if (
            len(others) > 1
            or not isinstance(only, Dense)
            or not only.X.flags.c_contiguous
        ):
            return None
        return only.X

    @property
    def n_stored(self) -> int:
        return sum(part.n_stored for part in self.parts)

    @property
    def gram_passes(self) -> float:
        # Of factors only the levels that a row has meet each other.
        others = [part for part in self.parts if not isinstance(part, Categorical)]
        return 2.0 + sum(part.gram_passes for part in others)

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
        left, rows = self.side(mine, center, factor)
        right, cols = (left, rows)
        if others is not None:
            right, cols = self.side(theirs, center, factor)
        if rows.size and cols.size:
            out[np.ix_(rows, cols)] = crossed.gram(working_weight, left, right)
        across = list(self.pieces(theirs))
        for a, inside, rows in self.pieces(mine):
            for b, beside, cols in across:
                if others is None and b < a:
                    continue
                if is_crossed(self.parts[a]) and is_crossed(self.parts[b]):
                    continue
                first = self.piece(a, inside, center, factor)
                second = self.piece(b, beside, center, factor)
                if a == b:
                    part = first.gram(working_weight, beside)
                else:
                    part = cross_gram(first, second, working_weight)
                out[np.ix_(rows, cols)] = part
                if others is None:
                    out[np.ix_(cols, rows)] = part.T
        return symmetric(out) if others is None else out

    def side(
        self, columns: Index, center: Vector | None, factor: Vector | None
    ) -> tuple[crossed.Side, Index]:
        """Return dense columns and levels among these, and their places in them."""
        dense, found = [], [np.zeros(0, dtype=np.int64)]
        for part, inside, places in self.numeric(columns):
            if isinstance(part, Dense):
                both = of(center, columns[places]), of(factor, columns[places])
                dense.append(crossed.Picked(part, inside, *both))
                found.append(places)
        places = np.flatnonzero(self.slots[columns] >= 0)
        level = columns[places]
        both = of(center, level), of(factor, level)
        side = crossed.Side(dense, self.codes, self.slots[level], *both)
        return side, np.concatenate([*found, places])

    def piece(
        self, k: int, columns: Index, center: Vector | None, factor: Vector | None
    ) -> Piece:
        """Return chosen columns of a part with what is done to them."""
        mine = slice(self.starts[k], self.starts[k + 1])
        return Piece(self.parts[k], columns, of(center, mine), of(factor, mine))

    def moments(self, sample_weight: Vector) -> tuple[Vector, Vector]:
        mean, sd = np.empty(self.shape[1]), np.empty(self.shape[1])
        share = sample_weight / sample_weight.sum()
        sums = self.codes.sums(share) if self.codes.n_slots else np.zeros(0)
        by_factor = iter(np.split(sums, self.codes.starts[1:]))
        for part, first in zip(self.parts, self.starts.tolist(), strict=False):
            mine = slice(first, first + part.shape[1])
            if isinstance(part, Categorical):
                mean[mine], sd[mine] = moments_of_shares(next(by_factor))
            else:
                mean[mine], sd[mine] = part.moments(sample_weight)
        return mean, sd

    def take(self, rows: Index) -> "Split":
        return Split([part.take(rows) for part in self.parts])

    def select(self, columns: Index) -> "Split":
        if not len(columns):
            return Split([self.parts[0].select(columns)])
        return Split(
            [self.parts[k].select(inside) for k, inside, _ in self.pieces(columns)]
        )

    def rows(self, first: int, last: int) -> "Split":
        part = copy(self)
        part.parts = tuple(each.rows(first, last) for each in self.parts)
        part.codes = self.codes.take(slice(first, last))
        part.shape = (part.parts[0].shape[0], self.shape[1])
        part.__dict__.pop("numbers", None)
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

    def is_indicator(self) -> Any:
        return np.concatenate([part.is_indicator() for part in self.parts])

    def to_dense(self) -> Matrix:
        return np.hstack([part.to_dense() for part in self.parts])


def is_crossed(part: Design) -> bool:
    """Tell whether a part is among those that ``crossed`` takes together."""
    return isinstance(part, Dense | Categorical)


def of(values: Vector | None, columns: Index | slice) -> Vector | None:
    """Return the values (k,) of some columns, None where there are none."""
    return None if values is None else values[columns]


def whole_or(columns: Index, part: Design) -> Index | None:
    """Return None where these are all columns of a part in their order."""
    everyone = np.arange(part.shape[1])
    return None if np.array_equal(columns, everyone) else columns
