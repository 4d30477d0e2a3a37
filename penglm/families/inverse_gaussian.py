"""Positive responses with a long tail: first passage times."""

import numpy as np

from penglm._typing import Vector
from penglm.families.base import Family, Shares
from penglm.families.interval import Interval
from penglm.families.links import InverseSquared


class InverseGaussian(Family):
    """Positive responses whose variance grows with the cube of the mean.

    Parameters
    ----------
    link : Link, default InverseSquared()
        The canonical one. With ``Log()`` the loss is not convex in the linear
        predictor: a certificate then proves a stationary point.

    Notes
    -----
    ``V(mu) = mu^3``, unit deviance ``d(y, mu) = (y - mu)^2 / (y mu^2)``.

    References
    ----------
    McCullagh and Nelder (1989), Generalized Linear Models, 2nd ed., table 2.1.
    """

    name = "inverse_gaussian"
    default_link = canonical_link = InverseSquared
    y_range = Interval(0.0, np.inf)
    mu_range = Interval(0.0, np.inf)
    fixed_dispersion = None
    convex_links = frozenset({"inverse_squared", "inverse"})

    def variance(self, mu: Vector) -> Vector:
        with np.errstate(over="ignore"):
            return mu**3

    def unit_deviance(self, y: Vector, mu: Vector) -> Vector:
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            return np.square((y - mu) / mu) / y

    def starting_mu(self, y: Vector, sample_weight: Vector) -> Vector:
        return 0.5 * (y + float(np.average(y, weights=sample_weight)))

    def conjugate(
        self, y: Vector, dual: Vector, near: Vector | None = None
    ) -> Vector | None:
        if not self.is_canonical:
            return super().conjugate(y, dual, near)
        rest = 0.5 * y - dual
        with np.errstate(divide="ignore"):
            return np.where(rest > 0.0, 0.25 / rest - 0.5 / y, np.inf)

    def cumulative(
        self, y: Vector, mu: Vector, precision: Vector, dispersion: float
    ) -> Shares:
        from scipy.stats import invgauss

        # scipy's has shape 1: its mean is in units of the precision.
        size = precision / dispersion
        known = invgauss(mu / size, scale=size)
        return known.cdf(y), np.zeros_like(y), known.sf(y)

    def log_likelihood(
        self,
        y: Vector,
        mu: Vector,
        sample_weight: Vector,
        dispersion: float,
        freq_weights: Vector | None = None,
    ) -> float:
        counts = sample_weight if freq_weights is None else freq_weights
        own = dispersion * counts / sample_weight
        rows = self.unit_deviance(y, mu) / own + np.log(2.0 * np.pi * own * y**3)
        return float(-0.5 * (counts @ rows))
