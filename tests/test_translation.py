"""Strengths from system to system and back; what has no translation is refused."""

import inspect
import json

import numpy as np
import pytest

import penglm as pg
from penglm.conventions import SYSTEMS
from penglm.exceptions import PenglmInputError

FACTOR = np.array([1.0, 2.0, 0.5, 1.5])
# A way there and back is a dozen multiplications.
ROUNDING = 1e-12


def model_of(family="gaussian", *, weighted=True, **others):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(60, 4)) * [1.0, 2.0, 0.5, 3.0]
    mean = np.exp(0.3 * X[:, 0])
    y = {
        "gaussian": X[:, 0] + 5.0 * rng.normal(size=60),
        "binomial": (rng.uniform(size=60) < mean / (1.0 + mean)).astype(float),
        "poisson": rng.poisson(mean),
        "gamma": rng.gamma(2.0, mean),
    }[family]
    if weighted:
        others["var_weights"] = rng.uniform(0.5, 2.0, 60)
    link = "log" if family == "gamma" else None
    return pg.PenalizedGLM(y, X, family, link=link, **others)


def families_of(system):
    known = ["gaussian", "binomial", "poisson", "gamma"]
    return [f for f in known if not system.families or f in system.families]


def mixes_of(system):
    return {
        "lasso": [1.0], "ridge": [0.0], "either": [1.0, 0.0], "both": [1.0, 0.4, 0.0],
    }[system.parts]  # fmt: skip


TRANSLATED = [each for each in SYSTEMS.values() if not each.refusal]


@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("system", TRANSLATED, ids=lambda system: system.name)
def test_there_and_back_is_the_same_penalty(system, standardize):
    intercept = system.fits_intercept and not system.penalises_intercept
    if system.standardizes == "always" and not standardize:
        pytest.skip("always standardises")
    for family in families_of(system):
        model = model_of(
            family, weighted=system.weighted, standardize=standardize,
            fit_intercept=intercept,
            penalty_factor=FACTOR if system.factors else None,
        )  # fmt: skip
        for mix in mixes_of(system):
            facts = {"dispersion": 1.7}
            there = pg.convert(0.3, mix, to=system.name, model=model, **facts)
            back = pg.convert(
                there.arguments, from_=system.name, model=model, **facts
            ).arguments
            # What an answer costs is the whole of what a penalty is.
            scale = 1.0 if there.column_scale is None else there.column_scale
            sd = model.statement.moments.sd if back["standardize"] else 1.0
            own = model.statement.moments.sd if standardize else 1.0
            factor = back.get("penalty_factor", np.ones(4)) * np.ones(4)
            wanted = 0.3 * model.statement.penalty_factor
            got = back["alpha"] * factor
            for part, power in ((mix, 1), (1.0 - mix, 2)):
                share = back["l1_ratio"] if power == 1 else 1.0 - back["l1_ratio"]
                np.testing.assert_allclose(
                    got * share * (sd * scale) ** power,
                    wanted * part * np.power(own, power),
                    rtol=ROUNDING,
                )


def test_weights_and_rows_are_told_apart():
    model = model_of(standardize=False)
    total = model.statement.moments.weight_total
    told = pg.convert(0.3, 0.0, to="sklearn.Ridge", model=model)
    assert told.arguments == {"alpha": pytest.approx(0.3 * total)}
    told = pg.convert(0.3, to="statsmodels", model=model)
    wanted = np.r_[0.0, np.full(4, 0.3 * total / 60)]
    np.testing.assert_allclose(told.arguments["alpha"], wanted, rtol=ROUNDING)
    assert told.arguments["L1_wt"] == 1.0


def test_glmnet_divides_the_gaussian_ridge_part_by_sd_of_y():
    alone = pg.convert(
        2.0, 0.3, from_="glmnet", family="gaussian", response_sd=4.0
    ).arguments
    share = 0.3 + 0.7 / 4.0
    assert alone["alpha"] == pytest.approx(2.0 * share, rel=ROUNDING)
    assert alone["l1_ratio"] == pytest.approx(0.3 / share, rel=ROUNDING)
    other = pg.convert(2.0, 0.3, from_="glmnet", family="poisson").arguments
    assert (other["alpha"], other["l1_ratio"]) == (2.0, 0.3)


def test_glmnet_factors_need_no_rescaling_by_it():
    model = model_of(standardize=False, penalty_factor=[1.0, np.inf, 0.0, 3.0])
    told = pg.convert(0.3, to="glmnet", model=model).arguments
    sent = told["penalty.factor"]
    # It counts an excluded column as 1 and rescales to the number of columns.
    rescaled = sent * 4 / np.where(np.isinf(sent), 1.0, sent).sum()
    np.testing.assert_allclose(told["lambda"] * rescaled, [0.3, np.inf, 0.0, 0.9])


def test_lasso_with_factors_goes_to_a_system_without_by_scaled_columns():
    model = model_of(penalty_factor=FACTOR)
    told = pg.convert(0.3, to="sklearn", model=model)
    assert told.system == "sklearn.Lasso"
    sd = model.statement.moments.sd
    np.testing.assert_allclose(told.column_scale, sd * FACTOR)
    with pytest.raises(PenglmInputError, match="ElasticNet"):
        pg.convert(0.3, 0.5, to="sklearn", model=model)


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"to": "ncvreg"}, "settled"),
        ({"to": "tfp"}, "settled"),
        ({"to": "glmnett"}, "glmnet"),
        ({"to": "sklearn.liblinear", "family": "binomial", "weight_total": 9.0},
         "penalises the intercept"),
        ({"to": "celer.LogisticRegression", "family": "binomial", "n_rows": 9},
         "no intercept"),
        ({"to": "skglm", "is_weighted": True}, "no weights"),
        ({"to": "sklearn.Ridge", "l1_ratio": 0.0}, "weight_total"),
        ({"to": "sklearn.Lasso", "family": "poisson"}, "not poisson"),
        ({"to": "sklearn.Lasso", "l1_ratio": 0.5}, "no ridge part"),
        ({"to": "statsmodels", "weight_total": 9.0, "n_rows": 9}, "n_features"),
        ({"from_": "statsmodels", "n_features": 2}, "constant"),
        ({"from_": "sklearn.Lasso", "standardize": True}, "does not standardise"),
        ({"to": "penglm", "l1_ratio": 1.5}, "l1_ratio"),
        ({"to": "penglm", "rows": 1}, "an argument of convert"),
        ({"to": "penglm", "penalty_factor": [1.0, -1.0]}, "factors must be >= 0"),
        ({"penalty_factor": [1.0, 1.0], "n_features": 3}, "2 factors for 3 columns"),
        ({"weight_total": 0.0}, "weight_total must be one finite number > 0"),
        ({"column_sd": [1.0, np.nan]}, "column_sd"),
        ({"model": 3}, "must be a PenalizedGLM"),
        ({"family": "normal"}, "family"),
        ({"from_": "glmnett"}, "from_ = 'glmnett'"),
        ({"to": "sklearn.liblinear", "l1_ratio": 0.5, "family": "binomial",
          "weight_total": 9.0, "fit_intercept": False}, "l1_ratio must be 0 or 1"),
        ({"to": "sklearn.LogisticRegression", "family": "binomial", "link": "probit",
          "weight_total": 9.0}, "has the link logit, not probit"),
        ({"to": "sklearn.Lasso", "family": "gaussian", "link": "log"}, "identity"),
        ({"to": "adelie", "family": "gamma"}, "not gamma"),
        ({"link": "probitt"}, "link = 'probitt' is not known"),
        ({"n_features": 0, "to": "sklearn.Lasso"}, "there are no columns"),
        ({"n_features": -2}, "n_features must be a whole number"),
        ({"l1_ratio": "a"}, "l1_ratio must be a number"),
        ({"weight_total": "a"}, "weight_total must be a number"),
        ({"penalty_factor": "ab"}, "penalty_factor = 'ab'"),
        ({"standardize": "some"}, "standardize = 'some'"),
        ({"column_sd": [1.0, 2.0], "is_numeric": [True]}, "is_numeric must be one"),
        ({"from_": "glum", "standardize": True, "fit_intercept": False},
         "does not standardise without an intercept"),
        ({"to": "glmnet", "column_sd": [1.0, 0.0], "fit_intercept": False},
         "leaves out column 1, a constant"),
        ({"standardize": True, "column_sd": [1.0, 0.0], "fit_intercept": False},
         "column_mean"),
    ],
    ids=str,
)  # fmt: skip
def test_what_has_no_translation_is_refused_with_the_reason(told, says):
    with pytest.raises(PenglmInputError, match=says):
        pg.convert(0.3, **told)


@pytest.mark.parametrize("response_sd", [1e300, 1e-300])
def test_strength_without_a_double_in_the_other_units_is_refused(response_sd):
    alpha = 0.5 * response_sd
    with pytest.raises(PenglmInputError, match="too large or too small for double"):
        pg.convert(alpha, 0.5, to="glmnet", family="gaussian", response_sd=response_sd)


def test_ridge_at_an_estimated_scale_needs_that_scale():
    model = model_of(standardize=False)
    with pytest.raises(PenglmInputError, match="dispersion="):
        pg.convert(0.3, 0.0, to="statsmodels", model=model)
    told = pg.convert(0.3, 0.0, to="statsmodels", model=model, dispersion=2.0)
    ratio = model.statement.moments.weight_total / 60
    np.testing.assert_allclose(told.arguments["alpha"][1:], 0.3 * ratio / 2.0)


@pytest.mark.parametrize("family", ["gaussian", "gamma", None])
def test_ridge_at_an_estimated_scale_is_known_by_the_family_alone(family):
    facts = {"n_features": 2, "n_rows": 9, "weight_total": 9.0, "to": "statsmodels"}
    with pytest.raises(PenglmInputError, match=r"dispersion=|needs family"):
        pg.convert(0.3, 0.0, family=family, **facts)
    told = pg.convert(0.3, 0.0, family="poisson", **facts).arguments
    np.testing.assert_allclose(told["alpha"], [0.0, 0.3, 0.3], rtol=ROUNDING)


@pytest.mark.parametrize(
    "alpha", [None, "a", np.nan, -0.1, np.inf, [0.1, 0.2]], ids=str
)
def test_strength_that_is_none_is_refused_by_name(alpha):
    with pytest.raises(PenglmInputError) as caught:
        pg.convert(alpha, to="glmnet", family="poisson")
    assert caught.value.argument == "alpha"


def test_negative_strengths_of_statsmodels_are_refused():
    facts = {"n_features": 2, "n_rows": 9, "weight_total": 9.0}
    for alpha in ([0.0, -1.0, -1.0], [0.0, 1.0, np.nan], "a"):
        with pytest.raises(PenglmInputError, match="alpha"):
            pg.convert({"alpha": alpha}, from_="statsmodels", **facts)


# What these systems do when nobody says a mix.
OWN_MIX = {
    "statsmodels": 1.0, "statsmodels.OLS": 1.0, "sklearn.ElasticNet": 0.5,
    "sklearn.LogisticRegression": 0.0, "sklearn.liblinear": 0.0, "glum": 0.0,
    "adelie": 1.0, "glmnet": 1.0, "glmnet.object": 1.0, "matlab.lasso": 1.0,
    "matlab.lassoglm": 1.0, "spark.LinearRegression": 0.0,
    "spark.LogisticRegression": 0.0, "penglm": 1.0,
}  # fmt: skip


@pytest.mark.parametrize(
    "system", [each for each in TRANSLATED if each.mix], ids=lambda system: system.name
)
def test_mix_that_is_not_given_is_the_systems_own_or_asked_for(system):
    intercept = system.fits_intercept and not system.penalises_intercept
    family = families_of(system)[-1]
    model = model_of(family, weighted=system.weighted, fit_intercept=intercept)
    alpha = np.r_[[0.0] * intercept, 0.3 * np.ones(4)]
    given = {system.strength: alpha if "statsmodels" in system.name else 0.3}
    if system.name not in OWN_MIX:
        with pytest.raises(PenglmInputError, match=f"needs its mix, '{system.mix}'"):
            pg.convert(given, from_=system.name, model=model)
        return
    told = given | {system.mix: OWN_MIX[system.name]}
    found, expected = (
        pg.convert(each, from_=system.name, to=system.name, model=model)
        for each in (given, told)
    )
    assert found.arguments[system.mix] == OWN_MIX[system.name]
    assert repr(found) == repr(expected)


@pytest.mark.parametrize(
    ("name", "kind", "argument"),
    [("sklearn.ElasticNet", "sklearn.linear_model:ElasticNet", "l1_ratio"),
     ("sklearn.LogisticRegression", "sklearn.linear_model:LogisticRegression",
      "l1_ratio"),
     ("glum", "glum:GeneralizedLinearRegressor", "l1_ratio"),
     ("adelie", "adelie:grpnet", "alpha"),
     ("statsmodels", "statsmodels.base.elastic_net:fit_elasticnet", "L1_wt")],
)  # fmt: skip
def test_own_mix_is_what_the_system_itself_says(name, kind, argument):
    module, attribute = kind.split(":")
    thing = getattr(pytest.importorskip(module), attribute)
    default = inspect.signature(thing).parameters[argument].default
    if name == "sklearn.LogisticRegression" and default is None:
        pytest.skip("before 1.8 its default was penalty='l2'")
    assert default == SYSTEMS[name].mix_default


def test_no_penalty_goes_to_an_inverse_strength_and_back():
    there = pg.convert(0.0, to="sklearn.LogisticRegression", weight_total=9.0)
    assert there.arguments["C"] == np.inf
    back = pg.convert(
        there.arguments, from_="sklearn.LogisticRegression", weight_total=9.0
    )
    assert back.arguments["alpha"] == 0.0


def test_unverified_conventions_say_so():
    told = pg.convert(0.3, to="stata", model=model_of(weighted=False))
    assert "not verified by a run" in repr(told)
    assert "not verified" not in repr(pg.convert(0.3, to="sklearn.Lasso"))
    assert json.dumps(told.arguments)


def test_a_family_may_be_an_object():
    told = {"from_": "glmnet", "response_sd": 4.0}
    word = pg.convert(0.3, 0.5, family="gaussian", **told)
    thing = pg.convert(0.3, 0.5, family=pg.families.Gaussian(), **told)
    assert word.arguments == thing.arguments
    logarithmic = pg.families.Gaussian(pg.families.Log())
    told = pg.convert(0.3, 0.5, family=logarithmic, **told)
    assert told.arguments["alpha"] == 0.3
