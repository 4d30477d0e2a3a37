"""The model frame: one row mask over everything a caller passed."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from penglm import checks, response
from penglm._typing import Vector
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
    y_name = str(getattr(endog, "name", None) or "y")
    answer = response.read(endog, family)
    if isinstance(exog, Design):
        table = None
        n_rows, p = exog.shape
        names = checks.default_names(p)
    else:
        table = checks.table(exog)
        n_rows = table.values.shape[0]
        names = table.names
    if not n_rows:
        raise PenglmInputError("exog has no rows; nothing to fit.", argument="exog")
    checks.same_length(answer.y, "endog", n_rows)
    weights, counts = product_of_weights(extra, answer.trials, n_rows)
    offset, has_offset = sum_of_offsets(extra, family, n_rows)
    parts = {"endog": answer.y, "offset": offset}
    bad = np.zeros(n_rows, dtype=bool)
    for values in parts.values():
        bad |= checks.missing_rows(values)
    if table is not None:
        bad |= checks.missing_rows(table.values)
    weightless = weights == 0.0
    if (bad & ~weightless).any() and missing == "raise":
        used = np.where(weightless, 0.0, 1.0)
        for argument, values in parts.items():
            checks.refuse_missing(np.where(used > 0, values, 0.0), argument)
        assert table is not None
        checks.refuse_missing(table.values, "exog", names)
    rows = np.flatnonzero(~bad)
    if not rows.size or not weights[rows].any():
        raise PenglmInputError(
            "no row is left after dropping missing values; nothing to fit.",
            argument="missing",
        )
    tell_dropped(n_rows - rows.size, n_rows)
    design = exog if table is None else as_design(table.values)
    if rows.size < n_rows:
        design = design.take(rows)
    return ModelData(
        y=answer.y[rows],
        design=design,
        sample_weight=weights[rows],
        offset=offset[rows],
        freq_weights=counts[rows],
        rows=rows,
        names=names,
        y_name=y_name,
        has_offset=has_offset,
        y_levels=answer.levels,
    )


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
    tell_dropped(frame.n_dropped, frame.n_dropped + frame.rows.size)
    if frame.y_levels is not None and family.name != "binomial":
        raise PenglmInputError(
            f"the response '{frame.y_name}' has labels; only the binomial family takes "
            "labels.",
            argument="formula",
        )
    answer = response.read(frame.y, family)
    encoder = frame.encoder
    n_rows = frame.rows.size
    weights, counts = product_of_weights(frame.extra, answer.trials, n_rows)
    offset, has_offset = sum_of_offsets(frame.extra, family, n_rows)
    if frame.offset is not None:
        offset = offset + frame.offset
    return ModelData(
        y=answer.y,
        design=frame.design,
        sample_weight=weights,
        offset=offset,
        freq_weights=counts,
        rows=frame.rows,
        names=encoder.names,
        y_name=frame.y_name,
        has_offset=has_offset,
        beside={key: name for key, name in extra.items() if isinstance(name, str)},
        y_levels=frame.y_levels,
        term_slices=encoder.term_slices,
        encoder=encoder,
        formula=formula,
        columns=frame.columns,
    )


def tell_dropped(n_dropped: int, n_rows: int) -> None:
    """Warn that rows were left out."""
    if n_dropped:
        warn(
            f"{n_dropped} of {n_rows} rows with missing values were dropped.",
            DroppedRowsWarning,
        )


def product_of_weights(
    extra: Mapping[str, Any], trials: Vector | None, n_rows: int
) -> tuple[Vector, Vector]:
    """Return the solver's weights (n,) and the observations (n,) behind each row."""
    counts = checks.weights(extra.get("freq_weights"), "freq_weights", n_rows)
    precision = checks.weights(extra.get("var_weights"), "var_weights", n_rows)
    weights = counts * precision
    if trials is not None:
        weights = weights * np.nan_to_num(trials)
    if not weights.any():
        raise PenglmInputError(
            "the product of the weights is zero for every row; nothing to fit.",
            argument="freq_weights",
        )
    return weights, counts


def sum_of_offsets(
    extra: Mapping[str, Any], family: Family, n_rows: int
) -> tuple[Vector, bool]:
    """Return offset plus log exposure (n,), and whether either was given."""
    total = np.zeros(n_rows)
    offset, exposure = extra.get("offset"), extra.get("exposure")
    if offset is not None:
        total = total + checks.vector(offset, "offset", n_rows)
    if exposure is not None:
        if family.link.name != "log":
            raise PenglmInputError(
                f"exposure is for the log link, not '{family.link.name}'; pass offset "
                "on the scale of the linear predictor.",
                argument="exposure",
            )
        total = total + checks.exposure(exposure, n_rows)
    return total, offset is not None or exposure is not None
