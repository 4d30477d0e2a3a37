"""Products with compressed columns beside their definitions in plain NumPy."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from penglm.kernels import compressed, descent

EPS = np.finfo(float).eps
# Sums of some forty products of size one, added up in another order.
ROUNDING = 400 * EPS
N_ROWS, N_COLUMNS = 40, 9

every_storage = pytest.mark.parametrize("storage", [np.float64, np.float32])
every_index = pytest.mark.parametrize("index", [np.uint32, np.uint64])
many = pytest.mark.parametrize("seed", range(4))


def draw(seed, storage=np.float64):
    """Return columns: one empty, one full and far from zero, one full of one value."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N_ROWS, N_COLUMNS))
    X *= rng.uniform(size=X.shape) < 0.4
    X[:, 2] = 0.0
    X[:, 4] = rng.normal(size=N_ROWS) + 30.0
    X[:, 6] = 2.5
    return X.astype(storage), rng


def csc(X, index=np.uint32):
    matrix = sparse.csc_array(X)
    return matrix.data, matrix.indices.astype(index), matrix.indptr


@many
@every_storage
@every_index
def test_dots_equal_their_definition(seed, storage, index):
    X, rng = draw(seed, storage)
    columns, rows = rng.permutation(N_COLUMNS)[:6], rng.normal(size=(N_ROWS, 3))
    one, several = np.empty(6), np.empty((3, 6))
    compressed.dot_columns(*csc(X, index), columns, rows[:, 0].copy(), one)
    compressed.dot_many(*csc(X, index), columns, rows, several)
    expected = X[:, columns].astype(float).T @ rows
    assert_allclose(several.T, expected, rtol=ROUNDING, atol=30 * ROUNDING)
    assert_allclose(one, expected[:, 0], rtol=ROUNDING, atol=30 * ROUNDING)


@many
@every_storage
def test_sums_of_columns_equal_their_definition(seed, storage):
    X, rng = draw(seed, storage)
    columns, coef = rng.permutation(N_COLUMNS)[:6], rng.normal(size=6)
    coef[0] = 0.0
    out = rng.normal(size=N_ROWS)
    expected = out + X[:, columns].astype(float) @ coef
    compressed.add_columns(*csc(X), columns, coef, out)
    assert_allclose(out, expected, rtol=ROUNDING, atol=30 * ROUNDING)


def pack(X, columns, weight, center, scale):
    """Return what the kernel packs: data, rows, starts, mean, curvature."""
    size = int(np.count_nonzero(X[:, columns]))
    data, rows = np.empty(size), np.empty(size, dtype=np.uint32)
    starts = np.zeros(columns.size + 1, dtype=np.int64)
    mean, curvature = np.empty((2, columns.size))
    compressed.pack_columns(
        *csc(X), columns, np.sqrt(weight), center, scale, weight.sum(), data, rows,
        starts, mean, curvature,
    )  # fmt: skip
    return data, rows, starts, mean, curvature


def weighted(seed, storage=np.float64):
    """Return columns, their weights (some zero), weighted centres and scales."""
    X, rng = draw(seed, storage)
    weight = rng.uniform(0.1, 2.0, N_ROWS)
    weight[::7] = 0.0
    center = weight @ X.astype(float) / weight.sum()
    return X, weight, center, rng.uniform(0.5, 2.0, N_COLUMNS), rng


@many
@every_storage
def test_packed_columns_are_weighted_centred_and_scaled(seed, storage):
    X, weight, center, scale, rng = weighted(seed, storage)
    columns = np.sort(rng.permutation(N_COLUMNS)[:6])
    data, rows, starts, mean, curvature = pack(
        X, columns, weight, center[columns], scale[columns]
    )
    root = np.sqrt(weight)
    expected = root[:, None] * (X.astype(float) - center)[:, columns] / scale[columns]
    found = sparse.csc_array((data, rows.astype(int), starts), shape=(N_ROWS, 6))
    found = found.toarray() - np.outer(root, mean)
    assert_allclose(found, expected, rtol=ROUNDING, atol=60 * ROUNDING)
    square = (expected**2).sum(axis=0)
    assert_allclose(curvature, square, rtol=ROUNDING, atol=60 * ROUNDING)


@many
def test_a_full_column_is_centred_at_once(seed):
    X, weight, center, scale, _ = weighted(seed)
    mean = pack(X, np.arange(N_COLUMNS), weight, center, scale)[3]
    assert mean[4] == 0.0
    assert mean[6] == 0.0


@many
def test_packed_sweep_equals_its_twin(seed):
    X, weight, center, scale, rng = weighted(seed)
    weight = weight / N_ROWS
    columns = np.arange(N_COLUMNS)
    data, rows, starts, mean, curvature = pack(X, columns, weight, center, scale)
    Z = np.sqrt(weight)[:, None] * (X - center) / scale
    score, coef = rng.normal(size=N_COLUMNS), rng.normal(size=N_COLUMNS)
    l1, l2 = rng.uniform(0.1, 0.5, (2, N_COLUMNS))
    lower, upper = np.full(N_COLUMNS, -0.6), np.full(N_COLUMNS, np.inf)
    coef = np.maximum(coef, lower)
    expected, worst = coef.copy(), 0.0
    for j in (7, 0, 4, 3):
        c = Z[:, j] @ Z[:, j]
        u = score[j] - Z[:, j] @ Z @ (expected - coef) + c * expected[j]
        new = np.sign(u) * max(abs(u) - l1[j], 0.0) / (c + l2[j])
        new = min(max(new, lower[j]), upper[j])
        worst = max(worst, (c + l2[j]) * abs(new - expected[j]) / l1[j])
        expected[j] = new
    found, change = coef.copy(), np.zeros(N_ROWS)
    largest, shift = descent.sweep_packed(
        descent.ELASTIC_NET, data, rows, starts, mean, weight.sum(), change, 0.0,
        score, found, curvature, l1, l2, lower, upper, 0.0, l1, np.array([7, 0, 4, 3]),
    )  # fmt: skip
    assert_allclose(found, expected, rtol=1e-10, atol=1e-12)
    assert largest == pytest.approx(worst, rel=1e-10)
    moved = change - shift * np.sqrt(weight)
    assert_allclose(moved, Z @ (expected - coef), rtol=1e-10, atol=1e-12)


@many
def test_steps_taken_together_equal_a_linear_solve(seed):
    X, weight, center, scale, rng = weighted(seed)
    everyone = np.arange(N_COLUMNS)
    data, rows, starts, mean, curvature = pack(X, everyone, weight, center, scale)
    Z = np.sqrt(weight)[:, None] * (X - center) / scale
    on = np.array([7, 0, 4, 3])
    l2, slope, unit = rng.uniform(0.1, 0.5, 4), rng.normal(size=4), np.ones(4)
    matrix = Z[:, on].T @ Z[:, on] + np.diag(l2)
    whole = (data, rows, starts, mean, weight.sum(), on, l2)
    total, step, rest = curvature[on] + l2, np.empty(4), slope.copy()
    room = np.empty(N_ROWS)
    taken = compressed.solve_together(*whole, total, unit, rest, 1e-12, 50, step, room)
    # As many steps as unknowns, but for rounding.
    assert taken <= 5
    assert_allclose(step, np.linalg.solve(matrix, slope), rtol=1e-10, atol=1e-12)
    assert_allclose(rest, slope - matrix @ step, atol=1e-11)
    rest = slope.copy()
    assert (
        compressed.solve_together(*whole, total, unit, rest, 1e-12, 2, step, room) == 2
    )
    assert_allclose(rest, slope - matrix @ step, rtol=1e-8, atol=1e-11)


@many
@every_storage
def test_moments_equal_their_definition(seed, storage):
    X, rng = draw(seed, storage)
    share = rng.uniform(0.1, 2.0, N_ROWS)
    share /= share.sum()
    mean, sd = np.zeros((2, N_COLUMNS))
    compressed.moments(*csc(X), share, 64 * EPS, mean, sd)
    X = X.astype(float)
    expected = share @ X
    assert_allclose(mean, expected, rtol=ROUNDING, atol=ROUNDING)
    spread = np.sqrt(share @ (X - expected) ** 2)
    assert_allclose(sd, spread, rtol=ROUNDING, atol=ROUNDING)
    assert_array_equal(sd[[2, 6]], 0.0)
