"""Models without a column that varies warned of rounding they could not remove."""

import numpy as np
import pytest

import penglm as pg


@pytest.mark.parametrize("seed", range(40))
def test_intercept_alone_is_optimal(seed):
    y = np.random.default_rng(seed).normal(size=30)
    fit = pg.glm("y ~ 1", {"y": y}).fit(0.1)
    assert fit.converged
    assert fit.intercept == pytest.approx(y.mean())
