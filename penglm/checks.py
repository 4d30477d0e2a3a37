"""User input to clean arrays, or an error that names argument, row and column.

Texts follow one form: what is wrong with its value and place; what is allowed; the way
out. Nothing the caller passed is modified.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from penglm._typing import Array, Index, Vector
from penglm.exceptions import PenglmInputError, PenglmTypeError


@dataclass(frozen=True, eq=False)
class Table:
    """Columns of a design, checked for type but not yet for missing values.

    Attributes
    ----------
    values : ndarray (n, p) or SciPy sparse
    names : tuple of str
    named : bool
        Whether the names came from the caller.
    """

    values: Any
    names: tuple[str, ...]
    named: bool


def table(values: Any, argument: str = "exog", only: Sequence[str] = ()) -> Table:
    """Read a design from NumPy, SciPy sparse, pandas, polars or pyarrow.

    ``only`` names the columns that matter, where a data frame has them all.
    """
    if is_sparse(values):
        number = values.dtype
        if number.kind == "c" or number.kind not in "fiub":
            raise PenglmTypeError(f"{argument} has dtype {number}; use real numbers.")
        return Table(values, default_names(values.shape[1]), False)
    if hasattr(values, "columns") or hasattr(values, "column_names"):
        return frame(values, only)
    array = numbers(values, argument)
    if array.ndim == 1:
        raise PenglmInputError(
            f"{argument} has one dimension, {array.shape[0]} values; a design has rows "
            f"and columns. Use {argument}[:, None] for a single column.",
            argument=argument,
        )
    if array.ndim != 2:
        raise PenglmInputError(
            f"{argument} has {array.ndim} dimensions; a design has two.",
            argument=argument,
        )
    return Table(array, default_names(array.shape[1]), False)


def is_sparse(values: Any) -> bool:
    """Tell whether these are a SciPy sparse matrix or array."""
    return bool(sparse.issparse(values))


def default_names(n_features: int) -> tuple[str, ...]:
    """Return statsmodels' names of unnamed columns: x1, x2, ..."""
    return tuple(f"x{j + 1}" for j in range(n_features))


def frame(values: Any, only: Sequence[str]) -> Table:
    """Read a data frame of any library, column by column, names kept."""
    import narwhals as nw

    # Checked before narwhals, which refuses such frames in words of its own.
    unique_names([str(name) for name in getattr(values, "columns", ())])
    data = nw.from_native(values, eager_only=True)
    if only and set(only) <= set(data.columns):
        data = data.select(*only)
    names = [str(name) for name in data.columns]
    out = np.empty(data.shape, order="F")
    for j, name in enumerate(data.columns):
        out[:, j] = column(data[name], names[j])
    return Table(out, tuple(names), True)


def column(series: Any, name: str) -> Vector:
    """Return one column as float64, missing values as NaN.

    Raises
    ------
    PenglmTypeError
        If a cell is not a number.
    """
    if series.dtype.is_numeric() or str(series.dtype) == "Boolean":
        return np.asarray(series.cast(_float64()).to_numpy(), dtype=float)
    cells = series.to_list()
    for row, cell in enumerate(cells):
        missing = cell is None or cell != cell
        if isinstance(cell, bool | int | float | np.number) or missing:
            continue
        raise PenglmTypeError(
            f"column '{name}' has dtype {series.dtype} with the text '{cell}' in row "
            f"{row}; convert it to numbers or name it in a formula as C({name}).",
            argument=name,
            index=row,
        )
    return np.array([np.nan if cell is None else cell for cell in cells], dtype=float)


def _float64() -> Any:
    import narwhals as nw

    return nw.Float64


def unique_names(names: Sequence[str]) -> None:
    """Raise if a name stands for more than one column."""
    if len(set(names)) == len(names):
        return
    twice = next(name for name in names if names.count(name) > 1)
    raise PenglmInputError(
        f"the data has {names.count(twice)} columns named '{twice}'; rename them.",
        argument=twice,
    )


def numbers(values: Any, argument: str) -> Array:
    """Return an array of float64 or float32; promote integers and booleans."""
    array = np.asarray(values)
    if array.dtype.kind == "c":
        raise PenglmTypeError(
            f"{argument} is complex; use real numbers.", argument=argument
        )
    if array.dtype.kind in "OSU":
        array = cells(array, argument)
    if array.dtype == np.float32 or array.dtype == np.float64:
        return array
    if array.dtype.kind not in "fiub":
        raise PenglmTypeError(
            f"{argument} has dtype {array.dtype}; convert it to numbers.",
            argument=argument,
        )
    return array.astype(np.float64)


def cells(array: Array, argument: str) -> Vector:
    """Return an object array as float64 if every cell is a number."""
    flat = array.ravel()
    for k, cell in enumerate(flat.tolist()):
        if cell is None or isinstance(cell, bool | int | float):
            continue
        where = np.unravel_index(k, array.shape)
        place = f"row {where[0]}" + (f", column {where[1]}" if array.ndim > 1 else "")
        raise PenglmTypeError(
            f"{argument} has dtype {array.dtype} with the text '{cell}' in {place}; "
            "convert it to numbers.",
            argument=argument,
            index=int(where[0]),
        )
    clean = [np.nan if cell is None else cell for cell in flat.tolist()]
    return np.array(clean, dtype=float).reshape(array.shape)


def vector(values: Any, argument: str, n_rows: int | None = None) -> Vector:
    """Return a float64 vector (n,), its length checked, missing values still in it."""
    if hasattr(values, "to_numpy") and not isinstance(values, np.ndarray):
        import narwhals as nw

        series = nw.from_native(values, series_only=True, pass_through=True)
        if isinstance(series, nw.Series):
            values = column(series, argument)
    array = numbers(values, argument)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise PenglmInputError(
            f"{argument} has shape {array.shape}; it must have one value per row.",
            argument=argument,
        )
    same_length(array, argument, n_rows)
    return array.astype(np.float64, copy=False)


def same_length(array: Array, argument: str, n_rows: int | None) -> None:
    """Raise unless there is one value per row."""
    if n_rows is not None and len(array) != n_rows:
        raise PenglmInputError(
            f"{argument} has length {len(array)} but exog has {n_rows} rows.",
            argument=argument,
        )


def missing_rows(values: Any) -> Array:
    """Return a boolean (n,): rows that hold NaN or infinity."""
    if is_sparse(values):
        coo = values.tocoo()
        bad = np.zeros(values.shape[0], dtype=np.bool_)
        bad[coo.coords[0][~np.isfinite(coo.data)]] = True
        return bad
    if values.ndim == 1:
        return ~np.isfinite(values)
    with np.errstate(all="ignore"):
        # One cheap sum clears nearly every design; only a suspect is looked at twice.
        if np.isfinite(values.sum(dtype=np.float64)):
            return np.zeros(values.shape[0], dtype=bool)
    return ~np.isfinite(values).all(axis=1)


def refuse_missing(values: Any, argument: str, names: Sequence[str] = ()) -> None:
    """Raise if a value is NaN or infinite, naming the first row and column."""
    bad = missing_rows(values)
    if not bad.any():
        return
    row = int(np.flatnonzero(bad)[0])
    place = f"row {row}"
    line = values
    if getattr(values, "ndim", 1) == 2:
        line = values.tocsr()[[row]].toarray() if is_sparse(values) else values
        line = np.asarray(line[0] if is_sparse(values) else line[row])
        j = int(np.flatnonzero(~np.isfinite(line))[0])
        place += f", column '{names[j]}'" if names else f", column {j}"
        what = "NaN" if np.isnan(line[j]) else "infinity"
    else:
        what = "NaN" if np.isnan(values[row]) else "infinity"
    raise PenglmInputError(
        f"{argument} contains {what} in {int(bad.sum())} rows (first: {place}); penglm "
        'does not impute. Drop or impute these rows, or pass missing="drop".',
        argument=argument,
        index=row,
    )


def weights(values: Any, argument: str, n_rows: int) -> Vector:
    """Return nonnegative weights (n,), not all zero."""
    if values is None:
        return np.ones(n_rows)
    array = vector(values, argument, n_rows)
    bad = ~(np.isfinite(array) & (array >= 0.0))
    if bad.any():
        i = int(np.flatnonzero(bad)[0])
        reason = "negative" if array[i] < 0 else "not a number"
        reason = "infinite" if np.isposinf(array[i]) else reason
        raise PenglmInputError(
            f"{argument}[{i}] = {array[i]} is {reason}; weights must be finite and "
            ">= 0.",
            argument=argument,
            index=i,
        )
    if not array.any():
        raise PenglmInputError(
            f"{argument} is zero for every row; nothing to fit.", argument=argument
        )
    return array


def exposure(values: Any, n_rows: int) -> Vector:
    """Return the logarithm (n,) of positive exposures."""
    array = vector(values, "exposure", n_rows)
    bad = ~(array > 0.0) & ~np.isnan(array)
    if bad.any():
        i = int(np.flatnonzero(bad)[0])
        raise PenglmInputError(
            f"exposure[{i}] = {array[i]} is not positive; its logarithm is the offset. "
            "Leave rows without exposure out.",
            argument="exposure",
            index=i,
        )
    return np.log(array)


def strength(alpha: float, argument: str = "alpha") -> float:
    """Return a penalty strength in [0, inf]."""
    value = float(alpha)
    if not value >= 0.0:
        raise PenglmInputError(
            f"{argument} = {alpha}; {argument} must be >= 0.", argument=argument
        )
    return value


def strengths(alphas: Any) -> Vector:
    """Return the user's strengths (m,) in the user's order."""
    values = np.atleast_1d(np.asarray(alphas, dtype=float))
    for value in values:
        strength(value, "alphas")
    if not values.size or not np.isfinite(values).all():
        raise PenglmInputError(
            "alphas must be finite numbers, at least one.", argument="alphas"
        )
    return values


def mix(l1_ratio: float) -> float:
    """Return an l1_ratio in [0, 1]."""
    value = float(l1_ratio)
    if not 0.0 <= value <= 1.0:
        raise PenglmInputError(
            f"l1_ratio = {l1_ratio}; l1_ratio must lie in [0, 1] (1 is the lasso, "
            "0 is ridge).",
            argument="l1_ratio",
        )
    return value


def choice(value: str, allowed: Sequence[str], argument: str) -> str:
    """Return ``value`` if it is one of the allowed words."""
    if value not in allowed:
        raise PenglmInputError(
            f"{argument} = {value!r}; use one of {', '.join(map(repr, allowed))}.",
            argument=argument,
        )
    return value


def per_column(
    value: Any,
    argument: str,
    names: Sequence[str],
    default: float,
    term_slices: Mapping[str, slice],
) -> Vector:
    """Spread a scalar, an array or a mapping over columns (p,).

    A mapping goes by column name or by formula term; a term covers all its columns.
    """
    p = len(names)
    if value is None:
        return np.full(p, default)
    if isinstance(value, Mapping):
        out = np.full(p, default)
        place = {name: j for j, name in enumerate(names)}
        for key, number in value.items():
            if key in place:
                out[place[key]] = number
            elif key in term_slices:
                out[term_slices[key]] = number
            else:
                raise PenglmInputError(
                    f"{argument} names '{key}', which is neither a column nor a term; "
                    f"known: {', '.join([*names, *term_slices][:20])}.",
                    argument=argument,
                )
        return out
    array = np.asarray(value, dtype=float)
    if array.ndim == 0:
        return np.full(p, float(array))
    if array.shape != (p,):
        raise PenglmInputError(
            f"{argument} has length {array.size} but there are {p} columns.",
            argument=argument,
        )
    return array.copy()


def penalty_factor(values: Vector, names: Sequence[str]) -> Vector:
    """Return penalty factors (p,) in [0, inf]."""
    bad = ~(values >= 0.0)
    if bad.any():
        j = int(np.flatnonzero(bad)[0])
        reason = "not a number" if np.isnan(values[j]) else "negative"
        raise PenglmInputError(
            f"penalty_factor[{j}] = {values[j]:g} is {reason} (column '{names[j]}'); "
            "use 0 for unpenalised, inf for excluded.",
            argument="penalty_factor",
            index=j,
        )
    return values


def limits(lower: Vector, upper: Vector, names: Sequence[str]) -> None:
    """Raise if limits cross or are not numbers."""
    bad = ~(lower <= upper) | (lower == np.inf) | (upper == -np.inf)
    if not bad.any():
        return
    j = int(np.flatnonzero(bad)[0])
    relation = "is not a number beside" if np.isnan(lower[j] + upper[j]) else "exceeds"
    raise PenglmInputError(
        f"lower[{j}]={lower[j]:g} {relation} upper[{j}]={upper[j]:g} "
        f"(column '{names[j]}').",
        argument="lower",
        index=j,
    )


def in_range(y: Vector, contains: Array, family: str, needs: str, rows: Index) -> None:
    """Raise if a response lies outside what its family can produce."""
    if contains.all():
        return
    i = int(np.flatnonzero(~contains)[0])
    raise PenglmInputError(
        f"y[{int(rows[i])}] = {y[i]:g} is not valid for family '{family}' "
        f"(needs {needs}).",
        argument="y",
        index=int(rows[i]),
    )
