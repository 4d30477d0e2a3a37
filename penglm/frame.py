"""The model frame: one row mask over everything a caller passed."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from penglm import arrays, checks, response
from penglm._typing import Index, Mask, Vector
from penglm.design import Design, as_design
from penglm.exceptions import DroppedRowsWarning, PenglmInputError, warn
from penglm.families import Family
from penglm.results.data import ModelData

ARGUMENTS = ("offset", "exposure", "freq_weights", "var_weights")
"""What may go with each row besides the response."""


def from_arrays(
    endog: Any, exog: Any, family: Family, extra: Mapping[str, Any], missing: str
) -> ModelData:
    """Check arrays and tables, and keep the rows that can be used.

    Parameters
    ----------
    endog, exog
        As ``PenalizedGLM`` takes them.
    family : Family
    extra : mapping
        Values of ``ARGUMENTS``; None where not given.
    missing : {"raise", "drop"}

    Raises
    ------
    PenglmInputError
        If lengths differ, a value is missing, or a weight is negative.
    """
    checks.choice(missing, ("raise", "drop"), "missing")
    arrays.same_index({"exog": exog, "endog": endog, **extra})
    if isinstance(exog, Design):
        table = None
        n_rows, p = exog.shape
        names = arrays.default_names(p)
    else:
        table = arrays.table(exog)
        n_rows = table.values.shape[0]
        names = table.names
    if not n_rows:
        raise PenglmInputError("exog has no rows; nothing to fit.", argument="exog")
    weights, counts = product_of_weights(extra, n_rows, missing)
    # What a row of weight zero holds does not matter: it is not there.
    counted = weights != 0.0
    is_long_enough = response.shape_of(endog)[:1] == (n_rows,)
    answer = response.read(endog, family, counted if is_long_enough else None)
    arrays.same_length(answer.y, "endog", n_rows)
    weights = of_trials(weights, answer.trials, extra)
    counted = weights != 0.0
    shifts = shifts_of(extra, family, n_rows, counted=counted)
    bad = {name: arrays.missing_rows(part) for name, part in shifts.items()}
    bad["endog"] = arrays.missing_rows(answer.y)
    if table is not None:
        bad["exog"] = arrays.missing_rows(table.values)
    if missing == "raise":
        checks.refuse_missing(answer.y, "endog", bad["endog"] & counted)
        for name, part in shifts.items():
            checks.refuse_missing(part, name, bad[name] & counted)
        if table is not None:
            checks.refuse_missing(table.values, "exog", bad["exog"] & counted, names)
    absent = np.isnan(weights)
    for part in bad.values():
        absent |= part
    rows = np.flatnonzero(~absent)
    if not rows.size or not taken(weights, rows).any():
        raise PenglmInputError(
            "no row is left after dropping missing values; nothing to fit.",
            argument="missing",
        )
    tell_dropped(int((absent & counted).sum()), n_rows)
    design = exog if table is None else as_design(table.values)
    if rows.size < n_rows:
        design = design.take(rows)
    return ModelData(
        y=taken(answer.y, rows),
        design=design,
        sample_weight=taken(weights, rows),
        offset=taken(total(shifts, n_rows), rows),
        freq_weights=taken(counts, rows),
        rows=rows,
        n_given=n_rows,
        names=names,
        y_name=name_of(endog),
        has_offset=bool(shifts),
        beside=named(extra),
        y_levels=answer.levels,
    )


def name_of(endog: Any) -> str:
    """Return what the caller calls the response, of two counts both; else ``y``."""
    columns = arrays.column_names(endog)
    if columns:
        return " + ".join(columns)
    name = getattr(endog, "name", None)
    return "y" if name is None or name == "" else str(name)


def from_formula(
    formula: str,
    data: Any,
    family: Family,
    extra: Mapping[str, Any],
    missing: str,
    *,
    coding: str,
    trusted: bool,
    env: int,
) -> ModelData:
    """Turn a formula and a table into the rows of a model.

    Parameters
    ----------
    extra : mapping
        Values of ``ARGUMENTS``, arrays or names of columns; None where not given.
    env : int
        How many callers up the formula's free names are looked for.

    Raises
    ------
    FormulaError
        If the formula cannot be read or does not fit the data.
    """
    from penglm import formula as language

    frame = language.build(
        formula,
        data,
        coding=coding,
        missing=missing,
        extra={key: value for key, value in extra.items() if value is not None},
        trusted=trusted,
        env=env + 1,
    )
    tell_dropped(frame.n_dropped, frame.n_dropped + frame.rows.size, frame.most_missing)
    if frame.y_levels is not None and not family.has_classes:
        raise PenglmInputError(
            f"the response '{frame.y_name}' has labels; only the binomial family takes "
            "labels.",
            argument="formula",
        )
    rows = frame.rows
    answer = response.read(frame.y, family, rows=rows)
    encoder = frame.encoder
    n_rows = rows.size
    weights, counts = product_of_weights(frame.extra, n_rows, missing, rows)
    weights = of_trials(weights, answer.trials, frame.extra)
    shifts = shifts_of(frame.extra, family, n_rows, rows=rows)
    has_offset = bool(shifts)
    if frame.offset is not None:
        shifts["offset()"] = frame.offset
    for name, part in shifts.items():
        checks.finite(part, name, rows)
    return ModelData(
        y=answer.y,
        design=frame.design,
        sample_weight=weights,
        offset=total(shifts, n_rows),
        freq_weights=counts,
        rows=rows,
        n_given=frame.n_given,
        names=encoder.names,
        y_name=frame.y_name,
        has_offset=has_offset,
        beside=named(extra),
        y_levels=frame.y_levels,
        term_slices=encoder.term_slices,
        encoder=encoder,
        formula=formula,
        columns=frame.columns,
    )


def named(extra: Mapping[str, Any]) -> dict[str, str | None]:
    """Return the column behind each argument given, None where it was an array."""
    return {
        argument: value if isinstance(value, str) else None
        for argument, value in extra.items()
        if value is not None
    }


def tell_dropped(n_dropped: int, n_rows: int, most_missing: str = "") -> None:
    """Warn that rows were left out, and which column is the likely reason."""
    if n_dropped:
        reason = f" (most missing: {most_missing})" if most_missing else ""
        warn(
            f"{n_dropped} of {n_rows} rows with missing values were dropped{reason}.",
            DroppedRowsWarning,
        )


def product_of_weights(
    extra: Mapping[str, Any], n_rows: int, missing: str, rows: Index | None = None
) -> tuple[Vector, Vector]:
    """Return weights (n,), and the observations (n,) behind each row."""
    counts, precision = (
        checks.weights(extra.get(name), name, n_rows, missing=missing, rows=rows)
        for name in ("freq_weights", "var_weights")
    )
    with np.errstate(over="ignore"):
        return counts * precision, counts


def of_trials(
    weights: Vector, trials: Vector | None, extra: Mapping[str, Any]
) -> Vector:
    """Return the solver's weights (n,): those given, times the trials of each row."""
    if trials is not None:
        weights = weights * np.where(np.isnan(trials), 1.0, trials)
    if not weights.any():
        raise PenglmInputError(
            "the product of the weights is zero for every row; nothing to fit.",
            argument="freq_weights",
        )
    given = [name for name in ("var_weights", "freq_weights") if name in named(extra)]
    if not np.isnan(weights).all():
        checks.total_weight(weights, given[0] if given else "endog")
    return weights


def shifts_of(
    extra: Mapping[str, Any],
    family: Family,
    n_rows: int,
    *,
    counted: Mask | None = None,
    rows: Index | None = None,
) -> dict[str, Vector]:
    """Return what is added to the linear predictor (n,), by argument."""
    shifts = {}
    offset, exposure = extra.get("offset"), extra.get("exposure")
    if offset is not None:
        shifts["offset"] = arrays.vector(offset, "offset", n_rows)
    if exposure is not None:
        checks.log_link(family.link.name)
        shifts["exposure"] = checks.exposure(
            exposure, n_rows, counted=counted, rows=rows
        )
    return shifts


def total(shifts: Mapping[str, Vector], n_rows: int) -> Vector:
    """Return the sum (n,) of all shifts, zero where there is none."""
    out = np.zeros(n_rows)
    for part in shifts.values():
        out += part
    return out


def taken(values: Vector, rows: Index) -> Vector:
    """Return a copy of the values of some rows, quicker where these are all."""
    return values.copy() if rows.size == values.size else values[rows]
