"""The exact minimum of a penalised quadratic, walked to from support to support.

The factor of the support's Gram matrix is edited as the support changes, a row a time,
so that a change costs ``k^2`` and not ``k^3 / 3``. All of it is in this file, because
numba does not notice a changed callee elsewhere.

Letters (the only place that uses them): H Gram matrix (at least n, at
least n); v minus the slope of the
quadratic (n,); L lower Cholesky factor, rows contiguous, ``k`` of them in use; m
members of the support in the order of those rows; s sign of each coordinate; r what the
support's conditions lack; d step of the support; j coordinate; q row.
"""

import numpy as np

from penglm.kernels._jit import jit

SETTLED, GOES_ON, REFUSED = 0, 1, 2
"""How a walk ended: at the minimum, at its longest, or at a dependent column."""

EAGER = 0.3
"""Whoever wants to move this much as much as the first is let in together with it."""

SMALLEST_PIVOT = 1e-10
"""Relative pivot below which a column counts as dependent on those before it."""


@jit
def append_row(L, k, g, diagonal):
    """Extend the factor by a column with products ``g`` (k,); tell if it could be."""
    row = L[k]
    rest = diagonal
    for q in range(k):
        above = L[q]
        total = g[q]
        for i in range(q):
            total -= above[i] * row[i]
        total /= above[q]
        row[q] = total
        rest -= total * total
    if not rest > SMALLEST_PIVOT * diagonal:
        return False
    row[k] = np.sqrt(rest)
    return True


@jit
def delete_row(L, k, q):
    """Take row ``q`` out of a factor of ``k`` rows; rotations restore the triangle.

    References
    ----------
    Golub and Van Loan (2013), Matrix Computations, 4th ed., section 6.5.
    """
    cosine = np.empty(k)
    sine = np.empty(k)
    for i in range(q + 1, k):
        row = L[i]
        for c in range(q, i - 1):
            a = row[c]
            b = row[c + 1]
            row[c] = cosine[c] * a + sine[c] * b
            row[c + 1] = cosine[c] * b - sine[c] * a
        a = row[i - 1]
        b = row[i]
        length = np.hypot(a, b)
        cosine[i - 1] = a / length
        sine[i - 1] = b / length
        row[i - 1] = length
        above = L[i - 1]
        for c in range(i):
            above[c] = row[c]


@jit
def solve(L, k, r, d):
    """Write the solution of ``L L' d = r``."""
    for i in range(k):
        row = L[i]
        total = r[i]
        for c in range(i):
            total -= row[c] * d[c]
        d[i] = total / row[i]
    for i in range(k - 1, -1, -1):
        row = L[i]
        d[i] /= row[i]
        last = d[i]
        for c in range(i):
            d[c] -= last * row[c]


@jit
def breach(coef, signal, l1, lower, upper):
    """Return how far one coordinate is from its subgradient condition."""
    low = l1 if coef > 0.0 else -l1
    high = -l1 if coef < 0.0 else l1
    if coef <= lower:
        low = -np.inf
    if coef >= upper:
        high = np.inf
    return max(low - signal, signal - high, 0.0)


@jit
def obstacle(old, step, sign, l1, lower, upper):
    """Return where a coordinate on its way has to stop: a limit, or zero."""
    if step > 0.0:
        return min(upper, 0.0) if l1 > 0.0 and sign < 0.0 else upper
    return max(lower, 0.0) if l1 > 0.0 and sign > 0.0 else lower


@jit
def slide(L, k, g, d, j, way, m, s, coef, moved, l1, lower, upper):
    """Move along a direction in which the quadratic is flat and the penalty falls.

    Column ``j`` wants to go its ``way`` but depends on the members: it takes over from
    them what they can give without changing the fit, until the first of them is at zero
    or a limit.

    Returns
    -------
    int
        The row of that member; ``k`` if ``j`` meets a limit first; -1 if nobody stops.
    """
    solve(L, k, g, d)
    end = obstacle(coef[j], way, s[j], l1[j], lower[j], upper[j])
    length = abs(end - coef[j])
    blocked = k
    for i in range(k):
        step = -way * d[i]
        if step != 0.0:
            c = m[i]
            stop = obstacle(coef[c], step, s[c], l1[c], lower[c], upper[c])
            share = max((stop - coef[c]) / step, 0.0)
            if share < length:
                length = share
                blocked = i
    if not np.isfinite(length):
        return -1
    for i in range(k):
        c = m[i]
        change = -way * d[i] * length
        if i == blocked:
            stop = obstacle(coef[c], change, s[c], l1[c], lower[c], upper[c])
            change = stop - coef[c]
            coef[c] = stop
        else:
            coef[c] += change
        moved[c] += change
    change = end - coef[j] if blocked == k else way * length
    coef[j] += change
    moved[j] += change
    return blocked


@jit
def follow(H, v, moved):
    """Bring ``v`` up to date with moved coordinates."""
    n = v.size
    for j in range(n):
        step = moved[j]
        if step != 0.0:
            row = H[j]
            for i in range(n):
                v[i] -= step * row[i]


@jit
def walk(H, v, coef, l1, l2, lower, upper, unit, tol, L, m, k, s, most):
    """Walk to the minimum; update ``v``, ``coef``, the factor and its members.

    Each step solves for the values under the present signs. Coefficients that would
    change sign or pass a limit stop there, all at once if the objective falls that way;
    else the step ends where the first of them stops. After a whole step the coordinates
    that most want to move are let in.

    Returns
    -------
    (int, int, int)
        How it ended, how many members there are, and how many changes it took.

    References
    ----------
    Lee, Battle, Raina and Ng (2007), Efficient sparse coding algorithms, NIPS 19
    ("feature-sign search"); here with limits, free coordinates and an l2 part.
    """
    n = coef.size
    room = L.shape[0]
    r = np.empty(room)
    d = np.empty(room)
    g = np.empty(room)
    before = np.empty(n)
    moved = np.zeros(n)
    wish = np.zeros(n)
    hits = np.zeros(room, dtype=np.bool_)
    inside = np.zeros(n, dtype=np.bool_)
    for i in range(k):
        inside[m[i]] = True
    n_changes = 0
    n_steps = 0
    while n_changes + n_steps < most:
        n_steps += 1
        for i in range(k):
            j = m[i]
            r[i] = v[j] - l2[j] * coef[j] - l1[j] * s[j]
        solve(L, k, r, d)
        length = 1.0
        blocked = -1
        for i in range(k):
            j = m[i]
            if d[i] != 0.0:
                stop = obstacle(coef[j], d[i], s[j], l1[j], lower[j], upper[j])
                share = max((stop - coef[j]) / d[i], 0.0)
                if share < length:
                    length = share
                    blocked = i
        rise = 0.0
        for i in range(k):
            j = m[i]
            stop = obstacle(coef[j], d[i], s[j], l1[j], lower[j], upper[j])
            is_past = d[i] != 0.0 and (coef[j] + d[i] - stop) * d[i] >= 0.0
            hits[i] = is_past and blocked >= 0
            moved[j] = stop - coef[j] if hits[i] else d[i]
            rise += l1[j] * s[j] * moved[j]
            rise += l2[j] * moved[j] * (coef[j] + 0.5 * moved[j])
        before[:] = v
        follow(H, v, moved)
        if blocked >= 0:
            for i in range(k):
                rise -= 0.5 * (before[m[i]] + v[m[i]]) * moved[m[i]]
            if not rise < 0.0:
                # Together they lead too far: go as far as the first of them can.
                for i in range(k):
                    j = m[i]
                    stop = obstacle(coef[j], d[i], s[j], l1[j], lower[j], upper[j])
                    hits[i] = i == blocked or (hits[i] and stop == coef[j])
                    moved[j] = stop - coef[j] if hits[i] else length * d[i]
                v[:] = before
                follow(H, v, moved)
            for i in range(k - 1, -1, -1):
                j = m[i]
                coef[j] += moved[j]
                moved[j] = 0.0
                if hits[i]:
                    coef[j] = obstacle(coef[j], d[i], s[j], l1[j], lower[j], upper[j])
                    inside[j] = False
                    delete_row(L, k, i)
                    k -= 1
                    n_changes += 1
                    for c in range(i, k):
                        m[c] = m[c + 1]
            continue
        for i in range(k):
            coef[m[i]] += moved[m[i]]
            moved[m[i]] = 0.0
        worst = tol
        last = -1
        for j in range(n):
            wish[j] = 0.0
            if not inside[j]:
                signal = v[j] - l2[j] * coef[j]
                wish[j] = breach(coef[j], signal, l1[j], lower[j], upper[j]) / unit[j]
                if wish[j] > worst:
                    worst = wish[j]
                    last = j
        if last < 0:
            return SETTLED, k, n_changes
        entered = k
        for j in range(n):
            if wish[j] <= tol or wish[j] < EAGER * worst:
                continue
            if k == room:
                return REFUSED, k, n_changes
            for i in range(k):
                g[i] = H[j, m[i]]
            signal = v[j] - l2[j] * coef[j]
            s[j] = np.sign(coef[j]) if coef[j] != 0.0 else np.sign(signal)
            if append_row(L, k, g, H[j, j] + l2[j]):
                inside[j] = True
                m[k] = j
                k += 1
                n_changes += 1
        if k > entered:
            continue
        # Whoever wants to come in depends on the members: somebody has to go.
        j = last
        for i in range(k):
            g[i] = H[j, m[i]]
        signal = v[j] - l2[j] * coef[j]
        way = s[j] if s[j] * signal > l1[j] else -s[j]
        is_in = True
        while is_in and not append_row(L, k, g, H[j, j] + l2[j]):
            q = slide(L, k, g, d, j, way, m, s, coef, moved, l1, lower, upper)
            if q < 0:
                return REFUSED, k, n_changes
            if q == k:
                is_in = False
                break
            inside[m[q]] = False
            delete_row(L, k, q)
            k -= 1
            n_changes += 1
            for i in range(q, k):
                m[i] = m[i + 1]
                g[i] = g[i + 1]
        follow(H, v, moved)
        moved[:] = 0.0
        if is_in:
            inside[j] = True
            m[k] = j
            k += 1
            n_changes += 1
    return GOES_ON, k, n_changes
