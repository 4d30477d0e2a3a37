"""Simulated problems: three families, several shapes, one fixed seed each.

Columns are normal with equal correlation ``rho``; every fifth one matters. The
strengths are shares of the slope of the null model, so every grid goes from a nearly
empty model to a nearly full one.
"""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from scipy.special import expit, ndtr

from validation.objective import null_slope
from validation.problem import Problem, build

SHARES = (0.7, 0.3, 0.1, 0.03, 0.01)
EVERY = 5


@dataclass(frozen=True)
class Recipe:
    """How a problem is simulated.

    Attributes
    ----------
    rho : float
        Correlation between any two columns.
    scatter : float
        Columns are multiplied by ``scatter ** u`` with u uniform in [-1, 1].
    has : str
        Blank-separated names of what else the problem has: ``weights``, ``trials``,
        ``offset``, ``exposure``, ``factors`` (every fourth column free or at 2),
        ``nonnegative``, ``boxed``.
    """

    family: str
    n_obs: int
    n_features: int
    seed: int
    l1_ratio: float = 1.0
    link: str | None = None
    rho: float = 0.0
    scatter: float = 1.0
    has: str = ""
    fit_intercept: bool = True
    standardize: bool = True


RECIPES = {
    "gaussian_lasso": Recipe("gaussian", 100, 20, 20261101),
    "gaussian_enet_correlated": Recipe(
        "gaussian", 200, 20, 20261102, l1_ratio=0.5, rho=0.8
    ),
    "gaussian_ridge": Recipe("gaussian", 150, 40, 20261103, l1_ratio=0.0),
    "gaussian_wide": Recipe("gaussian", 60, 200, 20261104),
    "gaussian_weights": Recipe("gaussian", 120, 15, 20261105, has="weights"),
    "gaussian_offset": Recipe("gaussian", 120, 15, 20261106, 0.7, has="offset"),
    "gaussian_raw_units": Recipe(
        "gaussian", 150, 12, 20261107, scatter=10.0, standardize=False
    ),
    "gaussian_no_intercept": Recipe(
        "gaussian", 100, 20, 20261108, fit_intercept=False, standardize=False
    ),
    "gaussian_nonnegative": Recipe("gaussian", 100, 20, 20261109, has="nonnegative"),
    "gaussian_factors": Recipe("gaussian", 120, 20, 20261110, has="factors"),
    "logit_lasso": Recipe("binomial", 200, 30, 20261111),
    "logit_enet_correlated": Recipe("binomial", 200, 20, 20261112, 0.5, rho=0.8),
    "logit_ridge": Recipe("binomial", 200, 30, 20261113, l1_ratio=0.0),
    "logit_wide": Recipe("binomial", 80, 150, 20261114),
    "logit_weights": Recipe("binomial", 200, 15, 20261115, has="weights"),
    "logit_trials": Recipe("binomial", 150, 20, 20261116, has="trials"),
    "logit_offset": Recipe("binomial", 200, 15, 20261117, 0.5, has="offset"),
    "logit_boxed": Recipe("binomial", 200, 15, 20261118, has="boxed"),
    "probit_lasso": Recipe("binomial", 200, 20, 20261119, link="probit"),
    "probit_trials_enet": Recipe(
        "binomial", 150, 15, 20261120, 0.5, link="probit", has="trials"
    ),
    "poisson_lasso": Recipe("poisson", 200, 30, 20261121),
    "poisson_enet_correlated": Recipe("poisson", 200, 20, 20261122, 0.5, rho=0.8),
    "poisson_exposure": Recipe("poisson", 200, 30, 20261123, has="exposure"),
    "poisson_ridge": Recipe("poisson", 200, 30, 20261124, l1_ratio=0.0),
    "poisson_ridge_exposure": Recipe(
        "poisson", 200, 20, 20261125, l1_ratio=0.0, has="exposure weights"
    ),
    "poisson_wide": Recipe("poisson", 80, 150, 20261126),
    "poisson_weights": Recipe("poisson", 200, 15, 20261127, has="weights"),
    "poisson_factors": Recipe("poisson", 200, 20, 20261128, 0.8, has="factors"),
    "poisson_raw_units": Recipe(
        "poisson", 200, 12, 20261129, scatter=10.0, standardize=False
    ),
}


def problems() -> dict:
    """Return by name a function that makes each problem."""
    return {name: partial(make, name, recipe) for name, recipe in RECIPES.items()}


def make(name: str, recipe: Recipe) -> Problem:
    """Simulate one problem."""
    rng = np.random.default_rng(recipe.seed)
    X, eta = columns(recipe, rng)
    n, p = X.shape
    has = recipe.has.split()
    others = {}
    if "weights" in has:
        others["sample_weight"] = rng.uniform(0.2, 3.0, n)
    if "trials" in has:
        others["sample_weight"] = rng.integers(1, 12, n).astype(float)
    if "offset" in has:
        others["offset"] = rng.normal(0.0, 0.5, n)
    if "exposure" in has:
        others["offset"] = np.log(rng.uniform(0.1, 5.0, n))
    if "factors" in has:
        others["penalty_factor"] = np.where(np.arange(p) % 8 == 0, 0.0, 1.0)
        others["penalty_factor"][4::8] = 2.0
    if "nonnegative" in has:
        others["lower"] = 0.0
    if "boxed" in has:
        others["lower"], others["upper"] = -0.2, 0.3
    y = response(recipe, eta + others.get("offset", 0.0), others, rng)
    problem = build(
        name, recipe.family, X, y, [1.0], l1_ratio=recipe.l1_ratio, link=recipe.link,
        fit_intercept=recipe.fit_intercept, standardize=recipe.standardize,
        source="simulated", **others,
    )  # fmt: skip
    scale = null_slope(problem)
    if not recipe.standardize:
        # Raw columns have no common unit; the median sd stands for it.
        scale = scale * float(np.median(problem.sd))
    return replace(problem, alphas=scale * np.array(SHARES))


def columns(recipe: Recipe, rng: np.random.Generator):
    """Return X (n, p) and the linear predictor (n,) of the truth."""
    n, p = recipe.n_obs, recipe.n_features
    shared = rng.normal(size=(n, 1))
    own = rng.normal(size=(n, p))
    X = np.sqrt(recipe.rho) * shared + np.sqrt(1 - recipe.rho) * own
    truth = np.zeros(p)
    truth[::EVERY] = rng.uniform(0.3, 1.0, truth[::EVERY].size)
    truth[EVERY :: 2 * EVERY] *= -1.0
    eta = X @ truth
    # The predictor varies by one unit whatever the number of columns.
    return X * recipe.scatter ** rng.uniform(-1, 1, p), eta / eta.std()


def response(recipe: Recipe, eta, others: dict, rng: np.random.Generator):
    """Return y (n,)."""
    if recipe.family == "gaussian":
        return 1.0 + eta + rng.normal(0.0, 0.7, eta.size)
    if recipe.family == "poisson":
        return rng.poisson(np.exp(0.3 + eta)).astype(float)
    mu = ndtr(eta) if recipe.link == "probit" else expit(eta - 0.3)
    if "trials" in recipe.has:
        trials = others["sample_weight"].astype(int)
        return rng.binomial(trials, mu) / trials
    return rng.binomial(1, mu).astype(float)
