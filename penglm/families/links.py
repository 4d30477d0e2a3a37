"""Links from the mean to the linear predictor."""

import numpy as np
from scipy.special import expit, log_expit, log_ndtr, logit, ndtr, ndtri

from penglm._typing import Vector
from penglm.exceptions import PenglmInputError
from penglm.families.base import Link, ProbabilityLink
from penglm.families.interval import Interval

POSITIVE = Interval(0.0, np.inf)
NEGATIVE = Interval(-np.inf, 0.0)
HALF_LOG_TWO_PI = 0.5 * np.log(2.0 * np.pi)


class Identity(Link):
    """``eta = mu``."""

    name = "identity"

    def __call__(self, mu: Vector) -> Vector:
        return mu

    def inverse(self, eta: Vector) -> Vector:
        return eta

    def inverse_deriv(self, eta: Vector) -> Vector:
        return np.ones_like(eta)


class Log(Link):
    """``eta = log(mu)``."""

    name = "log"
    domain = POSITIVE

    def __call__(self, mu: Vector) -> Vector:
        return np.log(mu)

    def inverse(self, eta: Vector) -> Vector:
        with np.errstate(over="ignore"):
            return np.exp(eta)

    def inverse_deriv(self, eta: Vector) -> Vector:
        return self.inverse(eta)


class Logit(ProbabilityLink):
    """``eta = log(mu / (1 - mu))``."""

    name = "logit"

    def __call__(self, mu: Vector) -> Vector:
        return logit(mu)

    def inverse(self, eta: Vector) -> Vector:
        return expit(eta)

    def log_inverse(self, eta: Vector) -> Vector:
        return log_expit(eta)

    def log_complement(self, eta: Vector) -> Vector:
        return log_expit(-eta)

    def log_inverse_deriv(self, eta: Vector) -> Vector:
        return log_expit(eta) + log_expit(-eta)


class Probit(ProbabilityLink):
    """``eta`` is the normal quantile of ``mu``."""

    name = "probit"

    def __call__(self, mu: Vector) -> Vector:
        return ndtri(mu)

    def inverse(self, eta: Vector) -> Vector:
        return ndtr(eta)

    def log_inverse(self, eta: Vector) -> Vector:
        return log_ndtr(eta)

    def log_complement(self, eta: Vector) -> Vector:
        return log_ndtr(-eta)

    def log_inverse_deriv(self, eta: Vector) -> Vector:
        return -0.5 * eta**2 - HALF_LOG_TWO_PI


def log_gumbel(eta: Vector) -> Vector:
    """Return ``log(1 - exp(-exp(eta)))``, accurate at both ends."""
    with np.errstate(over="ignore", under="ignore", divide="ignore"):
        rate = np.exp(eta)
        near_zero = np.log1p(-np.exp(-rate))
        # For a tiny rate, 1 - exp(-rate) is the rate.
        near_one = np.where(eta < -37.0, eta, np.log(-np.expm1(-rate)))
        return np.where(eta > 0.0, near_zero, near_one)


class CLogLog(ProbabilityLink):
    """``eta = log(-log(1 - mu))``."""

    name = "cloglog"

    def __call__(self, mu: Vector) -> Vector:
        return np.log(-np.log1p(-mu))

    def log_inverse(self, eta: Vector) -> Vector:
        return log_gumbel(eta)

    def log_complement(self, eta: Vector) -> Vector:
        with np.errstate(over="ignore"):
            return -np.exp(eta)

    def log_inverse_deriv(self, eta: Vector) -> Vector:
        with np.errstate(over="ignore"):
            return eta - np.exp(eta)


class LogLog(ProbabilityLink):
    """``eta = -log(-log(mu))``."""

    name = "loglog"

    def __call__(self, mu: Vector) -> Vector:
        return -np.log(-np.log(mu))

    def log_inverse(self, eta: Vector) -> Vector:
        with np.errstate(over="ignore"):
            return -np.exp(-eta)

    def log_complement(self, eta: Vector) -> Vector:
        return log_gumbel(-eta)

    def log_inverse_deriv(self, eta: Vector) -> Vector:
        with np.errstate(over="ignore"):
            return -eta - np.exp(-eta)


class Cauchy(ProbabilityLink):
    """``eta = tan(pi (mu - 1/2))``."""

    name = "cauchy"

    def __call__(self, mu: Vector) -> Vector:
        # The cotangent keeps the digits of a small mu, which mu - 1/2 has lost.
        return -1.0 / np.tan(np.pi * mu)

    def inverse(self, eta: Vector) -> Vector:
        # arctan2(1, -eta) is the angle pi F, with all its digits in the lower tail.
        return np.arctan2(1.0, -eta) / np.pi

    def log_inverse(self, eta: Vector) -> Vector:
        return np.log(self.inverse(eta))

    def log_complement(self, eta: Vector) -> Vector:
        return self.log_inverse(-eta)

    def log_inverse_deriv(self, eta: Vector) -> Vector:
        return -np.log(np.pi) - 2.0 * np.log(np.hypot(1.0, eta))


class LogC(ProbabilityLink):
    """``eta = log(1 - mu)``, the logarithm of the complement."""

    name = "logc"
    eta_range = NEGATIVE
    falls = True

    def __call__(self, mu: Vector) -> Vector:
        return np.log1p(-mu)

    def inverse(self, eta: Vector) -> Vector:
        with np.errstate(over="ignore"):
            return -np.expm1(eta)

    def log_inverse(self, eta: Vector) -> Vector:
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            # Each form keeps its digits where the other has lost them.
            near_one, near_zero = np.log1p(-np.exp(eta)), np.log(-np.expm1(eta))
        return np.where(eta < -1.0, near_one, near_zero)

    def log_complement(self, eta: Vector) -> Vector:
        return eta

    def log_inverse_deriv(self, eta: Vector) -> Vector:
        return eta


class NBinomial(Link):
    """``eta = log(mu / (mu + theta))``, canonical for a negative binomial.

    Parameters
    ----------
    theta : float, default 1.0
        The family's own, for the link to be canonical. statsmodels' ``alpha`` is its
        inverse.

    Raises
    ------
    PenglmInputError
        If ``theta`` is not a positive number.

    References
    ----------
    Hilbe (2011), Negative Binomial Regression, 2nd ed., section 10.3.
    """

    name = "nbinomial"
    domain = POSITIVE
    eta_range = NEGATIVE

    def __init__(self, theta: float = 1.0) -> None:
        if not (np.isfinite(theta) and theta > 0.0):
            raise PenglmInputError(
                f"theta = {theta}; the canonical link of a negative binomial needs a "
                "positive number. For counts without more variance than their mean "
                "use the log link.",
                argument="theta",
            )
        self.theta = float(theta)

    @property
    def parameters(self) -> dict[str, float]:
        return {"theta": self.theta}

    def __call__(self, mu: Vector) -> Vector:
        # Not log(mu) - log(mu + theta), of which nothing is left for a large mean.
        return -np.log1p(self.theta / mu)

    def inverse(self, eta: Vector) -> Vector:
        with np.errstate(divide="ignore", over="ignore"):
            return self.theta / np.expm1(-eta)

    def inverse_deriv(self, eta: Vector) -> Vector:
        mu = self.inverse(eta)
        with np.errstate(over="ignore"):
            return mu * (1.0 + mu / self.theta)


class Power(Link):
    """``eta = mu ** exponent`` for positive means.

    Parameters
    ----------
    exponent : float
        Not 0; that is the log link.
    """

    name = "power"
    domain = POSITIVE
    eta_range = POSITIVE

    def __init__(self, exponent: float = 1.0) -> None:
        if exponent == 0.0 or not np.isfinite(exponent):
            raise PenglmInputError(
                f"exponent = {exponent}; a power link needs a finite exponent other "
                "than 0. For 0 use the log link.",
                argument="exponent",
            )
        self.exponent = float(exponent)

    def __call__(self, mu: Vector) -> Vector:
        return mu**self.exponent

    def inverse(self, eta: Vector) -> Vector:
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            return eta ** (1.0 / self.exponent)

    def inverse_deriv(self, eta: Vector) -> Vector:
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            return eta ** (1.0 / self.exponent - 1.0) / self.exponent

    @property
    def parameters(self) -> dict[str, float]:
        # The powers with a class of their own know their exponent.
        return {"exponent": self.exponent} if type(self) is Power else {}


class Sqrt(Power):
    """``eta = sqrt(mu)``."""

    name = "sqrt"

    def __init__(self) -> None:
        super().__init__(0.5)

    def inverse(self, eta: Vector) -> Vector:
        return np.square(eta)


class Inverse(Power):
    """``eta = 1 / mu``."""

    name = "inverse"

    def __init__(self) -> None:
        super().__init__(-1.0)


class InverseSquared(Power):
    """``eta = 1 / mu^2``."""

    name = "inverse_squared"

    def __init__(self) -> None:
        super().__init__(-2.0)
