"""Every stored glmnet solution: penglm is not above it, and certified.

The solutions were made by R glmnet 4.1-6 with ``thresh = 1e-20``. Both answers are
judged by the objective written out here, which shares no code with penglm.
"""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse
from scipy.special import log_ndtr

import penglm as pg

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT.parent / "shared" / "reference"

# What the project promises: relative to the objective, and to alpha.
NOT_ABOVE = 1e-9
KKT = 1e-4

FAMILIES = ("gaussian", "binomial", "poisson", "gamma")


def identifiers():
    """Return the problems of the families penglm has."""
    found = []
    for path in sorted(FOLDER.glob("*.json")):
        spec = json.loads(path.read_text())
        family = spec["family"]
        name = family if isinstance(family, str) else family["family"]
        if name in FAMILIES:
            found.append(path.stem)
    return found


def load(name):
    """Return arrays and specification of a problem."""
    source = importlib.util.spec_from_file_location(
        "loader", FOLDER / "load_problem.py"
    )
    loader = importlib.util.module_from_spec(source)
    source.loader.exec_module(loader)
    problem = loader.load(FOLDER / f"{name}.json", FOLDER.parent)
    problem["B"] = loader.coefficients(problem["spec"]["coef"], problem["spec"]["p"])
    return problem


def half_deviance(spec, y, eta):
    """Return half the unit deviance up to what does not depend on eta."""
    family = spec["family"]
    if isinstance(family, dict) and family["family"] == "gamma":
        assert family["link"] == "log"
        return y * np.exp(-eta) + eta - np.log(y) - 1.0
    if isinstance(family, dict):
        assert family == {"family": "binomial", "link": "probit"}
        return -y * log_ndtr(eta) - (1 - y) * log_ndtr(-eta)
    if family == "gaussian":
        return 0.5 * (y - eta) ** 2
    if family == "binomial":
        return np.logaddexp(0, eta) - y * eta
    return np.exp(eta) - y * eta


def objective(problem, alpha, l1_ratio, factor, intercept, coef):
    """Return mean half-deviance plus elastic net, from its definition."""
    spec, X, y = problem["spec"], problem["X"], problem["y"]
    weight = np.ones(len(y)) if problem["weights"] is None else problem["weights"]
    offset = 0.0 if problem["offset"] is None else problem["offset"]
    eta = intercept + np.asarray(X @ coef).ravel() + offset
    loss = np.average(half_deviance(spec, y, eta), weights=weight)
    size = coef
    if spec["standardize"]:
        share = weight / weight.sum()
        dense = X.toarray() if sparse.issparse(X) else X
        mean = share @ dense
        size = coef * np.sqrt(share @ (dense - mean) ** 2)
    cost = l1_ratio * np.abs(size) + 0.5 * (1 - l1_ratio) * size**2
    return loss + alpha * np.sum(factor * cost)


def ours(problem):
    """Return the model and, for each lambda, penglm's (alpha, l1_ratio)."""
    spec = problem["spec"]
    p = spec["p"]
    factor = np.array(spec.get("penalty_factor_effective") or np.ones(p), float)

    def limits(name, default):
        values = spec.get(name)
        return None if values is None else np.array(values, float)

    family = spec["family"]
    link = None
    if isinstance(family, dict):
        family, link = family["family"], family["link"]
    model = pg.PenalizedGLM(
        problem["y"],
        problem["X"],
        family=family,
        link=link,
        offset=problem["offset"],
        var_weights=problem["weights"],
        fit_intercept=spec["intercept"],
        standardize=spec["standardize"],
        penalty_factor=factor,
        lower=limits("lower_limits", -np.inf),
        upper=limits("upper_limits", np.inf),
    )
    # glmnet divides a Gaussian response by its sd, which multiplies its ridge part.
    multiplier = spec.get("l2_multiplier", 1.0) or 1.0
    mix = spec["alpha"]
    l1, l2 = mix, (1 - mix) * multiplier
    alphas = np.array(spec["lambda"]) * (l1 + l2)
    return model, alphas, l1 / (l1 + l2), factor


@pytest.mark.filterwarnings("ignore::penglm.exceptions.ConstantColumnWarning")
@pytest.mark.parametrize("name", identifiers())
def test_penglm_is_certified_and_not_above_glmnet(shared, name):
    problem = load(name)
    spec = problem["spec"]
    model, alphas, l1_ratio, factor = ours(problem)
    path = model.fit_path(alphas, l1_ratio=l1_ratio)
    worst = -np.inf
    for k, alpha in enumerate(alphas):
        mine = objective(
            problem, alpha, l1_ratio, factor, path.intercepts[k], path.solutions[k].coef
        )
        a0 = spec["a0"][k] if spec["intercept"] else 0.0
        theirs = objective(problem, alpha, l1_ratio, factor, a0, problem["B"][:, k])
        worst = max(worst, (mine - theirs) / abs(theirs))
    assert worst <= NOT_ABOVE
    assert path.kkt_residual.max() <= KKT
    assert path.converged


@pytest.mark.filterwarnings("ignore::penglm.exceptions.ConstantColumnWarning")
@pytest.mark.parametrize("name", identifiers())
def test_strengths_are_converted_to_what_was_stored_beside_them(shared, name):
    spec = (problem := load(name))["spec"]
    model, alphas, l1_ratio, factor = ours(problem)
    given = {"alpha": spec["alpha"], "standardize": spec["standardize"]}
    if spec.get("penalty_factor") is not None:
        given["penalty.factor"] = np.array(spec["penalty_factor"], float)
    system = "glmnet" if isinstance(spec["family"], str) else "glmnet.object"
    for strength, alpha in zip(spec["lambda"][:2], alphas[:2], strict=True):
        given["lambda"] = strength
        told = pg.convert(given, from_=system, model=model).arguments
        spread = told.get("penalty_factor", np.ones(spec["p"]))
        # R printed the multiplier and the factors to 15 digits.
        np.testing.assert_allclose(told["alpha"] * spread, alpha * factor, rtol=1e-12)
        np.testing.assert_allclose(told["l1_ratio"], l1_ratio, rtol=1e-12)
        assert told["standardize"] == spec["standardize"]
