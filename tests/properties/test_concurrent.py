"""Eight fits at once on threads are eight fits in turn, bit for bit."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse

import penglm as pg
from penglm.families import NegativeBinomial

AT_ONCE = 8
N, P = 80, 8
FAMILIES = {
    "gaussian": "gaussian",
    "binomial": "binomial",
    "poisson": "poisson",
    "negative binomial": NegativeBinomial(theta=2.0),
}


def rows(seed, family):
    """Return a response (n,) and columns (n, p), half of whose numbers are zero."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N, P)) * (rng.uniform(size=(N, P)) < 0.5)
    eta = 0.5 * X[:, 0] - 0.4 * X[:, 1]
    if family == "gaussian":
        return eta + rng.normal(size=N), X
    if family == "binomial":
        return (rng.uniform(size=N) < 1.0 / (1.0 + np.exp(-eta))).astype(float), X
    return rng.poisson(np.exp(eta)).astype(float), X


def by_formula(y, X, family):
    data = pd.DataFrame(X, columns=list("abcdefgh")).assign(y=y)
    data["level"] = np.array(list("uvwz"))[np.arange(N) % 4]
    return pg.glm("y ~ a + b + C(level) + c:d + e + f", data, family)


STORED = {
    "dense": pg.PenalizedGLM,
    "sparse": lambda y, X, family: pg.PenalizedGLM(y, sparse.csc_array(X), family),
    "formula": by_formula,
}


def numbers(*solutions):
    """Return all that solutions hold."""
    return np.concatenate([
        [s.alpha, s.intercept, s.deviance, s.certificate.kkt_residual, *s.coef]
        for s in solutions
    ])  # fmt: skip


def folds(model):
    cv = model.fit_cv(3, n_alphas=4)
    return np.r_[numbers(*cv.solutions), cv.mean_score, cv.std_score]


def at_once(work, arguments):
    """Return what a function gives for each argument, all of them started together."""
    start = Barrier(AT_ONCE)

    def one(argument):
        start.wait(timeout=60)
        return work(argument)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, arguments))


VERBS = {
    "fit": lambda model: numbers(model.fit(0.03, 0.7).solution),
    "fit_path": lambda model: numbers(*model.fit_path(n_alphas=8).solutions),
    "fit_cv": folds,
}

# A family without compiled kernels takes its time.
CASES = [
    *itertools.product(("gaussian", "binomial", "poisson"), STORED),
    ("negative binomial", "dense"),
]


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(("family", "stored"), CASES)
def test_fits_at_once_equal_fits_in_turn(family, stored, verb):
    def fit(seed):
        model = STORED[stored](*rows(seed, family), FAMILIES[family])
        return VERBS[verb](model)

    in_turn = [fit(seed) for seed in range(AT_ONCE)]
    for found, expected in zip(at_once(fit, range(AT_ONCE)), in_turn, strict=True):
        assert_array_equal(found, expected)


@pytest.mark.parametrize("family", ["gaussian", "poisson"])
def test_one_model_shared_by_threads_gives_each_its_own_answer(family):
    alphas = np.geomspace(0.3, 0.01, AT_ONCE).tolist()
    fresh = [
        numbers(pg.PenalizedGLM(*rows(0, family), family).fit(alpha).solution)
        for alpha in alphas
    ]
    # What a statement computes when first asked for is asked for by all of them.
    model = pg.PenalizedGLM(*rows(0, family), family)
    found = at_once(lambda alpha: numbers(model.fit(alpha).solution), alphas)
    for shared, expected in zip(found, fresh, strict=True):
        assert_array_equal(shared, expected)


@pytest.mark.parametrize("kind", ["regressor", "classifier"])
def test_estimators_at_once_equal_estimators_in_turn(kind):
    estimators = pytest.importorskip("penglm.estimators")

    def fit(seed):
        y, X = rows(seed, "poisson")
        table = pd.DataFrame(X, columns=list("abcdefgh"))
        model = (
            estimators.PenalizedGLMRegressorCV("poisson", n_alphas=5, cv=3)
            if kind == "regressor"
            else estimators.PenalizedLogisticClassifier(alpha=0.03)
        )
        y = y if kind == "regressor" else y > 0
        model.fit(table, y, offset=pd.Series(X[:, 1]))
        return np.r_[model.coef_, model.predict(table, offset=X[:, 1])]

    in_turn = [fit(seed) for seed in range(AT_ONCE)]
    for found, expected in zip(at_once(fit, range(AT_ONCE)), in_turn, strict=True):
        assert_array_equal(found, expected)
