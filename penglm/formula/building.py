"""From a formula and a table to a response, a design and what is remembered of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from penglm import arrays, checks
from penglm._typing import Index, Vector
from penglm.design import Design
from penglm.exceptions import FormulaError
from penglm.formula.encoder import (
    Encoder,
    Known,
    absent_column,
    assemble,
    total_shift,
)
from penglm.formula.factor import (
    Labels,
    Numbers,
    environment,
    evaluate,
    memorise,
    missing_rows,
)
from penglm.formula.language import Description, describe, names_in
from penglm.formula.planning import plan
from penglm.formula.table import Table, converted, is_missing

CODINGS = ("treatment", "full", "sum")


@dataclass(frozen=True, eq=False)
class Built:
    """What a formula made of a table, missing rows left out.

    Attributes
    ----------
    y : ndarray (n,) or (n, 2)
        Numbers; 0 and 1 where the response had labels.
    y_levels : tuple or None
        The labels that 0 and 1 stand for.
    y_name : str
    design : Design (n, p)
        Without the intercept.
    offset : Vector (n,) or None
    rows : Index (n,)
        Positions of the kept rows in the table.
    n_given : int
        Rows of the table.
    n_dropped : int
        Of them, those with a missing value.
    most_missing : str
        Column that misses the most values, and how many; empty if none does.
    encoder : Encoder
    extra : dict of array (n,)
    columns : tuple of str
        Names in the table.
    """

    y: Any
    y_levels: tuple[Any, Any] | None
    y_name: str
    design: Design
    offset: Vector | None
    rows: Index
    n_given: int
    n_dropped: int
    most_missing: str
    encoder: Encoder
    extra: dict[str, Any]
    columns: tuple[str, ...]


def build(
    formula: str,
    data: Any,
    *,
    coding: str = "treatment",
    missing: str = "drop",
    extra: Mapping[str, Any] | None = None,
    trusted: bool = True,
    env: int = 0,
) -> Built:
    """Turn a formula and a table into a response, a design and their names.

    Parameters
    ----------
    formula : str
    data : table, mapping of arrays, or None
    coding : {"treatment", "full", "sum"}
    missing : {"drop", "raise"}
    extra : mapping of str to column name or array (n,)
        What else goes with each row, under the same mask.
    trusted : bool
    env : int
        How many callers up free names are looked for.

    Raises
    ------
    FormulaError
        If the formula cannot be read or does not fit the data.
    """
    checks.choice(coding, CODINGS, "coding")
    checks.choice(missing, ("drop", "raise"), "missing")
    extra = dict(extra or {})
    table = Table(data)
    aside = [value for value in extra.values() if isinstance(value, str)]
    described = describe(formula, table.names, trusted=trusted, aside=aside)
    if not described.response:
        raise FormulaError(
            f"'{formula}' has no response; write it as 'y ~ ...'.", argument="formula"
        )
    scope = environment(env + 1, trusted)
    n_rows = count_rows(table, described, scope)
    bad, beside = incomplete(table, described, extra, n_rows)
    unused = weightless(beside, n_rows)
    bad &= ~unused
    refuse(bad, missing, "a missing value", table, described)
    bad |= unused
    rows = np.flatnonzero(~bad)
    if not rows.size:
        raise nothing_left(n_rows)
    part = table.take(rows) if bad.any() else table
    known, values = learn(described.factors, part, scope)
    _, answer = learn(list(described.response), part, scope)
    shifts = tuple(
        (shift, learn([shift.factor], part, scope)[0][0]) for shift in described.shifts
    )
    offset = total_shift(shifts, part)
    made = np.zeros(rows.size, dtype=bool)
    for name, value in (*answer.items(), *values.items()):
        made |= same_rows(value, name, rows.size).is_missing
    if offset is not None:
        made |= np.isnan(offset)
    refuse(made, missing, "a value that is not a number", table, described)
    kept = np.flatnonzero(~made)
    if not kept.size:
        raise nothing_left(n_rows)
    refuse_infinite(values, kept, rows)
    encoder = Encoder(
        described.text,
        tuple(variables(described, table, with_response=False)),
        tuple(known),
        shifts,
        tuple(plan(described.terms, values, coding)),
        described.has_intercept,
    )
    arrays.unique_names(encoder.names)
    design = assemble(encoder.subterms, values, rows.size)
    if kept.size < rows.size:
        design = design.take(kept)
    y, levels = response([taken(value, kept) for value in answer.values()], described)
    final = rows[kept]
    return Built(
        y=y,
        y_levels=levels,
        y_name=" + ".join(factor.code for factor in described.response),
        design=design,
        offset=None if offset is None else offset[kept],
        rows=final,
        n_given=n_rows,
        n_dropped=n_rows - final.size - int(unused.sum()),
        most_missing=most_missing(table, described),
        encoder=encoder,
        extra={name: np.asarray(value)[final] for name, value in beside.items()},
        columns=tuple(variables(described, table)),
    )


def variables(
    described: Description, table: Table, *, with_response: bool = True
) -> list[str]:
    """Return the columns that the formula mentions, in the table's order."""
    factors = [*(described.response if with_response else ()), *described.factors]
    factors += [shift.factor for shift in described.shifts]
    mentioned = {name for factor in factors for name in names_in(factor.code)}
    return [name for name in table.names if name in mentioned]


def count_rows(table: Table, described: Description, scope: Any) -> int:
    """Return the number of rows: the table's, or that of arrays from the scope."""
    if table.n_given is not None and variables(described, table):
        return table.n_given
    _, answer = learn(list(described.response[:1]), table, scope)
    (value,) = answer.values()
    return len(value)


def incomplete(
    table: Table, described: Description, extra: dict[str, Any], n_rows: int
) -> tuple[Any, dict[str, Any]]:
    """Return rows (n,) with a missing cell in a used column, and the extra columns."""
    beside = {}
    for argument, value in extra.items():
        if isinstance(value, str):
            if value not in table.names:
                raise absent_column(value, table.names)
            beside[argument] = table[value]
        else:
            arrays.same_index({"data": table, argument: value})
            beside[argument] = converted(value)
        if np.shape(beside[argument]) != (n_rows,):
            raise FormulaError(
                f"{argument} has shape {np.shape(beside[argument])} but the data has "
                f"{n_rows} rows.",
                argument=argument,
            )
    bad = missing_rows(table, variables(described, table), n_rows)
    for value in beside.values():
        bad |= is_missing(value)
    return bad, beside


def most_missing(table: Table, described: Description) -> str:
    """Return the used column that misses the most values, with their number."""
    counts = {
        name: int(is_missing(table[name]).sum()) for name in variables(described, table)
    }
    name = max(counts, key=lambda each: counts[each], default="")
    return f"'{name}', {counts[name]}" if counts.get(name) else ""


def weightless(beside: Mapping[str, Any], n_rows: int) -> Any:
    """Return rows (n,) of weight zero: no transform or level may learn from them."""
    out = np.zeros(n_rows, dtype=bool)
    for argument in ("freq_weights", "var_weights"):
        if argument in beside:
            out |= np.asarray(beside[argument]) == 0.0
    # Where every row is so, a check further up says it better.
    return out if not out.all() else np.zeros(n_rows, dtype=bool)


def learn(
    factors: list[Any], part: Table, scope: Any
) -> tuple[list[Known], dict[str, Numbers | Labels]]:
    """Memorise factors and return them with their values by code."""
    known, values = [], {}
    for factor in factors:
        state = memorise(factor, part, scope)
        value = evaluate(factor, state, part)
        levels = value.levels if isinstance(value, Labels) else None
        if levels is not None and not levels:
            raise FormulaError(
                f"'{factor.code}' has no level in any row; leave it out.",
                argument="formula",
            )
        absent: tuple[int, ...] = ()
        if isinstance(value, Labels):
            present = value.codes[value.codes >= 0]
            occurs = np.bincount(present, minlength=len(value.levels))
            absent = tuple(np.flatnonzero(occurs == 0).tolist())
        known.append(Known(factor, state, levels, absent))
        values[factor.code] = value
    return known, values


def same_rows(value: Numbers | Labels, name: str, n_rows: int) -> Numbers | Labels:
    """Raise unless a factor has one value per row."""
    if len(value) != n_rows:
        raise FormulaError(
            f"'{name}' has {len(value)} rows but the data has {n_rows}.",
            argument="formula",
        )
    return value


def taken(value: Numbers | Labels, rows: Index) -> Numbers | Labels:
    """Return some rows of a factor's value."""
    if isinstance(value, Labels):
        return Labels(value.codes[rows], value.levels, value.contrast)
    return Numbers(value.values[rows])


def response(
    parts: list[Numbers | Labels], described: Description
) -> tuple[Any, tuple[Any, Any] | None]:
    """Return the response as numbers, and its labels if it had any."""
    name = " + ".join(factor.code for factor in described.response)
    has_labels = any(isinstance(part, Labels) for part in parts)
    if len(parts) > 2 or (len(parts) == 2 and has_labels):
        raise FormulaError(
            f"the response '{name}' must be one variable, or two counts for successes "
            "and failures.",
            argument="formula",
        )
    first = parts[0]
    if isinstance(first, Labels):
        present = np.unique(first.codes)
        if present.size > 2:
            shown = ", ".join(str(first.levels[k]) for k in present[:5])
            raise FormulaError(
                f"the response '{name}' has {present.size} classes ({shown}); use one "
                "with two, or a number.",
                argument="formula",
            )
        pair = first.levels if len(first.levels) == 2 else None
        if pair is None:
            pair = tuple(first.levels[k] for k in present)
            if len(pair) != 2:
                raise FormulaError(
                    f"the response '{name}' has one class, '{pair[0]}', in every row.",
                    argument="formula",
                )
        return (first.codes == first.levels.index(pair[1])).astype(float), pair
    values = np.hstack([part.values for part in parts if isinstance(part, Numbers)])
    return (values[:, 0] if values.shape[1] == 1 else values), None


def refuse(
    bad: Any, missing: str, what: str, table: Table, described: Description
) -> None:
    """Raise if rows would be dropped and the caller asked not to."""
    if missing != "raise" or not bad.any():
        return
    row = int(np.flatnonzero(bad)[0])
    place = f"row {row}"
    for name in variables(described, table):
        if is_missing(table[name])[row]:
            place += f", column '{name}'"
            break
    raise FormulaError(
        f"data contains {what} in {int(bad.sum())} rows (first: {place}); penglm does "
        'not impute. Drop or impute these rows, or pass missing="drop".',
        argument="data",
        index=row,
    )


def refuse_infinite(
    values: Mapping[str, Numbers | Labels], kept: Index, rows: Index
) -> None:
    """Raise if a numeric factor is infinite in a row that is kept."""
    for name, value in values.items():
        if not isinstance(value, Numbers):
            continue
        wrong = np.flatnonzero(np.isinf(value.values[kept]).any(axis=1))
        if wrong.size:
            row = int(rows[kept[wrong[0]]])
            raise FormulaError(
                f"'{name}' is infinite in {wrong.size} rows (first: row {row}); use a "
                "transformation that is finite there, such as log1p.",
                argument="formula",
                index=row,
            )


def nothing_left(n_rows: int) -> FormulaError:
    """Return the error for a table without a complete row."""
    return FormulaError(
        f"none of {n_rows} rows is left after dropping missing values; nothing to fit.",
        argument="data",
    )
