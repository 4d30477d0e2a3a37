"""statsmodels' names on a fit: the same numbers unpenalised, refused otherwise."""

import pickle

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose

import penglm as pg
from penglm.exceptions import NoInferenceError, PenglmInputError
from penglm.results.inference import NAMES

N = 150
# Both are solved by Newton steps to their own tolerance.
SOLVED = 1e-6
RNG = np.random.default_rng(31)
X = pd.DataFrame(RNG.normal(size=(N, 3)), columns=["a", "b", "c"])
ETA = 0.4 + 0.5 * X.a - 0.3 * X.b
MEAN = np.exp(ETA)
OFFSET, COUNT = RNG.uniform(-0.3, 0.3, N), RNG.integers(1, 4, N).astype(float)
families, links = sm.families, sm.families.links

MODELS = {
    "gaussian": (ETA + RNG.normal(size=N), families.Gaussian()),
    "gaussian, log": (MEAN + RNG.uniform(0.1, 1, N), families.Gaussian(links.Log())),
    "binomial": ((RNG.random(N) < 1 / (1 + np.exp(-ETA))) * 1.0, families.Binomial()),
    "binomial, probit": (
        (RNG.random(N) < 0.5) * 1.0, families.Binomial(links.Probit()),
    ),
    "poisson": (RNG.poisson(MEAN) * 1.0, families.Poisson()),
    "poisson, sqrt": (RNG.poisson(3 * MEAN) * 1.0, families.Poisson(links.Sqrt())),
    "gamma, log": (RNG.gamma(2.0, MEAN / 2), families.Gamma(links.Log())),
    "inverse gaussian, log": (
        RNG.wald(MEAN, 30.0), families.InverseGaussian(links.Log()),
    ),
    "negative binomial": (
        RNG.negative_binomial(2, 2 / (2 + MEAN)) * 1.0,
        families.NegativeBinomial(alpha=0.5),
    ),
    "tweedie": (
        RNG.poisson(MEAN) * RNG.gamma(2.0, 0.5, N),
        families.Tweedie(links.Log(), var_power=1.5),
    ),
}  # fmt: skip
every_model = pytest.mark.parametrize("name", MODELS)


def theirs_and_ours(name, **options):
    """Return statsmodels' unpenalised results and penglm's."""
    y, family = MODELS[name]
    y = pd.Series(np.asarray(y), name="y")
    theirs = sm.GLM(y, sm.add_constant(X), family, **options).fit(tol=1e-14)
    ours = pg.PenalizedGLM(y, X, family, **options).fit(0.0, tol=1e-10)
    return theirs, ours


OPTIONS = {
    "plain": {},
    "offset": {"offset": OFFSET},
    "freq_weights": {"freq_weights": COUNT},
    "var_weights": {"var_weights": COUNT},
}
SCALARS = ("llf", "aic", "bic", "deviance", "null_deviance", "pearson_chi2",
           "df_model", "df_resid", "scale")  # fmt: skip
ARRAYS = ("params", "fittedvalues", "resid_response", "resid_pearson",
          "resid_deviance", "resid_working")  # fmt: skip
INFERRED = ("bse", "tvalues", "pvalues")


@every_model
@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.filterwarnings("ignore")
def test_unpenalised_fit_has_statsmodels_numbers(name, option):
    theirs, ours = theirs_and_ours(name, **OPTIONS[option])
    skipped = {"llf", "aic", "bic"} if name == "tweedie" else set()
    if option == "freq_weights":
        # statsmodels counts rows where penglm counts observations.
        skipped |= {"bic"}
    for each in SCALARS:
        if each not in skipped:
            found, known = getattr(ours, each), getattr(theirs, each)
            assert_allclose(found, known, rtol=SOLVED, err_msg=each)
    for each in ARRAYS:
        found, known = (
            np.asarray(getattr(ours, each)),
            np.asarray(getattr(theirs, each)),
        )
        size = np.abs(known).max()
        assert np.abs(found - known).max() <= 10 * SOLVED * size, each


@every_model
@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.filterwarnings("ignore")
def test_unpenalised_fit_has_statsmodels_standard_errors(name, option):
    theirs, ours = theirs_and_ours(name, **OPTIONS[option])
    for each in INFERRED:
        found, known = getattr(ours, each), getattr(theirs, each)
        assert list(found.index) == ["Intercept", "a", "b", "c"]
        assert_allclose(found, known, rtol=1e-3, err_msg=each)
    assert_allclose(ours.conf_int(), theirs.conf_int(), rtol=1e-3)
    assert_allclose(ours.cov_params(), theirs.cov_params(), rtol=1e-3)
    assert_allclose(ours.to_statsmodels().params, ours.params, rtol=1e-5)


def test_prediction_with_its_error_is_statsmodels():
    theirs, ours = theirs_and_ours("poisson")
    found = ours.get_prediction().summary_frame()
    known = theirs.get_prediction().summary_frame()
    assert_allclose(found, known, rtol=1e-5)
    assert_allclose(ours.predict(X), theirs.predict(sm.add_constant(X)), rtol=SOLVED)


@pytest.mark.parametrize("freq_weights", [None, COUNT])
def test_results_of_statsmodels_have_the_likelihood_of_counts(freq_weights):
    trials = RNG.integers(1, 9, N)
    wins = RNG.binomial(trials, 0.4)
    pair = np.c_[wins, trials - wins]
    theirs = sm.GLM(
        pair, sm.add_constant(X), families.Binomial(), freq_weights=freq_weights
    ).fit(tol=1e-14)
    ours = pg.PenalizedGLM(pair, X, "binomial", freq_weights=freq_weights).fit(0.0)
    found = ours.to_statsmodels()
    for each in ("llf", "aic", "deviance", "pearson_chi2", "df_resid", "bse", "llnull"):
        known = getattr(theirs, each)
        assert_allclose(getattr(found, each), known, rtol=1e-8, err_msg=each)
    assert_allclose(found.llf, ours.llf, rtol=1e-10)
    shares = pg.PenalizedGLM(
        wins / trials, X, "binomial", var_weights=trials, freq_weights=freq_weights
    ).fit(0.0)
    assert_allclose(shares.to_statsmodels().llf, ours.llf, rtol=1e-10)


def test_quasi_binomial_has_the_errors_of_an_estimated_dispersion():
    trials = RNG.integers(1, 9, N)
    wins = RNG.binomial(trials, RNG.beta(1.0, 1.0, N))
    fit = pg.PenalizedGLM(np.c_[wins, trials - wins], X, "quasibinomial").fit(0.0)
    plain = pg.PenalizedGLM(np.c_[wins, trials - wins], X, "binomial").fit(0.0)
    assert fit.scale > 1.5
    assert_allclose(fit.bse, np.sqrt(fit.scale) * plain.bse, rtol=1e-6)


def test_results_of_statsmodels_keep_the_names_of_a_formula():
    data = X.assign(y=MODELS["poisson"][0], g=np.resize(list("xyz"), N))
    fit = pg.glm("y ~ a + g", data, "poisson").fit(0.0)
    model = fit.to_statsmodels().model
    assert model.exog_names == list(fit.params.index)
    assert model.endog_names == "y"
    assert list(fit.pvalues.index) == ["Intercept", "g[T.y]", "g[T.z]", "a"]


def test_quasi_poisson_has_the_errors_of_an_estimated_dispersion():
    y = MODELS["negative binomial"][0]
    theirs = sm.GLM(y, sm.add_constant(X), families.Poisson()).fit(scale="X2")
    ours = pg.PenalizedGLM(y, X, "quasipoisson").fit(0.0, tol=1e-10)
    assert_allclose(ours.bse, theirs.bse, rtol=1e-5)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_penalised_fit_refuses_inference_with_its_reason(name):
    fit = pg.PenalizedGLM(MODELS["poisson"][0], X, "poisson").fit(0.05)
    assert not hasattr(fit, name)
    with pytest.raises(NoInferenceError) as caught:
        getattr(fit, name)
    text = str(caught.value)
    assert text.startswith(f"there is no {name}: the fit is penalised (alpha 0.05)")
    assert "fit.explain()" in text
    assert hasattr(pg.PenalizedGLM(MODELS["poisson"][0], X, "poisson").fit(0), name)


def test_unknown_name_is_an_attribute_error_that_says_no_more():
    fit = pg.PenalizedGLM(MODELS["gaussian"][0], X).fit(0.05)
    with pytest.raises(AttributeError, match="object has no attribute 'pvalue'"):
        _ = fit.pvalue


def dependent():
    with pytest.warns(pg.exceptions.RankWarning):
        return pg.PenalizedGLM(ETA, X.assign(d=X.a + X.b)).fit(0.0)


def saved(tmp_path):
    pg.PenalizedGLM(MODELS["gaussian"][0], X).fit(0.0).save(tmp_path / "m.json")
    return pg.load(tmp_path / "m.json")


REFUSED = {
    "limits": (
        lambda _: pg.PenalizedGLM(ETA, X, lower=-1.0).fit(0.0), "coefficients are lim",
    ),
    "excluded": (
        lambda _: pg.PenalizedGLM(ETA, X, penalty_factor=[1, 1, np.inf]).fit(0.0),
        "excluded",
    ),
    "dependent": (lambda _: dependent(), "design has rank 4 < 5"),
    "model file": (saved, "a model read from a file has no rows"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_fit_that_is_no_maximum_of_full_rank_refuses_inference(case, tmp_path):
    made, text = REFUSED[case]
    fit = made(tmp_path)
    with pytest.raises(PenglmInputError, match=text):
        fit.to_statsmodels()
    with pytest.raises(NoInferenceError, match=text):
        _ = fit.bse


def test_rows_of_weight_zero_are_not_there():
    y, weights = MODELS["gaussian"][0].copy(), np.ones(N)
    weights[:5], y[:5] = 0.0, 1e6
    ours = pg.PenalizedGLM(y, X, var_weights=weights).fit(0.0)
    theirs = sm.GLM(y[5:], sm.add_constant(X[5:])).fit()
    assert_allclose(ours.bse, theirs.bse, rtol=1e-6)


def test_copies_and_pickles_of_a_fit_are_not_disturbed():
    fit = pg.PenalizedGLM(MODELS["gaussian"][0], X).fit(0.05)
    again = pickle.loads(pickle.dumps(fit))
    pd.testing.assert_series_equal(again.params, fit.params)
