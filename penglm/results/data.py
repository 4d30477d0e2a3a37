"""What a fitted model remembers: its rows, its names and its specification."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from penglm import arrays, checks
from penglm._typing import Index, Vector
from penglm.design import Design, as_design
from penglm.exceptions import PenglmInputError, PredictionRangeWarning, warn
from penglm.families import Family


@dataclass(frozen=True, eq=False)
class ModelData:
    """Rows after the one mask, and what their columns are called.

    Attributes
    ----------
    y : Vector (n,)
    design : Design (n, p)
        Without an intercept column.
    sample_weight, offset : Vector (n,)
        Product of all weights; zero where there is no offset.
    freq_weights : Vector (n,)
        How many observations each row stands for.
    rows : Index (n,)
        Positions of the kept rows in the caller's data.
    names : tuple of str (p,)
    y_name : str
    has_offset : bool
        Whether a prediction needs to be told an offset too.
    beside : dict
        Offset, exposure and weights that were given: the column of the caller's table
        that serves as each, None where it was an array.
    y_levels : tuple or None
        What 0 and 1 stand for, where the response was given by labels.
    term_slices : dict
        Columns of each formula term.
    encoder : object or None
        Turns new tables into designs, where a formula did so for the first.
    formula : str or None
    columns : tuple of str
        Of the caller's table, where a formula was used.
    n_given : int
        Rows of the caller's data, those left out included.
    """

    y: Vector
    design: Design
    sample_weight: Vector
    offset: Vector
    freq_weights: Vector
    rows: Index
    names: tuple[str, ...]
    y_name: str = "y"
    has_offset: bool = False
    beside: dict[str, str | None] = field(default_factory=dict)
    y_levels: tuple[Any, Any] | None = None
    term_slices: dict[str, slice] = field(default_factory=dict)
    encoder: Any = None
    formula: str | None = None
    columns: tuple[str, ...] = ()
    n_given: int = 0

    @property
    def precision(self) -> Vector:
        """Weight (n,) of each of the observations that a row stands for."""
        some = self.freq_weights > 0.0
        out = np.zeros_like(self.sample_weight)
        return np.divide(self.sample_weight, self.freq_weights, out=out, where=some)

    @property
    def n_obs(self) -> float:
        """Number of observations: the sum of the frequency weights."""
        return float(self.freq_weights[self.sample_weight > 0].sum())


@dataclass(frozen=True, eq=False)
class ModelSpec:
    """What was asked for, apart from the strength.

    Attributes
    ----------
    family : Family
    fit_intercept : bool
    standardize : bool or "numeric"
    l1_ratio : float
    penalty_factor, lower, upper : Vector (p,)
    dropped : tuple of str
        Constant columns, whose coefficients are 0.
    null_deviance : float
    coding, penalty : str
    n_estimated : int
        Parameters of the family that were estimated beside the coefficients.
    """

    family: Family
    fit_intercept: bool
    standardize: bool | str
    l1_ratio: float
    penalty_factor: Vector
    lower: Vector
    upper: Vector
    dropped: tuple[str, ...]
    null_deviance: float
    coding: str = "treatment"
    penalty: str = "elastic_net"
    n_estimated: int = 0


@dataclass(frozen=True, eq=False)
class NewRows:
    """A design for rows to predict, and which of them hold a missing value."""

    design: Design
    offset: Vector
    is_missing: Vector


def encode(
    data: ModelData,
    values: Any,
    offset: Any = None,
    exposure: Any = None,
    unknown: str = "error",
) -> NewRows:
    """Turn a table or array of new rows into the columns of the model.

    The arguments are those of ``FitResults.predict``.

    Raises
    ------
    PenglmInputError
        If columns are missing, or an offset or exposure that the model had.
    FormulaError
        If a factor has a level that was not seen when fitting, and it is to be
        refused.
    """
    arrays.same_index({"data": values, "offset": offset, "exposure": exposure})
    own_offset: Vector | float = 0.0
    if data.encoder is not None:
        design, formula_offset, is_missing = data.encoder.encode(values, unknown)
        if formula_offset is not None:
            own_offset = formula_offset
        n_rows = design.shape[0]
    else:
        # Before cells are read: those of columns that are not needed may be no numbers.
        refuse_absent(arrays.column_names(values), data.names)
        table = arrays.table(values, "data", only=data.names)
        chosen = select(table, data.names)
        n_rows = chosen.shape[0]
        is_missing = arrays.missing_rows(chosen)
        if is_missing.any() and arrays.is_sparse(chosen):
            # Rows cannot be written to without moving all that is stored.
            chosen = chosen.tocsc(copy=True)
            chosen.data[~np.isfinite(chosen.data)] = 0.0
        elif is_missing.any():
            chosen = chosen.copy()
            chosen[np.flatnonzero(is_missing)] = 0.0
        design = as_design(chosen)
    total = shift(data, values, offset, exposure, n_rows) + own_offset
    is_missing = is_missing | ~np.isfinite(total)
    return NewRows(design, np.where(is_missing, 0.0, total), is_missing)


def shift(
    data: ModelData, values: Any, offset: Any, exposure: Any, n_rows: int
) -> Vector:
    """Return what offset and exposure add to the linear predictor (n,) of new rows.

    What is not given is looked for in the table, under the name it had when fitting.

    Raises
    ------
    PenglmInputError
        If there is less than the model was fitted with.
    """
    given = {
        "offset": named_column(values, offset, "offset"),
        "exposure": named_column(values, exposure, "exposure"),
    }
    had = [name for name in given if name in data.beside]
    needs_both = len(had) == len(given)
    # One says what the other does, so either will do for a model that had one.
    if needs_both or all(part is None for part in given.values()):
        for name in had:
            if given[name] is None:
                given[name] = column_of(values, data.beside[name])
    absent = [name for name, part in given.items() if part is None]
    columns = [column for name in absent if (column := data.beside.get(name))]
    hint = f" The data has no column '{columns[0]}'." if columns else ""
    if data.has_offset and len(absent) == len(given):
        raise PenglmInputError(
            "the model was fitted with an offset or exposure; predict needs one too: "
            f"pass offset= or exposure= (offset=0 for a unit exposure).{hint}",
            argument="offset",
        )
    if needs_both and absent:
        raise PenglmInputError(
            "the model was fitted with an offset and an exposure; predict needs both, "
            f"and {absent[0]} is not there: pass {absent[0]}= (offset=0, exposure=1 "
            f"for none).{hint}",
            argument=absent[0],
        )
    total = np.zeros(n_rows)
    if given["offset"] is not None:
        total += spread(given["offset"], "offset", n_rows)
    if given["exposure"] is not None:
        total += checks.exposure(spread(given["exposure"], "exposure", n_rows), n_rows)
    return total


def spread(value: Any, argument: str, n_rows: int) -> Vector:
    """Return a value for each row (n,), where one may stand for all."""
    if np.ndim(value) == 0:
        return np.full(n_rows, checks.number(value, argument))
    return arrays.vector(value, argument, n_rows, of="data")


def means(family: Family, eta: Vector, is_missing: Any = None) -> Vector:
    """Return the mean (n,) of linear predictors (n,) of new rows.

    Warns
    -----
    PredictionRangeWarning
        If a row that is not missing has none: what the link makes of it lies outside
        what the family's means can be, or beyond double precision.
    """
    with np.errstate(all="ignore"):
        mu = family.link.inverse(eta)
    known, means_known = family.link.eta_range, family.mu_range
    beyond = ~np.isfinite(mu) | (eta < known.low) | (eta > known.high)
    # At an open end itself a mean is only rounded.
    beyond |= (mu < means_known.low) | (mu > means_known.high)
    if is_missing is not None:
        beyond &= ~is_missing
    if beyond.any():
        row = int(np.flatnonzero(beyond)[0])
        warn(
            f"{int(beyond.sum())} rows have no mean (first: row {row}): link "
            f"'{family.link.name}' makes {mu[row]:g} of the linear predictor "
            f"{eta[row]:g}, and means of family '{family.name}' lie in "
            f'{means_known}. which="linear" gives the linear predictor.',
            PredictionRangeWarning,
        )
    return mu


def refuse_absent(given: tuple[str, ...], names: tuple[str, ...]) -> None:
    """Raise if a data frame lacks one of the model's columns, which have names.

    A model of columns without names takes a table by position, unless it has some of
    the names that these were given.
    """
    was_named = names != arrays.default_names(len(names))
    if not given or not (was_named or set(names) & set(given)):
        return
    absent = next((name for name in names if name not in given), None)
    if absent is not None:
        raise PenglmInputError(
            f"the data to predict has no column '{absent}'; it has "
            f"{', '.join(given[:10])}.",
            argument=absent,
        )


def select(given: arrays.Table, names: tuple[str, ...]) -> Any:
    """Return the model's columns of a table, by name where there are names."""
    if given.named and set(names) <= set(given.names):
        places = [given.names.index(name) for name in names]
        return given.values[:, places]
    if given.values.shape[1] != len(names):
        raise PenglmInputError(
            f"the data to predict has {given.values.shape[1]} columns but the model "
            f"has {len(names)}.",
            argument="data",
        )
    return given.values


def named_column(values: Any, given: Any, argument: str) -> Any:
    """Return the column that an argument names, or the argument itself."""
    if not isinstance(given, str):
        return given
    found = column_of(values, given)
    if found is None:
        raise PenglmInputError(
            f"{argument} names '{given}', which is not a column of the data.",
            argument=argument,
        )
    return found


def column_of(values: Any, name: str | None) -> Any:
    """Return one column of a table, None if it has no such column."""
    names = arrays.column_names(values)
    if name is None or (names and name not in names):
        return None
    try:
        return values[name]
    except (KeyError, IndexError, TypeError, ValueError):
        return None
