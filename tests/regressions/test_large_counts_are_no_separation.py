"""Counts of 1e10 under the identity link were said to have no finite optimum."""

import numpy as np

import penglm as pg


def test_large_coefficients_may_take_large_last_steps():
    rng = np.random.default_rng(2)
    X = rng.normal(size=(50, 2))
    y = np.round(1e10 * (2 + 0.3 * np.tanh(X[:, 0]) + 0.01 * rng.normal(size=50)))
    assert pg.PenalizedGLM(y, X, "poisson", link="identity").fit(0.0).converged
