"""Columns lie on the curve of soft thresholding: the conditions put them there."""

import matplotlib
import numpy as np
import pytest

import penglm as pg
from penglm.exceptions import PenglmInputError
from penglm.explanation.thresholds import thresholded
from penglm.results.explained import refits_of

matplotlib.use("Agg")

TOL = 1e-9


CASES = [
    ("gaussian", 1.0, {}),
    ("gaussian", 0.4, {"standardize": False}),
    ("binomial", 0.5, {"penalty_factor": [1, 3, 1, 0.5, 2, 1]}),
    ("poisson", 1.0, {"fit_intercept": False}),
    ("gamma", 0.3, {"link": "log", "standardize": False}),
]


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0]}-{case[1]}-{list(case[2])}")
def fit(request):
    family, l1_ratio, extra = request.param
    rng = np.random.default_rng(11)
    X = rng.normal(size=(150, 6)) * [1.0, 3.0, 0.3, 1.0, 2.0, 1.0]
    eta = 0.2 + 0.5 * X[:, 0] - 0.2 * X[:, 1] + 0.5 * X[:, 2] + 0.2 * X[:, 4]
    y = {
        "gaussian": lambda: eta + rng.normal(size=150),
        "binomial": lambda: rng.binomial(1, 1.0 / (1.0 + np.exp(-eta))),
        "poisson": lambda: rng.poisson(np.exp(eta)),
        "gamma": lambda: rng.gamma(2.0, np.exp(eta) / 2.0),
    }[family]()
    weight = rng.uniform(0.5, 2.0, 150)
    model = pg.PenalizedGLM(y, X, family, var_weights=weight, **extra)
    return model.fit(0.2 * model.alpha_max(1.0), l1_ratio, tol=TOL)


def by_hand(fit):
    """Return threshold, second derivative and ridge part of each column (p,)."""
    X = fit.data.design.linear_predictor(np.eye(6), np.arange(6))
    s = fit.data.sample_weight
    mean = np.average(X, axis=0, weights=s)
    sd = np.sqrt(np.average((X - mean) ** 2, axis=0, weights=s))
    X = X / (sd if fit.spec.standardize else 1.0)
    _, _, w = fit.spec.family.working_terms(fit.data.y, fit.linear_predictor)
    if fit.spec.fit_intercept:
        X = X - np.average(X, axis=0, weights=s * w)
    curvature = (s * w) @ X**2 / s.sum()
    unit = sd if fit.spec.standardize else np.ones(6)
    f, mix = fit.spec.penalty_factor, fit.l1_ratio
    return fit.alpha * mix * f, curvature, fit.alpha * (1 - mix) * f, fit.coef * unit


def test_points_are_signals_and_coefficients_over_thresholds(fit):
    threshold, curvature, _, b = by_hand(fit)
    found = thresholded(refits_of(fit))
    np.testing.assert_array_equal(found.columns, np.arange(6))
    np.testing.assert_allclose(
        found.signal, fit.explain(refit=False).frame().signal / threshold, rtol=1e-12
    )
    np.testing.assert_allclose(found.own, curvature * b / threshold, rtol=1e-10)


def test_points_lie_on_the_curve(fit):
    _, curvature, pull, b = by_hand(fit)
    found = thresholded(refits_of(fit))
    moved = b != 0.0
    assert moved.any()
    np.testing.assert_allclose(
        found.slope[moved], (curvature / (curvature + pull))[moved], rtol=1e-10
    )
    assert np.isnan(found.slope[~moved]).all()
    beyond = np.sign(found.signal) * np.maximum(np.abs(found.signal) - 1.0, 0.0)
    curve = np.where(moved, found.slope, 0.0) * beyond
    # The residual of the certificate is in units of the threshold, as both sides are.
    assert np.abs(found.own - curve).max() <= 2.0 * TOL
    assert np.all(np.abs(found.signal[~moved]) <= 1.0)


def test_picture_names_the_nearest_and_tells_the_farthest(fit):
    found = thresholded(refits_of(fit))
    ax = fit.plot_soft_threshold(most_names=2)
    near = np.abs(np.abs(found.signal) - 1.0)
    near[np.abs(found.signal) > 6.0] = np.inf
    wanted = {fit.data.names[j] for j in np.argsort(near)[:2]}
    assert {text.get_text() for text in ax.texts} == wanted
    for j in np.flatnonzero(np.abs(found.signal) > 6.0):
        assert fit.data.names[j] in ax.get_title()
    ax.figure.canvas.draw()


def test_a_limit_keeps_a_column_off_the_curve():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 3))
    y = X @ [2.0, 0.5, 0.0] + rng.normal(size=80)
    fit = pg.PenalizedGLM(y, X, upper=1.0).fit(0.4)
    found = thresholded(refits_of(fit))
    assert found.is_limited.tolist() == [True, False, False]
    assert found.own[0] < found.signal[0] - 1.0
    said = fit.plot_soft_threshold().get_legend().get_texts()
    assert "held by a limit" in [text.get_text() for text in said]


def test_columns_without_a_threshold_are_left_out_or_refused():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 3))
    y = X @ [2.0, 0.5, 0.0] + rng.normal(size=80)
    fit = pg.PenalizedGLM(y, X, penalty_factor=[0.0, 1.0, np.inf]).fit(0.1)
    assert thresholded(refits_of(fit)).columns.tolist() == [1]
    for alpha, l1_ratio in ((0.1, 0.0), (0.0, 1.0)):
        with pytest.raises(PenglmInputError, match="no column has a threshold"):
            pg.PenalizedGLM(y, X).fit(alpha, l1_ratio).plot_soft_threshold()


def test_an_empty_model_is_a_flat_line():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 3))
    model = pg.PenalizedGLM(X[:, 0] + rng.normal(size=80), X)
    fit = model.fit(1.5 * model.alpha_max())
    fit.plot_soft_threshold().figure.canvas.draw()
