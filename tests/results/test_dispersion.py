"""Three estimates of the dispersion: by their definitions and beside statsmodels."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.special import digamma

import penglm as pg
from penglm.exceptions import PenglmInputError

N, P = 240, 3
# The slope of the likelihood is a difference; it loses a third of the digits.
FLAT = 1e-9
links = sm.families.links
FREE = {
    "gaussian": sm.families.Gaussian(),
    "gamma": sm.families.Gamma(links.Log()),
    "inverse_gaussian": sm.families.InverseGaussian(links.Log()),
    "tweedie": sm.families.Tweedie(links.Log(), var_power=1.4),
}
FIXED = {
    "binomial": sm.families.Binomial(),
    "poisson": sm.families.Poisson(),
    "negative_binomial": sm.families.NegativeBinomial(links.Log(), alpha=0.5),
}
BOTH = FREE | FIXED


def draw(name):
    """Return a response, columns and weights."""
    rng = np.random.default_rng([7, list(BOTH).index(name)])
    X = rng.normal(size=(N, P)) * 0.4
    mu = np.exp(0.2 + X @ [0.5, -0.5, 0.0])
    counts = rng.poisson(rng.gamma(2.0, 0.5 * mu)).astype(float)
    y = {
        "gaussian": rng.normal(mu, 1.5),
        "tweedie": counts * rng.gamma(2.0, 0.5, N),
        "binomial": np.minimum(counts, 1.0),
        "poisson": counts,
        "negative_binomial": counts,
    }.get(name, rng.gamma(3.0, mu / 3.0))
    rows = {"var_weights": rng.uniform(0.5, 2.0, N),
            "freq_weights": rng.integers(1, 4, N).astype(float)}  # fmt: skip
    return y, X, rows


def fitted(name, alpha=0.1):
    """Return a weighted fit."""
    y, X, rows = draw(name)
    return pg.PenalizedGLM(y, X, BOTH[name], **rows).fit(alpha, tol=1e-9)


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize(("method", "theirs"), [("pearson", "X2"), ("deviance", "dev")])
def test_moment_estimates_are_those_of_statsmodels(name, method, theirs):
    y, X, rows = draw(name)
    peer = sm.GLM(y, sm.add_constant(X), BOTH[name], **rows)
    expected = peer.fit(scale=theirs, tol=1e-13, maxiter=200).scale
    assert fitted(name, 0.0).dispersion(method) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("name", BOTH)
def test_scale_is_pearson_or_what_the_family_fixes(name):
    fit = fitted(name)
    assert fit.scale == (fit.dispersion() if name in FREE else 1.0)


@pytest.mark.parametrize("name", FIXED)
def test_a_known_dispersion_is_its_likeliest(name):
    fit = fitted(name)
    assert fit.dispersion("likelihood") == 1.0
    assert fit.dispersion("pearson") != 1.0 != fit.dispersion("deviance")


@pytest.mark.parametrize("name", ["gaussian", "inverse_gaussian"])
def test_likeliest_dispersion_is_the_mean_deviance_where_that_is_its_form(name):
    fit = fitted(name)
    expected = fit.deviance / fit.nobs
    assert fit.dispersion("likelihood") == pytest.approx(expected, rel=FLAT)


def test_likeliest_dispersion_of_the_gamma_solves_its_score_equation():
    fit = fitted("gamma")
    data = fit.data
    shape = data.precision / fit.dispersion("likelihood")
    half = 0.5 * fit.spec.family.unit_deviance(data.y, fit.fittedvalues)
    terms = data.sample_weight * (np.log(shape) - digamma(shape))
    assert terms.sum() == pytest.approx(data.sample_weight @ half, rel=FLAT)


@pytest.mark.parametrize("name", FREE)
@pytest.mark.parametrize("alpha", [0.0, 0.1])
def test_no_other_dispersion_is_likelier(name, alpha):
    fit = fitted(name, alpha)
    best = fit.dispersion("likelihood")
    top = fit.log_likelihood(best)
    for apart in (1e-4, 1e-2, 1.0):
        assert fit.log_likelihood(best * (1.0 + apart)) < top
        assert fit.log_likelihood(best / (1.0 + apart)) < top


@pytest.mark.parametrize("name", FREE)
@pytest.mark.parametrize("method", ["pearson", "deviance", "likelihood"])
def test_dispersion_is_that_of_an_observation_of_unit_weight(name, method):
    y, X, rows = draw(name)
    expected = 4.0 * fitted(name).dispersion(method)
    rows["var_weights"] = 4.0 * rows["var_weights"]
    again = pg.PenalizedGLM(y, X, BOTH[name], **rows).fit(0.1, tol=1e-9)
    assert again.dispersion(method) == pytest.approx(expected, rel=FLAT)


def test_no_degree_of_freedom_leaves_the_dispersion_open():
    fit = pg.PenalizedGLM([1.0, 2.0], [[0.0], [1.0]]).fit(0.0)
    assert fit.dispersion() == fit.dispersion("deviance") == np.inf
    assert fit.dispersion("likelihood") == pytest.approx(0.0, abs=1e-20)


def test_an_unknown_method_is_refused():
    with pytest.raises(PenglmInputError, match="pearson") as caught:
        fitted("gamma").dispersion("moments")
    assert caught.value.argument == "method"
