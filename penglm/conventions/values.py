"""What goes through a translation: facts of the data, a penalty, and what comes out."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from penglm import checks
from penglm._typing import Index, Mask, Vector
from penglm.exceptions import PenglmInputError, PenglmTypeError

# Columns agree in their ratios up to rounding, or they do not agree.
ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Facts:
    """What a translation may need to know of the data; None where nobody said.

    Attributes
    ----------
    n_features : int or None
    n_rows : int or None
    weight_total : float or None
        Sum of the weights; of the trials for counts.
    is_weighted : bool
        Whether rows differ in weight.
    response_sd : float or None
        Weighted sd of ``y - offset``, divided by the weight total.
    column_sd : Vector (p,) or None
        Likewise.
    column_mean : Vector (p,) or None
        Weighted; asked for where columns are constant and there is no intercept.
    is_numeric : Mask (p,) or None
        Columns that hold other numbers than 0 and 1.
    family, link : str or None
    fit_intercept : bool
    estimates_dispersion : bool or None
        Whether the family leaves the dispersion open; a family says so itself.
    dispersion : float or None
        The scale that the other system arrives at.
    """

    n_features: int | None = None
    n_rows: int | None = None
    weight_total: float | None = None
    is_weighted: bool = False
    response_sd: float | None = None
    column_sd: Vector | None = None
    column_mean: Vector | None = None
    is_numeric: Mask | None = None
    family: str | None = None
    link: str | None = None
    fit_intercept: bool = True
    estimates_dispersion: bool | None = None
    dispersion: float | None = None

    @property
    def width(self) -> int:
        """Number of columns; 1 stands for all where nobody said."""
        return 1 if self.n_features is None else self.n_features

    @property
    def constant(self) -> Index:
        """Constant columns, as far as anybody said."""
        return np.flatnonzero([] if self.column_sd is None else self.column_sd == 0.0)

    def need(self, name: str, why: str) -> Any:
        """Return a fact, or say who needs it.

        Raises
        ------
        PenglmInputError
            If nobody said it.
        """
        value = getattr(self, name)
        if value is None:
            raise PenglmInputError(
                f"{why} needs {name}; pass model=, or {name}= itself.", argument=name
            )
        return value


@dataclass(frozen=True, eq=False)
class Penalty:
    """A penalty of the core form: ``l1_j |coef_j| + l2_j / 2 coef_j^2``.

    Attributes
    ----------
    l1, l2 : Vector (p,)
        Of coefficients in the units of the columns; ``inf`` in both excludes.
    factor : Vector (p,)
        How its author split it among the columns: among arguments that mean the same,
        those with these factors are chosen.
    scale : Vector (p,)
        What its author divided the columns by, likewise.
    """

    l1: Vector
    l2: Vector
    factor: Vector
    scale: Vector


@dataclass(frozen=True, eq=False)
class Conversion:
    """A penalty in a system's own words.

    Attributes
    ----------
    system : str
    arguments : dict
        By the system's own names.
    column_scale : Vector (p,) or None
        What each column has to be divided by before the system gets it, and each of
        its coefficients afterwards; None if columns go in as they are.
    verified : bool
        Whether the convention was established by running the system.
    note : str
        What else there is to know.
    """

    system: str
    arguments: dict[str, Any]
    column_scale: Vector | None = None
    verified: bool = True
    note: str = ""

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value}" for name, value in self.arguments.items())
        lines = [f"{self.system}: {shown}"]
        if self.column_scale is not None:
            lines.append(f"divide the columns by {self.column_scale}")
        if not self.verified:
            lines.append("as documented, not verified by a run")
        return "\n".join([*lines, *([self.note] if self.note else [])])


def snapped(values: Vector) -> Vector:
    """Return multipliers (p,), those that are 1 up to rounding being 1."""
    return np.where(np.abs(values - 1.0) <= ROUNDING, 1.0, values)


def tidy(value: float) -> float:
    """Return a number without the last digit of a way there and back."""
    return float(f"{value:.15g}")


def has_part(strengths: Vector) -> bool:
    """Return whether a part of a penalty is there, excluded columns apart."""
    return bool(np.any(strengths[np.isfinite(strengths)] > 0.0))


def in_units(strengths: Vector, unit: float) -> Vector:
    """Return strengths (p,) in another unit; infinite ones exclude their columns.

    Raises
    ------
    PenglmInputError
        If one that is finite is not a number there.
    """
    with np.errstate(over="ignore", under="ignore"):
        found = strengths * unit
    lost = np.isinf(found) & np.isfinite(strengths)
    if np.any(lost | ((found == 0.0) & (strengths > 0.0))):
        largest = strengths[np.isfinite(strengths)].max()
        raise PenglmInputError(
            f"a strength of {largest:.3g} is too large or too small for double "
            "precision in the units of the other system.",
            argument="alpha",
        )
    return found


def times(strength: float, spread: Vector) -> Vector:
    """Return ``strength * spread`` (p,); excluded columns stay so at strength 0."""
    out = np.full(spread.shape, np.inf)
    finite = np.isfinite(spread)
    out[finite] = strength * spread[finite]
    return out


def multipliers(given: Any, n_features: int) -> Vector:
    """Return multipliers (p,), checked; ones if not given."""
    if given is None:
        return np.ones(n_features)
    values = numbers(given, "penalty_factor")
    if values.ndim > 1 or values.size not in (1, n_features):
        raise PenglmInputError(
            f"there are {values.size} factors for {n_features} columns; pass one for "
            "each, and model= or n_features= if the columns are more than one.",
            argument="penalty_factor",
        )
    values = np.broadcast_to(values, (n_features,))
    bad = np.flatnonzero(~(values >= 0.0))
    if bad.size:
        raise PenglmInputError(
            f"factors must be >= 0, but number {bad[0]} is {values[bad[0]]}.",
            argument="penalty_factor",
            index=int(bad[0]),
        )
    return values


def numbers(given: Any, name: str) -> Vector:
    """Return an array of numbers of any shape."""
    try:
        return np.asarray(given, dtype=float)
    except (TypeError, ValueError):
        raise PenglmTypeError(
            f"{name} = {given!r}; use numbers, one for each column.", argument=name
        ) from None


def positive(
    value: Any, name: str, *, zero: bool = True, inverse: bool = False
) -> float:
    """Return a number >= 0 and finite, or > 0, or the inverse of such: then 1 / 0."""
    number = np.nan if np.ndim(value) else checks.number(value, name)
    if not (
        0.0 < number < np.inf
        or (number == 0.0 and zero and not inverse)
        or (number == np.inf and inverse)
    ):
        allowed = ">= 0" if zero and not inverse else "> 0"
        finite = "" if inverse else "finite "
        raise PenglmInputError(
            f"{name} must be one {finite}number {allowed}, not {value!r}.",
            argument=name,
        )
    return number


def share(value: Any, name: str) -> float:
    """Return a number in [0, 1]."""
    number = np.nan if np.ndim(value) else checks.number(value, name)
    if not 0.0 <= number <= 1.0:
        raise PenglmInputError(
            f"{name} must lie in [0, 1], not {value!r}.", argument=name
        )
    return number
