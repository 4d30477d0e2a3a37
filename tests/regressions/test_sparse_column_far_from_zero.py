"""A sparse column with mean 1e9 and sd 1 lost its coefficient to cancellation."""

import numpy as np
from scipy import sparse

import penglm as pg


def test_full_sparse_column_fits_as_the_dense_one():
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(200, 1))
    X, y = 1e9 + noise, noise[:, 0] + 0.1 * rng.normal(size=200)
    a = pg.PenalizedGLM(y, sparse.csc_array(X)).fit(0.05)
    b = pg.PenalizedGLM(y, X).fit(0.05)
    assert a.converged
    # The slope itself is good to about 1e9 roundings.
    np.testing.assert_allclose(a.coef, b.coef, rtol=1e-6)
