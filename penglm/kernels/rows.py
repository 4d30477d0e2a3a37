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

NUMBERS = 16_384
"""Numbers of X that are held between the two products."""


@jit
def rows_at_once(p):
    """Return how many rows of ``p`` numbers are handled at a time."""
    step = max(NUMBERS // max(p, 1), 4)
    return step - step % 4


@jit
def terms_of_row(kind, y, e):
    """Return loss, score factor and working weight of one row."""
    if kind == LOGIT:
        q = np.exp(-abs(e))
        share = 1.0 / (1.0 + q)
        mu = share if e >= 0.0 else q * share
        rest = q * share if e >= 0.0 else share
        loss = np.log1p(q) + max(e, 0.0) - y * e
        if 0.0 < y < 1.0:
            loss += y * np.log(y) + (1.0 - y) * np.log1p(-y)
        # With 1 - mu at hand nothing cancels where mu rounds to 1.
        return max(loss, 0.0), y * rest - (1.0 - y) * mu, mu * rest
    if kind == LOG:
        mu = np.exp(e)
        loss = mu - y - y * e
        if y > 0.0:
            loss += y * np.log(y)
        return max(loss, 0.0), y - mu, mu
    return 0.5 * (y - e) * (y - e), y - e, 1.0


@jit
def terms_of_rows(kind, y, eta, loss, score, weight):
    """Write loss, score factor and working weight of rows (n,)."""
    for i in range(y.size):
        loss[i], score[i], weight[i] = terms_of_row(kind, y[i], eta[i])


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
    for first in range(0, n, step):
        total = slope = size = 0.0
        count = min(step, n - first)
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
            i = first + k
            e = r[k] + (intercept + offset[i])
            target = y[i]
            loss, score, weight = terms_of_row(kind, target, e)
            total += w[i] * loss
            slope += w[i] * score
            size += w[i] * abs(score * e)
            if kind != GAUSSIAN:
                size += w[i] * weight * (abs(e) + 1.0)
            r[k] = w[i] * score
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
        sums[0, first // step] = total
        sums[1, first // step] = slope
        sums[2, first // step] = size


@jit
def pack(X, columns, center, factor, root, out):
    """Write ``root_i (x_ij - center_j) factor_j`` of chosen columns into ``out``."""
    for i in range(X.shape[0]):
        x = X[i]
        row = out[i]
        for k in range(columns.size):
            j = columns[k]
            row[k] = (x[j] - center[k]) * factor[k] * root[i]


@jit
def expand_four(kind, X, B, intercepts, offset, y, w, G, sums):
    """Do what ``expand_rows`` does at four points (4, p), in the same walk.

    The matrix comes from memory once for all of them; ``sums`` is (3, 4, pieces).
    """
    n, p = X.shape
    step = rows_at_once(p)
    R = np.empty((4, step))
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
        for q in range(4):
            r = R[q]
            total = slope = size = 0.0
            for k in range(count):
                i = first + k
                e = r[k] + (intercepts[q] + offset[i])
                loss, score, weight = terms_of_row(kind, y[i], e)
                total += w[i] * loss
                slope += w[i] * score
                size += w[i] * abs(score * e)
                if kind != GAUSSIAN:
                    size += w[i] * weight * (abs(e) + 1.0)
                r[k] = w[i] * score
            sums[0, q, first // step] = total
            sums[1, q, first // step] = slope
            sums[2, q, first // step] = size
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
