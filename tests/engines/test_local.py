"""Rows in memory: a function summed over their blocks, each visited once."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse

from penglm.design import Categorical, Dense, Sparse, Split
from penglm.engines import Block, Local

N = 20


def block(n_rows=N, start=0):
    """Return a block whose numbers are whole, so that sums are exact."""
    rows = np.arange(start, start + n_rows, dtype=float)
    X = np.column_stack([rows, rows**2, -rows])
    return Block(Dense(X), rows, rows + 1.0, 0.5 * rows)


def split(n_blocks):
    whole = block()
    parts = np.array_split(np.arange(N), n_blocks)
    return Local([whole.take(rows) for rows in parts])


def statistics(data):
    """Return a number and arrays that add up over rows."""
    weighted = data.sample_weight * data.y
    return float(weighted.sum()), data.design.gradient(weighted), data.offset.sum()


every_split = pytest.mark.parametrize("n_blocks", [1, 2, 7, N])


@every_split
def test_sum_over_blocks_is_that_over_all_rows(n_blocks):
    expected = statistics(block())
    found = split(n_blocks).sum(statistics)
    assert isinstance(found, tuple)
    for a, b in zip(found, expected, strict=True):
        assert_array_equal(a, b)


@every_split
def test_each_block_is_visited_once_and_in_order(n_blocks):
    seen = []

    def look(data):
        seen.append(data.y)
        return (1,)

    assert split(n_blocks).sum(look) == (n_blocks,)
    assert_array_equal(np.concatenate(seen), np.arange(N))


@every_split
def test_sizes_are_those_of_all_rows(n_blocks):
    engine = split(n_blocks)
    assert (engine.n_obs, engine.n_features) == (N, 3)


def test_whole_is_the_only_block_or_nothing():
    one = block()
    assert Local([one]).whole() is one
    assert split(2).whole() is None


def test_sum_leaves_what_the_function_returned_alone():
    # An array that a block keeps must not be added to in place.
    kept = [np.ones(2), np.ones(2)]
    parts = iter(kept)
    (total,) = split(2).sum(lambda _: (next(parts),))
    assert_array_equal(total, [2.0, 2.0])
    assert_array_equal(kept[0], np.ones(2))


def test_function_that_forgets_a_part_is_an_error():
    answers = iter([(1, 2), (1,)])
    with pytest.raises(ValueError, match="shorter"):
        split(2).sum(lambda _: next(answers))


def test_error_in_a_block_reaches_the_caller():
    def fail(data):
        raise ZeroDivisionError(data.y.size)

    with pytest.raises(ZeroDivisionError):
        split(2).sum(fail)


def storages():
    X = block().design.to_dense()
    codes = np.arange(N) % 3
    return {
        "dense": Dense(X),
        "sparse": Sparse(sparse.csr_array(X)),
        "categorical": Categorical(codes, 3),
        "split": Split([Dense(X), Categorical(codes, 3, drop=0)]),
    }


@pytest.mark.parametrize("name", storages())
def test_take_keeps_every_part_of_a_row_together(name):
    design, rows = storages()[name], np.array([3, 0, 19, 3])
    whole = block()
    whole = Block(design, whole.y, whole.sample_weight, whole.offset)
    taken = whole.take(rows)
    assert_array_equal(taken.design.to_dense(), design.to_dense()[rows])
    for part in ("y", "sample_weight", "offset"):
        assert_array_equal(getattr(taken, part), getattr(whole, part)[rows])


def test_block_is_frozen():
    with pytest.raises(AttributeError):
        block().y = np.zeros(N)
