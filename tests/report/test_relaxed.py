"""Pages of relaxed fits, which minimise nothing and have no reasons."""

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose

import penglm as pg
from penglm.report.page import rendered
from tests.report.reading import columns, read, rides, unpacked_path

FOUR, FIVE = 5e-4, 5e-5


@pytest.fixture(scope="module")
def model():
    """Return a Poisson model with a factor."""
    return pg.glm("claims ~ a + b + c + d + e + C(g)", rides(), "poisson")


def test_a_relaxed_fit_shows_its_numbers_and_no_reasons(model):
    fit = model.fit(0.1).relax(0.25)
    page = read(rendered(fit))
    shown = columns(page.one("table", id="coefficients"))
    assert list(shown) == ["Column", "Estimate", "Per sd"]
    assert_allclose([float(text) for text in shown["Estimate"]], fit.params, rtol=FIVE)
    assert "Poisson relaxed lasso for claims" in page.one("h1").text
    said = page.one("p", **{"class": "verdict"}).text
    assert said.startswith("Ends certified.")
    assert "0.250 of the penalised fit" in said
    assert fit.verdict in said
    assert not page.all("section", id="zeros")


def test_a_relaxed_path_has_its_own_slider(model):
    path = model.fit_path(n_alphas=12).relax(0.0)
    page = read(rendered(path.opened_with, path))
    found = unpacked_path(json.loads(page.one("script", id="data").text))
    expected = np.column_stack([path[k].params for k in range(len(path))])
    assert_allclose(found["coef"], expected, rtol=FIVE)


def test_after_folds_the_slider_shows_the_chosen_mix(model, tmp_path):
    cv = model.fit_cv(4, relax=True)
    cv.report(tmp_path / "page.html")
    page = read((tmp_path / "page.html").read_text())
    data = json.loads(page.one("script", id="data").text)
    found = unpacked_path(data)
    for k in (0, len(cv) // 2, len(cv) - 1, data["chosen"]):
        assert_allclose(found["coef"][:, k], cv[k].params, rtol=FIVE)
    assert data["alphas"][data["chosen"]] == cv.alpha_best
    shown = columns(page.one("table", id="path"))
    scores = cv.scores_by_gamma[cv.gamma_best]
    assert_allclose([float(text) for text in shown["held-out deviance"]], scores.mean,
                    rtol=FOUR)  # fmt: skip
    choice = page.one("section", id="choice").text
    assert f"gamma = {cv.gamma_best:g}" in choice
    for name, (gamma, k) in cv.places.items():
        assert f"{name}: alpha = " in choice
        assert str(cv.n_nonzero[k]) in choice
        assert f"gamma = {gamma:g}" in choice


def test_a_model_file_of_a_relaxed_fit_has_a_page(model, tmp_path):
    model.fit(0.1).relax(0.5).save(tmp_path / "model.json")
    page = read(rendered(pg.load(tmp_path / "model.json")))
    assert "relaxed lasso" in page.one("h1").text
