"""A pilot is a start: whatever its sample says, the answer is that of all rows."""

from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose

import penglm as pg
from penglm.design import Categorical, Dense, Split
from penglm.engines import Local
from penglm.path import alpha_max, solve_path
from penglm.solver import irls, pilot
from penglm.solver.null import fit_null
from penglm.solver.outcome import Options
from penglm.solver.solution import Status

N_OBS, N_COLUMNS = 20_000, 20
SAME = 1e-8


def columns(rng, n_columns=N_COLUMNS):
    X = rng.normal(size=(N_OBS, n_columns))
    X[:, 1:] += 0.5 * X[:, :-1]
    return X + 1.0


def responses(X, family, rng):
    eta = 0.15 * (X[:, ::3] - 1.0).sum(axis=1)
    if family == "poisson":
        return rng.poisson(np.exp(0.5 * eta)) * 1.0
    return (rng.uniform(size=N_OBS) < 1.0 / (1.0 + np.exp(-eta))) * 1.0


@pytest.fixture(autouse=True)
def small_enough(monkeypatch):
    """Let problems of this size be worth a pilot."""
    monkeypatch.setattr(pilot, "LEAST_NUMBERS", 1000)
    monkeypatch.setattr(irls, "LEAST_NUMBERS", 1000)


@pytest.fixture
def led(monkeypatch):
    """Return a list with, for each pilot, whether it was followed."""
    followed = []
    real = pilot.lead

    def noted(problem, alpha, start, score_scale, options):
        found = real(problem, alpha, start, score_scale, options)
        followed.append(found.is_bounded)
        return found

    monkeypatch.setattr(pilot, "lead", noted)
    return followed


def both(model, share, l1_ratio=1.0):
    """Return solutions with and without a pilot, at a share of alpha_max."""
    problem = model.problem(l1_ratio)
    found = []
    for is_on in (True, False):
        options = Options(pilot=is_on)
        null = fit_null(problem, options)
        alpha = share * alpha_max(problem, null)
        found += solve_path(problem, [alpha], null, options)
    return found


def assert_same(with_pilot, without):
    assert with_pilot.status is without.status is Status.OPTIMAL
    assert with_pilot.certificate.kkt_residual <= Options().tol
    assert_allclose(
        with_pilot.certificate.objective, without.certificate.objective, rtol=SAME
    )


def assert_same_coef(with_pilot, without):
    largest = np.abs(without.coef).max()
    assert_allclose(with_pilot.coef, without.coef, rtol=0, atol=1e-9 * largest)


def by_response(X, y):
    return np.argsort(y, kind="stable")


def by_column(X, y):
    return np.argsort(X[:, 0], kind="stable")


def periodic(X, y):
    """Return an order in which every tenth row is one with a large first column."""
    large_first = np.argsort(-X[:, 0], kind="stable")
    head, tail = np.split(large_first, [N_OBS // 10])
    return np.column_stack([head, tail.reshape(-1, 9)]).ravel()


@pytest.mark.parametrize("family", ["binomial", "poisson"])
@pytest.mark.parametrize("order", [by_response, by_column, periodic])
def test_order_of_rows_does_not_mislead(order, family, led):
    rng = np.random.default_rng(4)
    X = columns(rng)
    y = responses(X, family, rng)
    rows = order(X, y)
    model = pg.PenalizedGLM(y[rows], X[rows], family)
    for share in (0.05, 0.0):
        with_pilot, without = both(model, share)
        assert_same(with_pilot, without)
        if share == 0.0:
            assert_same_coef(with_pilot, without)
    assert led == [True, False, True, False]


def test_sample_is_no_other_population_where_rows_are_periodic():
    """One row of each ten, but not always the same one."""
    taken = pilot.rows(N_OBS)
    assert_allclose(taken // pilot.EVERY, np.arange(N_OBS // pilot.EVERY))
    counts = np.bincount(taken % pilot.EVERY)
    assert counts.size == pilot.EVERY
    assert counts.min() > 0.7 * taken.size / pilot.EVERY


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_unpenalised_fit_with_weights_and_offset_is_that_of_statsmodels(family, led):
    rng = np.random.default_rng(5)
    X = columns(rng)
    y = responses(X, family, rng)
    weight, offset = rng.uniform(0.2, 3.0, N_OBS), rng.normal(size=N_OBS)
    model = pg.PenalizedGLM(y, X, family, var_weights=weight, offset=offset)
    found = model.fit(0.0)
    assert led == [True]
    kinds = {"binomial": sm.families.Binomial(), "poisson": sm.families.Poisson()}
    expected = sm.GLM(
        y, sm.add_constant(X), kinds[family], offset=offset, var_weights=weight
    ).fit(tol=1e-14)
    assert_allclose(found.params, expected.params, rtol=1e-8, atol=1e-8)


def test_followed_pilot_needs_fewer_gram_matrices_of_all_rows(monkeypatch):
    rng = np.random.default_rng(6)
    X = columns(rng)
    model = pg.PenalizedGLM(responses(X, "binomial", rng), X, "binomial")
    made = []
    real = irls.quadratic.curve

    def counted(problem, point, wanted, known=None):
        found = real(problem, point, wanted, known)
        if found is not known and problem.engine.n_obs == N_OBS:
            made.append(wanted.size)
        return found

    monkeypatch.setattr(irls.quadratic, "curve", counted)
    counts = []
    problem = model.problem(1.0)
    for is_on in (True, False):
        options = Options(pilot=is_on)
        null = fit_null(problem, options)
        made.clear()
        solve_path(problem, [0.0], null, options)
        counts.append(len(made))
    assert counts[0] < counts[1]


def test_levels_that_the_sample_lacks(led):
    rng = np.random.default_rng(7)
    rare = np.setdiff1d(np.arange(N_OBS), pilot.rows(N_OBS))[:40]
    codes = rng.integers(0, 8, N_OBS)
    codes[rare] = 8
    numbers = np.ascontiguousarray(columns(rng, 5))
    design = Split([Dense(numbers), Categorical(codes, 9, 0)])
    eta = 0.3 * numbers[:, 0] - 0.3 + np.where(codes == 8, 1.0, 0.1 * (codes % 2))
    y = rng.poisson(np.exp(eta)) * 1.0
    model = pg.PenalizedGLM(y, design, "poisson")
    for share in (0.01, 0.0):
        with_pilot, without = both(model, share)
        assert_same(with_pilot, without)
        assert with_pilot.coef[-1] == pytest.approx(without.coef[-1], rel=1e-4)
        assert with_pilot.coef[-1] > 0.5
    # Without a penalty nothing is known of a column that is zero all over the sample.
    assert led[2] is False


def separated(in_sample, in_others):
    """Return a model whose last column tells y apart in some of the rows only."""
    rng = np.random.default_rng(8)
    X = columns(rng, 10)
    y = responses(X, "binomial", rng)
    is_in = np.isin(np.arange(N_OBS), pilot.rows(N_OBS))
    # The column is zero but where y is one: a likelihood rises along it for ever.
    telling = (y == 1.0) & (rng.uniform(size=N_OBS) < 0.1)
    X[:, -1] = telling
    for rows, is_separated in ((is_in, in_sample), (~is_in, in_others)):
        if not is_separated:
            some = np.flatnonzero(rows & (y == 0.0))
            X[some[::20], -1] = 1.0
    return pg.PenalizedGLM(y, X, "binomial")


def test_separation_is_told_where_sample_and_rows_are_separated(led):
    with_pilot, without = both(separated(True, True), 0.0)
    assert with_pilot.status is without.status is Status.NO_FINITE_SOLUTION
    assert not any(led)


def test_separated_sample_of_rows_that_are_not(led):
    with_pilot, without = both(separated(True, False), 0.0)
    assert_same(with_pilot, without)
    assert_same_coef(with_pilot, without)
    assert not any(led)


def test_rows_outside_the_sample_cannot_undo_its_optimum(led):
    with_pilot, without = both(separated(False, True), 0.0)
    assert_same(with_pilot, without)
    assert_same_coef(with_pilot, without)
    assert led[0] is True


def test_sample_without_full_rank_is_not_followed(led):
    """Two columns that differ outside the sample only."""
    rng = np.random.default_rng(9)
    X = columns(rng, 10)
    y = responses(X, "binomial", rng)
    others = np.setdiff1d(np.arange(N_OBS), pilot.rows(N_OBS))
    X[:, 1] = X[:, 0]
    X[others, 1] += rng.normal(size=others.size)
    with_pilot, without = both(pg.PenalizedGLM(y, X, "binomial"), 0.0)
    assert_same(with_pilot, without)
    assert_same_coef(with_pilot, without)
    assert not any(led)


def test_sample_that_does_not_converge_is_not_followed(led, monkeypatch):
    rng = np.random.default_rng(10)
    X = columns(rng)
    model = pg.PenalizedGLM(responses(X, "poisson", rng), X, "poisson")
    real = pilot.solve

    def gives_up(*arguments):
        return replace(real(*arguments), status=Status.MAX_ITER)

    monkeypatch.setattr(pilot, "solve", gives_up)
    assert_same(*both(model, 0.01))
    assert not any(led)


def test_pilot_is_left_out_where_it_cannot_pay():
    rng = np.random.default_rng(11)
    X = columns(rng)
    y = responses(X, "binomial", rng)
    problem = pg.PenalizedGLM(y, X, "binomial").problem(1.0)
    options = Options()
    null = fit_null(problem, options)
    largest = alpha_max(problem, null)
    start = null.warm(largest)
    assert pilot.suits(problem, 0.1 * largest, start, options)
    assert not pilot.suits(problem, 0.9 * largest, start, options)
    assert not pilot.suits(problem, 0.1 * largest, start, Options(pilot=False))
    whole = problem.engine.whole()
    halves = [whole.take(rows) for rows in np.array_split(np.arange(N_OBS), 2)]
    in_blocks = replace(problem, engine=Local(halves))
    assert not pilot.suits(in_blocks, 0.1 * largest, start, options)
    with pytest.raises(ValueError, match="one block"):
        pilot.sample(in_blocks)
    least_squares = pg.PenalizedGLM(y, X).problem(1.0)
    assert not pilot.suits(least_squares, 0.1 * largest, start, options)
