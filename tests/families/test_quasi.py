"""Quasi-likelihoods: the coefficients of a distribution, the dispersion of the data."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose, assert_array_equal

import penglm as pg
from penglm import response
from penglm.exceptions import PenglmInputError
from penglm.families import as_family

PAIRS = {"quasipoisson": "poisson", "quasibinomial": "binomial"}
# Enough rows for the compiled terms, and for several columns to matter.
N, P = 600, 8
AGREE = 1e-8
both = pytest.mark.parametrize("quasi", PAIRS)


def draw(quasi):
    """Return a response that varies more than its distribution, and columns."""
    rng = np.random.default_rng(list(PAIRS).index(quasi))
    X = rng.normal(size=(N, P))
    eta = 0.5 * X[:, 0] - 0.3 * X[:, 1]
    if quasi == "quasipoisson":
        return 0.7 * rng.poisson(rng.gamma(2.0, np.exp(eta))), X
    share = 1.0 / (1.0 + np.exp(-eta))
    y = rng.beta(0.8 * share, 0.8 * (1.0 - share))
    y[:4] = [0.0, 1.0, 1.0, 0.0]
    return y, X


@both
@pytest.mark.parametrize("alpha", [0.0, 0.02])
def test_every_bit_of_the_coefficients_is_that_of_the_distribution(quasi, alpha):
    y, X = draw(quasi)
    found = pg.PenalizedGLM(y, X, quasi).fit(alpha)
    expected = pg.PenalizedGLM(y, X, PAIRS[quasi]).fit(alpha)
    assert_array_equal(found.params, expected.params)
    assert found.deviance == expected.deviance
    assert found.certificate == expected.certificate


@both
def test_path_is_that_of_the_distribution(quasi):
    y, X = draw(quasi)
    found = pg.PenalizedGLM(y, X, quasi).fit_path()
    expected = pg.PenalizedGLM(y, X, PAIRS[quasi]).fit_path()
    assert found.converged
    assert_array_equal(found.coef, expected.coef)


@both
@pytest.mark.parametrize("weighted", [False, True])
def test_dispersion_is_what_statsmodels_estimates_by_pearson(quasi, weighted):
    y, X = draw(quasi)
    rng = np.random.default_rng(5)
    rows = {"var_weights": rng.uniform(0.5, 2.0, N)} if weighted else {}
    kind = getattr(sm.families, PAIRS[quasi].capitalize())()
    expected = sm.GLM(y, sm.add_constant(X), kind, **rows).fit(scale="X2", tol=1e-13)
    found = pg.PenalizedGLM(y, X, quasi, **rows).fit(0.0, tol=1e-9)
    assert found.scale == pytest.approx(expected.scale, rel=AGREE)
    assert_allclose(found.params, expected.params, rtol=AGREE)


@both
@pytest.mark.parametrize("asked", ["llf", "aic", "bic", "ebic"])
def test_no_likelihood_is_an_error_that_says_what_to_do(quasi, asked):
    y, X = draw(quasi)
    fit = pg.PenalizedGLM(y, X, quasi).fit(0.02)
    with pytest.raises(PenglmInputError, match=r"Choose by fit_cv\(\)") as caught:
        getattr(fit, asked)
    assert f"family='{PAIRS[quasi]}'" in str(caught.value)
    assert caught.value.argument == "family"


@both
def test_no_criterion_chooses_along_a_path(quasi):
    y, X = draw(quasi)
    path = pg.PenalizedGLM(y, X, quasi).fit_path(n_alphas=5)
    with pytest.raises(PenglmInputError, match="no log-likelihood"):
        path.select("bic")
    with pytest.raises(PenglmInputError, match="no log-likelihood"):
        path[0].dispersion("likelihood")


@both
def test_cross_validation_scores_are_those_of_the_distribution(quasi):
    y, X = draw(quasi)
    fold = np.resize(np.arange(5), N)
    found = pg.PenalizedGLM(y, X, quasi).fit_cv(fold)
    expected = pg.PenalizedGLM(y, X, PAIRS[quasi]).fit_cv(fold)
    assert_array_equal(found.mean_score, expected.mean_score)


@both
def test_summary_prints_the_dispersion_instead(quasi):
    y, X = draw(quasi)
    fit = pg.PenalizedGLM(y, X, quasi).fit(0.02)
    text = str(fit.summary())
    assert "BIC" not in text
    assert f"{fit.scale:.5g}" in text
    assert "none" in fit.summary().as_html()


@both
def test_model_file_comes_back_without_a_likelihood(quasi, tmp_path):
    y, X = draw(quasi)
    fit = pg.PenalizedGLM(y, X, quasi).fit(0.02)
    fit.save(tmp_path / "model.json")
    loaded = pg.load(tmp_path / "model.json")
    assert repr(loaded.spec.family) == repr(fit.spec.family)
    assert_array_equal(loaded.predict(X), fit.predict(X))
    assert loaded.scale == fit.scale
    assert str(loaded.summary()) == str(fit.summary())
    with pytest.raises(PenglmInputError, match="no log-likelihood"):
        _ = loaded.llf


def test_shares_have_no_classes():
    y, X = draw("quasibinomial")
    model = pg.PenalizedGLM(y, X, "quasibinomial")
    with pytest.raises(PenglmInputError, match="for the binomial family"):
        model.fit(0.1).predict(which="class")
    with pytest.raises(PenglmInputError, match="for the binomial family"):
        model.fit_cv(3, metric="auc")
    with pytest.raises(PenglmInputError, match="with the text 'no'"):
        response.read(["no", "yes"], as_family("quasibinomial"))
    table = pd.DataFrame({"y": ["no", "yes"] * 4, "x": np.arange(8.0)})
    with pytest.raises(PenglmInputError, match="only the binomial family takes labels"):
        pg.glm("y ~ x", table, "quasibinomial")


def test_folds_of_shares_are_not_stratified():
    # By value, hundreds of different shares would be classes of one row each.
    y, X = draw("quasibinomial")
    fold = pg.PenalizedGLM(y, X, "quasibinomial").fit_cv(10, n_alphas=5).fold
    assert np.ptp(np.bincount(fold)) <= 1


def test_counts_of_two_outcomes_are_shares_with_trials():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(N, 2))
    trials = rng.integers(1, 20, N)
    share = rng.beta(1.0, 1.0 + np.exp(X[:, 0]))
    successes = rng.binomial(trials, share)
    pair = np.c_[successes, trials - successes]
    found = pg.PenalizedGLM(pair, X, "quasibinomial").fit(0.0, tol=1e-9)
    # From a pair of counts statsmodels estimates a scale that forgets the trials.
    peer = sm.GLM(
        successes / trials, sm.add_constant(X), sm.families.Binomial(),
        var_weights=trials,
    )  # fmt: skip
    expected = peer.fit(scale="X2", tol=1e-13)
    assert_allclose(found.params, expected.params, rtol=AGREE)
    assert found.scale == pytest.approx(expected.scale, rel=AGREE)
    assert found.scale > 1.5


@pytest.mark.parametrize(
    ("quasi", "value", "needs"),
    [("quasipoisson", -0.5, "y >= 0"), ("quasibinomial", 1.5, "0 <= y <= 1")],
)
def test_response_out_of_range_is_refused(quasi, value, needs):
    y, X = draw(quasi)
    y[7] = value
    with pytest.raises(PenglmInputError, match=needs) as caught:
        pg.PenalizedGLM(y, X, quasi)
    assert caught.value.index == 7
