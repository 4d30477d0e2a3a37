"""Sums of a Poisson number of gamma amounts: the distribution behind Tweedie powers."""

import numpy as np
from scipy.special import gammainc, gammaincc, gammaln, xlogy

from penglm._typing import Vector

# Numbers of amounts that are looked at: so many standard deviations of a Poisson count,
# and so many more, beyond the mean count and the count that goes best with the sum.
DEVIATIONS, MORE = 12.0, 30.0


def shares(
    y: Vector, rate: Vector, shape: float, scale: Vector
) -> tuple[Vector, Vector, Vector]:
    """Return the probabilities of a smaller, an equal and a larger sum.

    Parameters
    ----------
    y : Vector (n,)
        Sums, >= 0.
    rate : Vector (n,)
        Mean number of amounts.
    shape : float
    scale : Vector (n,)
        Of the amounts, which are gamma.

    Returns
    -------
    tuple of Vector (n,)

    Notes
    -----
    Given ``k`` amounts the sum is gamma with shape ``k shape``; both tails are sums of
    positive terms over ``k``. Those that count lie between the mean number and the
    number that goes best with ``y`` (Dunn and Smyth, 2005, Statistics and Computing
    15(4), section 4).
    """
    none = np.exp(-rate)
    some = y > 0.0
    below, at, above = np.zeros_like(y), np.where(some, 0.0, none), -np.expm1(-rate)
    x, mean = y[some] / scale[some], rate[some]
    lower, upper = none[some], np.zeros_like(mean)
    # Where log(mean^k / k! * x^(k shape) / Gamma(k shape)) is flat in k, by Stirling.
    best = (mean * (x / shape) ** shape) ** (1.0 / (1.0 + shape))
    low, high = np.minimum(mean, best), np.maximum(mean, best)
    first = np.maximum(np.floor(low - DEVIATIONS * np.sqrt(low) - MORE), 1.0)
    last = np.ceil(high + DEVIATIONS * np.sqrt(high) + MORE)
    for step in range(int((last - first).max(initial=-1.0)) + 1):
        k = first + step
        mass = np.where(
            k <= last, np.exp(xlogy(k, mean) - mean - gammaln(k + 1.0)), 0.0
        )
        lower = lower + mass * gammainc(k * shape, x)
        upper = upper + mass * gammaincc(k * shape, x)
    below[some], above[some] = lower, upper
    return below, at, above
