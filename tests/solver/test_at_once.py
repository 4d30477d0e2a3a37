"""Small problems in one call: what it is asked, what it hands on, what it leaves."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

import penglm as pg
from penglm.families import Binomial
from penglm.families.links import Probit
from penglm.path import alpha_max, solve_at, solve_path
from penglm.solver import at_once, irls, screening
from penglm.solver.factor import Factor
from penglm.solver.null import fit_null
from penglm.solver.outcome import Options
from penglm.solver.solution import Status
from penglm.solver.working_set import Warm

SAME = 1e-8


def model(family="binomial", n=120, p=30, **others):
    rng = np.random.default_rng(8)
    X = rng.normal(size=(n, p)) + 0.5 * rng.normal(size=(n, 1)) + 2.0
    eta = X[:, :4] @ [0.6, -0.6, 0.4, -0.4]
    y = {
        "gaussian": lambda: eta + rng.normal(size=n),
        "binomial": lambda: (rng.uniform(size=n) < 1 / (1 + np.exp(-eta))) * 1.0,
        "poisson": lambda: rng.poisson(np.exp(0.5 * eta)) * 1.0,
    }[family]()
    return pg.PenalizedGLM(y, X, family, **others)


@pytest.fixture
def solves(monkeypatch):
    """Count what goes by the other loop, at strengths above zero."""
    seen = []
    real = irls.solve

    def counted(problem, alpha, *rest):
        seen.append(alpha)
        return real(problem, alpha, *rest)

    monkeypatch.setattr(screening, "solve", counted)
    return seen


def both(model, l1_ratio=0.7, n=9, last=0.01):
    problem = model.problem(l1_ratio)
    found = []
    for switch in (True, False):
        options = Options(at_once=switch, whole=switch)
        null = fit_null(problem, options)
        grid = alpha_max(problem, null) * np.geomspace(1.0, last, n)
        found.append(solve_path(problem, grid.tolist(), null, options))
    return found


CASES = {
    "plain": {},
    "weights and offset": {
        "var_weights": np.linspace(0.5, 2.0, 120),
        "offset": np.sin(np.arange(120.0)),
    },
    "no intercept": {"fit_intercept": False},
    "own scales": {"standardize": False},
    "limits": {"lower": -0.05, "upper": 0.3},
    "penalty factors": {"penalty_factor": np.linspace(0.5, 2.0, 30)},
}


@pytest.mark.parametrize("family", ["gaussian", "binomial", "poisson"])
@pytest.mark.parametrize("others", CASES.values(), ids=CASES)
def test_one_call_finds_what_the_loop_finds(family, others, solves):
    fast, slow = both(model(family, **others))
    assert len(solves) == len(slow), "the first path went by the other loop"
    for a, b in zip(fast, slow, strict=True):
        assert a.status is b.status is Status.OPTIMAL
        assert a.certificate.kkt_residual <= Options().tol
        assert_allclose(a.certificate.objective, b.certificate.objective, rtol=SAME)


def test_free_columns_go_by_the_loop(solves):
    factor = np.where(np.arange(30) == 3, 0.0, 1.0)
    fast, slow = both(model(penalty_factor=factor))
    assert len(solves) == len(fast) + len(slow)
    for a, b in zip(fast, slow, strict=True):
        assert_allclose(a.coef, b.coef, rtol=0, atol=1e-12)


def test_what_one_call_leaves_the_loop_finishes(solves):
    rng = np.random.default_rng(2)
    X = rng.normal(size=(60, 4))
    X = np.hstack([X, X])
    y = (rng.uniform(size=60) < 1 / (1 + np.exp(-X[:, 0]))) * 1.0
    asked = pg.PenalizedGLM(y, X, "binomial")
    problem, null, options = asked.problem(1.0), asked.statement.null, Options()
    expected = asked.fit(0.01).certificate.objective
    before = asked.fit(0.05).coef
    # A start with both copies of a column in play, which no factor can hold.
    shared = np.tile(before[:4] + before[4:], 2) / 2
    assert np.count_nonzero(shared) >= 2
    warm = Warm(problem.point(0.0, shared), 0.05, np.zeros(8))
    solves.clear()
    found = solve_at(problem, 0.01, null, options, start=warm)
    assert solves == [0.01]
    assert found.status is Status.OPTIMAL
    assert_allclose(found.certificate.objective, expected, rtol=SAME)


def test_second_derivatives_go_from_one_call_to_the_next():
    asked = model("poisson", n=200, p=40)
    problem, options = asked.problem(1.0), Options()
    null = fit_null(problem, options)
    largest = alpha_max(problem, null)
    first = at_once.solve_at_once(
        problem, [0.5 * largest, 0.3 * largest], null.warm(largest), null.score_scale,
        options,
    )  # fmt: skip
    known = first[-1].warm.curvature
    assert known is not None and known.factor.count > 0
    block = problem.engine.whole()
    weight = block.sample_weight * problem.linearise(block, known.point).working_weight
    columns = problem.columns_of(block)
    gram = columns.gram(weight, known.columns) / problem.weight_total
    cross = columns.gradient(weight, known.columns) / problem.weight_total
    total = weight.sum() / problem.weight_total
    assert_allclose(known.weight_sum, total)
    assert_allclose(known.gram, gram - np.outer(cross, cross) / total, atol=1e-12)
    after = at_once.solve_at_once(
        problem, [0.29 * largest], first[-1].warm, null.score_scale, options
    )
    alone = at_once.solve_at_once(
        problem, [0.29 * largest], replace(first[-1].warm, curvature=None),
        null.score_scale, options,
    )  # fmt: skip
    assert_allclose(after[0].history[-1], alone[0].history[-1], rtol=SAME)
    assert after[0].warm.curvature.point.intercept == known.point.intercept


def test_large_problems_and_other_families_are_not_for_one_call():
    options = Options()
    assert at_once.suits(model().problem(1.0), options)
    assert not at_once.suits(model().problem(1.0), replace(options, road="naive"))
    assert not at_once.suits(model().problem(1.0), replace(options, at_once=False))
    probit = pg.PenalizedGLM([0, 1, 1, 0], np.eye(4)[:, :2], Binomial(Probit()))
    assert not at_once.suits(probit.problem(1.0), options)
    rng = np.random.default_rng(1)
    tall = pg.PenalizedGLM(
        np.arange(120_000) % 2, rng.normal(size=(120_000, 20)), "binomial"
    )
    assert not at_once.suits(tall.problem(1.0), options)


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
def test_a_factor_that_is_handed_on_is_that_of_its_gram_matrix(l1_ratio):
    asked = model("binomial", n=200, p=40)
    problem, options = asked.problem(l1_ratio), Options()
    null = fit_null(problem, options)
    largest = alpha_max(problem, null)
    found = at_once.solve_at_once(
        problem, [0.5 * largest, 0.2 * largest, 0.1 * largest], null.warm(largest),
        null.score_scale, options,
    )  # fmt: skip
    known = found[-1].warm.curvature
    factor, k = known.factor, known.factor.count
    if l1_ratio < 1.0:
        assert factor.matrix is None, "it would belong to another multiple"
        return
    members = factor.members[:k]
    L = np.tril(factor.matrix[:k, :k])
    expected = known.gram[np.ix_(members, members)] + np.diag(factor.pull[members])
    assert k > 1
    assert_allclose(L @ L.T, expected, atol=1e-12)


@pytest.mark.parametrize("at_once_too", [True, False])
def test_second_derivatives_that_lead_nowhere_are_forgotten(at_once_too):
    asked = model("poisson", n=200, p=40)
    problem, options = asked.problem(1.0), Options(at_once=False)
    null = fit_null(problem, options)
    largest = alpha_max(problem, null)
    start = irls.solve(
        problem, 0.5 * largest, null.warm(largest), null.score_scale, options
    ).warm
    wrong = start.curvature
    store = wrong.store.copy()
    k = wrong.columns.size
    store[:k, :k] = -store[:k, :k] + 2.0 * np.diag(np.diag(store[:k, :k]))
    store[:k, :k] *= 1e-6
    start = replace(start, curvature=replace(wrong, store=store, factor=Factor()))
    options = Options(at_once=at_once_too)
    found = screening.solve_each(
        problem, [0.05 * largest], start, null.score_scale, options
    )
    assert found[0].status is Status.OPTIMAL
