"""How predictions of rows left out are scored."""

import numpy as np

from penglm import checks
from penglm._typing import Matrix, Vector
from penglm.engines import Block
from penglm.exceptions import PenglmInputError
from penglm.families import Family
from penglm.solver.problem import Problem

METRICS = ("deviance", "mse", "mae", "class", "auc")


def check_metric(metric: str, family: Family) -> None:
    """Raise unless a metric is known and fits the family."""
    checks.choice(metric, METRICS, "metric")
    if metric in ("class", "auc") and not family.has_classes:
        raise PenglmInputError(
            f"metric = {metric!r} is for the binomial family, not '{family.name}'.",
            argument="metric",
        )


def worst(metric: str) -> float:
    """Return the score of what predicts nothing."""
    return -np.inf if metric == "auc" else np.inf


def score(problem: Problem, test: Block, eta: Matrix, metric: str) -> Vector:
    """Return the weighted mean score (m,); smaller is better, but for ``"auc"``."""
    weight, family = test.sample_weight, problem.family
    out = np.empty(eta.shape[1])
    for k in range(out.size):
        if metric == "deviance":
            loss, _, _ = family.working_terms(test.y, eta[:, k])
            out[k] = 2.0 * np.average(loss, weights=weight)
            continue
        mu = family.link.inverse(eta[:, k])
        if metric == "mse":
            out[k] = np.average((test.y - mu) ** 2, weights=weight)
        elif metric == "mae":
            out[k] = np.average(np.abs(test.y - mu), weights=weight)
        elif metric == "class":
            wrong = np.where(mu > 0.5, 1.0 - test.y, test.y)
            out[k] = np.average(wrong, weights=weight)
        else:
            out[k] = auc(test.y, mu, weight)
    return out


def auc(y: Vector, mu: Vector, weight: Vector) -> float:
    """Return the weighted area under the ROC curve, ties counted half."""
    one, zero = weight * y, weight * (1.0 - y)
    if one.sum() == 0.0 or zero.sum() == 0.0:
        raise PenglmInputError(
            'metric="auc" needs both classes in every fold; use fewer folds or '
            'metric="deviance".',
            argument="metric",
        )
    _, place = np.unique(mu, return_inverse=True)
    ones, zeros = np.bincount(place, one), np.bincount(place, zero)
    below = np.cumsum(zeros) - zeros
    return float(ones @ (below + 0.5 * zeros) / (ones.sum() * zeros.sum()))
