"""Every road through the solver ends at the same certified optimum."""

from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

import penglm as pg
from penglm.engines import Local
from penglm.path import alpha_max, solve_path
from penglm.solver.null import fit_null
from penglm.solver.outcome import Options
from penglm.solver.solution import Status

TOL = 1e-8
# Two points that meet TOL have objectives closer than TOL times the penalty's share.
SAME_OBJECTIVE = 1e-9
# Predictors agree to TOL times the condition number of the columns in play.
SAME_PREDICTOR = 1e-5
MIXES = (1.0, 0.5, 0.0)
ROADS = ("covariance", "naive", "auto")
BLOCKS = (1, 2, 7)

pytestmark = pytest.mark.filterwarnings(
    "ignore::penglm.exceptions.ConstantColumnWarning"
)


def normal(rng, n_obs, n_features):
    return rng.normal(size=(n_obs, n_features))


def collinear(rng, n_obs, n_features):
    """Columns driven by two factors, almost."""
    low_rank = normal(rng, n_obs, 2) @ normal(rng, 2, n_features)
    return low_rank + 1e-3 * normal(rng, n_obs, n_features)


def with_constant(rng, n_obs, n_features):
    X = normal(rng, n_obs, n_features)
    X[:, 2] = 3.7
    return X


def with_duplicate(rng, n_obs, n_features):
    X = normal(rng, n_obs, n_features)
    X[:, 3] = X[:, 0]
    return X


def scaled(exponent):
    """Return a maker of columns at scales around ``10**exponent``."""

    def make(rng, n_obs, n_features):
        spread = 10.0 ** (exponent + rng.uniform(-2, 2, n_features))
        return normal(rng, n_obs, n_features) * spread

    return make


def mixed_scales(rng, n_obs, n_features):
    return normal(rng, n_obs, n_features) * np.logspace(-8, 8, n_features)


def far_from_zero(rng, n_obs, n_features):
    """Columns whose mean costs two of sixteen digits."""
    return normal(rng, n_obs, n_features) + 1e2


def as_sparse(rng, n_obs, n_features):
    return sparse.random_array((n_obs, n_features), density=0.1, rng=rng).tocsc()


ZOO = {
    "long": (normal, 300, 8, ""),
    "wide": (normal, 30, 60, ""),
    "sparse": (as_sparse, 120, 40, ""),
    "weighted": (normal, 100, 10, "w"),
    "offset": (normal, 100, 10, "o"),
    "weighted with offset": (normal, 40, 30, "wo"),
    "collinear": (collinear, 80, 10, ""),
    "constant column": (with_constant, 80, 6, "w"),
    "duplicated column": (with_duplicate, 80, 6, ""),
    "tiny": (scaled(-100), 80, 6, ""),
    "huge": (scaled(100), 80, 6, ""),
    "mixed scales": (mixed_scales, 80, 9, ""),
    "far from zero": (far_from_zero, 80, 6, ""),
}
# Screening starts above 500 columns.
MANY_COLUMNS = {"many columns": (normal, 40, 600, "")}
FAMILIES = ("gaussian", "binomial", "poisson")


def build(name, family, **options):
    """Return a model of the zoo."""
    every = ZOO | MANY_COLUMNS
    make, n_obs, n_features, extras = every[name]
    rng = np.random.default_rng([list(every).index(name), FAMILIES.index(family)])
    X = make(rng, n_obs, n_features)
    dense = X.toarray() if sparse.issparse(X) else X
    centred = dense - dense.mean(axis=0)
    sd = centred.std(axis=0)
    z = centred / np.where(sd > 1e-9 * np.abs(dense).max(axis=0), sd, np.inf)
    if "o" in extras:
        options["offset"] = rng.normal(0.0, 0.5, n_obs)
    if "w" in extras:
        options["var_weights"] = rng.uniform(0.1, 3.0, n_obs)
    eta = options.get("offset", 0.0) + z[:, :4] @ np.array([0.8, -0.6, 0.4, 0.2])
    if family == "gaussian":
        y = eta + rng.normal(size=n_obs)
    elif family == "binomial":
        y = (rng.uniform(size=n_obs) < 1.0 / (1.0 + np.exp(-eta))).astype(float)
    else:
        y = rng.poisson(np.exp(np.clip(eta, -3.0, 3.0))).astype(float)
    return pg.PenalizedGLM(y, X, family, **options)


def split_rows(model, n_blocks):
    """Return an engine with the model's rows in several blocks."""
    (block,) = model.statement.engine.blocks
    parts = np.array_split(np.arange(block.y.size), n_blocks)
    return Local([block.take(rows) for rows in parts])


def path(model, l1_ratio, options, n_blocks=1):
    """Solve at three strengths; return the solutions and the problem."""
    problem = model.statement.problem(l1_ratio, split_rows(model, n_blocks))
    null = fit_null(problem, options)
    largest = alpha_max(model.statement.problem(1.0), model.statement.null)
    alphas = largest * np.array([0.7, 0.3, 0.1])
    return solve_path(problem, alphas.tolist(), null, options)


@cache
def in_one_block(name, family, l1_ratio):
    """Return a model of the zoo and its solutions by the road chosen for it."""
    model = build(name, family)
    return model, path(model, l1_ratio, Options(tol=TOL))


def linear_predictor(model, solution):
    block = model.statement.engine.blocks[0]
    return (
        block.offset + solution.intercept + block.design.linear_predictor(solution.coef)
    )


def assert_same_solutions(model, found, expected):
    """Compare objectives and predictors; insist on every certificate."""
    for a, b in zip(found, expected, strict=True):
        assert a.status is Status.OPTIMAL
        assert a.certificate.kkt_residual <= TOL
        assert a.certificate.objective == pytest.approx(
            b.certificate.objective, rel=SAME_OBJECTIVE
        )
        eta = linear_predictor(model, b)
        size = np.abs(eta).max()
        assert_allclose(
            linear_predictor(model, a), eta, rtol=0, atol=SAME_PREDICTOR * size
        )


@pytest.mark.parametrize("l1_ratio", MIXES)
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", ZOO)
def test_every_road_gives_the_same_answer(name, family, l1_ratio):
    model, expected = in_one_block(name, family, l1_ratio)
    for road in ROADS[:2]:
        found = path(model, l1_ratio, Options(tol=TOL, road=road))
        assert_same_solutions(model, found, expected)


@pytest.mark.parametrize("l1_ratio", MIXES)
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", ZOO)
def test_blocks_of_rows_give_the_same_answer(name, family, l1_ratio):
    model, expected = in_one_block(name, family, l1_ratio)
    for n_blocks in BLOCKS[1:]:
        found = path(model, l1_ratio, Options(tol=TOL), n_blocks)
        assert_same_solutions(model, found, expected)


# Without an l1 part the strong rule keeps everything.
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("n_blocks", BLOCKS)
def test_screening_does_not_change_the_answer(family, l1_ratio, n_blocks):
    model = build("many columns", family)
    screened = path(model, l1_ratio, Options(tol=TOL), n_blocks)
    all_columns = path(model, l1_ratio, Options(tol=TOL, screen=False), n_blocks)
    assert_same_solutions(model, screened, all_columns)


# Such a mean costs a predictor five digits; the default tolerance needs the other ten.
@pytest.mark.parametrize("l1_ratio", MIXES)
@pytest.mark.parametrize("family", FAMILIES)
def test_means_far_from_zero_do_not_keep_the_solver_busy(family, l1_ratio):
    (data,) = build("long", family).statement.engine.blocks
    X = data.design.to_dense() + 1e5
    options = Options()
    for solution in path(pg.PenalizedGLM(data.y, X, family), l1_ratio, options):
        assert solution.status is Status.OPTIMAL
        assert solution.n_iter < options.max_iter


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("road", ROADS)
def test_free_and_excluded_columns_keep_to_every_road(family, road):
    factors = np.ones(10)
    factors[[1, 4]], factors[2] = 0.0, np.inf
    model = build("weighted with offset", family, penalty_factor=np.tile(factors, 3))
    expected = path(model, 0.5, Options(tol=TOL))
    found = path(model, 0.5, Options(tol=TOL, road=road))
    assert_same_solutions(model, found, expected)
    assert not any(solution.coef[2] for solution in found)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("road", ROADS)
def test_limits_hold_on_every_road(family, road):
    model = build("long", family, lower=-0.1, upper=0.2)
    expected = path(model, 1.0, Options(tol=TOL))
    found = path(model, 1.0, Options(tol=TOL, road=road))
    assert_same_solutions(model, found, expected)
    for solution in found:
        assert solution.coef.min() >= -0.1
        assert solution.coef.max() <= 0.2


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", ("long", "wide", "sparse"))
def test_eight_fits_in_threads_equal_the_serial_one_bit_for_bit(name, family):
    model = build(name, family)
    alpha = 0.1 * model.alpha_max()
    serial = model.fit(alpha).params
    with ThreadPoolExecutor(4) as pool:
        fits = list(pool.map(lambda _: model.fit(alpha), range(8)))
    for threaded in fits:
        assert_array_equal(threaded.params, serial)


def small(family="gaussian", **options):
    """Return a function from a change of y and X to the model of the changed data."""
    rng = np.random.default_rng(20261123)
    X = rng.normal(size=(30, 3))
    y = X[:, 0] + rng.normal(size=30)
    if family == "poisson":
        y = rng.poisson(np.exp(0.3 * X[:, 0])).astype(float)

    def model(y_size=1.0, X_size=1.0, **more):
        return pg.PenalizedGLM(y * y_size, X * X_size, family, **options, **more)

    return model


@pytest.mark.parametrize("size", [1e-200, 1e-150, 1e-9, 1e9, 1e150, 1e200])
def test_size_of_the_columns_does_not_matter(size):
    model = small()
    a, b = model(X_size=size).fit(0.1, tol=TOL), model().fit(0.1, tol=TOL)
    assert a.converged
    assert_allclose(a.coef * size, b.coef, atol=SAME_PREDICTOR)


@pytest.mark.parametrize("l1_ratio", [1.0, 0.0])
@pytest.mark.parametrize("size", [1e-200, 1e-150, 1e-9, 1e9, 1e150])
def test_size_of_a_gaussian_response_does_not_matter(size, l1_ratio):
    # The l1 part is in units of y, the l2 part in none.
    alpha = 0.1 * size**l1_ratio
    model = small()
    a = model(y_size=size).fit(alpha, l1_ratio, tol=TOL)
    b = model().fit(0.1, l1_ratio, tol=TOL)
    assert a.converged
    assert_allclose(a.params / size, b.params, atol=SAME_PREDICTOR)


@pytest.mark.parametrize("size", [1e-300, 1e-12, 1e300])
def test_size_of_the_weights_does_not_matter(size):
    model = small()
    a, b = model(var_weights=np.full(30, size)).fit(0.1), model().fit(0.1)
    assert_allclose(a.params, b.params, atol=SAME_PREDICTOR)


@pytest.mark.parametrize("size", [700.0, -700.0, 1e5])
def test_huge_offset_moves_the_intercept_only(size):
    model = small("poisson")
    a, b = model(offset=np.full(30, size)).fit(0.05), model().fit(0.05)
    assert a.converged
    assert_allclose(a.coef, b.coef, atol=SAME_PREDICTOR)


def test_offset_of_wide_range_is_solved_right():
    offset = np.where(np.arange(30) < 15, 800.0, 0.0)
    model = small("poisson")(offset=offset)
    # With the other rows at exp(-800), the first fifteen alone set the intercept.
    expected = np.log(model.data.y.sum() / 15) - 800.0
    assert model.fit(10.0).intercept == pytest.approx(expected, rel=1e-8)
