"""The response of a model: numbers, labels, proportions, or counts of two outcomes."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from penglm import arrays, checks
from penglm._typing import Array, Index, Mask, Matrix, Vector
from penglm.exceptions import NoFiniteSolutionError, PenglmInputError
from penglm.families import Family

# With room for means that differ from the responses, and for sums over the rows.
LEAST_VARIANCE, MOST_VARIANCE = 1e-280, 1e280


@dataclass(frozen=True, eq=False)
class Response:
    """A response as numbers.

    Attributes
    ----------
    y : Vector (n,)
        Missing values still in it.
    trials : Vector (n,) or None
        Number of trials behind each proportion, where counts were given.
    levels : tuple or None
        The labels that 0 and 1 stand for.
    """

    y: Vector
    trials: Vector | None = None
    levels: tuple[Any, Any] | None = None


def read(
    values: Any,
    family: Family,
    counted: Mask | None = None,
    rows: Index | None = None,
) -> Response:
    """Read a response; for the binomial families also labels and pairs of counts.

    Parameters
    ----------
    values : array, or anybody's column or table (n,) or (n, 2)
    family : Family
    counted : Mask (n,), optional
        Rows of some weight. What cannot be read in others is missing there.
    rows : Index (n,), optional
        Positions that an error names.

    Raises
    ------
    PenglmInputError
        If it has not two classes, or is not numeric where it must be.
    """
    arrays.refuse_sparse(values, "endog")
    is_pair = len(shape_of(values)) == 2 and shape_of(values)[1] == 2
    if family.has_trials and is_pair:
        pair = arrays.table(values, "endog").values
        pair = pair.toarray() if arrays.is_sparse(pair) else pair
        return counts(arrays.numbers(pair, "endog"), counted, rows)
    if not family.has_classes:
        return Response(arrays.vector(values, "endog"))
    array = arrays.array_of(values)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    order = categories(values)
    if array.dtype.kind == "b" and not order:
        return Response(array.astype(float), levels=(False, True))
    if array.dtype.kind in "OSUT" or order:
        return labels(array, order, counted)
    return Response(arrays.vector(values, "endog"))


def shape_of(values: Any) -> tuple[int, ...]:
    """Return the shape of an array or of anybody's table."""
    return tuple(getattr(values, "shape", None) or np.shape(values))


def counts(
    pair: Matrix, counted: Mask | None = None, rows: Index | None = None
) -> Response:
    """Read columns (successes, failures) as proportions with trials."""
    bad = (pair < 0).any(axis=1) | np.isinf(pair).any(axis=1)
    if counted is not None:
        pair = np.where((bad & ~counted)[:, None], np.nan, pair)
        bad &= counted
    if bad.any():
        i = int(np.flatnonzero(bad)[0])
        reason = "a negative" if (pair[i] < 0).any() else "an infinite"
        raise PenglmInputError(
            f"endog[{checks.place(i, rows)}] = {pair[i].tolist()} has {reason} count; "
            "give successes and failures, both >= 0.",
            argument="endog",
            index=checks.place(i, rows),
        )
    trials = pair.sum(axis=1)
    y = np.divide(pair[:, 0], trials, out=np.zeros_like(trials), where=trials > 0)
    return Response(np.where(np.isnan(trials), np.nan, y), trials=trials)


def categories(values: Any) -> list[Any]:
    """Return the levels of a categorical in their order, none elsewhere."""
    series = arrays.series_of(values)
    if series is not None:
        return arrays.levels_of(series) or []
    known = getattr(getattr(values, "dtype", None), "categories", None)
    return [] if known is None else list(known)


def labels(array: Array, order: list[Any], counted: Mask | None = None) -> Response:
    """Read two labels; the later one is the event, in the given or in sorted order."""
    import pandas as pd

    cells = array.tolist()
    missing = np.array(pd.isna(pd.Series(cells, dtype=object)))
    if counted is not None:
        some = np.flatnonzero(counted & ~missing)
        seen = {cells[i] for i in some}
        missing |= [cell not in seen for cell in cells]
    present = [cell for cell, gone in zip(cells, missing, strict=True) if not gone]
    # Numbers of a categorical are labels, in the order it gives them.
    if not order and all(isinstance(cell, bool | int | float) for cell in present):
        return Response(np.array(
            [np.nan if gone else float(cell)
             for cell, gone in zip(cells, missing, strict=True)]
        ))  # fmt: skip
    found = set(present)
    known = [level for level in order if level in found] or sorted(found, key=str)
    if len(known) != 2:
        raise PenglmInputError(
            f"endog has {len(known)} classes ({', '.join(map(str, known[:5]))}); the "
            "binomial family needs two.",
            argument="endog",
        )
    y = np.array([np.nan if g else float(c == known[1])
                  for c, g in zip(cells, missing, strict=True)])  # fmt: skip
    return Response(y, levels=(known[0], known[1]))


def check_range(y: Vector, family: Family, rows: Index) -> None:
    """Raise if a value lies outside what the family can produce."""
    r = family.y_range
    needs = f"y in {r}"
    if r.low == 0.0 and np.isinf(r.high):
        needs = "y >= 0" if r.low_closed else "y > 0"
    elif r.low == 0.0 and r.high == 1.0:
        needs = "0 <= y <= 1"
    checks.in_range(y, r.contains(y), family.name, needs, rows)


def check_finite_solution(y: Vector, family: Family, fit_intercept: bool) -> None:
    """Raise if the intercept alone already runs off to infinity.

    Raises
    ------
    NoFiniteSolutionError
        If every response sits at an end of its range that no mean can reach.
    """
    if not fit_intercept or family.y_range.contains(np.array([-np.inf])).all():
        return
    for end, way in ((family.y_range.low, "-"), (family.y_range.high, "+")):
        reachable = family.mu_range.contains(np.array([end])).all()
        if np.isfinite(end) and not reachable and np.all(y == end):
            raise NoFiniteSolutionError(
                f"y is {end:g} in all {y.size} rows: the {family.name.capitalize()} "
                f"intercept has no finite maximum-likelihood value (it tends to "
                f"{way}inf). Collect rows with other values, or pass "
                "fit_intercept=False.",
                argument="y",
            )


def check_squares(y: Vector, offset: Vector, family: Family, rows: Index) -> None:
    """Raise if the deviance of least squares would overflow."""
    if family.name != "gaussian":
        return
    checks.squares(y, "y", rows, checks.LEAST_SIZE)
    if family.link.name == "identity":
        checks.squares(offset, "offset", rows)


def check_variance(y: Vector, family: Family) -> None:
    """Raise if double precision has no variances for means of the responses' size.

    Beyond, slopes would vanish and every coefficient pass for optimal.
    """
    inside = y[family.mu_range.contains(y)]
    if family.unknown is not None or not inside.size:
        return
    largest = float(np.abs(inside).max())
    # Halves, so that no sum overflows.
    mean = float(np.mean(0.5 * inside / largest) * 2.0 * largest) if largest else 0.0
    with np.errstate(all="ignore"):
        low, high = family.variance(np.array([mean, largest]))
    if low < LEAST_VARIANCE or high > MOST_VARIANCE:
        size = largest if high > MOST_VARIANCE else mean
        raise PenglmInputError(
            f"y is of the size {size:.1e}, for which the {family.name} family has no "
            "variance in double precision. Multiply y by a constant; under the log "
            "link the intercept takes up its logarithm.",
            argument="y",
        )
