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


PIECE = 1024
"""Rows whose sums are added up together where factors stand beside the numbers."""


@jit
def expand_mixed(kind, X, C, s, b, t, intercept, offset, y, w, g, h, sums):
    """Do what ``expand_rows`` does where factors stand beside the numbers of X (n, q).

    C (n, f) are the levels of each row; ``s`` (f,) says where those of a factor begin
    in the tables ``t`` of their coefficients and ``h`` of their slopes.
    """
    n, q = X.shape
    for first in range(0, n, PIECE):
        total = slope = size = 0.0
        for i in range(first, min(first + PIECE, n)):
            x = X[i]
            e = intercept + offset[i]
            for j in range(q):
                e += x[j] * b[j]
            for f in range(s.size):
                e += t[s[f] + C[i, f]]
            loss, score, weight = terms_of_row(kind, y[i], e)
            total += w[i] * loss
            slope += w[i] * score
            size += w[i] * abs(score * e)
            if kind != GAUSSIAN:
                size += w[i] * weight * (abs(e) + 1.0)
            r = w[i] * score
            for j in range(q):
                g[j] += r * x[j]
            for f in range(s.size):
                h[s[f] + C[i, f]] += r
        sums[0, first // PIECE] = total
        sums[1, first // PIECE] = slope
        sums[2, first // PIECE] = size


@jit
def expand_mixed_four(kind, X, C, s, B, T, intercepts, offset, y, w, G, H, sums):
    """Do what ``expand_mixed`` does at four points, B (q, 4), T and H (slots, 4).

    What four points have at a level lies together, so that one look finds all of it.
    """
    n, q = X.shape
    a0, a1, a2, a3 = intercepts[0], intercepts[1], intercepts[2], intercepts[3]
    e = np.empty(4)
    r = np.empty(4)
    for first in range(0, n, PIECE):
        for i in range(first, min(first + PIECE, n)):
            x = X[i]
            e0 = a0 + offset[i]
            e1 = a1 + offset[i]
            e2 = a2 + offset[i]
            e3 = a3 + offset[i]
            for j in range(q):
                e0 += x[j] * B[j, 0]
                e1 += x[j] * B[j, 1]
                e2 += x[j] * B[j, 2]
                e3 += x[j] * B[j, 3]
            for f in range(s.size):
                k = s[f] + C[i, f]
                e0 += T[k, 0]
                e1 += T[k, 1]
                e2 += T[k, 2]
                e3 += T[k, 3]
            e[0], e[1], e[2], e[3] = e0, e1, e2, e3
            for p in range(4):
                loss, score, weight = terms_of_row(kind, y[i], e[p])
                sums[0, p, first // PIECE] += w[i] * loss
                sums[1, p, first // PIECE] += w[i] * score
                sums[2, p, first // PIECE] += w[i] * abs(score * e[p])
                if kind != GAUSSIAN:
                    sums[2, p, first // PIECE] += w[i] * weight * (abs(e[p]) + 1.0)
                r[p] = w[i] * score
            r0, r1, r2, r3 = r[0], r[1], r[2], r[3]
            for j in range(q):
                G[j, 0] += r0 * x[j]
                G[j, 1] += r1 * x[j]
                G[j, 2] += r2 * x[j]
                G[j, 3] += r3 * x[j]
            for f in range(s.size):
                k = s[f] + C[i, f]
                H[k, 0] += r0
                H[k, 1] += r1
                H[k, 2] += r2
                H[k, 3] += r3
