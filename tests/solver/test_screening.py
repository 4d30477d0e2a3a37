"""Few columns first, all of them in the end: nothing is missed and nothing lost."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

import penglm as pg
from penglm.design import Categorical, Dense, Sparse, Split
from penglm.exceptions import ConstantColumnWarning
from penglm.path import alpha_grid, alpha_max, solve_path
from penglm.solver import quadratic, screening
from penglm.solver.irls import solve
from penglm.solver.null import fit_null
from penglm.solver.outcome import Options
from penglm.solver.solution import Point, Status
from penglm.solver.working_set import Warm

N, P = 60, 520
TOL = 1e-8
# Two points that meet TOL have objectives closer than TOL times the penalty's share.
SAME_OBJECTIVE = 1e-9
FAMILIES = ("gaussian", "binomial", "poisson")

everywhere = pytest.mark.parametrize("family", FAMILIES)


def response(family, eta, rng):
    """Draw a response around a linear predictor."""
    if family == "gaussian":
        return eta + rng.normal(size=eta.size)
    if family == "binomial":
        return (rng.uniform(size=eta.size) < 1.0 / (1.0 + np.exp(-eta))).astype(float)
    return rng.poisson(np.exp(np.clip(eta, -3.0, 2.0))).astype(float)


def columns():
    return np.random.default_rng(5).normal(size=(N, P))


def model(family="gaussian", design=None, **options):
    """Return a model with more columns than are always looked at."""
    rng = np.random.default_rng([6, FAMILIES.index(family)])
    X = columns()
    y = response(family, X[:, 0] - X[:, 1] + 0.5 * X[:, 2], rng)
    return pg.PenalizedGLM(y, X if design is None else design, family, **options)


def build(**options):
    """Return the lasso problem of such a model."""
    rng = np.random.default_rng(5)
    X = rng.normal(size=(N, P))
    y = X[:, 0] - X[:, 1] + rng.normal(size=N)
    return pg.PenalizedGLM(y, X, **options).problem(1.0)


def null_of(problem):
    null = fit_null(problem, Options(tol=TOL))
    return null, alpha_max(problem, null)


@pytest.mark.parametrize("share", [0.95, 0.8, 0.6])
def test_strong_rule_keeps_every_column_of_the_next_solution(share):
    problem = build()
    null, largest = null_of(problem)
    warm = null.warm(largest)
    kept = screening.strong(problem, share * largest, warm)
    options = Options(tol=TOL, screen=False)
    outcome = solve(problem, share * largest, warm, null.score_scale, options)
    assert set(outcome.warm.point.support) <= set(kept)
    assert 0 < kept.size < P


def test_strong_rule_at_its_most_cautious_is_that_of_the_paper(monkeypatch):
    problem = build()
    null, largest = null_of(problem)
    warm, alpha = null.warm(largest), 0.7 * largest
    bold = screening.strong(problem, alpha, warm)
    reach = screening.SLOPE * (largest - alpha)
    assert_array_equal(bold, np.flatnonzero(np.abs(warm.score) >= alpha - reach))
    # Equation 10: drop column j if |x_j' r| < 2 lambda_k - lambda_(k-1).
    monkeypatch.setattr(screening, "SLOPE", 1.0)
    expected = np.flatnonzero(np.abs(warm.score) >= 2.0 * alpha - largest)
    assert_array_equal(screening.strong(problem, alpha, warm), expected)
    assert set(bold) < set(expected)


def test_strong_rule_keeps_what_is_nonzero_and_drops_what_is_fixed_at_zero():
    factor = np.ones(P)
    factor[[10, 11]] = np.inf
    problem = build(penalty_factor=factor)
    _, largest = null_of(problem)
    # A fixed value that is not zero has its part in every prediction.
    coef = np.zeros(P)
    coef[[7, 10]] = 1.0
    score = np.zeros(P)
    score[[10, 11]] = 1e9
    warm = Warm(Point(coef, 0.0), largest, score)
    assert_array_equal(screening.strong(problem, 0.9 * largest, warm), [7, 10])


def test_strong_rule_keeps_free_columns():
    factor = np.ones(P)
    factor[[3, 400]] = 0.0
    problem = build(penalty_factor=factor)
    warm = Warm(Point(np.zeros(P), 0.0), 1.0, np.zeros(P))
    assert_array_equal(screening.strong(problem, 0.9, warm), [3, 400])


def test_few_columns_are_all_looked_at():
    rng = np.random.default_rng(6)
    X = rng.normal(size=(30, 5))
    problem = pg.PenalizedGLM(X[:, 0], X).problem(1.0)
    warm = Warm(Point(np.zeros(5), 0.0), 1.0, np.zeros(5))
    assert screening.strong(problem, 0.5, warm) is None


def test_step_too_long_for_the_strong_rule_keeps_everything(monkeypatch):
    monkeypatch.setattr(screening, "SLOPE", 1.0)
    problem = build()
    null, largest = null_of(problem)
    assert screening.strong(problem, 0.4 * largest, null.warm(largest)) is None


def along(problem, n_points=8, ratio=0.1, screen=True, alphas=None):
    """Return the solutions along a path."""
    options = Options(tol=TOL, screen=screen)
    null = fit_null(problem, options)
    if alphas is None:
        alphas = alpha_grid(alpha_max(problem, null), n_points, ratio)
    return solve_path(problem, list(alphas), null, options)


def assert_same(found, expected, tol=TOL, same=SAME_OBJECTIVE):
    """Insist on every certificate and compare the objectives."""
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert a.alpha == b.alpha
        assert a.status is b.status is Status.OPTIMAL
        assert a.certificate.kkt_residual <= tol
        assert a.certificate.objective == pytest.approx(
            b.certificate.objective, rel=same
        )


def count_narrowed(monkeypatch):
    """Return a list of the columns of every narrowed problem."""
    seen, narrowed = [], screening.Problem.narrowed

    def watched(problem, which):
        seen.append(which)
        return narrowed(problem, which)

    monkeypatch.setattr(screening.Problem, "narrowed", watched)
    return seen


def check(problem, monkeypatch, **how):
    """Compare a screened path with one on all columns; return the screened one."""
    seen = count_narrowed(monkeypatch)
    found = along(problem, **how)
    assert seen
    assert max(which.size for which in seen) < problem.n_features
    assert_same(found, along(problem, screen=False, **how))
    return found


def ahead(problem, shares, options, start=None, null=None):
    """Solve ahead of the null model; return the outcomes and the null model."""
    null = null or fit_null(problem, options)
    largest = alpha_max(problem, null)
    start = start or null.warm(largest)
    alphas = [share * largest for share in shares]
    return screening.solve_ahead(problem, alphas, start, null.score_scale, options)


def forgetful(monkeypatch, forgotten):
    """Let the strong rule drop columns it ought to keep."""
    kept = screening.strong

    def strong(problem, alpha, warm):
        found = kept(problem, alpha, warm)
        lost = np.setdiff1d(forgotten, warm.point.support)
        return None if found is None else np.setdiff1d(found, lost)

    monkeypatch.setattr(screening, "strong", strong)


@everywhere
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
def test_columns_wrongly_discarded_are_let_in(family, l1_ratio, monkeypatch):
    problem = model(family).problem(l1_ratio)
    expected = along(problem, screen=False)
    forgotten = np.flatnonzero(expected[-1].coef)[:3]
    assert forgotten.size == 3
    forgetful(monkeypatch, forgotten)
    seen = count_narrowed(monkeypatch)
    found = along(problem)
    assert_same(found, expected)
    for a, b in zip(found, expected, strict=True):
        assert_array_equal(a.coef[forgotten] != 0.0, b.coef[forgotten] != 0.0)
    # It was wrong, saw it, and solved again with them.
    assert any(not np.isin(forgotten, which).any() for which in seen)
    assert any(np.isin(forgotten, which).all() for which in seen)


@everywhere
def test_rule_that_keeps_nobody_costs_time_and_no_digits(family, monkeypatch):
    problem = model(family).problem(1.0)
    expected = along(problem, screen=False)
    forgetful(monkeypatch, np.arange(P))
    assert_same(along(problem), expected)


@everywhere
def test_strengths_before_the_first_error_are_kept(family, monkeypatch):
    # The column enters late, so that only the weaker strengths are spoiled by it.
    problem = model(family).problem(1.0)
    options = Options(tol=TOL, at_once=False)
    null, largest = null_of(problem)
    start = null.warm(largest)
    start = solve(problem, 0.5 * largest, start, null.score_scale, options).warm
    shares = (0.49, 0.46, 0.43, 0.4)
    honest = ahead(problem, shares, options, start, null)
    supports = [set(outcome.warm.point.support) for outcome in honest]
    late = sorted(supports[3] - supports[1] - supports[0] - set(start.point.support))
    assert late
    forgetful(monkeypatch, late)
    solved = []

    def watched(problem, alpha, *rest):
        solved.append(alpha)
        return solve(problem, alpha, *rest)

    monkeypatch.setattr(screening, "solve", watched)
    found = ahead(problem, shares, options, start, null)
    assert solved.count(solved[0]) == solved.count(solved[1]) == 1
    assert solved.count(solved[3]) == 2
    for a, b in zip(found, honest, strict=True):
        assert a.status is Status.OPTIMAL
        assert_allclose(
            a.warm.point.coef, b.warm.point.coef, rtol=0.0, atol=1e-5
        )  # fmt: skip


@pytest.mark.parametrize(
    ("n_obs", "n_features", "expected"),
    [(50, 2_000, 8), (50, 60_000, 2), (5, 10**6, 1)],
)
def test_few_strengths_go_ahead_where_columns_are_many_and_empty(
    n_obs, n_features, expected
):
    X = sparse.csc_array(([1.0], ([0], [1])), shape=(n_obs, n_features))
    y = np.arange(n_obs, dtype=float)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConstantColumnWarning)
        problem = pg.PenalizedGLM(y, X).problem(1.0)
    assert screening.n_ahead(problem) == expected


@everywhere
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5, 0.0])
@pytest.mark.parametrize("n_points", [1, 2, 3, 4, 9])
@pytest.mark.parametrize("top", [1.0, 0.5])
def test_every_outcome_knows_all_columns(family, l1_ratio, n_points, top):
    problem = model(family).problem(l1_ratio)
    options = Options(tol=1e-5)
    shares = top * 0.95 ** np.arange(n_points)
    found = ahead(problem, shares, options)
    assert 1 <= len(found) <= min(screening.AHEAD, n_points)
    for outcome in found:
        assert outcome.status is Status.OPTIMAL
        assert outcome.warm.score.shape == (P,)
        assert outcome.warm.point.coef.shape == (P,)
        assert outcome.warm.here is outcome.here
        exact = quadratic.expand(problem, outcome.warm.point)
        threshold = problem.inner_penalty.threshold(outcome.warm.alpha)
        size = np.maximum(np.abs(exact.score), np.abs(outcome.warm.score))
        # Of a column that rests it is enough to know that it does.
        known = (size > threshold) | (outcome is found[-1])
        assert_allclose(
            outcome.warm.score[known], exact.score[known], rtol=0.0, atol=1e-12
        )
        assert_array_equal(outcome.here.score, outcome.warm.score)
        assert outcome.loss == pytest.approx(exact.loss, rel=1e-12)
        curvature = outcome.warm.curvature
        if curvature is not None:
            assert curvature.point.coef.shape == (P,)
            known = quadratic.curve(problem, curvature.point, curvature.columns)
            assert_allclose(curvature.gram, known.gram, rtol=0.0, atol=1e-12)


@pytest.mark.parametrize("n_found", [1, 3])
@pytest.mark.parametrize("anchored", [True, False])
def test_widened_outcomes_are_those_of_the_whole_problem(n_found, anchored):
    problem = model("poisson").problem(1.0)
    options = Options(tol=TOL)
    null, largest = null_of(problem)
    chosen = screening.strong(problem, 0.8 * largest, null.warm(largest))
    small = problem.narrowed(chosen)
    warm, found = screening.among(null.warm(largest), chosen), []
    for alpha in largest * np.linspace(0.95, 0.8, n_found):
        found.append(solve(small, alpha, warm, null.score_scale, options))
        warm = found[-1].warm
    anchor = null.warm(largest).here if anchored else None
    wide = screening.widen(problem, small, found, chosen, anchor)
    for inner, outer in zip(found, wide, strict=True):
        assert_array_equal(outer.warm.point.coef[chosen], inner.warm.point.coef)
        others = np.setdiff1d(np.arange(P), chosen)
        assert not outer.warm.point.coef[others].any()
        assert_allclose(
            outer.warm.score[chosen], inner.warm.score, rtol=0.0, atol=1e-12
        )
        assert outer.loss == inner.loss
        assert outer.warm.alpha == inner.warm.alpha
        back = screening.among(outer.warm, chosen)
        assert_array_equal(back.point.coef, inner.warm.point.coef)
        assert_array_equal(back.here.score, outer.warm.score[chosen])


def test_violators_are_columns_at_zero_that_want_to_move():
    problem, options = build(), Options(tol=TOL)
    null, largest = null_of(problem)
    outcome = solve(
        problem, 0.7 * largest, null.warm(largest), null.score_scale, options
    )
    scale = null.score_scale
    assert not screening.violators(problem, outcome, scale, options).size
    support = outcome.warm.point.support
    # Nonzero ones are the inner solver's affair, however wrong they are.
    coef = outcome.warm.point.coef.copy()
    coef[support[0]] *= 3.0
    coef[support[-1]] = 0.0
    here = quadratic.expand(problem, Point(coef, outcome.warm.point.intercept))
    warm = Warm(here.point, 0.7 * largest, here.score, None, here)
    found = screening.violators(problem, replace(outcome, warm=warm), scale, options)
    distance = problem.inner_penalty.subgradient_distance(
        coef, here.score, 0.7 * largest
    )
    assert distance[support[0]] > 0.1 * largest
    expected = np.flatnonzero((distance > 1e-4 * largest) & (coef == 0.0))
    assert support[-1] in expected
    assert support[0] not in found
    assert set(expected) <= set(found)
    assert not set(found) & set(np.flatnonzero(coef))


def test_fixed_columns_are_no_violators_whatever_their_slope():
    factor = np.ones(P)
    factor[[0, 1]] = np.inf
    problem, options = build(penalty_factor=factor), Options(tol=TOL)
    null, largest = null_of(problem)
    here = quadratic.expand(problem, null.outcome.warm.point)
    warm = Warm(here.point, largest, here.score, None, here)
    assert np.abs(here.score[[0, 1]]).max() > largest
    outcome = replace(null.outcome, warm=warm)
    assert not screening.violators(problem, outcome, null.score_scale, options).size


def test_fewer_strengths_are_tried_where_too_many_columns_survive(monkeypatch):
    monkeypatch.setattr(screening, "SLOPE", 1.0)
    problem = model().problem(1.0)
    null = null_of(problem)[0]
    seen = count_narrowed(monkeypatch)
    # The fourth is too far for the rule, the second is not.
    found = ahead(problem, (0.95, 0.9, 0.6, 0.3), Options(tol=TOL), null=null)
    assert len(found) == 2
    assert len(seen) == 1
    # Where even the next is too far, all columns are taken, and one strength.
    seen.clear()
    assert len(ahead(problem, (0.4, 0.3, 0.2), Options(tol=TOL), null=null)) == 1
    assert not seen


def test_nobody_is_screened_who_does_not_want_to_be(monkeypatch):
    problem, options = model().problem(1.0), Options(screen=False)
    null = fit_null(problem, options)
    seen = count_narrowed(monkeypatch)
    assert len(ahead(problem, (0.95, 0.9), options, null=null)) == 1
    assert not seen


@everywhere
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
def test_limits_that_exclude_zero_survive_narrowing(family, l1_ratio, monkeypatch):
    lower, upper = np.full(P, -np.inf), np.full(P, np.inf)
    lower[10], upper[20] = 0.05, -0.07
    lower[0], upper[1] = -0.2, 0.0
    # One value is left: nonzero, and nobody asks it to move.
    lower[30] = upper[30] = 0.1
    problem = model(family, lower=lower, upper=upper).problem(l1_ratio)
    for solution in check(problem, monkeypatch):
        assert solution.coef[10] >= 0.05
        assert solution.coef[20] <= -0.07
        assert solution.coef[30] == 0.1
        assert solution.coef[0] >= -0.2
        assert solution.coef[1] <= 0.0


@everywhere
def test_free_and_excluded_columns_survive_narrowing(family, monkeypatch):
    factor = np.random.default_rng(3).uniform(0.5, 2.0, P)
    factor[[3, 400]], factor[[0, 500]] = 0.0, np.inf
    problem = model(family, penalty_factor=factor).problem(1.0)
    for solution in check(problem, monkeypatch):
        assert solution.coef[[3, 400]].all()
        assert not solution.coef[[0, 500]].any()


@everywhere
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_offsets_and_weights_survive_narrowing(family, fit_intercept, monkeypatch):
    rng = np.random.default_rng(4)
    weight = rng.uniform(0.2, 3.0, N)
    weight[::9] = 0.0
    problem = model(
        family, offset=rng.normal(0.0, 0.4, N), var_weights=weight,
        fit_intercept=fit_intercept,
    ).problem(1.0)  # fmt: skip
    check(problem, monkeypatch)


def storages():
    """Return a maker of every storage of many columns."""
    level = np.random.default_rng(7).integers(-1, P, 4 * N)
    few = np.random.default_rng(8).integers(0, 3, N)
    thin = np.where(np.random.default_rng(9).uniform(size=(N, P)) < 0.7, 0, columns())
    return {
        "rows first": lambda: Dense(np.ascontiguousarray(columns())),
        "columns first": lambda: Dense(np.asfortranarray(columns())),
        "single": lambda: Dense(columns().astype(np.float32)),
        "single, columns first": lambda: Dense(
            np.asfortranarray(columns().astype(np.float32))
        ),
        "sparse by rows": lambda: Sparse(sparse.csr_array(thin)),
        "sparse by columns": lambda: Sparse(sparse.csc_array(thin)),
        "split": lambda: Split(
            [
                Categorical(few, 3, drop=0),
                Dense(columns()[:, :300]),
                Sparse(sparse.csc_array(thin[:, 300:])),
                Categorical(level[:N], P),
            ]
        ),
    }


@everywhere
@pytest.mark.parametrize("storage", storages())
@pytest.mark.filterwarnings("ignore::penglm.exceptions.ConstantColumnWarning")
def test_every_storage_survives_narrowing(family, storage, monkeypatch):
    problem = model(family, storages()[storage]()).problem(1.0)
    check(problem, monkeypatch, ratio=0.2)


@everywhere
def test_factor_of_many_levels_survives_narrowing(family, monkeypatch):
    rng = np.random.default_rng([10, FAMILIES.index(family)])
    level = np.r_[np.arange(P), rng.integers(0, P, P)]
    effect = np.where(rng.uniform(size=P) < 0.05, 2.0, 0.0)
    y = response(family, effect[level], rng)
    problem = pg.PenalizedGLM(y, Categorical(level, P), family).problem(1.0)
    check(problem, monkeypatch, ratio=0.5)


def test_one_column_left_of_a_split_is_enough(monkeypatch):
    # At the top of the path hardly anybody survives, and whole parts do not.
    split = Split([Dense(columns()[:, :400]), Dense(columns()[:, 400:])])
    problem = model(design=split).problem(1.0)
    check(problem, monkeypatch, n_points=3, ratio=0.95)


# As many as there is time for: each family and each storage order in turn.
@pytest.mark.parametrize("seed", range(60))
def test_screening_makes_no_difference_on_random_problems(seed):
    rng = np.random.default_rng([20261126, seed])
    family = FAMILIES[seed % 3]
    n, p = int(rng.integers(20, 81)), int(rng.integers(600, 901))
    X = rng.normal(size=(n, p)) + rng.choice([0.0, 1.0]) * rng.normal(size=(n, 1))
    X = np.asfortranarray(X) if rng.uniform() < 0.5 else X
    active = rng.permutation(p)[:5]
    scale = rng.choice([0.1, 1.0, 30.0], p)
    y = response(family, X[:, active] @ rng.normal(size=5), rng)
    if y.min() == y.max():
        y[0] = 1.0 - min(y[0], 1.0)
    options = {}
    if rng.uniform() < 0.3:
        options["penalty_factor"] = rng.uniform(0.5, 2.0, p)
    if rng.uniform() < 0.3:
        options["var_weights"] = rng.uniform(0.2, 2.0, n)
    if rng.uniform() < 0.2:
        options["lower"] = 0.0
    problem = pg.PenalizedGLM(y, X * scale, family, **options).problem(
        float(rng.choice([1.0, 0.7]))
    )
    tol = 1e-5
    null = fit_null(problem, Options(tol=tol))
    alphas = list(alpha_grid(alpha_max(problem, null), 8, 0.1))
    screened, plain = (
        solve_path(problem, alphas, null, Options(tol=tol, screen=screen))
        for screen in (True, False)
    )
    assert_same(screened, plain, tol, 1e-6)
