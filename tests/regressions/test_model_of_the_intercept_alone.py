"""Models without a column that varies warned of rounding they could not remove."""

import numpy as np
import pytest

import penglm as pg

LINKS = {"gamma": "log"}


@pytest.mark.parametrize("seed", range(40))
def test_intercept_alone_is_optimal(seed):
    y = np.random.default_rng(seed).normal(size=30)
    fit = pg.glm("y ~ 1", {"y": y}).fit(0.1)
    assert fit.converged
    assert fit.intercept == pytest.approx(y.mean())


@pytest.mark.filterwarnings("error::penglm.exceptions.PenglmWarning")
@pytest.mark.parametrize("family", ["gaussian", "binomial", "poisson", "gamma"])
@pytest.mark.parametrize("seed", range(5))
def test_folds_of_the_intercept_alone_reach_the_tolerance(family, seed):
    rng = np.random.default_rng(seed)
    y = {
        "gaussian": rng.normal(1e3, 1.0, 40),
        "binomial": rng.permutation(np.resize([0.0, 0.0, 1.0], 40)),
        "poisson": rng.poisson(3.0, 40).astype(float),
        "gamma": rng.gamma(2.0, size=40),
    }[family]
    fold = np.resize(np.arange(4), 40)
    cv = pg.PenalizedGLM(y, np.empty((40, 0)), family, link=LINKS.get(family)).fit_cv(
        fold, alphas=[0.1], progress=False
    )
    means = [y[fold != k].mean() for k in fold]
    assert cv.out_of_fold == pytest.approx(np.array(means), rel=1e-9)
