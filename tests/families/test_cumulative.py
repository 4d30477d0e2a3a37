"""Probabilities of a smaller, an equal and a larger response."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import integrate, stats

import penglm as pg
from penglm.exceptions import PenglmInputError
from penglm.families import FAMILIES, Family, Gamma, Log, NegativeBinomial, Tweedie

# Distribution functions of scipy are good to about this.
PEER = 1e-10
DISPERSION = 0.7
QUASI = ("quasipoisson", "quasibinomial")
CONTINUOUS = ("gaussian", "gamma", "inverse_gaussian")
DISCRETE = ("binomial", "poisson", "negative_binomial")


def family_of(name):
    if name == "negative_binomial":
        return NegativeBinomial(theta=1.7)
    return FAMILIES[name]()


def cases(name, seed=0):
    """Return responses, means and weights (n,) with both tails among them."""
    rng = np.random.default_rng(seed)
    mu, weight = rng.uniform(0.2, 0.9, 40), rng.integers(1, 6, 40).astype(float)
    if name == "binomial":
        return rng.binomial(weight.astype(int), 0.5) / weight, mu, weight
    if name in DISCRETE:
        return rng.poisson(3.0 * weight * mu) / weight, 3.0 * mu, weight
    if name == "gaussian":
        return rng.normal(mu, 2.0), mu, weight
    y = np.exp(rng.normal(0.0, 1.0, 40))
    return (np.where(np.arange(40) % 4, y, 0.0) if name == "tweedie" else y), mu, weight


def scipys(name, y, mu, weight):
    """Return scipy's distribution of the response or count, and where to ask it."""
    own = DISPERSION / weight
    return {
        "gaussian": lambda: (stats.norm(mu, np.sqrt(own)), y),
        "gamma": lambda: (stats.gamma(1.0 / own, scale=mu * own), y),
        "inverse_gaussian": lambda: (stats.invgauss(mu * own, scale=1.0 / own), y),
        "poisson": lambda: (stats.poisson(weight * mu), np.rint(weight * y)),
        "binomial": lambda: (stats.binom(weight.astype(int), mu), np.rint(weight * y)),
        "negative_binomial": lambda: (
            stats.nbinom(1.7 * weight, 1.7 / (1.7 + mu)),
            np.rint(weight * y),
        ),
    }[name]()


@pytest.mark.parametrize("name", [*CONTINUOUS, *DISCRETE])
def test_shares_are_those_of_scipy(name):
    y, mu, weight = cases(name)
    below, at, above = family_of(name).cumulative(y, mu, weight, DISPERSION)
    known, where = scipys(name, y, mu, weight)
    if name in CONTINUOUS:
        assert_allclose(below, known.cdf(where), rtol=PEER)
        assert np.all(at == 0.0)
    else:
        assert_allclose(below, known.cdf(where - 1.0), rtol=PEER)
        assert_allclose(at, known.pmf(where), rtol=PEER)
    assert_allclose(above, known.sf(where), rtol=PEER)


@pytest.mark.parametrize("name", [*CONTINUOUS, *DISCRETE, "tweedie"])
def test_shares_add_up_to_one(name):
    y, mu, weight = cases(name)
    parts = np.array(family_of(name).cumulative(y, mu, weight, DISPERSION))
    assert np.all(parts >= 0.0)
    assert_allclose(parts.sum(axis=0), 1.0, rtol=PEER)


@pytest.mark.parametrize("name", DISCRETE)
def test_mass_is_the_likelihood(name):
    y, mu, weight = cases(name)
    family = family_of(name)
    weight = weight if name == "binomial" else np.ones_like(weight)
    y = y if name == "binomial" else np.rint(y)
    _, at, _ = family.cumulative(y, mu, weight, 1.0)
    for i in range(y.size):
        one = [v[i : i + 1] for v in (y, mu, weight)]
        split = np.exp(family.log_likelihood(*one, 1.0, np.ones(1)))
        assert at[i] == pytest.approx(split, rel=PEER)


@pytest.mark.parametrize("power", [1.1, 1.5, 1.9])
def test_tweedie_is_the_integral_of_its_density(power):
    family = Tweedie(power=power)
    ends, mu, weight = np.array([0.3, 2.5]), np.full(2, 1.3), np.full(2, 3.0)

    def density(y):
        one = (np.array([y]), mu[:1], weight[:1], DISPERSION, np.ones(1))
        return np.exp(family.log_likelihood(*one))

    expected, _ = integrate.quad(density, *ends, epsabs=0.0, epsrel=1e-11, limit=200)
    below, at, above = family.cumulative(ends, mu, weight, DISPERSION)
    assert np.all(at == 0.0)
    assert below[1] - below[0] == pytest.approx(expected, rel=1e-9)
    assert above[0] - above[1] == pytest.approx(expected, rel=1e-9)
    _, nothing, more = family.cumulative(np.zeros(2), mu, weight, DISPERSION)
    own = DISPERSION / 3.0
    assert_allclose(nothing, np.exp(-(1.3 ** (2 - power)) / ((2 - power) * own)))
    assert_allclose(nothing + more, 1.0, rtol=1e-15)


def test_tweedie_tails_keep_their_digits():
    family, y = Tweedie(power=1.5), np.array([1e-3, 80.0, 200.0])
    mu, one = np.full(3, 2.0), np.ones(3)
    below, _, above = family.cumulative(y, mu, one, 0.5)
    rate, scale = 2.0**0.5 / 0.25, 0.25 * 2.0**0.5
    counts = np.arange(1, 4000)
    for i, at in enumerate(y):
        mass = stats.poisson.pmf(counts, rate)
        lower = mass @ stats.gamma.cdf(at, counts, scale=scale) + np.exp(-rate)
        upper = mass @ stats.gamma.sf(at, counts, scale=scale)
        assert below[i] == pytest.approx(lower, rel=1e-10)
        assert above[i] == pytest.approx(upper, rel=1e-10)
    assert 0.0 < above[2] < 1e-30


@pytest.mark.parametrize("name", ["gaussian", "poisson", "negative_binomial", "gamma"])
def test_far_tails_are_not_lost(name):
    mu, one = np.ones(2), np.ones(2)
    y = np.array([1.0, 10.0 if name == "gaussian" else 60.0])
    _, _, above = family_of(name).cumulative(y, mu, one, DISPERSION)
    known, where = scipys(name, y, mu, one)
    assert 0.0 < above[1] < 1e-14
    assert above[1] == pytest.approx(known.sf(where)[1], rel=1e-8)


@pytest.mark.parametrize("theta", [1e6, 1e14])
def test_negative_binomial_without_spread_is_poisson(theta):
    y, mu = np.arange(12.0), np.full(12, 3.5)
    ours = NegativeBinomial(theta=theta).cumulative(y, mu, np.ones(12), 1.0)
    poisson = FAMILIES["poisson"]().cumulative(y, mu, np.ones(12), 1.0)
    for one, other in zip(ours, poisson, strict=True):
        # They differ by mu^2 / theta, times the square of the response at most.
        assert_allclose(one, other, rtol=max(400.0 / theta, PEER))


@pytest.mark.parametrize("name", QUASI)
def test_a_quasi_likelihood_refuses_with_its_reason(name):
    y, mu, weight = np.ones(2), np.full(2, 0.5), np.ones(2)
    with pytest.raises(PenglmInputError, match="nothing about a distribution"):
        FAMILIES[name]().cumulative(y, mu, weight, 1.0)


def test_every_family_gives_shares_or_refuses():
    assert {*CONTINUOUS, *DISCRETE, *QUASI, "tweedie"} == set(FAMILIES)


def test_a_share_of_a_count_is_refused_by_row():
    y, one = np.array([1.0, 2.5]), np.ones(2)
    with pytest.raises(PenglmInputError, match=r"row 1 of the fit has y = 2\.5"):
        FAMILIES["poisson"]().cumulative(y, one, one, 1.0)


def test_a_family_of_ones_own_may_leave_them_out():
    class Exponential(Gamma):
        name = "exponential"
        fixed_dispersion = 1.0
        cumulative = Family.cumulative

    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 2))
    fit = pg.PenalizedGLM(rng.exponential(size=40), X, Exponential(Log())).fit(0.1)
    with pytest.raises(PenglmInputError, match="'exponential' does not say"):
        fit.resid_quantile()
