"""A penalised GLM on few columns, at some strengths, in one call.

The outer loop of ``solver/irls.py`` once more, for problems so small that the calls
between its parts would take longer than the parts. It knows least squares, logistic and
log-linear rows under an elastic net with limits; whatever else happens it leaves to
that loop.

Letters (the only place that uses them): Z columns, centred and scaled, each contiguous
(p, n); b coefficients and v minus the slope of the loss in them (p,); e linear
predictor, g weighted slope and h weighted curvature of each row (n,); A columns in
play, ``k`` of them, in the order of the rows of their profiled Gram matrix H; c mixed
derivatives of these and the intercept; L Cholesky factor of the support with its
members m.
"""

import numpy as np

from penglm.kernels._jit import jit
from penglm.kernels.active_set import SETTLED, append_row, breach
from penglm.kernels.active_set import walk as settle
from penglm.kernels.terms import GAUSSIAN, response_terms, terms_of_rows

SHARE = 0.1
"""What a multiplication of a new Gram matrix weighs beside one of a step."""

ROW = 50.0
"""What loss, slope and curvature of a row cost, in multiplications."""

FORCING = 0.1
"""How much better than the point is known the quadratic is solved."""

SUFFICIENT = 1e-4
"""Share of the predicted decrease that a step has to bring."""

HALVINGS = 20
"""Shorter steps than after so many halvings are not tried here."""

MOST_CHANGES = 1000
"""Changes of the support in one step."""

MOST_EDITS = 2000
"""Edits of a factor after which rounding may have grown too far."""

ROUNDING = 16 * np.finfo(np.float64).eps
"""Of what the objective adds up: all is equal."""


@jit
def product(a, b):
    """Return ``a' b``."""
    total = 0.0
    for i in range(a.size):
        total += a[i] * b[i]
    return total


@jit
def add(a, scale, out):
    """Add ``scale a`` to ``out``."""
    for i in range(a.size):
        out[i] += scale * a[i]


@jit
def evaluate(kind, y, own, w, e, loss, g, h):
    """Write slope and curvature of the rows; return sums of loss, slope and size."""
    terms_of_rows(kind, y, own, e, loss, g, h)
    total = slope = size = 0.0
    for i in range(y.size):
        total += w[i] * loss[i]
        part = abs(g[i] * e[i])
        part += h[i] * (abs(e[i]) + 1.0) if kind != GAUSSIAN else 0.0
        size += w[i] * part
        g[i] *= w[i]
        h[i] *= w[i]
        slope += g[i]
    return total, slope, size


@jit
def slopes(Z, g, members, v):
    """Write ``Z g`` of some columns, four at a time so that ``g`` is read once."""
    k = members.size
    whole = k - k % 4
    for a in range(0, whole, 4):
        j0, j1, j2, j3 = members[a], members[a + 1], members[a + 2], members[a + 3]
        z0, z1, z2, z3 = Z[j0], Z[j1], Z[j2], Z[j3]
        s0 = s1 = s2 = s3 = 0.0
        for i in range(g.size):
            x = g[i]
            s0 += x * z0[i]
            s1 += x * z1[i]
            s2 += x * z2[i]
            s3 += x * z3[i]
        v[j0] = s0
        v[j1] = s1
        v[j2] = s2
        v[j3] = s3
    for a in range(whole, k):
        v[members[a]] = product(g, Z[members[a]])


@jit
def furthest(b, v, l1, l2, lower, upper, unit, members, away):
    """Write violations of some coordinates, in units; return the largest."""
    worst = 0.0
    for j in members:
        signal = v[j] - l2[j] * b[j]
        away[j] = breach(b[j], signal, l1[j], lower[j], upper[j]) / unit[j]
        worst = max(worst, away[j])
    return worst


@jit
def cost(b, l1, l2):
    """Return the penalty."""
    total = 0.0
    for j in range(b.size):
        total += l1[j] * abs(b[j]) + 0.5 * l2[j] * b[j] * b[j]
    return total


@jit
def pays(now, before, target, n, k):
    """Tell whether new second derivatives cost less than the steps that they save.

    If the violation goes on falling as in the last step, it takes so many more steps;
    with new derivatives about two. The first step at a strength tells nothing yet.
    """
    if not now < before:
        return k > 0 and before < np.inf
    if now <= target or before == np.inf:
        return False
    more = np.log(now / target) / np.log(before / now)
    a_step = n * (3.0 * k + ROW) + 4.0 * k * k
    return (more - 2.0) * a_step > SHARE * (n * k * k / 2.0 + k**3 / 6.0)


@jit
def bent(along, shift, h, h_known, otherwise):
    """Return the second derivative along a step, over what it was foreseen to be."""
    now = foreseen = 0.0
    for i in range(h.size):
        square = (along[i] + shift) ** 2
        now += h[i] * square
        foreseen += h_known[i] * square
    return now / foreseen if now > 0.0 and foreseen > 0.0 else otherwise


@jit
def extend(Z, A, first, k, h, h_sum, buffer, v, c, H):
    """Write rows ``first`` to ``k - 1`` of the profiled Gram matrix, and columns."""
    for a in range(first, k):
        z = Z[A[a]]
        total = 0.0
        for i in range(h.size):
            buffer[i] = z[i] * h[i]
            total += buffer[i]
        c[a] = total if h_sum > 0.0 else 0.0
        share = total / h_sum if h_sum > 0.0 else 0.0
        slopes(Z, buffer, A[: a + 1], v)
        for j in range(a + 1):
            H[a, j] = v[A[j]] - share * c[j]
            H[j, a] = H[a, j]


@jit
def factorise(H, b, l1, l2, lower, upper, L, m):
    """Factor the support's part of H; return how many members, -1 if they depend."""
    k = 0
    row = np.empty(b.size)
    for j in range(b.size):
        if lower[j] < b[j] < upper[j] and (b[j] != 0.0 or l1[j] == 0.0):
            for i in range(k):
                row[i] = H[j, m[i]]
            if not append_row(L, k, row, H[j, j] + l2[j]):
                return -1
            m[k] = j
            k += 1
    return k


@jit
def solve(
    kind, Z, y, w, offset, has_intercept, l1, l2, lower, upper, unit, beside, target,
    most, b, intercept, A, m, c, H, L, h_known, b_known, counts, known,
    coefs, scores, sums, steps, history,
):  # fmt: skip
    """Solve at strengths one after the other, each from the one before.

    Parameters
    ----------
    kind : int
        As in ``terms``.
    Z : (p, n)
    y, w, offset : (n,)
        Weights add up to one.
    has_intercept : bool
    l1, l2, unit : (q, p)
        The penalty at each strength, and the units of its violations.
    lower, upper : (p,)
    beside : (q,)
        Unit of the intercept's slope.
    target : float
        Largest violation to leave.
    most : int
        Most steps at a strength.
    b, intercept : (p,), float
        Where to start; ``b`` is used up.
    A, m, c, H, L : (room,), (room,), (room,), (room, room), (room, room)
        Second derivatives to start from and, on return, to go on from.
    h_known, b_known : (n,), (p,)
        Weights, and coefficients, that they belong to.
    counts : (3,)
        Columns in play; members of the factor, -1 without one; edits of it.
    known : (2,)
        Sum of ``h_known``, 0 without an intercept; intercept that it belongs to.
    coefs, scores : (q, p)
    sums : (q, 4)
        Intercept, loss, slope in the intercept, and size of what the loss adds up.
    steps : (q,)
        Steps taken.
    history : (q, most + 1)
        Objective before each step and at the end.

    Returns
    -------
    int
        How many strengths were solved; the arrays hold them.
    """
    p, n = Z.shape
    e, e_new = np.empty(n), np.empty(n)
    own, loss, buffer, along = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    response_terms(kind, y, own)
    g, h, g_new, h_new = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    v, spare, b_new, away = np.empty(p), np.empty(p), np.empty(p), np.zeros(p)
    everyone = np.arange(p)
    in_play = np.zeros(p, dtype=np.bool_)
    for j in A[: counts[0]]:
        in_play[j] = True
    scale = ratio = 1.0
    for q in range(l1.shape[0]):
        e[:] = offset
        for i in range(n):
            e[i] += intercept
        for j in range(p):
            if b[j] != 0.0:
                add(Z[j], b[j], e)
        total, slope, size = evaluate(kind, y, own, w, e, loss, g, h)
        if q > 0 and np.any(l2[q] != l2[q - 1]):
            counts[1] = -1
        has_pull = l2[q].any()
        if q == 0 and counts[0] > 0:
            ratio = h.sum() / h_known.sum()
        penalty = (l1[q], l2[q], lower, upper, unit[q])
        before = np.inf
        step = 0
        while True:
            value = total + cost(b, l1[q], l2[q])
            if not np.isfinite(value):
                return q
            history[q, step] = value
            aside = abs(slope) / beside[q] if has_intercept else 0.0
            away[:] = 0.0
            slopes(Z, g, A[: counts[0]], v)
            inside = worst = furthest(b, v, *penalty, A[: counts[0]], away)
            # Columns at rest are looked at when those in play have come to rest.
            if step == 0 or max(inside, aside) <= target:
                slopes(Z, g, everyone, v)
                worst = furthest(b, v, *penalty, everyone, away)
                if max(worst, aside) <= target:
                    break
            if step == most:
                return q
            # Second derivatives, of an earlier point if these lead fast enough.
            if kind != GAUSSIAN and pays(inside, before, target, n, counts[0]):
                counts[0] = 0
            before = worst
            if counts[0] == 0:
                in_play[:] = False
                h_known[:] = h
                b_known[:] = b
                known[0] = h.sum() if has_intercept else 0.0
                known[1] = intercept
                scale = ratio = 1.0
                counts[1] = -1
            h_sum = known[0]
            first = k = counts[0]
            for j in range(p):
                if not in_play[j] and (b[j] != 0.0 or away[j] > target):
                    if k == A.size:
                        return q
                    in_play[j] = True
                    A[k] = j
                    k += 1
            counts[0] = k
            extend(Z, A, first, k, h_known, h_sum, buffer, spare, c, H)
            # The minimum of the quadratic over the columns in play. A multiple of its
            # second derivatives is as good as that fraction of everything else.
            mine = A[:k]
            if counts[1] < 0 or not has_pull:
                scale = ratio
            part = 1.0 / scale
            shift = slope / h_sum if h_sum > 0.0 else 0.0
            tilt, there = part * (v[mine] - shift * c[:k]), b[mine]
            t1, t2 = part * l1[q][mine], part * l2[q][mine]
            low, high, shift = lower[mine], upper[mine], part * shift
            if counts[1] < 0 or counts[2] > MOST_EDITS:
                counts[1] = factorise(H, there, t1, t2, low, high, L, m)
                counts[2] = 0
                if counts[1] < 0:
                    return q
            sign = np.where(there != 0.0, np.sign(there), np.sign(tilt))
            near = min(worst, 1.0) * worst if kind != GAUSSIAN else 0.0
            end, counts[1], edits = settle(
                H, tilt, there, t1, t2, low, high, part * unit[q][mine],
                FORCING * max(target, FORCING * near), L, m, counts[1], sign,
                MOST_CHANGES,
            )  # fmt: skip
            counts[2] += edits
            if end != SETTLED:
                counts[1] = -1
                return q
            # The step, halved until the objective falls enough.
            along[:] = 0.0
            b_new[:] = b
            rise = 0.0
            for a in range(k):
                j = mine[a]
                change = there[a] - b[j]
                if change != 0.0:
                    add(Z[j], change, along)
                    shift -= c[a] / h_sum * change if h_sum > 0.0 else 0.0
                    rise -= v[j] * change
                b_new[j] = there[a]
            rise += cost(b_new, l1[q], l2[q]) - cost(b, l1[q], l2[q]) - slope * shift
            slack = ROUNDING * (abs(value) + size)
            length = 1.0
            is_lower = False
            for _ in range(HALVINGS):
                if length < 1.0:
                    counts[1] = -1
                    for a in range(k):
                        j = mine[a]
                        b_new[j] = b[j] + length * (there[a] - b[j])
                for i in range(n):
                    e_new[i] = e[i] + length * (along[i] + shift)
                total, change, size = evaluate(
                    kind, y, own, w, e_new, loss, g_new, h_new
                )
                found = total + cost(b_new, l1[q], l2[q])
                if rise > slack:
                    is_lower = found < value
                else:
                    is_lower = found <= value + SUFFICIENT * length * rise + slack
                if is_lower:
                    break
                length *= 0.5
            if not is_lower:
                return q
            slope = change
            intercept += length * shift
            b[:] = b_new
            e, e_new = e_new, e
            g, g_new = g_new, g
            h, h_new = h_new, h
            ratio = bent(along, shift, h, h_known, ratio)
            step += 1
        coefs[q] = b
        scores[q] = v
        sums[q, 0] = intercept
        sums[q, 1] = total
        sums[q, 2] = slope if has_intercept else 0.0
        sums[q, 3] = size
        steps[q] = step
    return l1.shape[0]
