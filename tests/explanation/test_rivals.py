"""Attribution adds up to the last digits, and fits without a variable confirm it."""

import numpy as np
import pandas as pd
import pytest

import penglm as pg
from penglm import datasets
from penglm.exceptions import PenglmInputError

# The identity is exact; what is left is the rounding of sums over the rows.
EXACT = 1e-10


def proxies(seed=1, n=1500):
    """Return counts that x1 and x2 cause, and two columns that stand in for x1."""
    rng = np.random.default_rng(seed)
    x1, x2 = rng.normal(size=(2, n))
    x3, x4 = 0.7 * x1 + 0.8 * rng.normal(size=(2, n))
    rows = pd.DataFrame({"x1": x1, "x2": x2, "x3": x3, "x4": x4})
    return rows, rng.poisson(np.exp(0.5 + 0.5 * x1 + 0.3 * x2))


def test_rivals_name_what_variance_inflation_does_not_see():
    """Every VIF is below 3, and yet introducing x1 sets x3 and x4 to zero."""
    rows, y = proxies()
    fit = pg.PenalizedGLM(y, rows, "poisson").fit(0.2)
    fewer = pg.PenalizedGLM(y, rows[["x2", "x3", "x4"]], "poisson").fit(0.2)
    assert (fewer.params[["x3", "x4"]] > 0.0).all()
    assert (fit.params[["x3", "x4"]] == 0.0).all()
    assert (fit.params[["x1", "x2"]] > 0.0).all()
    assert fit.vif()["vif"].max() < 3.0

    found = fit.rivals()
    assert [one.name for one in found.columns] == ["x3", "x4"]
    for one in found.columns:
        assert max(one.claims, key=one.claims.get) == "x1"
        assert one.claims["x1"] > 0.5 * one.null_signal
    without = {removal.name: removal for removal in found.removals}
    assert set(without) == {"x1", "x2"}
    assert without["x1"].returned == without["x1"].foreseen == {"x3", "x4"}
    assert without["x2"].returned == without["x2"].foreseen == set()
    for name in ("x3", "x4"):
        assert without["x1"].coefs[name] == pytest.approx(fewer.params[name], rel=1e-4)
    rise = fewer.deviance - fit.deviance
    assert without["x1"].deviance_rise == pytest.approx(rise, rel=1e-6)
    text = str(found)
    assert "Without x1 (VIF 2." in text
    assert "x3 comes back" in text and "x4 comes back" in text
    assert "Without x2 (VIF 1) nothing comes back" in text


def model_of(family, *, n=150, p=10, **others):
    rng = np.random.default_rng(4)
    X = (rng.normal(size=(n, p)) + rng.normal(size=(n, 1))) * np.geomspace(0.1, 10, p)
    eta = X[:, :3] @ (np.array([0.5, -0.5, 0.3]) / X[:, :3].std(axis=0))
    y = {
        "gaussian": eta + rng.normal(size=n),
        "binomial": rng.binomial(1, 1.0 / (1.0 + np.exp(-eta))),
        "poisson": rng.poisson(np.exp(eta)),
        "gamma": np.exp(eta) * rng.gamma(2.0, size=n),
    }[family]
    link = "log" if family == "gamma" else None
    return pg.PenalizedGLM(
        y, X, family, link=link, offset=0.1 * rng.normal(size=n),
        var_weights=rng.uniform(0.5, 2.0, size=n), **others,
    )  # fmt: skip


@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("family", ["gaussian", "binomial", "poisson", "gamma"])
def test_attribution_adds_up_and_is_the_definition(family, fit_intercept, standardize):
    model = model_of(family, fit_intercept=fit_intercept, standardize=standardize)
    fit = model.fit(0.2 * model.alpha_max())
    data, X = fit.data, fit.data.design.to_dense()
    eta = fit.linear_predictor
    _, score, weight = fit.spec.family.working_terms(data.y, eta)
    response = eta - data.offset + score / weight
    weight = weight * data.sample_weight
    mean = np.average(X, axis=0, weights=data.sample_weight)
    sd = np.sqrt(np.average((X - mean) ** 2, axis=0, weights=data.sample_weight))
    if fit_intercept:
        X = X - np.average(X, axis=0, weights=weight)
    X = X / (sd if standardize else 1.0) / data.sample_weight.sum()
    signals = fit.explain(refit=False).frame()["signal"]
    for name in data.names:
        for one in fit.rivals(name, refit=False).columns:
            j = data.names.index(one.name)
            total = sum(one.claims.values()) + one.signal
            size = max(map(abs, (*one.claims.values(), one.null_signal)))
            assert total == pytest.approx(one.null_signal, rel=0.0, abs=EXACT * size)
            null = X[:, j] @ (weight * response)
            assert one.null_signal == pytest.approx(null, abs=1e-9 * size)
            # What remains is what explain() says, as far as the fit is optimal.
            assert one.signal == pytest.approx(signals.iloc[j], abs=1e-4 * fit.alpha)


def test_terms_are_one_variable_each():
    rows = datasets.bikeshare().iloc[::5]
    formula = "bikers ~ C(season) + weathersit + temp + workingday + holiday"
    model = pg.glm(formula, rows, "poisson")
    fit = model.fit(0.1 * model.alpha_max())
    found = fit.rivals()
    zero = [n for n, value in fit.params.items() if value == 0.0]
    assert [one.name for one in found.columns] == zero != []
    terms = set(model.data.term_slices)
    assert {removal.name for removal in found.removals} <= terms
    for one in found.columns:
        assert set(one.claims) <= terms
        total = sum(one.claims.values()) + one.signal
        size = max(map(abs, one.claims.values()))
        assert total == pytest.approx(one.null_signal, rel=0.0, abs=EXACT * size)
    for removal in found.removals:
        # A column of the variable that is left out cannot come back.
        assert not any(n in removal.coefs for n in zero if n.startswith(removal.name))
        kept = " + ".join(sorted(terms - {removal.name}))
        fewer = pg.glm(f"bikers ~ {kept}", rows, "poisson").fit(fit.alpha)
        for name, value in removal.coefs.items():
            assert value == pytest.approx(fewer.params[name], rel=1e-3, abs=1e-4)
        back = {n for n in removal.coefs if fewer.params[n] != 0.0}
        assert removal.returned == back
        rise = fewer.deviance - fit.deviance
        assert removal.deviance_rise == pytest.approx(rise, rel=1e-4)


def test_disagreement_of_sums_and_fits_is_said(shared):
    rows = pd.read_csv(shared / "data" / "prostate.csv").drop(columns="train")
    found = pg.glm("lpsa ~ .", rows).fit(0.1).rivals()
    without = {removal.name: removal for removal in found.removals}
    svi = without["svi"]
    assert svi.foreseen == {"lcp", "gleason"}
    assert svi.returned == {"lcp"}
    assert not svi.agrees
    assert "Attribution foresaw gleason, but others step in." in svi.sentence
    assert without["lcavol"].agrees
    assert "Attribution" not in without["lcavol"].sentence


def test_what_was_not_foreseen_is_said():
    """Two copies share a signal; without either the other speaks for both."""
    rng = np.random.default_rng(0)
    common = rng.normal(size=400)
    x1, x2 = common + 0.3 * rng.normal(size=(2, 400))
    x3 = x1 - x2 + 0.1 * rng.normal(size=400)
    y = x1 + 0.8 * x2 + 0.5 * rng.normal(size=400)
    model = pg.PenalizedGLM(y, np.column_stack([x1, x2, x3]))
    found = model.fit(0.2).rivals()
    surprises = [r for r in found.removals if r.returned - r.foreseen]
    assert surprises
    for removal in surprises:
        assert "Attribution did not foresee x3: others moved." in removal.sentence


def test_active_column_is_asked_about_by_name():
    rows, y = proxies()
    fit = pg.PenalizedGLM(y, rows, "poisson").fit(0.2)
    found = fit.rivals("x1")
    (one,) = found.columns
    assert "its own" in one.sentence
    assert one.signal > one.threshold
    (removal,) = found.removals
    assert removal.name == "x2"
    fewer = pg.PenalizedGLM(y, rows[["x1", "x3", "x4"]], "poisson").fit(0.2)
    assert removal.coefs["x1"] == pytest.approx(fewer.params["x1"], rel=1e-4)
    assert f"x1 is {fewer.params['x1']:.3g}" in removal.sentence


def test_frame_has_a_row_for_each_column_and_rival():
    rows, y = proxies()
    fit = pg.PenalizedGLM(y, rows, "poisson").fit(0.2)
    table = fit.rivals().frame().set_index(["column", "rival"])
    assert list(table.index) == [
        ("x3", "x1"), ("x3", "x2"), ("x4", "x1"), ("x4", "x2"),
    ]  # fmt: skip
    inflated = fit.vif()["vif"]
    for (column, rival), row in table.iterrows():
        assert row["vif"] == inflated[column]
        assert row["rival_vif"] == inflated[rival]
        assert row["foreseen"] == (rival == "x1")
        assert (row["coef_without"] != 0.0) == (rival == "x1")
    sums = fit.rivals(refit=False)
    assert sums.removals == ()
    assert "coef_without" not in sums.frame()


def test_variable_that_limits_keep_from_zero_is_not_left_out():
    rows, y = proxies()
    lower = [0.1, -np.inf, -np.inf, -np.inf]
    fit = pg.PenalizedGLM(y, rows, "poisson", lower=lower).fit(0.2)
    found = fit.rivals()
    assert [removal.name for removal in found.removals] == ["x2"]
    assert all("x1" in one.claims for one in found.columns)


def test_nothing_to_attribute_is_said():
    rows, y = proxies()
    fit = pg.PenalizedGLM(y, rows, "poisson").fit(0.0)
    assert "no coefficient is zero" in str(fit.rivals())
    assert fit.rivals().frame().empty


def test_empty_model_has_no_rivals():
    rows, y = proxies()
    fit = pg.PenalizedGLM(y, rows, "poisson").fit(np.inf)
    found = fit.rivals()
    assert len(found.columns) == 4
    for one in found.columns:
        assert one.claims == {}
        assert one.signal == pytest.approx(one.null_signal, rel=1e-9)


def test_unknown_name_is_refused():
    rows, y = proxies()
    with pytest.raises(PenglmInputError, match="no column or term"):
        pg.PenalizedGLM(y, rows, "poisson").fit(0.2).rivals("zebra")


@pytest.mark.filterwarnings("error")
def test_removals_that_start_where_some_row_has_no_mean_are_fits():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(300, 6)), columns=list("abcdef"))
    y = rng.exponential(np.exp(1.0 + 0.5 * X.a - 0.3 * X.b))
    model = pg.PenalizedGLM(y, X, "gamma", link="inverse")
    found = model.fit(0.05).rivals()
    assert found.removals
    for removal in found.removals:
        fewer = pg.PenalizedGLM(y, X.drop(columns=removal.name), "gamma").fit(0.05)
        for name, value in removal.coefs.items():
            assert value == pytest.approx(fewer.params[name], rel=1e-4, abs=1e-7)
