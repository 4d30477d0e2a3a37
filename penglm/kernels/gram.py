"""Gram matrices: rows copied together, centred, scaled and weighted, and multiplied.

A product of our own, since BLAS brings threads that neither know of ours nor of the
order of sums, and is no faster on blocks of rows that stay in cache.

Letters (the only place that uses them): X rows (n, p); j column; k its place among
those chosen; Z chosen columns of a block of rows, each contiguous; G sums ``Z Z'``.
"""

from penglm.kernels._jit import jit

COLUMNS = 64
"""Columns that stay in cache while all before them pass by."""


@jit
def pack(X, start, stop, columns, center, factor, root, Z):
    """Write ``root_i (x_ij - center_j) factor_j`` of chosen columns into ``Z``.

    Rows ``start`` to ``stop - 1`` of X and root are copied.
    """
    r = root[start:stop]
    for k in range(columns.size):
        c = center[k]
        f = factor[k]
        # Slices: the compiler takes several rows at once where they are contiguous.
        x = X[start:stop, columns[k]]
        z = Z[k]
        for i in range(r.size):
            z[i] = (x[i] - c) * f * r[i]


@jit
def add_products(Z, n, G):
    """Add ``Z Z'`` of the first n rows to the upper half of ``G``.

    Its size is a multiple of four. Four columns by four: sixteen sums stay in
    registers, for eight numbers loaded.
    """
    n_columns = Z.shape[0]
    for right in range(0, n_columns, COLUMNS):
        end = min(right + COLUMNS, n_columns)
        for a in range(0, end, 4):
            x = Z[a]
            y = Z[a + 1]
            z = Z[a + 2]
            u = Z[a + 3]
            for b in range(max(a, right), end, 4):
                s = Z[b]
                t = Z[b + 1]
                v = Z[b + 2]
                w = Z[b + 3]
                x0 = x1 = x2 = x3 = 0.0
                y0 = y1 = y2 = y3 = 0.0
                z0 = z1 = z2 = z3 = 0.0
                u0 = u1 = u2 = u3 = 0.0
                for i in range(n):
                    c, d, e, f = x[i], y[i], z[i], u[i]
                    g, h, k, m = s[i], t[i], v[i], w[i]
                    x0 += c * g
                    x1 += c * h
                    x2 += c * k
                    x3 += c * m
                    y0 += d * g
                    y1 += d * h
                    y2 += d * k
                    y3 += d * m
                    z0 += e * g
                    z1 += e * h
                    z2 += e * k
                    z3 += e * m
                    u0 += f * g
                    u1 += f * h
                    u2 += f * k
                    u3 += f * m
                G[a, b] += x0
                G[a, b + 1] += x1
                G[a, b + 2] += x2
                G[a, b + 3] += x3
                G[a + 1, b] += y0
                G[a + 1, b + 1] += y1
                G[a + 1, b + 2] += y2
                G[a + 1, b + 3] += y3
                G[a + 2, b] += z0
                G[a + 2, b + 1] += z1
                G[a + 2, b + 2] += z2
                G[a + 2, b + 3] += z3
                G[a + 3, b] += u0
                G[a + 3, b + 1] += u1
                G[a + 3, b + 2] += u2
                G[a + 3, b + 3] += u3
