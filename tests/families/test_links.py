"""Properties every link has, checked for each entry of the registry."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from penglm.exceptions import PenglmInputError
from penglm.families import (
    LINKS,
    CLogLog,
    LogC,
    LogLog,
    NBinomial,
    Power,
    ProbabilityLink,
)

LONG = np.longdouble
EPS = np.finfo(float).eps
# A few roundings, each amplified by the slope of the function it goes through.
ROUNDINGS = 32
# The sixth-order difference below, for functions of size one.
SLOPE = 1e-9
# The functions of SciPy that both sides are made of, good to some ten roundings.
SAME = 1e-13
N_ROWS = 100
SEEDS = st.integers(0, 2**32 - 1)

few = settings(max_examples=10)

ALL = [link() for name, link in LINKS.items() if name != "power"]
ALL += [Power(exponent) for exponent in (1.0, 3.0, 1 / 3, -2.0)]
ALL += [NBinomial(theta) for theta in (0.3, 40.0)]
PROBABILITIES = [link for link in ALL if isinstance(link, ProbabilityLink)]
DISTRIBUTIONS = [link for link in PROBABILITIES if not link.falls]

every_link = pytest.mark.parametrize("link", ALL, ids=repr)
every_probability = pytest.mark.parametrize("link", PROBABILITIES, ids=repr)
every_distribution = pytest.mark.parametrize("link", DISTRIBUTIONS, ids=repr)


def means(link, seed, reach=3.0):
    """Draw means (n,) of the link's domain, some near its ends for a long reach."""
    rng = np.random.default_rng(seed)
    if np.isinf(link.domain.low):
        return rng.normal(size=N_ROWS) * 10.0 ** rng.uniform(-reach, reach, N_ROWS)
    small = 10.0 ** -rng.uniform(0.01, reach, N_ROWS)
    if np.isinf(link.domain.high):
        return np.where(rng.uniform(size=N_ROWS) < 0.5, small, 1.0 / small)
    # Near one a mean has no more digits than this.
    near_one = 1.0 - np.maximum(small, 1e-10)
    return np.where(rng.uniform(size=N_ROWS) < 0.5, small, near_one)


@every_link
@few
@given(seed=SEEDS, reach=st.sampled_from([1.0, 3.0, 12.0, 100.0]))
def test_inverse_undoes_the_link(link, seed, reach):
    mu = means(link, seed, reach)
    eta = link(mu)
    # A rounding of eta moves mu by the slope there, of an exponent by the logarithm.
    moved = (1.0 + np.abs(eta)) * np.abs(link.inverse_deriv(eta))
    amplified = np.abs(mu) * (1.0 + np.abs(np.log(np.abs(mu))))
    error = ROUNDINGS * EPS * (moved + amplified)
    assert np.all(np.abs(link.inverse(eta) - mu) <= error)


@every_link
@few
@given(seed=SEEDS)
def test_inverse_deriv_is_the_derivative_of_the_inverse(link, seed):
    eta = link(means(link, seed, 1.0))
    h = 2.0**-8 * np.minimum(np.abs(eta), 1.0)
    weights = ((1, 3 / 4), (2, -3 / 20), (3, 1 / 60))
    slope = sum(
        w * (link.inverse(eta + k * h) - link.inverse(eta - k * h)) for k, w in weights
    )
    size = np.abs(link.inverse(eta))
    error = SLOPE * (np.abs(link.inverse_deriv(eta)) + size)
    assert np.all(np.abs(link.inverse_deriv(eta) - slope / h) <= error)


@every_link
@few
@given(seed=SEEDS)
def test_link_is_monotone_one_way_all_over(link, seed):
    mu = np.unique(means(link, seed, 12.0))
    steps = np.diff(link(mu))
    falls = link.exponent < 0.0 if isinstance(link, Power) else link == LogC()
    assert np.all(steps < 0.0 if falls else steps > 0.0)
    assert np.all((link.inverse_deriv(link(mu)) < 0.0) == falls)


@every_link
@few
@given(seed=SEEDS)
def test_link_leads_from_its_domain_to_its_range_and_back(link, seed):
    mu = means(link, seed, 12.0)
    assert link.domain.contains(mu).all()
    assert link.eta_range.contains(link(mu)).all()


@every_link
@pytest.mark.parametrize("size", [1e-3, 37.0, 745.0, 1e3, 1e9])
@pytest.mark.parametrize("way", [1.0, -1.0])
def test_inverse_of_any_predictor_is_a_mean_or_its_limit(link, size, way):
    eta = np.array([way * size])
    if not link.eta_range.contains(eta).all():
        return
    mu, deriv = link.inverse(eta), link.inverse_deriv(eta)
    assert link.domain.low <= mu[0] <= link.domain.high
    assert not np.isnan(deriv).any()


def upper_normal(x):
    """Return ``log(1 - Phi(x))`` for x > 0 by the continued fraction of Laplace."""
    below = LONG(x)
    for k in range(4000, 0, -1):
        below = x + k / below
    return -(x**2) / 2 - np.log(2 * LONG(np.pi)) / 2 - np.log(below)


def angle(x):
    """Return ``log(arctan(1 / x) / pi)`` for x > 0."""
    return np.log(np.arctan(1 / x) / (4 * np.arctan(LONG(1))))


def gumbel(x):
    """Return ``log(1 - exp(-exp(x)))`` by whichever form loses nothing."""
    rate = np.exp(x)
    large = np.log1p(-np.exp(-np.maximum(rate, 0.5)))
    return np.where(rate > 0.5, large, np.log(-np.expm1(-rate)))


# Logarithms of mean and complement of means below and above the middle, in extended
# precision and by other expressions than the package uses.
LOG_SMALL = {
    "logit": lambda x: -x - np.log1p(np.exp(-x)),
    "probit": upper_normal,
    "cauchy": angle,
}
X = LONG(2.0) ** np.arange(0, 8, 0.5)


def far(name, x):
    """Return ``log F(-x)``, ``log F(x)`` and the complements of both, in turn."""
    if name == "cloglog":
        return gumbel(-x), gumbel(x), -np.exp(-x), -np.exp(x)
    if name == "loglog":
        return -np.exp(x), -np.exp(-x), gumbel(x), gumbel(-x)
    small = LOG_SMALL[name](x)
    near_one = np.log1p(-np.exp(small))
    return small, near_one, near_one, small


@every_distribution
def test_logarithms_are_accurate_in_both_tails(link):
    eta = X.astype(float)
    found = (
        link.log_inverse(-eta), link.log_inverse(eta),
        link.log_complement(-eta), link.log_complement(eta),
    )  # fmt: skip
    for values, exact in zip(found, far(link.name, LONG(eta)), strict=True):
        # A logarithm next to zero counts beside terms of size one only.
        error = ROUNDINGS * EPS * np.maximum(np.abs(exact), 1)
        assert np.all(np.abs(values - exact) <= error)


def test_logarithms_of_the_complementary_log_are_accurate():
    # Four roundings short of one and of zero, and all between.
    eta = -(LONG(2.0) ** np.arange(-50, 6))
    found = LogC().log_inverse(eta.astype(float)).astype(LONG)
    exact = np.where(eta < -0.7, np.log1p(-np.exp(eta)), np.log(-np.expm1(eta)))
    assert np.all(np.abs(found - exact) <= ROUNDINGS * EPS * np.abs(exact))
    assert_array_equal(LogC().log_complement(eta), eta)


def test_canonical_link_of_the_negative_binomial_keeps_its_digits():
    mu = LONG(10.0) ** np.arange(-300, 300, 7)
    for theta in (1e-3, 1.0, 1e5):
        link, eta = NBinomial(theta), np.log1p(theta / mu).astype(float)
        assert_allclose(link(mu.astype(float)), -eta, rtol=SAME)
        assert_allclose(link.inverse(-eta), mu.astype(float), rtol=ROUNDINGS * SAME)


def test_logarithm_next_to_zero_keeps_its_digits():
    x = np.array([0.5, 1.0, 2.0, 3.0, 4.0, 6.0])
    exact = gumbel(LONG(x)).astype(float)
    assert_allclose(CLogLog().log_inverse(x), exact, rtol=SAME)
    assert_allclose(LogLog().log_complement(-x), exact, rtol=SAME)


@every_probability
@few
@given(seed=SEEDS)
def test_logarithms_belong_to_mean_complement_and_slope(link, seed):
    eta = np.random.default_rng(seed).uniform(-3.0, 3.0, N_ROWS)
    eta = eta[link.eta_range.contains(eta)]
    mu = link.inverse(eta)
    assert_allclose(np.exp(link.log_inverse(eta)), mu, rtol=SAME)
    assert_allclose(np.exp(link.log_complement(eta)), 1.0 - mu, rtol=SAME, atol=EPS)
    assert_allclose(
        np.exp(link.log_inverse_deriv(eta)),
        np.abs(link.inverse_deriv(eta)),
        rtol=SAME,
    )


@every_probability
def test_logarithm_of_the_slope_is_that_of_the_mean_far_out(link):
    # log F' = log F + log(F' / F), the ratio found by a difference of log F.
    eta = -np.array([1.0, 2.0, 4.0, 6.0])
    h = 2.0**-10
    weights = ((1, 3 / 4), (2, -3 / 20), (3, 1 / 60))
    log = link.log_inverse
    ratio = sum(w * (log(eta + k * h) - log(eta - k * h)) for k, w in weights) / h
    found = link.log_inverse_deriv(eta)
    assert_allclose(found, log(eta) + np.log(np.abs(ratio)), rtol=SLOPE)


def peer(link):
    """Return the link of statsmodels of the same name."""
    kind = type(link).__name__
    if kind == "Power":
        return sm.families.links.Power(power=link.exponent)
    if kind == "NBinomial":
        return sm.families.links.NegativeBinomial(alpha=1.0 / link.theta)
    return getattr(sm.families.links, "InversePower" if kind == "Inverse" else kind)()


@every_link
@few
@given(seed=SEEDS)
def test_link_is_that_of_statsmodels(link, seed):
    mu, other = means(link, seed, 2.0), peer(link)
    eta = link(mu)
    # Both round mu - 1/2 or 1 - mu, in different places.
    assert_allclose(eta, other(mu), rtol=100 * SAME, atol=SAME)
    assert_allclose(link.inverse(eta), other.inverse(eta), rtol=100 * SAME)
    deriv = other.inverse_deriv(eta)
    assert_allclose(link.inverse_deriv(eta), deriv, rtol=100 * SAME)


@pytest.mark.parametrize("exponent", [0.0, np.inf, -np.inf, np.nan])
def test_power_without_an_inverse_is_refused(exponent):
    with pytest.raises(PenglmInputError, match="needs a finite exponent") as caught:
        Power(exponent)
    assert caught.value.argument == "exponent"


@pytest.mark.parametrize("theta", [0.0, -1.0, np.inf, np.nan])
def test_canonical_link_of_no_negative_binomial_is_refused(theta):
    with pytest.raises(PenglmInputError, match="needs a positive number") as caught:
        NBinomial(theta)
    assert caught.value.argument == "theta"


def test_links_are_equal_when_they_are_the_same_function():
    for link in ALL:
        twin = type(link)(**link.parameters)
        assert link == twin
        assert hash(link) == hash(twin)
        assert [other for other in ALL if other == link] == [link]


@pytest.mark.parametrize("exponent", [1 / 3 + 1e-12, 0.333333])
def test_powers_of_different_exponents_are_different_links(exponent):
    assert Power(1 / 3) != Power(exponent)
