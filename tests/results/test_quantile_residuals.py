"""Quantile residuals are standard normal under the model that made the data."""

import numpy as np
import pytest
from scipy import stats

import penglm as pg
from penglm.exceptions import PenglmInputError
from penglm.families import NegativeBinomial, Tweedie

N = 1500
# Residuals of true models are rejected once in a hundred runs of all 28 tests made
# here, those of wrong ones surely.
RARE, SURE = 0.01 / 28, 1e-6


def compound(rng, mu, own, power):
    """Draw Tweedie responses (n,): a Poisson number of gamma amounts."""
    counts = rng.poisson(mu ** (2 - power) / ((2 - power) * own))
    shape = (2 - power) / (power - 1)
    scale = (power - 1) * own * mu ** (power - 1)
    return np.where(counts > 0, rng.gamma(np.maximum(counts, 1) * shape, scale), 0.0)


def drawn(name, seed=1):
    """Return a true family with data (y, X, weights) that it made."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N, 2))
    eta = 0.3 + 0.5 * X[:, 0] - 0.3 * X[:, 1]
    weight = rng.choice([1.0, 2.0, 12.0], N)
    mu, own = np.exp(eta), 0.8 / weight
    rate = 1.0 / (1.0 + np.exp(-eta))
    t = 1.5
    return {
        "gaussian": lambda: ("gaussian", eta + rng.normal(size=N) * np.sqrt(own)),
        "gamma": lambda: (pg.families.Gamma(pg.families.Log()),
                          rng.gamma(1.0 / own, mu * own)),
        "inverse_gaussian": lambda: (
            pg.families.InverseGaussian(pg.families.Log()),
            rng.wald(mu, 1.0 / own)),
        "tweedie": lambda: (Tweedie(power=1.6), compound(rng, mu, own, 1.6)),
        "poisson": lambda: ("poisson", rng.poisson(weight * mu) / weight),
        "binomial": lambda: ("binomial", rng.binomial(weight.astype(int), rate)
                             / weight),
        "negative_binomial": lambda: (
            NegativeBinomial(theta=t),
            rng.negative_binomial(t * weight, t / (t + mu)) / weight),
    }[name](), X, weight  # fmt: skip


NAMES = ["gaussian", "gamma", "inverse_gaussian", "tweedie", "poisson", "binomial",
         "negative_binomial"]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_true_model_leaves_normal_residuals(name):
    (family, y), X, weight = drawn(name)
    fit = pg.PenalizedGLM(y, X, family, var_weights=weight).fit(0.0)
    residual = fit.resid_quantile(seed=3)
    assert stats.kstest(residual, "norm").pvalue > RARE
    for value in np.unique(weight):
        assert stats.kstest(residual[weight == value], "norm").pvalue > RARE


@pytest.mark.parametrize("name", ["gaussian", "gamma", "inverse_gaussian", "tweedie"])
def test_weights_forgotten_are_seen(name):
    (family, y), X, weight = drawn(name)
    residual = pg.PenalizedGLM(y, X, family).fit(0.0).resid_quantile()
    spread = [residual[weight == value].std() for value in (1.0, 12.0)]
    assert spread[0] > 2.0 * spread[1]


def test_wrong_family_is_seen():
    (_, y), X, _ = drawn("negative_binomial")
    rng = np.random.default_rng(5)
    mu = np.exp(0.3 + 0.5 * X[:, 0])
    y = rng.negative_binomial(0.7, 0.7 / (0.7 + mu))
    residual = pg.PenalizedGLM(y, X, "poisson").fit(0.0).resid_quantile()
    assert stats.kstest(residual, "norm").pvalue < SURE


def test_least_squares_has_its_residuals_over_their_deviation():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 2))
    y, weight = X[:, 0] + rng.normal(size=60), rng.uniform(0.5, 4.0, 60)
    fit = pg.PenalizedGLM(y, X, var_weights=weight).fit(0.1)
    wanted = (y - fit.fittedvalues) / np.sqrt(fit.scale / weight)
    np.testing.assert_allclose(fit.resid_quantile(), wanted, rtol=1e-9)


def test_the_seed_alone_decides_the_draws():
    (family, y), X, weight = drawn("poisson")
    fit = pg.PenalizedGLM(y, X, family, var_weights=weight).fit(0.1)
    np.testing.assert_array_equal(fit.resid_quantile(4), fit.resid_quantile(4))
    one, other = fit.resid_quantile(4), fit.resid_quantile(5)
    assert np.any(one != other)
    below, at, _ = fit.spec.family.cumulative(y, fit.fittedvalues, weight, 1.0)
    inside = stats.norm.cdf(one)
    assert np.all(inside >= below * (1 - 1e-9))
    assert np.all(inside <= (below + at) * (1 + 1e-9))


def test_rows_of_weight_zero_are_zero_and_counts_of_rows_one_each():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 2))
    y = rng.poisson(np.exp(0.3 * X[:, 0]))
    counts = rng.integers(0, 4, 50)
    fit = pg.PenalizedGLM(y, X, "poisson", freq_weights=counts).fit(0.05)
    residual = fit.resid_quantile()
    assert np.all(residual[counts == 0] == 0.0)
    below, at, _ = fit.spec.family.cumulative(
        y.astype(float), fit.fittedvalues, np.ones(50), 1.0
    )
    inside = stats.norm.cdf(residual[counts > 0])
    assert np.all(inside >= below[counts > 0] * (1 - 1e-9))
    assert np.all(inside <= (below + at)[counts > 0] * (1 + 1e-9))


def test_impossible_responses_stay_finite():
    X = np.linspace(-1.0, 1.0, 40)[:, None]
    y = np.ones(40)
    y[7] = 1e4
    fit = pg.PenalizedGLM(y, X, "poisson").fit(1e4)
    assert np.all(np.isfinite(fit.resid_quantile()))
    assert fit.resid_quantile()[7] > 37.0


def test_refused_without_a_distribution():
    X = np.random.default_rng(0).normal(size=(30, 2))
    fit = pg.PenalizedGLM(np.abs(X[:, 0]), X, "quasipoisson").fit(0.1)
    with pytest.raises(PenglmInputError, match="resid_pearson"):
        fit.resid_quantile()
    fit = pg.PenalizedGLM(2.0 * X[:, 0], X).fit(0.0)
    if fit.scale == 0.0:
        with pytest.raises(PenglmInputError, match="dispersion"):
            fit.resid_quantile()
    wide = pg.PenalizedGLM(X[:2, 0], X[:2]).fit(0.0001)
    with pytest.raises(PenglmInputError, match="dispersion of this fit is inf"):
        wide.resid_quantile()
