"""penglm and its peers, each at its own defaults, each in its own words."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from validation.hard.problems import Hard
from validation.problem import RefusedError

# statsmodels weighs the likelihood by an estimated scale if the mix is exactly 0.
NEARLY_RIDGE = 1e-8


@dataclass(frozen=True, eq=False)
class Claim:
    """What somebody returned.

    Attributes
    ----------
    intercept : float
    coef : array (p,)
        None where nothing was returned.
    said : str
        What was said aloud: warnings, or the error. Empty for nothing.
    """

    intercept: float
    coef: Any
    said: str


def ask(solve: Callable[[Hard], tuple[float, Any]], problem: Hard) -> Claim:
    """Return what a contender makes of a problem.

    Raises
    ------
    RefusedError
        If it cannot state the problem.
    """
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            intercept, coef = solve(problem)
        except RefusedError:
            raise
        except Exception as error:  # whatever it is, it was said aloud
            return Claim(np.nan, None, f"{type(error).__name__}: {error}")
    said = "; ".join(sorted({warning.category.__name__ for warning in told}))
    return Claim(float(intercept), np.ravel(coef).astype(float), said)


def penglm(problem: Hard) -> tuple[float, Any]:
    import penglm as pg
    from penglm.families import FAMILIES, as_link

    family = FAMILIES[problem.family](as_link(problem.link))
    model = pg.PenalizedGLM(
        problem.y, problem.X, family, var_weights=problem.weight, offset=problem.offset,
        penalty_factor=problem.penalty_factor, lower=problem.lower, upper=problem.upper,
        standardize=False,
    )  # fmt: skip
    with warnings.catch_warnings():
        # Units are part of the problem, and say nothing about the answer.
        warnings.simplefilter("ignore", pg.exceptions.ScalingWarning)
        fit = model.fit(problem.alpha, problem.l1_ratio)
    return fit.intercept, fit.coef


def refuse(condition: Any, reason: str) -> None:
    """Raise if a contender has no word for something."""
    if np.any(condition):
        raise RefusedError(reason)


def scikit_learn(problem: Hard) -> tuple[float, Any]:
    from sklearn import linear_model as lm

    refuse(problem.penalty_factor != 1, "no factors")
    refuse(np.isfinite([problem.lower, problem.upper]), "no limits")
    alpha, mix, total = problem.alpha, problem.l1_ratio, problem.weight.sum()
    y, weight = problem.y, problem.weight
    if problem.family == "gaussian":
        y = y - problem.offset
        model = (
            lm.LinearRegression() if alpha == 0
            else lm.Lasso(alpha) if mix == 1
            else lm.Ridge(alpha * total) if mix == 0
            else lm.ElasticNet(alpha, l1_ratio=mix)
        )  # fmt: skip
    elif problem.family == "binomial":
        refuse(problem.offset != 0, "no offset")
        strength = np.inf if alpha == 0 else 1.0 / (alpha * total)
        # Only saga knows the l1 part.
        solver = "saga" if mix > 0 and alpha > 0 else "lbfgs"
        model = lm.LogisticRegression(C=strength, l1_ratio=mix if alpha else 0.0,
                                      solver=solver)  # fmt: skip
    else:
        refuse(mix > 0 and alpha > 0, "ridge only")
        exposure = np.exp(problem.offset)
        y = y / exposure
        if problem.family == "poisson":
            weight = weight * exposure
            alpha = alpha * total / weight.sum()
            model = lm.PoissonRegressor(alpha=alpha)
        else:
            model = lm.GammaRegressor(alpha=alpha)
    model.fit(problem.X, y, sample_weight=weight)
    return float(np.ravel(model.intercept_)[0]), model.coef_


def statsmodels(problem: Hard) -> tuple[float, Any]:
    import statsmodels.api as sm

    refuse(np.isfinite([problem.lower, problem.upper]), "no limits")
    families = {
        "gaussian": sm.families.Gaussian,
        "binomial": sm.families.Binomial,
        "poisson": sm.families.Poisson,
        "gamma": lambda: sm.families.Gamma(sm.families.links.Log()),
    }
    here = np.isfinite(problem.penalty_factor)
    design = sm.add_constant(problem.X[:, here], has_constant="add")
    model = sm.GLM(
        problem.y, design, families[problem.family](), offset=problem.offset,
        var_weights=problem.weight,
    )  # fmt: skip
    if problem.alpha == 0:
        params = np.asarray(model.fit().params)
    else:
        per_row = problem.alpha * problem.weight.sum() / problem.y.size
        params = np.asarray(model.fit_regularized(
            alpha=np.r_[0.0, per_row * problem.penalty_factor[here]],
            L1_wt=problem.l1_ratio or NEARLY_RIDGE,
        ).params)  # fmt: skip
    coef = np.zeros(here.size)
    coef[here] = params[1:]
    return params[0], coef


def glum(problem: Hard) -> tuple[float, Any]:
    from glum import GeneralizedLinearRegressor

    here = np.isfinite(problem.penalty_factor)
    factor = problem.penalty_factor[here]
    is_plain = bool((factor == 1).all())
    limited = np.isfinite(problem.lower).any() or np.isfinite(problem.upper).any()
    bounds = {}
    if limited:
        bounds = {
            "lower_bounds": problem.lower[here],
            "upper_bounds": problem.upper[here],
        }
    penalties = {} if is_plain else {"P1": factor, "P2": factor}
    model = GeneralizedLinearRegressor(
        alpha=problem.alpha, l1_ratio=problem.l1_ratio,
        family={"gaussian": "normal"}.get(problem.family, problem.family),
        link=problem.link, **penalties, **bounds,
    )  # fmt: skip
    model.fit(
        problem.X[:, here], problem.y, sample_weight=problem.weight,
        offset=problem.offset,
    )  # fmt: skip
    coef = np.zeros(here.size)
    coef[here] = model.coef_
    return model.intercept_, coef


CONTENDERS = {
    "penglm": penglm,
    "glum": glum,
    "scikit-learn": scikit_learn,
    "statsmodels": statsmodels,
}
