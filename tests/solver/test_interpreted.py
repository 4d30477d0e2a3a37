"""Whole fits, few and small: they pass with the compiler on and off.

Run with NUMBA_DISABLE_JIT=1 the kernels are plain Python; nothing may depend on what a
compiler makes of them.
"""

import numpy as np
import pytest
from scipy import sparse

import penglm as pg
from penglm.path import alpha_max, solve_path
from penglm.solver.null import fit_null
from penglm.solver.outcome import Options
from penglm.solver.solution import Status

TOL = 1e-8
FAMILIES = ("gaussian", "binomial", "poisson")
MIXES = {"lasso": 1.0, "elastic net": 0.5, "ridge": 0.0}
STORAGES = {"dense": np.asarray, "sparse": sparse.csc_array}


def draw(family):
    """Return a response and columns with many zeros, one of them far from zero."""
    rng = np.random.default_rng([20261125, FAMILIES.index(family)])
    X = rng.normal(size=(40, 6)) * (rng.uniform(size=(40, 6)) < 0.5)
    X[:, 5] += 5.0
    eta = X[:, 0] - 0.7 * X[:, 1]
    if family == "gaussian":
        return eta + rng.normal(size=40), X
    if family == "binomial":
        return (rng.uniform(size=40) < 1.0 / (1.0 + np.exp(-eta))).astype(float), X
    return rng.poisson(np.exp(eta)).astype(float), X


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("mix", MIXES)
@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("road", ["covariance", "naive"])
def test_fit_ends_with_its_certificate(family, mix, storage, road):
    y, X = draw(family)
    weights = np.random.default_rng(1).uniform(0.5, 2.0, y.size)
    model = pg.PenalizedGLM(y, STORAGES[storage](X), family, var_weights=weights)
    options = Options(tol=TOL, road=road)
    problem = model.problem(MIXES[mix])
    null = fit_null(problem, options)
    largest = alpha_max(model.problem(1.0), null)
    for solution in solve_path(problem, [0.5 * largest, 0.1 * largest], null, options):
        assert solution.status is Status.OPTIMAL
        assert solution.certificate.kkt_residual <= TOL


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("road", ["covariance", "naive"])
def test_fit_with_limits_and_free_columns_ends_with_its_certificate(family, road):
    y, X = draw(family)
    factor, lower, upper = np.ones(6), np.full(6, -np.inf), np.full(6, np.inf)
    factor[2], upper[0], lower[3] = 0.0, 0.2, 0.05
    model = pg.PenalizedGLM(
        y, X, family, penalty_factor=factor, lower=lower, upper=upper
    )
    problem, options = model.problem(0.5), Options(tol=TOL, road=road)
    (solution,) = solve_path(problem, [0.02], fit_null(problem, options), options)
    assert solution.status is Status.OPTIMAL
    assert solution.coef[0] <= 0.2
    assert solution.coef[3] >= 0.05


def test_lasso_on_orthogonal_columns_is_the_soft_threshold():
    # Eight rows of a Hadamard matrix: mean zero, sd one, orthogonal.
    two = np.array([[1.0, 1.0], [1.0, -1.0]])
    X = np.kron(two, np.kron(two, two))[:, 1:5]
    y = np.arange(8.0)
    slope = X.T @ (y - y.mean()) / 8
    fit = pg.PenalizedGLM(y, X).fit(0.8, tol=TOL)
    expected = np.sign(slope) * np.maximum(np.abs(slope) - 0.8, 0.0)
    # Every number here is a small multiple of a power of two.
    np.testing.assert_allclose(fit.coef, expected, rtol=0.0, atol=1e-14)
    assert fit.intercept == pytest.approx(y.mean(), rel=1e-14)
