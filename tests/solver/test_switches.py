"""Every fast path can be switched off, and nothing but the time changes."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse

import penglm as pg
from penglm.design import Categorical, Dense, Split
from penglm.path import alpha_max, solve_path
from penglm.solver import abreast, moments_certificate, quadratic, screening
from penglm.solver.null import fit_null
from penglm.solver.outcome import Options
from penglm.solver.solution import Status

SWITCHES = (
    "screen", "whole", "secant", "abreast", "between", "lead", "at_once", "pilot",
)  # fmt: skip
# Objectives of two points that meet tol differ by less than tol times the penalty.
SAME = 1e-8


def tall(rng):
    X = rng.normal(size=(30_000, 40))
    X[:, 1:] += 0.5 * X[:, :-1]
    return X + 3.0


def wide(rng):
    return rng.normal(size=(90, 800)) + rng.normal(size=(90, 1))


def thin(rng):
    return sparse.random_array((400, 900), density=0.05, rng=rng).tocsc()


def with_factors(rng):
    numbers = np.ascontiguousarray(rng.normal(size=(40_000, 5)))
    levels = [Categorical(rng.integers(0, k, 40_000), k, 0) for k in (20, 7)]
    return Split([Dense(numbers), *levels])


def small(rng):
    return rng.normal(size=(300, 25)) + rng.normal(size=(300, 1)) + 2.0


SHAPES = {
    "small": small,
    "tall": tall,
    "tall by columns": lambda rng: np.asfortranarray(tall(rng)),
    "wide": wide,
    "wide by columns": lambda rng: np.asfortranarray(wide(rng)),
    "thin": thin,
    "factors": with_factors,
}


@cache
def case(shape, family):
    rng = np.random.default_rng(17)
    X = SHAPES[shape](rng)
    p = X.shape[1]
    coef = np.where(np.arange(p) % 7 == 0, 0.3, 0.0)
    eta = X.linear_predictor(coef) if isinstance(X, Split) else X @ coef
    eta = 1.5 * (eta - eta.mean()) / eta.std()
    y = {
        "gaussian": lambda: eta + rng.normal(size=eta.size),
        "binomial": lambda: (rng.uniform(size=eta.size) < 1 / (1 + np.exp(-eta))) * 1.0,
        "poisson": lambda: rng.poisson(np.exp(0.5 * eta)) * 1.0,
    }[family]()
    weight = rng.uniform(0.5, 2.0, eta.size)
    offset = 0.1 * rng.normal(size=eta.size)
    return pg.PenalizedGLM(y, X, family, var_weights=weight, offset=offset)


def path(model, options, l1_ratio=0.9, last=0.02):
    problem = model.problem(l1_ratio)
    null = fit_null(problem, options)
    alphas = alpha_max(problem, null) * np.geomspace(1.0, last, 14)
    return solve_path(problem, alphas.tolist(), null, options)


@pytest.mark.parametrize("family", ["gaussian", "binomial", "poisson"])
@pytest.mark.parametrize("shape", SHAPES)
def test_each_switch_changes_nothing_but_the_time(shape, family):
    model, options = case(shape, family), Options()
    fast = path(model, options)
    off = {switch: replace(options, **{switch: False}) for switch in SWITCHES}
    off["all"] = replace(options, **dict.fromkeys(SWITCHES, False))
    for switch, slower in off.items():
        slow = path(model, slower)
        for a, b in zip(fast, slow, strict=True):
            assert a.status is b.status is Status.OPTIMAL, switch
            assert a.certificate.kkt_residual <= options.tol
            assert b.certificate.kkt_residual <= options.tol
            assert_allclose(a.certificate.objective, b.certificate.objective, rtol=SAME)
            assert_allclose(a.deviance, b.deviance, rtol=1e-4)


@pytest.mark.parametrize("shape", ["tall", "factors"])
def test_tall_path_goes_abreast_and_takes_fewer_passes(shape, monkeypatch):
    passes = []
    real = quadratic.expand_all

    def counted(problem, points):
        passes.append(len(points))
        return real(problem, points)

    monkeypatch.setattr(quadratic, "expand_all", counted)
    model = case(shape, "poisson")
    counts = {}
    for together in (True, False):
        passes.clear()
        path(model, Options(abreast=together, at_once=False), last=0.3)
        counts[together] = len(passes)
        # The grid is dense: more than one walk serves are near.
        assert max(passes) == (abreast.LANES if together else 1), passes
    assert counts[True] < counts[False]


def test_a_lane_that_gets_lost_is_solved_alone(monkeypatch):
    model, options = case("tall", "binomial"), Options()
    expected = path(model, options, last=0.3)
    monkeypatch.setattr(abreast, "MOST_STEPS", 1)
    found = path(model, options, last=0.3)
    for a, b in zip(expected, found, strict=True):
        assert b.status is Status.OPTIMAL
        assert_allclose(a.certificate.objective, b.certificate.objective, rtol=SAME)


def test_certificates_from_the_gram_matrix_are_those_of_the_rows(monkeypatch):
    model, options = case("tall", "gaussian"), Options()
    called = []
    real = moments_certificate.certify_from_gram

    def noted(*arguments):
        called.append(True)
        return real(*arguments)

    monkeypatch.setattr(moments_certificate, "certify_from_gram", noted)
    fast = path(model, options)
    assert called
    slow = path(model, replace(options, whole=False))
    for a, b in zip(fast, slow, strict=True):
        assert_allclose(a.certificate.objective, b.certificate.objective, rtol=1e-12)
        assert_allclose(a.deviance, b.deviance, rtol=1e-10)


def test_a_gram_matrix_that_does_not_fit_the_rows_is_found_out(monkeypatch):
    """Where both ways of a certificate differ the rows decide."""
    model, options = case("tall", "gaussian"), Options()
    real = quadratic.curve

    def wrong(*arguments):
        found = real(*arguments)
        found.store[:5, :5] *= 1.0 + 1e-6
        return found

    monkeypatch.setattr(quadratic, "curve", wrong)
    problem = model.problem(0.9)
    null = fit_null(problem, options)
    alphas = alpha_max(problem, null) * np.geomspace(1.0, 0.02, 14)
    solutions = solve_path(problem, alphas.tolist(), null, options)
    last = solutions[-1]
    claim = pg.certify(
        last.coef, last.intercept, model.data.y, model.data.design.X,
        alpha=last.alpha, l1_ratio=0.9, var_weights=model.data.sample_weight,
        offset=model.data.offset,
    )  # fmt: skip
    assert claim.kkt_residual > options.tol
    assert last.certificate.kkt_residual == pytest.approx(claim.kkt_residual, rel=1e-6)
    assert last.status is Status.OPTIMAL_INACCURATE


def test_with_a_known_gram_matrix_each_point_is_one_exact_step(monkeypatch):
    model, options = case("tall", "gaussian"), Options()
    solved = []
    real = screening.solve

    def counted(*arguments):
        solved.append(arguments[1])
        return real(*arguments)

    monkeypatch.setattr(screening, "solve", counted)
    assert all(each.n_iter <= 1 for each in path(model, options))
    assert len(solved) == 2
    solved.clear()
    path(model, replace(options, whole=False))
    assert len(solved) == 14


def test_the_loop_takes_over_where_an_exact_step_is_refused():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(4000, 30))
    X[:, 7] = X[:, 3] - X[:, 2]
    y = X[:, 3] + X[:, 7] + X[:, 2] + 0.1 * rng.normal(size=4000)
    model = pg.PenalizedGLM(y, X)
    for l1_ratio in (1.0, 0.5):
        for a in path(model, Options(), l1_ratio=l1_ratio, last=1e-3):
            assert a.status is Status.OPTIMAL
