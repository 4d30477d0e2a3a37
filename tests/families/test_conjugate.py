"""The conjugate of a convex loss: an upper bound that is reached."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from penglm.families import FAMILIES, LINKS
from penglm.families.conjugate import conjugate

N_ROWS = 40
SEEDS = st.integers(0, 2**32 - 1)
EPS = np.finfo(float).eps
ROUNDINGS = 64
# The value is flat at its maximum: a relative slope of 1e-9 costs its square, and a
# grid of this many points misses the maximum by about the square of its width.
GRID = 20_001
REACHED = 1e-6

few = settings(max_examples=8)


def pairs(*, convex, canonical):
    """Return families with the links they accept, by the kind of their loss."""
    found = [
        kind(link())
        for kind in FAMILIES.values()
        for link in LINKS.values()
        if kind.accepts(kind(), link())
    ]
    return [f for f in found if f.is_convex is convex and f.is_canonical is canonical]


def name(family):
    return f"{family.name}-{family.link!r}"


def draw(family, seed):
    """Return responses and linear predictors (n,) with a finite loss."""
    rng = np.random.default_rng(seed)
    if np.isinf(family.y_range.low):
        return rng.normal(size=N_ROWS), rng.normal(size=N_ROWS)
    if family.y_range.high == 1.0:
        y, mu = rng.beta(0.7, 0.7, N_ROWS), rng.uniform(0.1, 0.9, N_ROWS)
        y[::5] = 1.0
    else:
        y = rng.poisson(2.0, N_ROWS).astype(float)
        mu = rng.uniform(0.2, 5.0, N_ROWS)
        mu = mu / 6.0 if family.link.domain.high == 1.0 else mu
    y[::4] = 0.0
    if not family.y_range.low_closed:
        y += 0.1
    return y, family.link(mu)


@pytest.mark.parametrize("family", pairs(convex=True, canonical=True), ids=name)
@few
@given(seed=SEEDS, shrink=st.floats(0.2, 1.0))
def test_search_finds_what_the_closed_form_says(family, seed, shrink):
    y, eta = draw(family, seed)
    dual = -shrink * family.working_terms(y, eta)[1]
    found = conjugate(family.working_terms, y, dual, eta)
    expected = family.conjugate(y, dual)
    # What is added up, dual * eta and the loss, is larger than their difference.
    size = 1.0 + np.abs(dual) * (10.0 + np.abs(eta))
    assert np.all(np.abs(found - expected) <= REACHED * size)


@pytest.mark.parametrize("family", pairs(convex=True, canonical=False), ids=name)
@few
@given(seed=SEEDS, shrink=st.floats(0.2, 1.0))
def test_no_linear_predictor_lies_above_the_conjugate(family, seed, shrink):
    y, eta = draw(family, seed)
    dual = -shrink * family.working_terms(y, eta)[1]
    bound = family.conjugate(y, dual, eta)
    _, other = draw(family, seed + 1)
    loss = family.working_terms(y, other)[0]
    slack = ROUNDINGS * EPS * (1.0 + np.abs(dual * other) + loss)
    assert np.all(dual * other - loss <= bound + slack)


@pytest.mark.parametrize("family", pairs(convex=True, canonical=False), ids=name)
@pytest.mark.parametrize("shrink", [0.5, 0.999, 1.0])
def test_some_linear_predictor_reaches_the_conjugate(family, shrink):
    y, eta = draw(family, 5)
    dual = -shrink * family.working_terms(y, eta)[1]
    bound = family.conjugate(y, dual, eta)
    low = max(family.link.eta_range.low, -30.0)
    for k in range(N_ROWS):
        at = low + (30.0 - low) * (np.arange(GRID) + 0.5) / GRID
        # Where the range has an end, at 0 or 1, the supremum may be there.
        close = np.geomspace(1e-12, 1.0, 500)
        at = np.concatenate([at, close, 1.0 - close, -close])
        loss = family.working_terms(np.full(at.size, y[k]), at)[0]
        best = (dual[k] * at - loss).max()
        assert bound[k] == pytest.approx(best, abs=1e-4 * (1.0 + abs(dual[k])))


@pytest.mark.parametrize("family", pairs(convex=False, canonical=False), ids=name)
def test_conjugate_is_not_claimed_where_the_loss_is_not_convex(family):
    y, eta = draw(family, 1)
    assert family.conjugate(y, np.zeros(N_ROWS), eta) is None


def test_supremum_without_end_is_infinite():
    family = FAMILIES["binomial"](LINKS["probit"]())
    # Two successes' worth of slope on a failure, whose loss only rises.
    assert family.conjugate(np.array([0.0]), np.array([-1.0]))[0] == np.inf


def test_start_far_away_leads_to_the_same_value():
    family = FAMILIES["binomial"](LINKS["cloglog"]())
    y, eta = draw(family, 3)
    dual = -0.9 * family.working_terms(y, eta)[1]
    near = family.conjugate(y, dual, eta)
    far = family.conjugate(y, dual, eta - 5.0)
    assert_allclose(far, near, rtol=REACHED, atol=REACHED)
