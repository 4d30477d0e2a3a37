"""What a canonical pair of family and link says about rows: loss, slope and weight.

``exp`` and ``log`` are polynomials: without a call or a branch the compiler handles
several rows at once, which it does not for the library's. They are evaluated in pairs
(Estrin's scheme), so that no product waits for all others before it.

Letters (the only place that uses them): e linear predictor and q quotient of a row.
"""

import numpy as np

from penglm.kernels._jit import jit

GAUSSIAN, LOGIT, LOG = 0, 1, 2
"""Kinds of rows: a canonical pair of family and link each."""

LEAST_POWER = 1080
POWERS = np.append(np.ldexp(1.0, np.arange(-LEAST_POWER, 1024)), [np.inf, np.inf])
"""Powers of two from below the smallest number to infinity."""


@jit
def exponential(x):
    """Return ``exp(x)`` to 2e-15 where ``|x| < 40``, and to ``x`` roundings beyond.

    ``exp(x) = 2^k exp(r)`` with ``|r| <= log(2) / 2``.
    """
    x = x if x > -746.0 else -746.0
    x = x if x < 710.0 else 710.0
    k = np.floor(x * 1.4426950408889634 + 0.5)
    r = (x - k * 0.693147180369123816490) - k * 1.90821492927058770002e-10
    s = r * r
    t = s * s
    a = (1.0 + r) + s * (0.5 + r * (1.0 / 6.0))
    b = (1.0 / 24.0 + r * (1.0 / 120.0)) + s * (1.0 / 720.0 + r * (1.0 / 5040.0))
    c = (1.0 / 40320.0 + r * (1.0 / 362880.0)) + s * (
        1.0 / 3628800.0 + r * (1.0 / 39916800.0)
    )
    d = 1.0 / 479001600.0 + r * (1.0 / 6227020800.0)
    p = (a + t * b) + (t * t) * (c + t * d)
    return p * POWERS[np.int64(k) + LEAST_POWER]


@jit
def log_of_one_more(q):
    """Return ``log(1 + q)`` for q in [0, 1], as ``2 artanh(q / (2 + q))``."""
    z = q / (2.0 + q)
    s = z * z
    t = s * s
    u = t * t
    a = (1.0 + s * (1.0 / 3.0)) + t * (1.0 / 5.0 + s * (1.0 / 7.0))
    b = (1.0 / 9.0 + s * (1.0 / 11.0)) + t * (1.0 / 13.0 + s * (1.0 / 15.0))
    c = (1.0 / 17.0 + s * (1.0 / 19.0)) + t * (1.0 / 21.0 + s * (1.0 / 23.0))
    d = (1.0 / 25.0 + s * (1.0 / 27.0)) + t * (1.0 / 29.0 + s * (1.0 / 31.0))
    e = 1.0 / 33.0 + s * (1.0 / 35.0)
    p = (a + u * b) + (u * u) * ((c + u * d) + (u * u) * e)
    return 2.0 * z * p


@jit
def response_terms(kind, y, own):
    """Write the part of the loss of rows (n,) that no predictor changes."""
    own[:] = 0.0
    if kind == LOGIT:
        for i in range(y.size):
            # One condition, hardly ever met: two of them the processor guesses wrong.
            if y[i] * (1.0 - y[i]) > 0.0:
                own[i] = y[i] * np.log(y[i]) + (1.0 - y[i]) * np.log1p(-y[i])
    elif kind == LOG:
        for i in range(y.size):
            if y[i] > 0.0:
                own[i] = y[i] * np.log(y[i]) - y[i]


@jit
def terms_of_rows(kind, y, own, eta, loss, score, weight):
    """Write loss, score factor and working weight of rows (n,)."""
    n = y.size
    if kind == LOGIT:
        for i in range(n):
            e = eta[i]
            q = exponential(-abs(e))
            share = 1.0 / (1.0 + q)
            other = q * share
            mu = share if e >= 0.0 else other
            rest = other if e >= 0.0 else share
            # With 1 - mu at hand nothing cancels where mu rounds to 1.
            score[i] = y[i] * rest - (1.0 - y[i]) * mu
            weight[i] = mu * rest
            loss[i] = log_of_one_more(q) + (e if e > 0.0 else 0.0) - y[i] * e
    elif kind == LOG:
        for i in range(n):
            mu = exponential(eta[i])
            score[i] = y[i] - mu
            weight[i] = mu
            loss[i] = mu - y[i] * eta[i]
    else:
        for i in range(n):
            score[i] = y[i] - eta[i]
            weight[i] = 1.0
            loss[i] = 0.5 * score[i] * score[i]
    for i in range(n):
        loss[i] = max(loss[i] + own[i], 0.0)


@jit
def sum_rows(kind, y, own, w, e, loss, score, weight, sums):
    """Turn predictors ``e`` of rows into weighted slopes; write their sums (3,)."""
    terms_of_rows(kind, y, own, e, loss, score, weight)
    total = slope = size = 0.0
    for i in range(y.size):
        total += w[i] * loss[i]
        slope += w[i] * score[i]
        size += w[i] * abs(score[i] * e[i])
        e_size = abs(e[i]) + 1.0
        size += w[i] * weight[i] * e_size if kind != GAUSSIAN else 0.0
        e[i] = w[i] * score[i]
    sums[0] = total
    sums[1] = slope
    sums[2] = size
