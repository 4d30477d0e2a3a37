"""The road of sparse columns: every feature of a penalty, certified."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse

import penglm as pg
from penglm.design import Categorical, Dense, Design, Sparse, Split
from penglm.engines import Block
from penglm.path import alpha_grid, alpha_max, solve_path
from penglm.solver import compressed, coordinate_descent, quadratic
from penglm.solver.null import fit_null
from penglm.solver.outcome import Options
from penglm.solver.solution import Point, Status

N_OBS, N_FEATURES = 400, 500
TOL = 1e-8
FAMILIES = ("gaussian", "binomial", "poisson")
# Points that meet TOL have objectives closer than this.
SAME_OBJECTIVE = 1e-9

every_family = pytest.mark.parametrize("family", FAMILIES)


def draw(family, seed=0):
    """Return a response and correlated counts, a twentieth of them not zero."""
    rng = np.random.default_rng([seed, FAMILIES.index(family)])
    topic = rng.uniform(size=(N_OBS, 1)) < 0.5
    share = np.where(topic, rng.uniform(0.0, 0.1, N_FEATURES), 0.05)
    X = (rng.uniform(size=share.shape) < share) * rng.integers(1, 5, share.shape)
    eta = 0.4 * X[:, :20] @ rng.normal(size=20)
    if family == "gaussian":
        y = eta + rng.normal(size=N_OBS)
    elif family == "binomial":
        y = (rng.uniform(size=N_OBS) < 1.0 / (1.0 + np.exp(-eta))).astype(float)
    else:
        y = rng.poisson(np.exp(np.clip(eta, -3.0, 2.0))).astype(float)
    return y, sparse.csc_array(X.astype(float)), rng


def features(rng):
    """Return factors that free and exclude, and limits on either side."""
    factor = rng.uniform(0.5, 2.0, N_FEATURES)
    factor[3:5], factor[6:12] = 0.0, np.inf
    lower, upper = np.full((2, N_FEATURES), np.inf)
    lower = -lower
    lower[:40], upper[20:60] = 0.0, 0.03
    lower[100:200] = -0.01
    return {"penalty_factor": factor, "lower": lower, "upper": upper}


def counted(monkeypatch):
    """Return a list that grows by one each time the road is taken."""
    calls = []
    road = compressed.on_compressed

    def on_compressed(*arguments):
        calls.append(arguments)
        return road(*arguments)

    monkeypatch.setattr(compressed, "on_compressed", on_compressed)
    return calls


def follow(model, l1_ratio, road="auto", tol=TOL):
    """Return solutions of a short path."""
    problem, options = model.problem(l1_ratio), Options(tol=tol, road=road)
    null = fit_null(problem, options)
    grid = alpha_grid(alpha_max(problem, null), 6, 0.02)
    return solve_path(problem, grid, null, options)


@every_family
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_every_feature_of_a_penalty_is_certified(
    family, l1_ratio, fit_intercept, monkeypatch
):
    y, X, rng = draw(family)
    calls = counted(monkeypatch)
    model = pg.PenalizedGLM(
        y, X, family, fit_intercept=fit_intercept, offset=rng.normal(0.0, 0.2, N_OBS),
        var_weights=rng.uniform(0.3, 3.0, N_OBS), **features(rng),
    )  # fmt: skip
    found = follow(model, l1_ratio)
    assert calls
    for solution in found:
        assert solution.status is Status.OPTIMAL
        assert solution.certificate.kkt_residual <= TOL
    for one, other in zip(found, follow(model, l1_ratio, "covariance"), strict=True):
        assert one.certificate.objective == pytest.approx(
            other.certificate.objective, rel=SAME_OBJECTIVE, abs=SAME_OBJECTIVE
        )


@every_family
def test_single_precision_columns_are_certified(family, monkeypatch):
    y, X, _ = draw(family)
    calls = counted(monkeypatch)
    found = follow(pg.PenalizedGLM(y, X.astype(np.float32), family), 1.0)
    assert calls
    assert max(solution.certificate.kkt_residual for solution in found) <= TOL


def mixed(X, rng):
    """Return sparse, categorical and dense columns side by side, and all as one."""
    parts = (
        Sparse(X[:, :250]),
        Categorical(rng.integers(0, 8, N_OBS), 8, drop=0),
        Dense(rng.normal(3.0, 1.0, (N_OBS, 2))),
        Sparse(X[:, 250:]),
    )
    return Split(parts)


@every_family
def test_storages_side_by_side_go_the_same_road(family, monkeypatch):
    y, X, rng = draw(family)
    design = mixed(X, rng)
    calls = counted(monkeypatch)
    found = follow(pg.PenalizedGLM(y, design.to_dense(), family), 1.0)
    assert not calls
    model = pg.PenalizedGLM(y, sparse.csc_array(design.to_dense()), family)
    engine = model.problem(1.0).engine
    whole = engine.whole()
    engine.blocks = (Block(design, whole.y, whole.sample_weight, whole.offset),)
    beside = follow(model, 1.0, "naive")
    assert calls
    for one, other in zip(found, beside, strict=True):
        assert other.certificate.kkt_residual <= TOL
        assert one.certificate.objective == pytest.approx(
            other.certificate.objective, rel=SAME_OBJECTIVE, abs=SAME_OBJECTIVE
        )


@every_family
def test_the_promise_is_kept_on_the_quadratic(family):
    y, X, rng = draw(family)
    problem = pg.PenalizedGLM(y, X, family, **features(rng)).problem(0.8)
    here = quadratic.expand(problem, Point(problem.inner_penalty.null_coef, 0.1))
    working = np.flatnonzero(~problem.penalty.is_fixed)[::2]
    alpha = 0.05 * float(np.abs(here.score).max())
    unit = problem.unit(alpha, float(np.abs(here.score).max()))
    sub = coordinate_descent.state(problem, here, working, alpha, unit, 1e-7)
    step = compressed.on_compressed(sub, problem, problem.engine.whole(), here)
    curvature = quadratic.curve(problem, here.point, working)
    change = step.coef - sub.coef
    beside = curvature.cross @ change + curvature.weight_sum * step.intercept_change
    profiled = curvature.cross / curvature.weight_sum
    score = sub.score - curvature.gram @ change - profiled * beside
    left = here.intercept_score - beside
    distance = problem.inner_penalty.subgradient_distance(
        step.coef, score, alpha, working
    )
    # The last sweep measures each coordinate when it is visited.
    assert (distance / unit[working]).max() <= 10 * sub.tol
    assert_allclose(left, 0.0, atol=1e-12)


@pytest.mark.parametrize("seed", [1, 3, 9])
def test_a_face_without_a_minimum_is_left(seed, monkeypatch):
    # One or two entries a column: many columns say the same, and along combinations
    # of theirs that cancel a face has no minimum.
    rng = np.random.default_rng(seed)
    n, p = 300, 700
    cells = rng.integers(0, n * p, 800)
    X = sparse.csc_array((rng.normal(size=800), (cells % n, cells // n)), shape=(n, p))
    X = X[:, np.diff(X.indptr) > 0]
    truth = rng.normal(size=X.shape[1]) * (rng.uniform(size=X.shape[1]) < 0.1)
    problem = pg.PenalizedGLM(X @ truth + rng.normal(size=n), X).problem(1.0)
    null = fit_null(problem, Options())
    grid = alpha_max(problem, null) * np.geomspace(1.0, 1e-3, 20)
    taken = counted(monkeypatch)
    found = solve_path(problem, grid, null, Options())
    assert taken
    assert np.count_nonzero(found[-1].coef) > n
    assert all(each.status is Status.OPTIMAL for each in found)


@pytest.mark.parametrize("storage", [Sparse, Dense])
def test_the_road_is_for_sparse_columns(storage):
    _, X, _ = draw("gaussian")
    design: Design = storage(X if storage is Sparse else X.toarray())
    columns = np.arange(N_FEATURES)
    is_sparse = storage is Sparse
    assert compressed.suits(design, columns, is_asked=True) is is_sparse
    few = columns[: compressed.LEAST_COLUMNS - 1]
    assert not compressed.suits(design, few, is_asked=False)


def test_a_copy_larger_than_the_memory_to_spare_is_not_made(monkeypatch):
    _, X, _ = draw("gaussian")
    monkeypatch.setattr(compressed, "ALWAYS_SPARE", 0)
    design = Sparse(X)
    assert not compressed.suits(design, np.arange(N_FEATURES), is_asked=True)
    assert compressed.suits(design, np.arange(N_FEATURES // 5), is_asked=True)


def test_extrapolated_starts_do_not_change_the_answer(monkeypatch):
    from penglm.solver import at_once, extrapolation

    y, X, _ = draw("binomial")
    model = pg.PenalizedGLM(y, X, "binomial")
    monkeypatch.setattr(at_once, "MOST_NUMBERS", 0)
    led = []
    lead = extrapolation.lead

    def watched(*arguments):
        led.append(lead(*arguments))
        return led[-1]

    monkeypatch.setattr(extrapolation, "lead", watched)
    with_lead = follow(model, 1.0)
    assert any(start is not None for start in led)
    monkeypatch.setattr(extrapolation, "lead", lambda problem, last, alpha: None)
    for one, other in zip(with_lead, follow(model, 1.0), strict=True):
        assert one.certificate.kkt_residual <= TOL
        assert one.certificate.objective == pytest.approx(
            other.certificate.objective, rel=SAME_OBJECTIVE
        )
