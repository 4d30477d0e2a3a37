"""Slope and curvature beside differences of the objective in extended precision."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

import penglm as pg
from penglm.design import Categorical, Dense, Split
from penglm.engines import Local
from penglm.solver import quadratic
from penglm.solver.factor import factorise
from penglm.solver.quadratic import Curvature
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
    curvature = quadratic.curve(problem, at, np.arange(P))
    assert_array_equal(curvature.columns, np.arange(P))
    if not fit_intercept:
        assert curvature.weight_sum == 0.0
        assert_array_equal(curvature.cross, np.zeros(P))
        assert_allclose(curvature.gram, hessian[1:, 1:], rtol=0.0, atol=CURVE)
        return
    assert curvature.weight_sum == pytest.approx(hessian[0, 0], abs=CURVE)
    assert_allclose(curvature.cross, hessian[0, 1:], rtol=0.0, atol=CURVE)
    # What the coefficients see once the intercept follows them.
    mixed = hessian[0, 1:]
    profiled = hessian[1:, 1:] - np.outer(mixed, mixed / hessian[0, 0])
    assert_allclose(curvature.gram, profiled, rtol=0.0, atol=CURVE)


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
    # The second column is zero; a narrowed problem is one in which it has to be.
    problem, at, columns = build(family, n_blocks), point(), np.array([0, 2, 3, 4])
    small, inside = problem.narrowed(columns), at.take(columns)
    whole, part = quadratic.expand(problem, at), quadratic.expand(small, inside)
    narrowed = whole.take(columns)
    assert_array_equal(narrowed.score, whole.score[columns])
    assert_array_equal(narrowed.point.coef, at.coef[columns])
    assert narrowed.point.intercept == at.intercept
    assert_allclose(part.score, narrowed.score, rtol=0.0, atol=ROUNDING)
    for name in ("loss", "intercept_score", "size"):
        found, expected = getattr(part, name), getattr(narrowed, name)
        assert found == pytest.approx(expected, rel=ROUNDING, abs=ROUNDING)
    everything = quadratic.curve(problem, at, np.arange(P))
    few = quadratic.curve(problem, at, columns)
    square = np.ix_(columns, columns)
    assert_allclose(few.gram, everything.gram[square], rtol=0.0, atol=ROUNDING)
    inner = quadratic.curve(small, inside, np.arange(columns.size))
    assert_allclose(inner.gram, few.gram, rtol=0.0, atol=ROUNDING)
    assert_allclose(inner.cross, few.cross, rtol=0.0, atol=ROUNDING)


@everywhere
@every_split
@either_intercept
def test_several_points_in_one_pass_are_each_as_alone(family, n_blocks, fit_intercept):
    problem = build(family, n_blocks, fit_intercept)
    nothing = Point(np.zeros(P), -0.3)
    points = [point(), nothing, point(9), point(10), nothing, point(11)]
    for found, at in zip(quadratic.expand_all(problem, points), points, strict=True):
        alone = quadratic.expand(problem, at)
        assert found.point is at
        assert_allclose(found.score, alone.score, rtol=0.0, atol=ROUNDING)
        assert found.loss == pytest.approx(alone.loss, rel=ROUNDING)
        assert found.size == pytest.approx(alone.size, rel=ROUNDING)
        assert found.intercept_score == pytest.approx(
            alone.intercept_score, abs=ROUNDING
        )


@everywhere
@every_split
def test_loss_alone_is_that_of_the_expansion(family, n_blocks):
    problem, at = build(family, n_blocks), point()
    loss = quadratic.expand(problem, at).loss
    assert quadratic.loss_at(problem, at) == pytest.approx(loss, rel=ROUNDING)


@pytest.mark.parametrize("n_blocks", BLOCKS)
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_point_without_a_loss_has_no_slope_and_spoils_no_other(n_blocks):
    problem = build("poisson", n_blocks)
    beyond = Point(np.zeros(P), 1e4)
    lost, found = quadratic.expand_all(problem, [beyond, point()])
    assert lost.loss == np.inf
    assert quadratic.loss_at(problem, beyond) == np.inf
    alone = quadratic.expand(problem, point())
    assert_allclose(found.score, alone.score, rtol=0.0, atol=ROUNDING)


@every_split
def test_curvature_grown_in_steps_is_that_of_one_pass(n_blocks):
    problem, at = build("gaussian", n_blocks), point()
    known = None
    for columns in ([3], [1, 3], [0, 1, 2, 3, 4]):
        known = quadratic.curve(problem, at, np.array(columns), known)
    expected = quadratic.curve(problem, at, np.arange(P))
    # Known columns come first.
    assert_array_equal(known.columns, [3, 1, 0, 2, 4])
    square = np.ix_(known.columns, known.columns)
    assert_allclose(known.gram, expected.gram[square], rtol=0.0, atol=ROUNDING)
    assert_allclose(known.gram, known.gram.T, rtol=0.0, atol=ROUNDING)
    assert_allclose(known.cross, expected.cross[known.columns], rtol=0.0, atol=ROUNDING)
    found = known
    assert found.weight_sum == pytest.approx(expected.weight_sum, rel=ROUNDING)


def test_curvature_of_known_columns_is_not_computed_again():
    problem, at = build("gaussian"), point()
    known = quadratic.curve(problem, at, np.arange(P))
    assert quadratic.curve(problem, at, np.array([2, 4]), known) is known


def test_curvature_too_large_to_keep_is_started_afresh(monkeypatch):
    monkeypatch.setattr(quadratic, "LARGEST_CACHE", 3)
    problem, at = build("gaussian"), point()
    known = quadratic.curve(problem, at, np.array([0, 1]))
    afresh = quadratic.curve(problem, at, np.array([2, 3]), known)
    assert_array_equal(afresh.columns, [2, 3])
    expected = quadratic.curve(problem, at, np.array([2, 3]))
    assert_array_equal(afresh.gram, expected.gram)
    assert_array_equal(afresh.cross, expected.cross)


@pytest.mark.parametrize("room", [0, 1, 2, 64])
@either_intercept
def test_matrix_grows_within_its_room_and_beyond_it(monkeypatch, room, fit_intercept):
    monkeypatch.setattr(quadratic, "LEAST_ROOM", room)
    problem, at = build("poisson", fit_intercept=fit_intercept), point()
    expected = quadratic.curve(problem, at, np.arange(P))
    known = None
    for j in (2, 0, 4, 1, 3):
        earlier, known = known, quadratic.curve(problem, at, np.array([j]), known)
        square = np.ix_(known.columns, known.columns)
        assert len(known.store) >= known.columns.size
        assert_allclose(known.gram, expected.gram[square], rtol=0.0, atol=ROUNDING)
        if earlier is not None:
            # Who holds the smaller matrix keeps it.
            k = earlier.columns.size
            assert_array_equal(earlier.gram, known.gram[:k, :k])
            assert_array_equal(earlier.columns, known.columns[:k])


def numbered(columns, count=3):
    """Return a curvature over columns that says in every entry where it belongs."""
    columns = np.array(columns)
    gram = 100.0 * np.minimum.outer(columns, columns) + np.maximum.outer(
        columns, columns
    )
    gram[np.diag_indices_from(gram)] += 1e6
    factor = factorise(gram, np.arange(count), np.zeros(columns.size), columns.size)
    store = quadratic.with_room(gram)
    at = Point(np.arange(100.0, 120.0), 0.5)
    return Curvature(at, columns, 2.0, columns + 0.25, store, factor)


@pytest.mark.parametrize(
    ("known", "chosen", "left"),
    [
        ([1, 4, 7, 9], [1, 4, 7, 9], [1, 4, 7, 9]),
        ([7, 1, 9, 4], [0, 1, 4, 7, 8, 9], [7, 1, 9, 4]),
        ([7, 1, 9, 4], [1, 4, 7], [7, 1, 4]),
        ([7, 1, 9, 4], [9, 3, 1], [1, 9]),
        ([7, 1, 9, 4], [0, 2, 19], []),
        ([7, 1, 9, 4], [19], []),
    ],
)
def test_among_renumbers_what_is_known_about_some_columns(known, chosen, left):
    curvature, chosen = numbered(known), np.array(chosen)
    small = curvature.among(chosen)
    # In the order in which they are known, under their places among the chosen.
    assert_array_equal(chosen[small.columns], np.array(left, dtype=int))
    places = [known.index(j) for j in left]
    assert_array_equal(small.gram, numbered(known).gram[np.ix_(places, places)])
    assert_array_equal(small.cross, np.array(left) + 0.25)
    assert small.weight_sum == 2.0
    assert_array_equal(small.point.coef, chosen + 100.0)
    assert len(small.store) > len(left)


def test_factor_follows_its_members_among_other_columns():
    # The first three are members; the fourth goes, and nothing else has to.
    small = numbered([7, 1, 9, 4]).among(np.array([0, 1, 7, 9]))
    factor = small.factor
    members = factor.members[: factor.count]
    assert_array_equal(small.columns[members], [2, 1, 3])
    lower = np.tril(factor.matrix[:3, :3])
    expected = small.gram[np.ix_(members, members)]
    assert_allclose(lower @ lower.T, expected, rtol=1e-12)
    # Without a member there is no factor.
    assert numbered([7, 1, 9, 4]).among(np.array([1, 4, 9])).factor.matrix is None


@pytest.mark.parametrize("known", [[1, 4, 7], [7, 1, 4]])
def test_beyond_undoes_among(known):
    curvature, chosen = numbered(known, 2), np.array([0, 1, 4, 7])
    small = curvature.among(chosen)
    back = small.beyond(chosen, curvature.point)
    assert_array_equal(back.columns, known)
    assert_array_equal(back.gram, curvature.gram)
    assert_array_equal(back.cross, curvature.cross)
    assert back.point is curvature.point


def test_curvature_of_chosen_columns_grows_like_any_other():
    problem, at = build("gaussian"), point()
    known = quadratic.curve(problem, at, np.array([4, 0, 2]))
    columns = np.array([0, 2, 3, 4])
    small = known.among(columns)
    inner = problem.narrowed(columns)
    grown = quadratic.curve(inner, at.take(columns), np.array([2]), small)
    assert_array_equal(columns[grown.columns], [4, 0, 2, 3])
    back = grown.beyond(columns, at)
    expected = quadratic.curve(problem, at, np.array([4, 0, 2, 3]))
    assert_array_equal(back.columns, expected.columns)
    assert_allclose(back.gram, expected.gram, rtol=0.0, atol=ROUNDING)
    assert_allclose(back.cross, expected.cross, rtol=0.0, atol=ROUNDING)


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
