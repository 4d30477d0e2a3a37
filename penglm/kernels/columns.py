"""Products with chosen columns of a dense matrix, each column read once and in order.

BLAS multiplies whole matrices well and a matrix with few vectors badly, and chosen
columns would have to be copied together for it.

Letters (the only place that uses them): X columns as contiguous rows (p, n); R vectors
as contiguous rows (m, n); rows of the matrix go by ``ROWS`` at a time, so that the
vectors stay in the nearest cache.
"""

from penglm.kernels._jit import jit

ROWS = 1024
"""Rows handled at a time."""

COLUMNS = 64
"""Columns that stay in cache from one four of many vectors to the next."""


@jit
def dots(X, columns, R, out):
    """Write ``X[columns] @ R'`` (k, m) into ``out``."""
    n = X.shape[1]
    n_vectors = R.shape[0]
    out[:] = 0.0
    for first in range(0, n, ROWS):
        last = min(first + ROWS, n)
        for start in range(0, columns.size, COLUMNS):
            stop = min(start + COLUMNS, columns.size)
            whole = stop - (stop - start) % 2
            for b in range(0, n_vectors - n_vectors % 4, 4):
                r0 = R[b, first:last]
                r1 = R[b + 1, first:last]
                r2 = R[b + 2, first:last]
                r3 = R[b + 3, first:last]
                for k in range(start, whole, 2):
                    x = X[columns[k], first:last]
                    y = X[columns[k + 1], first:last]
                    x0 = x1 = x2 = x3 = 0.0
                    y0 = y1 = y2 = y3 = 0.0
                    for i in range(last - first):
                        a = x[i]
                        c = y[i]
                        x0 += a * r0[i]
                        x1 += a * r1[i]
                        x2 += a * r2[i]
                        x3 += a * r3[i]
                        y0 += c * r0[i]
                        y1 += c * r1[i]
                        y2 += c * r2[i]
                        y3 += c * r3[i]
                    out[k, b] += x0
                    out[k, b + 1] += x1
                    out[k, b + 2] += x2
                    out[k, b + 3] += x3
                    out[k + 1, b] += y0
                    out[k + 1, b + 1] += y1
                    out[k + 1, b + 2] += y2
                    out[k + 1, b + 3] += y3
                for k in range(whole, stop):
                    x = X[columns[k], first:last]
                    for q in range(b, b + 4):
                        r = R[q, first:last]
                        total = 0.0
                        for i in range(last - first):
                            total += x[i] * r[i]
                        out[k, q] += total
            for q in range(n_vectors - n_vectors % 4, n_vectors):
                r = R[q, first:last]
                for k in range(start, stop):
                    x = X[columns[k], first:last]
                    total = 0.0
                    for i in range(last - first):
                        total += x[i] * r[i]
                    out[k, q] += total


@jit
def combine(X, columns, coef, out):
    """Add ``coef' @ X[columns]`` (m, n), coefficients (k, m), to ``out``."""
    n = X.shape[1]
    n_columns = columns.size
    n_vectors = out.shape[0]
    for first in range(0, n, ROWS):
        last = min(first + ROWS, n)
        whole = n_columns - n_columns % 4
        for k in range(0, whole, 4):
            x = X[columns[k], first:last]
            y = X[columns[k + 1], first:last]
            z = X[columns[k + 2], first:last]
            u = X[columns[k + 3], first:last]
            for b in range(n_vectors):
                a0 = coef[k, b]
                a1 = coef[k + 1, b]
                a2 = coef[k + 2, b]
                a3 = coef[k + 3, b]
                target = out[b, first:last]
                for i in range(last - first):
                    target[i] += a0 * x[i] + a1 * y[i] + a2 * z[i] + a3 * u[i]
        for k in range(whole, n_columns):
            x = X[columns[k], first:last]
            for b in range(n_vectors):
                a0 = coef[k, b]
                target = out[b, first:last]
                for i in range(last - first):
                    target[i] += a0 * x[i]


@jit
def standardize(X, columns, center, factor, out):
    """Write ``(X[columns] - center) factor`` (k, n) into ``out``."""
    for k in range(columns.size):
        x = X[columns[k]]
        z = out[k]
        middle = center[k]
        scale = factor[k]
        for i in range(x.size):
            z[i] = (x[i] - middle) * scale
