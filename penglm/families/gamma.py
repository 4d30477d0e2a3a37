"""Positive responses with a constant coefficient of variation."""

import numpy as np
from scipy.special import gammainc, gammaincc, gammaln

from penglm._typing import Vector
from penglm.families.base import Family, Shares
from penglm.families.derived import has_terms
from penglm.families.interval import Interval
from penglm.families.links import Inverse, Log


class Gamma(Family):
    """Positive responses whose standard deviation follows the mean, ``V(mu) = mu^2``.

    Parameters
    ----------
    link : Link, default Inverse()
        The canonical one. With ``Log()`` effects multiply and every linear predictor
        has a mean.

    Notes
    -----
    Unit deviance ``d(y, mu) = 2 ((y - mu) / mu - log(y / mu))``.

    References
    ----------
    McCullagh and Nelder (1989), Generalized Linear Models, 2nd ed., table 2.1.
    """

    name = "gamma"
    default_link = canonical_link = Inverse
    y_range = Interval(0.0, np.inf)
    mu_range = Interval(0.0, np.inf)
    fixed_dispersion = None
    # With nbinomial, 1 / mu and log mu are convex, of which the half-deviance is made.
    convex_links = frozenset({"inverse", "log", "nbinomial"})

    def variance(self, mu: Vector) -> Vector:
        return np.square(mu)

    def unit_deviance(self, y: Vector, mu: Vector) -> Vector:
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            apart = (y - mu) / mu
            return 2.0 * (apart - np.log1p(apart))

    def starting_mu(self, y: Vector, sample_weight: Vector) -> Vector:
        return 0.5 * (y + float(np.average(y, weights=sample_weight)))

    def working_terms(self, y: Vector, eta: Vector) -> tuple[Vector, Vector, Vector]:
        if type(self.link) is not Log or not has_terms(type(self), Gamma):
            return super().working_terms(y, eta)
        with np.errstate(divide="ignore", over="ignore"):
            apart = np.log(y) - eta
            excess = np.expm1(apart)
            loss = np.maximum(excess - apart, 0.0)
        inside = np.isfinite(loss)
        return loss, np.where(inside, excess, 0.0), np.where(inside, 1.0, 0.0)

    def conjugate(
        self, y: Vector, dual: Vector, near: Vector | None = None
    ) -> Vector | None:
        if not self.is_canonical:
            return super().conjugate(y, dual, near)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(dual < y, -np.log1p(-dual / y), np.inf)

    def cumulative(
        self, y: Vector, mu: Vector, precision: Vector, dispersion: float
    ) -> Shares:
        shape = precision / dispersion
        at = shape * y / mu
        return gammainc(shape, at), np.zeros_like(at), gammaincc(shape, at)

    def log_likelihood(
        self,
        y: Vector,
        mu: Vector,
        sample_weight: Vector,
        dispersion: float,
        freq_weights: Vector | None = None,
    ) -> float:
        counts = sample_weight if freq_weights is None else freq_weights
        shape = sample_weight / counts / dispersion
        ratio = shape * y / mu
        rows = shape * np.log(ratio) - ratio - gammaln(shape) - np.log(y)
        return float(counts @ rows)
