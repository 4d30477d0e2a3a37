"""The exact walk where columns depend on each other and the l1 part decides."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import penglm as pg
from penglm.path import alpha_grid, alpha_max, solve_path
from penglm.penalties import PenaltyTerms, distance
from penglm.solver import newton
from penglm.solver.factor import Factor
from penglm.solver.irls import Options
from penglm.solver.null import fit_null
from penglm.solver.solution import Status

K, RANK = 8, 3
SEEDS = st.integers(0, 2**32 - 1)
# What columns that depend but for rounding leave of a slope of size one.
LEFT = 1e-8


def draw(seed, limits):
    """Return Gram, slope at zero and penalty of columns of low rank."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(20, RANK)) @ rng.normal(size=(RANK, K))
    X[:, 5] = X[:, 2]
    y = X @ rng.normal(size=K) + rng.normal(size=20)
    low, high = np.full(K, -np.inf), np.full(K, np.inf)
    if limits:
        low[:3], high[2:5] = -0.2, 0.1
    terms = PenaltyTerms(0, rng.uniform(0.1, 0.5, K), np.zeros(K), low, high)
    return X.T @ X / 20, X.T @ y / 20, terms, rng


@pytest.mark.parametrize("limits", [False, True])
@settings(max_examples=60)
@given(seed=SEEDS)
def test_walk_ends_at_an_optimum_from_anywhere(limits, seed):
    gram, score, terms, rng = draw(seed, limits)
    start = np.where(rng.uniform(size=K) < 0.6, rng.normal(size=K), 0.0)
    start = np.clip(start, terms.lower, terms.upper)
    settled = newton.settle(
        gram, score - gram @ start, start, terms, np.ones(K), LEFT / 10, Factor()
    )
    assert settled is not None
    found, factor = settled
    assert np.all((found >= terms.lower) & (found <= terms.upper))
    assert distance(terms, found, score - gram @ found).max() <= LEFT
    # What moves freely depends on nothing else that does.
    members = factor.members[: factor.count]
    assert members.size <= RANK
    inside = (found > terms.lower) & (found < terms.upper)
    assert set(np.flatnonzero(inside & (found != 0.0))) <= set(members)


def test_column_and_its_copy_share_nothing_when_one_is_cheaper():
    gram, score, terms, _ = draw(3, limits=False)
    terms.l1[2], terms.l1[5] = 0.1, 0.2
    found, _ = newton.settle(
        gram, score, np.zeros(K), terms, np.ones(K), LEFT / 10, Factor()
    )
    assert found[5] == 0.0


@pytest.mark.parametrize("family", ["gaussian", "binomial", "poisson"])
@pytest.mark.parametrize("screen", [True, False])
def test_many_entering_at_once_on_nearly_dependent_columns(family, screen):
    # Each column is nearly the one before, and there are more of them than rows.
    rng = np.random.default_rng(11)
    n, p = 60, 700
    X = np.empty((n, p))
    X[:, 0] = rng.normal(size=n)
    for j in range(1, p):
        X[:, j] = 0.9 * X[:, j - 1] + np.sqrt(1 - 0.81) * rng.normal(size=n)
    eta = X[:, ::70].sum(axis=1) / 3
    y = eta + rng.normal(size=n)
    if family == "binomial":
        y = (y > 0.0).astype(float)
    elif family == "poisson":
        y = rng.poisson(np.exp(np.clip(eta, -3, 2))).astype(float)
    problem = pg.PenalizedGLM(y, X, family).problem(1.0)
    options = Options(tol=1e-6, screen=screen)
    null = fit_null(problem, options)
    largest = alpha_max(problem, null)
    few, many = alpha_grid(largest, 3, 0.01), alpha_grid(largest, 15, 0.01)
    # In long strides many enter at once, in short ones few.
    for alphas in (few, many):
        for solution in solve_path(problem, list(alphas), null, options):
            assert np.isfinite(solution.coef).all()
            assert solution.status is Status.OPTIMAL
            assert solution.certificate.kkt_residual <= 1e-6


@pytest.mark.parametrize("share", [0.5, 0.1, 0.01])
def test_one_walk_lets_in_many_nearly_dependent_columns(share):
    rng = np.random.default_rng(12)
    n, p = 60, 700
    X = np.empty((n, p))
    X[:, 0] = rng.normal(size=n)
    for j in range(1, p):
        X[:, j] = 0.9 * X[:, j - 1] + np.sqrt(1 - 0.81) * rng.normal(size=n)
    gram, score = X.T @ X / n, X.T @ (X[:, ::70].sum(axis=1) + rng.normal(size=n)) / n
    l1 = np.full(p, share * np.abs(score).max())
    free = np.full(p, np.inf)
    terms = PenaltyTerms(0, l1, np.zeros(p), -free, free)
    settled = newton.settle(gram, score, np.zeros(p), terms, l1, LEFT / 10, Factor())
    assert settled is not None
    coef, factor = settled
    assert np.isfinite(coef).all()
    assert np.isfinite(factor.matrix[: factor.count, : factor.count][
        np.tril_indices(factor.count)]).all()  # fmt: skip
    assert np.count_nonzero(coef) <= n
    assert (distance(terms, coef, score - gram @ coef) / l1).max() <= LEFT
