"""Rows to predict that lie where the link has no mean: a warning, never in silence."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import penglm as pg
from penglm import families as f
from penglm.exceptions import PredictionRangeWarning

RNG = np.random.default_rng(2)
X = RNG.uniform(0.0, 2.0, (100, 1))
Y = RNG.poisson((1.0 + X[:, 0]) ** 2) + 1.0
SHARE = (RNG.random(100) < 0.2 + 0.2 * X[:, 0]).astype(float)
FAR = {
    "power": (Y, f.Poisson(f.Power(0.4)), -50.0),
    "sqrt": (Y, f.Poisson(f.Sqrt()), -50.0),
    "inverse": (Y, f.Gamma(f.Inverse()), 5000.0),
    "identity": (Y, f.Gamma(f.Identity()), -50.0),
    "identity of a share": (SHARE, f.Binomial(f.Identity()), 50.0),
    "log": (Y, f.Poisson(), 5000.0),
}
every_link = pytest.mark.parametrize("name", FAR)


@every_link
def test_row_without_a_mean_is_named(name):
    y, family, far = FAR[name]
    fit = pg.PenalizedGLM(y, X, family).fit(0.01)
    new = np.array([[1.0], [far], [0.5]])
    text = rf"^1 rows have no mean \(first: row 1\): link '{family.link.name}' makes"
    with pytest.warns(PredictionRangeWarning, match=text):
        found = fit.predict(new)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_array_equal(found[[0, 2]], fit.predict(new[[0, 2]]))
        assert np.isfinite(fit.predict(new, which="linear")).all()


@every_link
def test_rows_of_the_fit_have_means(name):
    y, family, _ = FAR[name]
    fit = pg.PenalizedGLM(y, X, family).fit(0.01)
    assert_array_equal(fit.predict(X), fit.predict())


@pytest.mark.parametrize("far", [-1e4, 1e4])
def test_mean_that_is_rounded_to_the_end_of_its_range_is_a_mean(far):
    fit = pg.PenalizedGLM(SHARE, X, "binomial").fit(0.001)
    assert fit.predict(np.array([[far]]))[0] in (0.0, 1.0)


def test_missing_row_is_missing_and_not_without_a_mean():
    fit = pg.PenalizedGLM(Y, X, f.Poisson(f.Power(0.4))).fit(0.01)
    with pytest.warns(pg.exceptions.MissingPredictionWarning) as caught:
        found = fit.predict(np.array([[np.nan], [1.0]]))
    assert len(caught) == 1
    assert_array_equal(np.isnan(found), [True, False])


def test_estimators_warn_alike():
    model = pg.PenalizedGLMRegressor("gamma", alpha=0.01).fit(X, Y)
    with pytest.warns(PredictionRangeWarning, match="link 'inverse' makes -"):
        model.predict(np.array([[5000.0]]))
