"""statsmodels' models taken over as they are, and its ``fit_regularized`` said here."""

import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from numpy.testing import assert_allclose

import penglm as pg
from penglm.exceptions import PenglmInputError

N = 240
rng = np.random.default_rng(11)
TABLE = pd.DataFrame(
    {
        "a": rng.normal(size=N),
        "b": rng.normal(size=N) * 3.0,
        "g": rng.choice(["u", "v", "w"], size=N),
        "years": rng.uniform(0.5, 2.0, size=N),
        "n": rng.integers(1, 5, size=N),
    }
)
ETA = 0.3 + 0.4 * TABLE.a.to_numpy() - 0.1 * TABLE.b.to_numpy()
TABLE["count"] = rng.poisson(TABLE.years * np.exp(ETA))
TABLE["level"] = ETA + rng.normal(size=N)
TABLE["is_one"] = rng.binomial(1, 1.0 / (1.0 + np.exp(-ETA)))
TABLE["wins"] = rng.binomial(TABLE.n, 1.0 / (1.0 + np.exp(-ETA)))
TABLE["amount"] = np.exp(ETA) * rng.gamma(2.0, size=N)
X = sm.add_constant(TABLE[["a", "b"]])
families = sm.families
VAR = rng.uniform(0.5, 2.0, size=N)
SHARES = sm.add_constant(pd.DataFrame(rng.random((N, 2)), columns=["u", "v"]))

MODELS = {
    "gaussian": lambda: sm.GLM(TABLE.level, X),
    "poisson with exposure": lambda: sm.GLM(
        TABLE["count"], X, families.Poisson(), exposure=TABLE.years
    ),
    "poisson with offset and exposure": lambda: sm.GLM(
        TABLE["count"], X, families.Poisson(), exposure=TABLE.years, offset=0.1 * VAR
    ),
    "poisson with frequencies": lambda: sm.GLM(
        TABLE["count"], X, families.Poisson(), freq_weights=TABLE.n
    ),
    "gamma with precisions": lambda: sm.GLM(
        TABLE.amount, X, families.Gamma(families.links.Log()), var_weights=VAR
    ),
    "gamma with both weights": lambda: sm.GLM(
        TABLE.amount, X, families.Gamma(families.links.Log()), var_weights=VAR,
        freq_weights=TABLE.n,
    ),
    "binomial": lambda: sm.GLM(TABLE.is_one, X, families.Binomial()),
    "probit": lambda: sm.GLM(
        TABLE.is_one, X, families.Binomial(families.links.Probit())
    ),
    "binomial of counts": lambda: sm.GLM(
        np.c_[TABLE.wins, TABLE.n - TABLE.wins], X, families.Binomial()
    ),
    "negative binomial": lambda: sm.GLM(
        TABLE["count"], X, families.NegativeBinomial(alpha=0.7)
    ),
    "no constant": lambda: sm.GLM(TABLE.level, X[["a", "b"]]),
    "formula": lambda: smf.glm(
        "count ~ a + b + C(g)", TABLE, family=families.Poisson()
    ),
    "dropped rows": lambda: sm.GLM(
        TABLE.level.where(TABLE.index > 4), X, missing="drop"
    ),
    "ols": lambda: sm.OLS(TABLE.level, X),
    "wls": lambda: sm.WLS(TABLE.level, X, weights=VAR),
    "logit": lambda: sm.Logit(TABLE.is_one, X),
    "discrete poisson": lambda: sm.Poisson(TABLE["count"], X, exposure=TABLE.years),
}  # fmt: skip


def fitted(model):
    """Return statsmodels' own unpenalised answer, to its last digits."""
    kind = type(model).__name__
    if kind == "GLM":
        return model.fit(tol=1e-14, maxiter=200)
    return model.fit() if kind in ("OLS", "WLS") else model.fit(disp=0, tol=1e-14)


@pytest.mark.parametrize("name", MODELS)
def test_unpenalised_fit_is_theirs(name):
    model = MODELS[name]()
    theirs = fitted(model)
    fit = pg.PenalizedGLM.from_statsmodels(model).fit(0.0)
    assert_allclose(fit.params, theirs.params, rtol=1e-8)
    expected = [each for each in theirs.params.index if each not in ("const",)]
    assert (
        list(fit.params.index[-len(expected) :]) == expected or "Intercept" in expected
    )
    for measure in ("llf", "aic", "deviance", "pearson_chi2", "df_resid", "nobs"):
        if name == "wls" and measure in ("llf", "aic"):
            continue  # statsmodels adds the weights' own share, which GLM leaves out
        if measure == "nobs" and fit.data.freq_weights.max() > 1.0:
            continue  # it counts rows there, but observations in df_resid
        if hasattr(theirs, measure):
            assert_allclose(
                getattr(fit, measure), getattr(theirs, measure), rtol=1e-8,
                err_msg=measure,
            )  # fmt: skip


def test_weighted_least_squares_has_the_likelihood_of_its_glm():
    theirs = sm.GLM(TABLE.level, X, var_weights=VAR).fit()
    fit = pg.PenalizedGLM.from_statsmodels(MODELS["wls"]()).fit(0.0)
    assert_allclose(fit.llf, theirs.llf, rtol=1e-8)


@pytest.mark.parametrize("L1_wt", [1.0, 0.3, 0.0])
@pytest.mark.parametrize(
    "exog",
    [X[["a", "b", "const"]], X[["a", "const", "b"]] * [1.0, 2.0, 1.0]],
    ids=["constant last", "constant of twos"],
)
@pytest.mark.parametrize("weights", [None, VAR], ids=["ols", "wls"])
def test_penalties_stand_in_the_order_of_their_columns(exog, weights, L1_wt):
    model = (
        sm.OLS(TABLE.level, exog)
        if weights is None
        else sm.WLS(TABLE.level, exog, weights=weights)
    )
    alpha = np.array([0.05, 0.2, 0.1])
    theirs = model.fit_regularized(
        alpha=alpha, L1_wt=L1_wt, maxiter=5000, cnvrg_tol=1e-14
    )
    fit = pg.PenalizedGLM.from_statsmodels(model).fit_regularized(
        alpha=alpha, L1_wt=L1_wt, maxiter=5000, tol=1e-10
    )
    constant = next(name for name in exog if name == "const")
    ours = fit.params.rename({"Intercept": constant})[list(exog)]
    ours[constant] /= exog[constant].iloc[0]
    assert_allclose(ours, theirs.params, rtol=1e-7, atol=1e-9)


def test_model_with_more_than_a_likelihood_is_refused():
    groups = np.arange(N) // 4
    for model in (
        sm.GEE(TABLE.level, X, groups=groups, cov_struct=sm.cov_struct.Exchangeable()),
        sm.GLMGam(TABLE.level, X, smoother=sm.gam.BSplines(TABLE.a, df=5, degree=3)),
    ):
        with pytest.raises(PenglmInputError, match="is not a model that penglm can"):
            pg.PenalizedGLM.from_statsmodels(model)


def test_method_of_another_convention_is_refused():
    with pytest.raises(PenglmInputError, match="adds the likelihood up"):
        pg.PenalizedGLM.from_statsmodels(MODELS["logit"]()).fit_regularized(alpha=1.0)


def test_constant_anywhere_becomes_the_intercept():
    model = sm.GLM(TABLE.level, pd.DataFrame({"a": TABLE.a, "c": 2.0, "b": TABLE.b}))
    fit = pg.PenalizedGLM.from_statsmodels(model).fit(0.0)
    theirs = model.fit()
    assert_allclose(fit.intercept, 2.0 * theirs.params["c"], rtol=1e-8)
    assert list(fit.params.index) == ["Intercept", "a", "b"]


def test_model_that_is_no_glm_is_refused():
    with pytest.raises(PenglmInputError, match="RLM is not a model that penglm can"):
        pg.PenalizedGLM.from_statsmodels(sm.RLM(TABLE.level, X))


def test_rows_of_theirs_stay_as_they_were():
    model = MODELS["poisson with exposure"]()
    kept = model.exog.copy(), model.endog.copy(), model.exposure.copy()
    pg.PenalizedGLM.from_statsmodels(model).fit_regularized(alpha=0.1)
    for before, after in zip(
        kept, (model.exog, model.endog, model.exposure), strict=True
    ):
        np.testing.assert_array_equal(before, after)


PENALISED = [name for name, make in MODELS.items() if type(make()).__name__ == "GLM"]


def objective(model, params, alpha, L1_wt):
    """Return what statsmodels minimises, by its own log-likelihood."""
    params = np.asarray(params)
    llf = model.loglike(params, scale=1.0) / model.nobs
    penalty = L1_wt * np.abs(params) + 0.5 * (1.0 - L1_wt) * params**2
    return -llf + np.sum(alpha * penalty)


def persistent(model, alpha, L1_wt):
    """Return their answer, restarted from itself until it stays."""
    start = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(20):
            found = model.fit_regularized(
                alpha=alpha, L1_wt=L1_wt, start_params=start, maxiter=2000,
                cnvrg_tol=1e-13, zero_tol=1e-12,
            )  # fmt: skip
            last, start = start, np.asarray(found.params)
            if last is not None and np.max(np.abs(last - start)) < 1e-12:
                break
    return start


@pytest.mark.parametrize("L1_wt", [1.0, 0.4])
@pytest.mark.parametrize("alpha", [0.08, "each"])
@pytest.mark.parametrize("name", PENALISED)
def test_drop_in_minimises_what_statsmodels_does(name, alpha, L1_wt):
    model = MODELS[name]()
    p = model.exog.shape[1]
    each = np.linspace(0.0, 0.12, p) if alpha == "each" else alpha
    fit = pg.PenalizedGLM.from_statsmodels(model).fit_regularized(
        alpha=each, L1_wt=L1_wt, tol=1e-9
    )
    assert fit.converged
    theirs = persistent(model, each, L1_wt)
    value = objective(model, fit.params, each, L1_wt)
    best = objective(model, theirs, each, L1_wt)
    assert value <= best + 1e-10 * abs(best)
    if "offset and exposure" in name:
        # Given both, their steps go elsewhere than their own likelihood says.
        assert best > value + 0.1 * abs(value)
        return
    assert_allclose(fit.params, theirs, rtol=0.0, atol=2e-4 * np.abs(theirs).max())


# Links for which a constant of zero has no mean.
WITHOUT_ZERO = {
    "gamma": lambda: sm.GLM(TABLE.amount, SHARES, families.Gamma()),
    "gamma, identity": lambda: sm.GLM(
        TABLE.amount, SHARES, families.Gamma(families.links.Identity())
    ),
    "inverse gaussian": lambda: sm.GLM(
        TABLE.amount, SHARES, families.InverseGaussian()
    ),
    "poisson, sqrt": lambda: sm.GLM(
        TABLE["count"], SHARES, families.Poisson(families.links.Sqrt())
    ),
    "binomial, log": lambda: sm.GLM(
        TABLE.is_one, SHARES, families.Binomial(families.links.Log())
    ),
}
without_zero = pytest.mark.parametrize("name", WITHOUT_ZERO)


@pytest.mark.filterwarnings("ignore:The .* link function does not respect")
@pytest.mark.parametrize("alpha", [0.01, 0.3, [0.5, 0.0, 0.0], [0.1, 10.0, 10.0]])
@without_zero
def test_constant_is_penalised_where_zero_has_no_mean(name, alpha):
    model = WITHOUT_ZERO[name]()
    fit = pg.PenalizedGLM.from_statsmodels(model).fit_regularized(alpha=alpha, tol=1e-8)
    assert fit.converged
    value = objective(model, fit.params, np.array(alpha), 1.0)
    around = np.array(fit.params) * (1.0 + 1e-4 * rng.normal(size=(50, 3)))
    assert all(objective(model, p, np.array(alpha), 1.0) > value for p in around)
    with np.errstate(all="ignore"):
        theirs = model.fit_regularized(
            alpha=alpha, start_params=0.99 * fit.params.to_numpy() + 0.001,
            maxiter=2000, cnvrg_tol=1e-13, zero_tol=1e-12,
        )  # fmt: skip
    if np.isfinite(theirs.params).all():
        assert value <= objective(model, theirs.params, np.array(alpha), 1.0) + 1e-9


@pytest.mark.filterwarnings("ignore:The .* link function does not respect")
@without_zero
def test_refit_where_zero_has_no_mean_is_the_fit_of_the_support(name):
    model = WITHOUT_ZERO[name]()
    ours = pg.PenalizedGLM.from_statsmodels(model)
    alone = ours.fit_regularized(alpha=[0.1, 10.0, 10.0], refit=True)
    mean = model.family.link(np.mean(model.endog))
    assert_allclose(alone.params, [mean, 0.0, 0.0], rtol=1e-8)
    rest = ours.fit_regularized(alpha=[10.0, 0.0, 0.0], refit=True)
    assert rest.intercept == 0.0
    theirs = sm.GLM(model.endog, SHARES[["u", "v"]], model.family)
    known = theirs.fit(start_params=rest.coef, tol=1e-14)
    assert_allclose(rest.coef, known.params, rtol=1e-7)


def test_scalar_alpha_penalises_the_constant():
    model = pg.PenalizedGLM.from_statsmodels(MODELS["gaussian"]())
    assert model.fit_regularized(alpha=1e3).params.abs().max() == 0.0
    assert model.fit_regularized(alpha=[0.0, 1e3, 1e3]).intercept != 0.0


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("refit", [False, True])
def test_infinite_penalty_leaves_a_parameter_out(refit):
    ours = pg.PenalizedGLM.from_statsmodels(MODELS["gaussian"]())
    found = ours.fit_regularized(alpha=[0.0, 0.1, np.inf], refit=refit)
    expected = ours.fit_regularized(alpha=[0.0, 0.1, 1e6], refit=refit)
    assert_allclose(found.params, expected.params, rtol=1e-8)
    alone = ours.fit_regularized(alpha=[np.inf, 0.1, 0.1], refit=refit)
    bare = pg.PenalizedGLM.from_statsmodels(MODELS["no constant"]())
    known = bare.fit_regularized(alpha=0.1, refit=refit)
    assert_allclose(alone.params, [0.0, *known.params], rtol=1e-8)
    assert not ours.fit_regularized(alpha=np.inf, refit=refit).params.any()
    free = ours.fit_regularized(alpha=[0.0, np.inf, np.inf], refit=refit)
    assert_allclose(free.params, [TABLE.level.mean(), 0.0, 0.0], rtol=1e-8)


def test_result_in_place_of_a_model_is_told_where_the_model_is():
    with pytest.raises(PenglmInputError, match="Pass its model: GLM is one"):
        pg.PenalizedGLM.from_statsmodels(MODELS["gaussian"]().fit())


def test_table_without_the_columns_that_patsy_made_is_refused_by_name():
    fit = pg.PenalizedGLM.from_statsmodels(MODELS["formula"]()).fit(0.01)
    with pytest.raises(PenglmInputError, match=r"no column 'C\(g\)\[T.v\]'"):
        fit.predict(TABLE)


def test_refit_is_the_unpenalised_fit_of_the_support():
    model = MODELS["gaussian"]()
    ours = pg.PenalizedGLM.from_statsmodels(model)
    first = ours.fit_regularized(alpha=[0.0, 0.1, 5.0])
    assert list(first.coef != 0.0) == [True, False]
    again = ours.fit_regularized(alpha=[0.0, 0.1, 5.0], refit=True)
    theirs = sm.OLS(TABLE.level, X[["const", "a"]]).fit()
    assert_allclose(again.params[["Intercept", "a"]], theirs.params, rtol=1e-8)
    assert again.params["b"] == 0.0
    scalar = ours.fit_regularized(alpha=0.1, refit=True)
    assert_allclose(scalar.params, sm.OLS(TABLE.level, X).fit().params, rtol=1e-8)


def test_result_predicts_new_rows():
    model = MODELS["poisson with exposure"]()
    fit = pg.PenalizedGLM.from_statsmodels(model).fit_regularized(alpha=0.05)
    assert_allclose(fit.predict(TABLE, exposure=TABLE.years), fit.fittedvalues)


def test_ridge_at_an_estimated_scale_is_refused():
    model = pg.PenalizedGLM.from_statsmodels(MODELS["gamma with precisions"]())
    with pytest.raises(PenglmInputError, match="L1_wt=1e-08 there and here"):
        model.fit_regularized(alpha=0.1, L1_wt=0.0)
    counts = pg.PenalizedGLM.from_statsmodels(MODELS["poisson with exposure"]())
    assert counts.fit_regularized(alpha=0.1, L1_wt=0.0).converged


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"alpha": [0.1, 0.2]}, "alpha has 2 values; it takes one, or one for each of"),
        ({"alpha": [0.1, -1.0, 0.2]}, "alpha = -1.0; alpha must be >= 0"),
        ({"method": "sqrt_lasso"}, "method"),
        ({"speed": 3}, "speed"),
    ],
)
def test_requests_it_cannot_serve(arguments, text):
    with pytest.raises(PenglmInputError, match=text):
        pg.PenalizedGLM.from_statsmodels(MODELS["ols"]()).fit_regularized(**arguments)
