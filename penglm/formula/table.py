"""Columns of anybody's table, converted one by one and only when a formula asks."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from penglm import arrays
from penglm._typing import Index
from penglm.exceptions import FormulaError


class Table(Mapping[str, Any]):
    """Columns by name, as patsy's expressions like them.

    Parameters
    ----------
    data : data frame, mapping of arrays, or None
        pandas, polars, pyarrow and whatever narwhals knows.
    rows : Index, optional
        Which rows, and in which order; all of them if None.
    """

    def __init__(self, data: Any, rows: Index | None = None) -> None:
        self.data = by_field({} if data is None else data)
        self.rows = rows
        self.kept: dict[str, Any] = {}
        if isinstance(self.data, Mapping):
            self.frame = None
            self.names = [str(name) for name in self.data]
            arrays.unique_names(self.names)
        else:
            self.frame = wrapped(self.data)
            self.names = [str(name) for name in self.frame.columns]
        # What a name is in a formula is text; a table may call columns by numbers.
        self.places = {name: j for j, name in enumerate(self.names)}

    @property
    def n_given(self) -> int | None:
        """Number of rows of the whole table, None if it has no columns."""
        if self.frame is not None:
            return len(self.frame)
        return len(next(iter(self.data.values()))) if self.names else None

    @cached_property
    def index(self) -> Any:
        """How pandas labels the rows, None where it does not."""
        if self.frame is None:
            labelled = (v.index for v in self.data.values() if isinstance(v, pd.Series))
            whole = next(labelled, None)
        else:
            whole = getattr(self.data, "index", None)
        return whole if whole is None or self.rows is None else whole[self.rows]

    def take(self, rows: Index) -> "Table":
        """Return the table with these rows only."""
        return Table(self.data, rows)

    def __getitem__(self, name: str) -> Any:
        if name not in self.kept:
            if name not in self.places:
                raise KeyError(name)
            try:
                values = converted(self.raw(name))
            except OverflowError:
                raise FormulaError(
                    f"column '{name}' holds a whole number that is too large for "
                    "double precision; divide it by a constant, or use its logarithm.",
                    argument=name,
                ) from None
            self.refuse_other_length(name, values)
            if self.rows is not None:
                rows = self.rows
                values = getattr(values, "iloc", values)[rows]
            self.kept[name] = values
        return self.kept[name]

    def raw(self, name: str) -> Any:
        """Return a column as the caller holds it."""
        place = self.places[name]
        if self.frame is None:
            return self.data[list(self.data)[place]]
        return self.frame[:, place].to_native()

    def refuse_other_length(self, name: str, values: Any) -> None:
        """Raise if a column is longer or shorter than those used before."""
        used = next(iter(self.kept), None)
        if used is None or self.rows is not None or np.ndim(values) == 0:
            return
        known = self.kept[used]
        if np.ndim(known) and len(values) != len(known):
            raise FormulaError(
                f"column '{name}' has {len(values)} values but '{used}' has "
                f"{len(known)}; every column needs one value per row.",
                argument=name,
            )

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


def by_field(data: Any) -> Any:
    """Return the columns of a structured array by name, anything else as it is."""
    if isinstance(data, np.ndarray) and data.dtype.names:
        return {name: data[name] for name in data.dtype.names}
    return data


def wrapped(data: Any) -> Any:
    """Return the table behind narwhals' face."""
    frame = arrays.opened(data, "data")
    if frame is None:
        raise FormulaError(
            f"data has type {type(data).__name__}; use a data frame (pandas, polars, "
            "pyarrow) or a dict of arrays.",
            argument="data",
        )
    return frame


def converted(column: Any) -> Any:
    """Return a column as patsy's expressions like it, pandas columns as a Series.

    Nullable numbers become float64 with NaN; labels keep their order.
    """
    if isinstance(column, pd.Series):
        if column.dtype == object:
            return pd.Series(plain_cells(column.to_numpy()), index=column.index)
        if isinstance(column.dtype, np.dtype):
            return column
        return pd.Series(plain(column.array), index=column.index)
    if isinstance(column, list | tuple):
        column = np.asarray(column)
    if isinstance(column, np.ndarray):
        column = arrays.array_of(column)
        return plain_cells(column) if column.dtype == object else column
    if isinstance(column, pd.Categorical):
        return column
    return from_other_frame(column)


def plain_cells(cells: Any) -> Any:
    """Return an object array as numbers if every cell is one, as it is otherwise."""
    kind = pd.api.types.infer_dtype(cells, skipna=True)
    if kind == "integer" and not pd.isna(cells).any():
        whole = [int(cell) for cell in cells]
        return np.array(whole, dtype=np.int64 if is_short(whole) else float)
    if kind in ("integer", "floating", "mixed-integer-float", "decimal"):
        return np.where(pd.isna(cells), np.nan, cells).astype(float)
    return cells


def is_short(whole: list[int]) -> bool:
    """Tell whether an array can hold all of these as whole numbers."""
    return all(-(2**63) <= number < 2**63 for number in whole)


def plain(column: Any) -> Any:
    """Return a pandas extension array without nullable numbers and booleans."""
    kind = column.dtype
    if pd.api.types.is_bool_dtype(kind) and not isinstance(kind, pd.CategoricalDtype):
        return booleans(column)
    if pd.api.types.is_integer_dtype(kind) and not pd.isna(column).any():
        return column.to_numpy(dtype=np.int64)
    if pd.api.types.is_numeric_dtype(kind):
        return column.to_numpy(dtype=float, na_value=np.nan)
    return column


def booleans(column: Any) -> Any:
    """Return booleans, as a categorical where some are missing."""
    if pd.isna(column).any():
        return pd.Categorical(column.astype(object), categories=[False, True])
    return np.asarray(column, dtype=bool)


def from_other_frame(column: Any) -> Any:
    """Return a polars or pyarrow column as pandas or NumPy would hold it."""
    import narwhals.stable.v1 as nw

    series = arrays.series_of(column)
    if series is None:
        return np.asarray(column)
    kind = series.dtype
    if kind.is_integer() and not series.is_null().any():
        return np.asarray(series.cast(nw.Int64).to_numpy())
    if kind.is_numeric():
        return np.asarray(series.cast(nw.Float64).to_numpy(), dtype=float)
    if kind in (nw.Date, nw.Datetime, nw.Duration):
        return np.asarray(series.to_numpy())
    cells = series.to_list()
    levels = arrays.levels_of(series)
    if levels is not None:
        return pd.Categorical(cells, categories=levels)
    if kind == nw.Boolean:
        return booleans(pd.array(cells, dtype="boolean"))
    # Through pandas, since NumPy would make a matrix of cells that are lists.
    return plain_cells(pd.Series(cells, dtype=object).to_numpy())


def is_missing(column: Any) -> Any:
    """Return a boolean (n,): cells that are None or NaN."""
    return np.asarray(pd.isna(column))
