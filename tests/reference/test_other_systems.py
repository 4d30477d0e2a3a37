"""Strengths converted for systems that penglm does not call itself."""

import numpy as np
import pytest

import penglm as pg

# What penglm calls optimal, as a share of alpha; a factor in a strength is off by whole
# shares.
OPTIMAL = 1e-4
N, P = 120, 5
MIXES = [1.0, 0.4]


def draw(family):
    """Return a response and columns of unit standard deviation."""
    rng = np.random.default_rng(5)
    X = rng.normal(size=(N, P))
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    eta = 0.6 * X[:, 0] - 0.4 * X[:, 1]
    y = {
        "gaussian": eta + rng.normal(size=N),
        "binomial": (rng.uniform(size=N) < 1.0 / (1.0 + np.exp(-eta))).astype(float),
        "poisson": rng.poisson(np.exp(eta)).astype(float),
    }[family]
    return y, X, rng.uniform(0.5, 2.0, N)


def assert_optimal(model, alpha, l1_ratio, intercept, coef, weight=None):
    """Hold coefficients against the conditions of penglm's problem."""
    data = model.data
    judged = pg.certify(
        coef, float(intercept), data.y, data.design.to_dense(), alpha=alpha,
        l1_ratio=l1_ratio, family=model.family, var_weights=weight, standardize=False,
    )  # fmt: skip
    assert np.count_nonzero(coef) > 0
    assert judged.kkt_residual < OPTIMAL


@pytest.mark.parametrize("l1_ratio", MIXES)
@pytest.mark.parametrize(
    ("family", "kind"),
    [("gaussian", "ElasticNetRegressor"), ("poisson", "PoissonElasticNetRegressor"),
     ("binomial", "LogisticElasticNetRegressor")],
)  # fmt: skip
def test_skein_is_optimal_at_the_converted_strength(family, kind, l1_ratio):
    skein = pytest.importorskip("skein_glm")
    y, X, _ = draw(family)
    model = pg.PenalizedGLM(y, X, family, standardize=False)
    alpha = 0.2 * model.alpha_max(l1_ratio)
    told = pg.convert(alpha, l1_ratio, to="skein", model=model)
    steps = {"max_iter": 10_000, "tol": 1e-12}
    if family != "gaussian":
        steps |= {"max_outer": 500, "outer_tol": 1e-12}
    found = getattr(skein, kind)(**told.arguments, **steps).fit(X, y)
    coef = np.ravel(found.coef_)
    assert_optimal(model, alpha, l1_ratio, np.ravel(found.intercept_)[0], coef)


@pytest.mark.parametrize("l1_ratio", [*MIXES, 0.0])
@pytest.mark.parametrize("family", ["gaussian", "poisson", "binomial"])
def test_rustystats_is_optimal_at_the_converted_strength(family, l1_ratio):
    rustystats = pytest.importorskip("rustystats")
    polars = pytest.importorskip("polars")
    y, X, weight = draw(family)
    model = pg.PenalizedGLM(y, X, family, var_weights=weight, standardize=False)
    alpha = 0.2 * model.alpha_max(max(l1_ratio, 0.4))
    told = pg.convert(alpha, l1_ratio, to="rustystats", model=model)
    names = [f"x{j + 1}" for j in range(P)]
    table = polars.DataFrame({"y": y, **dict(zip(names, X.T, strict=True))})
    stated = rustystats.glm_dict(
        "y", {name: {"type": "linear"} for name in names}, table, family=family,
        weights=weight,
    )  # fmt: skip
    found = stated.fit(**told.arguments, standardize=False, max_iter=10_000, tol=1e-14)
    params = np.asarray(found.params)
    assert_optimal(model, alpha, l1_ratio, params[0], params[1:], weight)
