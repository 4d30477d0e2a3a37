"""A factor that is edited beside one that is made afresh."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from penglm.solver.factor import MOST_APPENDED, MOST_EDITS, Factor, factorise

K = 40
# Factors of matrices with a condition below a thousand.
SAME = 1e-11


def draw(seed=0, room=K):
    """Return a Gram matrix in the corner of a larger one, and a pull."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(3 * K, K)) + 0.5 * rng.normal(size=(3 * K, 1))
    store = np.full((room, room), np.nan)
    store[:K, :K] = X.T @ X / (3 * K)
    return store, rng.uniform(0.0, 0.5, K)


def product(factor):
    """Return the members, ascending, and the matrix that the factor stands for."""
    members = factor.members[: factor.count]
    lower = np.tril(factor.matrix[: factor.count, : factor.count])
    order = np.argsort(members)
    return members[order], (lower @ lower.T)[np.ix_(order, order)]


def assert_factor_of(factor, gram, pull, members):
    found, matrix = product(factor)
    assert_array_equal(found, np.sort(members))
    expected = (gram[:K, :K] + np.diag(pull))[np.ix_(found, found)]
    assert_allclose(matrix, expected, rtol=SAME, atol=SAME)


@pytest.mark.parametrize("room", [K, K + 7])
def test_new_factor_is_that_of_its_members(room):
    gram, pull = draw(room=room)
    wanted = np.array([3, 0, 17, 39, 8])
    factor = factorise(gram, wanted, pull, room)
    assert factor.matrix.shape == (room, room)
    assert factor.edits == 0
    assert_factor_of(factor, gram, pull, wanted)


def test_factor_of_nobody_has_room_for_all():
    gram, pull = draw()
    nobody = np.zeros(0, dtype=np.int64)
    factor = Factor().covering(gram, nobody, pull, K)
    assert factor.count == 0
    one = factor.covering(gram, np.array([5]), pull, K)
    assert_factor_of(one, gram, pull, [5])


@pytest.mark.parametrize("seed", range(5))
def test_covering_by_appending_equals_factorising(seed):
    gram, pull = draw(seed)
    rng = np.random.default_rng(seed)
    order = rng.permutation(K)
    known, wanted = order[:30], np.sort(order[:33])
    earlier = factorise(gram, known, pull, K)
    appended = earlier.covering(gram, wanted, pull, K)
    assert appended.edits == 3
    # The known come first, in their order.
    assert_array_equal(appended.members[:30], known)
    afresh = factorise(gram, wanted, pull, K)
    for factor in (appended, afresh):
        assert_factor_of(factor, gram, pull, wanted)
    # A triangle with a positive diagonal is the only one.
    again = factorise(gram, appended.members[:33], pull, K)
    assert_allclose(
        np.tril(appended.matrix[:33, :33]), np.tril(again.matrix[:33, :33]),
        rtol=SAME, atol=SAME,
    )  # fmt: skip


def test_members_that_are_not_wanted_stay():
    gram, pull = draw()
    earlier = factorise(gram, np.arange(20), pull, K)
    factor = earlier.covering(gram, np.array([2, 25]), pull, K)
    assert_factor_of(factor, gram, pull, [*range(20), 25])


def test_used_up_factor_is_empty_and_starts_afresh():
    gram, pull = draw()
    earlier = factorise(gram, np.arange(20), pull, K)
    later = earlier.covering(gram, np.arange(21), pull, K)
    assert earlier.matrix is None
    # Whoever still holds the older one gets a new matrix, not the later one's.
    other = earlier.covering(gram, np.arange(5), pull, K)
    assert_factor_of(other, gram, pull, np.arange(5))
    assert other.matrix is not later.matrix
    assert_factor_of(later, gram, pull, np.arange(21))
    assert earlier.among(np.arange(K)).matrix is None


def test_moved_factor_is_empty_where_it_was():
    gram, pull = draw()
    earlier = factorise(gram, np.arange(20), pull, K)
    moved = earlier.among(np.arange(30))
    assert earlier.matrix is None
    assert moved.matrix is not None
    assert earlier.among(np.arange(30)).matrix is None


@pytest.mark.parametrize("seed", range(5))
def test_among_follows_the_places_that_are_left(seed):
    gram, pull = draw(seed)
    rng = np.random.default_rng(seed)
    order = rng.permutation(K)
    members, others = order[:12], order[12:]
    # Some places without a member go; the rest keeps its order or does not.
    kept = np.concatenate([members, others[:10]])
    kept = rng.permutation(kept) if seed % 2 else np.sort(kept)
    factor = factorise(gram, members, pull, K).among(kept)
    assert_array_equal(kept[factor.members[: factor.count]], members)
    assert_array_equal(factor.pull, pull[kept])
    square = np.full((K, K), np.nan)
    square[:22, :22] = gram[np.ix_(kept, kept)]
    _, matrix = product(factor)
    places = np.sort(factor.members[:12])
    expected = square[np.ix_(places, places)] + np.diag(pull[kept][places])
    assert_allclose(matrix, expected, rtol=SAME, atol=SAME)
    # And it goes on from there.
    wanted = np.append(places, np.setdiff1d(np.arange(22), places)[0])
    more = factor.covering(square, wanted, pull[kept], K)
    assert more.edits == 1
    found, matrix = product(more)
    assert_array_equal(found, np.sort(wanted))
    expected = square[np.ix_(found, found)] + np.diag(pull[kept][found])
    assert_allclose(matrix, expected, rtol=SAME, atol=SAME)


def test_among_without_a_member_is_empty():
    gram, pull = draw()
    factor = factorise(gram, np.array([1, 5, 9]), pull, K)
    assert factor.among(np.array([1, 2, 9])).matrix is None


def test_places_that_came_later_are_none_of_the_factors():
    # A factor made over few places of a matrix that has grown since.
    gram, pull = draw()
    factor = factorise(gram, np.array([0, 2]), pull[:10], K)
    moved = factor.among(np.array([0, 2, 12, 30]))
    assert_array_equal(moved.members[: moved.count], [0, 1])
    assert_array_equal(moved.pull, pull[[0, 2]])


@pytest.mark.parametrize("known", [0, 20])
def test_dependent_column_is_refused(known):
    gram, _ = draw()
    # The last column is the sum of the first two.
    gram[-1, :-1] = gram[0, :-1] + gram[1, :-1]
    gram[:-1, -1] = gram[-1, :-1]
    gram[-1, -1] = gram[0, 0] + 2.0 * gram[0, 1] + gram[1, 1]
    nothing = np.zeros(K)
    earlier = factorise(gram, np.arange(known), nothing, K)
    assert earlier is not None
    wanted = np.array([*range(max(known, 2)), K - 1])
    assert earlier.covering(gram, wanted, nothing, K) is None
    # A pull of its own tells it from the others.
    pulled = np.full(K, 0.1)
    factor = factorise(gram, wanted, pulled, K)
    assert_factor_of(factor, gram, pulled, wanted)


def test_empty_column_and_numbers_that_are_none_are_refused():
    gram, _ = draw()
    gram[4], gram[:, 4] = 0.0, 0.0
    assert factorise(gram, np.arange(6), np.zeros(K), K) is None
    gram[4, 4] = np.nan
    assert factorise(gram, np.arange(6), np.zeros(K), K) is None


def test_changed_pull_of_a_member_makes_a_new_factor():
    gram, pull = draw()
    earlier = factorise(gram, np.arange(20), pull, K)
    other = 2.0 * pull
    later = earlier.covering(gram, np.arange(20), other, K)
    assert later.edits == 0
    assert_factor_of(later, gram, other, np.arange(20))


def test_changed_pull_of_somebody_else_does_not():
    gram, pull = draw()
    earlier = factorise(gram, np.arange(20), pull, K)
    other = pull.copy()
    other[20:] *= 2.0
    matrix = earlier.matrix
    later = earlier.covering(gram, np.arange(21), other, K)
    assert later.matrix is matrix
    assert_factor_of(later, gram, other, np.arange(21))


@pytest.mark.parametrize("reason", ["many", "edits", "room"])
def test_new_factor_is_made_where_editing_does_not_pay(reason):
    gram, pull = draw(room=K + 5)
    earlier = factorise(gram, np.arange(30), pull, K)
    wanted, room = np.arange(31), K
    if reason == "many":
        wanted = np.arange(30 + int(30 * MOST_APPENDED) + 1)
    elif reason == "edits":
        earlier.edits = MOST_EDITS
    else:
        room = K + 5
    later = earlier.covering(gram, wanted, pull, room)
    assert later.edits == 0
    assert len(later.matrix) >= room
    assert_factor_of(later, gram, pull, wanted)


def test_more_members_than_room_are_refused():
    gram, pull = draw()
    assert factorise(gram, np.arange(6), pull, 5) is None
