"""Relaxed fits: both ends certified, mixed, and chosen by leaving folds out."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose, assert_array_equal

import penglm as pg
from penglm.exceptions import (
    ModelFileError,
    PenglmInputError,
    RankWarning,
    SeparationWarning,
)
from penglm.families import NegativeBinomial
from penglm.judging import verify, with_rows
from penglm.solver.solution import Status

KNOWN = json.loads(
    (Path(__file__).parent / "reference" / "relaxed" / "problems.json").read_text()
)
N, P = 150, 8
FAMILIES = ["gaussian", "binomial", "poisson", "gamma"]
LINKS = {"gamma": {"link": "log"}}


def draw(family="gaussian", seed=0, n_rows=N, n_columns=P):
    """Return a response of three columns, columns, weights and an offset."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, n_columns))
    offset = 0.2 * rng.normal(size=n_rows)
    eta = 0.7 * X[:, 0] - 0.5 * X[:, 1] + 0.3 * X[:, 2] + offset
    y = {
        "gaussian": lambda: eta + rng.normal(size=n_rows),
        "binomial": lambda: rng.binomial(1, 1.0 / (1.0 + np.exp(-eta))).astype(float),
        "poisson": lambda: rng.poisson(np.exp(eta)).astype(float),
        "gamma": lambda: rng.gamma(2.0, np.exp(eta) / 2.0),
    }[family]()
    return y, X, rng.uniform(0.5, 2.0, n_rows), offset


def build(family="gaussian", **more):
    """Return a model with weights and an offset."""
    y, X, weight, offset = draw(family)
    rows = {"var_weights": weight, "offset": offset, **LINKS.get(family, {})}
    return pg.PenalizedGLM(y, X, family, **rows, **more)


@pytest.mark.parametrize(
    "known", KNOWN["fits"], ids=lambda known: f"{known['family']}-{known['alpha']:g}"
)
def test_every_mix_is_that_of_glmnet(known):
    family, X = known["family"], np.array(KNOWN["X"])
    model = pg.PenalizedGLM(
        np.array(KNOWN["y"][family]), X, family, var_weights=KNOWN["weight"],
        offset=KNOWN["offset"], standardize=False,
    )  # fmt: skip
    fit = model.fit(known["alpha"], tol=1e-10)
    for gamma, coef in known["coef"].items():
        found = fit.relax(float(gamma))
        assert_allclose(np.r_[found.intercept, found.coef], coef, rtol=0, atol=1e-7)


@pytest.mark.parametrize("family", FAMILIES)
def test_refit_is_the_unpenalised_fit_of_statsmodels_on_the_support(family):
    y, X, weight, offset = draw(family)
    fit = build(family).fit(0.1, tol=1e-9)
    assert 0 < fit.n_nonzero < P
    found = fit.relax()
    kinds = {
        "gaussian": sm.families.Gaussian, "binomial": sm.families.Binomial,
        "poisson": sm.families.Poisson,
        "gamma": lambda: sm.families.Gamma(sm.families.links.Log()),
    }  # fmt: skip
    columns = sm.add_constant(X[:, fit.support])
    peer = sm.GLM(
        y, columns, kinds[family](), offset=offset, var_weights=weight
    ).fit(tol=1e-14, maxiter=200)  # fmt: skip
    assert_allclose(np.r_[found.intercept, found.coef[fit.support]], peer.params,
                    rtol=1e-8)  # fmt: skip
    assert found.deviance == pytest.approx(peer.deviance, rel=1e-10)
    assert found.llf == pytest.approx(peer.llf, rel=1e-9)
    assert_array_equal(np.delete(found.coef, fit.support), 0.0)


@pytest.mark.parametrize("family", FAMILIES)
def test_ends_are_the_fits_to_the_last_bit_and_a_mix_lies_between(family):
    fit = build(family).fit(0.1)
    # More of the refit than of the fit: which share is whose shows.
    whole, none, mixed = (fit.relax(gamma) for gamma in (1.0, 0.0, 0.3))
    assert_array_equal(whole.params, fit.params)
    assert whole.deviance == pytest.approx(fit.deviance, rel=1e-12)
    assert_array_equal(none.coef, none.unpenalised.coef)
    assert_allclose(mixed.coef, 0.3 * fit.coef + 0.7 * none.coef, rtol=1e-14)
    assert_allclose(
        mixed.predict(which="linear"),
        0.3 * fit.predict(which="linear") + 0.7 * none.predict(which="linear"),
    )
    assert none.deviance < mixed.deviance < fit.deviance
    assert mixed.relax(0.0).deviance == none.deviance


@pytest.mark.parametrize("family", FAMILIES)
def test_each_end_is_certified_and_a_mix_claims_nothing_for_itself(family):
    y, X, weight, offset = draw(family)
    fit = build(family).fit(0.1)
    found = fit.relax(0.5)
    end = found.unpenalised
    assert np.isinf(end.spec.penalty_factor).sum() == P - fit.n_nonzero
    judged = pg.certify(
        end.coef, end.intercept, y, X, alpha=0.0, family=family, offset=offset,
        var_weights=weight, penalty_factor=end.spec.penalty_factor,
        **LINKS.get(family, {}),
    )  # fmt: skip
    assert judged.kkt_residual < 1e-5
    assert found.converged
    assert "gamma = 0.5: penalised optimal" in found.verdict
    assert "refit optimal" in found.verdict
    ends = [found.penalised.certificate, found.unpenalised.certificate]
    assert found.certificate.kkt_residual == max(each.kkt_residual for each in ends)
    assert "relaxed (gamma 0.5)" in str(found.summary())
    asked = (found.explain, found.rivals, found.scan, found.plot_geometry,
             found.plot_soft_threshold)  # fmt: skip
    for ask in asked:
        with pytest.raises(PenglmInputError, match=r"fit\.penalised"):
            ask()


def test_limits_and_free_columns_hold_in_the_refit():
    y, X, weight, offset = draw()
    rows = {"var_weights": weight, "offset": offset}
    limits = {"lower": [-np.inf, -0.2, *[0.0] * (P - 2)], "upper": [0.4] + [9.0] * 7}
    factor = np.r_[1.0, 1.0, np.ones(P - 4), 0.0, np.inf]
    model = pg.PenalizedGLM(y, X, **rows, **limits, penalty_factor=factor)
    fit = model.fit(0.05, tol=1e-9)
    found = fit.relax()
    assert found.coef[0] == 0.4
    assert found.coef[1] == -0.2
    assert found.coef[P - 1] == 0.0
    free = np.flatnonzero((fit.coef != 0.0) | (factor == 0.0))
    excluded = np.full(P, np.inf)
    excluded[free] = 1.0
    other = pg.PenalizedGLM(y, X, **rows, **limits, penalty_factor=excluded)
    assert_allclose(found.params, other.fit(0.0, tol=1e-9).params, rtol=1e-7, atol=1e-9)


def test_empty_support_is_the_null_model():
    model = build("poisson")
    found = model.fit(2.0 * model.alpha_max()).relax()
    assert found.n_nonzero == 0
    assert found.converged
    assert found.deviance == pytest.approx(found.null_deviance, rel=1e-12)


def test_a_path_is_relaxed_point_by_point():
    model = build("binomial")
    path = model.fit_path(n_alphas=12)
    found = path.relax(0.25)
    for k in (0, 3, len(path) - 1):
        expected = path[k].relax(0.25)
        assert_array_equal(found[k].params, expected.params)
        assert_array_equal(found.coef.to_numpy()[:, k], expected.coef)
        assert found.deviance_ratio[k] == expected.deviance_ratio
    assert found.converged
    assert_array_equal(found[2:5].coef, found.coef.iloc[:, 2:5])
    back = replace_order(found)
    assert_array_equal(back[0].params, found[0].params)
    between = np.sqrt(path.alphas[3] * path.alphas[4])
    assert_array_equal(found.at(between).params, path.at(between).relax(0.25).params)
    assert found.select("bic").gamma == 0.25


def replace_order(path):
    """Return the path upside down and up again."""
    return path.part(range(len(path))[::-1]).descending()


def naive_scores(y, X, weight, offset, family, fold, alphas, gamma):
    """Return the mean deviance of rows left out, by hand."""
    total = np.zeros(len(alphas))
    for k in range(fold.max() + 1):
        keep, out = fold != k, fold == k
        rows = {"var_weights": weight[keep], "offset": offset[keep]}
        model = pg.PenalizedGLM(y[keep], X[keep], family, **rows)
        for i, alpha in enumerate(alphas):
            fit = model.fit(alpha, tol=1e-9)
            eta = gamma * fit.predict(X[out], which="linear", offset=offset[out])
            if gamma < 1.0:
                columns = sm.add_constant(X[:, fit.support], has_constant="add")
                kind = {"gaussian": sm.families.Gaussian,
                        "poisson": sm.families.Poisson}[family]  # fmt: skip
                peer = sm.GLM(y[keep], columns[keep], kind(), **rows).fit(tol=1e-13)
                eta = eta + (1.0 - gamma) * (columns[out] @ peer.params + offset[out])
            mu = model.family.link.inverse(eta)
            total[i] += weight[out] @ model.family.unit_deviance(y[out], mu)
    return total / weight.sum()


@pytest.mark.parametrize("family", ["gaussian", "poisson"])
def test_scores_are_those_of_refits_made_in_each_fold(family):
    y, X, weight, offset = draw(family)
    fold = np.resize(np.arange(4), N)
    alphas = np.array([0.3, 0.1, 0.03])
    cv = build(family).fit_cv(fold, relax=[0.0, 0.3], alphas=alphas, tol=1e-9)
    assert set(cv.scores_by_gamma) == {0.0, 0.3, 1.0}
    for gamma, scores in cv.scores_by_gamma.items():
        expected = naive_scores(y, X, weight, offset, family, fold, alphas, gamma)
        assert_allclose(scores.mean, expected, rtol=1e-6)


def test_choice_is_that_of_cv_glmnet():
    cv = build().fit_cv(5, relax=True)
    table = pd.concat(
        pd.DataFrame({"gamma": gamma, "alpha": cv.alphas, "score": scores.mean,
                      "se": scores.std})
        for gamma, scores in cv.scores_by_gamma.items()
    )  # fmt: skip
    least = table[table.score == table.score.min()].sort_values(["alpha", "gamma"])
    best = least.iloc[-1]
    assert (cv.alpha_min, cv.gamma_min) == (best.alpha, best.gamma)
    near = table[table.score <= best.score + best.se].sort_values(["alpha", "gamma"])
    assert (cv.alpha_1se, cv.gamma_1se) == (near.iloc[-1].alpha, near.iloc[-1].gamma)
    assert cv.best.gamma == cv.gamma_1se
    assert_array_equal(
        cv.best.params, build().fit_path().at(cv.alpha_1se).relax(cv.gamma_1se).params
    )
    assert_array_equal(cv.predict(), cv.best.predict())
    assert set(cv.gammas().gamma) == {0.0, 0.25, 0.5, 0.75, 1.0}
    assert f"{cv.gamma_1se:.3g}" in repr(cv)


def test_truth_of_numpy_is_truth_and_no_mixes_are_refused():
    model, grid = build(), {"n_alphas": 8}
    assert set(model.fit_cv(3, relax=np.True_, **grid).gammas().gamma) == {
        0.0, 0.25, 0.5, 0.75, 1.0
    }  # fmt: skip
    assert type(model.fit_cv(3, relax=np.False_, **grid)) is pg.CVResults
    with pytest.raises(PenglmInputError, match="empty") as caught:
        model.fit_cv(3, relax=[], **grid)
    assert caught.value.argument == "relax"


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0])
def test_relaxing_what_is_relaxed_mixes_the_same_ends_again(gamma):
    model = build()
    cv = model.fit_cv(4, relax=[0.25], n_alphas=12, select="min")
    cv = replace(cv, places={"min": (0.25, 6), "1se": (0.25, 5)})
    path = model.fit_path(cv.alphas)
    expected = path.relax(gamma)
    for found in (cv.relax(gamma), path.relax(0.25).relax(gamma)):
        assert found.gamma == gamma
        assert_array_equal(found.coef, expected.coef)
        assert_array_equal(found[6].params, expected[6].params)
        assert_array_equal(found.penalised.coef, path.coef)


def test_part_of_a_relaxed_choice_has_its_mix():
    cv = build().fit_cv(4, relax=[0.25], n_alphas=12)
    cv = replace(cv, places={"min": (0.25, 6), "1se": (0.25, 5)})
    part = cv[4:8]
    assert len(part) == 4
    for k, fit in enumerate(part):
        assert_array_equal(fit.params, cv[4 + k].params)


def test_without_relaxing_nothing_changes():
    plain, given = build().fit_cv(5), build().fit_cv(5, relax=[1.0])
    assert type(plain) is pg.CVResults
    assert_allclose(given.scores_by_gamma[1.0].mean, plain.mean_score, rtol=1e-7)
    assert given.alpha_min == plain.alpha_min
    assert given.gamma_min == 1.0


def test_out_of_fold_means_are_those_of_the_chosen_mix():
    cv = build("poisson").fit_cv(np.resize(np.arange(3), N), relax=[0.0])
    weight = cv.data.sample_weight
    loss = cv.spec.family.unit_deviance(cv.data.y, cv.out_of_fold)
    k = int(np.flatnonzero(cv.alphas == cv.alpha_best)[0])
    assert np.average(loss, weights=weight) == pytest.approx(cv.mean_score[k], rel=1e-9)


def test_folds_at_a_time_do_not_change_the_choice():
    one, two = (build("binomial").fit_cv(4, relax=True, n_jobs=jobs) for jobs in (1, 2))
    for gamma in one.scores_by_gamma:
        assert_array_equal(
            one.scores_by_gamma[gamma].mean, two.scores_by_gamma[gamma].mean
        )


def test_it_finds_fewer_columns_that_are_none():
    false = {True: 0, False: 0}
    for seed in range(6):
        y, X, _, _ = draw(seed=seed, n_rows=300, n_columns=40)
        for relax in false:
            model = pg.PenalizedGLM(y, X)
            best = model.fit_cv(5, relax=relax, select="min").best
            false[relax] += int((best.support > 2).sum())
    assert false[True] < 0.5 * false[False]


def test_separated_support_has_no_refit_and_says_so():
    rng = np.random.default_rng(4)
    X = rng.normal(size=(60, 3))
    y = (X[:, 0] > 0.0).astype(float)
    model = pg.PenalizedGLM(y, X, "binomial")
    fit = model.fit(0.1)
    with pytest.warns(SeparationWarning, match="x1"):
        found = fit.relax()
    assert found.status is Status.NO_FINITE_SOLUTION
    assert not found.converged
    assert "not optimal" in found.verdict
    with pytest.warns(SeparationWarning, match="only gamma = 1 can be chosen"):
        cv = model.fit_cv(4, relax=[0.0, 0.5])
    assert cv.gamma_min == cv.gamma_1se == 1.0
    assert cv.best.converged


def test_more_columns_than_rows_are_told():
    rng = np.random.default_rng(5)
    X = rng.normal(size=(20, 60))
    fit = pg.PenalizedGLM(X[:, 0] + rng.normal(size=20), X).fit(0.05, l1_ratio=0.3)
    assert fit.n_nonzero > 20
    with pytest.warns(RankWarning, match="minimum-norm"):
        fit.relax()


def test_estimated_theta_is_held_in_the_refit():
    rng = np.random.default_rng(6)
    X = rng.normal(size=(300, 4))
    y = rng.poisson(rng.gamma(2.0, np.exp(0.5 * X[:, 0]) / 2.0)).astype(float)
    fit = pg.PenalizedGLM(y, X, NegativeBinomial(theta="estimate")).fit(0.1)
    found = fit.relax()
    assert found.unpenalised.spec.family.theta == fit.spec.family.theta
    other = pg.PenalizedGLM(y, X[:, fit.support], fit.spec.family).fit(0.0)
    assert_allclose(found.coef[fit.support], other.coef, rtol=1e-4)


def test_formula_models_go_to_files_and_back(tmp_path):
    y, X, weight, offset = draw("poisson")
    data = pd.DataFrame(X[:, :4], columns=list("abcd"))
    data = data.assign(y=y, w=weight, o=offset, level=np.resize(list("uvw"), N))
    model = pg.glm(
        "y ~ a + b + c + d + level", data, "poisson", var_weights="w", offset="o"
    )
    found = model.fit(0.1).relax(0.5)
    found.save(tmp_path / "relaxed.json")
    assert json.loads((tmp_path / "relaxed.json").read_text())["version"] == 2
    loaded = pg.load(tmp_path / "relaxed.json")
    assert_array_equal(loaded.params, found.params)
    assert_array_equal(loaded.predict(data), found.predict(data))
    assert loaded.gamma == 0.5
    assert loaded.verdict == found.verdict
    assert verify(loaded, data).kkt_residual < 1e-5
    with pytest.raises(PenglmInputError, match="fit the model again"):
        loaded.relax(0.2)
    model.fit(0.1).save(tmp_path / "plain.json")
    plain = pg.load(tmp_path / "plain.json")
    for rowless in (plain, model.fit_regularized(alpha=0.1)):
        with pytest.raises(PenglmInputError, match=r"no rows.*as a model file or fit_"):
            rowless.relax()
    again = with_rows(plain, data).relax()
    assert_allclose(again.params, found.unpenalised.params, rtol=1e-8)
    assert json.loads((tmp_path / "plain.json").read_text())["version"] == 1
    text = (tmp_path / "relaxed.json").read_text().replace('"gamma": 0.5', '"gamma": 1')
    (tmp_path / "changed.json").write_text(text)
    with pytest.raises(ModelFileError, match="checksum"):
        pg.load(tmp_path / "changed.json")


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0])
def test_deviance_is_finite_where_a_mean_rounds_to_one(gamma):
    x = np.linspace(-1.0, 1.0, 40)[:, None]
    y = (x[:, 0] > 0.0).astype(float)
    y[-1] = 0.0
    # This row is taken for certain by its offset, and is the other way round.
    offset = np.where(np.arange(40) == 39, 60.0, 0.0)
    fit = pg.PenalizedGLM(y, x, "binomial", offset=offset).fit(0.05)
    found = fit.relax(gamma)
    assert found.fittedvalues[-1] == 1.0
    loss = np.logaddexp(0.0, found.linear_predictor) - y * found.linear_predictor
    assert found.deviance == pytest.approx(2.0 * loss.sum(), rel=1e-12)
    assert np.isfinite(found.deviance_ratio)


@pytest.mark.parametrize("gamma", [-0.1, 1.5, np.nan, "much"])
def test_shares_outside_are_refused(gamma):
    fit = build().fit(0.1)
    with pytest.raises((PenglmInputError, TypeError), match="gamma"):
        fit.relax(gamma)
    with pytest.raises((PenglmInputError, TypeError), match="relax"):
        build().fit_cv(3, relax=[gamma])
