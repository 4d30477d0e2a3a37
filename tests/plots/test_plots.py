"""Pictures say what the numbers say."""

import matplotlib
import numpy as np
import pytest

import penglm as pg
from penglm.exceptions import PenglmInputError
from penglm.plots import canvas, rows

matplotlib.use("Agg")
from matplotlib import pyplot


@pytest.fixture(scope="module")
def model():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(200, 14)) * np.geomspace(0.01, 100.0, 14)
    eta = X @ (rng.normal(size=14) / X.std(axis=0)) * 0.3
    return pg.PenalizedGLM(rng.poisson(np.exp(eta)), X, family="poisson")


def lines_by_name(ax):
    return {line.get_label(): line for line in ax.get_lines()}


@pytest.mark.parametrize("against", ["alpha", "budget", "deviance_ratio"])
def test_lines_of_a_path_are_its_coefficients_per_sd(model, against):
    path = model.fit_path(n_alphas=30)
    ax = path.plot(against)
    x = {
        "alpha": path.alphas,
        "budget": path.budgets,
        "deviance_ratio": path.deviance_ratio,
    }[against]
    sd = dict(zip(model.data.names, model.statement.moments.sd, strict=True))
    lines = lines_by_name(ax)
    named = [name for name in model.data.names if name in lines]
    assert len(named) == 10
    for name in named:
        order = np.argsort(lines[name].get_xdata())
        ours = np.argsort(x, kind="stable")
        np.testing.assert_array_equal(lines[name].get_xdata()[order], x[ours])
        np.testing.assert_allclose(
            lines[name].get_ydata()[order],
            path.coef.loc[name].to_numpy()[ours] * sd[name],
            rtol=1e-12,
        )
    reach = np.abs(path.coef.to_numpy()).max(axis=1) * list(sd.values())
    farthest = np.argsort(-reach)[:10]
    assert set(named) == {model.data.names[j] for j in farthest}


def test_dots_stand_where_coefficients_enter_and_leave(model):
    path = model.fit_path(n_alphas=30)
    knots = path.knots()
    enters = knots[(knots.event == "enters") & np.isfinite(knots.alpha_before)]
    leaves = knots[knots.event == "leaves"]
    expected = np.concatenate([enters.alpha_before, leaves.alpha])
    assert len(expected) >= 10
    (dots,) = path.plot().collections
    assert dots.get_label() == "_knots"
    found = np.asarray(dots.get_offsets())
    np.testing.assert_array_equal(np.sort(found[:, 0]), np.sort(expected))
    assert not found[:, 1].any()


def test_strongest_penalty_stands_left(model):
    assert model.fit_path(n_alphas=20).plot().xaxis_inverted()


def test_own_axes_are_drawn_on(model):
    _, ax = pyplot.subplots()
    assert model.fit_path(n_alphas=5).plot(ax=ax) is ax


def test_line_at_the_chosen_strength(model):
    path = model.fit_path(n_alphas=20)
    ax = path.plot("budget", chosen=path.alphas[7])
    upright = [line for line in ax.get_lines() if list(line.get_ydata()) == [0, 1]]
    assert [line.get_xdata()[0] for line in upright] == [path.budgets[7]]


def test_curve_of_scores(model):
    cv = model.fit_cv(4, n_alphas=20)
    ax = cv.plot_scores()
    curve = next(line for line in ax.get_lines() if len(line.get_xdata()) == len(cv))
    np.testing.assert_array_equal(curve.get_ydata(), cv.mean_score)
    said = [text.get_text() for text in ax.get_legend().get_texts()]
    assert said[1].startswith(f"1se (chosen): alpha {cv.alpha_1se:.3g}")


def test_one_strength_is_no_path(model):
    with pytest.raises(PenglmInputError, match="two or more strengths"):
        model.fit_path([0.5]).plot()


def test_names_are_no_mathematics():
    rng = np.random.default_rng(0)
    import pandas as pd

    X = pd.DataFrame(rng.normal(size=(40, 2)), columns=["$\\oops{$", "a_b"])
    y = X.to_numpy() @ [1.0, 2.0] + rng.normal(size=40)
    ax = pg.PenalizedGLM(y, X).fit_path(n_alphas=10).plot()
    ax.figure.canvas.draw()
    assert len(ax.texts) > 2


def test_labels_stay_apart_and_in_order():
    wanted = np.array([0.5, 0.0, 0.51, 0.505, 3.0])
    placed = canvas.spread(wanted, 0.1)
    order = np.argsort(wanted)
    assert np.all(np.diff(placed[order]) >= 0.1 * (1 - 1e-12))
    assert placed[4] == 3.0
    assert placed[1] == 0.0
    assert placed[[0, 2, 3]].mean() == pytest.approx(wanted[[0, 2, 3]].mean())


def test_calibration_meets_the_means_of_tenths(model):
    fit = model.fit(0.01)
    ax = fit.plot_calibration()
    observed = ax.get_lines()[1].get_ydata()
    order = np.argsort(fit.fittedvalues, kind="stable")
    tenths = [fit.data.y[part].mean() for part in np.split(order, 10)]
    np.testing.assert_allclose(observed, tenths, rtol=1e-12)


def test_rows_of_one_mean_stay_in_one_bin():
    fitted = np.repeat([1.0, 2.0], [55, 45])
    bins = rows.equal_bins(fitted, np.ones(100), 10)
    assert [np.unique(fitted[one]).size for one in bins] == [1, 1]


def test_lift_of_ties_does_not_depend_on_their_order():
    fitted, y = np.array([1.0, 1.0, 0.0]), np.array([1.0, 0.0, 0.0])
    there = rows.concentration(fitted, y, np.ones(3))
    back = rows.concentration(fitted, y[[1, 0, 2]], np.ones(3))
    for one, other in zip(there, back, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_allclose(there, [[0, 2 / 3, 1], [0, 1, 1]])


def test_weight_counts_as_rows_do(model):
    rng = np.random.default_rng(1)
    fitted, y = rng.normal(size=30), rng.poisson(3.0, size=30).astype(float)
    weight = rng.integers(1, 4, size=30)
    each = np.repeat(np.arange(30), weight)
    merged = rows.concentration(fitted, y, weight.astype(float))
    apart = rows.concentration(fitted[each], y[each], np.ones(each.size))
    for one, other in zip(merged, apart, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=0.0)


def test_lift_needs_something_to_share():
    y = np.array([-1.0, 2.0, 0.5, 1.0])
    fit = pg.PenalizedGLM(y, np.arange(4.0)[:, None]).fit(0.1)
    with pytest.raises(PenglmInputError, match="plot_calibration"):
        fit.plot_lift()


@pytest.mark.parametrize("n", [100, 6000])
def test_residuals_of_few_and_of_many_rows(n):
    rng = np.random.default_rng(2)
    X = rng.normal(size=(n, 2))
    fit = pg.PenalizedGLM(X[:, 0] + rng.normal(size=n), X).fit(0.01)
    ax = fit.plot_residuals("pearson")
    assert ax.get_ylabel() == "pearson residual"
    ax.figure.canvas.draw()


def test_calibration_and_lift_of_classes_and_of_counts_of_trials():
    rng = np.random.default_rng(4)
    X = rng.normal(size=(400, 3))
    rate = 1.0 / (1.0 + np.exp(-X[:, 0]))
    trials = rng.integers(1, 6, 400)
    success = rng.binomial(trials, rate)
    labels = np.where(rng.random(400) < rate, "yes", "no")
    counts = np.column_stack([success, trials - success])
    for y in (labels, counts):
        fit = pg.PenalizedGLM(y, X, "binomial").fit(0.01)
        weight, mu = fit.data.sample_weight, fit.fittedvalues
        line = fit.plot_calibration().get_lines()[1]
        parts = rows.equal_bins(mu, weight, 10)
        assert len(parts) == 10
        share = [weight[p] @ fit.data.y[p] / weight[p].sum() for p in parts]
        np.testing.assert_allclose(line.get_ydata(), share, rtol=1e-12)
        model, best, _ = fit.plot_lift().get_lines()
        assert np.all(np.diff(model.get_ydata()) >= 0.0)
        tenth = np.interp(0.1, model.get_xdata(), model.get_ydata())
        assert 0.1 < tenth <= np.interp(0.1, best.get_xdata(), best.get_ydata())
    # Trials are weights: a row of five is five rows of one.
    each = np.repeat(np.arange(400), trials)
    ones = np.concatenate([np.r_[[1.0] * s, [0.0] * (t - s)]
                           for s, t in zip(success, trials, strict=True)])  # fmt: skip
    apart = pg.PenalizedGLM(ones, X[each], "binomial").fit(0.01, tol=1e-10)
    whole = pg.PenalizedGLM(counts, X, "binomial").fit(0.01, tol=1e-10)
    np.testing.assert_allclose(
        whole.plot_lift().get_lines()[0].get_ydata(),
        rows.concentration(whole.fittedvalues[each], ones, np.ones(each.size))[1],
        rtol=1e-12,
    )
    np.testing.assert_allclose(apart.coef, whole.coef, rtol=1e-7)


def test_calibration_of_counts_with_an_exposure_is_of_counts():
    rng = np.random.default_rng(6)
    X, years = rng.normal(size=(300, 2)), rng.uniform(0.2, 3.0, 300)
    y = rng.poisson(years * np.exp(0.4 * X[:, 0]))
    fit = pg.PenalizedGLM(y, X, "poisson", exposure=years).fit(0.001)
    _, line = fit.plot_calibration().get_lines()
    # The intercept makes them equal on the whole.
    assert line.get_xdata().mean() == pytest.approx(line.get_ydata().mean(), rel=1e-4)
    assert fit.plot_lift().get_lines()[0].get_ydata()[-1] == 1.0
