"""Rows copied together, centred, scaled and weighted, for a product by BLAS.

Letters (the only place that uses them): X rows (n, p), each contiguous; j column; k its
place among those chosen.
"""

from penglm.kernels._jit import jit


@jit
def pack(X, columns, center, factor, root, out):
    """Write ``root_i (x_ij - center_j) factor_j`` of chosen columns into ``out``."""
    for i in range(X.shape[0]):
        x = X[i]
        row = out[i]
        for k in range(columns.size):
            j = columns[k]
            row[k] = (x[j] - center[k]) * factor[k] * root[i]
