"""Counts that vary more than Poisson's."""

from typing import Any

import numpy as np
from scipy.special import betainc, betaincc, expit, gammaln, xlogy

from penglm._typing import Vector
from penglm.exceptions import NoFiniteSolutionError, PenglmInputError
from penglm.families.base import ESTIMATE, Family, Link, Shares
from penglm.families.counts import whole
from penglm.families.derived import has_terms
from penglm.families.interval import Interval
from penglm.families.links import CLogLog, Log, NBinomial
from penglm.likelihood import argmax

# Spread beyond Poisson's, as a share of it, below which there is none.
LEAST_SPREAD = 1e-4
# Logarithm of the spread, far above any that counts in double precision have.
MOST_SPREAD = 40.0
# From here on four terms of Stirling's series leave less than a rounding.
SERIES_FROM = 20.0


class NegativeBinomial(Family):
    """Counts of a Poisson whose rate varies by a gamma distribution.

    Parameters
    ----------
    link : Link, default Log()
    theta : float or "estimate", default 1.0
        Shape of that distribution; the larger, the nearer to Poisson. statsmodels'
        ``alpha`` is its inverse. ``"estimate"`` finds the likeliest along with a fit.

    Raises
    ------
    PenglmInputError
        If ``theta`` is neither a positive number nor ``"estimate"``.

    Notes
    -----
    ``V(mu) = mu + mu^2 / theta``, and the unit deviance is
    ``d(y, mu) = 2 (y log(y / mu) - (y + theta) log((y + theta) / (mu + theta)))``.

    Canonical is ``NBinomial(theta)`` with the same ``theta``. With ``CLogLog()``, which
    is here as statsmodels has it, means are below 1.

    References
    ----------
    Hilbe (2011), Negative Binomial Regression, 2nd ed., section 8.2.
    """

    name = "negative_binomial"
    default_link = Log
    canonical_link = NBinomial
    y_range = Interval(0.0, np.inf, low_closed=True)
    mu_range = Interval(0.0, np.inf)
    fixed_dispersion = 1.0
    convex_links = frozenset({"log"})

    def __init__(self, link: Link | None = None, theta: float | str = 1.0) -> None:
        super().__init__(link)
        if theta == ESTIMATE:
            self.unknown, self.theta = "theta", float("nan")
            return
        if isinstance(theta, str) or not (np.isfinite(theta) and theta > 0.0):
            raise PenglmInputError(
                f"theta = {theta}; it must be a positive number, or 'estimate'. For "
                "counts without more variance than their mean use the Poisson family.",
                argument="theta",
            )
        self.theta = float(theta)

    def accepts(self, link: Link) -> bool:
        return isinstance(link, CLogLog) or super().accepts(link)

    @property
    def is_canonical(self) -> bool:
        same_theta = self.link.parameters.get("theta") == self.theta
        return same_theta and super().is_canonical

    @property
    def is_convex(self) -> bool:
        return self.is_canonical or super().is_convex

    @property
    def parameters(self) -> dict[str, float]:
        return {"theta": self.theta}

    def known(
        self,
        y: Vector,
        mu: Vector,
        sample_weight: Vector,
        freq_weights: Vector | None = None,
    ) -> Family:
        # The slope of the likelihood in 1 / theta where that is 0, which is Poisson.
        excess = float(sample_weight @ (np.square(y - mu) - y))
        expected = float(sample_weight @ mu)
        if not excess > LEAST_SPREAD * expected:
            raise NoFiniteSolutionError(
                "the counts vary no more than their means, so the likeliest theta is "
                "infinite: the family is Poisson's. Use family='poisson'.",
                argument="theta",
            )
        typical = float(sample_weight @ np.square(mu)) / expected

        def spreading(spread: float) -> NegativeBinomial:
            # The variance of a typical row is exp(spread) times Poisson's. In this
            # measure a likelihood bends as much near Poisson as far from it.
            return NegativeBinomial(self.link, typical / float(np.expm1(spread)))

        def log_likelihood(spread: float) -> float:
            return spreading(spread).log_likelihood(y, mu, sample_weight, 1.0)

        return spreading(argmax(log_likelihood, 0.1 * LEAST_SPREAD, MOST_SPREAD))

    def variance(self, mu: Vector) -> Vector:
        return mu * (1.0 + mu / self.theta)

    def unit_deviance(self, y: Vector, mu: Vector) -> Vector:
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            lost = (y + self.theta) * np.log1p((y - mu) / (mu + self.theta))
            return 2.0 * (xlogy(y, y) - xlogy(y, mu) - lost)

    def starting_mu(self, y: Vector, sample_weight: Vector) -> Vector:
        # As for Poisson: eta stays finite where y == 0.
        mu = 0.5 * (y + (float(np.average(y, weights=sample_weight)) or 1.0))
        top = self.link.domain.high
        return mu if np.isinf(top) else top * mu / (top + mu)

    def working_terms(self, y: Vector, eta: Vector) -> tuple[Vector, Vector, Vector]:
        if not has_terms(type(self), NegativeBinomial):
            return super().working_terms(y, eta)
        t, known = self.theta, np.log(self.theta)
        if type(self.link) is Log:
            with np.errstate(over="ignore"):
                mu = np.exp(eta)
            # mu / (1 + mu / theta), which stays a number where mu does not.
            rate, share = t * expit(eta - known), expit(known - eta)
            loss = self.loss(y, mu, eta, np.logaddexp(eta, known))
            return loss, y * share - rate, rate
        if type(self.link) is not NBinomial or self.link.theta != t:
            return super().working_terms(y, eta)
        valid = self.admits(eta)
        inside = np.where(valid, eta, -1.0)
        mu = self.link.inverse(inside)
        # The share of theta in mu + theta.
        log_share = np.log(-np.expm1(inside))
        loss = self.loss(y, mu, known + inside - log_share, known - log_share)
        return (
            np.where(valid, loss, np.inf),
            np.where(valid, y - mu, 0.0),
            np.where(valid, self.variance(mu), 0.0),
        )

    def loss(self, y: Vector, mu: Vector, log_mu: Vector, log_total: Vector) -> Vector:
        """Return half the unit deviance (n,), also where ``mu`` is 0 or inf in doubles.

        ``log_total`` is the logarithm of ``mu + theta``.
        """
        t = self.theta
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            near = np.log1p((y - mu) / (mu + t))
        # Far above the response the quotient rounds to -1, and nothing cancels.
        is_near = mu + t < 2.0 * (y + t)
        lost = np.where(is_near, near, np.log(y + t) - log_total)
        return np.maximum(xlogy(y, y) - y * log_mu - (y + t) * lost, 0.0)

    def conjugate(
        self, y: Vector, dual: Vector, near: Vector | None = None
    ) -> Vector | None:
        if not self.is_canonical:
            return super().conjugate(y, dual, near)
        mu, total = np.maximum(y + dual, 0.0), y + self.theta
        # The logarithm of the new total over the old one, of which little is left where
        # theta is large.
        lost = (mu + self.theta) * np.log1p((mu - y) / total)
        value = xlogy(mu, mu) - xlogy(y, y) - lost - dual * np.log(total)
        return np.where(y + dual >= 0.0, value, np.inf)

    def cumulative(
        self, y: Vector, mu: Vector, precision: Vector, dispersion: float
    ) -> Shares:
        # The sum of as many independent counts as the precision says.
        k, t = whole(y, precision, self.name), self.theta * precision
        mean, share = precision * mu, mu / (self.theta + mu)
        mass = np.exp(log_mass(k, mean, t))
        below = np.where(k > 0.0, betaincc(np.maximum(k, 1.0), t, share), 0.0)
        above: Vector = np.asarray(betainc(k + 1.0, t, share), dtype=np.float64)
        return below, mass, above

    def log_likelihood(
        self,
        y: Vector,
        mu: Vector,
        sample_weight: Vector,
        dispersion: float,
        freq_weights: Vector | None = None,
    ) -> float:
        return float(sample_weight @ log_mass(y, mu, self.theta))


def log_mass(y: Vector, mu: Vector, t: float | Vector) -> Vector:
    """Return the logarithm of ``P(Y = y)`` (n,) of counts with mean ``mu``."""
    rows: Vector = xlogy(y, mu) - (y + t) * np.log1p(mu / t)
    return rows + log_rising(y, t) - gammaln(y + 1.0)


def log_rising(y: Vector, t: float | Vector) -> Vector:
    """Return ``log(Gamma(y + t) / Gamma(t)) - y log(t)`` (n,), 0 as ``t`` grows.

    Two log-gammas of large numbers have no digits left for their difference, which
    Stirling's series gives term by term.
    """
    is_small = np.asarray(t < SERIES_FROM)
    near: Vector = gammaln(y + t) - gammaln(t) - y * np.log(t)
    if is_small.all():
        return near
    far = (y + t - 0.5) * np.log1p(y / t) - y + stirling(y + t) - stirling(t)
    return np.where(is_small, near, far)


def stirling(z: Any) -> Any:
    """Return ``log Gamma(z) - (z - 1/2) log(z) + z - log(2 pi) / 2`` of large ``z``.

    References
    ----------
    NIST Digital Library of Mathematical Functions, 5.11.1.
    """
    square = 1.0 / (z * z)
    return (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square / 1680))) / z
