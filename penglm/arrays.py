"""Anybody's containers as arrays: NumPy, SciPy sparse, pandas, polars, pyarrow.

Types are settled here and errors name the column, row and cell; whether a value makes
sense is for ``checks``. Nothing the caller passed is modified.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
from scipy import sparse

from penglm._typing import Array, Vector
from penglm.exceptions import PenglmInputError, PenglmTypeError

# Sparse formats that keep their numbers in one array.
PLAIN = ("bsr", "coo", "csc", "csr")


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
            raise PenglmTypeError(
                f"{argument} has dtype {number}; use real numbers.", argument=argument
            )
        return Table(values, default_names(values.shape[1]), False)
    data = opened(values, argument)
    if data is not None and is_sparse_frame(data):
        columns = data.to_native().sparse.to_coo().tocsc()
        return Table(columns, tuple(map(str, data.columns)), True)
    if data is not None:
        return frame(data, only)
    if isinstance(values, str | bytes | None) or np.ndim(values) == 0:
        raise PenglmInputError(
            f"{argument} has type {type(values).__name__}; use an array, a SciPy "
            "sparse matrix or a data frame.",
            argument=argument,
        )
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


def opened(values: Any, argument: str) -> Any:
    """Return a data frame of any library behind narwhals' face, None for others.

    Raises
    ------
    PenglmTypeError
        If its rows have still to be computed.
    PenglmInputError
        If a name stands for more than one column.
    """
    if isinstance(values, np.ndarray | list | tuple | str | Mapping | None):
        return None
    import narwhals.stable.v1 as nw

    if hasattr(values, "__arrow_c_array__") and hasattr(values, "column_names"):
        # A record batch, which narwhals does not know.
        values = nw.dependencies.get_pyarrow().table(values)
    if nw.dependencies.is_into_dataframe(values):
        # Checked before narwhals, which refuses such frames in words of its own.
        unique_names(given_names(values))
    data = nw.from_native(values, pass_through=True)
    if isinstance(data, nw.LazyFrame):
        raise PenglmTypeError(
            f"{argument} is a {type(values).__name__}, whose rows have still to be "
            f"computed; pass {argument}.collect().",
            argument=argument,
        )
    return data if isinstance(data, nw.DataFrame) else None


def frame(data: Any, only: Sequence[str]) -> Table:
    """Read a data frame column by column, names kept."""
    # By position: a pandas column may be called 0, which elsewhere means a row.
    series = dict(zip(map(str, data.columns), data.iter_columns(), strict=True))
    if only and set(only) <= set(series):
        series = {name: series[name] for name in only}
    out = np.empty((len(data), len(series)), order="F")
    for j, name in enumerate(series):
        out[:, j] = column(series[name], name)
    return Table(out, tuple(series), True)


def is_sparse_frame(data: Any) -> bool:
    """Tell whether all columns are sparse ones of pandas that leave zeros out."""
    if not data.implementation.is_pandas() or not data.columns:
        return False
    import pandas as pd

    return all(
        isinstance(kind, pd.SparseDtype)
        and kind.subtype.kind in "fiub"
        and kind.fill_value == 0
        for kind in data.to_native().dtypes
    )


def given_names(values: Any) -> list[str]:
    """Return a data frame's names as they stand, repeated ones among them."""
    # The columns of a pyarrow table are the cells themselves.
    names = getattr(values, "column_names", getattr(values, "columns", ()))
    return [str(name) for name in names]


def column_names(values: Any) -> tuple[str, ...]:
    """Return the names of a data frame's columns, none for anything else."""
    data = opened(values, "data")
    return () if data is None else tuple(map(str, data.columns))


def column(series: Any, name: str) -> Vector:
    """Return one column as float64, missing values as NaN.

    Raises
    ------
    PenglmTypeError
        If a cell is not a number.
    """
    kind = series.dtype
    # Casting a decimal multiplies by a power of ten, which loses the last bit of some.
    is_cast = kind.is_numeric() and not kind.is_decimal()
    if is_cast or str(kind) == "Boolean":
        return np.asarray(series.cast(_float64()).to_numpy(), dtype=float)
    if kind.is_temporal():
        raise PenglmTypeError(
            f"column '{name}' has dtype {kind}; a time is no number. Count it from a "
            "fixed day, or take a part of it such as the month.",
            argument=name,
        )
    cells = series.to_list()
    for row, cell in enumerate(cells):
        missing = cell is None or cell != cell
        is_number = isinstance(cell, bool | int | float | Decimal | np.number)
        if missing or (is_number and not is_label(series)):
            continue
        raise PenglmTypeError(
            f"column '{name}' has dtype {kind} with the text '{cell}' in row "
            f"{row}; convert it to numbers or name it in a formula as C({name}).",
            argument=name,
            index=row,
        )
    return np.array([np.nan if cell is None else cell for cell in cells], dtype=float)


def _float64() -> Any:
    import narwhals.stable.v1 as nw

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


def unmasked(values: Any) -> Any:
    """Return NumPy's masked arrays with what they hide missing, others as they are."""
    if not isinstance(values, np.ma.MaskedArray) or not np.ma.is_masked(values):
        return values
    whole = values.dtype.kind in "iu"
    kind = values.dtype if values.dtype.kind == "f" else (float if whole else object)
    out = np.array(values, dtype=kind)
    out[np.ma.getmaskarray(values)] = None if out.dtype == object else np.nan
    return out


def array_of(values: Any) -> Array:
    """Return an array; what a mask hides is missing in it."""
    return np.asarray(unmasked(values))


def numbers(values: Any, argument: str) -> Array:
    """Return an array of float64 or float32; promote integers and booleans."""
    array = array_of(values)
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


def vector(
    values: Any, argument: str, n_rows: int | None = None, of: str = "exog"
) -> Vector:
    """Return a float64 vector (n,), its length checked, missing values still in it."""
    if isinstance(values, str):
        raise PenglmInputError(
            f"{argument} is the text {values!r}; pass one value per row. Only a model "
            "of a formula takes names of columns.",
            argument=argument,
        )
    refuse_sparse(values, argument)
    data = opened(values, argument)
    if data is None:
        series = series_of(values)
        array = numbers(
            values if series is None else column(series, argument), argument
        )
    else:
        array = frame(data, ()).values
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise PenglmInputError(
            f"{argument} has shape {array.shape}; it must have one value per row.",
            argument=argument,
        )
    same_length(array, argument, n_rows, of)
    return array.astype(np.float64, copy=False)


def refuse_sparse(values: Any, argument: str) -> None:
    """Raise if these are a SciPy sparse matrix, which only a design may be."""
    if is_sparse(values):
        raise PenglmTypeError(
            f"{argument} is a SciPy sparse matrix; pass {argument}.toarray().",
            argument=argument,
        )


def series_of(values: Any) -> Any:
    """Return a column of any library behind narwhals' face, None for others."""
    if isinstance(values, np.ndarray) or not hasattr(values, "to_numpy"):
        return None
    import narwhals.stable.v1 as nw

    if hasattr(values, "__arrow_c_array__"):
        # An array of pyarrow, of which narwhals knows the chunked kind.
        values = nw.dependencies.get_pyarrow().chunked_array([values])
    series = nw.from_native(values, series_only=True, pass_through=True)
    return series if isinstance(series, nw.Series) else None


def is_label(series: Any) -> bool:
    """Tell whether a column, behind narwhals' face, is categorical."""
    import narwhals.stable.v1 as nw

    return series.dtype in (nw.Categorical, nw.Enum)


def levels_of(series: Any) -> list[Any] | None:
    """Return the levels that a categorical column declares, in their order.

    None for other columns, and for a polars Categorical, which remembers in what order
    its levels were first seen by anybody.

    Parameters
    ----------
    series : narwhals Series
    """
    import narwhals.stable.v1 as nw

    if not is_label(series):
        return None
    native = series.to_native()
    if series.implementation.is_polars() and series.dtype == nw.Categorical:
        return None
    if series.implementation.is_pyarrow():
        chunks = native.unify_dictionaries().chunks
        known = chunks[0].dictionary.to_pylist() if chunks else None
        # A dictionary may hold null, which as a cell is a missing value.
        return known and [level for level in known if level is not None]
    known = getattr(native.dtype, "categories", None)
    return None if known is None else list(known)


def same_length(
    array: Array, argument: str, n_rows: int | None, of: str = "exog"
) -> None:
    """Raise unless there is one value per row of another argument."""
    if n_rows is not None and len(array) != n_rows:
        raise PenglmInputError(
            f"{argument} has length {len(array)} but {of} has {n_rows} rows.",
            argument=argument,
        )


def same_index(given: Mapping[str, Any]) -> None:
    """Raise if two pandas arguments label their rows differently.

    Rows go by position here; labels that disagree say that they were meant otherwise.
    """
    first, known = "", None
    for argument, values in given.items():
        index = getattr(values, "index", None)
        if index is None or callable(index):
            continue
        if known is None:
            first, known = argument, index
        elif len(index) == len(known) and not index.equals(known):
            raise PenglmInputError(
                f"{argument} and {first} have different indexes; rows are matched by "
                f"position. Align them first, or pass {argument}.to_numpy().",
                argument=argument,
            )


def missing_rows(values: Any) -> Array:
    """Return a boolean (n,): rows that hold NaN or infinity."""
    if is_sparse(values):
        with np.errstate(all="ignore"):
            plain = values.format in PLAIN
            if plain and np.isfinite(values.data.sum(dtype=np.float64)):
                return np.zeros(values.shape[0], dtype=bool)
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
