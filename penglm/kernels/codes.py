"""Sums over rows of which only the levels of factors are known.

A one-hot column is never formed: a level is a place in a table, and a product with its
column is a number looked up there or added to it.

Letters (the only place that uses them): n rows; f factor; C codes (n, f), the level of
each row in each factor; s where the levels of a factor begin in a table (f,); t table
of all levels; v one number a row (n,); w weights (n,); Z columns of numbers, one after
the other (k, n); A, B places (f, n) of the rows' levels in an answer.
"""

from penglm.kernels._jit import jit


@jit
def look_up(C, s, t, v):
    """Add to each row the numbers of its levels."""
    for i in range(v.size):
        total = 0.0
        for f in range(s.size):
            total += t[s[f] + C[i, f]]
        v[i] += total


@jit
def add_up(C, s, v, t):
    """Add the number of each row to its levels."""
    for i in range(v.size):
        for f in range(s.size):
            t[s[f] + C[i, f]] += v[i]


@jit
def place(C, s, members, home, A):
    """Write where the levels of some factors stand in an answer; ``home`` is by level.

    The next two kernels run over one factor after the other, so the places of a block
    of rows lie factor by factor.
    """
    for q in range(members.size):
        f = members[q]
        for i in range(A.shape[1]):
            A[q, i] = home[s[f] + C[i, f]]


@jit
def cross(A, B, left, right, w, width, t):
    """Add weights to cells: row of ``t`` by a level of A, column by a level of B.

    ``left`` and ``right`` name the factors that meet; ``t`` has ``width`` columns, one
    row after the other.
    """
    for q in range(left.size):
        a = A[left[q]]
        b = B[right[q]]
        for i in range(w.size):
            t[a[i] * width + b[i]] += w[i]


@jit
def add_columns(A, Z, t):
    """Add columns of numbers to the levels of each row, ``t`` (k, levels).

    Two columns at a time: an addition waits for the one before it on the same level.
    """
    k = Z.shape[0]
    for q in range(A.shape[0]):
        a = A[q]
        for j in range(0, k - 1, 2):
            x = Z[j]
            y = Z[j + 1]
            t_x = t[j]
            t_y = t[j + 1]
            for i in range(a.size):
                t_x[a[i]] += x[i]
                t_y[a[i]] += y[i]
        if k % 2 == 1:
            x = Z[k - 1]
            t_x = t[k - 1]
            for i in range(a.size):
                t_x[a[i]] += x[i]
