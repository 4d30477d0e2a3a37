"""Products with compressed sparse columns, one at a time and without a copy.

Row numbers come as unsigned integers of their own size (a view, no copy): an index
that may be negative costs a test at each entry. Columns are taken as slices, for the
same reason.

Letters (the only place that uses them): data, indices, indptr CSC arrays; j column;
x, i its entries and their rows; w weights of the rows (n,); r, R values of the rows
(n,) and (n, m).
"""

import math

import numpy as np

from penglm.kernels._jit import jit


@jit
def dot_columns(data, indices, indptr, columns, r, out):
    """Write ``X[:, columns]' r`` into ``out`` (k,)."""
    for k in range(columns.size):
        j = columns[k]
        x = data[indptr[j] : indptr[j + 1]]
        i = indices[indptr[j] : indptr[j + 1]]
        total = 0.0
        for e in range(x.size):
            total += x[e] * r[i[e]]
        out[k] = total


@jit
def dot_many(data, indices, indptr, columns, R, out):
    """Write ``X[:, columns]' R`` into ``out`` (m, k); rows of ``R`` lie together."""
    m = R.shape[1]
    total = np.empty(m)
    for k in range(columns.size):
        j = columns[k]
        x = data[indptr[j] : indptr[j + 1]]
        i = indices[indptr[j] : indptr[j + 1]]
        for c in range(m):
            total[c] = 0.0
        for e in range(x.size):
            row = R[i[e]]
            for c in range(m):
                total[c] += x[e] * row[c]
        for c in range(m):
            out[c, k] = total[c]


@jit
def add_columns(data, indices, indptr, columns, coef, out):
    """Add ``X[:, columns] coef`` to ``out`` (n,)."""
    for k in range(columns.size):
        j = columns[k]
        x = data[indptr[j] : indptr[j + 1]]
        i = indices[indptr[j] : indptr[j + 1]]
        b = coef[k]
        if b != 0.0:
            for e in range(x.size):
                out[i[e]] += b * x[e]


@jit
def solve_together(
    data, indices, indptr, mean, w_sum, columns, l2, total, unit, rest, goal, n_most,
    step, values,
):  # fmt: skip
    """Write the step (k,) at whose end slopes vanish; return how many it took.

    Conjugate gradients, each coordinate in units of its own curvature ``total`` (k,),
    on packed columns (see ``pack_columns``) with a ridge ``l2`` (k,). ``rest`` (k,),
    the slopes, becomes what is left of them; at most ``goal`` of ``unit`` (k,), unless
    the steps run out. ``values`` (n,) is room to work in.

    References
    ----------
    Hestenes and Stiefel (1952), J. Res. Nat. Bur. Standards 49(6).
    """
    k = columns.size
    way, bent = np.empty(k), np.empty(k)
    step[:] = 0.0
    size = largest = 0.0
    for q in range(k):
        way[q] = rest[q] / total[q]
        size += rest[q] * way[q]
        largest = max(largest, abs(rest[q]) / unit[q])
    for n_steps in range(n_most):
        if not largest > goal:
            return n_steps
        values[:] = 0.0
        add_columns(data, indices, indptr, columns, way, values)
        dot_columns(data, indices, indptr, columns, values, bent)
        shift = bend = 0.0
        for q in range(k):
            shift += mean[columns[q]] * way[q]
        for q in range(k):
            bent[q] += l2[q] * way[q] - w_sum * shift * mean[columns[q]]
            bend += way[q] * bent[q]
        if not bend > 0.0:
            return n_steps
        far = size / bend
        before = size
        size = largest = 0.0
        for q in range(k):
            step[q] += far * way[q]
            rest[q] -= far * bent[q]
            size += rest[q] * (rest[q] / total[q])
            largest = max(largest, abs(rest[q]) / unit[q])
        turn = size / before
        for q in range(k):
            way[q] = rest[q] / total[q] + turn * way[q]
    return n_most


@jit
def pack_columns(
    data, indices, indptr, columns, root, center, scale, w_sum,
    packed, rows, starts, mean, curvature,
):  # fmt: skip
    """Copy columns as ``sqrt(w) x / scale`` and write what their centring needs.

    ``packed`` and ``rows`` take the entries, ``starts`` (k + 1,) says where each column
    begins, given ``starts[0]``. ``mean`` becomes ``center / scale``, and 0 for a column
    with an entry in every row, which is centred at once. ``curvature`` becomes
    ``sum_i w_i ((x_i - center) / scale)^2``; the rows without an entry are counted by
    their total weight, free of the cancellation in ``sum w x^2 - W center^2``.
    """
    for k in range(columns.size):
        j = columns[k]
        x = data[indptr[j] : indptr[j + 1]]
        i = indices[indptr[j] : indptr[j + 1]]
        here = starts[k]
        starts[k + 1] = here + x.size
        to = packed[here : here + x.size]
        at = rows[here : here + x.size]
        m = center[k]
        is_full = x.size == root.size
        shift = m if is_full else 0.0
        total = 0.0
        seen = 0.0
        for e in range(x.size):
            s = root[i[e]]
            d = (x[e] - m) * s
            total += d * d
            seen += s * s
            to[e] = (x[e] - shift) * s / scale[k]
            at[e] = i[e]
        if not is_full:
            total += max(w_sum - seen, 0.0) * m * m
        mean[k] = 0.0 if is_full else m / scale[k]
        curvature[k] = total / (scale[k] * scale[k])


@jit
def moments(data, indices, indptr, share, constant, mean, sd):
    """Write mean and sd (p,) of all columns; ``share`` (n,) are weights of sum one.

    Powers of two keep the squares in range. A column with entries in most rows is
    summed about a value of its own, and its empty rows are counted one by one: what one
    minus the others leaves of a light row is rounding. An sd below ``constant`` times
    the largest entry is 0.
    """
    is_empty = np.ones(share.size, dtype=np.bool_)
    for j in range(mean.size):
        x = data[indptr[j] : indptr[j + 1]]
        i = indices[indptr[j] : indptr[j + 1]]
        largest = 0.0
        filled = 0.0
        for e in range(x.size):
            largest = max(largest, abs(np.float64(x[e])))
            filled += share[i[e]]
        if not largest > 0.0:
            continue
        unit = math.ldexp(1.0, min(max(math.frexp(largest)[1], -1000), 1000))
        empty = max(1.0 - filled, 0.0)
        origin = 0.0
        if filled > 0.5:
            origin = np.float64(x[0]) / unit
            is_empty[:] = True
            for e in range(x.size):
                is_empty[i[e]] = False
            empty = 0.0
            for row in range(share.size):
                if is_empty[row]:
                    empty += share[row]
        shift = 0.0
        for e in range(x.size):
            shift += share[i[e]] * (np.float64(x[e]) / unit - origin)
        m = origin + (shift - empty * origin)
        square = empty * m * m
        for e in range(x.size):
            d = np.float64(x[e]) / unit - m
            square += share[i[e]] * d * d
        spread = math.sqrt(square)
        mean[j] = m * unit
        if spread > constant * (largest / unit):
            sd[j] = spread * unit
