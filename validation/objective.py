"""The judge: objective and KKT residual from their definitions, in NumPy.

Nothing here is imported from penglm, and nothing in penglm is imported from here. Every
peer's coefficients, penglm's too, are judged by these two numbers.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, log_ndtr, xlogy

from validation.problem import Problem

# penglm and glmnet measure a ridge penalty as if its mix were this.
LEAST_L1_RATIO = 1e-3
# Newton's method ends when the step no longer moves the linear predictor.
NEWTON_STEPS = 100
NEWTON_END = 1e-14


@dataclass(frozen=True)
class Judgement:
    """What one strength of an answer is worth.

    Attributes
    ----------
    objective : float
        Mean half-deviance plus penalty.
    kkt_residual : float
        Largest distance of a coordinate from its optimality condition, in units of
        ``alpha`` times its factor and size; intercept and free columns in units of the
        largest slope of the null model.
    worst_column : int
        Where that happens; -1 for the intercept.
    """

    objective: float
    kkt_residual: float
    worst_column: int


def half_deviance(problem: Problem, eta: np.ndarray) -> np.ndarray:
    """Return half the unit deviance of each row (n,)."""
    y = problem.y
    if problem.link == "identity":
        return 0.5 * (y - eta) ** 2
    if problem.link == "log":
        return np.exp(eta) - y * eta - y + xlogy(y, y)
    saturated = xlogy(y, y) + xlogy(1 - y, 1 - y)
    if problem.link == "logit":
        return np.logaddexp(0.0, eta) - y * eta + saturated
    return saturated - y * log_ndtr(eta) - (1 - y) * log_ndtr(-eta)


def slope(problem: Problem, eta: np.ndarray) -> np.ndarray:
    """Return minus the derivative of the half-deviance in eta (n,)."""
    y = problem.y
    if problem.link == "identity":
        return y - eta
    if problem.link == "log":
        return y - np.exp(eta)
    if problem.link == "logit":
        return y - expit(eta)
    up, down = mills(eta), mills(-eta)
    return y * up - (1 - y) * down


def curvature(problem: Problem, eta: np.ndarray) -> np.ndarray:
    """Return the second derivative of the half-deviance in eta (n,)."""
    if problem.link == "identity":
        return np.ones_like(eta)
    if problem.link == "log":
        return np.exp(eta)
    if problem.link == "logit":
        return expit(eta) * expit(-eta)
    up, down = mills(eta), mills(-eta)
    y = problem.y
    return y * up * (up + eta) + (1 - y) * down * (down - eta)


def mills(eta: np.ndarray) -> np.ndarray:
    """Return the normal density over its distribution function."""
    return np.exp(-0.5 * eta**2 - 0.5 * np.log(2 * np.pi) - log_ndtr(eta))


def linear_predictor(problem: Problem, intercept: float, coef: np.ndarray):
    """Return eta (n,), offset included."""
    return problem.offset + intercept + np.asarray(problem.X @ coef).ravel()


def mean_loss(problem: Problem, eta: np.ndarray) -> float:
    """Return the mean half-deviance."""
    loss = problem.sample_weight @ half_deviance(problem, eta)
    return float(loss / problem.weight_total)


def objective(problem: Problem, alpha: float, intercept: float, coef: np.ndarray):
    """Return mean half-deviance plus penalty."""
    eta = linear_predictor(problem, intercept, coef)
    held = np.isfinite(problem.penalty_factor)
    if (coef[~held] != 0).any():
        return float("inf")
    size = (coef * problem.size)[held]
    cost = problem.l1_ratio * np.abs(size) + 0.5 * (1 - problem.l1_ratio) * size**2
    return mean_loss(problem, eta) + alpha * float(problem.penalty_factor[held] @ cost)


def scores(problem: Problem, eta: np.ndarray) -> tuple[float, np.ndarray]:
    """Return minus the slopes of the loss: the intercept's and the columns' (p,).

    Beside an intercept the columns count as centred, so that a wrong intercept is
    reported once and not again through every column's mean.
    """
    weighted = problem.sample_weight * slope(problem, eta) / problem.weight_total
    beside = float(weighted.sum()) if problem.fit_intercept else 0.0
    return beside, np.asarray(problem.X.T @ weighted).ravel() - problem.mean * beside


def null_slope(problem: Problem) -> float:
    """Return the largest slope per unit of standard deviation of the null model.

    The null model has the intercept and the columns of factor 0; for the lasso with
    factors 1 this is the least strength that empties the model.
    """
    free = np.flatnonzero(problem.penalty_factor == 0)
    columns = problem.X[:, free]
    columns = columns.toarray() if hasattr(columns, "toarray") else columns
    if problem.fit_intercept:
        columns = np.column_stack([np.ones(problem.n_obs), columns])
    eta = newton(problem, columns)
    moving = problem.sd > 0
    _, score = scores(problem, eta)
    return float((np.abs(score[moving]) / problem.sd[moving]).max())


def newton(problem: Problem, columns: np.ndarray) -> np.ndarray:
    """Return eta (n,) of the unpenalised model on a few columns, by halved Newton."""
    weight, eta = problem.sample_weight, problem.offset.copy()
    for _ in range(NEWTON_STEPS):
        bend = weight * curvature(problem, eta)
        gram = columns.T @ (bend[:, None] * columns)
        step = columns @ np.linalg.lstsq(
            gram, columns.T @ (weight * slope(problem, eta)), rcond=None
        )[0] if columns.size else np.zeros_like(eta)  # fmt: skip
        before = mean_loss(problem, eta)
        while mean_loss(problem, eta + step) > before * (1 + NEWTON_END):
            step = 0.5 * step
        eta = eta + step
        if np.abs(step).max() <= NEWTON_END * max(1.0, np.abs(eta).max()):
            break
    return eta


def judge(
    problem: Problem, alpha: float, intercept: float, coef: np.ndarray, unit: float
) -> Judgement:
    """Judge coefficients at one strength.

    Parameters
    ----------
    alpha, intercept : float
    coef : array (p,)
    unit : float
        ``null_slope(problem)``, computed once a problem.
    """
    value = objective(problem, alpha, intercept, coef)
    eta = linear_predictor(problem, intercept, coef)
    beside, score = scores(problem, eta)
    factor = np.where(np.isinf(problem.penalty_factor), 0.0, problem.penalty_factor)
    l1 = alpha * problem.l1_ratio * factor * problem.size
    l2 = alpha * (1 - problem.l1_ratio) * factor * problem.size**2
    signal = score - l2 * coef
    # The subgradient of l1 |b| is the interval [low, high]; a limit opens one side.
    low = np.where(coef > 0, l1, -l1)
    high = np.where(coef < 0, -l1, l1)
    low = np.where(coef <= problem.lower, -np.inf, low)
    high = np.where(coef >= problem.upper, np.inf, high)
    distance = np.maximum(np.maximum(low - signal, signal - high), 0.0)
    threshold = alpha * max(problem.l1_ratio, LEAST_L1_RATIO) * factor * problem.size
    distance /= np.where(
        threshold > 0, threshold, unit * problem.sd + (problem.sd == 0)
    )
    outside = (coef < problem.lower) | (coef > problem.upper)
    distance[outside] = np.inf
    distance[np.isinf(problem.penalty_factor) & (coef == 0)] = 0.0
    distance[(problem.sd == 0) & problem.fit_intercept & (coef == 0)] = 0.0
    distance[np.isnan(distance)] = np.inf
    worst = int(distance.argmax())
    residual = float(distance[worst])
    if not abs(beside) / unit <= residual:
        residual, worst = abs(beside) / unit, -1
    return Judgement(value, residual, worst)
