"""Sums of a Poisson number of gamma amounts: the distribution behind Tweedie powers."""

import numpy as np
from scipy.special import gammainc, gammaincc, gammaln, log_wright_bessel, xlogy

from penglm._typing import Vector

# Numbers of amounts that are looked at: so many standard deviations of a Poisson count,
# and so many more, beyond the mean count and the count that goes best with the sum.
DEVIATIONS, MORE = 12.0, 30.0
# Amounts of a larger shape are too much for SciPy, whose value is off by 1e-3 and more
# from some hundred amounts a sum on, and NaN at last.
MOST_TO_SCIPY = 4.0
# Terms of the density on either side of the largest, and their distance in standard
# deviations where these are so large that not each number of amounts is needed.
TERMS, APART = 30, 0.4


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


def log_terms(shape: float, log_x: Vector) -> Vector:
    """Return ``log(sum_k x^k / (k! Gamma(k shape)))`` (n,), k from 1 on.

    That is the part of the density that holds no mean.

    Parameters
    ----------
    shape : float
    log_x : Vector (n,)

    Notes
    -----
    Terms are a bell in ``k``. A narrow one is summed term by term about its top. A wide
    one is as smooth as its normal limit: points 0.4 standard deviations apart give its
    integral, which is the sum (Trefethen and Weideman, 2014, SIAM Review 56(3)).
    """
    if shape <= MOST_TO_SCIPY:
        return np.asarray(log_wright_bessel(shape, 0.0, np.exp(log_x)), dtype=float)
    # Where a term is largest, by Stirling, and the standard deviation of the bell.
    best = np.exp((log_x - shape * np.log(shape)) / (1.0 + shape))
    apart = np.maximum(1.0, APART * np.sqrt(best / (1.0 + shape)))
    middle = np.maximum(np.floor(best), 1.0)

    def term(k: Vector) -> Vector:
        found: Vector = k * log_x - gammaln(k + 1.0) - gammaln(k * shape)
        return found

    # Of a bell narrower than one the second is the largest where the first is not.
    top = np.maximum(term(middle), term(middle + 1.0))
    total = np.zeros_like(log_x)
    for step in range(-TERMS, TERMS + 1):
        k = middle + step * apart
        total += np.where(k >= 1.0, np.exp(term(np.maximum(k, 1.0)) - top), 0.0)
    found: Vector = top + np.log(total * apart)
    return found
