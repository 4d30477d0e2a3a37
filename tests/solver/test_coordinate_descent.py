"""Both roads through the inner problem, beside a solver of another kind."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.optimize import minimize

import penglm as pg
from penglm.kernels import descent
from penglm.solver import coordinate_descent as cd
from penglm.solver import quadratic
from penglm.solver.solution import Point

TOL = 1e-12
# Coefficients are as good as the violation times the condition, below a thousand.
SAME = 1e-9
# A minimum known to its rounding tells a point to the root of that, and its condition.
ROOT = 1e-5
# A handful of roundings.
ROUNDING = 1e-13
FAMILIES = ("gaussian", "binomial", "poisson")
MIXES = (1.0, 0.5, 0.0)
ALPHA = 0.05

everywhere = pytest.mark.parametrize("family", FAMILIES)
every_mix = pytest.mark.parametrize("l1_ratio", MIXES)
either_intercept = pytest.mark.parametrize("fit_intercept", [True, False])


def build(family, storage=np.asarray, **options):
    """Return a model with weights and an offset, its columns of unequal scale."""
    rng = np.random.default_rng([3, FAMILIES.index(family)])
    X = rng.normal(1.0, 1.0, (50, 7)) * rng.uniform(0.5, 3.0, 7)
    X[rng.uniform(size=X.shape) < 0.3] = 0.0
    eta = 0.4 * X[:, 0] - 0.3 * X[:, 1]
    if family == "gaussian":
        y = eta + rng.normal(size=50)
    elif family == "binomial":
        y = (rng.uniform(size=50) < 1.0 / (1.0 + np.exp(-eta))).astype(float)
    else:
        y = rng.poisson(np.exp(np.minimum(eta, 2.0))).astype(float)
    return pg.PenalizedGLM(
        y, storage(X), family, offset=rng.normal(0.0, 0.3, 50),
        var_weights=rng.uniform(0.3, 2.0, 50), **options,
    )  # fmt: skip


def around(problem, working=None, tol=TOL):
    """Return the expansion, curvature and subproblem at a point that is no optimum."""
    rng = np.random.default_rng(4)
    p = problem.n_features
    coef = 0.3 * rng.normal(size=p) * (np.arange(p) % 2)
    t = problem.inner_penalty.terms(ALPHA)
    here = quadratic.expand(problem, Point(np.clip(coef, t.lower, t.upper), 0.1))
    working = np.arange(p) if working is None else working
    curvature = quadratic.curve(problem, here.point, working)
    unit = problem.unit(ALPHA, 1.0)
    return here, curvature, cd.state(problem, here, working, ALPHA, unit, tol)


def solve(road, problem, working=None):
    here, curvature, sub = around(problem, working)
    if road == "gram":
        return cd.on_gram(sub, curvature)
    return cd.on_columns(sub, problem, problem.engine.whole(), here)


def full_system(problem, here, sub):
    """Return Hessian and slope over the intercept, if there is one, and the columns.

    From the columns themselves: nothing is profiled out.
    """
    block = problem.engine.whole()
    dense = (block.design.to_dense() - problem.center) / problem.scale
    columns = dense[:, sub.columns]
    _, _, working = problem.family.working_terms(
        block.y, problem.eta(block, here.point)
    )
    weight = block.sample_weight * working / problem.weight_total
    if not problem.fit_intercept:
        return columns.T @ (weight[:, None] * columns), sub.score, 0
    columns = np.column_stack([np.ones(len(columns)), columns])
    hessian = columns.T @ (weight[:, None] * columns)
    return hessian, np.r_[sub.intercept_score, sub.score], 1


def model_objective(problem, coef, shift, working=None):
    """Return the penalised quadratic at coefficients and a change of the intercept."""
    here, _, sub = around(problem, working)
    hessian, slope, extra = full_system(problem, here, sub)
    step = np.r_[[shift] * extra, coef - sub.coef]
    smooth = step @ hessian @ step / 2 - slope @ step
    return smooth + sub.terms.l1 @ np.abs(coef) + sub.terms.l2 @ coef**2 / 2


def reference(problem, working=None):
    """Return coefficients and intercept change by a bounded quasi-Newton method.

    Positive and negative parts as variables of their own make the l1 part linear.
    """
    here, _, sub = around(problem, working)
    hessian, slope, extra = full_system(problem, here, sub)
    t, k = sub.terms, sub.coef.size
    slope = slope + hessian @ np.r_[np.zeros(extra), sub.coef]
    hessian = hessian + np.diag(np.r_[np.zeros(extra), t.l2])
    parts = np.hstack([np.eye(extra + k), -np.eye(extra + k)[:, extra:]])
    cost = np.r_[np.zeros(extra), t.l1, t.l1]

    def value(z):
        b = parts @ z
        gradient = parts.T @ (hessian @ b - slope) + cost
        return b @ hessian @ b / 2 - slope @ b + cost @ z, gradient

    low = np.r_[np.full(extra, -np.inf), np.maximum(np.r_[t.lower, -t.upper], 0.0)]
    high = np.r_[np.full(extra, np.inf), np.maximum(np.r_[t.upper, -t.lower], 0.0)]
    found = minimize(
        value, np.clip(np.zeros(low.size), low, high), jac=True, method="L-BFGS-B",
        bounds=np.column_stack([low, high]),
        options={"ftol": 0.0, "gtol": 1e-12, "maxiter": 10_000, "maxfun": 100_000},
    )  # fmt: skip
    values = parts @ found.x
    return values[extra:], (values[0] if extra else 0.0)


LIMITS = {
    "none": {},
    "limits": {"lower": -0.1, "upper": 0.2},
    "factors": {"penalty_factor": [1.0, 0.0, 2.0, np.inf, 0.5, 1.0, 1.0]},
}
every_limit = pytest.mark.parametrize("limits", LIMITS)


@everywhere
@every_mix
@either_intercept
@every_limit
@pytest.mark.parametrize("road", ["gram", "columns"])
def test_road_ends_at_the_minimum_of_the_reference(
    road, family, l1_ratio, fit_intercept, limits
):
    model = build(family, fit_intercept=fit_intercept, **LIMITS[limits])
    problem = model.problem(l1_ratio)
    step = solve(road, problem)
    coef, shift = reference(problem)
    least = model_objective(problem, coef, shift)
    assert (
        model_objective(problem, step.coef, step.intercept_change) <= least + ROUNDING
    )
    assert_allclose(step.coef, coef, rtol=0.0, atol=ROOT)
    assert step.intercept_change == pytest.approx(shift, abs=ROOT)


@everywhere
@every_mix
@either_intercept
@every_limit
@pytest.mark.parametrize("storage", [np.asarray, sparse.csc_array])
def test_both_roads_take_the_same_step(
    family, l1_ratio, fit_intercept, limits, storage
):
    model = build(family, storage, fit_intercept=fit_intercept, **LIMITS[limits])
    problem = model.problem(l1_ratio)
    gram, columns = (solve(road, problem) for road in ("gram", "columns"))
    assert_allclose(columns.coef, gram.coef, rtol=0.0, atol=SAME)
    assert columns.intercept_change == pytest.approx(gram.intercept_change, abs=SAME)


def model_slope(problem, step, working=None):
    """Return slopes of the quadratic after a step: the intercept's, the columns'."""
    here, _, sub = around(problem, working)
    hessian, slope, extra = full_system(problem, here, sub)
    moved = np.r_[[step.intercept_change] * extra, step.coef - sub.coef]
    left = slope - hessian @ moved
    return (left[0] if extra else 0.0), left[extra:], sub


@everywhere
@every_mix
@pytest.mark.parametrize("road", ["gram", "columns"])
def test_intercept_is_put_back_where_its_slope_vanishes(road, family, l1_ratio):
    problem = build(family).problem(l1_ratio)
    beside, _, _ = model_slope(problem, solve(road, problem))
    assert abs(beside) <= ROUNDING


@everywhere
@every_mix
@every_limit
@pytest.mark.parametrize("road", ["gram", "columns"])
def test_step_leaves_no_violation_beyond_tol(road, family, l1_ratio, limits):
    problem = build(family, **LIMITS[limits]).problem(l1_ratio)
    step = solve(road, problem)
    _, slope, sub = model_slope(problem, step)
    violation = problem.inner_penalty.subgradient_distance(step.coef, slope, ALPHA)
    # Sweeps stop when no coordinate wants to move; each then moved once more.
    assert (violation / sub.unit).max() <= 10 * TOL + ROUNDING / sub.unit.min()


@everywhere
@pytest.mark.parametrize("road", ["gram", "columns"])
def test_working_set_alone_moves(road, family):
    problem = build(family).problem(1.0)
    working = np.array([1, 3, 4])
    step = solve(road, problem, working)
    coef, shift = reference(problem, working)
    assert_allclose(step.coef, coef, rtol=0.0, atol=ROOT)
    assert step.intercept_change == pytest.approx(shift, abs=ROOT)


@everywhere
def test_profile_is_the_schur_complement_of_the_intercept(family):
    problem = build(family).problem(1.0)
    here, curvature, sub = around(problem)
    before = sub.score.copy()
    score, shift, profiled = cd.profile(sub, curvature)
    hessian, slope, _ = full_system(problem, here, sub)
    inverse = np.linalg.inv(hessian)
    assert_allclose(np.linalg.inv(curvature.gram), inverse[1:, 1:], rtol=SAME)
    newton = inverse @ slope
    change = np.linalg.solve(curvature.gram, score)
    assert_array_equal(sub.score, before)
    assert_allclose(change, newton[1:], rtol=SAME)
    assert shift - profiled @ change == pytest.approx(newton[0], rel=SAME)


def test_profile_without_intercept_changes_nothing():
    problem = build("poisson", fit_intercept=False).problem(1.0)
    here, curvature, sub = around(problem)
    score, shift, profiled = cd.profile(sub, curvature)
    hessian, _, _ = full_system(problem, here, sub)
    assert_allclose(curvature.gram, hessian, rtol=0.0, atol=ROUNDING)
    assert curvature.weight_sum == 0.0
    assert not curvature.cross.any()
    assert_array_equal(score, sub.score)
    assert shift == 0.0
    assert not profiled.any()


def test_settling_or_not_makes_no_difference(monkeypatch):
    problem = build("gaussian").problem(0.5)
    _, curvature, sub = around(problem)
    settled = cd.on_gram(sub, curvature)
    monkeypatch.setattr(cd.newton, "settle", lambda *_: None)
    swept = cd.on_gram(sub, curvature)
    assert settled.n_sweeps < swept.n_sweeps
    assert swept.factor.matrix is None
    assert_allclose(settled.coef, swept.coef, rtol=0.0, atol=SAME)


def count_sweeps(monkeypatch):
    """Return a list that grows with every sweep over a Gram matrix."""
    sweeps, kernel = [], descent.sweep_gram

    def counted(*arguments):
        sweeps.append(arguments)
        return kernel(*arguments)

    monkeypatch.setattr(descent, "sweep_gram", counted)
    return sweeps


def test_where_few_coordinates_enter_nothing_is_swept(monkeypatch):
    problem = build("gaussian").problem(0.5)
    _, curvature, sub = around(problem)
    sweeps = count_sweeps(monkeypatch)
    many = cd.on_gram(replace(sub, n_entering=cd.FEW_ENTERING + 1), curvature)
    assert len(sweeps) == many.n_sweeps == cd.SWEEPS_BEFORE_NEWTON
    few = cd.on_gram(replace(sub, n_entering=cd.FEW_ENTERING), curvature)
    assert len(sweeps) == cd.SWEEPS_BEFORE_NEWTON
    assert_allclose(few.coef, many.coef, rtol=0.0, atol=SAME)


def test_few_means_few_beside_the_support(monkeypatch):
    monkeypatch.setattr(cd, "FEW_ENTERING", 0)
    problem = build("gaussian").problem(0.5)
    _, curvature, sub = around(problem)
    sub = replace(sub, n_entering=2)
    known = cd.on_gram(sub, curvature).factor
    assert known.count >= 2
    sweeps = count_sweeps(monkeypatch)
    cd.on_gram(sub, replace(curvature, factor=known))
    assert not sweeps


def test_sweeps_follow_where_an_exact_step_was_refused_at_once(monkeypatch):
    problem = build("gaussian").problem(0.5)
    _, curvature, sub = around(problem)
    exact = cd.on_gram(sub, curvature)
    monkeypatch.setattr(cd.newton, "settle", lambda *_: None)
    sweeps = count_sweeps(monkeypatch)
    swept = cd.on_gram(replace(sub, n_entering=0), curvature)
    assert sweeps
    assert_allclose(swept.coef, exact.coef, rtol=0.0, atol=SAME)


@everywhere
@every_mix
@every_limit
def test_step_goes_on_from_the_factor_of_the_one_before(family, l1_ratio, limits):
    problem = build(family, **LIMITS[limits]).problem(l1_ratio)
    _, curvature, sub = around(problem)
    sub = replace(sub, n_entering=0)
    first = cd.on_gram(sub, curvature)
    assert first.factor.matrix is not None
    # The slopes change, as they do at the next strength or the next point.
    score = sub.score + np.random.default_rng(6).normal(0.0, 0.05, sub.score.size)
    moved = replace(sub, score=score, coef=first.coef)
    fresh = cd.on_gram(moved, curvature)
    found = cd.on_gram(moved, replace(curvature, factor=first.factor))
    assert_allclose(found.coef, fresh.coef, rtol=0.0, atol=SAME)
    assert found.intercept_change == pytest.approx(fresh.intercept_change, abs=SAME)


def test_road_changes_nothing_that_it_was_given():
    problem = build("poisson").problem(0.5)
    _, curvature, sub = around(problem)
    given = (sub.coef, sub.score, sub.unit, curvature.gram, curvature.cross)
    before = [array.copy() for array in given]
    cd.on_gram(sub, curvature)
    cd.on_support(sub, curvature)
    for array, copy in zip(given, before, strict=True):
        assert_array_equal(array, copy)


def test_on_support_is_the_newton_step():
    problem = build("binomial").problem(1.0)
    here, curvature, sub = around(problem)
    step = cd.on_support(sub, curvature)
    hessian, slope, _ = full_system(problem, here, sub)
    newton = np.linalg.solve(hessian, slope)
    assert_allclose(step.coef - sub.coef, newton[1:], rtol=0.0, atol=SAME)
    unpenalised = replace(sub, terms=problem.inner_penalty.terms(0.0))
    swept = cd.on_gram(unpenalised, curvature)
    assert_allclose(step.coef, swept.coef, rtol=0.0, atol=SAME)
    assert step.intercept_change == pytest.approx(swept.intercept_change, abs=SAME)


def test_on_support_refuses_dependent_columns():
    model = build("gaussian")
    (block,) = model.statement.engine.blocks
    X = block.design.to_dense()
    X[:, 3] = X[:, 0] - X[:, 1]
    problem = pg.PenalizedGLM(block.y, X).problem(1.0)
    _, curvature, sub = around(problem)
    assert cd.on_support(sub, curvature) is None


@pytest.mark.parametrize("road", ["gram", "columns"])
def test_nobody_to_move_is_no_step_but_the_intercepts(road):
    problem = build("poisson").problem(1.0)
    nobody = np.zeros(0, dtype=np.int64)
    step = solve(road, problem, nobody)
    here, _, sub = around(problem, nobody)
    assert step.coef.shape == (0,)
    expected = sub.intercept_score / full_system(problem, here, sub)[0][0, 0]
    assert step.intercept_change == pytest.approx(expected, rel=ROUNDING)


def test_subproblem_of_a_narrowed_problem_is_the_part_of_the_whole():
    limits = {"penalty_factor": [1.0, 0.0, 2.0, 3.0, 0.5, 1.0, 1.0], "lower": -0.1}
    problem = build("gaussian", **limits).problem(0.5)
    here, _, whole = around(problem)
    columns, few = np.array([0, 2, 3, 6]), np.array([1, 2])
    unit = problem.unit(ALPHA, 1.0)[columns]
    part = cd.state(
        problem.narrowed(columns), here.take(columns), few, ALPHA, unit, TOL
    )
    assert_array_equal(part.score, whole.score[[2, 3]])
    assert_array_equal(part.coef, whole.coef[[2, 3]])
    assert_array_equal(part.unit, whole.unit[[2, 3]])
    assert_array_equal(part.terms.l1, whole.terms.l1[[2, 3]])
    assert_array_equal(part.terms.l2, whole.terms.l2[[2, 3]])
    assert_array_equal(part.terms.lower, whole.terms.lower[[2, 3]])
    assert_array_equal(part.columns, few)
