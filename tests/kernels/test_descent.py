"""Every kernel beside a twin in plain NumPy, compiled and interpreted alike.

Run with NUMBA_DISABLE_JIT=1 the same tests judge the uncompiled code.
"""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from penglm.kernels import descent
from penglm.penalties import PenaltyTerms, distance

EPS = np.finfo(float).eps
# Sums of some forty products of size one, added up in another order.
ROUNDING = 400 * EPS
# What is left over, in units of each coordinate, when sweeps are over.
STILL = 1e-13
N_ROWS = 40
K = 9
STORAGES = (np.float64, np.float32)
INDICES = (np.int64, np.int32)

every_storage = pytest.mark.parametrize("storage", STORAGES)
every_index = pytest.mark.parametrize("index", INDICES)
either_centre = pytest.mark.parametrize("centred", [True, False])
many = pytest.mark.parametrize("seed", range(5))


@dataclass(frozen=True)
class Case:
    """A penalised quadratic over standardised columns, and a point to start from."""

    X: np.ndarray
    center: np.ndarray
    scale: np.ndarray
    w: np.ndarray
    residual: np.ndarray
    coef: np.ndarray
    terms: PenaltyTerms
    unit: np.ndarray

    @property
    def columns(self):
        return (self.X.astype(float) - self.center) / self.scale

    @property
    def curvature(self):
        return self.w @ self.columns**2

    @property
    def gram(self):
        return self.columns.T @ (self.w[:, None] * self.columns)

    @property
    def limits(self):
        t = self.terms
        return t.l1, t.l2, t.lower, t.upper, t.shape, self.unit

    def score(self, coef):
        """Return minus the slope of the quadratic."""
        return self.columns.T @ self.residual - self.gram @ (coef - self.coef)

    def objective(self, coef):
        step, t = coef - self.coef, self.terms
        quadratic = (
            -(self.columns.T @ self.residual) @ step + step @ self.gram @ step / 2
        )
        return quadratic + t.l1 @ np.abs(coef) + t.l2 @ coef**2 / 2


def draw(seed, storage=np.float64, centred=True):
    """Return a case with zeros in X, w and the penalty, and limits of every sort."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N_ROWS, K)) * (rng.uniform(size=(N_ROWS, K)) < 0.4)
    X[:, 5] = 0.0
    X = np.asfortranarray(X.astype(storage))
    w = rng.uniform(0.1, 2.0, N_ROWS) / N_ROWS
    w[::6] = 0.0
    residual = w * rng.normal(0.0, 3.0, N_ROWS)
    center = np.zeros(K)
    if centred:
        center = w @ X / w.sum()
        residual = residual - w * (residual.sum() / w.sum())
    free, wide = np.arange(K) == 1, np.inf * np.ones(K)
    lower, upper = -wide, wide.copy()
    lower[2], upper[3], lower[4], upper[4] = -0.05, 0.02, 0.1, 0.4
    lower[6] = upper[6] = 0.3
    l1 = np.where(free, 0.0, rng.uniform(0.005, 0.05, K))
    l2 = np.where(free | (np.arange(K) == 7), 0.0, rng.uniform(0.0, 0.2, K))
    terms = PenaltyTerms(descent.ELASTIC_NET, l1, l2, lower, upper)
    coef = np.clip(rng.normal(size=K) * (np.arange(K) % 2), lower, upper)
    unit = np.where(free, 0.1, np.maximum(l1, 1e-3))
    return Case(X, center, rng.uniform(0.5, 2.0, K), w, residual, coef, terms, unit)


def prox_naive(u, c, terms, j):
    total = c + terms.l2[j]
    b = 0.0
    if total > 0.0:
        b = np.sign(u) * max(abs(u) - terms.l1[j], 0.0) / total
    return min(max(b, terms.lower[j]), terms.upper[j])


def sweep_naive(case, coef, residual, members):
    """Return coefficients and residual after one visit to each, and the violation."""
    coef, residual, largest = coef.copy(), residual.copy(), 0.0
    for j in members:
        x, c = case.columns[:, j], case.curvature[j]
        new = prox_naive(x @ residual + c * coef[j], c, case.terms, j)
        step = new - coef[j]
        residual -= case.w * x * step
        coef[j] = new
        largest = max(largest, (c + case.terms.l2[j]) * abs(step) / case.unit[j])
    return coef, residual, largest


def run_dense(case, coef, residual, members, kernel=descent.sweep_dense):
    """Sweep dense columns in place; the columns lie in another order than coef."""
    order = np.arange(K)[::-1].copy()
    X = np.asfortranarray(case.X[:, order])
    places = np.asarray(members, dtype=np.int64)
    return kernel(
        case.terms.kind, X, case.center, case.scale, case.w, residual, coef,
        case.curvature, *case.limits, order[places], places,
    )  # fmt: skip


def csc(case, index):
    matrix = sparse.csc_array(case.X)
    parts = matrix.indices.astype(index), matrix.indptr.astype(index)
    return matrix.data, *parts


def run_sparse(
    case, coef, residual, members, kernel=descent.sweep_sparse, index=np.int32
):
    places = np.asarray(members, dtype=np.int64)
    return kernel(
        case.terms.kind, *csc(case, index), case.center, case.scale, case.w,
        case.w.sum(), residual, coef, case.curvature, *case.limits, places, places,
    )  # fmt: skip


def run_gram(case, coef, slope, members, kernel=descent.sweep_gram):
    places = np.asarray(members, dtype=np.int64)
    gram = np.ascontiguousarray(case.gram)
    return kernel(case.terms.kind, gram, slope, coef, *case.limits, places)


ROADS = {"dense": run_dense, "sparse": run_sparse, "gram": run_gram}
every_road = pytest.mark.parametrize("road", ROADS)


def begin(case, road):
    """Return what the sweeps of a road update: coefficients, residual or slope."""
    if road == "gram":
        return case.coef.copy(), case.score(case.coef)
    return case.coef.copy(), case.residual.copy()


@many
@every_storage
@either_centre
def test_dense_sweep_equals_its_twin(seed, storage, centred):
    case = draw(seed, storage, centred)
    members = np.random.default_rng(seed).permutation(K)
    coef, residual = begin(case, "dense")
    largest = run_dense(case, coef, residual, members)
    expected = sweep_naive(case, case.coef, case.residual, members)
    for found, wanted in zip((coef, residual, largest), expected, strict=True):
        assert_allclose(found, wanted, rtol=ROUNDING, atol=ROUNDING)


@many
@every_storage
@every_index
@either_centre
def test_sparse_sweep_equals_its_twin(seed, storage, index, centred):
    case = draw(seed, storage, centred)
    members = np.random.default_rng(seed).permutation(K)
    coef, residual = begin(case, "sparse")
    largest = run_sparse(case, coef, residual, members, index=index)
    expected = sweep_naive(case, case.coef, case.residual, members)
    for found, wanted in zip((coef, residual, largest), expected, strict=True):
        assert_allclose(found, wanted, rtol=ROUNDING, atol=ROUNDING)


@many
@either_centre
def test_gram_sweep_equals_its_twin(seed, centred):
    case = draw(seed, centred=centred)
    members = np.random.default_rng(seed).permutation(K)
    coef, slope = begin(case, "gram")
    largest = run_gram(case, coef, slope, members)
    expected, residual, violation = sweep_naive(case, case.coef, case.residual, members)
    score = case.columns.T @ residual
    for found, wanted in zip(
        (coef, slope, largest), (expected, score, violation), strict=True
    ):
        assert_allclose(found, wanted, rtol=ROUNDING, atol=ROUNDING)


@many
@every_storage
@either_centre
def test_curvatures_equal_their_definition(seed, storage, centred):
    case = draw(seed, storage, centred)
    places = np.arange(K)
    dense, thin = np.full((2, K), np.nan)
    scaling = case.center, case.scale, case.w
    descent.curvature_dense(case.X, *scaling, places, places, dense)
    descent.curvature_sparse(
        *csc(case, np.int32), *scaling, case.w.sum(), places, places, thin
    )
    assert_allclose(dense, case.curvature, rtol=ROUNDING)
    assert_allclose(thin, case.curvature, rtol=ROUNDING, atol=EPS)


def test_sparse_curvature_of_a_full_column_far_from_zero_keeps_its_digits():
    case = draw(0)
    X = 1e6 + np.random.default_rng(1).normal(size=(N_ROWS, K))
    case = replace(case, X=X, center=case.w @ X / case.w.sum())
    found, places = np.zeros(K), np.arange(K)
    descent.curvature_sparse(
        *csc(case, np.int32), case.center, case.scale, case.w, case.w.sum(), places,
        places, found,
    )  # fmt: skip
    # A weighted mean of 1e6 is off by some roundings of its own.
    assert_allclose(found, case.curvature, rtol=1e6 * ROUNDING)


@every_road
@many
def test_only_members_move(road, seed):
    case = draw(seed)
    coef, state = begin(case, road)
    ROADS[road](case, coef, state, [1, 3])
    still = np.delete(np.arange(K), [1, 3])
    assert_array_equal(coef[still], case.coef[still])


@every_road
def test_sweep_over_nobody_changes_nothing(road):
    case = draw(0)
    coef, state = begin(case, road)
    assert ROADS[road](case, coef, state, []) == 0.0
    assert_array_equal(coef, case.coef)
    assert_array_equal(state, begin(case, road)[1])


@every_road
@many
def test_objective_never_rises_in_a_sweep(road, seed):
    case = draw(seed)
    coef, state = begin(case, road)
    before = case.objective(coef)
    for _ in range(20):
        ROADS[road](case, coef, state, np.arange(K))
        after = case.objective(coef)
        assert after <= before + ROUNDING
        before = after


def settle(road, case):
    """Return coefficients and state when a sweep no longer moves anything."""
    coef, state = begin(case, road)
    for _ in range(2000):
        if ROADS[road](case, coef, state, np.arange(K)) <= STILL:
            return coef, state
    raise AssertionError("the sweeps never end")


@every_road
@many
@either_centre
def test_fixed_point_satisfies_the_optimality_conditions(road, seed, centred):
    case = draw(seed, centred=centred)
    coef, _ = settle(road, case)
    violation = distance(case.terms, coef, case.score(coef)) / case.unit
    # The last sweep leaves STILL behind, once for every coordinate that moved after.
    assert violation.max() <= K * STILL + ROUNDING / case.unit.min()


@every_road
@many
def test_state_is_kept_in_step_with_the_coefficients(road, seed):
    case = draw(seed)
    coef, state = settle(road, case)
    expected = case.residual - case.w * (case.columns @ (coef - case.coef))
    if road == "gram":
        expected = case.columns.T @ expected
    assert_allclose(state, expected, rtol=0.0, atol=ROUNDING)


@every_road
@many
def test_limits_and_rows_of_weight_zero_are_respected(road, seed):
    case = draw(seed)
    coef, state = begin(case, road)
    for _ in range(5):
        ROADS[road](case, coef, state, np.arange(K))
        assert np.all((case.terms.lower <= coef) & (coef <= case.terms.upper))
    if road != "gram":
        assert not state[case.w == 0.0].any()


@every_road
def test_column_without_curvature_goes_to_zero(road):
    case = draw(0, centred=False)
    case.terms.l2[5] = 0.0
    case.coef[5] = 2.0
    coef, state = begin(case, road)
    before = state.copy()
    ROADS[road](case, coef, state, [5])
    assert coef[5] == 0.0
    assert_array_equal(state, before)


@every_road
def test_number_that_is_not_finite_is_not_lost(road):
    case = draw(0)
    coef, state = begin(case, road)
    state[1] = np.nan
    ROADS[road](case, coef, state, np.arange(K))
    assert np.isnan(state).any()


def interpreted(kernel):
    """Return a kernel uncompiled; the kernel itself where nothing is compiled."""
    return getattr(kernel, "py_func", kernel)


KERNELS = {
    "dense": descent.sweep_dense,
    "sparse": descent.sweep_sparse,
    "gram": descent.sweep_gram,
}


@every_road
@every_storage
@many
def test_sweep_is_the_same_compiled_and_interpreted(road, storage, seed):
    case = draw(seed, storage)
    outcomes = []
    for kernel in (KERNELS[road], interpreted(KERNELS[road])):
        coef, state = begin(case, road)
        largest = [
            ROADS[road](case, coef, state, np.arange(K), kernel=kernel)
            for _ in range(3)
        ]
        outcomes.append((coef, state, largest))
    for compiled, plain in zip(*outcomes, strict=True):
        assert_allclose(compiled, plain, rtol=ROUNDING, atol=ROUNDING)


@many
def test_scalar_kernels_are_the_same_compiled_and_interpreted(seed):
    rng = np.random.default_rng(seed)
    for u, c, l1, l2 in rng.uniform(0.0, 2.0, (50, 4)):
        u, lower, upper = u - 1.0, *np.sort(rng.normal(size=2))
        arguments = (descent.ELASTIC_NET, u, c, l1, l2, lower, upper, 0.0)
        plain = interpreted(descent.prox)(*arguments)
        assert descent.prox(*arguments) == pytest.approx(plain, rel=ROUNDING)
        assert descent.soft_threshold(u, l1) == interpreted(descent.soft_threshold)(
            u, l1
        )


@pytest.mark.parametrize("u", [-2.0, -0.5, 0.0, 0.5, 2.0])
def test_infinite_limits_leave_the_prox_alone(u):
    # The relaxed arithmetic of the compiler must not assume that numbers are finite.
    found = descent.prox(descent.ELASTIC_NET, u, 1.0, 0.5, 0.0, -np.inf, np.inf, 0.0)
    assert found == np.sign(u) * max(abs(u) - 0.5, 0.0)
