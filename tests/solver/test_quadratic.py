"""Slope and curvature beside differences of the objective in extended precision."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

import penglm as pg
from penglm.design import Categorical, Dense, Split
from penglm.engines import Local
from penglm.solver import quadratic
from penglm.solver.solution import Point

LONG = np.longdouble
FAMILIES = ("gaussian", "binomial", "poisson")
BLOCKS = (1, 2, 7)
# Sums of sixty numbers of size one.
ROUNDING = 1e-13
# Differences of order four at steps of a thousandth, of functions of size one; their
# rounding is that of the longer float over the step, once and twice.
SLOPE = max(1e-11, 1e4 * float(np.finfo(LONG).eps))
CURVE = max(1e-9, 1e7 * float(np.finfo(LONG).eps))
P = 5

everywhere = pytest.mark.parametrize("family", FAMILIES)
every_split = pytest.mark.parametrize("n_blocks", BLOCKS)
either_intercept = pytest.mark.parametrize("fit_intercept", [True, False])


def draw(family):
    """Return response, columns, offset and weights."""
    rng = np.random.default_rng([7, FAMILIES.index(family)])
    X = rng.normal(0.5, 1.0, (60, P)) * np.array([1.0, 0.1, 3.0, 1.0, 1.0])
    X[:, 4] = rng.uniform(size=60) < 0.3
    if family == "gaussian":
        y = rng.normal(size=60)
    elif family == "binomial":
        y = rng.choice([0.0, 1.0, 0.25], 60)
    else:
        y = rng.poisson(2.0, 60).astype(float)
    return y, X, rng.normal(0.0, 0.3, 60), rng.uniform(0.2, 2.0, 60)


def build(family, n_blocks=1, fit_intercept=True, storage=np.asarray):
    """Return a problem whose rows lie in several blocks."""
    y, X, offset, weight = draw(family)
    model = pg.PenalizedGLM(
        y, storage(X), family, offset=offset, var_weights=weight,
        fit_intercept=fit_intercept,
    )  # fmt: skip
    (block,) = model.statement.engine.blocks
    parts = np.array_split(np.arange(60), n_blocks)
    return model.statement.problem(1.0, Local([block.take(rows) for rows in parts]))


def point(seed=8):
    rng = np.random.default_rng(seed)
    return Point(0.4 * rng.normal(size=P) * np.array([1, 0, 1, 1, 1]), 0.2)


def exact_loss(problem, family, intercept, coef):
    """Return the mean half-deviance in extended precision, from the raw rows."""
    y, X, offset, weight = (LONG(part) for part in draw(family))
    columns = (X - LONG(problem.center)) / LONG(problem.scale)
    eta = offset + intercept + columns @ coef
    if family == "gaussian":
        loss = (y - eta) ** 2 / 2
    elif family == "binomial":
        entropy = np.where((y > 0) & (y < 1), y, LONG(0.5))
        entropy = entropy * np.log(entropy) + (1 - entropy) * np.log1p(-entropy)
        entropy = np.where((y > 0) & (y < 1), entropy, 0)
        loss = np.log1p(np.exp(eta)) - y * eta + entropy
    else:
        loss = y * (np.log(np.where(y > 0, y, 1)) - eta) - (y - np.exp(eta))
    return weight @ loss / weight.sum()


def derivatives(problem, family, at):
    """Return slope and Hessian (1 + p) of the exact loss, the intercept first."""
    start = LONG(np.r_[at.intercept, at.coef])
    h = LONG(2) ** -10

    def loss(change):
        there = start + change
        return exact_loss(problem, family, there[0], there[1:])

    units = np.eye(1 + P, dtype=LONG) * h
    weights = ((1, LONG(2) / 3), (2, -LONG(1) / 12))
    slope = [
        sum(w * (loss(k * e) - loss(-k * e)) for k, w in weights) / h for e in units
    ]
    hessian = [
        [
            sum(
                v * w * s * r * loss(s * k * e + r * m * f)
                for k, w in weights
                for m, v in weights
                for s in (1, -1)
                for r in (1, -1)
            )
            / h**2
            for f in units
        ]
        for e in units
    ]
    return np.array(slope, dtype=float), np.array(hessian, dtype=float)


@everywhere
@every_split
def test_loss_is_the_mean_half_deviance(family, n_blocks):
    problem, at = build(family, n_blocks), point()
    here = quadratic.expand(problem, at)
    expected = exact_loss(problem, family, LONG(at.intercept), LONG(at.coef))
    assert here.loss == pytest.approx(float(expected), rel=ROUNDING)


@everywhere
@every_split
@either_intercept
def test_score_is_minus_the_slope_of_the_loss(family, n_blocks, fit_intercept):
    problem, at = build(family, n_blocks, fit_intercept), point()
    slope, _ = derivatives(problem, family, at)
    here = quadratic.expand(problem, at)
    assert_allclose(here.score, -slope[1:], rtol=0.0, atol=SLOPE)
    expected = -slope[0] if fit_intercept else 0.0
    assert here.intercept_score == pytest.approx(expected, abs=SLOPE)


@everywhere
@every_split
@either_intercept
def test_curvature_is_the_hessian_of_the_loss(family, n_blocks, fit_intercept):
    # For canonical links expected and observed information coincide.
    problem, at = build(family, n_blocks, fit_intercept), point()
    _, hessian = derivatives(problem, family, at)
    curvature = quadratic.curve(problem, at, np.arange(P)).take(np.arange(P))
    assert curvature.weight_sum == pytest.approx(hessian[0, 0], abs=CURVE)
    assert_allclose(curvature.cross, hessian[0, 1:], rtol=0.0, atol=CURVE)
    assert_allclose(curvature.gram, hessian[1:, 1:], rtol=0.0, atol=CURVE)


def storages():
    """Return the columns in other storages, the last one as levels of a factor."""
    codes = draw("gaussian")[1][:, 4].astype(int)
    return {
        "csr": sparse.csr_array,
        "csc": sparse.csc_array,
        "split": lambda X: Split([Dense(X[:, :4]), Categorical(codes, 2, drop=0)]),
    }


@pytest.mark.parametrize("storage", storages())
@every_split
def test_storage_and_blocks_change_nothing_but_rounding(storage, n_blocks):
    make = storages()[storage]
    whole = build("gaussian")
    problem, at = build("gaussian", n_blocks, storage=make), point()
    here, expected = (quadratic.expand(p, at) for p in (problem, whole))
    assert_allclose(here.score, expected.score, rtol=0.0, atol=ROUNDING)
    everyone = np.arange(P)
    found, curved = (quadratic.curve(p, at, everyone) for p in (problem, whole))
    assert_allclose(found.gram, curved.gram, rtol=0.0, atol=ROUNDING)
    assert_allclose(found.cross, curved.cross, rtol=0.0, atol=ROUNDING)


@everywhere
@every_split
def test_some_columns_are_the_part_of_all(family, n_blocks):
    problem, at, columns = build(family, n_blocks), point(), np.array([0, 3])
    whole, part = (quadratic.expand(problem, at, which) for which in (None, columns))
    assert_allclose(part.score, whole.score[columns], rtol=0.0, atol=ROUNDING)
    assert_array_equal(whole.take(columns).score, whole.score[columns])
    assert_array_equal(part.coef, at.coef[columns])
    curvature = quadratic.curve(problem, at, np.arange(P))
    few = quadratic.curve(problem, at, columns)
    assert_allclose(few.gram, curvature.take(columns).gram, rtol=0.0, atol=ROUNDING)


@every_split
def test_curvature_grown_in_steps_is_that_of_one_pass(n_blocks):
    problem, at = build("gaussian", n_blocks), point()
    known = None
    for columns in ([3], [1, 3], [0, 1, 2, 3, 4]):
        known = quadratic.curve(problem, at, np.array(columns), known)
    everyone = np.arange(P)
    found = known.take(everyone)
    expected = quadratic.curve(problem, at, everyone)
    assert_allclose(found.gram, expected.gram, rtol=0.0, atol=ROUNDING)
    assert_allclose(found.cross, expected.cross, rtol=0.0, atol=ROUNDING)
    assert found.weight_sum == pytest.approx(expected.weight_sum, rel=ROUNDING)


def test_curvature_of_known_columns_is_not_computed_again():
    problem, at = build("gaussian"), point()
    known = quadratic.curve(problem, at, np.arange(P))
    assert quadratic.curve(problem, at, np.array([2, 4]), known) is known


def test_curvature_too_large_to_keep_is_started_afresh(monkeypatch):
    monkeypatch.setattr(quadratic, "LARGEST_CACHE", 3)
    problem, at = build("gaussian"), point()
    known = quadratic.curve(problem, at, np.array([0, 1]))
    assert_array_equal(
        quadratic.curve(problem, at, np.array([2, 3]), known).columns, [2, 3]
    )


def test_take_follows_the_order_it_is_asked_for():
    problem = build("gaussian")
    whole = quadratic.curve(problem, point(), np.array([4, 0, 2]))
    part = whole.take(np.array([2, 4]))
    assert_array_equal(part.gram, whole.gram[np.ix_([2, 0], [2, 0])])
    assert_array_equal(part.cross, whole.cross[[2, 0]])


@pytest.mark.parametrize("n_blocks", [1, 2, 7])
def test_end_of_a_step_is_foreseen_as_a_pass_would_find_it(n_blocks):
    problem = build("gaussian", n_blocks=n_blocks)
    rng = np.random.default_rng(8)
    p = problem.n_features
    here = quadratic.expand(problem, Point(rng.normal(size=p), 0.3))
    # Known in another order than that of the columns.
    curvature = quadratic.curve(problem, here.point, rng.permutation(p))
    there = Point(rng.normal(size=p), -0.4)
    found, expected = (
        quadratic.foresee(here, there, curvature),
        quadratic.expand(problem, there),
    )
    assert found.loss == pytest.approx(expected.loss, rel=1e-12)
    assert found.intercept_score == pytest.approx(expected.intercept_score, abs=1e-12)
    assert_allclose(found.score, expected.score, rtol=0.0, atol=1e-12)
