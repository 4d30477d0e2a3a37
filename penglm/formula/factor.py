"""The value of one factor: numbers, or levels of a categorical variable."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from typing import Any

import numpy as np
import pandas as pd

from penglm import arrays
from penglm._typing import Index, Mask, Matrix
from penglm.exceptions import FormulaError, PenglmError
from penglm.formula.table import is_missing

TIMES = (date, time, timedelta, np.datetime64, np.timedelta64, pd.Period)
"""What is neither a number nor a label."""


@dataclass(frozen=True, eq=False)
class Marked:
    """What ``C(...)`` says of its column; patsy's own has the same attributes."""

    data: Any
    contrast: Any = None
    levels: Any = None


@dataclass(frozen=True, eq=False)
class Numbers:
    """Values of a numeric factor, float64 (n, k)."""

    values: Matrix

    def __len__(self) -> int:
        return len(self.values)

    @property
    def is_missing(self) -> Any:
        """Rows (n,) with a NaN."""
        return np.isnan(self.values).any(axis=1)


@dataclass(frozen=True, eq=False)
class Labels:
    """Values of a categorical factor.

    Attributes
    ----------
    codes : Index (n,)
        Positions in ``levels``, -1 where missing.
    levels : tuple
    contrast : object
        What the formula or the data asked for; None for the default.
    strange : Mask (n,) or None
        Rows whose level was not there when fitting; their code is -1, too.
    """

    codes: Index
    levels: tuple[Any, ...]
    contrast: Any = None
    strange: Mask | None = None

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def is_missing(self) -> Any:
        """Rows (n,) without a level."""
        return self.codes < 0


def memorise(factor: Any, data: Any, env: Any) -> dict[str, Any]:
    """Return patsy's state of a factor, its transforms having seen the data."""
    state: dict[str, Any] = {}
    with told(factor, data):
        for which in range(factor.memorize_passes_needed(state, env)):
            factor.memorize_chunk(state, which, data)
            factor.memorize_finish(state, which)
    return state


def evaluate(
    factor: Any,
    state: dict[str, Any],
    data: Any,
    levels: Sequence[Any] | None = None,
    *,
    refuse: bool = True,
) -> Numbers | Labels:
    """Return the value of a factor on a table.

    Parameters
    ----------
    factor : EvalFactor
    state : dict
    data : Table
    levels : sequence, optional
        What was seen when fitting.
    refuse : bool
        Whether another level is an error; its rows are called strange otherwise.
    """
    with told(factor, data):
        value = factor.eval(state, data)
        arrays.same_index({"data": data, factor.code: unmarked(value)})
        return read(value, factor.code, levels, refuse=refuse)


def read(
    value: Any,
    name: str,
    levels: Sequence[Any] | None = None,
    *,
    refuse: bool = True,
) -> Numbers | Labels:
    """Tell numbers from labels, by patsy's rules."""
    contrast = getattr(value, "patsy_contrast", None)
    marked = is_marked(value)
    if marked:
        contrast = value.contrast if value.contrast is not None else contrast
        levels = value.levels if levels is None else levels
        value = unmarked(value)
    kind = getattr(value, "dtype", None)
    if isinstance(kind, pd.CategoricalDtype):
        return categories(value, name, levels, contrast, refuse)
    if not isinstance(kind, pd.api.extensions.ExtensionDtype):
        value = np.asarray(value)
        kind = value.dtype
    numeric = isinstance(kind, np.dtype) and kind.kind in "iuf"
    if numeric and not marked and levels is None:
        return numbers(value, name)
    if getattr(value, "ndim", 1) == 2 and value.shape[1] == 1:
        value = value[:, 0]
    is_odd = isinstance(kind, np.dtype) and kind.kind in "cMm"
    if getattr(value, "ndim", 1) != 1 or is_odd:
        raise no_labels(name, f"has dtype {kind}")
    return labels(value, name, levels, contrast, refuse)


def is_marked(value: Any) -> bool:
    """Tell whether this came out of ``C(...)``, patsy's or ours."""
    # In this order: the data of an array of dates cannot even be asked for.
    return all(hasattr(value, name) for name in ("contrast", "levels", "data"))


def unmarked(value: Any) -> Any:
    """Return what ``C(...)`` encloses, anything else as it is."""
    return value.data if is_marked(value) else value


def numbers(value: Any, name: str) -> Numbers:
    """Return numeric columns (n, k)."""
    values = np.asarray(value, dtype=np.float64)
    if values.ndim == 0 or values.ndim > 2:
        raise FormulaError(
            f"'{name}' has {values.ndim} dimensions; it must give one value, or one "
            "row of values, per row of the data.",
            argument="formula",
        )
    return Numbers(values[:, None] if values.ndim == 1 else values)


def categories(
    value: Any, name: str, levels: Sequence[Any] | None, contrast: Any, refuse: bool
) -> Labels:
    """Read a pandas categorical; its order of levels is kept."""
    array: Any = value.array if isinstance(value, pd.Series) else value
    codes = np.asarray(array.codes, dtype=np.int64)
    own = tuple(array.categories)
    if levels is None or tuple(levels) == own:
        return Labels(codes, own, contrast)
    return recoded(codes, own, tuple(levels), name, contrast, refuse)


def labels(
    value: Any, name: str, levels: Sequence[Any] | None, contrast: Any, refuse: bool
) -> Labels:
    """Read labels of any kind; without given levels they are sorted, as patsy does."""
    try:
        codes, found = pd.factorize(value, use_na_sentinel=True)
    except TypeError as error:
        raise no_labels(name, f"has cells that are no labels ({error})") from None
    own = tuple(found.tolist() if hasattr(found, "tolist") else found)
    times = [type(level).__name__ for level in own if isinstance(level, TIMES)]
    if times:
        raise no_labels(name, f"has times among its cells ({times[0]})")
    codes = np.asarray(codes, dtype=np.int64)
    if levels is None:
        from patsy.util import SortAnythingKey

        is_boolean = getattr(value, "dtype", None) == np.bool_
        levels = (False, True) if is_boolean else sorted(own, key=SortAnythingKey)
    return recoded(codes, own, tuple(levels), name, contrast, refuse)


def no_labels(name: str, what: str) -> FormulaError:
    """Return the error for values that are neither numbers nor labels."""
    return FormulaError(
        f"'{name}' {what}; use numbers, booleans or labels. Count a time from a fixed "
        "day, take a part of it such as the month, or write it as text for a label.",
        argument="formula",
    )


def recoded(
    codes: Index,
    own: tuple[Any, ...],
    levels: tuple[Any, ...],
    name: str,
    contrast: Any,
    refuse: bool,
) -> Labels:
    """Express codes of ``own`` levels in terms of ``levels``.

    Raises
    ------
    FormulaError
        If a level that occurs is not among them, and this is to be refused.
    """
    place = {level: k for k, level in enumerate(levels)}
    home = np.array([place.get(level, -2) for level in own] + [-1], dtype=np.int64)
    fresh = home[codes]
    unseen = fresh == -2
    if refuse and unseen.any():
        row = int(np.flatnonzero(unseen)[0])
        raise unseen_level(name, own[codes[row]], codes == codes[row], levels)
    if not unseen.any():
        return Labels(fresh, levels, contrast)
    return Labels(np.where(unseen, -1, fresh), levels, contrast, unseen)


def without_absent(
    value: Labels, absent: Sequence[int], name: str, refuse: bool
) -> Labels:
    """Treat levels that were declared but never seen as what they are: unseen.

    Raises
    ------
    FormulaError
        If one occurs and this is to be refused.
    """
    hit = np.isin(value.codes, absent)
    if not hit.any():
        return value
    if not refuse:
        strange = hit if value.strange is None else hit | value.strange
        return replace(value, codes=np.where(hit, -1, value.codes), strange=strange)
    code = int(value.codes[np.flatnonzero(hit)[0]])
    seen = [level for k, level in enumerate(value.levels) if k not in set(absent)]
    raise unseen_level(name, value.levels[code], value.codes == code, seen)


def unseen_level(
    name: str, level: Any, where: Any, known: Sequence[Any]
) -> FormulaError:
    """Return the error for a level of new rows (boolean, (n,)) that is unknown."""
    rows = np.flatnonzero(where)
    row = int(rows[0])
    place = f"row {row}" if rows.size == 1 else f"{rows.size} rows, first: row {row}"
    shown = ", ".join(str(each) for each in known[:20])
    more = f" and {len(known) - 20} more" if len(known) > 20 else ""
    return FormulaError(
        f"column '{bare(name)}' has level '{level}' ({place}) that was not present "
        f"when fitting; known: {shown}{more}.",
        argument=bare(name),
        index=row,
    )


def bare(name: str) -> str:
    """Return the column inside ``C(column)``, or the name itself."""
    inside = name.removeprefix("C(").removesuffix(")").split(",")[0].strip()
    return inside if name.startswith("C(") and inside.isidentifier() else name


class told:  # noqa: N801, reads as a statement: with told(factor, data)
    """Turn what goes wrong inside an expression into a message about the formula."""

    def __init__(self, factor: Any, data: Any) -> None:
        self.factor = factor
        self.data = data
        self.numpy = np.errstate(all="ignore")

    def __enter__(self) -> None:
        self.numpy.__enter__()

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        self.numpy.__exit__(kind, error, trace)
        if not isinstance(error, Exception) or isinstance(error, PenglmError):
            return
        # patsy wraps what it caught.
        cause = error if error.__cause__ is None else error.__cause__
        if isinstance(cause, PenglmError):
            raise cause from None
        if isinstance(cause, NameError) and cause.name is not None:
            known = ", ".join(list(self.data)[:20]) or "none"
            raise FormulaError(
                f"formula uses '{cause.name}', which is neither a column nor a "
                f"function; columns: {known}.",
                argument="formula",
            ) from None
        raise FormulaError(
            f"'{self.factor.code}' cannot be computed: {cause}", argument="formula"
        ) from None


def environment(depth: int, trusted: bool) -> Any:
    """Return where free names are looked up: the caller's scope, then our functions."""
    from patsy import EvalEnvironment

    from penglm.formula.transforms import NAMESPACE

    if not trusted:
        return EvalEnvironment([NAMESPACE])
    scope = EvalEnvironment.capture(0, reference=depth + 1)
    return scope.with_outer_namespace(NAMESPACE)


def missing_rows(data: Any, names: Sequence[str], n_rows: int) -> Any:
    """Return a boolean (n,): rows in which one of the columns is missing."""
    bad = np.zeros(n_rows, dtype=bool)
    for name in names:
        bad |= is_missing(data[name])
    return bad
