"""Responses so large or small that their variance overflows or vanishes.

Inverse Gaussian responses of 1e110 had slopes of exactly zero: the empty model was
called optimal, without a word.
"""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import penglm as pg
from penglm.exceptions import PenglmInputError

rng = np.random.default_rng(5)
X = rng.normal(size=(200, 3))
MEAN = np.exp(0.5 * X[:, 0])
DRAWN = {
    "gamma": rng.gamma(2.0, MEAN / 2.0),
    "inverse_gaussian": rng.wald(MEAN, 3.0),
    "tweedie": np.where(rng.random(200) < 0.3, 0.0, rng.gamma(2.0, MEAN / 2.0)),
}
# Of the response: fitted, and refused.
WITHIN = {"gamma": 130, "inverse_gaussian": 85, "tweedie": 180}
BEYOND = {"gamma": 145, "inverse_gaussian": 98, "tweedie": 190}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("way", [-1, 1])
@pytest.mark.parametrize("family", DRAWN)
def test_sizes_with_a_variance_give_the_same_coefficients(family, way):
    def fitted(factor):
        model = pg.PenalizedGLM(factor * DRAWN[family], X, family, link="log")
        return model.fit(0.1 * model.alpha_max(), tol=1e-8)

    fit = fitted(10.0 ** (way * WITHIN[family]))
    assert fit.converged
    assert_allclose(fit.coef, fitted(1.0).coef, rtol=1e-6)
    assert 0.0 < fit.scale < np.inf
    assert np.isfinite(fit.llf)


@pytest.mark.parametrize("way", [-1, 1])
@pytest.mark.parametrize("family", DRAWN)
def test_sizes_without_a_variance_are_refused(family, way):
    y = 10.0 ** (way * BEYOND[family]) * DRAWN[family]
    with pytest.raises(PenglmInputError, match="has no variance in double precision"):
        pg.PenalizedGLM(y, X, family, link="log")


def test_single_small_responses_are_taken():
    y = DRAWN["gamma"].copy()
    y[3] = 1e-200
    assert pg.PenalizedGLM(y, X, "gamma", link="log").fit(0.1).converged
