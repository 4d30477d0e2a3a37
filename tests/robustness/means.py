"""Links and variances from their definitions, in the precision of what is passed.

Part of the judge: nothing here is imported from penglm.
"""

import numpy as np
from scipy.special import erfcx, ndtr, ndtri

REAL = np.longdouble
PI = "3.14159265358979323846264338"


def logistic(eta):
    """Return 1 / (1 + exp(-eta)) without overflow."""
    small = np.exp(-np.abs(eta))
    return np.where(eta >= 0, 1 / (1 + small), small / (1 + small))


def normal(eta):
    """Return the normal distribution function; 1 minus it keeps its digits too."""
    tail = ndtr(-np.abs(eta).astype(float)).astype(eta.dtype)
    return np.where(eta > 0, 1 - tail, tail)


# name: mean, its derivative, and eta of a mean
LINKS = {
    "identity": (lambda eta: eta, np.ones_like, lambda mu: mu),
    "log": (np.exp, np.exp, np.log),
    "logc": (
        lambda eta: -np.expm1(eta), lambda eta: -np.exp(eta), lambda mu: np.log1p(-mu)
    ),
    "logit": (
        logistic,
        lambda eta: logistic(eta) * logistic(-eta),
        lambda mu: np.log(mu) - np.log1p(-mu),
    ),
    "cloglog": (
        lambda eta: -np.expm1(-np.exp(eta)),
        lambda eta: np.exp(eta - np.exp(eta)),
        lambda mu: np.log(-np.log1p(-mu)),
    ),
    "loglog": (
        lambda eta: np.exp(-np.exp(-eta)),
        lambda eta: np.exp(-eta - np.exp(-eta)),
        lambda mu: -np.log(-np.log(mu)),
    ),
    "probit": (
        normal,
        lambda eta: np.exp(-(eta**2) / 2) / np.sqrt(2 * REAL(PI)),
        lambda mu: ndtri(float(mu)),
    ),
    "cauchy": (
        lambda eta: np.arctan2(np.ones_like(eta), -eta) / REAL(PI),
        lambda eta: 1 / (REAL(PI) * (1 + eta**2)),
        lambda mu: -1 / np.tan(REAL(PI) * mu),
    ),
    "sqrt": (lambda eta: eta**2, lambda eta: 2 * eta, np.sqrt),
    "inverse": (lambda eta: 1 / eta, lambda eta: -1 / eta**2, lambda mu: 1 / mu),
    "inverse_squared": (
        lambda eta: eta**-0.5, lambda eta: -0.5 * eta**-1.5, lambda mu: mu**-2.0,
    ),
}  # fmt: skip


def mills(eta):
    """Return density over distribution function of the normal, to double precision."""
    ratio = np.sqrt(2 / np.pi) / erfcx(-eta.astype(float) / np.sqrt(2))
    return ratio.astype(eta.dtype)


def cauchy_rate(eta):
    """Return density over distribution function of Cauchy's."""
    return 1 / ((1 + eta**2) * np.arctan2(np.ones_like(eta), -eta))


def gumbel_rate(eta):
    """Return exp(eta) / (exp(exp(eta)) - 1)."""
    rate = np.exp(eta)
    return np.where(rate > 0, rate / np.expm1(rate), 1)


# name: derivative of the mean over the mean, and over 1 minus the mean
RATES = {
    "logit": (lambda eta: logistic(-eta), logistic),
    "probit": (mills, lambda eta: mills(-eta)),
    "cloglog": (gumbel_rate, np.exp),
    "loglog": (lambda eta: np.exp(-eta), lambda eta: gumbel_rate(-eta)),
    "cauchy": (cauchy_rate, lambda eta: cauchy_rate(-eta)),
    "logc": (lambda eta: -1 / np.expm1(-eta), lambda eta: -np.ones_like(eta)),
}
# Beyond these links' domain there is no mean.
POSITIVE = ("sqrt", "inverse", "inverse_squared")
NEGATIVE = ("logc",)
VARIANCES = {
    "gaussian": lambda mu, known: np.ones_like(mu),
    "binomial": lambda mu, known: mu * (1 - mu),
    "poisson": lambda mu, known: mu,
    "gamma": lambda mu, known: mu**2,
    "inverse_gaussian": lambda mu, known: mu**3,
    "negative_binomial": lambda mu, known: mu + mu**2 / known["theta"],
    "tweedie": lambda mu, known: mu ** known["power"],
}
# What has the means and variances, up to a constant, of another family.
SAME_SLOPES = {"quasipoisson": "poisson", "quasibinomial": "binomial"}
# The derivative of the mean is this many times the variance, so the two cancel.
CANONICAL = {
    ("gaussian", "identity"): 1,
    ("binomial", "logit"): 1,
    ("poisson", "log"): 1,
    ("gamma", "inverse"): -1,
}
