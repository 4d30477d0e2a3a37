"""Columns of 0 and 1 keep their unit with ``standardize="numeric"``."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

import penglm as pg
from penglm.design import as_design
from penglm.estimators import PenalizedGLMRegressor
from penglm.exceptions import PenglmInputError
from penglm.judging import verify

N = 240
NUMBERS = 2


def table(seed=0):
    """Return counts, two numbers of other units, and a factor with rare levels."""
    rng = np.random.default_rng(seed)
    data = pd.DataFrame(
        {
            "small": 0.01 * rng.normal(size=N),
            "large": 100.0 * rng.normal(size=N) + 5.0,
            "level": rng.choice(list("abcd"), N, p=[0.6, 0.25, 0.1, 0.05]),
            "w": rng.uniform(0.5, 2.0, N),
        }
    )
    eta = 0.4 * data["large"] / 100.0 + (data["level"] == "d")
    data["y"] = rng.poisson(np.exp(eta))
    return data


def columns(data):
    """Return numbers first, then the levels but one."""
    levels = (data["level"].to_numpy()[:, None] == list("bcd")).astype(float)
    return np.c_[data[["small", "large"]], levels]


def by_hand(X, weight):
    """Return sd of the numbers, 1 of the levels."""
    mean = np.average(X, axis=0, weights=weight)
    sd = np.sqrt(np.average((X - mean) ** 2, axis=0, weights=weight))
    return np.where(np.arange(X.shape[1]) < NUMBERS, sd, 1.0)


def stated(data, storage, **more):
    """Return the model in a storage."""
    X, weight = columns(data), data["w"].to_numpy()
    if storage == "formula":
        formula = "y ~ small + large + level"
        return pg.glm(formula, data, "poisson", var_weights="w", **more)
    made = {"dense": np.asarray, "float32": np.float32, "sparse": sparse.csr_array}
    y = data["y"].to_numpy()
    return pg.PenalizedGLM(y, made[storage](X), "poisson", var_weights=weight, **more)


def in_order(path, X):
    """Return coefficients (p, m) with the numbers first, whatever their order."""
    coef = path.coef.to_numpy()
    names = list(path.coef.index)
    first = [j for j, name in enumerate(names) if name in ("small", "large")]
    is_named = len(first) == NUMBERS
    rest = [j for j in range(X.shape[1]) if j not in first]
    return coef[first + rest] if is_named else coef


@pytest.mark.parametrize("l1_ratio", [1.0, 0.3, 0.0])
@pytest.mark.parametrize("storage", ["dense", "float32", "sparse", "formula"])
def test_it_is_the_fit_of_numbers_scaled_by_hand(storage, l1_ratio):
    data = table()
    X, y, weight = columns(data), data["y"].to_numpy(), data["w"].to_numpy()
    X = X.astype(np.float32).astype(float) if storage == "float32" else X
    unit = by_hand(X, weight)
    alphas = [0.2, 0.05, 0.01]
    other = pg.PenalizedGLM(
        y, X / unit, "poisson", var_weights=weight, standardize=False
    )
    expected = other.fit_path(alphas, l1_ratio=l1_ratio, tol=1e-9)
    model = stated(data, storage, standardize="numeric")
    found = model.fit_path(alphas, l1_ratio=l1_ratio, tol=1e-9)
    expected_coef = expected.coef.to_numpy() / unit[:, None]
    size = np.maximum(np.abs(expected_coef).max(axis=1, keepdims=True), 1e-300)
    assert_allclose(
        in_order(found, X) / size, expected_coef / size, rtol=0.0, atol=1e-6
    )
    assert_allclose(found.budgets, expected.budgets, rtol=1e-6)


# One of the three leaves 0.01 beside 100, and is warned about that.
@pytest.mark.filterwarnings("ignore::penglm.exceptions.ScalingWarning")
def test_answer_differs_from_both_others():
    data = table()
    fits = [
        stated(data, "dense", standardize=how).fit(0.05).coef
        for how in (True, False, "numeric")
    ]
    for a, b in [(0, 1), (0, 2), (1, 2)]:
        assert np.abs(fits[a] - fits[b]).max() > 1e-3


def test_folds_certificates_and_explanations_know_it():
    data = table()
    X, y, weight = columns(data), data["y"].to_numpy(), data["w"].to_numpy()
    model = stated(data, "dense", standardize="numeric")
    cv = model.fit_cv(np.resize(np.arange(4), N))
    judged = pg.certify(
        cv.best.coef, cv.best.intercept, y, X, alpha=cv.best.alpha, family="poisson",
        var_weights=weight, standardize="numeric",
    )  # fmt: skip
    assert judged.kkt_residual < 1e-5
    fit = model.fit(0.05)
    # On the scale that is penalised no signal of a zero column exceeds alpha.
    rows = fit.explain().frame()
    mu = fit.fittedvalues
    mean = np.average(X, axis=0, weights=weight)
    slope = (X - mean).T @ (weight * (y - mu)) / weight.sum() / by_hand(X, weight)
    zero = fit.coef == 0.0
    assert zero.any()
    assert not zero.all()
    assert np.all(np.abs(slope[zero]) <= 0.05)
    assert_allclose(np.abs(slope[~zero]), 0.05, rtol=1e-4)
    told = (np.abs(rows["signal"]) / rows["threshold"]).to_numpy()
    assert_allclose(told[zero], np.abs(slope[zero]) / 0.05, rtol=1e-3)
    budget = model.fit(budget=0.4)
    cost = np.abs(budget.coef * by_hand(X, weight)).sum()
    assert cost == pytest.approx(0.4, rel=1e-8)


def test_adaptive_factors_are_powers_of_what_is_penalised():
    data = table()
    X, weight = columns(data), data["w"].to_numpy()
    model = stated(data, "dense", standardize="numeric")
    fit = model.fit(0.01, penalty=pg.Adaptive(pilot="unpenalised"))
    pilot = model.fit(0.0, tol=1e-9)
    expected = 1.0 / np.abs(pilot.coef * by_hand(X, weight))
    assert_allclose(fit.spec.penalty_factor, expected, rtol=1e-5)


def test_rows_of_weight_zero_do_not_decide():
    data = table()
    X, weight = columns(data), data["w"].to_numpy().copy()
    X[3, 4], weight[3] = 7.0, 0.0
    with_row = pg.PenalizedGLM(
        data["y"], X, "poisson", var_weights=weight, standardize="numeric"
    ).fit(0.05)
    keep = np.arange(N) != 3
    without = pg.PenalizedGLM(
        data["y"][keep], X[keep], "poisson", var_weights=weight[keep],
        standardize="numeric",
    ).fit(0.05)  # fmt: skip
    assert_array_equal(with_row.params, without.params)


def test_indicators_are_told_by_their_numbers():
    data = table()
    X = np.c_[columns(data), 2.0 * (data["level"] == "b"), -1.0 * (data["w"] > 1)]
    expected = [False, False, True, True, True, False, False]
    for made in (np.asfortranarray(X), X, X.astype(np.float32), sparse.csr_array(X)):
        assert as_design(made).is_indicator().tolist() == expected
    model = pg.glm("y ~ small + level + level:large", data, coding="full")
    is_level = [":" not in name and name != "small" for name in model.data.names]
    assert model.data.design.is_indicator().tolist() == is_level


def test_files_summaries_and_estimators_keep_the_word(tmp_path):
    data = table()
    fit = stated(data, "formula", standardize="numeric").fit(0.05)
    assert "but for 0 and 1" in str(fit.summary())
    fit.save(tmp_path / "model.json")
    loaded = pg.load(tmp_path / "model.json")
    assert loaded.spec.standardize == "numeric"
    assert verify(loaded, data).kkt_residual < 1e-5
    X, y = columns(data), data["y"].to_numpy()
    found = PenalizedGLMRegressor("poisson", alpha=0.05, standardize="numeric")
    expected = pg.PenalizedGLM(y, X, "poisson", standardize="numeric").fit(0.05)
    assert_array_equal(found.fit(X, y).coef_, expected.coef)


@pytest.mark.parametrize("other", ["dummies", None, 2, 0.5, [True, False], np.ones(3)])
def test_other_words_are_refused(other):
    data = table()
    with pytest.raises(PenglmInputError, match="or 'numeric'") as caught:
        stated(data, "dense", standardize=other)
    assert caught.value.argument == "standardize"
