"""Real responses with constant variance."""

import numpy as np
from scipy.special import ndtr

from penglm._typing import Vector
from penglm.families.base import Family, Shares
from penglm.families.derived import has_terms
from penglm.families.interval import Interval
from penglm.families.links import Identity


class Gaussian(Family):
    """Responses whose variance does not depend on the mean, ``V(mu) = 1``.

    Parameters
    ----------
    link : Link, default Identity()
        With the default the model is penalised least squares.

    Notes
    -----
    Unit deviance ``d(y, mu) = (y - mu)^2``.

    References
    ----------
    McCullagh and Nelder (1989), Generalized Linear Models, 2nd ed., table 2.1.
    """

    name = "gaussian"
    default_link = canonical_link = Identity
    y_range = Interval(-np.inf, np.inf)
    mu_range = Interval(-np.inf, np.inf)
    fixed_dispersion = None
    convex_links = frozenset({"identity"})

    @property
    def row_kind(self) -> int | None:
        return 0 if self.is_canonical else None

    def variance(self, mu: Vector) -> Vector:
        return np.ones_like(mu)

    def unit_deviance(self, y: Vector, mu: Vector) -> Vector:
        return np.square(y - mu)

    def starting_mu(self, y: Vector, sample_weight: Vector) -> Vector:
        if self.link.domain.low == -np.inf:
            return y
        size = float(np.average(np.abs(y), weights=sample_weight)) or 1.0
        # A link for positive means starts at the size of the data, whatever its sign.
        return np.where(y > 0.0, y, size)

    def working_terms(self, y: Vector, eta: Vector) -> tuple[Vector, Vector, Vector]:
        if type(self.link) is not Identity or not has_terms(type(self), Gaussian):
            return super().working_terms(y, eta)
        residual = y - eta
        return 0.5 * residual**2, residual, np.ones_like(eta)

    def conjugate(
        self, y: Vector, dual: Vector, near: Vector | None = None
    ) -> Vector | None:
        if not self.is_canonical:
            return super().conjugate(y, dual, near)
        return dual * (y + 0.5 * dual)

    def cumulative(
        self, y: Vector, mu: Vector, precision: Vector, dispersion: float
    ) -> Shares:
        z = (y - mu) / np.sqrt(dispersion / precision)
        return ndtr(z), np.zeros_like(z), ndtr(-z)

    def log_likelihood(
        self,
        y: Vector,
        mu: Vector,
        sample_weight: Vector,
        dispersion: float,
        freq_weights: Vector | None = None,
    ) -> float:
        counts = sample_weight if freq_weights is None else freq_weights
        variance = dispersion * counts / sample_weight
        rows = np.square(y - mu) / variance + np.log(2.0 * np.pi * variance)
        return float(-0.5 * (counts @ rows))
