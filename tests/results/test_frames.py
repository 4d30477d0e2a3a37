"""Frames of a fit, and the summary that statsmodels prints of them."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import penglm as pg
from penglm.explanation.reason import Case

N = 120
RNG = np.random.default_rng(5)
NAMES = ["a", "b", "c", "d", "e", "f"]
X = pd.DataFrame(RNG.normal(size=(N, 6)) * [1, 2, 3, 4, 5, 6], columns=NAMES)
Y = X.a - X.b + 2.0 * X.e + RNG.normal(size=N)
WEIGHTS = RNG.uniform(0.5, 2.0, N)


def fitted(**options):
    model = pg.PenalizedGLM(
        Y, X.assign(g=1.0), penalty_factor=[1, 1, 1, np.inf, 1, 0, 1],
        upper={"e": 1.8}, var_weights=WEIGHTS, **options,
    )  # fmt: skip
    return model.fit(0.3)


@pytest.fixture
def fit():
    with pytest.warns(pg.exceptions.ConstantColumnWarning):
        return fitted()


def test_frame_has_a_row_for_each_parameter(fit):
    frame = fit.summary_frame()
    assert list(frame.index) == list(fit.params.index) == ["Intercept", *NAMES, "g"]
    assert list(frame) == ["coef", "standardized", "penalty_factor", "case"]
    np.testing.assert_array_equal(frame["coef"], fit.params)
    assert frame["case"].tolist() == [
        "intercept", "positive", "negative", "zero", "excluded",
        "at its upper limit", "unpenalised", "constant",
    ]  # fmt: skip
    assert frame["penalty_factor"].tolist() == [0, 1, 1, 1, np.inf, 1, 0, 1]


def test_standardized_coefficients_are_for_one_weighted_standard_deviation(fit):
    mean = np.average(X, axis=0, weights=WEIGHTS)
    sd = np.sqrt(np.average((X - mean) ** 2, axis=0, weights=WEIGHTS))
    found = fit.summary_frame()["standardized"]
    assert np.isnan(found["Intercept"])
    assert_allclose(found[NAMES], fit.params[NAMES] * sd, rtol=1e-12)


def test_cases_are_those_of_the_explanation(fit):
    known = fit.explain(refit=False).frame()["case"]
    assert (fit.summary_frame()["case"].drop("Intercept") == known).all()
    ridge = pg.PenalizedGLM(Y, X).fit(0.3, 0.0)
    assert set(ridge.summary_frame()["case"]) == {"intercept", Case.SHRUNK.value}
    free = pg.PenalizedGLM(Y, X).fit(0.0)
    assert set(free.summary_frame()["case"]) == {"intercept", Case.FREE.value}


def test_fit_without_intercept_has_no_row_for_it():
    fit = pg.PenalizedGLM(Y, X, fit_intercept=False).fit(0.3)
    assert list(fit.summary_frame().index) == NAMES


def test_model_file_gives_the_frame_but_for_what_needs_rows(fit, tmp_path):
    fit.save(tmp_path / "m.json")
    found = pg.load(tmp_path / "m.json").summary_frame()
    known = fit.summary_frame().drop(columns="standardized")
    pd.testing.assert_frame_equal(found, known, check_exact=True)
    assert str(pg.load(tmp_path / "m.json").summary2())


def test_tables_of_the_summary_are_frames(fit):
    facts, frame = fit.summary2().tables
    pd.testing.assert_frame_equal(frame, fit.summary_frame())
    known = dict(facts[[0, 1]].itertuples(index=False)) | dict(
        facts[[2, 3]].itertuples(index=False)
    )
    assert known["Model Family:"] == "gaussian"
    assert known["alpha:"] == "0.3"
    assert known["Nonzero / total:"] == f"{fit.n_nonzero} / 7"
    assert known["Status:"] == "optimal"


def test_text_has_every_number_and_no_gap_called_nan(fit):
    text = str(fit.summary2())
    for name, row in fit.summary_frame().iterrows():
        line = next(each for each in text.splitlines() if each.startswith(f"{name} "))
        assert f"{row['coef']:.4f}" in line
        assert row["case"] in line
    assert "nan" not in text
    assert "Certificate: optimal" in text
    assert "No standard errors" in text
    assert f"{fit.params['a']:.7f}" in str(fit.summary2(float_format="%.7f"))


def test_names_in_html_are_escaped():
    table = X.rename(columns={"a": "<script>"})
    fit = pg.PenalizedGLM(Y.rename("<b>"), table).fit(0.3)
    html = fit.summary2().as_html()
    assert html == fit.summary2()._repr_html_()
    assert "&lt;script&gt;" in html
    assert "<script>" not in html
    assert "<b>" not in html
    assert "\\begin{tabular}" in fit.summary2().as_latex()
