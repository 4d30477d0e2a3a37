"""Unpenalised fits of positive responses are those of statsmodels."""

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose

import penglm as pg

N, P = 300, 4
# Both sides step until rounding stops them; statsmodels by the change of its deviance.
AGREE = 1e-7
links = sm.families.links


@pytest.mark.filterwarnings("ignore:The .* link function does not respect")
@pytest.mark.parametrize(
    ("family", "draw"),
    [
        (sm.families.Gamma(links.Log()), "gamma"),
        (sm.families.Gamma(links.InversePower()), "gamma"),
        (sm.families.InverseGaussian(links.Log()), "gamma"),
        (sm.families.NegativeBinomial(links.Log(), alpha=0.5), "counts"),
        (sm.families.Tweedie(links.Log(), var_power=1.4), "claims"),
    ],
    ids=["gamma-log", "gamma-inverse", "inverse-gaussian", "negative-binomial",
         "tweedie"],
)  # fmt: skip
def test_coefficients_likelihood_and_scale_agree(family, draw):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N, P)) * 0.3
    mu = np.exp(0.3 + X @ [0.6, -0.4, 0.2, 0.0])
    counts = rng.poisson(rng.gamma(2.0, 0.5 * mu))
    y = {
        "gamma": rng.gamma(3.0, mu / 3.0),
        "counts": counts.astype(float),
        "claims": counts * rng.gamma(2.0, 0.5, N),
    }[draw]
    weight, often = rng.uniform(0.5, 2.0, N), rng.integers(1, 4, N).astype(float)
    rows = {"var_weights": weight, "freq_weights": often}
    found = pg.PenalizedGLM(y, X, family, **rows).fit(0.0)
    expected = sm.GLM(y, sm.add_constant(X), family, **rows).fit(tol=1e-13, maxiter=200)
    assert_allclose(found.params, expected.params, rtol=0.0, atol=AGREE)
    assert found.deviance == pytest.approx(expected.deviance, rel=1e-10)
    assert found.llf == pytest.approx(expected.llf, rel=1e-8)
    assert found.scale == pytest.approx(expected.scale, rel=AGREE)
    assert found.aic == pytest.approx(expected.aic, rel=1e-8)
