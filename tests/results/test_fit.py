"""What a fit tells: names, predictions, residuals, statuses and the printed table."""

import re

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose, assert_array_equal

import penglm as pg
from penglm.exceptions import (
    ConstantColumnWarning,
    ConvergenceWarning,
    MissingPredictionWarning,
    PenglmInputError,
    RankWarning,
    SeparationWarning,
)

FAMILIES = ("gaussian", "binomial", "poisson")
N = 80
NAMES = ["age", "bmi", "dose", "height"]
# Both packages solve an unpenalised problem of condition ten to rounding.
AGREE = 1e-8
everywhere = pytest.mark.parametrize("family", FAMILIES)


def draw(family):
    """Return a response, named columns and what goes with each row."""
    rng = np.random.default_rng([9, FAMILIES.index(family)])
    X = rng.normal(size=(N, 4))
    offset = rng.normal(0.0, 0.3, N)
    eta = offset + 0.8 * X[:, 0] - 0.4 * X[:, 1]
    if family == "gaussian":
        y = eta + rng.normal(size=N)
    elif family == "binomial":
        y = (rng.uniform(size=N) < 1 / (1 + np.exp(-eta))).astype(float)
    else:
        y = rng.poisson(np.exp(eta)).astype(float)
    rows = {"offset": offset, "var_weights": rng.uniform(0.3, 2.0, N)}
    return y, pd.DataFrame(X, columns=NAMES), rows


def fitted(family, share=0.3, **options):
    """Return a fit at a share of alpha_max, without weights and offset."""
    y, X, _ = draw(family)
    model = pg.PenalizedGLM(y, X, family, **options)
    return model.fit(share * model.alpha_max())


def peer_of(family, y, X, **rows):
    """Return the maximum-likelihood fit of statsmodels."""
    kind = getattr(sm.families, family.capitalize())()
    return sm.GLM(y, sm.add_constant(X), kind, **rows).fit(tol=1e-14)


@everywhere
def test_params_are_named_with_the_intercept_first(family):
    fit = fitted(family)
    assert list(fit.params.index) == ["Intercept", *NAMES]
    assert_array_equal(fit.params, [fit.intercept, *fit.coef])
    assert_array_equal(fit.support, np.flatnonzero(fit.params.iloc[1:]))
    assert fit.n_nonzero == fit.df_model == fit.support.size


def test_params_without_an_intercept_have_none():
    fit = fitted("gaussian", fit_intercept=False)
    assert list(fit.params.index) == NAMES
    assert fit.intercept == 0.0


def test_unnamed_columns_are_numbered_from_one():
    y, X, _ = draw("gaussian")
    fit = pg.PenalizedGLM(y, X.to_numpy()).fit(0.1)
    assert list(fit.params.index) == ["Intercept", "x1", "x2", "x3", "x4"]


@everywhere
def test_unpenalised_fit_is_that_of_statsmodels(family):
    y, X, rows = draw(family)
    fit = pg.PenalizedGLM(y, X, family, **rows).fit(0.0)
    peer = peer_of(family, y, X, **rows)
    assert_allclose(fit.params, peer.params, rtol=AGREE, atol=AGREE)
    assert_allclose(fit.fittedvalues, peer.fittedvalues, rtol=AGREE)
    for name in ("deviance", "null_deviance", "pearson_chi2", "scale"):
        assert getattr(fit, name) == pytest.approx(getattr(peer, name), rel=AGREE)


@everywhere
@pytest.mark.parametrize("kind", ["response", "pearson", "deviance", "working"])
def test_residuals_of_an_unpenalised_fit_are_those_of_statsmodels(family, kind):
    y, X, rows = draw(family)
    fit = pg.PenalizedGLM(y, X, family, **rows).fit(0.0)
    peer = peer_of(family, y, X, **rows)
    expected = np.asarray(getattr(peer, f"resid_{kind}"))
    assert_allclose(getattr(fit, f"resid_{kind}"), expected, rtol=1e-6, atol=AGREE)


@everywhere
def test_likelihood_of_a_penalised_fit_is_that_of_its_means(family):
    y, _, _ = draw(family)
    fit = fitted(family)
    kind = getattr(sm.families, family.capitalize())()
    mu = fit.fittedvalues
    scale = fit.deviance / N if family == "gaussian" else 1.0
    assert fit.llf == pytest.approx(kind.loglike(y, mu, scale=scale))
    assert fit.deviance == pytest.approx(kind.deviance(y, mu))


@everywhere
def test_deviance_ratio_is_the_explained_share(family):
    y, _, _ = draw(family)
    fit = fitted(family)
    kind = getattr(sm.families, family.capitalize())()
    null = kind.deviance(y, np.full(N, y.mean()))
    assert fit.deviance_ratio == pytest.approx(1 - fit.deviance / null)
    assert 0.0 < fit.deviance_ratio < 1.0


@everywhere
def test_predictions_follow_from_the_params(family):
    _, X, _ = draw(family)
    fit = fitted(family)
    new = X.iloc[:7] + 0.1
    eta = fit.intercept + new.to_numpy() @ fit.coef
    link = getattr(sm.families, family.capitalize())().link
    assert_allclose(fit.predict(new, which="linear"), eta, rtol=AGREE)
    assert_allclose(fit.predict(new), link.inverse(eta), rtol=AGREE)
    assert_array_equal(fit.predict(), fit.fittedvalues)
    assert_allclose(fit.predict(X), fit.fittedvalues, rtol=AGREE)


def test_columns_to_predict_go_by_name():
    _, X, _ = draw("gaussian")
    fit = fitted("gaussian")
    shuffled = X[["height", "dose", "age", "bmi"]].assign(more=1.0)
    assert_allclose(fit.predict(shuffled), fit.fittedvalues, rtol=AGREE)


@pytest.mark.parametrize(
    ("labels", "kind"),
    [(("no", "yes"), str), ((False, True), bool), ((0, 1), float)],
)
def test_class_predictions_are_the_labels_given(labels, kind):
    y, X, _ = draw("binomial")
    endog = np.array(labels)[y.astype(int)].astype(kind)
    model = pg.PenalizedGLM(endog, X, "binomial")
    fit = model.fit(0.1 * model.alpha_max())
    expected = np.array(labels)[(fit.fittedvalues > 0.5).astype(int)]
    assert_array_equal(fit.predict(X, which="class"), expected)
    assert_array_equal(fit.predict(which="class"), expected)


def test_classes_are_for_the_binomial_family():
    text = "which=\"class\" is for the binomial family, not 'poisson'."
    with pytest.raises(PenglmInputError, match=f"^{re.escape(text)}$"):
        fitted("poisson").predict(which="class")
    with pytest.raises(PenglmInputError, match=r"^which = 'sd'; use one of 'mean', "):
        fitted("poisson").predict(which="sd")


@everywhere
def test_prediction_needs_the_offset_the_fit_had(family):
    y, X, rows = draw(family)
    fit = pg.PenalizedGLM(y, X, family, **rows).fit(0.05)
    text = (
        "the model was fitted with an offset or exposure; predict needs one too: pass "
        "offset= or exposure= (offset=0 for a unit exposure)."
    )
    with pytest.raises(PenglmInputError, match=f"^{re.escape(text)}$") as caught:
        fit.predict(X)
    assert caught.value.argument == "offset"
    moved = fit.predict(X, offset=rows["offset"] + 0.5, which="linear")
    assert_allclose(moved, fit.linear_predictor + 0.5, rtol=AGREE)
    flat = fit.predict(X, offset=0, which="linear")
    assert_allclose(flat, fit.linear_predictor - rows["offset"], atol=AGREE)


def test_exposure_multiplies_the_predicted_mean():
    y, X, _ = draw("poisson")
    time = np.random.default_rng(1).uniform(0.5, 3.0, N)
    fit = pg.PenalizedGLM(y, X, "poisson", exposure=time).fit(0.05)
    assert_allclose(fit.predict(X, exposure=time), fit.fittedvalues, rtol=AGREE)
    assert_allclose(fit.predict(X, exposure=2.0), fit.predict(X, offset=0) * 2.0)


def test_prediction_needs_both_offset_and_exposure_of_a_fit_with_both():
    y, X, rows = draw("poisson")
    table = X.assign(y=y, o=rows["offset"], t=np.linspace(0.5, 3.0, N))
    formula = "y ~ " + " + ".join(X)
    fit = pg.glm(formula, table, "poisson", offset="o", exposure="t").fit(0.05)
    assert_array_equal(fit.predict(table), fit.fittedvalues)
    for name, argument in (("o", "offset"), ("t", "exposure")):
        text = (
            f"predict needs both, and {argument} is not there: pass {argument}=.*The "
            f"data has no column '{name}'"
        )
        with pytest.raises(PenglmInputError, match=text) as caught:
            fit.predict(table.drop(columns=name))
        assert caught.value.argument == argument
        again = fit.predict(table.drop(columns=name), **{argument: table[name]})
        assert_array_equal(again, fit.fittedvalues)
    # What is given takes the place of the column it is about, not of the other.
    eta = fit.predict(table, offset=0, which="linear")
    assert_allclose(eta, fit.linear_predictor - table.o, atol=AGREE)
    eta = fit.predict(table, exposure=1, which="linear")
    assert_allclose(eta, fit.linear_predictor - np.log(table.t), atol=AGREE)


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame, pa.table, dict])
def test_table_without_the_exposure_is_refused_whatever_its_kind(kind):
    y, X, _ = draw("poisson")
    table = X.assign(y=y, t=np.linspace(0.5, 3.0, N))
    fit = pg.glm("y ~ age + bmi", table, "poisson", exposure="t").fit(0.05)
    new = kind({name: table[name].to_numpy() for name in X})
    with pytest.raises(PenglmInputError, match="The data has no column 't'"):
        fit.predict(new)
    with pytest.raises(PenglmInputError, match="exposure names 'u', which is not a"):
        fit.predict(new, exposure="u")


def test_new_offsets_without_new_rows_are_refused():
    fit = fitted("poisson")
    for argument in ("offset", "exposure"):
        with pytest.raises(PenglmInputError, match=f"^{argument} is given without"):
            fit.predict(**{argument: 1.0})


def test_exposure_is_for_the_log_link_when_predicting_too():
    _, X, _ = draw("gaussian")
    text = "exposure is for the log link, not 'identity'"
    with pytest.raises(PenglmInputError, match=text):
        fitted("gaussian").predict(X, exposure=2.0)


@pytest.mark.parametrize("argument", ["offset", "exposure"])
def test_what_cannot_be_an_offset_of_new_rows_is_named(argument):
    _, X, _ = draw("poisson")
    fit = fitted("poisson")
    with pytest.raises(PenglmInputError, match=f"^{argument} has length 2 but data "):
        fit.predict(X, **{argument: [1.0, 2.0]})
    with pytest.raises(PenglmInputError, match=f"^{argument} .* the text 'a' in row 0"):
        fit.predict(X, **{argument: ["a"] * N})
    with pytest.raises(PenglmInputError, match=f"^{argument} = .* must be a number"):
        fit.predict(X, **{argument: 1j})


@pytest.mark.parametrize(("link", "size"), [("logit", 60.0), ("probit", 12.0)])
def test_likelihood_is_finite_where_a_mean_rounds_to_one(link, size):
    rng = np.random.default_rng(0)
    y, x = (rng.normal(size=N) > 0).astype(float), rng.normal(size=N)
    offset = np.zeros(N)
    model = pg.PenalizedGLM(y, x[:, None], "binomial", link=link, offset=offset)
    fit = model.fit(0.05)
    # What two ways to the same number agree on where both have it.
    assert_allclose(fit.llf, -0.5 * fit.deviance, rtol=1e-12)
    offset[np.flatnonzero(y == 0.0)[0]] = {
        "logit": 60.0,
        "probit": 12.0,
        "cloglog": 4.0,
    }[link]
    far = pg.PenalizedGLM(y, x[:, None], "binomial", link=link, offset=offset)
    fit = far.fit(0.05)
    assert fit.fittedvalues.max() == 1.0
    assert np.isfinite([fit.llf, fit.aic, fit.bic]).all()
    assert_allclose(fit.llf, -0.5 * fit.deviance, rtol=1e-12)


@everywhere
def test_rows_with_missing_values_are_predicted_as_nan_and_counted(family):
    _, X, _ = draw(family)
    fit = fitted(family)
    holes = X.copy()
    holes.iloc[[2, 5], [0, 3]] = np.nan
    text = "2 rows hold a missing value; their prediction is NaN."
    with pytest.warns(MissingPredictionWarning, match=f"^{re.escape(text)}$"):
        mean = fit.predict(holes)
    assert_array_equal(np.flatnonzero(np.isnan(mean)), [2, 5])
    kept = np.setdiff1d(np.arange(N), [2, 5])
    assert_allclose(mean[kept], fit.fittedvalues[kept], rtol=AGREE)


@pytest.mark.parametrize(
    ("data", "text", "argument"),
    [
        (
            pd.DataFrame(np.zeros((2, 3)), columns=NAMES[:3]),
            "the data to predict has no column 'height'; it has age, bmi, dose.",
            "height",
        ),
        (
            np.zeros((2, 3)),
            "the data to predict has 3 columns but the model has 4.",
            "data",
        ),
    ],
    ids=["by name", "by number"],
)
def test_missing_columns_are_refused_by_name(data, text, argument):
    with pytest.raises(PenglmInputError, match=f"^{re.escape(text)}$") as caught:
        fitted("gaussian").predict(data)
    assert caught.value.argument == argument


@everywhere
def test_summary_states_the_facts_in_text_and_html(family):
    fit = fitted(family)
    text, html = fit.summary().as_text(), fit.summary()._repr_html_()
    facts = [
        family, "lasso (l1_ratio 1)", f"{fit.alpha:.6g}", "given", "80",
        f"{fit.n_nonzero} / 4", f"{fit.deviance:.5g}", f"{fit.deviance_ratio:.4f}",
        f"{fit.llf:.5g}", f"{fit.bic:.5g}", "optimal", *NAMES,
    ]  # fmt: skip
    for fact in facts:
        assert fact in text
        assert fact in html
    for value in fit.params:
        assert f"{value:.4f}" in text
    assert f"Certificate: {fit.certificate}." in text
    assert "No standard errors" in text
    assert "std err" not in text
    assert str(fit.summary()) == text


@pytest.mark.parametrize(("l1_ratio", "name"), [(0.0, "ridge"), (0.5, "elastic net")])
def test_summary_names_the_penalty(l1_ratio, name):
    y, X, _ = draw("gaussian")
    fit = pg.PenalizedGLM(y, X).fit(0.1, l1_ratio)
    assert f"{name} (l1_ratio {l1_ratio:g})" in fit.summary().as_text()


def test_names_are_escaped_in_html_and_plain_in_text():
    y, X, _ = draw("gaussian")
    X.columns = ["<script>", "a&b", "c", "d"]
    summary = pg.PenalizedGLM(y, X).fit(0.1).summary()
    assert "<script>" not in summary.as_html()
    assert "&lt;script" in summary.as_html()
    assert "<script>" in summary.as_text()
    assert "a&b" in summary.as_text()


def test_repr_says_what_it_is():
    fit = fitted("poisson")
    assert repr(fit).startswith("<FitResults: poisson, log link, alpha=")
    assert f"{fit.n_nonzero} of 4 nonzero" in repr(fit)


@pytest.mark.parametrize("value", [3.3, 0.1, 1e9 / 3, -1e-200])
def test_constant_gaussian_response_is_its_intercept(value):
    _, X, _ = draw("gaussian")
    fit = pg.PenalizedGLM(np.full(N, value), X).fit(0.1)
    assert fit.intercept == pytest.approx(value, rel=1e-15)
    assert not fit.coef.any()
    assert fit.converged
    assert fit.deviance_ratio == 0.0


@pytest.mark.parametrize("value", [7.1, 7.1e-200, 1e9 / 3])
def test_constant_column_gets_zero_and_one_warning(value):
    y, X, _ = draw("gaussian")
    text = "column bmi is constant; its coefficient is 0."
    with pytest.warns(ConstantColumnWarning, match=f"^{re.escape(text)}$") as caught:
        fit = pg.PenalizedGLM(y, X.assign(bmi=value)).fit(0.0)
    assert len(caught) == 1
    assert (fit.coef[1], fit.spec.dropped) == (0.0, ("bmi",))
    expected = pg.PenalizedGLM(y, X.drop(columns="bmi")).fit(0.0)
    assert_allclose(fit.fittedvalues, expected.fittedvalues, rtol=AGREE)
    with pytest.warns(ConstantColumnWarning, match="is at the limit next to 0"):
        fit = pg.PenalizedGLM(y, X.assign(bmi=value), lower={"bmi": 0.3}).fit(0.1)
    assert fit.params["bmi"] == 0.3


def test_the_first_few_of_many_constant_columns_are_named():
    y = np.arange(N, dtype=float)
    X = np.column_stack([y % 7.0, np.ones((N, 30))])
    text = "columns x2, x3, x4, x5, x6, x7, x8, x9, x10, x11 and 20 more are constant;"
    with pytest.warns(ConstantColumnWarning, match=text):
        pg.PenalizedGLM(y, X)


def test_unpenalised_dependent_columns_get_the_least_norm_and_a_warning():
    y, X, _ = draw("gaussian")
    text = (
        "design has rank 4 < 5 at alpha=0; minimum-norm solution returned. Dependent "
        "columns: copy."
    )
    with pytest.warns(RankWarning, match=f"^{re.escape(text)}$"):
        fit = pg.PenalizedGLM(y, X.assign(copy=X["age"])).fit(0.0)
    assert fit.coef[0] == pytest.approx(fit.coef[4])
    expected = pg.PenalizedGLM(y, X).fit(0.0).fittedvalues
    assert_allclose(fit.fittedvalues, expected, rtol=AGREE)


def test_separation_is_said_with_its_direction():
    _, X, _ = draw("binomial")
    model = pg.PenalizedGLM((X["bmi"] > 0.1).to_numpy(), X, "binomial")
    with pytest.warns(SeparationWarning, match=r"near 1\*bmi.*Use alpha > 0\.$"):
        fit = model.fit(0.0)
    assert fit.status is pg.Status.NO_FINITE_SOLUTION
    assert model.fit(0.01).converged


def test_exhausted_iterations_are_said_with_what_was_reached():
    y, X, _ = draw("binomial")
    with pytest.warns(ConvergenceWarning, match=r"^1 IRLS step left a KKT violation"):
        fit = pg.PenalizedGLM(y, X, "binomial").fit(0.01, max_iter=1)
    assert fit.status is pg.Status.MAX_ITER
    assert not fit.converged
    assert np.isfinite(fit.params).all()
