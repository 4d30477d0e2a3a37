"""Coordinate descent with soft-thresholding, on columns and on a Gram matrix.

numba caches machine code per file and does not notice a changed callee elsewhere, so
the scalar prox and every sweep that calls it are in this one file.

Letters (the only place that uses them): X columns (n, k), Fortran order or CSC;
w weights of the rows (n,); r weighted residual of the quadratic model (n,); H its
Gram matrix (k, k); v residual correlations ``u - H (coef - start)`` (k,); j column;
c curvature; u ``c * coef + correlation``, the argument of the prox; q what a change
of coefficients does to the rows (n,); x, i the entries of a column and their rows.

Every sweep returns the largest violation it met, ``(c + l2) |step| / unit``: the
distance of coordinate j from its own optimum when it was visited, in units of the
threshold that the certificate uses. The caller decides what is small enough.
"""

from penglm.kernels._jit import jit

ELASTIC_NET = 0
"""Kind of ``l1 |b| + l2 b^2 / 2``; another penalty adds a number and a branch."""


@jit
def soft_threshold(u, threshold):
    """Return ``sign(u) * max(|u| - threshold, 0)``."""
    if u > threshold:
        return u - threshold
    if u < -threshold:
        return u + threshold
    return 0.0


@jit
def prox(kind, u, c, l1, l2, lower, upper, shape):
    """Minimise ``c b^2 / 2 - u b + penalty(b)`` over ``lower <= b <= upper``.

    ``shape`` is the concavity of the penalties that have one; the elastic net has none.
    """
    total = c + l2
    if total <= 0.0:
        return min(max(0.0, lower), upper)
    b = soft_threshold(u, l1) / total
    return min(max(b, lower), upper)


@jit
def sweep_gram(kind, H, v, coef, l1, l2, lower, upper, shape, unit, members):
    """Visit ``members`` once on the covariance road; update ``coef`` and ``v``.

    References
    ----------
    Friedman, Hastie and Tibshirani (2010), J. Stat. Softw. 33(1), section 2.2.
    """
    largest = 0.0
    for j in members:
        c = H[j, j]
        old = coef[j]
        u = v[j] + c * old
        new = prox(kind, u, c, l1[j], l2[j], lower[j], upper[j], shape)
        step = new - old
        if step != 0.0:
            coef[j] = new
            row = H[j]
            for i in range(v.size):
                v[i] -= step * row[i]
            largest = max(largest, (c + l2[j]) * abs(step) / unit[j])
    return largest


@jit
def sweep_dense(
    kind,
    X,
    center,
    scale,
    w,
    r,
    coef,
    curvature,
    l1,
    l2,
    lower,
    upper,
    shape,
    unit,
    members,
    places,
):
    """Visit dense columns once on the naive road; update ``coef`` and ``r`` in place.

    Columns act as ``(X[:, m] - center) / scale`` with centres that make them
    orthogonal to the intercept under ``w``, so the intercept needs no coordinate of
    its own. ``r`` stays weighted: nothing is ever divided by a row's weight.
    ``members`` are column numbers of ``X``, ``places`` their positions in ``coef``.

    References
    ----------
    Friedman, Hastie and Tibshirani (2010), J. Stat. Softw. 33(1), eq. 10.
    """
    largest = 0.0
    for k in range(members.size):
        j = places[k]
        c = curvature[j]
        x = X[:, members[k]]
        old = coef[j]
        m = center[j]
        u = 0.0
        for i in range(r.size):
            u += (x[i] - m) * r[i]
        u = u / scale[j] + c * old
        new = prox(kind, u, c, l1[j], l2[j], lower[j], upper[j], shape)
        step = new - old
        if step != 0.0:
            coef[j] = new
            d = step / scale[j]
            for i in range(r.size):
                r[i] -= d * w[i] * (x[i] - m)
            largest = max(largest, (c + l2[j]) * abs(step) / unit[j])
    return largest


@jit
def sweep_sparse(
    kind,
    data,
    indices,
    indptr,
    center,
    scale,
    w,
    w_sum,
    r,
    coef,
    curvature,
    l1,
    l2,
    lower,
    upper,
    shape,
    unit,
    members,
    places,
):
    """Visit CSC columns once on the naive road, O(nonzeros) a step.

    The centring of a column touches every row by the same multiple of ``w``. Those
    multiples are kept in one running number and paid out once, at the end.
    """
    largest = 0.0
    shift = 0.0
    for k in range(members.size):
        j = places[k]
        c = curvature[j]
        first = indptr[members[k]]
        last = indptr[members[k] + 1]
        old = coef[j]
        u = shift * center[j] * w_sum
        for i in range(first, last):
            u += data[i] * r[indices[i]]
        u = u / scale[j] + c * old
        new = prox(kind, u, c, l1[j], l2[j], lower[j], upper[j], shape)
        step = new - old
        if step != 0.0:
            coef[j] = new
            d = step / scale[j]
            for i in range(first, last):
                r[indices[i]] -= d * w[indices[i]] * data[i]
            shift += d * center[j]
            largest = max(largest, (c + l2[j]) * abs(step) / unit[j])
    if shift != 0.0:
        for i in range(r.size):
            r[i] += shift * w[i]
    return largest


@jit
def sweep_packed(
    kind,
    data,
    rows,
    starts,
    mean,
    w_sum,
    q,
    shift,
    score,
    coef,
    curvature,
    l1,
    l2,
    lower,
    upper,
    shape,
    unit,
    members,
):
    """Visit packed sparse columns once; update ``coef`` and ``q``, return ``shift``.

    Columns act as ``sqrt(w) (x - center) / scale``: ``data`` holds their
    ``sqrt(w) x / scale`` and ``mean`` their ``center / scale``. What the change of
    ``coef`` since ``score`` was taken does to the rows is ``q - shift sqrt(w)``, so
    that a step costs two looks at the entries of its column, whatever its centre and
    the weights.

    Returns
    -------
    largest, shift : float
    """
    largest = 0.0
    for k in range(members.size):
        j = members[k]
        x = data[starts[j] : starts[j + 1]]
        i = rows[starts[j] : starts[j + 1]]
        c = curvature[j]
        old = coef[j]
        u = 0.0
        for e in range(x.size):
            u += x[e] * q[i[e]]
        u = score[j] - (u - w_sum * mean[j] * shift) + c * old
        new = prox(kind, u, c, l1[j], l2[j], lower[j], upper[j], shape)
        step = new - old
        if step != 0.0:
            coef[j] = new
            for e in range(x.size):
                q[i[e]] += step * x[e]
            shift += step * mean[j]
            largest = max(largest, (c + l2[j]) * abs(step) / unit[j])
    return largest, shift


@jit
def curvature_dense(X, center, scale, w, members, places, curvature):
    """Write ``sum_i w_i ((x_i - center) / scale)^2`` of dense columns."""
    for k in range(members.size):
        j = places[k]
        x = X[:, members[k]]
        m = center[j]
        total = 0.0
        for i in range(w.size):
            d = (x[i] - m) / scale[j]
            total += w[i] * d * d
        curvature[j] = total


@jit
def curvature_sparse(
    data, indices, indptr, center, scale, w, w_sum, members, places, curvature
):
    """Write ``sum_i w_i ((x_i - center) / scale)^2`` of CSC columns.

    The rows without an entry are counted by their total weight, which keeps the sum
    free of the cancellation in ``sum w x^2 - W center^2``; where there are none, what
    rounding leaves of their weight must not count.
    """
    for k in range(members.size):
        j = places[k]
        m = center[j]
        total = 0.0
        seen = 0.0
        for i in range(indptr[members[k]], indptr[members[k] + 1]):
            d = data[i] - m
            total += w[indices[i]] * d * d
            seen += w[indices[i]]
        if indptr[members[k] + 1] - indptr[members[k]] < w.size:
            total += max(w_sum - seen, 0.0) * m * m
        curvature[j] = total / (scale[j] * scale[j])
