"""Families and links derived from penglm's: what they change is what is fitted."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import penglm as pg
from penglm.families import (
    FAMILIES,
    Binomial,
    Family,
    Gaussian,
    Interval,
    Link,
    Log,
    Logit,
    Poisson,
    Power,
    Tweedie,
)

N = 500
rng = np.random.default_rng(7)
X = rng.normal(size=(N, 3))
MEAN = np.exp(0.6 + 0.5 * X[:, 0])
COUNTS = rng.poisson(MEAN).astype(float)
# Both sides of the size from which on compiled terms are used.
SIZES = [300, N]


class Halved:
    """Half the logarithm of the mean."""

    name = "halved"

    def __call__(self, mu):
        return 0.5 * np.log(mu)

    def inverse(self, eta):
        return np.exp(2.0 * eta)

    def inverse_deriv(self, eta):
        return 2.0 * np.exp(2.0 * eta)


class Derived(Halved, Log):
    """The same, derived from the logarithm."""


class Plain(Halved, Link):
    """The same, derived from nothing."""

    domain = Interval(0.0, np.inf)


class Nameless(Log):
    """A logarithm that has no name of its own."""

    __call__ = Halved.__call__
    inverse = Halved.inverse
    inverse_deriv = Halved.inverse_deriv


@pytest.mark.parametrize(
    "family", ["poisson", "gamma", "negative_binomial", "tweedie", "quasipoisson"]
)
@pytest.mark.parametrize("alpha", [0.0, 0.05])
def test_link_derived_from_another_is_the_one_that_is_fitted(family, alpha):
    y = COUNTS + 1.0
    plain = pg.PenalizedGLM(y, X, family, link=Plain()).fit(alpha, tol=1e-9)
    for link in (Derived(), Nameless()):
        fit = pg.PenalizedGLM(y, X, family, link=link).fit(alpha, tol=1e-9)
        assert_allclose(fit.params, plain.params, rtol=1e-7, atol=1e-9)
        assert str(fit.certificate).startswith("stationary")


def test_link_derived_from_the_logit_is_the_one_that_is_fitted():
    class Twice(Logit):
        name = "twice"

        def __call__(self, mu):
            return 2.0 * super().__call__(mu)

        def log_inverse(self, eta):
            return super().log_inverse(eta / 2.0)

        def log_complement(self, eta):
            return super().log_complement(eta / 2.0)

        def log_inverse_deriv(self, eta):
            return super().log_inverse_deriv(eta / 2.0) - np.log(2.0)

        def inverse(self, eta):
            return super().inverse(eta / 2.0)

    y = (COUNTS > 1.0).astype(float)
    fit = pg.PenalizedGLM(y, X, Binomial(Twice())).fit(0.0, tol=1e-9)
    logit = pg.PenalizedGLM(y, X, "binomial").fit(0.0, tol=1e-9)
    assert_allclose(fit.params, 2.0 * logit.params, rtol=1e-7)


def test_power_derived_from_another_claims_no_convexity():
    class Other(Power):
        def inverse(self, eta):
            return 2.0 * super().inverse(eta)

    assert Tweedie(Power(0.4)).is_convex
    assert not Tweedie(Other(0.4)).is_convex


class Huber(Gaussian):
    """Least squares, linear beyond one."""

    def unit_deviance(self, y, mu):
        size = np.abs(y - mu)
        return np.where(size < 1.0, size**2, 2.0 * size - 1.0)

    def working_terms(self, y, eta):
        residual = y - eta
        weight = np.where(np.abs(residual) < 1.0, 1.0, 1e-3)
        return 0.5 * self.unit_deviance(y, eta), np.clip(residual, -1.0, 1.0), weight


class Twofold(Poisson):
    """Twice the loss, by its variance and deviance."""

    def variance(self, mu):
        return 0.5 * super().variance(mu)

    def unit_deviance(self, y, mu):
        return 2.0 * super().unit_deviance(y, mu)


class TwofoldTerms(Poisson):
    """Twice the loss, by its deviance and its terms."""

    def unit_deviance(self, y, mu):
        return 2.0 * super().unit_deviance(y, mu)

    def working_terms(self, y, eta):
        return tuple(2.0 * part for part in super().working_terms(y, eta))


class TwofoldClasses(Binomial):
    """Twice the loss of two classes."""

    def variance(self, mu):
        return 0.5 * super().variance(mu)

    def unit_deviance(self, y, mu):
        return 2.0 * super().unit_deviance(y, mu)


@pytest.mark.parametrize("n", SIZES)
def test_loss_derived_from_least_squares_is_the_one_that_is_minimised(n):
    y = X[:n, 0] + rng.standard_t(1.5, n)
    fit = pg.PenalizedGLM(y, X[:n], Huber(), standardize=False).fit(0.05)
    assert fit.converged
    slope = X[:n].T @ np.clip(y - fit.linear_predictor, -1.0, 1.0) / n
    active = fit.support
    assert_allclose(slope[active], 0.05 * np.sign(fit.coef[active]), rtol=1e-5)
    assert np.abs(slope).max() <= 0.05 * (1.0 + 1e-5)
    assert fit.certificate.duality_gap < 1e-6


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize(
    ("kind", "known"),
    [(Twofold, Poisson), (TwofoldTerms, Poisson), (TwofoldClasses, Binomial)],
)
def test_twice_a_loss_is_the_loss_at_half_the_strength(kind, known, n):
    y = COUNTS[:n] if known is Poisson else (COUNTS[:n] > 1.0).astype(float)
    fit = pg.PenalizedGLM(y, X[:n], kind()).fit(0.1, tol=1e-9)
    expected = pg.PenalizedGLM(y, X[:n], known()).fit(0.05, tol=1e-9)
    assert fit.converged
    assert_allclose(fit.params, expected.params, rtol=1e-6, atol=1e-9)
    path = pg.PenalizedGLM(y, X[:n], kind()).fit_path(n_alphas=10)
    assert path.converged


def test_family_that_changes_no_term_keeps_the_kernels():
    class Counts(Poisson):
        name = "counts"
        convex_links = frozenset({"log"})

    assert Counts().row_kind == Poisson().row_kind
    for kind in FAMILIES.values():
        if kind.canonical_link is not None:
            family: Family = kind(kind.canonical_link())
            assert family.is_canonical


def test_family_that_claims_nothing_is_fitted_and_judged_stationary():
    class Silent(Family):
        name = "silent"
        default_link = Log
        y_range = mu_range = Interval(0.0, np.inf)
        fixed_dispersion = 1.0
        variance = staticmethod(np.square)

        def unit_deviance(self, y, mu):
            return 2.0 * ((y - mu) / mu - np.log(y / mu))

        def starting_mu(self, y, sample_weight):
            return 0.5 * (y + np.average(y, weights=sample_weight))

        def log_likelihood(self, y, mu, sample_weight, dispersion, freq_weights=None):
            return float(sample_weight @ (-np.log(mu) - y / mu))

    y = COUNTS + 1.0
    fit = pg.PenalizedGLM(y, X, Silent()).fit(0.05, tol=1e-9)
    assert str(fit.certificate).startswith("stationary")
    gamma = pg.PenalizedGLM(y, X, "gamma", link="log").fit(0.05, tol=1e-9)
    assert_allclose(fit.params, gamma.params, rtol=1e-6, atol=1e-9)
