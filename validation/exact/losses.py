"""Half unit deviances as functions of eta, in as many digits as mpmath is told.

Terms that depend on the response alone are left out of ``loss``; ``saturated`` is the
least value of it, which makes the difference half the unit deviance.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mpmath import exp, inf, log, mpf, sqrt


@dataclass(frozen=True)
class Loss:
    """A family with its link.

    Attributes
    ----------
    loss : callable (y, eta) -> (value, slope, curvature)
        With its first two derivatives in eta.
    expected : callable (eta) -> curvature
        The mean of the curvature over responses, positive everywhere.
    start : callable (mean response) -> eta
    domain : (low, high)
        Of eta.
    """

    family: str
    link: str
    loss: Callable[[Any, Any], tuple[Any, Any, Any]]
    expected: Callable[[Any], Any]
    start: Callable[[Any], Any] = log
    domain: tuple[Any, Any] = (-inf, inf)
    saturated: Callable[[Any], Any] = lambda y: mpf(0)
    parameters: tuple[tuple[str, float], ...] = ()


def xlogx(y: Any) -> Any:
    return y * log(y) if y > 0 else mpf(0)


def gaussian(y: Any, eta: Any) -> tuple[Any, Any, Any]:
    return (y - eta) ** 2 / 2, eta - y, mpf(1)


def binomial(y: Any, eta: Any) -> tuple[Any, Any, Any]:
    mu = 1 / (1 + exp(-eta))
    return log(1 + exp(eta)) - y * eta, mu - y, mu * (1 - mu)


def poisson(y: Any, eta: Any) -> tuple[Any, Any, Any]:
    mu = exp(eta)
    return mu - y * eta, mu - y, mu


def gamma_log(y: Any, eta: Any) -> tuple[Any, Any, Any]:
    ratio = y * exp(-eta)
    return ratio + eta, 1 - ratio, ratio


def inverse_gaussian_log(y: Any, eta: Any) -> tuple[Any, Any, Any]:
    one, two = exp(-eta), y * exp(-2 * eta)
    return two / 2 - one, one - two, 2 * two - one


def inverse_gaussian(y: Any, eta: Any) -> tuple[Any, Any, Any]:
    root = sqrt(eta)
    return y * eta / 2 - root, (y - 1 / root) / 2, 1 / (4 * eta * root)


def negative_binomial(theta: Any) -> Callable[[Any, Any], tuple[Any, Any, Any]]:
    def loss(y: Any, eta: Any) -> tuple[Any, Any, Any]:
        mu = exp(eta)
        share = mu / (mu + theta)
        value = (y + theta) * log(mu + theta) - y * eta
        return value, (y + theta) * share - y, (y + theta) * share * (1 - share)

    return loss


def tweedie(power: Any) -> Callable[[Any, Any], tuple[Any, Any, Any]]:
    a, b = 1 - power, 2 - power

    def loss(y: Any, eta: Any) -> tuple[Any, Any, Any]:
        first, second = y * exp(a * eta), exp(b * eta)
        return second / b - first / a, second - first, b * second - a * first

    return loss


THETA, POWER = mpf(2), mpf("1.5")
LOSSES = (
    Loss(
        "gaussian", "identity", gaussian, lambda eta: mpf(1), lambda y: y,
        saturated=lambda y: mpf(0),
    ),
    Loss(
        "binomial", "logit", binomial, lambda eta: binomial(0, eta)[2],
        lambda y: log(y / (1 - y)),
        saturated=lambda y: -xlogx(y) - xlogx(1 - y),
    ),
    Loss("poisson", "log", poisson, exp, saturated=lambda y: y - xlogx(y)),
    Loss(
        "gamma", "log", gamma_log, lambda eta: mpf(1), saturated=lambda y: 1 + log(y)
    ),
    Loss(
        "inverse_gaussian", "log", inverse_gaussian_log, lambda eta: exp(-eta),
        saturated=lambda y: -1 / (2 * y),
    ),
    Loss(
        "inverse_gaussian", "inverse_squared", inverse_gaussian,
        lambda eta: 1 / (4 * eta * sqrt(eta)), lambda y: 1 / y**2, (mpf(0), inf),
        saturated=lambda y: -1 / (2 * y),
    ),
    Loss(
        "negative_binomial", "log", negative_binomial(THETA),
        lambda eta: exp(eta) * THETA / (exp(eta) + THETA),
        saturated=lambda y: (y + THETA) * log(y + THETA) - xlogx(y),
        parameters=(("theta", float(THETA)),),
    ),
    Loss(
        "tweedie", "log", tweedie(POWER), lambda eta: exp((2 - POWER) * eta),
        saturated=lambda y: y ** (2 - POWER) * (1 / (2 - POWER) - 1 / (1 - POWER)),
        parameters=(("power", float(POWER)),),
    ),
)  # fmt: skip
