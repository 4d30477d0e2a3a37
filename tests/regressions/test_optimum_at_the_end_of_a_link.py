"""An optimum at the end of a link's range came back with an infinite objective."""

import numpy as np
import pytest

import penglm as pg
from penglm.exceptions import ConvergenceWarning


@pytest.mark.parametrize("link", ["sqrt", "identity"])
def test_numbers_that_come_back_are_finite(link):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 2))
    y = rng.poisson(np.maximum(1.5 + X[:, 0], 0.05) ** 2).astype(float)
    model = pg.PenalizedGLM(y, X, "poisson", link=link)
    with pytest.warns(ConvergenceWarning):
        fit = model.fit(0.3 if link == "sqrt" else 0.0)
    assert np.isfinite([fit.deviance, fit.certificate.objective]).all()
    assert fit.certificate.kkt_residual > 0.1
    assert np.all(fit.fittedvalues > 0.0)


@pytest.mark.filterwarnings("ignore::penglm.exceptions.ConvergenceWarning")
def test_strengths_without_a_valid_mean_are_never_chosen():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(60, 6))
    y = (rng.uniform(size=60) < 0.5 + 0.2 * np.tanh(X[:, 0])).astype(float)
    cv = pg.PenalizedGLM(y, X, "binomial", link="identity").fit_cv(5, n_alphas=12)
    chosen = np.flatnonzero(cv.alphas == cv.alpha_min)
    assert np.isfinite(cv.mean_score[chosen]).all()
    assert not np.isnan(cv.std_score).any()
