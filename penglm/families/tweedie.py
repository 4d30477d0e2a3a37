"""Amounts that are often exactly zero: a random number of gamma claims."""

import numpy as np
from scipy.special import expit

from penglm._typing import Vector
from penglm.exceptions import NoFiniteSolutionError, PenglmInputError
from penglm.families import compound
from penglm.families.base import ESTIMATE, Family, Link, Shares
from penglm.families.derived import has_terms
from penglm.families.interval import Interval
from penglm.families.links import Inverse, InverseSquared, Log, Power, Sqrt
from penglm.likelihood import summit

# Powers that are looked at, and those that are taken for an answer: nearer to 1 the
# density is a row of separate peaks, nearer to 2 it is the gamma's.
LOOKED_AT = 1.005, 1.995
LEAST_POWER, MOST_POWER = 1.02, 1.98
# Of one derived from them nothing is known.
POWERS = Power, Sqrt, Inverse, InverseSquared
# Of the search: logit of the power, logarithm of the variance of a typical row.
REACH = np.array([10.0, 10.0])


class Tweedie(Family):
    """Sums of gamma amounts, Poisson many of them: ``V(mu) = mu^power``.

    Parameters
    ----------
    link : Link, default Log()
    power : float or "estimate", default 1.5
        Strictly between 1, where the counts alone vary, and 2, where the amounts alone
        do. ``"estimate"`` finds the likeliest along with a fit.

    Raises
    ------
    PenglmInputError
        If ``power`` is neither a number in between nor ``"estimate"``.

    Notes
    -----
    With ``p`` the power the unit deviance is ``2 (y^(2-p) / ((1-p) (2-p)) -
    y mu^(1-p) / (1-p) + mu^(2-p) / (2-p))``.

    References
    ----------
    Jorgensen (1987), J. R. Stat. Soc. B 49(2). Dunn and Smyth (2005), Statistics and
    Computing 15(4), for the density.
    """

    name = "tweedie"
    default_link = Log
    y_range = Interval(0.0, np.inf, low_closed=True)
    mu_range = Interval(0.0, np.inf)
    fixed_dispersion = None
    convex_links = frozenset({"log"})

    def __init__(self, link: Link | None = None, power: float | str = 1.5) -> None:
        super().__init__(link)
        if power == ESTIMATE:
            self.unknown, self.power = "power", float("nan")
            return
        if isinstance(power, str) or not 1.0 < power < 2.0:
            raise PenglmInputError(
                f"power = {power}; it must lie strictly between 1 and 2, or be "
                "'estimate'. For 0 use the Gaussian family, for 1 Poisson, for 2 "
                "Gamma, for 3 inverse Gaussian.",
                argument="power",
            )
        self.power = float(power)

    @property
    def is_convex(self) -> bool:
        if isinstance(self.link, Power) and type(self.link) in POWERS:
            # The terms go as eta to the powers (1-p)/q and (2-p)/q.
            q, p = self.link.exponent, self.power
            return 0.0 < q <= 2.0 - p or 1.0 - p <= q < 0.0
        return super().is_convex

    @property
    def parameters(self) -> dict[str, float]:
        return {"power": self.power}

    def known(
        self,
        y: Vector,
        mu: Vector,
        sample_weight: Vector,
        freq_weights: Vector | None = None,
    ) -> Family:
        low, high = LOOKED_AT
        weight = sample_weight / sample_weight.sum()
        level = float(weight @ np.log(mu))
        counts = sample_weight if freq_weights is None else freq_weights
        spread = float(sample_weight @ np.square(y - mu) / counts.sum())

        def power(place: float) -> float:
            return low + (high - low) * float(expit(place))

        def log_likelihood(at: Vector) -> float:
            # The second number is the logarithm of the variance of a typical row, which
            # the data tell nearly whatever the power is; a dispersion they do not.
            p = power(at[0])
            dispersion = spread * float(np.exp(at[1] - p * level))
            with np.errstate(all="ignore"):
                found = Tweedie(self.link, p).log_likelihood(
                    y, mu, sample_weight, dispersion, freq_weights
                )
            return found if np.isfinite(found) else -np.inf

        if not spread > 0.0:
            raise NoFiniteSolutionError(
                "the fit leaves nothing over, so every power is as likely as another; "
                "give one: power=1.5.",
                argument="power",
            )
        starts = [np.array([place, 0.0]) for place in (-3.0, -1.0, 0.0, 1.0, 3.0)]
        start = max(starts, key=log_likelihood)
        found = power(summit(log_likelihood, start, REACH)[0])
        if not LEAST_POWER <= found <= MOST_POWER:
            end, other = ("2", "gamma") if found > 1.5 else ("1", "quasipoisson")
            raise NoFiniteSolutionError(
                f"the likelihood of the power rises all the way to {end}. Use "
                f"family='{other}', or give a power.",
                argument="power",
            )
        return Tweedie(self.link, found)

    def variance(self, mu: Vector) -> Vector:
        return mu**self.power

    def unit_deviance(self, y: Vector, mu: Vector) -> Vector:
        p = self.power
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            own = y ** (2.0 - p) / ((1.0 - p) * (2.0 - p))
            # Of a mean of 0 the response 0 costs nothing.
            pulled = np.where(y > 0.0, y * mu ** (1.0 - p), 0.0) / (1.0 - p)
            return 2.0 * (own - pulled + mu ** (2.0 - p) / (2.0 - p))

    def starting_mu(self, y: Vector, sample_weight: Vector) -> Vector:
        return 0.5 * (y + (float(np.average(y, weights=sample_weight)) or 1.0))

    def working_terms(self, y: Vector, eta: Vector) -> tuple[Vector, Vector, Vector]:
        if type(self.link) is not Log or not has_terms(type(self), Tweedie):
            return super().working_terms(y, eta)
        p = self.power
        with np.errstate(over="ignore", invalid="ignore"):
            pulled = np.where(y > 0.0, y * np.exp((1.0 - p) * eta), 0.0)
            size = np.exp((2.0 - p) * eta)
            own = y ** (2.0 - p) / ((1.0 - p) * (2.0 - p))
            loss = own - pulled / (1.0 - p) + size / (2.0 - p)
        inside = np.isfinite(loss)
        return (
            np.where(inside, np.maximum(loss, 0.0), np.inf),
            np.where(inside, pulled - size, 0.0),
            np.where(inside, size, 0.0),
        )

    def cumulative(
        self, y: Vector, mu: Vector, precision: Vector, dispersion: float
    ) -> Shares:
        p, own = self.power, dispersion / precision
        rate = mu ** (2.0 - p) / ((2.0 - p) * own)
        scale = (p - 1.0) * own * mu ** (p - 1.0)
        return compound.shares(y, rate, (2.0 - p) / (p - 1.0), scale)

    def log_likelihood(
        self,
        y: Vector,
        mu: Vector,
        sample_weight: Vector,
        dispersion: float,
        freq_weights: Vector | None = None,
    ) -> float:
        p = self.power
        counts = sample_weight if freq_weights is None else freq_weights
        own = dispersion * counts / sample_weight
        some = y > 0.0
        rows = -(mu ** (2.0 - p)) / ((2.0 - p) * own)
        rows[some] += y[some] * mu[some] ** (1.0 - p) / ((1.0 - p) * own[some])
        shape, amount, spread = (2.0 - p) / (p - 1.0), y[some], own[some]
        log_x = shape * np.log(amount / ((p - 1.0) * spread))
        log_x -= np.log((2.0 - p) * spread)
        rows[some] += compound.log_terms(shape, log_x) - np.log(amount)
        return float(counts @ rows)
