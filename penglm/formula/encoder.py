"""What a formula remembers: levels, knots, means; enough to code new rows alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from penglm._typing import Vector
from penglm.design import Dense, Design, Split
from penglm.exceptions import FormulaError, PenglmInputError
from penglm.formula import coding
from penglm.formula.coding import Subterm
from penglm.formula.factor import (
    Labels,
    Numbers,
    evaluate,
    missing_rows,
    without_absent,
)
from penglm.formula.language import Shift, names_in
from penglm.formula.table import Table


@dataclass(frozen=True, eq=False)
class Known:
    """A factor with what it learnt from the rows of the fit.

    Attributes
    ----------
    factor : EvalFactor
    state : dict
        Of its stateful transforms.
    levels : tuple or None
        None for a numeric factor.
    absent : tuple of int
        Levels that were declared but never occurred.
    """

    factor: Any
    state: dict[str, Any]
    levels: tuple[Any, ...] | None
    absent: tuple[int, ...] = ()

    def value(self, data: Table, *, refuse: bool = True) -> Numbers | Labels:
        """Return the factor's value on a table, unseen levels refused or strange."""
        value = evaluate(self.factor, self.state, data, self.levels, refuse=refuse)
        if self.levels is None and isinstance(value, Labels):
            raise FormulaError(
                f"'{self.factor.code}' was a number when fitting, and is labels or "
                "booleans in this table; convert it.",
                argument=self.factor.code,
            )
        if self.absent and isinstance(value, Labels):
            return without_absent(value, self.absent, self.factor.code, refuse)
        return value


@dataclass(frozen=True, eq=False)
class Encoder:
    """Turns tables into designs as the first table was turned.

    Attributes
    ----------
    formula : str
        With every dot written out.
    columns : tuple of str
        Of the table that the design needs.
    factors : tuple of Known
    shifts : tuple of (Shift, Known)
    subterms : tuple of Subterm
    has_intercept : bool
    """

    formula: str
    columns: tuple[str, ...]
    factors: tuple[Known, ...]
    shifts: tuple[tuple[Shift, Known], ...]
    subterms: tuple[Subterm, ...]
    has_intercept: bool

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what a copy in another process is made of: no code, as in a file."""
        from penglm.formula.memory import packed, unpacked

        response = names_in(self.formula.partition("~")[0].strip())
        return unpacked, (packed(self, (*self.columns, *sorted(response))),)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, patsy's."""
        return tuple(name for part in self.subterms for name in part.names)

    @property
    def term_slices(self) -> dict[str, slice]:
        """Columns of each term."""
        out: dict[str, slice] = {}
        first = 0
        for part in self.subterms:
            last = first + len(part.names)
            begin = out[part.term].start if part.term in out else first
            out[part.term] = slice(begin, last)
            first = last
        return out

    def encode(
        self, data: Any, unknown: str = "error"
    ) -> tuple[Design, Vector | None, Any]:
        """Return design, offset (n,) if the formula has one, and missing rows (n,).

        Rows that miss a value are coded as if they were another row; the caller
        knows them by the third value.

        Parameters
        ----------
        data : table
        unknown : {"error", "zero", "nan"}
            What becomes of levels that were not seen before: refused, without a
            column of their own, or missing.

        Raises
        ------
        FormulaError
            If a column is absent or an unseen level is to be refused.
        """
        table = Table(data)
        for name in self.columns:
            if name not in table.names:
                raise absent_column(name, table.names)
        n_rows = table.n_given or 0
        bad = missing_rows(table, self.columns, n_rows)
        if bad.any():
            complete = np.flatnonzero(~bad)
            if not complete.size:
                return Dense(np.zeros((n_rows, len(self.names)))), None, bad
            rows = np.where(bad, complete[0], np.arange(n_rows))
            table = table.take(rows)
        values = {
            known.factor.code: known.value(table, refuse=unknown == "error")
            for known in self.factors
        }
        for value in values.values():
            gone = value.is_missing
            is_strange = value.strange if isinstance(value, Labels) else None
            if unknown == "zero" and is_strange is not None:
                gone = gone & ~is_strange
            bad = bad | gone
        offset = total_shift(self.shifts, table)
        if offset is not None:
            bad = bad | np.isnan(offset)
        return assemble(self.subterms, without_gaps(values), n_rows), offset, bad


def absent_column(name: str, known: Sequence[str]) -> FormulaError:
    """Return the error for a column that a table should have."""
    return FormulaError(
        f"the data has no column '{name}'; it has {', '.join(known[:20]) or 'none'}.",
        argument=name,
    )


def without_gaps(
    values: Mapping[str, Numbers | Labels],
) -> dict[str, Numbers | Labels]:
    """Return values with NaN replaced by 0, so that products stay finite."""
    return {
        name: Numbers(np.where(np.isnan(value.values), 0.0, value.values))
        if isinstance(value, Numbers) and value.is_missing.any()
        else value
        for name, value in values.items()
    }


def total_shift(shifts: Sequence[tuple[Shift, Known]], table: Table) -> Vector | None:
    """Return the sum (n,) of offsets and logarithms of exposures, None if none."""
    total: Vector | None = None
    for shift, known in shifts:
        value = known.value(table)
        if not isinstance(value, Numbers) or value.values.shape[1] != 1:
            raise FormulaError(
                f"the offset '{known.factor.code}' must be one number per row.",
                argument="formula",
            )
        column = value.values[:, 0]
        if shift.is_exposure:
            low = column <= 0.0
            if low.any():
                row = int(np.flatnonzero(low)[0])
                raise PenglmInputError(
                    f"exposure '{known.factor.code}' is {column[row]:g} in row {row}; "
                    "it must be positive. Leave rows without exposure out.",
                    argument="exposure",
                    index=row,
                )
            column = np.log(column)
        total = column if total is None else total + column
    return total


def assemble(
    subterms: Sequence[Subterm],
    values: Mapping[str, Numbers | Labels],
    n_rows: int,
) -> Design:
    """Put the blocks of all subterms side by side, neighbouring dense ones as one."""
    parts: list[Design] = []
    dense: list[Any] = []

    def close() -> None:
        if dense:
            parts.append(Dense(np.asfortranarray(np.hstack(dense))))
            dense.clear()

    for subterm in subterms:
        refuse_other_width(subterm, values)
        part = coding.block(subterm, values)
        if part.shape[0] != n_rows:
            raise FormulaError(
                f"the term '{subterm.term}' has {part.shape[0]} rows but the data has "
                f"{n_rows}.",
                argument="formula",
            )
        if isinstance(part, Dense):
            dense.append(part.X)
            continue
        close()
        parts.append(part)
    close()
    if not parts:
        return Dense(np.zeros((n_rows, 0)))
    return parts[0] if len(parts) == 1 else Split(parts)


def refuse_other_width(
    subterm: Subterm, values: Mapping[str, Numbers | Labels]
) -> None:
    """Raise if an expression gives more or fewer columns than it did when fitting."""
    for code, each in zip(subterm.factors, subterm.codings, strict=True):
        value = values[code]
        if not isinstance(value, Numbers):
            continue
        width = value.values.shape[1]
        if width != len(each.suffixes):
            raise FormulaError(
                f"'{code}' has {width} columns where the model has "
                f"{len(each.suffixes)}.",
                argument="formula",
            )
