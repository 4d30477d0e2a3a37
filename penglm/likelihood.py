"""The number that makes a likelihood largest, the means given."""

from collections.abc import Callable

import numpy as np

# Brent's search of the maximum stops here; the root of the slope goes on.
COARSE = 1e-6
# Half-width of the interval that the root is looked for in.
AROUND = 1e-3
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
