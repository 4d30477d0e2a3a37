"""AIC and BIC of a Gaussian model changed with the unit of its precision weights."""

import numpy as np
import pytest
import statsmodels.api as sm

import penglm as pg

RNG = np.random.default_rng(0)
X = RNG.normal(size=(100, 8))
Y = X[:, :3] @ [1, 0.5, 0.3] + RNG.normal(size=100)
WEIGHTS = RNG.uniform(0.5, 2.0, 100)
# Sums of a hundred logarithms.
SAME = 1e-10


def test_log_likelihood_is_that_of_weighted_least_squares():
    expected = sm.WLS(Y, sm.add_constant(X), weights=WEIGHTS).fit().llf
    fit = pg.PenalizedGLM(Y, X, var_weights=WEIGHTS).fit(0.0)
    assert fit.llf == pytest.approx(expected, rel=SAME)


@pytest.mark.parametrize("unit", [1e-2, 1e2])
def test_unit_of_precisions_does_not_choose_the_model(unit):
    plain = pg.PenalizedGLM(Y, X, var_weights=WEIGHTS).fit_path()
    other = pg.PenalizedGLM(Y, X, var_weights=unit * WEIGHTS).fit_path()
    assert plain.select("bic").alpha == pytest.approx(other.select("bic").alpha)
    assert plain.select("bic").bic == pytest.approx(other.select("bic").bic, rel=SAME)


def test_counts_are_rows_repeated_in_residuals_and_likelihood():
    counts = RNG.integers(1, 4, 100)
    weighted = pg.PenalizedGLM(Y, X, freq_weights=counts).fit(0.1)
    rows = np.repeat(np.arange(100), counts)
    repeated = pg.PenalizedGLM(Y[rows], X[rows]).fit(0.1)
    assert weighted.llf == pytest.approx(repeated.llf, rel=SAME)
    assert weighted.pearson_chi2 == pytest.approx(repeated.pearson_chi2, rel=1e-8)
    np.testing.assert_allclose(
        weighted.resid_pearson[np.repeat(np.arange(100), counts)],
        repeated.resid_pearson,
        atol=1e-8,
    )
