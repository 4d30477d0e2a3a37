"""Poisson counts and rates."""

from typing import ClassVar

import numpy as np
from scipy.special import gammaln, pdtr, pdtrc, xlogy

from penglm._typing import Vector
from penglm.families.base import Family, Shares
from penglm.families.counts import whole
from penglm.families.derived import has_terms
from penglm.families.interval import Interval
from penglm.families.links import Log


class Poisson(Family):
    """Counts whose variance equals their mean, ``V(mu) = mu``.

    Parameters
    ----------
    link : Link, default Log()
        Canonical with the default: expected and observed information coincide.

    Notes
    -----
    Unit deviance ``d(y, mu) = 2 (y log(y / mu) - (y - mu))``, with ``0 log 0 = 0``.
    Non-integer ``y`` is allowed: rates with an exposure as weight are fitted this way.

    References
    ----------
    McCullagh and Nelder (1989), Generalized Linear Models, 2nd ed., table 2.1.
    """

    name = "poisson"
    default_link = canonical_link = Log
    y_range = Interval(0.0, np.inf, low_closed=True)
    mu_range = Interval(0.0, np.inf)
    fixed_dispersion: ClassVar[float | None] = 1.0
    convex_links = frozenset({"log", "identity", "sqrt"})

    @property
    def row_kind(self) -> int | None:
        return 2 if self.is_canonical else None

    def variance(self, mu: Vector) -> Vector:
        return mu

    def unit_deviance(self, y: Vector, mu: Vector) -> Vector:
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            # A count of 0 costs its mean, also where that is 0.
            share = np.where(y > 0.0, y / mu, 1.0)
            return 2.0 * (xlogy(y, share) - (y - mu))

    def starting_mu(self, y: Vector, sample_weight: Vector) -> Vector:
        # Halfway to the mean keeps eta finite where y == 0; a mean of 0 has no eta.
        return 0.5 * (y + (float(np.average(y, weights=sample_weight)) or 1.0))

    def working_terms(self, y: Vector, eta: Vector) -> tuple[Vector, Vector, Vector]:
        if type(self.link) is not Log or not has_terms(type(self), Poisson):
            return super().working_terms(y, eta)
        compiled = self.compiled_terms(y, eta)
        if compiled is not None:
            return compiled
        with np.errstate(over="ignore", invalid="ignore"):
            mu = np.exp(eta)
            loss = mu - y + xlogy(y, y) - y * eta
        return np.maximum(loss, 0.0), y - mu, mu

    def conjugate(
        self, y: Vector, dual: Vector, near: Vector | None = None
    ) -> Vector | None:
        if not self.is_canonical:
            return super().conjugate(y, dual, near)
        mu = y + dual
        # At the end of the domain mu log mu has the limit 0.
        value = xlogy(np.maximum(mu, 0.0), np.maximum(mu, 0.0)) - dual - xlogy(y, y)
        return np.where(mu >= 0.0, value, np.inf)

    def cumulative(
        self, y: Vector, mu: Vector, precision: Vector, dispersion: float
    ) -> Shares:
        # A mean of as many counts as the precision says is a count over it.
        k, mean = whole(y, precision, self.name), precision * mu
        mass = np.exp(xlogy(k, mean) - mean - gammaln(k + 1.0))
        return np.where(k > 0.0, pdtr(k - 1.0, mean), 0.0), mass, pdtrc(k, mean)

    def log_likelihood(
        self,
        y: Vector,
        mu: Vector,
        sample_weight: Vector,
        dispersion: float,
        freq_weights: Vector | None = None,
    ) -> float:
        return float(sample_weight @ (xlogy(y, mu) - mu - gammaln(y + 1.0)))
