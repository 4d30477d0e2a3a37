"""From coefficients to slopes in one walk along the rows of a dense matrix.

A few rows at a time stay in cache between the product that makes their linear predictor
and the product that adds up their slopes, so the matrix comes from memory once.

Letters (the only place that uses them): X rows (n, p), each contiguous; b coefficients
(p,) in the units of the columns; e linear predictor, r weighted slope and q quotient of
a row; g sums ``X' r`` (p,).
"""

import numpy as np

from penglm.kernels._jit import jit

GAUSSIAN, LOGIT, LOG = 0, 1, 2
"""Kinds of rows: a canonical pair of family and link each."""

LEAST_POWER = 1080
POWERS = np.append(np.ldexp(1.0, np.arange(-LEAST_POWER, 1024)), [np.inf, np.inf])
"""Powers of two from below the smallest number to infinity."""

NUMBERS = 16_384
"""Numbers of X that are held between the two products."""


@jit
def rows_at_once(p):
    """Return how many rows of ``p`` numbers are handled at a time."""
    step = max(NUMBERS // max(p, 1), 4)
    return step - step % 4


@jit
def exponential(x):
    """Return ``exp(x)`` to 2e-15 where ``|x| < 40``, and to ``x`` roundings beyond.

    ``exp(x) = 2^k exp(r)`` with ``|r| <= log(2) / 2``. Without a call or a branch the
    compiler handles several rows at once, which it does not for the library's.
    """
    x = x if x > -746.0 else -746.0
    x = x if x < 710.0 else 710.0
    k = np.floor(x * 1.4426950408889634 + 0.5)
    r = (x - k * 0.693147180369123816490) - k * 1.90821492927058770002e-10
    p = 1.0 / 6227020800.0
    p = p * r + 1.0 / 479001600.0
    p = p * r + 1.0 / 39916800.0
    p = p * r + 1.0 / 3628800.0
    p = p * r + 1.0 / 362880.0
    p = p * r + 1.0 / 40320.0
    p = p * r + 1.0 / 5040.0
    p = p * r + 1.0 / 720.0
    p = p * r + 1.0 / 120.0
    p = p * r + 1.0 / 24.0
    p = p * r + 1.0 / 6.0
    p = p * r + 0.5
    p = p * r + 1.0
    p = p * r + 1.0
    return p * POWERS[np.int64(k) + LEAST_POWER]


@jit
def log_of_one_more(q):
    """Return ``log(1 + q)`` for q in [0, 1], as ``2 artanh(q / (2 + q))``."""
    z = q / (2.0 + q)
    s = z * z
    p = 1.0 / 35.0
    p = p * s + 1.0 / 33.0
    p = p * s + 1.0 / 31.0
    p = p * s + 1.0 / 29.0
    p = p * s + 1.0 / 27.0
    p = p * s + 1.0 / 25.0
    p = p * s + 1.0 / 23.0
    p = p * s + 1.0 / 21.0
    p = p * s + 1.0 / 19.0
    p = p * s + 1.0 / 17.0
    p = p * s + 1.0 / 15.0
    p = p * s + 1.0 / 13.0
    p = p * s + 1.0 / 11.0
    p = p * s + 1.0 / 9.0
    p = p * s + 1.0 / 7.0
    p = p * s + 1.0 / 5.0
    p = p * s + 1.0 / 3.0
    p = p * s + 1.0
    return 2.0 * z * p


@jit
def terms_of_rows(kind, y, eta, loss, score, weight):
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
        for i in range(n):
            if 0.0 < y[i] < 1.0:
                loss[i] += y[i] * np.log(y[i]) + (1.0 - y[i]) * np.log1p(-y[i])
            loss[i] = max(loss[i], 0.0)
    elif kind == LOG:
        for i in range(n):
            mu = exponential(eta[i])
            score[i] = y[i] - mu
            weight[i] = mu
            loss[i] = mu - y[i] - y[i] * eta[i]
        for i in range(n):
            if y[i] > 0.0:
                loss[i] += y[i] * np.log(y[i])
            loss[i] = max(loss[i], 0.0)
    else:
        for i in range(n):
            score[i] = y[i] - eta[i]
            weight[i] = 1.0
            loss[i] = 0.5 * score[i] * score[i]


@jit
def sum_rows(kind, y, w, e, loss, score, weight, sums):
    """Turn predictors ``e`` of rows into weighted slopes; write their sums (3,)."""
    terms_of_rows(kind, y, e, loss, score, weight)
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


@jit
def expand_rows(kind, X, b, intercept, offset, y, w, g, sums):
    """Add ``X' r`` to ``g``; write sums of loss, slope and size over the rows.

    ``sums`` (3, pieces) is as ``quadratic.weighted_terms`` defines it, a piece for each
    few rows: adding up a hundred thousand one by one would round too much. The loss is
    half the unit deviance of the family; see there for the formulas.
    """
    n, p = X.shape
    step = rows_at_once(p)
    r = np.empty(step)
    loss, score, weight = np.empty(step), np.empty(step), np.empty(step)
    for first in range(0, n, step):
        count = min(step, n - first)
        last = first + count
        whole = count - count % 4
        for k in range(0, whole, 4):
            x0 = X[first + k]
            x1 = X[first + k + 1]
            x2 = X[first + k + 2]
            x3 = X[first + k + 3]
            r0 = r1 = r2 = r3 = 0.0
            for j in range(p):
                c = b[j]
                r0 += x0[j] * c
                r1 += x1[j] * c
                r2 += x2[j] * c
                r3 += x3[j] * c
            r[k] = r0
            r[k + 1] = r1
            r[k + 2] = r2
            r[k + 3] = r3
        for k in range(whole, count):
            x0 = X[first + k]
            e = 0.0
            for j in range(p):
                e += x0[j] * b[j]
            r[k] = e
        for k in range(count):
            r[k] += intercept + offset[first + k]
        sum_rows(
            kind, y[first:last], w[first:last], r[:count], loss, score, weight,
            sums[:, first // step],
        )  # fmt: skip
        for k in range(0, whole, 4):
            x0 = X[first + k]
            x1 = X[first + k + 1]
            x2 = X[first + k + 2]
            x3 = X[first + k + 3]
            r0 = r[k]
            r1 = r[k + 1]
            r2 = r[k + 2]
            r3 = r[k + 3]
            for j in range(p):
                g[j] += r0 * x0[j] + r1 * x1[j] + r2 * x2[j] + r3 * x3[j]
        for k in range(whole, count):
            x0 = X[first + k]
            for j in range(p):
                g[j] += r[k] * x0[j]


@jit
def expand_four(kind, X, B, intercepts, offset, y, w, G, sums):
    """Do what ``expand_rows`` does at four points (4, p), in the same walk.

    The matrix comes from memory once for all of them; ``sums`` is (3, 4, pieces).
    """
    n, p = X.shape
    step = rows_at_once(p)
    R = np.empty((4, step))
    loss, score, weight = np.empty(step), np.empty(step), np.empty(step)
    b0, b1, b2, b3 = B[0], B[1], B[2], B[3]
    g0, g1, g2, g3 = G[0], G[1], G[2], G[3]
    for first in range(0, n, step):
        count = min(step, n - first)
        whole = count - count % 2
        for k in range(0, whole, 2):
            x = X[first + k]
            z = X[first + k + 1]
            x0 = x1 = x2 = x3 = 0.0
            z0 = z1 = z2 = z3 = 0.0
            for j in range(p):
                a = x[j]
                c = z[j]
                x0 += a * b0[j]
                x1 += a * b1[j]
                x2 += a * b2[j]
                x3 += a * b3[j]
                z0 += c * b0[j]
                z1 += c * b1[j]
                z2 += c * b2[j]
                z3 += c * b3[j]
            R[0, k] = x0
            R[1, k] = x1
            R[2, k] = x2
            R[3, k] = x3
            R[0, k + 1] = z0
            R[1, k + 1] = z1
            R[2, k + 1] = z2
            R[3, k + 1] = z3
        for k in range(whole, count):
            x = X[first + k]
            for q in range(4):
                b = B[q]
                e = 0.0
                for j in range(p):
                    e += x[j] * b[j]
                R[q, k] = e
        last = first + count
        for q in range(4):
            r = R[q, :count]
            for k in range(count):
                r[k] += intercepts[q] + offset[first + k]
            sum_rows(
                kind, y[first:last], w[first:last], r, loss, score, weight,
                sums[:, q, first // step],
            )  # fmt: skip
        for k in range(0, whole, 2):
            x = X[first + k]
            z = X[first + k + 1]
            x0, x1, x2, x3 = R[0, k], R[1, k], R[2, k], R[3, k]
            z0, z1, z2, z3 = R[0, k + 1], R[1, k + 1], R[2, k + 1], R[3, k + 1]
            for j in range(p):
                a = x[j]
                c = z[j]
                g0[j] += x0 * a + z0 * c
                g1[j] += x1 * a + z1 * c
                g2[j] += x2 * a + z2 * c
                g3[j] += x3 * a + z3 * c
        for k in range(whole, count):
            x = X[first + k]
            for q in range(4):
                g = G[q]
                for j in range(p):
                    g[j] += R[q, k] * x[j]


PIECE = 1024
"""Rows handled at a time where factors stand beside the numbers."""


@jit
def expand_mixed(kind, X, C, s, B, T, intercepts, offset, y, w, G, H, sums):
    """Do what ``expand_rows`` does where factors stand beside the numbers of X (n, q).

    C (n, f) are the levels of each row; ``s`` (f,) says where those of a factor begin
    in the tables ``T`` of their coefficients and ``H`` of their slopes. At one point or
    several: B and G are (q, m), the tables (slots, m), so that one look finds what all
    points have at a level; ``sums`` is (3, m, pieces).
    """
    n, q = X.shape
    m = intercepts.size
    R = np.empty((m, PIECE))
    loss, score, weight = np.empty(PIECE), np.empty(PIECE), np.empty(PIECE)
    for first in range(0, n, PIECE):
        last = min(first + PIECE, n)
        count = last - first
        for k in range(count):
            i = first + k
            x = X[i]
            for p in range(m):
                e = intercepts[p] + offset[i]
                for j in range(q):
                    e += x[j] * B[j, p]
                for f in range(s.size):
                    e += T[s[f] + C[i, f], p]
                R[p, k] = e
        for p in range(m):
            sum_rows(
                kind, y[first:last], w[first:last], R[p, :count], loss, score, weight,
                sums[:, p, first // PIECE],
            )  # fmt: skip
        for k in range(count):
            i = first + k
            x = X[i]
            for p in range(m):
                r = R[p, k]
                for j in range(q):
                    G[j, p] += r * x[j]
                for f in range(s.size):
                    H[s[f] + C[i, f], p] += r


STRETCH = 256
"""Rows handled at a time where columns are contiguous."""


@jit
def expand_columns(kind, X, B, intercepts, offset, y, w, G, sums):
    """Do what ``expand_four`` does where the columns of the matrix are contiguous.

    X is (p, n), a column in each row; B and G are (4, p); ``sums`` is (3, 4, pieces).
    """
    p, n = X.shape
    R = np.empty((4, STRETCH))
    r0, r1, r2, r3 = R[0], R[1], R[2], R[3]
    loss, score, weight = np.empty(STRETCH), np.empty(STRETCH), np.empty(STRETCH)
    for first in range(0, n, STRETCH):
        last = min(first + STRETCH, n)
        count = last - first
        for q in range(4):
            for k in range(count):
                R[q, k] = intercepts[q] + offset[first + k]
        whole = p - p % 2
        for j in range(0, whole, 2):
            x = X[j, first:last]
            z = X[j + 1, first:last]
            x0, x1, x2, x3 = B[0, j], B[1, j], B[2, j], B[3, j]
            z0, z1, z2, z3 = B[0, j + 1], B[1, j + 1], B[2, j + 1], B[3, j + 1]
            for k in range(count):
                r0[k] += x0 * x[k] + z0 * z[k]
                r1[k] += x1 * x[k] + z1 * z[k]
                r2[k] += x2 * x[k] + z2 * z[k]
                r3[k] += x3 * x[k] + z3 * z[k]
        for j in range(whole, p):
            x = X[j, first:last]
            for q in range(4):
                for k in range(count):
                    R[q, k] += B[q, j] * x[k]
        for q in range(4):
            sum_rows(
                kind, y[first:last], w[first:last], R[q, :count], loss, score, weight,
                sums[:, q, first // STRETCH],
            )  # fmt: skip
        for j in range(0, whole, 2):
            x = X[j, first:last]
            z = X[j + 1, first:last]
            x0 = x1 = x2 = x3 = 0.0
            z0 = z1 = z2 = z3 = 0.0
            for k in range(count):
                a = x[k]
                c = z[k]
                x0 += a * r0[k]
                x1 += a * r1[k]
                x2 += a * r2[k]
                x3 += a * r3[k]
                z0 += c * r0[k]
                z1 += c * r1[k]
                z2 += c * r2[k]
                z3 += c * r3[k]
            G[0, j] += x0
            G[1, j] += x1
            G[2, j] += x2
            G[3, j] += x3
            G[0, j + 1] += z0
            G[1, j + 1] += z1
            G[2, j + 1] += z2
            G[3, j + 1] += z3
        for j in range(whole, p):
            x = X[j, first:last]
            for q in range(4):
                total = 0.0
                for k in range(count):
                    total += x[k] * R[q, k]
                G[q, j] += total
