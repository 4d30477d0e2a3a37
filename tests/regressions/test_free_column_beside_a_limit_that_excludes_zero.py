"""The null model handed on slopes that its own last step had made stale.

With a free column and another one whose limits exclude zero, the end of the null
model's step was foreseen over its one movable column, and the slopes of all others
stayed those from before the step. Every later fit started from them.
"""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import penglm as pg
from penglm.solver import quadratic


@pytest.mark.parametrize("family", ["gaussian", "binomial", "poisson"])
@pytest.mark.parametrize("n_obs", [12, 100])
def test_slopes_of_the_null_model_are_those_at_its_point(family, n_obs):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_obs, 5)) + rng.normal(size=(n_obs, 1))
    y = X[:, 0] + X[:, 1] + rng.normal(size=n_obs)
    y = y if family == "gaussian" else (y > 0.0).astype(float)
    lower = np.full(5, -np.inf)
    lower[3] = 0.05
    factor = [0.0, 1.0, 1.0, 1.0, 1.0]
    model = pg.PenalizedGLM(y, X, family, penalty_factor=factor, lower=lower)
    here = model.statement.null.outcome.here
    expected = quadratic.expand(model.problem(1.0), here.point)
    assert_allclose(here.score, expected.score, rtol=0.0, atol=1e-10)
    fit = model.fit(0.05, l1_ratio=0.5)
    assert fit.status is pg.Status.OPTIMAL
    assert fit.certificate.kkt_residual <= 1e-5
