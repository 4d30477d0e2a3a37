"""Mean, spread and size of dense columns while their rows pass by once.

A block of rows is read three times, from the cache after the first: for its largest
number, for its mean, and for squares about that mean. Blocks are merged by the update
of Chan, Golub and LeVeque (1983), Am. Stat. 37(3), so that no two large numbers are
ever subtracted.

Everything is in a unit near the largest number so far, a power of two: squares of 1e200
and of 1e-200 are representable, and a change of unit rounds nothing. It is also about
the first row, so a mean far from zero costs no digits and a constant column has no
spread at all.

Letters (the only place that uses them): X dense columns (n, p); w share of each row in
the total weight (n,); one number a column: top largest absolute value, u unit, v one
over it, o first row, m mean, q sum of squares, both about where they say and in units;
b, z mean and squares of a block; W, g weights so far and of a block.
"""

import math

import numpy as np

from penglm.kernels._jit import jit

PANEL = 512
"""Columns at a time where rows are contiguous; with ``HEIGHT`` rows they stay in L2."""
HEIGHT = 256
STRETCH = 2048
"""Rows at a time where columns are contiguous."""
LANES = 64
"""Running maxima of a column: one alone would wait for itself."""


@jit
def unit_above(top):
    """Return the power of two above a positive number, within the normal numbers."""
    exponent = math.frexp(top)[1]
    return math.ldexp(1.0, min(max(exponent, -1000), 1000))


@jit
def by_rows(X, w, top, u, mean, q):
    """Write largest value, its unit, mean and mean square of columns, X in C order.

    Mean and square are in units.
    """
    n, p = X.shape
    b = np.empty(PANEL)
    z = np.empty(PANEL)
    o = np.empty(PANEL)
    v = np.empty(PANEL)
    for first in range(0, p, PANEL):
        last = min(first + PANEL, p)
        k = last - first
        t = top[first:last]
        m = mean[first:last]
        square = q[first:last]
        unit = u[first:last]
        origin = X[0, first:last]
        t[:] = 0.0
        m[:] = 0.0
        square[:] = 0.0
        unit[:] = 0.0
        o[:] = 0.0
        v[:] = 1.0
        W = 0.0
        for start in range(0, n, HEIGHT):
            stop = min(start + HEIGHT, n)
            g = 0.0
            for i in range(start, stop):
                g += w[i]
                x = X[i, first:last]
                for j in range(k):
                    a = abs(x[j])
                    t[j] = a if a > t[j] else t[j]
            for j in range(k):
                if t[j] > 0.0 and t[j] >= unit[j]:
                    new = unit_above(t[j])
                    v[j] = 1.0 / new
                    change = unit[j] * v[j]
                    unit[j] = new
                    m[j] *= change
                    square[j] *= change * change
                    o[j] = origin[j] * v[j]
            if g == 0.0:
                continue
            b[:] = 0.0
            z[:] = 0.0
            for i in range(start, stop):
                x = X[i, first:last]
                for j in range(k):
                    b[j] += w[i] * (x[j] * v[j] - o[j])
            for j in range(k):
                b[j] /= g
            for i in range(start, stop):
                x = X[i, first:last]
                for j in range(k):
                    d = (x[j] * v[j] - o[j]) - b[j]
                    z[j] += w[i] * d * d
            share = g / (W + g)
            for j in range(k):
                d = b[j] - m[j]
                m[j] += d * share
                square[j] += z[j] + d * d * (W * share)
            W += g
        for j in range(k):
            m[j] += o[j]
            square[j] /= W


@jit
def by_columns(X, w, top, u, mean, q):
    """Write the same, X in any order but best in Fortran's."""
    n, p = X.shape
    lanes = np.empty(LANES)
    for j in range(p):
        column = X[:, j]
        t = 0.0
        unit = 0.0
        # Interpreted, a float32 times a Python number would stay one.
        v = np.float64(1.0)
        o = 0.0
        m = 0.0
        square = 0.0
        W = 0.0
        for start in range(0, n, STRETCH):
            x = column[start : start + STRETCH]
            y = w[start : start + STRETCH]
            k = x.size
            lanes[:] = 0.0
            for i in range(0, k - LANES + 1, LANES):
                part = x[i : i + LANES]
                for c in range(LANES):
                    a = abs(part[c])
                    lanes[c] = a if a > lanes[c] else lanes[c]
            for i in range(k - k % LANES, k):
                a = abs(x[i])
                lanes[0] = a if a > lanes[0] else lanes[0]
            for c in range(LANES):
                t = max(t, lanes[c])
            if t > 0.0 and t >= unit:
                new = unit_above(t)
                v = np.float64(1.0 / new)
                change = unit * v
                unit = new
                m *= change
                square *= change * change
                o = column[0] * v
            g = 0.0
            b = 0.0
            for i in range(k):
                g += y[i]
                b += y[i] * (x[i] * v - o)
            if g == 0.0:
                continue
            b /= g
            z = 0.0
            for i in range(k):
                d = (x[i] * v - o) - b
                z += y[i] * d * d
            share = g / (W + g)
            d = b - m
            m += d * share
            square += z + d * d * (W * share)
            W += g
        top[j] = t
        u[j] = unit
        mean[j] = m + o
        q[j] = square / W
