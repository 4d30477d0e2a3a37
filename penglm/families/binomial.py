"""Two outcomes: 0/1 responses and proportions."""

from typing import ClassVar

import numpy as np
from scipy.special import expit, gammaln, xlog1py, xlogy

from penglm._typing import Vector
from penglm.families.base import Family, ProbabilityLink, Shares
from penglm.families.counts import whole
from penglm.families.derived import has_terms
from penglm.families.interval import Interval
from penglm.families.links import Logit


def entropy(y: Vector) -> Vector:
    """Return ``y log y + (1 - y) log(1 - y)``, 0 at both ends."""
    if np.all((y == 0.0) | (y == 1.0)):
        return np.zeros_like(y)
    value: Vector = np.asarray(xlogy(y, y) + xlog1py(1.0 - y, -y), dtype=np.float64)
    return value


class Binomial(Family):
    """Proportions of successes, ``V(mu) = mu (1 - mu)``.

    Parameters
    ----------
    link : Link, default Logit()

    Notes
    -----
    Unit deviance ``d(y, mu) = 2 (y log(y / mu) + (1 - y) log((1 - y) / (1 - mu)))``,
    with ``0 log 0 = 0``. Trials enter as sample weights of proportions.

    References
    ----------
    McCullagh and Nelder (1989), Generalized Linear Models, 2nd ed., table 2.1.
    """

    name = "binomial"
    default_link = canonical_link = Logit
    y_range = Interval(0.0, 1.0, low_closed=True, high_closed=True)
    mu_range = Interval(0.0, 1.0)
    fixed_dispersion: ClassVar[float | None] = 1.0
    has_classes = has_trials = True
    convex_links = frozenset(
        {"logit", "probit", "cloglog", "loglog", "log", "logc", "identity"}
    )

    @property
    def row_kind(self) -> int | None:
        return 1 if self.is_canonical else None

    def variance(self, mu: Vector) -> Vector:
        return mu * (1.0 - mu)

    def unit_deviance(self, y: Vector, mu: Vector) -> Vector:
        with np.errstate(divide="ignore"):
            return 2.0 * (entropy(y) - xlogy(y, mu) - xlog1py(1.0 - y, -mu))

    def starting_mu(self, y: Vector, sample_weight: Vector) -> Vector:
        return 0.5 * (y + 0.5)

    def working_terms(self, y: Vector, eta: Vector) -> tuple[Vector, Vector, Vector]:
        if not has_terms(type(self), Binomial):
            return super().working_terms(y, eta)
        compiled = self.compiled_terms(y, eta)
        if compiled is not None:
            return compiled
        if type(self.link) is Logit:
            mu, rest = expit(eta), expit(-eta)
            # With 1 - mu at hand nothing cancels where mu rounds to 1.
            score_factor = y * rest - (1.0 - y) * mu
            loss = entropy(y) + np.logaddexp(0.0, eta) - y * eta
            return np.maximum(loss, 0.0), score_factor, mu * rest
        if isinstance(self.link, ProbabilityLink):
            return self.tail_terms(y, eta, self.link)
        return super().working_terms(y, eta)

    def tail_terms(
        self, y: Vector, eta: Vector, link: ProbabilityLink
    ) -> tuple[Vector, Vector, Vector]:
        """Work on the log scale, so that no tail becomes 0 / 0."""
        success, failure = link.log_inverse(eta), link.log_complement(eta)
        deriv = link.log_inverse_deriv(eta)
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            gain, loss_rate = np.exp(deriv - success), np.exp(deriv - failure)
            score_factor = scaled(y, gain) - scaled(1.0 - y, loss_rate)
            score_factor = -score_factor if link.falls else score_factor
            working_weight = np.exp(2.0 * deriv - success - failure)
        loss = entropy(y) - scaled(y, success) - scaled(1.0 - y, failure)
        inside = link.eta_range.contains(eta)
        return (
            np.maximum(np.where(inside & ~np.isnan(loss), loss, np.inf), 0.0),
            np.where(inside & np.isfinite(score_factor), score_factor, 0.0),
            np.where(inside & np.isfinite(working_weight), working_weight, 0.0),
        )

    def conjugate(
        self, y: Vector, dual: Vector, near: Vector | None = None
    ) -> Vector | None:
        if not self.is_canonical:
            return super().conjugate(y, dual, near)
        mu = y + dual
        inside = (mu >= 0.0) & (mu <= 1.0)
        value = entropy(np.clip(mu, 0.0, 1.0)) - entropy(y)
        return np.where(inside, value, np.inf)

    def cumulative(
        self, y: Vector, mu: Vector, precision: Vector, dispersion: float
    ) -> Shares:
        from scipy.stats import binom

        trials = whole(np.ones_like(y), precision, self.name)
        k, known = whole(y, precision, self.name), binom(trials, mu)
        return known.cdf(k - 1.0), known.pmf(k), known.sf(k)

    def log_likelihood(
        self,
        y: Vector,
        mu: Vector,
        sample_weight: Vector,
        dispersion: float,
        freq_weights: Vector | None = None,
    ) -> float:
        rows = xlogy(y, mu) + xlog1py(1.0 - y, -mu)
        counts = np.ones_like(y) if freq_weights is None else freq_weights
        trials = sample_weight / counts
        successes = trials * y
        # Bernoulli rows have one arrangement of their outcomes; proportions many.
        ways = gammaln(trials + 1.0) - gammaln(successes + 1.0)
        ways = ways - gammaln(trials - successes + 1.0)
        split = (y > 0.0) & (y < 1.0)
        return float(sample_weight @ rows + counts[split] @ ways[split])


def scaled(share: Vector, value: Vector) -> Vector:
    """Return ``share * value``, 0 where the share is 0 whatever the value."""
    with np.errstate(invalid="ignore"):
        return np.where(share == 0.0, 0.0, share * value)
