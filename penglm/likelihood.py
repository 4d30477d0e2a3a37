"""The numbers that make a likelihood largest, the means given."""

from collections.abc import Callable
from typing import Any

import numpy as np

from penglm._typing import Vector

# Brent's search of the maximum stops here; the root of the slope goes on.
COARSE = 1e-6
# Half-width of the interval that the root is looked for in.
AROUND = 1e-3
# Side of a first simplex, in these half-widths.
FIRST = 300.0
# A central difference is then as exact as it can be.
DIFFERENCE = float(np.cbrt(np.finfo(float).eps))


def argmax(function: Callable[[float], float], low: float, high: float) -> float:
    """Return where a function with one maximum in an interval has it.

    Parameters
    ----------
    function : callable
        Of a number, as smooth as a likelihood.
    low, high : float
        Ends of the interval. A function that rises all the way leads close to one.

    Notes
    -----
    A maximum is flat: values tell its place to half the digits only. So its
    neighbourhood is found by Brent's method, the place as the root of the slope, a
    central difference.

    References
    ----------
    Brent (1973), Algorithms for Minimization Without Derivatives, chapters 4 and 5.
    """
    from scipy.optimize import brentq, minimize_scalar

    found = minimize_scalar(
        lambda x: -function(float(x)), bounds=(low, high), method="bounded",
        options={"xatol": COARSE},
    )  # fmt: skip
    best = float(found.x)

    def slope(x: float) -> float:
        return function(x + DIFFERENCE) - function(x - DIFFERENCE)

    left = max(best - AROUND, low + DIFFERENCE)
    right = min(best + AROUND, high - DIFFERENCE)
    if not slope(left) > 0.0 > slope(right):
        return best
    return float(brentq(slope, left, right))


def summit(function: Callable[[Vector], float], start: Vector, reach: Vector) -> Vector:
    """Return where a function of a few numbers is largest, near a start.

    Parameters
    ----------
    function : callable
        Of a vector (k,); minus infinity where it has no value.
    start, reach : Vector (k,)
        Middle and half-widths of what is looked at. A function that rises all the way
        leads to an end.

    Notes
    -----
    As in ``argmax``: climbed by values, then placed as the root of the slopes, of four
    values each and far apart, since a likelihood of many rows has lost some digits.
    Where no root is near, the climb's end is returned.

    References
    ----------
    Nelder and Mead (1965), A simplex method for function minimization. Powell (1970), A
    hybrid method for nonlinear equations.
    """
    from scipy.optimize import minimize, root

    steps = AROUND * np.eye(start.size)

    def inside(x: Vector) -> float:
        return function(x) if np.all(np.abs(x - start) < reach) else -np.inf

    def slopes(x: Vector) -> Vector:
        near, far = (
            [inside(x + by * step) - inside(x - by * step) for step in steps]
            for by in (1.0, 2.0)
        )
        return 8.0 * np.array(near) - np.array(far)

    simplex = start + np.vstack([np.zeros(start.size), FIRST * steps])
    climb: Any = minimize  # SciPy's types know no such simplex
    near = climb(
        lambda x: -inside(x), start, method="Nelder-Mead",
        options={"initial_simplex": simplex, "xatol": AROUND, "fatol": np.inf},
    ).x  # fmt: skip
    with np.errstate(invalid="ignore"):
        found = root(slopes, near, options={"eps": COARSE, "xtol": COARSE**2}).x
    is_near = bool(np.max(np.abs(found - near)) <= AROUND**0.5)
    return np.asarray(found if is_near else near, dtype=float)


def likeliest(log_likelihood: Callable[[float], float], start: float) -> float:
    """Return the positive number that maximises a log-likelihood.

    Parameters
    ----------
    log_likelihood : callable
        Of a positive number.
    start : float
        A number of about the right size; the search covers ten powers of ten on
        either side.
    """
    reach = 10.0 * np.log(10.0)
    return start * float(
        np.exp(argmax(lambda x: log_likelihood(start * np.exp(x)), -reach, reach))
    )
