"""Trial steps and claims that no double can hold are judged without a word of NumPy's.

Warnings are errors here: such a step used to end in ``RuntimeWarning: overflow``.
"""

import numpy as np
import pytest

import penglm as pg
from penglm.families import Gamma, Log


def test_a_trial_step_may_overflow():
    # One response of 1e6 beside others near 1: the first step goes far too far.
    rng = np.random.default_rng(1439556404)
    X = rng.normal(size=(34, 5))
    eta = X @ np.where(np.arange(5) < 3, rng.normal(size=5), 0.0)
    y = rng.gamma(2.0, np.exp(0.5 * eta / eta.std()) / 2.0) + 1e-3
    y[3] = 1e6
    X[:, 4] = X[:, 0]
    fit = pg.PenalizedGLM(y, X, Gamma(Log())).fit(0.189)
    assert fit.converged


@pytest.mark.parametrize("family", ["gaussian", "poisson"])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
def test_a_claim_may_overflow(family, l1_ratio):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(20, 3)), rng.poisson(2.0, 20).astype(float)
    claim = pg.certify(
        np.full(3, 1e200), 0.0, y, X, alpha=0.1, l1_ratio=l1_ratio, family=family
    )
    assert claim.kkt_residual > 1.0
