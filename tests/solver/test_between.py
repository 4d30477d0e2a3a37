"""Slopes between two points of a path: near enough, and exact where that matters."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import penglm as pg
from penglm.design import Dense
from penglm.path import alpha_max
from penglm.solver import between, screening
from penglm.solver.irls import solve
from penglm.solver.null import fit_null
from penglm.solver.outcome import Options
from penglm.solver.quadratic import expand
from penglm.solver.screening import among

N, P = 50, 400
OPTIONS = Options(tol=1e-7)
# Sums over N rows in another order.
ROUNDING = 1e-12


def draw(family, **options):
    """Return a problem of few rows, weighted, with unequal columns far from zero."""
    rng = np.random.default_rng([9, len(family)])
    X = rng.normal(size=(N, P)) * rng.choice([0.1, 1.0, 30.0], P) + 3.0
    eta = (X[:, 0] - X[:, 0].mean()) / X[:, 0].std()
    y = {
        "gaussian": eta + 0.3 * rng.normal(size=N),
        "binomial": (eta + rng.logistic(size=N) > 0.0) * 1.0,
        "poisson": rng.poisson(np.exp(0.5 * eta)) * 1.0,
    }[family]
    weight = rng.uniform(0.2, 3.0, N)
    model = pg.PenalizedGLM(y, X, family, var_weights=weight, **options)
    return model.problem(1.0)


def narrowed(problem, shares, keep):
    """Return a start, the narrowed problem, its columns and what it came to."""
    null = fit_null(problem, OPTIONS)
    largest = alpha_max(problem, null)
    start = null.warm(largest)
    score = np.abs(start.score)
    columns = np.flatnonzero(score >= np.quantile(score, 1.0 - keep))
    small, warm, found = problem.narrowed(columns), among(start, columns), []
    for share in shares:
        alpha = share * largest
        found.append(solve(small, alpha, warm, null.score_scale, OPTIONS))
        warm = found[-1].warm
    return start.here, small, columns, found


@pytest.mark.parametrize("family", ["gaussian", "binomial", "poisson"])
@pytest.mark.parametrize("keep", [0.02, 0.3])
@pytest.mark.parametrize("n_points", [1, 2, 5, 8])
def test_slopes_above_the_threshold_are_exact_and_no_others_pass_for_it(
    family, keep, n_points
):
    """Even where too few columns were kept, and many of the others want to enter."""
    problem = draw(family)
    start, small, columns, found = narrowed(
        problem, np.linspace(0.9, 0.3, n_points), keep
    )
    heres = between.expand_few(problem, small, columns, start, found)
    for outcome, here in zip(found, heres, strict=True):
        exact = expand(problem, here.point)
        assert here.loss == pytest.approx(exact.loss, rel=ROUNDING)
        threshold = problem.inner_penalty.threshold(outcome.warm.alpha)
        size = np.maximum(np.abs(here.score), np.abs(exact.score))
        matters = size > threshold
        matters[columns] = True
        assert_allclose(
            here.score[matters], exact.score[matters], rtol=0.0, atol=ROUNDING
        )
    assert_allclose(heres[-1].score, exact.score, rtol=0.0, atol=ROUNDING)


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_what_is_left_over_bounds_how_far_a_slope_is_off(family):
    problem = draw(family)
    block = problem.engine.whole()
    _, small, _, found = narrowed(problem, np.linspace(0.9, 0.3, 6), 0.3)
    points = [outcome.warm.point for outcome in found]
    rows = between.slopes_of_rows(small, small.engine.whole(), points)
    share, apart = between.combine(rows, [0, 5], np.arange(1, 5), block.sample_weight)
    scores = between.exact(problem, rows)
    off = np.abs(share @ scores[[0, 5]] - scores[1:5]).max(axis=1)
    bound = apart / np.sqrt(problem.weight_total)
    assert (off <= bound).all()
    # And not by being useless: a random column is off by a share of it.
    assert (off > 0.1 * bound).all()


def test_path_walks_through_all_columns_twice_for_eight_strengths(monkeypatch):
    rng = np.random.default_rng(3)
    X = np.asfortranarray(rng.normal(size=(60, 900)))
    y = (X[:, 0] + rng.logistic(size=60) > 0.0) * 1.0
    problem = pg.PenalizedGLM(y, X, "binomial").problem(1.0)
    null = fit_null(problem, OPTIONS)
    walks, real = [], Dense.gradient

    def counted(design, row_values, columns=None):
        if columns is None and design.shape[1] == 900:
            walks.append(1 if row_values.ndim == 1 else row_values.shape[1])
        return real(design, row_values, columns)

    monkeypatch.setattr(Dense, "gradient", counted)
    alphas = alpha_max(problem, null) * np.geomspace(0.97, 0.7, 8)
    start = null.warm(alpha_max(problem, null))
    found = screening.solve_ahead(
        problem, alphas.tolist(), start, null.score_scale, OPTIONS
    )
    assert len(found) == 8
    assert sum(walks) <= 4


def test_columns_that_are_not_centred_are_not_bounded():
    problem = draw("gaussian", fit_intercept=False)
    null = fit_null(problem, OPTIONS)
    assert not between.suits(problem, null.outcome.here, OPTIONS)


def test_trend_is_the_change_of_slopes_for_each_unit_of_strength():
    problem = draw("gaussian")
    null = fit_null(problem, OPTIONS)
    largest = alpha_max(problem, null)
    start = null.warm(largest)
    end = solve(problem, 0.5 * largest, start, null.score_scale, OPTIONS).warm
    knowing = screening.since(start, end)
    foretold = end.score - 0.1 * largest * knowing.trend
    expected = end.score + 0.2 * (end.score - start.score)
    assert_allclose(foretold, expected, rtol=1e-12)
    assert_array_equal(screening.since(end, end).score, end.score)
