"""scikit-learn: Lasso, ElasticNet, Ridge, LogisticRegression and PoissonRegressor.

None takes an offset, so a Gaussian one is subtracted from the response, and a Poisson
one becomes a rate with the exposure as weight, which is the same likelihood. None
takes factors. Tolerances are as small as the solver makes use of.
"""

import warnings

import numpy as np

from validation.problem import Answer, Problem, RefusedError

STRENGTHS = 3
TOL = 1e-12
MAX_ITER = 100_000
# saga's steps shrink with the number of rows; more than this takes minutes.
SAGA_SIZE = 30_000
SAGA_ITER = 60_000


class ScikitLearn:
    """The estimator that states the problem, if there is one."""

    name = "scikit-learn"

    def solve(self, problem: Problem) -> Answer:
        """Return a few strengths, the weakest included."""
        from sklearn.exceptions import ConvergenceWarning

        if (problem.penalty_factor != 1).any():
            raise RefusedError("no factors")
        if not isinstance(problem.X, np.ndarray):
            raise RefusedError("sparse columns cannot be centred")
        road = {"identity": gaussian, "logit": logistic, "log": poisson}
        if problem.link not in road:
            raise RefusedError("no probit link")
        size = np.where(problem.size > 0, problem.size, 1.0)
        # Centred columns change the intercept only, and help every solver.
        center = problem.mean if problem.fit_intercept else np.zeros_like(size)
        Z = np.asfortranarray((problem.X - center) / size)
        at = problem.few(STRENGTHS)
        points = []
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            for k in at:
                model = road[problem.link](problem, Z, problem.alphas[k])
                coef = np.ravel(model.coef_) / size
                intercept = float(np.ravel(model.intercept_)[0]) - center @ coef
                points.append((intercept if problem.fit_intercept else 0.0, coef))
        intercepts, coefs = zip(*points, strict=True)
        note = type(model).__name__
        if any(issubclass(warning.category, ConvergenceWarning) for warning in told):
            note += ", warned that it did not converge"
        return Answer(at, np.array(intercepts), np.column_stack(coefs), note)


def limits(problem: Problem) -> bool:
    """Return whether coefficients must be non-negative; refuse other limits."""
    if not problem.has_limits:
        return False
    if (problem.lower == 0).all() and np.isinf(problem.upper).all():
        return True
    raise RefusedError("no limits but 0")


def gaussian(problem: Problem, Z, alpha: float):
    """Return the fitted Lasso, ElasticNet or Ridge."""
    from sklearn.linear_model import ElasticNet, Lasso, Ridge

    shared = {"fit_intercept": problem.fit_intercept}
    positive = limits(problem)
    if problem.l1_ratio == 0:
        if positive:
            raise RefusedError("no limits for Ridge")
        model = Ridge(alpha * problem.weight_total, **shared)
    else:
        shared |= {"tol": TOL, "max_iter": MAX_ITER, "positive": positive}
        if problem.l1_ratio == 1:
            model = Lasso(alpha, **shared)
        else:
            model = ElasticNet(alpha, l1_ratio=problem.l1_ratio, **shared)
    return model.fit(Z, problem.y - problem.offset, problem.sample_weight)


def logistic(problem: Problem, Z, alpha: float):
    """Return the fitted LogisticRegression: saga, or Newton for ridge.

    A row of proportion y and weight s counts as two rows, of weights s y and s (1 - y).
    """
    from sklearn.linear_model import LogisticRegression

    if problem.has_limits or problem.offset.any():
        raise RefusedError("no limits or offset for LogisticRegression")
    if problem.l1_ratio > 0 and Z.size > SAGA_SIZE:
        raise RefusedError("saga is too slow for this table")
    y, s = problem.y, problem.sample_weight
    # saga's step does not know the weights; above 1 they make it diverge.
    weight = np.r_[s * y, s * (1 - y)] / s.max()
    used = weight > 0
    label = np.r_[np.ones(y.size), np.zeros(y.size)]
    options = {"solver": "newton-cholesky", "tol": TOL, "max_iter": MAX_ITER}
    if problem.l1_ratio > 0:
        options |= {"solver": "saga", "max_iter": SAGA_ITER, "random_state": 0}
    model = LogisticRegression(
        C=1.0 / (alpha * weight.sum()), l1_ratio=problem.l1_ratio,
        fit_intercept=problem.fit_intercept, **options,
    )  # fmt: skip
    return model.fit(np.vstack([Z, Z])[used], label[used], weight[used])


def poisson(problem: Problem, Z, alpha: float):
    """Return the fitted PoissonRegressor, ridge only."""
    from sklearn.linear_model import PoissonRegressor

    if problem.l1_ratio > 0 or problem.has_limits:
        raise RefusedError("PoissonRegressor is ridge only, without limits")
    exposure = np.exp(problem.offset)
    weight = problem.sample_weight * exposure
    # It divides by the sum of its weights, which the exposure has changed.
    strength = alpha * problem.weight_total / weight.sum()
    model = PoissonRegressor(
        alpha=strength, solver="newton-cholesky", fit_intercept=problem.fit_intercept,
        tol=TOL, max_iter=MAX_ITER,
    )  # fmt: skip
    return model.fit(Z, problem.y / exposure, weight)
