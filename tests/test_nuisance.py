"""A parameter estimated with the fit: both are optimal given the other."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import digamma

import penglm as pg
from penglm import nuisance
from penglm.estimators import PenalizedGLMRegressor
from penglm.exceptions import (
    ConvergenceWarning,
    NoFiniteSolutionError,
    PenglmInputError,
)
from penglm.families import NegativeBinomial

N, P = 400, 6
# Rounds end when no variance changes by more than 1e-8 of its size.
STATIONARY = 1e-7
ESTIMATE = NegativeBinomial(theta="estimate")


def draw(theta=2.0, seed=0):
    """Return counts that vary more than Poisson's, columns, and an offset."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N, P))
    offset = rng.normal(0.0, 0.3, N)
    mu = np.exp(0.5 + offset + 0.6 * X[:, 0] - 0.4 * X[:, 1])
    return rng.poisson(rng.gamma(theta, mu / theta)).astype(float), X, offset


def slope_in_theta(fit):
    """Return the slope of the log-likelihood in theta over the sum of its sizes."""
    t, mu, y = fit.spec.family.theta, fit.fittedvalues, fit.data.y
    rows = digamma(y + t) - digamma(t) + np.log(t / (mu + t)) + (mu - y) / (mu + t)
    weighted = fit.data.sample_weight * rows
    return weighted.sum() / np.abs(weighted).sum()


def peer_of(y, X, offset=None):
    """Return the joint maximum-likelihood fit of statsmodels."""
    model = sm.NegativeBinomial(y, sm.add_constant(X), offset=offset)
    near = model.fit(method="bfgs", maxiter=500, gtol=1e-6, disp=0)
    return model.fit(near.params, method="newton", tol=1e-14, maxiter=50, disp=0)


def assert_same(found, expected):
    assert found.spec.family.theta == pytest.approx(1 / expected.params[-1], rel=1e-6)
    assert_allclose(found.params, expected.params[:-1], rtol=1e-6)
    assert found.llf == pytest.approx(expected.llf, rel=1e-10)
    assert found.aic == pytest.approx(expected.aic, rel=1e-10)


@pytest.mark.parametrize("theta", [0.3, 2.0, 20.0])
def test_unpenalised_fit_is_the_joint_maximum_of_statsmodels(theta):
    y, X, offset = draw(theta)
    found = pg.PenalizedGLM(y, X, ESTIMATE, offset=offset).fit(0.0, tol=1e-10)
    assert_same(found, peer_of(y, X, offset))


def test_articles_of_biochemists_have_the_theta_of_statsmodels(shared):
    table = pd.read_csv(shared / "data" / "biochemists.csv")
    model = pg.glm("art ~ fem + mar + kid5 + phd + ment", table, ESTIMATE)
    y, names = table["art"].to_numpy(float), ["kid5", "phd", "ment"]
    X = np.c_[table["fem"] == "Women", table["mar"] == "Single", table[names]]
    assert_same(model.fit(0.0, tol=1e-10), peer_of(y, X.astype(float)))


@pytest.mark.parametrize("alpha", [0.0, 0.05, 0.3])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.4])
def test_theta_and_coefficients_are_optimal_given_each_other(alpha, l1_ratio):
    y, X, offset = draw()
    rows = {"offset": offset, "var_weights": np.linspace(0.5, 1.5, N)}
    fit = pg.PenalizedGLM(y, X, ESTIMATE, **rows).fit(alpha, l1_ratio, tol=1e-9)
    assert abs(slope_in_theta(fit)) < STATIONARY
    judged = pg.certify(
        fit.coef, fit.intercept, y, X, alpha=alpha, l1_ratio=l1_ratio,
        family=NegativeBinomial(theta=fit.spec.family.theta), **rows,
    )  # fmt: skip
    assert judged.kkt_residual < 1e-8


def test_no_other_theta_has_a_lower_penalised_likelihood():
    y, X, _ = draw()
    alpha = 0.1

    def objective(fit):
        scaled = np.abs(fit.coef) * X.std(axis=0)
        return -fit.llf / N + alpha * scaled.sum()

    best = pg.PenalizedGLM(y, X, ESTIMATE).fit(alpha, tol=1e-10)
    for factor in (0.9, 0.999, 1.001, 1.1):
        family = NegativeBinomial(theta=factor * best.spec.family.theta)
        other = pg.PenalizedGLM(y, X, family).fit(alpha, tol=1e-10)
        assert objective(other) > objective(best)


def test_rows_repeated_are_rows_with_counts():
    y, X, _ = draw()
    often = np.resize([1, 2, 3, 0], N)
    found = pg.PenalizedGLM(y, X, ESTIMATE, freq_weights=often).fit(0.05, tol=1e-9)
    places = np.repeat(np.arange(N), often)
    expected = pg.PenalizedGLM(y[places], X[places], ESTIMATE).fit(0.05, tol=1e-9)
    assert_allclose(found.params, expected.params, rtol=1e-6, atol=1e-9)
    assert found.spec.family.theta == pytest.approx(
        expected.spec.family.theta, rel=STATIONARY
    )


def test_a_path_holds_the_theta_of_its_fit_of_least_bic():
    y, X, _ = draw()
    model = pg.PenalizedGLM(y, X, ESTIMATE)
    path = model.fit_path()
    null = model.fit(np.inf)
    first = pg.PenalizedGLM(y, X, null.spec.family).fit_path()
    alone = model.fit(first.select("bic").alpha)
    assert path.spec.family.theta == alone.spec.family.theta
    assert null.spec.family.theta < alone.spec.family.theta
    held = pg.PenalizedGLM(y, X, alone.spec.family).fit_path()
    assert_array_equal(path.coef, held.coef)


def test_folds_and_mixes_are_scored_at_one_theta():
    y, X, _ = draw()
    fold = np.resize(np.arange(4), N)
    chosen = pg.PenalizedGLM(y, X, ESTIMATE).fit_cv(fold, l1_ratio=[1.0, 0.5])
    family = chosen.spec.family
    assert family.theta == pg.PenalizedGLM(y, X, ESTIMATE).fit_path().spec.family.theta
    held = pg.PenalizedGLM(y, X, family).fit_cv(fold, l1_ratio=[1.0, 0.5])
    assert_array_equal(chosen.mean_score, held.mean_score)
    assert chosen.mean_score_by_l1_ratio == held.mean_score_by_l1_ratio


def test_a_budget_takes_the_theta_of_the_path():
    y, X, _ = draw()
    model = pg.PenalizedGLM(y, X, ESTIMATE)
    fit = model.fit(budget=0.3)
    assert fit.spec.family.theta == model.fit_path().spec.family.theta
    assert np.abs(fit.coef * X.std(axis=0)).sum() == pytest.approx(0.3, rel=1e-8)


def test_criteria_count_the_theta_and_model_files_keep_that(tmp_path):
    y, X, _ = draw()
    fit = pg.PenalizedGLM(y, X, ESTIMATE).fit(0.05)
    held = pg.PenalizedGLM(y, X, fit.spec.family).fit(0.05)
    assert fit.llf == held.llf
    assert fit.aic == held.aic + 2.0
    fit.save(tmp_path / "model.json")
    loaded = pg.load(tmp_path / "model.json")
    assert loaded.aic == fit.aic
    assert loaded.spec.family.theta == fit.spec.family.theta
    assert str(loaded.summary()) == str(fit.summary())
    assert "(estimated with the fit)" in str(fit.summary())
    assert "(given)" in str(held.summary())


def test_start_of_an_earlier_fit_leads_to_the_same_place():
    y, X, _ = draw()
    model = pg.PenalizedGLM(y, X, ESTIMATE)
    earlier = model.fit(0.1)
    found, expected = model.fit(0.05, start=earlier), model.fit(0.05)
    assert found.spec.family.theta == expected.spec.family.theta
    assert_allclose(found.coef, expected.coef, rtol=0.0, atol=1e-5)


def test_counts_without_spread_are_told_to_be_poisson():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(N, 2))
    y = rng.binomial(8, 0.5, N).astype(float)
    model = pg.PenalizedGLM(y, X, ESTIMATE)
    for go in (lambda: model.fit(0.1), model.fit_path, lambda: model.fit_cv(3)):
        with pytest.raises(NoFiniteSolutionError, match="Use family='poisson'"):
            go()


@pytest.mark.parametrize("n_rows", [400, 20_000])
@pytest.mark.parametrize("seed", range(12))
def test_counts_of_poisson_have_a_large_theta_or_none(n_rows, seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, 3))
    y = rng.poisson(np.exp(1.0 + 0.3 * X[:, 0])).astype(float)
    poisson = pg.PenalizedGLM(y, X, "poisson").fit(0.0, tol=1e-9)
    excess = np.square(y - poisson.fittedvalues).sum() - y.sum()
    model = pg.PenalizedGLM(y, X, ESTIMATE)
    try:
        fit = model.fit(0.0, tol=1e-9)
    except NoFiniteSolutionError:
        assert excess < 1e-3 * y.sum()
        return
    assert excess > 0.0
    assert abs(slope_in_theta(fit)) < 1e-6
    assert fit.llf > poisson.llf


def test_what_needs_a_value_says_so():
    y, X, _ = draw()
    model = pg.PenalizedGLM(y, X, ESTIMATE)
    for go in (
        model.problem,
        model.alpha_max,
        lambda: pg.certify(np.zeros(P), 0.0, y, X, alpha=0.1, family=ESTIMATE),
    ):
        with pytest.raises(PenglmInputError, match="needs its value") as caught:
            go()
        assert caught.value.argument == "theta"


def test_regressor_predicts_and_scores_with_what_it_estimated():
    y, X, _ = draw()
    found = PenalizedGLMRegressor(ESTIMATE, alpha=0.05).fit(X, y)
    fit = pg.PenalizedGLM(y, X, ESTIMATE).fit(0.05)
    assert found.family_.theta == fit.spec.family.theta
    assert_allclose(found.predict(X), fit.fittedvalues)
    assert found.score(X, y) == pytest.approx(fit.deviance_ratio, rel=1e-8)


def test_a_theta_that_still_moves_is_told(monkeypatch):
    monkeypatch.setattr(nuisance, "MOST_ROUNDS", 1)
    y, X, _ = draw()
    with pytest.warns(ConvergenceWarning, match="theta still changes variances by"):
        pg.PenalizedGLM(y, X, ESTIMATE).fit(0.1)


def test_estimate_is_the_only_word_for_a_theta():
    with pytest.raises(PenglmInputError, match="or 'estimate'") as caught:
        NegativeBinomial(theta="guess")
    assert caught.value.argument == "theta"
