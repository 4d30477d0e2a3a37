"""Information criteria: statsmodels' where nothing is penalised, their definition else.

statsmodels counts no dispersion among the parameters; nor does penglm.
"""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.special import comb

import penglm as pg
from penglm.exceptions import PenglmInputError
from penglm.selection.criteria import criterion

FAMILIES = ("gaussian", "binomial", "poisson")
# Both sides maximise a likelihood to more digits than this.
SAME_LIKELIHOOD = 1e-9


def draw(family, n_obs=70, n_features=5):
    """Return a response, columns and an offset."""
    rng = np.random.default_rng([3, FAMILIES.index(family)])
    X = rng.normal(size=(n_obs, n_features))
    offset = rng.normal(0.0, 0.2, n_obs)
    eta = offset + 0.5 * X[:, 0]
    if family == "gaussian":
        return eta + rng.normal(size=n_obs), X, offset
    if family == "binomial":
        return (
            (rng.uniform(size=n_obs) < 1 / (1 + np.exp(-eta))).astype(float),
            X,
            offset,
        )
    return rng.poisson(np.exp(eta)).astype(float), X, offset


def peer_of(family, y, X, offset, **weights):
    """Return the maximum-likelihood fit of statsmodels."""
    kind = getattr(sm.families, family.capitalize())()
    return sm.GLM(y, sm.add_constant(X), kind, offset=offset, **weights).fit(tol=1e-14)


@pytest.mark.parametrize("family", FAMILIES)
def test_unpenalised_likelihood_and_aic_are_those_of_statsmodels(family):
    y, X, offset = draw(family)
    fit = pg.PenalizedGLM(y, X, family, offset=offset).fit(0.0)
    peer = peer_of(family, y, X, offset)
    assert fit.llf == pytest.approx(peer.llf, rel=SAME_LIKELIHOOD)
    assert fit.aic == pytest.approx(peer.aic, rel=SAME_LIKELIHOOD)


@pytest.mark.parametrize("family", FAMILIES)
def test_unpenalised_bic_is_that_of_statsmodels(family):
    y, X, offset = draw(family)
    fit = pg.PenalizedGLM(y, X, family, offset=offset).fit(0.0)
    peer = peer_of(family, y, X, offset).info_criteria("bic")
    assert fit.bic == pytest.approx(peer, rel=SAME_LIKELIHOOD)


@pytest.mark.parametrize("family", FAMILIES)
def test_frequency_weights_count_as_observations(family):
    y, X, offset = draw(family)
    counts = np.random.default_rng(4).integers(1, 4, y.size)
    fit = pg.PenalizedGLM(y, X, family, offset=offset, freq_weights=counts).fit(0.0)
    rows = np.repeat(np.arange(y.size), counts)
    peer = peer_of(family, y[rows], X[rows], offset[rows])
    assert fit.nobs == counts.sum()
    assert fit.aic == pytest.approx(peer.aic, rel=SAME_LIKELIHOOD)
    assert fit.bic == pytest.approx(peer.info_criteria("bic"), rel=SAME_LIKELIHOOD)


def test_counts_of_successes_have_the_likelihood_of_statsmodels():
    _, X, _ = draw("binomial")
    rng = np.random.default_rng(5)
    successes, failures = rng.integers(0, 6, 70), rng.integers(1, 6, 70)
    pair = np.column_stack([successes, failures])
    fit = pg.PenalizedGLM(pair, X, "binomial").fit(0.0)
    peer = sm.GLM(pair, sm.add_constant(X), sm.families.Binomial()).fit(tol=1e-14)
    assert fit.llf == pytest.approx(peer.llf, rel=SAME_LIKELIHOOD)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_penalised_criteria_count_the_nonzero_coefficients(family, fit_intercept):
    y, X, offset = draw(family)
    model = pg.PenalizedGLM(y, X, family, offset=offset, fit_intercept=fit_intercept)
    fit = model.fit(0.3 * model.alpha_max())
    n_params = fit.n_nonzero + fit_intercept
    assert 0 < fit.n_nonzero < 5
    assert fit.aic == pytest.approx(-2 * fit.llf + 2 * n_params)
    assert fit.bic == pytest.approx(-2 * fit.llf + np.log(70) * n_params)
    models = comb(5, fit.n_nonzero, exact=True)
    assert fit.ebic == pytest.approx(fit.bic + 2 * np.log(models))


def test_ebic_of_many_columns_is_its_definition():
    value = criterion("ebic", -100.0, 4, 3, 1000, 200.0)
    expected = 200.0 + np.log(200) * 4 + 2 * np.log(comb(1000, 3, exact=True))
    assert value == pytest.approx(expected)


@pytest.mark.parametrize("by", ["aic", "bic", "ebic"])
@pytest.mark.parametrize("family", FAMILIES)
def test_select_takes_the_least_value_along_the_path(family, by):
    y, X, offset = draw(family)
    path = pg.PenalizedGLM(y, X, family, offset=offset).fit_path(n_alphas=30)
    values = [getattr(path[k], by) for k in range(len(path))]
    chosen = path.select(by)
    assert chosen.alpha == path.alphas[int(np.argmin(values))]
    assert chosen.chosen_by == by.upper()
    assert path.criterion(by).tolist() == values


def test_unknown_criterion_is_refused_by_name():
    y, X, _ = draw("gaussian")
    path = pg.PenalizedGLM(y, X).fit_path(n_alphas=5)
    with pytest.raises(PenglmInputError, match=r"^by = 'cp'; use one of 'aic', ") as e:
        path.select("cp")
    assert e.value.argument == "by"
