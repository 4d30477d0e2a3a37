"""How each peer is called, as exactly as it can be asked to solve."""

from typing import Any

import numpy as np

from penglm._typing import Vector
from penglm.exceptions import ConvergenceError, PenglmInputError
from penglm.peers.base import Peer, Task

LEAST_SQUARES = ("gaussian", "identity")
LOGISTIC, POISSON, GAMMA = ("binomial", "logit"), ("poisson", "log"), ("gamma", "log")
# As small as these solvers make use of.
TOL = 1e-12
MAX_ITER = 100_000
# statsmodels gives up zeros after the first sweep of a call; a new call tries them all.
MOST_CALLS = 12
# At 0 it takes another road, with the likelihood at an estimated scale and BFGS.
NEARLY_RIDGE = 1e-8


def statsmodels(task: Task) -> tuple[float, Vector]:
    """Call ``GLM.fit_regularized`` again from its own answer until that settles."""
    import statsmodels.api as sm

    families = {
        "gaussian": sm.families.Gaussian,
        "binomial": sm.families.Binomial,
        "poisson": sm.families.Poisson,
        "gamma": lambda: sm.families.Gamma(sm.families.links.Log()),
    }
    X = sm.add_constant(task.X, has_constant="add") if task.fit_intercept else task.X
    model = sm.GLM(
        task.y, X, families[task.family.name](), offset=task.offset,
        var_weights=task.weight,
    )  # fmt: skip
    params: Any = None
    for _ in range(MOST_CALLS):
        fit = model.fit_regularized(
            start_params=params, maxiter=1000, cnvrg_tol=TOL, **task.arguments
        )
        before, params = params, np.asarray(fit.params)
        if before is not None and np.allclose(before, params, rtol=1e-10, atol=0.0):
            break
    return with_intercept(task, params)


def with_intercept(task: Task, params: Vector) -> tuple[float, Vector]:
    """Return intercept and coefficients of parameters with the constant first."""
    return (float(params[0]), params[1:]) if task.fit_intercept else (0.0, params)


def sklearn(task: Task) -> tuple[float, Vector]:
    """Fit the estimator that the conversion chose."""
    from sklearn import linear_model

    kind = task.system.removeprefix("sklearn.")
    told = {**task.arguments, "fit_intercept": task.fit_intercept}
    y, weight, X = task.y - task.offset, task.weight, task.X
    if kind == "LogisticRegression":
        # Proportions are two rows; saga's steps are too long for weights above 1.
        X, largest = np.vstack([X, X]), weight.max()
        weight = np.r_[weight * y, weight * (1.0 - y)] / largest
        y = np.r_[np.ones(y.size), np.zeros(y.size)]
        told |= {"C": told["C"] * largest, "random_state": 0}
        told["solver"] = "saga" if told["l1_ratio"] > 0.0 else "newton-cholesky"
        X, y, weight = X[weight > 0.0], y[weight > 0.0], weight[weight > 0.0]
    elif kind.endswith("Regressor"):
        told["solver"] = "newton-cholesky"
    if kind != "Ridge":
        told |= {"tol": TOL, "max_iter": MAX_ITER}
    fit = getattr(linear_model, kind)(**told).fit(X, y, sample_weight=weight)
    return float(np.ravel(fit.intercept_)[0] if task.fit_intercept else 0.0), np.ravel(
        fit.coef_
    )


def glum(task: Task) -> tuple[float, Vector]:
    """Fit ``GeneralizedLinearRegressor``."""
    from glum import GeneralizedLinearRegressor

    family = {"gaussian": "normal"}.get(task.family.name, task.family.name)
    fit = GeneralizedLinearRegressor(
        family=family, link=task.family.link.name, fit_intercept=task.fit_intercept,
        gradient_tol=1e-10, max_iter=1000, **task.arguments,
    ).fit(task.X, task.y, sample_weight=task.weight, offset=task.offset)  # fmt: skip
    return float(fit.intercept_), np.asarray(fit.coef_)


def skglm(task: Task) -> tuple[float, Vector]:
    """Fit ``GeneralizedLinearEstimator`` with ``L1_plus_L2``."""
    from skglm import GeneralizedLinearEstimator, datafits, penalties, solvers

    kind = task.family.name
    datafit = {
        "gaussian": datafits.Quadratic,
        "binomial": datafits.Logistic,
        "poisson": datafits.Poisson,
        "gamma": datafits.Gamma,
    }[kind]
    y = task.y - task.offset
    if kind == "binomial":
        refuse_proportions(task)
        y = 2.0 * task.y - 1.0
    solver = solvers.AndersonCD if kind == "gaussian" else solvers.ProxNewton
    fit = GeneralizedLinearEstimator(
        datafit(),
        penalties.L1_plus_L2(**task.arguments),
        solver(tol=1e-9, max_iter=500, fit_intercept=task.fit_intercept),
    ).fit(task.X, y)
    return float(np.ravel(fit.intercept_)[0]), np.ravel(fit.coef_)


def refuse_proportions(task: Task) -> None:
    """Raise where a row is neither 0 nor 1."""
    bad = np.flatnonzero((task.y != 0.0) & (task.y != 1.0))
    if bad.size:
        raise PenglmInputError(
            f"{task.system} takes 0 and 1 only, but row {bad[0]} is a proportion, "
            f"{task.y[bad[0]]:g}.",
            argument="peer",
            index=int(bad[0]),
        )


def celer(task: Task) -> tuple[float, Vector]:
    """Fit ``Lasso`` or ``LogisticRegression``."""
    from celer import Lasso, LogisticRegression

    if task.family.name == "binomial":
        refuse_proportions(task)
        model = LogisticRegression(tol=TOL, max_iter=1000, **task.arguments)
        return 0.0, np.ravel(model.fit(task.X, 2.0 * task.y - 1.0).coef_)
    model = Lasso(
        tol=TOL, max_iter=1000, fit_intercept=task.fit_intercept, **task.arguments
    )
    model.fit(task.X, task.y - task.offset)
    return float(model.intercept_), np.asarray(model.coef_)


def adelie(task: Task) -> tuple[float, Vector]:
    """Run ``grpnet`` with groups of one column."""
    import adelie as ad

    glm = {
        "gaussian": ad.glm.gaussian,
        "binomial": ad.glm.binomial,
        "poisson": ad.glm.poisson,
    }[task.family.name]
    told = dict(task.arguments)
    told["lmda_path"] = np.array([told["lmda_path"]])
    state = ad.grpnet(
        task.X, glm(task.y, weights=task.weight / task.weight.sum()),
        offsets=task.offset, intercept=task.fit_intercept, tol=TOL, irls_tol=TOL,
        early_exit=False, progress_bar=False, **told,
    )  # fmt: skip
    if not len(state.intercepts):
        raise ConvergenceError("adelie came to no solution at this strength.")
    return float(state.intercepts[-1]), state.betas[-1].toarray().ravel()


ALL = (LEAST_SQUARES, LOGISTIC, POISSON, GAMMA)
PEERS = {
    peer.name: peer
    for peer in (
        Peer(
            "statsmodels", "statsmodels", "statsmodels", ALL, True, statsmodels,
            NEARLY_RIDGE,
        ),
        Peer("sklearn", "sklearn", "scikit-learn", ALL, False, sklearn),
        Peer("glum", "glum", "glum", ALL, True, glum),
        Peer("skglm", "skglm", "skglm", ALL, False, skglm),
        Peer("celer", "celer", "celer", (LEAST_SQUARES, LOGISTIC), False, celer),
        Peer(
            "adelie", "adelie", "adelie", (LEAST_SQUARES, LOGISTIC, POISSON), True,
            adelie,
        ),
    )
}  # fmt: skip
"""Every peer by the name that ``compare_with`` takes."""
