"""What a path tells: its grid, its points, who enters where, and what lies between."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

import penglm as pg
from penglm.results import fit as fit_module

FAMILIES = ("gaussian", "binomial", "poisson")
N, P = 80, 8
TOL = 1e-10
# Two points that leave TOL behind, on a Gram matrix of condition ten.
AGREE = 1e-7
# Residuals in units of alpha, here above a ten thousandth.
ROUNDING = 1e-9
everywhere = pytest.mark.parametrize("family", FAMILIES)
every_mix = pytest.mark.parametrize("l1_ratio", [1.0, 0.5, 0.0])


def build(family="gaussian", **options):
    """Return a model with named columns."""
    rng = np.random.default_rng([17, FAMILIES.index(family)])
    X = rng.normal(size=(N, P)) + 0.5 * rng.normal(size=(N, 1))
    eta = X[:, :3] @ np.array([0.8, -0.6, 0.3])
    if family == "gaussian":
        y = eta + rng.normal(size=N)
    elif family == "binomial":
        y = (rng.uniform(size=N) < 1 / (1 + np.exp(-eta))).astype(float)
    else:
        y = rng.poisson(np.exp(np.clip(eta, -3, 2))).astype(float)
    table = pd.DataFrame(X, columns=[f"v{j}" for j in range(P)])
    return pg.PenalizedGLM(y, table, family, **options)


@everywhere
def test_automatic_grid_is_logarithmic_from_alpha_max_down(family):
    model = build(family)
    path = model.fit_path(n_alphas=12, alpha_min_ratio=0.01)
    largest = model.alpha_max()
    expected = largest * np.logspace(0, -2, 12)[: len(path)]
    assert path.alphas[0] == largest
    assert_allclose(path.alphas, expected, rtol=1e-12)
    assert path.n_nonzero[0] == 0
    assert path.converged


def test_a_path_of_many_sparse_columns_keeps_what_is_not_zero():
    n, p, m, byte = 400, 40_000, 100, 8
    rng = np.random.default_rng(3)
    X = sparse.random_array((n, p), density=0.01, rng=rng, format="csc")
    X = X[:, np.diff(X.indptr) > 0]
    y = X[:, :5] @ np.ones(5) + 0.1 * rng.normal(size=n)
    model = pg.PenalizedGLM(y, X)
    # Compiling takes memory too, the first time.
    model.fit_path(n_alphas=m, alpha_min_ratio=0.05)
    tracemalloc.start()
    try:
        path = model.fit_path(n_alphas=m, alpha_min_ratio=0.05)
        kept, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # One vector of all columns a strength would take 32 MB. Nothing of it is left;
    # at work there are a few, whatever the number of strengths.
    assert len(path) == m
    assert kept < 0.1 * m * p * byte
    assert peak < m * p * byte
    assert_array_equal(path.coef.to_numpy()[:, -1], path[-1].coef)


def test_grid_of_a_wide_design_ends_a_hundredth_below_its_top():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(20, 40)), rng.normal(size=20)
    path = pg.PenalizedGLM(y, X).fit_path(n_alphas=3)
    assert path.alphas[-1] == pytest.approx(0.01 * path.alphas[0])


def test_automatic_path_stops_when_nothing_more_is_explained():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(50, 3))
    path = pg.PenalizedGLM(X @ [1.0, -1.0, 0.5], X).fit_path()
    gain = np.diff(path.deviance_ratio)
    assert 5 <= len(path) < 100
    assert path.deviance_ratio[-1] > 0.999 or gain[-1] < 1e-5
    assert np.all(path.deviance_ratio[4:-1] <= 0.999)


@everywhere
@every_mix
def test_strengths_come_back_in_the_order_given_with_duplicates(family, l1_ratio):
    model = build(family)
    asked = model.alpha_max() * np.array([0.1, 0.5, 0.03, 0.5, 0.1, 0.9])
    path = model.fit_path(asked, l1_ratio=l1_ratio, tol=TOL)
    assert_array_equal(path.alphas, asked)
    for k, alpha in enumerate(asked):
        alone = model.fit(alpha, l1_ratio, tol=TOL)
        assert path[k].alpha == alpha
        assert_allclose(path[k].params, alone.params, atol=AGREE)
    assert_array_equal(path[1].params, path[3].params)


@everywhere
@every_mix
def test_fit_between_two_points_equals_a_cold_fit(family, l1_ratio):
    model = build(family)
    path = model.fit_path(n_alphas=6, alpha_min_ratio=0.05, l1_ratio=l1_ratio, tol=TOL)
    for share in (3.0, 0.8, 0.31, 0.06, 0.02):
        alpha = share * path.alphas[0]
        between, cold = path.at(alpha), model.fit(alpha, l1_ratio, tol=TOL)
        assert between.alpha == alpha
        assert between.certificate.kkt_residual <= TOL
        assert_allclose(between.params, cold.params, atol=AGREE)


def test_fit_at_a_point_of_the_grid_is_that_point():
    path = build().fit_path(n_alphas=6)
    for k in range(len(path)):
        assert path.at(path.alphas[k]).solution is path.solutions[k]


def test_unpenalised_end_of_a_path_is_maximum_likelihood():
    model = build("poisson")
    fit = model.fit_path(n_alphas=6).at(0.0)
    assert fit.alpha == 0.0
    assert_allclose(fit.params, model.fit(0.0).params, atol=AGREE)


def test_earlier_fit_is_a_start_and_not_an_answer():
    model = build("poisson")
    warm = model.fit(0.01, start=model.fit(0.2), tol=TOL)
    assert_allclose(warm.params, model.fit(0.01, tol=TOL).params, atol=AGREE)


@everywhere
def test_knots_replay_the_signs_along_the_path(family):
    path = build(family).fit_path(n_alphas=40)
    knots = path.knots()
    sign = pd.Series(0.0, index=path.coef.index)
    for k, alpha in enumerate(path.alphas):
        for event in knots[knots["alpha"] == alpha].itertuples():
            before, after = sign[event.name], np.sign(event.coef)
            kind = "leaves" if after == 0 else "changes sign"
            assert event.event == ("enters" if before == 0 else kind)
            assert event.alpha_before == (path.alphas[k - 1] if k else np.inf)
            assert event.n_nonzero == path.n_nonzero[k]
            sign[event.name] = after
        assert_array_equal(sign, np.sign(path[k].coef))


def test_first_knot_is_the_column_with_the_largest_slope():
    model = build()
    path = model.fit_path(n_alphas=200, alpha_min_ratio=0.1)
    X = path.data.design.to_dense()
    slope = np.abs((X - X.mean(axis=0)).T @ (path.data.y - path.data.y.mean()))
    first = path.knots().iloc[0]
    assert first["name"] == path.data.names[int((slope / X.std(axis=0)).argmax())]
    assert first["event"] == "enters"


def test_knots_do_not_depend_on_the_order_of_the_strengths():
    model = build()
    alphas = model.alpha_max() * np.array([0.9, 0.5, 0.2, 0.05])
    forward, back = model.fit_path(alphas), model.fit_path(alphas[::-1])
    pd.testing.assert_frame_equal(forward.knots(), back.knots())


@everywhere
def test_coefficients_of_all_points_are_one_sparse_frame(family):
    path = build(family).fit_path(n_alphas=8)
    assert path.coef.shape == (P, len(path))
    assert list(path.coef.index) == [f"v{j}" for j in range(P)]
    assert_array_equal(path.coef.columns, path.alphas)
    dense = path.coef.to_numpy()
    assert_array_equal(path.coef.sparse.to_dense(), dense)
    assert_array_equal(dense, np.column_stack([s.coef for s in path.solutions]))
    assert_array_equal(path.n_nonzero, np.count_nonzero(dense, axis=0))
    X, weight = path.data.design.to_dense(), path.data.sample_weight
    mean = np.average(X, axis=0, weights=weight)
    sd = np.sqrt(np.average((X - mean) ** 2, axis=0, weights=weight))
    assert_allclose(path.budgets, sd @ np.abs(dense))
    assert_array_equal(path.intercepts, [s.intercept for s in path.solutions])


@everywhere
@every_mix
def test_weaker_penalty_explains_more_at_a_larger_budget(family, l1_ratio):
    path = build(family).fit_path(n_alphas=15, l1_ratio=l1_ratio)
    assert np.all(np.diff(path.deviance_ratio) > 0.0)
    assert np.all(np.diff(path.budgets) > -AGREE)


@pytest.mark.parametrize("by", ["aic", "bic", "ebic"])
def test_selected_fit_is_the_point_with_the_least_criterion(by):
    path = build("poisson").fit_path(n_alphas=30)
    chosen = path.select(by)
    assert getattr(chosen, by) == min(getattr(path[k], by) for k in range(len(path)))
    assert by.upper() in chosen.summary().as_text()


def test_path_predicts_at_any_strength():
    model = build("poisson")
    path = model.fit_path(n_alphas=6, tol=TOL)
    X = path.data.design.to_dense()
    alpha = 0.37 * path.alphas[0]
    expected = model.fit(alpha, tol=TOL).fittedvalues
    assert_allclose(path.predict(X, alpha=alpha), expected, rtol=AGREE)
    eta = path.predict(X, alpha=alpha, which="linear")
    assert_allclose(np.exp(eta), expected, rtol=AGREE)


def test_table_has_the_columns_of_glmnet():
    path = build().fit_path(n_alphas=5)
    table = path.table()
    assert list(table.columns) == ["Df", "%Dev", "alpha"]
    assert_array_equal(table["Df"], path.n_nonzero)
    assert_allclose(table["%Dev"], 100 * path.deviance_ratio, atol=0.005)
    for word in ("gaussian path", "identity link", "5 points", "Df", "%Dev"):
        assert word in repr(path)


@everywhere
@every_mix
def test_every_point_of_a_path_is_certified(family, l1_ratio):
    path = build(family).fit_path(n_alphas=15, l1_ratio=l1_ratio)
    assert path.kkt_residual.max() <= 1e-5
    for point, solution in zip(path, path.solutions, strict=True):
        assert point.status is pg.Status.OPTIMAL
        same = pytest.approx(solution.certificate.kkt_residual, abs=ROUNDING)
        assert point.certificate.kkt_residual == same
        assert 0.0 <= point.certificate.duality_gap < 1e-4 * point.null_deviance


@everywhere
@every_mix
def test_gap_is_bounded_when_a_point_is_looked_at_and_not_before(
    family, l1_ratio, monkeypatch
):
    model = build(family)
    path = model.fit_path(n_alphas=4, l1_ratio=l1_ratio)
    assert [s.certificate.duality_gap for s in path.solutions] == [None] * len(path)
    X, y = path.data.design.to_dense(), path.data.y
    for point in (path[2], path.at(path.alphas[2]), path.at(0.7 * path.alphas[1])):
        assert point.solution.certificate.duality_gap is None
        claim = pg.certify(
            point.coef, point.intercept, y, X, family=family, alpha=point.alpha,
            l1_ratio=l1_ratio,
        )  # fmt: skip
        size = 1e-12 * point.null_deviance
        assert point.certificate.duality_gap == pytest.approx(
            claim.duality_gap, abs=size
        )
        assert point.certificate.objective == pytest.approx(claim.objective, rel=1e-12)
    # Who only draws the path pays for no gap.
    monkeypatch.setattr(fit_module, "with_gap", None)
    assert path.converged
    assert path.kkt_residual.max() <= 1e-5
    assert path.coef.shape == (P, len(path))


def test_gap_of_a_point_is_computed_once():
    point = build().fit_path(n_alphas=4)[2]
    assert point.certificate is point.certificate


def test_point_of_an_infinite_strength_has_a_gap():
    point = build("poisson", penalty_factor=[0.0] + [1.0] * 7).fit_path(n_alphas=4)
    unlimited = point.at(np.inf)
    assert 0.0 <= unlimited.certificate.duality_gap < 1e-6 * unlimited.null_deviance


def test_loss_that_is_not_convex_has_no_gap_at_any_point():
    rng = np.random.default_rng(4)
    X = rng.normal(size=(60, 3))
    y = (rng.uniform(size=60) < 1 / (1 + np.exp(-X[:, 0]))).astype(float)
    path = pg.PenalizedGLM(y, X, "binomial", link="cauchy").fit_path(n_alphas=4)
    for point in (path[2], path.at(0.7 * path.alphas[1])):
        assert not point.certificate.is_convex
        assert point.certificate.duality_gap is None
        assert point.certificate.kkt_residual <= 1e-5


@pytest.mark.parametrize(
    "given",
    [{"penalty_factor": 0.0}, {"penalty_factor": np.inf}, {"lower": 0.0, "upper": 0.0}],
)
@pytest.mark.parametrize("l1_ratio", [1.0, 0.0])
def test_path_on_which_no_strength_matters_is_one_point(given, l1_ratio):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 2)), rng.normal(size=30)
    path = pg.PenalizedGLM(y, X, **given).fit_path(l1_ratio=l1_ratio)
    assert_array_equal(path.alphas, [0.0])
    assert path.converged
