"""What a scan says of a column nobody wrote is what a fit with that column says."""

import numpy as np
import pandas as pd
import pytest

import penglm as pg
from penglm import datasets
from penglm.exceptions import PenglmInputError
from penglm.explanation.shapes import KNOTS, natural_curves, quantiles


def bent(family="gaussian", n=300, p=8, seed=2, scales=True):
    """Return positive columns, and a response with a square and a product in it."""
    rng = np.random.default_rng(seed)
    X = rng.gamma(4.0, 0.5, size=(n, p))
    size = np.geomspace(0.1, 10.0, p) if scales else np.ones(p)
    Z = X - 2.0
    eta = 0.4 * Z[:, 0] + 0.3 * Z[:, 3] ** 2 + 0.3 * Z[:, 1] * Z[:, 2] + 0.2 * Z[:, 1]
    y = {
        "gaussian": eta + rng.normal(size=n),
        "binomial": rng.binomial(1, 1.0 / (1.0 + np.exp(-eta))),
        "poisson": rng.poisson(np.exp(0.5 * eta)),
        "gamma": np.exp(0.5 * eta) * rng.gamma(3.0, size=n),
    }[family]
    return X * size, y


def column_of(shape, name, columns, X, weight):
    """Return the column that a candidate's name describes, by its definition."""
    mean = np.average(X, axis=0, weights=weight)
    places = [int(column[1:]) - 1 for column in columns]
    x = X[:, places[0]]
    if shape == "square":
        return (x - mean[places[0]]) ** 2
    if shape == "log":
        return np.log(x)
    if shape == "hinge":
        bend = float(name.split("- ")[1].split(",")[0])
        return np.maximum(x - bend, 0.0)
    return np.prod(X[:, places] - mean[places], axis=1)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
@pytest.mark.parametrize("family", ["gaussian", "binomial", "poisson", "gamma"])
def test_candidate_has_the_signal_of_its_column(family, l1_ratio, fit_intercept):
    X, y = bent(family)
    weight = np.random.default_rng(0).uniform(0.5, 2.0, size=len(y))
    link = "log" if family == "gamma" else None
    others = {"family": family, "link": link, "fit_intercept": fit_intercept,
              "var_weights": weight}  # fmt: skip
    model = pg.PenalizedGLM(y, X, **others)
    fit = model.fit(0.3 * model.alpha_max(l1_ratio), l1_ratio)
    tried = fit.scan().frame()
    named = tried[tried["shape"] != "curve"]
    assert set(named["shape"]) == {"square", "log", "hinge", "product"}
    for name, row in named.iloc[:: max(len(named) // 12, 1)].iterrows():
        column = column_of(row["shape"], name, row["columns"], X, weight)
        wider = np.column_stack([X, column])
        factor = [*np.ones(X.shape[1]), np.inf]
        outside = pg.PenalizedGLM(y, wider, penalty_factor=factor, **others)
        reason = outside.fit(fit.alpha, l1_ratio).explain("x9", refit=False)["x9"]
        # A hinge's bend is printed to four digits.
        assert abs(reason.signal) / l1_ratio == pytest.approx(
            row["alpha"], rel=2e-3, abs=2e-3 * fit.alpha
        )
        if abs(row["alpha"] / fit.alpha - 1.0) > 0.01:
            inside = pg.PenalizedGLM(y, wider, **others).fit(fit.alpha, l1_ratio)
            assert (inside.params["x9"] != 0.0) == row["enters"]


def test_without_standardizing_a_candidate_is_as_spread_out_as_its_column():
    X, y = bent(scales=False)
    sd = X.std(axis=0)
    fit = pg.PenalizedGLM(y, X, standardize=False).fit(0.1)
    for name, row in fit.scan().frame().iterrows():
        if row["shape"] in ("curve", "hinge"):
            continue
        column = column_of(row["shape"], name, row["columns"], X, np.ones(len(y)))
        places = [int(one[1:]) - 1 for one in row["columns"]]
        column *= np.prod(sd[places]) ** (1.0 / len(places)) / column.std()
        apart = column - column.mean()
        slope = abs(apart @ fit.resid_response) / len(y)
        assert row["alpha"] == pytest.approx(slope, rel=1e-6, abs=1e-9)


def natural_splines(x, knots):
    """Return the curves of a natural cubic spline by their textbook definition."""

    def d(k):
        high = np.maximum(x - knots[-1], 0.0) ** 3
        return (np.maximum(x - knots[k], 0.0) ** 3 - high) / (knots[-1] - knots[k])

    last = len(knots) - 2
    return np.column_stack([d(k) - d(last) for k in range(last)])


@pytest.mark.parametrize("standardize", [True, False])
def test_no_curve_of_the_spline_is_stronger_than_the_curve(standardize):
    X, y = bent("poisson")
    weight = np.random.default_rng(0).integers(1, 4, size=len(y))
    model = pg.PenalizedGLM(
        y, X, "poisson", freq_weights=weight, standardize=standardize
    )
    fit = model.fit(0.1 if standardize else 0.02)
    tried = fit.scan().frame()
    share = weight / weight.sum()
    residual = fit.resid_response
    for j in range(X.shape[1]):
        x = X[:, j]
        knots = np.quantile(np.repeat(x, weight), KNOTS, method="inverted_cdf")
        root = np.sqrt(share)[:, None]
        line = root * np.column_stack([np.ones(len(x)), x])
        basis = root * natural_splines(x / x.std(), knots / x.std())
        basis = basis - line @ np.linalg.lstsq(line, basis)[0]
        curves = np.linalg.qr(basis)[0]
        strength = np.linalg.norm(curves.T @ (root[:, 0] * residual))
        size = 1.0 if standardize else np.sqrt(np.cov(x, fweights=weight, ddof=0))
        found = tried.loc[f"curve(x{j + 1})", "alpha"]
        assert found == pytest.approx(strength * size, rel=1e-6)


def test_curves_are_straight_beyond_the_last_knots():
    x = np.linspace(-3.0, 3.0, 61)[:, None]
    knots = np.array([-1.0, -0.5, 0.0, 0.5, 1.0])
    curves = natural_curves(x, knots[:, None])[:, :, 0]
    assert curves.shape == (3, 61)
    width = knots[-1] - knots[0]
    theirs = natural_splines(x[:, 0] / width, knots / width).T
    np.testing.assert_allclose(curves, theirs, atol=1e-12 * np.abs(theirs).max())
    bend = np.diff(curves, 2, axis=1)
    outside = (x[1:-1, 0] < -1.0) | (x[1:-1, 0] > 1.1)
    assert np.abs(bend[:, outside]).max() < 1e-10 * np.abs(bend).max()


def test_quantiles_take_a_weight_for_rows():
    rng = np.random.default_rng(1)
    columns, times = rng.normal(size=(40, 3)), rng.integers(1, 5, size=40)
    found = quantiles(columns, times / times.sum(), KNOTS)
    repeated = np.repeat(columns, times, axis=0)
    expected = np.quantile(repeated, KNOTS, axis=0, method="inverted_cdf")
    np.testing.assert_array_equal(found, expected)


def test_a_weight_counts_as_rows():
    X, y = bent("poisson")
    times = np.random.default_rng(3).integers(1, 4, size=len(y))
    weighted = pg.PenalizedGLM(y, X, "poisson", freq_weights=times).fit(0.1, tol=1e-9)
    repeated = pg.PenalizedGLM(
        np.repeat(y, times), np.repeat(X, times, axis=0), "poisson"
    ).fit(0.1, tol=1e-9)
    one, other = weighted.scan().frame(), repeated.scan().frame()
    np.testing.assert_allclose(one["alpha"], other.loc[one.index, "alpha"], atol=1e-7)


def test_planted_structure_is_found_and_said():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1000, 30))
    y = 0.4 * X[:, 0] + X[:, 6] ** 2 + 0.5 * X[:, 0] * X[:, 2] + rng.normal(size=1000)
    found = pg.PenalizedGLM(y, X).fit(0.25).scan()
    first, second = found.sentences[:2]
    assert first.startswith("x7^2 would enter at alpha 1.")
    assert first.endswith("stronger than anything now in the model.")
    assert second.startswith("x1*x3 would enter")
    assert len(found.sentences) == 2
    inside = pg.PenalizedGLM(y, np.column_stack([X, X[:, 6] ** 2])).fit(0.25)
    assert inside.params["x31"] > 0.5


def test_straight_line_that_is_shrunk_is_not_taken_for_a_bend():
    rng = np.random.default_rng(4)
    x = rng.gamma(4.0, size=1000)
    X = np.column_stack([x, rng.normal(size=1000)])
    fit = pg.PenalizedGLM(x + 0.1 * rng.normal(size=1000), X).fit(0.5)
    found = fit.scan()
    table = found.frame()
    resembling = table[table["alpha"] > 0.8 * fit.alpha]
    assert {"hinge", "log"} <= set(resembling["shape"])
    assert (resembling["alpha_bent"] < 0.1 * fit.alpha).all()
    assert found.missed == ()
    assert found.sentences == [f"nothing is missed among {len(table)} columns tried."]


def test_columns_of_two_values_are_only_multiplied():
    rows = datasets.bikeshare().iloc[::5]
    model = pg.glm("bikers ~ weathersit + workingday + temp", rows, "poisson")
    tried = model.fit(1.0).scan().frame()
    single = {name for columns in tried["columns"] if len(columns) == 1
              for name in columns}  # fmt: skip
    assert single == {"temp"}
    levels = [n for n in model.data.names if n.startswith("weathersit")]
    pairs = [columns for columns in tried["columns"] if len(columns) == 2]
    assert ("workingday", "temp") in pairs
    # Levels of one factor exclude each other; their product says nothing.
    assert not any(set(pair) <= set(levels) for pair in pairs)


def test_logarithm_is_tried_of_positive_columns_only():
    rng = np.random.default_rng(7)
    X = np.column_stack([rng.gamma(2.0, size=90), rng.normal(size=90)])
    tried = pg.PenalizedGLM(X[:, 0] + rng.normal(size=90), X).fit(0.2).scan().frame()
    assert "log(x1)" in tried.index
    assert "log(x2)" not in tried.index
    assert np.isfinite(tried["alpha"]).all()
    assert any(name.startswith("max(x2 + 0.") for name in tried.index)


def test_sparse_columns_are_scanned_like_dense_ones():
    from scipy import sparse

    X, y = bent("poisson")
    X[np.median(X, axis=0) > X] = 0.0
    dense = pg.PenalizedGLM(y, X, "poisson").fit(0.1, tol=1e-9).scan().frame()
    thin = pg.PenalizedGLM(y, sparse.csc_array(X), "poisson").fit(0.1, tol=1e-9)
    found = thin.scan().frame()
    # Half of each column is zero: hinges at the first quartile and the median are none.
    assert (found["shape"] == "hinge").sum() == X.shape[1]
    np.testing.assert_allclose(
        found["alpha"], dense.loc[found.index, "alpha"], atol=1e-7
    )


def test_ridge_has_no_threshold_to_compare_with():
    X, y = bent()
    with pytest.raises(PenglmInputError, match="l1_ratio above 0") as caught:
        pg.PenalizedGLM(y, X).fit(0.1, l1_ratio=0.0).scan()
    assert caught.value.argument == "l1_ratio"


def test_names_of_columns_are_escaped_in_html():
    X, y = bent()
    table = pd.DataFrame(X, columns=["<i>", *"bcdefgh"])
    page = pg.PenalizedGLM(y, table).fit(0.02).scan()._repr_html_()
    assert "&lt;i&gt;" in page
    assert "<i>" not in page
