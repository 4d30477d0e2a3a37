"""The objective from its definition, in extended precision, without penglm.

``judge.py`` looks at slopes; this looks at values. See docs/objective.md.
"""

import numpy as np

from tests.robustness.judge import REAL, Judge


def half_deviance(family, link, known, y, eta):
    """Return half the unit deviance (n,) in the precision of eta."""
    if family == "gaussian":
        return (y - eta) ** 2 / 2
    if family == "binomial":
        return np.logaddexp(0, eta) - y * eta  # of zeros and ones
    if link == "inverse_squared":
        return (y * eta + 1 / y) / 2 - np.sqrt(eta)
    mu = np.exp(eta)
    log_y = np.log(np.where(y > 0, y, 1))
    if family == "poisson":
        return y * (log_y - eta) - (y - mu)
    if family == "gamma":
        return (y - mu) / mu - (log_y - eta)
    if family == "inverse_gaussian":
        return (y - mu) ** 2 / (2 * mu**2 * y)
    if family == "negative_binomial":
        theta = REAL(known["theta"])
        ratio = np.log(y + theta) - np.log(mu + theta)
        return y * (log_y - eta) - (y + theta) * ratio
    a, b = 1 - REAL(known["power"]), 2 - REAL(known["power"])
    return y**b / (a * b) - y * mu**a / a + mu**b / b


def objective(judge: Judge, alpha, intercept, coef):
    """Return mean half-deviance plus penalty of coefficients (p,)."""
    model, coef = judge.model, np.asarray(coef).astype(REAL)
    eta = judge.offset + REAL(intercept) + judge.X @ coef
    loss = half_deviance(model.family, model.link, model.parameters, judge.y, eta)
    b = coef * judge.size * judge.share
    mix = REAL(model.l1_ratio)
    cost = mix * np.abs(b) + (1 - mix) / 2 * b**2
    return judge.weight @ loss + REAL(alpha) * (judge.factor @ cost)


def sizes(judge: Judge, intercept, coef):
    """Return the sum of the sizes that the rounding of a loss is a share of."""
    coef = np.asarray(coef).astype(REAL)
    base = judge.offset + REAL(intercept)
    slope = np.abs(judge.slope(base + judge.X @ coef))
    return slope @ (judge.weight * (np.abs(base) + np.abs(judge.X) @ np.abs(coef)))
