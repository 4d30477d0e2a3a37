"""The elastic net: lasso, ridge and everything between, with factors and limits."""

from dataclasses import dataclass, field, replace

import numpy as np

from penglm._typing import Index, Mask, Vector
from penglm.penalties.base import Penalty, PenaltyTerms

# glmnet starts ridge paths where a mix of 0.001 would empty the model; so do we.
LEAST_L1_RATIO = 1e-3
# A ridge penalty this strong leaves nothing of a coefficient; stronger ones overflow.
LARGEST_PULL = 1e300


def distance(terms: PenaltyTerms, coef: Vector, score: Vector) -> Vector:
    """Return how far each coordinate (k,) is from its subgradient condition.

    The three cases of the condition, with ``signal = score - l2 coef``:
    ``signal = l1`` where ``coef > 0``, ``signal = -l1`` where ``coef < 0``, and
    ``|signal| <= l1`` where ``coef = 0``. A limit holds any push against it, so only
    one sign of the signal counts there.
    """
    # Nearly all are at zero, inside their limits.
    out = np.abs(score)
    out -= terms.l1
    np.maximum(out, 0.0, out=out)
    rest = np.flatnonzero((coef != 0.0) | (coef <= terms.lower) | (coef >= terms.upper))
    at, coef = terms.take(rest), coef[rest]
    signal = score[rest] - at.l2 * coef
    low = np.where(coef > 0, at.l1, -at.l1)
    high = np.where(coef < 0, -at.l1, at.l1)
    low = np.where(coef <= at.lower, -np.inf, low)
    high = np.where(coef >= at.upper, np.inf, high)
    out[rest] = np.maximum(np.maximum(low - signal, signal - high), 0.0)
    return out


@dataclass(frozen=True, eq=False)
class ElasticNet(Penalty):
    """``alpha * sum_j f_j [l1_ratio |b_j| + (1 - l1_ratio) / 2 b_j^2]``.

    Parameters
    ----------
    l1_ratio : float
        Share of the L1 part, in [0, 1].
    factor : Vector (p,)
        ``f``; zero leaves a coefficient free.
    size : Vector (p,)
        ``b_j`` is the coefficient times this.
    lower, upper : Vector (p,)
        Box limits of the coefficients.

    References
    ----------
    Friedman, Hastie and Tibshirani (2010), J. Stat. Softw. 33(1), eq. 2.
    """

    name = "elastic_net"
    l1_ratio: float
    factor: Vector
    size: Vector
    lower: Vector
    upper: Vector
    known: dict[float, PenaltyTerms] = field(
        default_factory=dict, init=False, repr=False
    )

    @classmethod
    def build(
        cls,
        l1_ratio: float,
        penalty_factor: Vector,
        scale: Vector,
        lower: Vector,
        upper: Vector,
    ) -> "ElasticNet":
        excluded = np.isinf(penalty_factor)
        return cls(
            l1_ratio,
            np.where(excluded, 0.0, penalty_factor),
            scale,
            np.where(excluded, 0.0, lower),
            np.where(excluded, 0.0, upper),
        )

    def terms(self, alpha: float) -> PenaltyTerms:
        known = self.known.get(alpha)
        if known is None:
            known = self.build_terms(alpha)
            self.known.clear()
            self.known[alpha] = known
        return known

    def build_terms(self, alpha: float) -> PenaltyTerms:
        """Return the terms at a strength that was not the last one asked for."""
        with np.errstate(over="ignore", under="ignore"):
            pull = alpha * (1.0 - self.l1_ratio) * self.factor * self.size**2
        return PenaltyTerms(
            kind=0,
            l1=alpha * self.l1_ratio * self.factor * self.size,
            l2=np.minimum(pull, LARGEST_PULL),
            lower=self.lower,
            upper=self.upper,
        )

    def value(self, coef: Vector, alpha: float, columns: Index | None = None) -> float:
        factor = self.factor if columns is None else self.factor[columns]
        b = coef * (self.size if columns is None else self.size[columns])
        cost = self.l1_ratio * np.abs(b) + 0.5 * (1.0 - self.l1_ratio) * b**2
        return float(alpha * (factor @ cost))

    def subgradient_distance(
        self, coef: Vector, score: Vector, alpha: float, columns: Index | None = None
    ) -> Vector:
        return distance(self.terms(alpha).take(columns), coef, score)

    def threshold(self, alpha: float) -> Vector:
        # A mix this small holds no coefficient at zero: it is ridge in all but name.
        mix = self.l1_ratio if self.l1_ratio >= LEAST_L1_RATIO else 0.0
        return alpha * mix * self.factor * self.size

    def alpha_max(self, coef: Vector, score: Vector) -> float:
        held = (self.factor > 0) & ~self.is_fixed
        push = np.where(coef >= self.upper, -score, np.abs(score))
        push = np.where(coef <= self.lower, score, push)
        cost = max(self.l1_ratio, LEAST_L1_RATIO) * self.factor * self.size
        # A limit that excludes zero leaves the null model where ridge already pulls.
        cost = cost + self.terms(1.0).l2 * np.abs(coef)
        ratio = np.divide(push, cost, out=np.zeros_like(push), where=held)
        return float(max(ratio.max(initial=0.0), 0.0))

    def conjugate(self, score: Vector, alpha: float) -> float:
        at = self.terms(alpha)
        # What does not exceed its threshold stays at zero, where limits allow it.
        moved = np.flatnonzero(
            ~(np.abs(score) <= at.l1) | (at.lower > 0.0) | (at.upper < 0.0)
        )
        at, score = at.take(moved), score[moved]
        excess = np.maximum(np.abs(score) - at.l1, 0.0) * np.sign(score)
        best = np.divide(excess, at.l2, out=np.zeros_like(score), where=at.l2 > 0)
        best = np.where((at.l2 == 0) & (excess > 0), np.inf, best)
        best = np.where((at.l2 == 0) & (excess < 0), -np.inf, best)
        best = np.clip(best, at.lower, at.upper)
        if not np.all(np.isfinite(best)):
            return float("inf")
        return float(score @ best - self.value(best, alpha, moved))

    def dual_scaling(self, score: Vector, alpha: float) -> float:
        at = self.terms(alpha)
        over = np.flatnonzero(np.abs(score) > at.l1)
        at, score = at.take(over), score[over]
        open_above = (score > at.l1) & np.isinf(at.upper)
        open_below = (score < -at.l1) & np.isinf(at.lower)
        unbounded = (at.l2 == 0) & (at.l1 > 0) & (open_above | open_below)
        if not unbounded.any():
            return 1.0
        slope, limit = np.abs(score[unbounded]), at.l1[unbounded]
        factor = float((limit / slope).min())
        while np.any(factor * slope > limit):
            factor = float(np.nextafter(factor, 0.0))
        return factor

    def rescaled(self, scale: Vector) -> "ElasticNet":
        with np.errstate(over="ignore", invalid="ignore"):
            lower, upper = self.lower * scale, self.upper * scale
        return replace(self, size=self.size / scale, lower=lower, upper=upper)

    def held(self, columns: Mask) -> "ElasticNet":
        lower = np.where(columns, self.null_coef, self.lower)
        upper = np.where(columns, self.null_coef, self.upper)
        return replace(self, lower=lower, upper=upper)

    def take(self, columns: Index) -> "ElasticNet":
        return replace(
            self,
            factor=self.factor[columns],
            size=self.size[columns],
            lower=self.lower[columns],
            upper=self.upper[columns],
        )

    @property
    def is_free(self) -> Mask:
        return (self.factor == 0) & ~self.is_fixed


class AdaptiveElasticNet(ElasticNet):
    """An elastic net whose factors came from a pilot fit (``penglm.adaptive``).

    Factors multiply both parts of the cost, as everywhere in penglm. The class is there
    for its name: results and model files with it hold the pilot's factors.

    References
    ----------
    Zou (2006), J. Amer. Statist. Assoc. 101(476), eq. 4.
    """

    name = "adaptive"
