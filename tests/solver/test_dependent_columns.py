"""The exact walk where columns depend on each other and the l1 part decides."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penglm.penalties import PenaltyTerms, distance
from penglm.solver import newton
from penglm.solver.factor import Factor

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
