"""From coefficients to slopes in one walk along the rows of a dense matrix.

A few rows at a time stay in cache between the product that makes their linear predictor
and the product that adds up their slopes, so the matrix comes from memory once.

Rows that are handled together lie a quarter of these apart, not side by side: the
processor then sees four streams and fetches each ahead of need. Side by side it took
twice as long to read them.

Letters (the only place that uses them): X rows (n, p), each contiguous; b coefficients
(p,) in the units of the columns; e linear predictor and r weighted slope of a row;
g sums ``X' r`` (p,).
"""

import numpy as np

from penglm.kernels._jit import jit
from penglm.kernels.terms import response_terms, sum_rows

NUMBERS = 16_384
"""Numbers of X that are held between the two products."""


@jit
def rows_at_once(p):
    """Return how many rows of ``p`` numbers are handled at a time."""
    step = max(NUMBERS // max(p, 1), 4)
    return step - step % 4


@jit
def expand_rows(kind, X, start, stop, b, intercept, offset, y, w, g, sums):
    """Add ``X' r`` to ``g``; write sums of loss, slope and size over the rows.

    Rows ``start`` to ``stop - 1`` of X, offset, y and w are walked along. A part that
    is cut out of a matrix of contiguous columns would not be known to be one.

    ``sums`` (3, pieces) is as ``quadratic.weighted_terms`` defines it, a piece for each
    few rows: adding up a hundred thousand one by one would round too much. The loss is
    half the unit deviance of the family; see there for the formulas.
    """
    p = X.shape[1]
    step = rows_at_once(p)
    r, own, loss = np.empty(step), np.empty(step), np.empty(step)
    score, weight = np.empty(step), np.empty(step)
    for first in range(start, stop, step):
        last = min(first + step, stop)
        count = last - first
        m = count // 4
        for k in range(m):
            x0 = X[first + k]
            x1 = X[first + m + k]
            x2 = X[first + 2 * m + k]
            x3 = X[first + 3 * m + k]
            r0 = r1 = r2 = r3 = 0.0
            for j in range(p):
                c = b[j]
                r0 += x0[j] * c
                r1 += x1[j] * c
                r2 += x2[j] * c
                r3 += x3[j] * c
            r[k] = r0
            r[m + k] = r1
            r[2 * m + k] = r2
            r[3 * m + k] = r3
        for k in range(4 * m, count):
            x0 = X[first + k]
            e = 0.0
            for j in range(p):
                e += x0[j] * b[j]
            r[k] = e
        for k in range(count):
            r[k] += intercept + offset[first + k]
        response_terms(kind, y[first:last], own[:count])
        sum_rows(
            kind, y[first:last], own, w[first:last], r[:count], loss, score, weight,
            sums[:, (first - start) // step],
        )  # fmt: skip
        for k in range(m):
            x0 = X[first + k]
            x1 = X[first + m + k]
            x2 = X[first + 2 * m + k]
            x3 = X[first + 3 * m + k]
            r0 = r[k]
            r1 = r[m + k]
            r2 = r[2 * m + k]
            r3 = r[3 * m + k]
            for j in range(p):
                g[j] += r0 * x0[j] + r1 * x1[j] + r2 * x2[j] + r3 * x3[j]
        for k in range(4 * m, count):
            x0 = X[first + k]
            for j in range(p):
                g[j] += r[k] * x0[j]


@jit
def expand_rows_four(kind, X, start, stop, B, intercepts, offset, y, w, G, sums):
    """Do what ``expand_rows`` does at four points (4, p), in the same walk.

    The matrix comes from memory once for all of them; ``sums`` is (3, 4, pieces). Two
    rows at four points make eight sums in the first product; in the second, four rows
    at two points load and store each sum once for four rows.
    """
    p = X.shape[1]
    step = rows_at_once(p)
    R = np.empty((4, step))
    own, loss = np.empty(step), np.empty(step)
    score, weight = np.empty(step), np.empty(step)
    b0, b1, b2, b3 = B[0], B[1], B[2], B[3]
    for first in range(start, stop, step):
        last = min(first + step, stop)
        count = last - first
        m = count // 2
        for k in range(m):
            x = X[first + k]
            z = X[first + m + k]
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
            R[0, m + k] = z0
            R[1, m + k] = z1
            R[2, m + k] = z2
            R[3, m + k] = z3
        for k in range(2 * m, count):
            x = X[first + k]
            for q in range(4):
                b = B[q]
                e = 0.0
                for j in range(p):
                    e += x[j] * b[j]
                R[q, k] = e
        response_terms(kind, y[first:last], own[:count])
        for q in range(4):
            r = R[q, :count]
            for k in range(count):
                r[k] += intercepts[q] + offset[first + k]
            sum_rows(
                kind, y[first:last], own, w[first:last], r, loss, score, weight,
                sums[:, q, (first - start) // step],
            )  # fmt: skip
        m = count // 4
        for k in range(m):
            x = X[first + k]
            z = X[first + m + k]
            u = X[first + 2 * m + k]
            v = X[first + 3 * m + k]
            for q in range(0, 4, 2):
                r = R[q]
                s = R[q + 1]
                g = G[q]
                h = G[q + 1]
                r0, r1, r2, r3 = r[k], r[m + k], r[2 * m + k], r[3 * m + k]
                s0, s1, s2, s3 = s[k], s[m + k], s[2 * m + k], s[3 * m + k]
                for j in range(p):
                    g[j] += r0 * x[j] + r1 * z[j] + r2 * u[j] + r3 * v[j]
                    h[j] += s0 * x[j] + s1 * z[j] + s2 * u[j] + s3 * v[j]
        for k in range(4 * m, count):
            x = X[first + k]
            for q in range(4):
                g = G[q]
                for j in range(p):
                    g[j] += R[q, k] * x[j]


PIECE = 1024
"""Rows handled at a time where factors stand beside the numbers."""


@jit
def expand_mixed(
    kind, X, C, s, start, stop, B, T, intercepts, offset, y, w, G, H, sums
):
    """Do what ``expand_rows`` does where factors stand beside the numbers of X (n, q).

    C (n, f) are the levels of each row; ``s`` (f,) says where those of a factor begin
    in the tables ``T`` of their coefficients and ``H`` of their slopes. At one point or
    several: B and G are (q, m), the tables (slots, m), so that one look finds what all
    points have at a level; ``sums`` is (3, m, pieces).
    """
    q = X.shape[1]
    m = intercepts.size
    R = np.empty((m, PIECE))
    own, loss = np.empty(PIECE), np.empty(PIECE)
    score, weight = np.empty(PIECE), np.empty(PIECE)
    for first in range(start, stop, PIECE):
        last = min(first + PIECE, stop)
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
        response_terms(kind, y[first:last], own[:count])
        for p in range(m):
            sum_rows(
                kind, y[first:last], own, w[first:last], R[p, :count], loss, score,
                weight, sums[:, p, (first - start) // PIECE],
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


STRETCH = 512
"""Rows handled at a time where columns are contiguous: a page of memory of each."""


@jit
def expand_columns(kind, X, start, stop, b, intercept, offset, y, w, g, sums):
    """Do what ``expand_rows`` does where the columns of the matrix are contiguous.

    X is (p, n), a column in each row.
    """
    p = X.shape[0]
    whole = p - p % 4
    r, own, loss = np.empty(STRETCH), np.empty(STRETCH), np.empty(STRETCH)
    score, weight = np.empty(STRETCH), np.empty(STRETCH)
    for first in range(start, stop, STRETCH):
        last = min(first + STRETCH, stop)
        count = last - first
        for k in range(count):
            r[k] = intercept + offset[first + k]
        for j in range(0, whole, 4):
            x = X[j, first:last]
            z = X[j + 1, first:last]
            u = X[j + 2, first:last]
            v = X[j + 3, first:last]
            x0, z0, u0, v0 = b[j], b[j + 1], b[j + 2], b[j + 3]
            for k in range(count):
                r[k] += x0 * x[k] + z0 * z[k] + u0 * u[k] + v0 * v[k]
        for j in range(whole, p):
            x = X[j, first:last]
            for k in range(count):
                r[k] += b[j] * x[k]
        response_terms(kind, y[first:last], own[:count])
        sum_rows(
            kind, y[first:last], own, w[first:last], r[:count], loss, score, weight,
            sums[:, (first - start) // STRETCH],
        )  # fmt: skip
        for j in range(0, whole, 4):
            x = X[j, first:last]
            z = X[j + 1, first:last]
            u = X[j + 2, first:last]
            v = X[j + 3, first:last]
            x0 = z0 = u0 = v0 = 0.0
            for k in range(count):
                x0 += r[k] * x[k]
                z0 += r[k] * z[k]
                u0 += r[k] * u[k]
                v0 += r[k] * v[k]
            g[j] += x0
            g[j + 1] += z0
            g[j + 2] += u0
            g[j + 3] += v0
        for j in range(whole, p):
            x = X[j, first:last]
            total = 0.0
            for k in range(count):
                total += r[k] * x[k]
            g[j] += total


@jit
def expand_columns_four(kind, X, start, stop, B, intercepts, offset, y, w, G, sums):
    """Do what ``expand_columns`` does at four points (4, p), in the same walk.

    ``sums`` is (3, 4, pieces). Four columns at four points are loaded once for sixteen
    products, in which the sixteen coefficients, or sums, stay in registers.
    """
    p = X.shape[0]
    whole = p - p % 4
    R = np.empty((4, STRETCH))
    r0, r1, r2, r3 = R[0], R[1], R[2], R[3]
    b0, b1, b2, b3 = B[0], B[1], B[2], B[3]
    g0, g1, g2, g3 = G[0], G[1], G[2], G[3]
    own, loss = np.empty(STRETCH), np.empty(STRETCH)
    score, weight = np.empty(STRETCH), np.empty(STRETCH)
    for first in range(start, stop, STRETCH):
        last = min(first + STRETCH, stop)
        count = last - first
        for q in range(4):
            for k in range(count):
                R[q, k] = intercepts[q] + offset[first + k]
        for j in range(0, whole, 4):
            x = X[j, first:last]
            z = X[j + 1, first:last]
            u = X[j + 2, first:last]
            v = X[j + 3, first:last]
            x0, z0, u0, v0 = b0[j], b0[j + 1], b0[j + 2], b0[j + 3]
            x1, z1, u1, v1 = b1[j], b1[j + 1], b1[j + 2], b1[j + 3]
            x2, z2, u2, v2 = b2[j], b2[j + 1], b2[j + 2], b2[j + 3]
            x3, z3, u3, v3 = b3[j], b3[j + 1], b3[j + 2], b3[j + 3]
            for k in range(count):
                a, c, d, e = x[k], z[k], u[k], v[k]
                r0[k] += x0 * a + z0 * c + u0 * d + v0 * e
                r1[k] += x1 * a + z1 * c + u1 * d + v1 * e
                r2[k] += x2 * a + z2 * c + u2 * d + v2 * e
                r3[k] += x3 * a + z3 * c + u3 * d + v3 * e
        for j in range(whole, p):
            x = X[j, first:last]
            for q in range(4):
                for k in range(count):
                    R[q, k] += B[q, j] * x[k]
        response_terms(kind, y[first:last], own[:count])
        for q in range(4):
            sum_rows(
                kind, y[first:last], own, w[first:last], R[q, :count], loss, score,
                weight, sums[:, q, (first - start) // STRETCH],
            )  # fmt: skip
        for j in range(0, whole, 4):
            x = X[j, first:last]
            z = X[j + 1, first:last]
            u = X[j + 2, first:last]
            v = X[j + 3, first:last]
            x0 = x1 = x2 = x3 = 0.0
            z0 = z1 = z2 = z3 = 0.0
            u0 = u1 = u2 = u3 = 0.0
            v0 = v1 = v2 = v3 = 0.0
            for k in range(count):
                a, c, d, e = x[k], z[k], u[k], v[k]
                s0, s1, s2, s3 = r0[k], r1[k], r2[k], r3[k]
                x0 += a * s0
                x1 += a * s1
                x2 += a * s2
                x3 += a * s3
                z0 += c * s0
                z1 += c * s1
                z2 += c * s2
                z3 += c * s3
                u0 += d * s0
                u1 += d * s1
                u2 += d * s2
                u3 += d * s3
                v0 += e * s0
                v1 += e * s1
                v2 += e * s2
                v3 += e * s3
            g0[j] += x0
            g1[j] += x1
            g2[j] += x2
            g3[j] += x3
            g0[j + 1] += z0
            g1[j + 1] += z1
            g2[j + 1] += z2
            g3[j + 1] += z3
            g0[j + 2] += u0
            g1[j + 2] += u1
            g2[j + 2] += u2
            g3[j + 2] += u3
            g0[j + 3] += v0
            g1[j + 3] += v1
            g2[j + 3] += v2
            g3[j + 3] += v3
        for j in range(whole, p):
            x = X[j, first:last]
            for q in range(4):
                total = 0.0
                for k in range(count):
                    total += x[k] * R[q, k]
                G[q, j] += total
