"""Whole paths judged at once, by the definitions of ``validation/objective.py``.

The half-deviance and its slope are that module's; here they meet a matrix of
coefficients, so that a path costs two matrix products instead of two a strength.
Problems of the benchmark have no factors, limits or weights, and ``standardize=False``.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from validation import objective
from validation.objective import LEAST_L1_RATIO
from validation.problem import Problem

# Numbers of a block of linear predictors that are held at a time.
AT_ONCE = 20_000_000


@dataclass(frozen=True, eq=False)
class Verdict:
    """What a path is worth, one number a strength.

    Attributes
    ----------
    objectives : array (m,)
        Mean half-deviance, saturated part included, plus penalty.
    kkt : array (m,)
        Largest distance from an optimality condition in units of the threshold.
    """

    objectives: np.ndarray
    kkt: np.ndarray

    def sub(self, best: np.ndarray) -> float:
        """Return the largest relative excess over the best objectives known."""
        excess = (self.objectives - best) / np.abs(best)
        return float(np.max(np.where(np.isnan(excess), np.inf, excess)))


@dataclass(frozen=True, eq=False)
class Judge:
    """The judge of one problem."""

    problem: Problem

    @cached_property
    def unit(self) -> float:
        """Largest slope of the null model: the unit of what has no threshold."""
        problem = self.problem
        eta = objective.newton(problem, np.ones((problem.n_obs, 1)))
        _, score = objective.scores(problem, eta)
        moving = problem.sd > 0
        return float((np.abs(score[moving]) / problem.sd[moving]).max())

    def judge(
        self, alphas: np.ndarray, intercepts: np.ndarray, coefs: np.ndarray
    ) -> Verdict:
        """Judge coefs (p, m) at m strengths."""
        m = alphas.size
        width = max(1, AT_ONCE // max(self.problem.X.shape))
        values, residuals = np.empty(m), np.empty(m)
        for start in range(0, m, width):
            part = slice(start, start + width)
            values[part], residuals[part] = self.some(
                alphas[part], intercepts[part], coefs[:, part]
            )
        return Verdict(values, residuals)

    def some(self, alphas, intercepts, coefs):
        """Return objectives and KKT residuals of a few strengths."""
        problem = self.problem
        # Strengths along rows: the family's functions broadcast over y.
        with np.errstate(over="ignore", invalid="ignore"):
            eta = np.asarray(problem.X @ coefs).T + intercepts[:, None] + problem.offset
            loss = objective.half_deviance(problem, eta).mean(axis=1)
            slope = objective.slope(problem, eta) / problem.n_obs
        beside = slope.sum(axis=1)
        score = np.asarray(problem.X.T @ slope.T).T - beside[:, None] * problem.mean
        mix, coef = problem.l1_ratio, coefs.T
        cost = mix * np.abs(coef) + 0.5 * (1 - mix) * coef**2
        alpha = alphas[:, None]
        signal = score - alpha * (1 - mix) * coef
        l1 = alpha * mix
        distance = np.where(
            coef == 0.0, np.maximum(np.abs(signal) - l1, 0.0),
            np.abs(signal - l1 * np.sign(coef)),
        )  # fmt: skip
        threshold = alpha * max(mix, LEAST_L1_RATIO)
        fixed = self.unit * problem.sd + (problem.sd == 0)
        distance /= np.where(threshold > 0, threshold, fixed)
        distance[(problem.sd == 0) & (coef == 0)] = 0.0
        distance[np.isnan(distance)] = np.inf
        residual = np.maximum(distance.max(axis=1), np.abs(beside) / self.unit)
        return loss + alphas * cost.sum(axis=1), np.where(
            np.isnan(residual), np.inf, residual
        )
