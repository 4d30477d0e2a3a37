"""Values a caller passed: as they must be, or an error that says where they are not.

Texts follow one form: what is wrong with its value and place; what is allowed; the way
out. Nothing the caller passed is modified.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from penglm._typing import Array, Index, Mask, Vector
from penglm.arrays import is_sparse, vector
from penglm.exceptions import PenglmInputError, PenglmTypeError

# Products of a column this large with anything in a fit stay finite.
LARGEST_SIZE = 1e302
# Sums of squares of numbers up to here stay finite.
LARGEST_SQUARED = 1e151
# A share of 1e-16 of anything smaller is no normal number.
LEAST_SIZE = float(np.finfo(float).tiny / np.finfo(float).eps)
# Weights that add up to less are single numbers without all their digits.
LEAST_WEIGHT = 1e-300

NUMERIC = "numeric"
"""Standardise the columns that hold other numbers than 0 and 1."""


def refuse_missing(
    values: Any, argument: str, bad: Mask, names: Sequence[str] = ()
) -> None:
    """Raise if a row (n,) is bad, naming the first one and its column."""
    if not bad.any():
        return
    row = int(np.flatnonzero(bad)[0])
    place = f"row {row}"
    if values.ndim == 2:
        line = values.tocsr()[[row]].toarray()[0] if is_sparse(values) else values[row]
        j = int(np.flatnonzero(~np.isfinite(line))[0])
        place += f", column '{names[j]}'" if names else f", column {j}"
        cell = line[j]
    else:
        cell = values[row]
    what = "NaN" if np.isnan(cell) else "infinity"
    raise PenglmInputError(
        f"{argument} contains {what} in {int(bad.sum())} rows (first: {place}); penglm "
        'does not impute. Drop or impute these rows, or pass missing="drop".',
        argument=argument,
        index=row,
    )


def place(i: int, rows: Index | None) -> int:
    """Return where the caller has the i-th of the values checked."""
    return i if rows is None else int(rows[i])


def weights(
    values: Any,
    argument: str,
    n_rows: int,
    *,
    missing: str = "raise",
    rows: Index | None = None,
) -> Vector:
    """Return nonnegative weights (n,), not all zero; NaN only if it may be dropped.

    ``rows`` (n,), here and below, are the positions that an error names.
    """
    if values is None:
        return np.ones(n_rows)
    array = vector(values, argument, n_rows)
    bad = ~(np.isfinite(array) & (array >= 0.0))
    if missing == "drop":
        bad &= ~np.isnan(array)
    if bad.any():
        i = int(np.flatnonzero(bad)[0])
        reason = "negative" if array[i] < 0 else "not a number"
        reason = "infinite" if np.isposinf(array[i]) else reason
        raise PenglmInputError(
            f"{argument}[{place(i, rows)}] = {array[i]} is {reason}; weights must be "
            "finite and >= 0.",
            argument=argument,
            index=place(i, rows),
        )
    if not array.any():
        raise PenglmInputError(
            f"{argument} is zero for every row; nothing to fit.", argument=argument
        )
    return array


def total_weight(values: Vector, argument: str) -> None:
    """Raise if weights (n,), possibly NaN, are too large to be added, or too small."""
    with np.errstate(over="ignore"):
        total = float(np.nansum(values))
    is_large = not total < np.inf
    if is_large or total < LEAST_WEIGHT:
        raise PenglmInputError(
            f"{argument} adds up to {total:g}, which is too "
            f"{'large' if is_large else 'small'} for double precision; only the ratios "
            "of weights matter: multiply them by a constant.",
            argument=argument,
        )


def log_link(link: str) -> None:
    """Raise if an exposure is given beside a link other than the logarithm."""
    if link != "log":
        raise PenglmInputError(
            f"exposure is for the log link, not '{link}'; pass offset on the scale of "
            "the linear predictor.",
            argument="exposure",
        )


def exposure(
    values: Any,
    n_rows: int,
    *,
    counted: Mask | None = None,
    rows: Index | None = None,
) -> Vector:
    """Return the logarithm (n,) of exposures, positive in the rows that count."""
    array = vector(values, "exposure", n_rows)
    bad = array <= 0.0
    if counted is not None:
        array = np.where(bad & ~counted, np.nan, array)
        bad &= counted
    if bad.any():
        i = int(np.flatnonzero(bad)[0])
        raise PenglmInputError(
            f"exposure[{place(i, rows)}] = {array[i]} is not positive; its logarithm "
            "is the offset. Leave rows without exposure out.",
            argument="exposure",
            index=place(i, rows),
        )
    return np.log(array)


def finite(values: Vector, argument: str, rows: Index) -> None:
    """Raise if one of these (n,), none of which is NaN, is infinite."""
    bad = np.flatnonzero(np.isinf(values))
    if bad.size:
        raise PenglmInputError(
            f"{argument} is infinite in {bad.size} rows (first: row {rows[bad[0]]}); "
            "leave such rows out.",
            argument=argument,
            index=int(rows[bad[0]]),
        )


def number(value: Any, argument: str) -> float:
    """Return one real number, possibly NaN."""
    try:
        return float(value)
    except (TypeError, ValueError):
        raise PenglmTypeError(
            f"{argument} = {value!r}; {argument} must be a number.", argument=argument
        ) from None


def strength(alpha: float | None, argument: str = "alpha") -> float:
    """Return a penalty strength in [0, inf]."""
    value = number(alpha, argument)
    if not value >= 0.0:
        raise PenglmInputError(
            f"{argument} = {alpha}; {argument} must be >= 0.", argument=argument
        )
    return value


def one_of(**given: float | None) -> None:
    """Raise unless exactly one of these arguments was given."""
    names = [name for name, value in given.items() if value is not None]
    if len(names) != 1:
        asked = " or ".join(given)
        found = "both" if names else "neither"
        raise PenglmInputError(
            f"{asked} is needed and {found} was given; pass one of them.",
            argument=names[0] if names else next(iter(given)),
        )


def strengths(alphas: Any) -> Vector:
    """Return the user's strengths (m,) in the user's order."""
    values = np.atleast_1d(vector(np.atleast_1d(alphas), "alphas"))
    for value in values:
        strength(value, "alphas")
    if not values.size or not np.isfinite(values).all():
        raise PenglmInputError(
            "alphas must be finite numbers, at least one.", argument="alphas"
        )
    return values


def mix(l1_ratio: float) -> float:
    """Return an l1_ratio in [0, 1]."""
    return share(l1_ratio, "l1_ratio", "1 is the lasso, 0 is ridge")


def share(value: Any, argument: str, meaning: str) -> float:
    """Return a number in [0, 1]."""
    found = number(value, argument)
    if not 0.0 <= found <= 1.0:
        raise PenglmInputError(
            f"{argument} = {value}; {argument} must lie in [0, 1] ({meaning}).",
            argument=argument,
        )
    return found


def tolerance(tol: float) -> float:
    """Return a tolerance on the KKT violation, positive and finite."""
    value = number(tol, "tol")
    if not 0.0 < value < np.inf:
        raise PenglmInputError(
            f"tol = {tol}; tol must be positive: the violation, in units of each "
            "coordinate's threshold, that a solution may have.",
            argument="tol",
        )
    return value


def whole(value: Any, argument: str, least: int = 1) -> int:
    """Return a whole number, not below the least."""
    given = number(value, argument)
    if not np.isfinite(given) or given != int(given) or given < least:
        raise PenglmInputError(
            f"{argument} = {value}; {argument} must be a whole number, at least "
            f"{least}.",
            argument=argument,
        )
    return int(value)


def choice(value: str, allowed: Sequence[str], argument: str) -> str:
    """Return ``value`` if it is one of the allowed words."""
    if value not in allowed:
        raise PenglmInputError(
            f"{argument} = {value!r}; use one of {', '.join(map(repr, allowed))}.",
            argument=argument,
        )
    return value


def scaling(standardize: Any) -> bool | str:
    """Return which columns are standardised: all, none, or ``"numeric"`` ones."""
    if isinstance(standardize, str) and standardize == NUMERIC:
        return NUMERIC
    if isinstance(standardize, bool | int | np.bool_) and standardize in (0, 1):
        return bool(standardize)
    raise PenglmInputError(
        f"standardize = {standardize!r}; use True, False or 'numeric'.",
        argument="standardize",
    )


def by_name(value: Any, argument: str, names: Sequence[str]) -> dict[str, Any] | None:
    """Return the entries of a mapping, or of a pandas object with labels, by name.

    None for what goes by position. Labels 0, 1, ... are names if columns have them.
    """
    if isinstance(value, Mapping):
        labels, entries = list(value), list(value.values())
    else:
        index: Any = getattr(value, "index", None)
        if index is None or callable(index):
            return None
        labels, entries = list(index), vector(value, argument).tolist()
        is_counted = labels == list(range(len(labels)))
        if is_counted and not set(map(str, labels)) <= set(names):
            return None
    found = dict(zip(map(str, labels), entries, strict=True))
    if len(found) < len(labels):
        spelled = [str(label) for label in labels]
        twice = next(name for name in spelled if spelled.count(name) > 1)
        raise PenglmInputError(
            f"{argument} names '{twice}' {spelled.count(twice)} times; name it once.",
            argument=argument,
        )
    return found


def per_column(
    value: Any,
    argument: str,
    names: Sequence[str],
    default: float,
    term_slices: Mapping[str, slice],
) -> Vector:
    """Spread a scalar, an array or a mapping over columns (p,).

    A mapping, or a pandas Series with labels, goes by column name or by formula term;
    a term covers all its columns but those that are named themselves.
    """
    p = len(names)
    if value is None:
        return np.full(p, default)
    named = by_name(value, argument, names)
    if named is not None:
        out = np.full(p, default)
        place = {name: j for j, name in enumerate(names)}
        for key in named:
            if key not in place and key not in term_slices:
                known = list(dict.fromkeys([*names[:20], *term_slices]))
                raise PenglmInputError(
                    f"{argument} names '{key}', which is neither a column nor a term; "
                    f"known: {', '.join(known[:30])}.",
                    argument=argument,
                )
        for key in sorted(named, key=place.__contains__):
            where = place[key] if key in place else term_slices[key]
            out[where] = number(named[key], argument)
        return out
    if np.ndim(value) == 0:
        return np.full(p, number(value, argument))
    array = vector(value, argument)
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
    relation = "exceeds" if lower[j] > upper[j] else "leaves nothing below"
    relation = "is not a number beside" if np.isnan(lower[j]) else relation
    is_lower = np.isnan(lower[j]) or not np.isnan(upper[j])
    raise PenglmInputError(
        f"lower[{j}]={lower[j]:g} {relation} upper[{j}]={upper[j]:g} "
        f"(column '{names[j]}').",
        argument="lower" if is_lower else "upper",
        index=j,
    )


def sizes(mean: Vector, sd: Vector, names: Sequence[str]) -> None:
    """Raise if a column (of p) is too large or too small for double precision."""
    size = np.maximum(np.abs(mean), sd)
    is_large = ~(size <= LARGEST_SIZE)
    bad = is_large | ((sd > 0.0) & (sd < 1.0 / LARGEST_SIZE))
    if not bad.any():
        return
    j = int(np.flatnonzero(bad)[0])
    what = "large" if is_large[j] else "small"
    raise PenglmInputError(
        f"column '{names[j]}' is too {what} for double precision (mean {mean[j]:.3g}, "
        f"sd {sd[j]:.3g}); {'divide' if is_large[j] else 'multiply'} it by a constant.",
        argument=str(names[j]),
    )


def squares(values: Vector, argument: str, rows: Index, least: float = 0.0) -> None:
    """Raise if squares of values (n,) overflow, or all values are below ``least``."""
    size = np.abs(values)
    i = int(size.argmax())
    is_large = size[i] > LARGEST_SQUARED
    if is_large or 0.0 < size[i] < least:
        raise PenglmInputError(
            f"{argument}[{rows[i]}] = {values[i]:g} is the largest in size, and too "
            f"{'large to be squared' if is_large else 'small'} in double precision; "
            f"{'divide' if is_large else 'multiply'} {argument} by a constant.",
            argument=argument,
            index=int(rows[i]),
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
