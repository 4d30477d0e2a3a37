"""Every sentence about a coefficient is put to the test by fitting again."""

import re

import numpy as np
import pandas as pd
import pytest

import penglm as pg
from penglm import datasets
from penglm.exceptions import ConstantColumnWarning, PenglmInputError
from penglm.explanation import refits
from penglm.explanation.reason import Case

# How far from the stated strength the fit has to look as the sentence says.
NEAR = 0.01
NUMBER = r"([0-9.]+(?:e[-+]?\d+)?)"


def refuted(model, explanation, l1_ratio=1.0, penalty=None):
    """Return the reasons whose stated strengths other fits contradict."""
    wrong = []
    for reason in explanation.reasons:
        sides = []
        if reason.enters_at is not None:
            sides = [(reason.enters_at, 1.0 + NEAR, True)]
            sides += [(reason.enters_at, 1.0 - NEAR, False)]
        if reason.leaves_at is not None:
            sides = [(reason.leaves_at, 1.0 + NEAR, True)]
            sides += [(reason.leaves_at, 1.0 - NEAR, False)]
        if reason.searched_to is not None:
            sides = [(reason.searched_to, 1.0, True)]
        for alpha, factor, is_zero in sides:
            fit = model.fit(alpha * factor, l1_ratio, penalty=penalty)
            if (fit.params[reason.name] == 0.0) != is_zero:
                wrong.append((reason, factor))
    return wrong


def real(name, shared):
    """Return a model of real data, and a share of alpha_max at which to explain it."""
    if name == "prostate":
        rows = pd.read_csv(shared / "data" / "prostate.csv").drop(columns="train")
        return pg.glm("lpsa ~ .", rows), 0.1
    if name == "saheart":
        rows = pd.read_csv(shared / "data" / "saheart.csv")
        return pg.glm("chd ~ .", rows, "binomial"), 0.3
    formula = "bikers ~ C(hr) + mnth + temp + atemp + hum + windspeed + weathersit"
    formula += " + workingday + holiday"
    return pg.glm(formula, datasets.bikeshare(), "poisson"), 0.02


@pytest.mark.parametrize("name", ["prostate", "saheart", "bikeshare"])
def test_every_zero_of_real_data_has_a_sentence_that_refits_confirm(name, shared):
    model, share = real(name, shared)
    fit = model.fit(share * model.alpha_max())
    explanation = fit.explain()
    zero = [r for r in explanation.reasons if r.case is Case.ZERO]
    assert len(zero) == fit.coef.size - fit.n_nonzero > 2
    for reason in zero:
        said = re.search(f"it would enter at alpha {NUMBER}", reason.sentence)
        never = re.search(f"down to alpha {NUMBER}", reason.sentence)
        assert reason.sentence.startswith(f"{reason.name} is zero: its remaining")
        assert (said is None) != (never is None)
        stated = float((said or never).group(1))
        assert stated == pytest.approx(reason.enters_at or reason.searched_to, 1e-3)
    assert refuted(model, explanation) == []


def simulated(n=150, p=12, family="gaussian", **others):
    rng = np.random.default_rng(3)
    common = rng.normal(size=(n, 1))
    X = (rng.normal(size=(n, p)) + common) * np.geomspace(0.2, 5.0, p)
    effect = np.zeros(p)
    effect[:7] = [0.4, -0.4, 0.3, 0.1, -0.1, 0.1, 0.05]
    eta = (X - X.mean(axis=0)) / X.std(axis=0) @ effect
    y = {
        "gaussian": eta + rng.normal(size=n),
        "poisson": rng.poisson(np.exp(eta)),
        "gamma": np.exp(eta) * rng.gamma(2.0, size=n),
    }[family]
    link = "log" if family == "gamma" else None
    weight = rng.uniform(0.5, 2.0, size=n)
    return pg.PenalizedGLM(y, X, family, link=link, var_weights=weight, **others)


CASES = {
    "lasso": {},
    "raw": {"standardize": False},
    "factors": {"penalty_factor": [0.0, 2.0, *np.linspace(0.5, 3.0, 10)]},
    "one-sided": {"lower": [0.0, -np.inf] * 6, "upper": [np.inf, 0.0] * 6},
    "boxed": {"lower": -0.05, "upper": 0.05},
    "no intercept": {"fit_intercept": False},
}


@pytest.mark.parametrize("l1_ratio", [1.0, 0.4])
@pytest.mark.parametrize("family", ["gaussian", "poisson", "gamma"])
@pytest.mark.parametrize("case", CASES)
def test_strengths_of_entry_and_exit_are_confirmed_by_refits(case, family, l1_ratio):
    model = simulated(family=family, **CASES[case])
    fit = model.fit(0.3 * model.alpha_max(l1_ratio), l1_ratio)
    explanation = fit.explain()
    assert any(r.enters_at is not None for r in explanation.reasons)
    assert any(r.leaves_at is not None for r in explanation.reasons) or case == "boxed"
    assert refuted(model, explanation, l1_ratio) == []


def test_wide_data_is_explained_down_to_a_hundredth_of_the_largest_strength():
    rng = np.random.default_rng(8)
    X = rng.normal(size=(40, 90))
    model = pg.PenalizedGLM(X[:, 0] + rng.normal(size=40), X)
    explanation = model.fit(0.5 * model.alpha_max()).explain()
    lost = [r for r in explanation.reasons if r.searched_to is not None]
    assert lost
    for reason in lost:
        assert reason.searched_to == pytest.approx(0.01 * model.alpha_max())
        assert "does not enter on the path down to alpha" in reason.sentence
    assert refuted(model, explanation) == []


@pytest.mark.parametrize("family", ["gaussian", "poisson", "gamma"])
def test_coefficients_looked_for_together_are_found_where_they_are_alone(
    family, monkeypatch
):
    model = simulated(family=family, penalty_factor=np.linspace(0.5, 2.0, 12))
    fit = model.fit(0.3 * model.alpha_max(0.7), 0.7)
    alone = fit.explain().frame()
    monkeypatch.setattr(refits, "MANY", 0)
    explanation = fit.explain()
    together = explanation.frame()
    for strength in ("enters_at", "leaves_at"):
        assert alone[strength].notna().any()
        np.testing.assert_allclose(together[strength], alone[strength], rtol=2e-3)
    assert refuted(model, explanation, 0.7) == []


@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("family", ["gaussian", "poisson", "gamma"])
def test_signal_is_the_product_with_the_partial_working_residual(
    family, fit_intercept, standardize
):
    model = simulated(
        family=family, standardize=standardize, fit_intercept=fit_intercept
    )
    fit = model.fit(0.2 * model.alpha_max())
    X, data = fit.data.design.to_dense(), fit.data
    _, score, weight = fit.spec.family.working_terms(data.y, fit.linear_predictor)
    weight, score = weight * data.sample_weight, score * data.sample_weight
    mean = np.average(X, axis=0, weights=data.sample_weight)
    spread = np.average((X - mean) ** 2, axis=0, weights=data.sample_weight)
    size = np.sqrt(spread) if standardize else np.ones(X.shape[1])
    table = fit.explain(refit=False).frame()
    for j, signal in enumerate(table["signal"]):
        x = X[:, j]
        if fit_intercept:
            x = x - np.average(x, weights=weight)
        partial = score / weight + x * fit.coef[j]
        naive = x @ (weight * partial) / data.sample_weight.sum() / size[j]
        assert signal == pytest.approx(naive, rel=1e-4, abs=1e-6 * fit.alpha)


def test_coefficient_is_zero_exactly_where_its_signal_is_within_its_threshold():
    model = simulated(family="poisson", penalty_factor=np.linspace(0.2, 2.0, 12))
    for share in (0.7, 0.3, 0.1):
        fit = model.fit(share * model.alpha_max(0.8), 0.8)
        table = fit.explain(refit=False).frame()
        assert ((table["margin"] > 0.0) == (table["coef"] != 0.0)).all()
        expected = fit.alpha * 0.8 * np.linspace(0.2, 2.0, 12)
        np.testing.assert_allclose(table["threshold"], expected)


def test_each_case_is_told_apart():
    rng = np.random.default_rng(5)
    X = rng.normal(size=(80, 7))
    X[:, 3] = 2.0
    y = X @ [1.0, -1.0, 1.0, 0.0, 1.0, 0.0, 1.0] + rng.normal(size=80)
    with pytest.warns(ConstantColumnWarning):
        model = pg.PenalizedGLM(
            y, X, penalty_factor=[1, 1, 0, 1, np.inf, 1, 1],
            upper=[np.inf, np.inf, np.inf, np.inf, np.inf, 0.0, 0.3],
            lower=[-np.inf, -np.inf, -np.inf, -np.inf, -np.inf, 0.0, -np.inf],
        )  # fmt: skip
    explanation = model.fit(0.1).explain()
    said = [reason.case.value for reason in explanation.reasons]
    assert said == [
        "positive", "negative", "unpenalised", "constant", "excluded", "fixed",
        "at its upper limit",
    ]  # fmt: skip
    for reason, words in zip(
        explanation.reasons,
        ["would leave", "would leave", "not penalised", "never varies",
         "penalty factor is infinite", "no other value", "carry it further"],
        strict=True,
    ):  # fmt: skip
        assert words in reason.sentence
    ridge = model.fit(0.1, l1_ratio=0.0).explain("x1")
    assert ridge["x1"].case is Case.SHRUNK
    assert "without an L1 part" in str(ridge)


def test_zero_whose_signal_points_beyond_its_limit_says_so():
    rng = np.random.default_rng(6)
    X = rng.normal(size=(100, 3))
    model = pg.PenalizedGLM(X @ [1.0, -1.0, 0.2] + rng.normal(size=100), X, lower=0.0)
    reason = model.fit(0.1).explain("x2")["x2"]
    assert reason.case is Case.ZERO
    assert reason.signal < -reason.threshold
    assert reason.alpha_alone is None
    assert reason.enters_at is None
    assert "does not enter on the path" in reason.sentence
    alone = model.fit(0.1).explain("x2", refit=False)["x2"]
    assert "points beyond" in alone.sentence


@pytest.mark.parametrize("alpha", [0.0, np.inf])
def test_ends_of_the_path_are_explained(alpha):
    model = simulated()
    explanation = model.fit(alpha).explain()
    assert refuted(model, explanation) == []
    strengths = explanation.frame()["enters_at" if alpha else "leaves_at"]
    assert strengths.notna().all()
    assert strengths.max() == pytest.approx(model.alpha_max(), rel=1e-3)


def test_a_term_is_explained_by_all_its_columns():
    model = pg.glm("bikers ~ season + weathersit", datasets.bikeshare(), "poisson")
    explanation = model.fit(5.0).explain("weathersit")
    assert [r.name for r in explanation.reasons] == [
        name for name in model.data.names if name.startswith("weathersit")
    ]


def test_unknown_name_is_refused_with_an_offer():
    fit = simulated().fit(0.1)
    with pytest.raises(
        PenglmInputError, match="did you mean 'x11' or 'x1'\\?"
    ) as caught:
        fit.explain("x111")
    assert caught.value.argument == "name"


def test_names_are_escaped_in_html():
    rng = np.random.default_rng(1)
    rows = pd.DataFrame(rng.normal(size=(50, 2)), columns=["<b>x</b>", "z"])
    model = pg.PenalizedGLM(rng.normal(size=50), rows)
    page = model.fit(0.5 * model.alpha_max()).explain()._repr_html_()
    assert "&lt;b&gt;x&lt;/b&gt; is" in page
    assert "<b>" not in page


def test_what_is_not_optimal_says_so():
    model = simulated(family="poisson")
    with pytest.warns(pg.exceptions.ConvergenceWarning):
        fit = model.fit(0.01, max_iter=1)
    assert "not optimal: max_iter" in str(fit.explain(refit=False))


def test_adaptive_factors_are_those_of_the_fit():
    model = simulated()
    fit = model.fit(0.05, penalty="adaptive")
    explanation = fit.explain()
    assert any(r.enters_at is not None for r in explanation.reasons)
    expected = fit.alpha * fit.spec.penalty_factor
    np.testing.assert_allclose(explanation.frame()["threshold"], expected)
    assert refuted(model, explanation, penalty="adaptive") == []


def test_estimated_parameter_is_held_and_said_to_be():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 6))
    mu = np.exp(0.5 * X[:, 0] + 0.1 * X[:, 1])
    y = rng.negative_binomial(2, 2.0 / (2.0 + mu))
    family = pg.families.NegativeBinomial(theta="estimate")
    fit = pg.PenalizedGLM(y, X, family).fit(0.1)
    explanation = fit.explain()
    said = "At alpha 0.1, l1_ratio 1, estimated parameters of the family held:"
    for account in (explanation, fit.rivals(refit=False), fit.scan()):
        assert account.title == said
    assert any(r.enters_at is not None for r in explanation.reasons)
    assert refuted(pg.PenalizedGLM(y, X, fit.spec.family), explanation) == []
