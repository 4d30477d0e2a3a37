"""The picture of contours and body says where the fit is, and says it truly."""

import warnings

import matplotlib
import numpy as np
import pytest
from scipy import optimize

import penglm as pg
from penglm.exceptions import PenglmInputError, ScalingWarning
from penglm.explanation.geometry import geometry, profile
from penglm.plots.geometry import body, levels
from penglm.results.explained import refits_of, terms_of

matplotlib.use("Agg")

# Points of the boundary are compared with the fit, whose loss is known to about the
# residual of its certificate; rounding of sums over 120 rows is far below.
NEAR = 1e-9


def simulated(family):
    rng = np.random.default_rng(7)
    X = rng.normal(size=(120, 4)) * [1.0, 5.0, 0.2, 1.0]
    X[:, 1] += 3.0 * X[:, 0]
    eta = 0.2 + 0.6 * X[:, 0] + 0.08 * X[:, 1] - 1.5 * X[:, 2]
    y = {
        "gaussian": lambda: eta + rng.normal(size=120),
        "binomial": lambda: rng.binomial(1, 1.0 / (1.0 + np.exp(-eta))),
        "poisson": lambda: rng.poisson(np.exp(eta)),
        "gamma": lambda: rng.gamma(2.0, np.exp(eta) / 2.0),
    }[family]()
    return y, X, rng.uniform(0.5, 2.0, 120)


CASES = [
    ("gaussian", 1.0, {}),
    ("gaussian", 0.0, {"standardize": False}),
    ("binomial", 0.5, {"penalty_factor": [1.0, 3.0, 1.0, 1.0]}),
    ("poisson", 1.0, {}),
    ("poisson", 1.0, {"fit_intercept": False}),
    ("gamma", 0.7, {"link": "log", "standardize": False}),
]


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0]}-{case[1]}-{list(case[2])}")
def fit(request):
    family, l1_ratio, extra = request.param
    y, X, weight = simulated(family)
    model = pg.PenalizedGLM(y, X, family, var_weights=weight, **extra)
    with warnings.catch_warnings():
        # Pictures have axes of very different units here, raw ones among them.
        warnings.simplefilter("ignore", ScalingWarning)
        return model.fit(0.15 * model.alpha_max(1.0), l1_ratio, tol=1e-9)


def found_of(fit, *names):
    return geometry(refits_of(fit), terms_of(fit), names)


def profile_at(fit, pairs, columns):
    return profile(
        fit.solved.problem, fit.solution, np.array(columns), np.atleast_2d(pairs)
    )


def test_no_pair_of_the_body_has_less_loss_than_the_fit(fit):
    for names, columns in ((("x1", "x2"), [0, 1]), (("x2", "x4"), [1, 3])):
        found = found_of(fit, *names)
        outline = body(found.l1_ratio, found.factor, found.budget, 1e9)
        losses = profile_at(fit, outline, columns)
        assert losses.min() >= found.fit_loss * (1.0 - NEAR)
        penalty = fit.solved.problem.penalty
        units = fit.solved.problem.penalty_scale[columns]
        for corner in outline[:: len(outline) // 8]:
            cost = penalty.value(corner / units, 1.0, np.array(columns))
            assert cost == pytest.approx(found.budget, rel=1e-12)


def test_loss_at_the_fit_is_that_of_the_fit(fit):
    W = fit.data.sample_weight.sum()
    found = found_of(fit, "x1", "x2")
    assert found.fit_loss == pytest.approx(fit.deviance / (2.0 * W), rel=1e-12)
    np.testing.assert_allclose(
        found.fit, fit.coef[:2] * fit.solved.problem.penalty_scale[:2], rtol=1e-14
    )


def test_profile_is_the_least_over_intercepts(fit):
    data, family = fit.data, fit.spec.family
    units = fit.solved.problem.penalty_scale[[1, 2]]
    pairs = np.array([[0.0, 0.0], [0.4, -0.3], [-0.5, 0.7]])
    for pair, ours in zip(pairs, profile_at(fit, pairs, [1, 2]), strict=True):
        coef = fit.coef
        coef[[1, 2]] = pair / units
        base = data.design.linear_predictor(coef, np.arange(4))

        def loss(intercept, base=base):
            terms = family.working_terms(data.y, base + intercept)
            return np.average(terms[0], weights=data.sample_weight)

        best = loss(0.0)
        if fit.spec.fit_intercept:
            best = optimize.minimize_scalar(
                loss, bounds=(-60, 60), method="bounded"
            ).fun
        # What is flat to second order is found to 1e-5 of the intercept by the peer.
        assert ours == pytest.approx(best, rel=1e-9)


def test_cross_stands_where_no_neighbour_has_less_loss(fit):
    found = found_of(fit, "x1", "x2")
    here = profile_at(fit, found.least, [0, 1])[0]
    around = found.least + 0.01 * np.array([[1, 0], [-1, 0], [0, 1], [0, -1], [1, -1]])
    assert np.all(profile_at(fit, around, [0, 1]) > here)
    assert here < found.fit_loss


def test_grid_holds_the_profile(fit):
    found = found_of(fit, "x2", "x3")
    pairs = [[found.x[5], found.y[20]], [found.x[22], found.y[2]]]
    np.testing.assert_allclose(
        [found.loss[20, 5], found.loss[2, 22]], profile_at(fit, pairs, [1, 2]),
        rtol=1e-12,
    )  # fmt: skip


def test_bodies_have_their_known_corners():
    diamond = body(1.0, np.array([1.0, 2.0]), 3.0, 1e9)
    np.testing.assert_array_equal(diamond[[0, 180, 360]], [[3, 0], [0, 1.5], [-3, 0]])
    circle = body(0.0, np.ones(2), 2.0, 1e9)
    np.testing.assert_allclose(np.hypot(*circle.T), 2.0, rtol=1e-14)
    strip = body(1.0, np.array([0.0, 1.0]), 0.5, 40.0)
    assert np.abs(strip[:, 1]).max() == pytest.approx(0.5)
    assert np.abs(strip[:, 0]).max() == 40.0


@pytest.mark.parametrize("top", [1.5, 9.0, 1e6])
def test_the_fit_has_a_contour_and_contours_are_few(top):
    drawn = levels(0.25, 0.75, top)
    assert 0.75 in drawn
    assert np.all(np.diff(drawn) > 0)
    assert drawn.size <= 12


def test_picture_shows_the_fit_and_states_what_was_held(fit):
    ax = fit.plot_geometry("x1", "x2")
    dot = next(line for line in ax.get_lines() if line.get_label() == "fit")
    np.testing.assert_allclose(np.ravel(dot.get_data()), found_of(fit, "x1", "x2").fit)
    assert "held at the fit" in ax.get_title()
    assert ("intercept" in ax.get_title()) == fit.spec.fit_intercept
    ax.figure.canvas.draw()


def test_largest_two_are_drawn_unasked():
    y, X, _ = simulated("gaussian")
    model = pg.PenalizedGLM(y, X)
    fit = model.fit(0.05 * model.alpha_max())
    size = np.abs(fit.coef * X.std(axis=0))
    first, second = np.argsort(-size)[:2]
    ax = fit.plot_geometry()
    assert ax.get_xlabel() == f"x{first + 1} (per sd)"
    assert ax.get_ylabel() == f"x{second + 1} (per sd)"
    alone = model.fit(0.97 * model.alpha_max())
    assert alone.n_nonzero == 1
    signal = np.abs(alone.explain(refit=False).frame().signal)
    zeros = signal[alone.coef == 0.0]
    assert zeros.idxmax() in alone.plot_geometry().get_ylabel()


def test_separated_classes_have_no_least_loss():
    X = np.array([[-2.0, 1], [-1, 0], [1, 1], [2, 0], [-3, 1], [3, 1]])
    fit = pg.PenalizedGLM(X[:, 0] > 0, X, "binomial").fit(0.05)
    assert found_of(fit, "x1", "x2").least is None
    fit.plot_geometry("x1", "x2").figure.canvas.draw()


def test_rows_without_a_mean_leave_a_hole():
    rng = np.random.default_rng(0)
    X = rng.uniform(size=(60, 2))
    y = rng.poisson(0.05 + 3.0 * X[:, 0])
    fit = pg.PenalizedGLM(y, X, "poisson", link="identity").fit(0.02)
    found = found_of(fit, "x1", "x2")
    assert np.isinf(found.loss).any()
    assert np.isfinite(found.loss).any()
    fit.plot_geometry("x1", "x2").figure.canvas.draw()


def test_what_cannot_be_drawn_is_refused_by_name(tmp_path):
    y, X, _ = simulated("gaussian")
    model = pg.PenalizedGLM(y, X, penalty_factor=[1, 1, np.inf, 1])
    fit = model.fit(0.5 * model.alpha_max())
    for names, said in (
        (("x1", "x1"), "two different columns"),
        (("x1", "x3"), "fixed by its limits or left out"),
        (("x1", "z"), "'z' is no column"),
        (("x1",), "name both"),
    ):
        with pytest.raises(PenglmInputError, match=said):
            fit.plot_geometry(*names)
    with pytest.raises(PenglmInputError, match="smaller alpha"):
        model.fit(2.0 * model.alpha_max()).plot_geometry()
    with pytest.raises(PenglmInputError, match="are zero"):
        model.fit(2.0 * model.alpha_max()).plot_geometry("x1", "x2")
    fit.save(tmp_path / "fit.json")
    with pytest.raises(PenglmInputError, match="no rows"):
        pg.load(tmp_path / "fit.json").plot_geometry()
