"""The constrained form says the same as the penalised one."""

import numpy as np
import pytest

import penglm as pg
from penglm.exceptions import (
    ConvergenceError,
    ConvergenceWarning,
    PenglmInputError,
    RankWarning,
    SeparationWarning,
)
from penglm.solver.solution import Status

FAMILIES = ("gaussian", "binomial", "poisson", "gamma")


def problem(family, n, p, **others):
    rng = np.random.default_rng(7)
    X = rng.normal(size=(n, p)) * np.geomspace(0.1, 10.0, p)
    eta = 0.5 * X[:, :3] @ (np.array([1.0, -1.0, 0.5]) / X[:, :3].std(axis=0))
    y = {
        "gaussian": eta + rng.normal(size=n),
        "binomial": rng.binomial(1, 1.0 / (1.0 + np.exp(-eta))),
        "poisson": rng.poisson(np.exp(eta)),
        "gamma": np.exp(eta) * rng.gamma(2.0, size=n),
    }[family]
    link = "log" if family == "gamma" else None
    return pg.PenalizedGLM(y, X, family=family, link=link, **others)


def cost(fit, l1_ratio):
    """Return what the coefficients cost, by the definition in docs/objective.md."""
    is_scaled = fit.spec.standardize
    b = fit.coef * (fit.data.design.to_dense().std(axis=0) if is_scaled else 1.0)
    each = l1_ratio * np.abs(b) + 0.5 * (1.0 - l1_ratio) * b**2
    return float(fit.spec.penalty_factor @ each)


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5, 0.0])
@pytest.mark.parametrize("shape", [(200, 10), (60, 150)], ids=["tall", "wide"])
@pytest.mark.parametrize("family", FAMILIES)
def test_budget_of_a_fit_gives_that_fit(family, shape, l1_ratio):
    model = problem(family, *shape)
    path = model.fit_path(n_alphas=12, alpha_min_ratio=0.02, l1_ratio=l1_ratio)
    for k in (3, len(path) - 1):
        fit = model.fit(budget=path.budgets[k], l1_ratio=l1_ratio)
        assert fit.converged
        assert cost(fit, l1_ratio) == pytest.approx(path.budgets[k], rel=1e-8, abs=0.0)
        assert fit.alpha == pytest.approx(path.alphas[k], rel=1e-3)
        judged = path.at(budget=path.budgets[k])
        np.testing.assert_array_equal(judged.coef, fit.coef)


# Raw columns whose units lie far apart are one of the cases.
@pytest.mark.filterwarnings("ignore::penglm.exceptions.ScalingWarning")
@pytest.mark.parametrize(
    "others",
    [
        {"standardize": False},
        {"penalty_factor": [0.0, 2.0, *np.ones(8)]},
        {"penalty_factor": [np.inf, *np.ones(9)]},
        {"lower": 0.0},
        {"upper": [0.02, *np.full(9, np.inf)]},
        {"fit_intercept": False},
    ],
    ids=lambda others: "-".join(others),
)
def test_arguments_of_the_penalty_count(others):
    model = problem("poisson", 200, 10, **others)
    most = 0.4
    fit = model.fit(budget=most)
    assert fit.converged
    assert fit.alpha > 0.0
    sd = fit.data.design.to_dense().std(axis=0)
    if not fit.spec.fit_intercept:
        sd = model.problem().penalty.size
    b = fit.coef * (sd if fit.spec.standardize else 1.0)
    factor = np.where(np.isinf(fit.spec.penalty_factor), 0.0, fit.spec.penalty_factor)
    assert factor @ np.abs(b) == pytest.approx(most, rel=1e-8, abs=0.0)


# Its columns differ by far, and the budget is on raw coefficients.
@pytest.mark.filterwarnings("ignore::penglm.exceptions.ScalingWarning")
def test_least_loss_among_those_that_cost_no_more():
    model = problem("gaussian", 80, 4, standardize=False)
    fit = model.fit(budget=0.5)
    X, y = fit.data.design.to_dense(), fit.data.y
    best = fit.deviance
    rng = np.random.default_rng(0)
    for _ in range(500):
        b = fit.coef + rng.normal(size=4) * rng.choice([1e-3, 1e-2, 0.1, 1.0])
        b *= min(1.0, 0.5 / np.abs(b).sum())
        eta = X @ b
        apart = y - eta
        assert np.sum((apart - apart.mean()) ** 2) >= best * (1.0 - 1e-8)


def test_nothing_to_spend():
    model = problem("binomial", 100, 5)
    fit = model.fit(budget=0.0)
    assert fit.converged
    assert fit.n_nonzero == 0
    ridge = model.fit(budget=0.0, l1_ratio=0.0)
    assert ridge.alpha == np.inf
    assert ridge.n_nonzero == 0


def test_more_than_there_is_use_for():
    model = problem("gamma", 200, 10)
    fit, free = model.fit(budget=1e6), model.fit(0.0)
    assert fit.alpha == 0.0
    np.testing.assert_allclose(fit.coef, free.coef, rtol=1e-6)


def test_more_than_interpolation_needs():
    model = problem("gaussian", 20, 60)
    with pytest.warns(RankWarning, match="rank 19 < 60"):
        fit = model.fit(budget=1e3)
    assert fit.converged
    assert fit.deviance <= 1e-8 * fit.null_deviance
    assert cost(fit, 1.0) <= 1e3


def test_budget_without_end_is_no_limit():
    model = problem("poisson", 200, 10)
    fit = model.fit(budget=np.inf)
    np.testing.assert_array_equal(fit.coef, model.fit(0.0).coef)


# Very different columns are what it is about.
@pytest.mark.filterwarnings("ignore::penglm.exceptions.ScalingWarning")
@pytest.mark.parametrize("share", [0.01, 0.1, 0.9])
def test_columns_of_very_different_size_share_a_budget(share):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 8)) * np.geomspace(1e-8, 1e8, 8)
    y = X @ (np.ones(8) / X.std(axis=0)) + rng.normal(size=200)
    model = pg.PenalizedGLM(y, X, standardize=False)
    most = share * np.abs(model.fit(0.0).coef).sum()
    fit = model.fit(budget=most)
    assert fit.converged
    assert cost(fit, 1.0) == pytest.approx(most, rel=1e-8, abs=0.0)


@pytest.mark.parametrize("most", [1e-3, 1e-6, 1e-9, 1e-12])
@pytest.mark.parametrize("family", FAMILIES)
def test_next_to_nothing_to_spend(family, most):
    model = problem(family, 200, 10)
    fit = model.fit(budget=most)
    assert fit.converged
    assert cost(fit, 1.0) <= most * (1.0 + 1e-8)
    # What it leaves is worth less than the strength times that.
    left = fit.alpha * (most - cost(fit, 1.0))
    assert left <= 1e-8 * fit.null_deviance / (2.0 * fit.nobs)


def test_separated_classes_spend_any_budget():
    X = np.linspace(-1.0, 1.0, 20)[:, None]
    model = pg.PenalizedGLM((X[:, 0] > 0.1).astype(int), X, family="binomial")
    fit = model.fit(budget=50.0)
    assert fit.converged
    assert cost(fit, 1.0) == pytest.approx(50.0, rel=1e-8, abs=0.0)


def test_free_columns_that_separate_are_told_whatever_the_budget():
    X = np.linspace(-1.0, 1.0, 20)[:, None] ** [1, 2]
    y = (X[:, 0] > 0.1).astype(int)
    model = pg.PenalizedGLM(y, X, "binomial", penalty_factor=[0.0, 1.0])
    with pytest.warns(SeparationWarning, match="Penalise those columns"):
        fit = model.fit(budget=1.0)
    assert fit.status is Status.NO_FINITE_SOLUTION


def test_budget_within_a_jump_is_told_with_what_the_solution_costs():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 1))
    y = rng.wald(np.exp(1.2 * x[:, 0]), 3.0)
    model = pg.PenalizedGLM(y, x, "inverse_gaussian", link="log")
    text = r"costs .*e-0\d of the budget 0\.05, and next to it solutions jump beyond"
    with pytest.warns(ConvergenceWarning, match=text):
        fit = model.fit(budget=0.05)
    assert fit.status is Status.OPTIMAL_INACCURATE
    # What follows in the path costs fourteen times as much.
    assert model.fit(0.9999 * model.alpha_max()).coef[0] * x.std() > 0.7
    with pytest.raises(ConvergenceError, match=text):
        model.fit(budget=0.05, on_nonconvergence="raise")


def test_result_says_how_it_was_chosen():
    fit = problem("poisson", 100, 5).fit(budget=0.25)
    assert fit.chosen_by == "budget 0.25"
    assert "budget 0.25" in str(fit.summary())


def test_budgets_rise_down_the_path():
    path = problem("poisson", 200, 10).fit_path(n_alphas=30)
    assert np.all(np.diff(path.budgets) >= -1e-9 * path.budgets.max())


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({}, "alpha or budget is needed and neither"),
        ({"alpha": 0.1, "budget": 1.0}, "alpha or budget is needed and both"),
        ({"budget": -1.0}, "budget = -1.0; budget must be >= 0"),
        ({"budget": np.nan}, "budget = nan"),
    ],
)
def test_requests_that_make_no_sense(arguments, text):
    with pytest.raises(PenglmInputError, match=text):
        problem("gaussian", 50, 3).fit(**arguments)


def test_limits_that_cost_more_than_allowed():
    model = problem("gaussian", 50, 3, lower=[0.5, -np.inf, -np.inf], standardize=False)
    with pytest.raises(PenglmInputError, match=r"cost at least 0\.5; allow as much"):
        model.fit(budget=0.2)
