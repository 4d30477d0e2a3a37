"""Properties every penalty has, checked for each entry of the registry."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from penglm.exceptions import PenglmInputError
from penglm.kernels.descent import prox, soft_threshold
from penglm.penalties import (
    LEAST_L1_RATIO,
    PENALTIES,
    ElasticNet,
    as_penalty,
    distance,
)

EPS = np.finfo(float).eps
# A few roundings of the numbers that are added up.
ROUNDINGS = 16
# A change of a strength or a factor that no rounding can hide.
NUDGE = 1e-6
N_FEATURES = 40
SEEDS = st.integers(0, 2**32 - 1)
MIXES = (1.0, 0.5, 1e-3, 0.0)

few = settings(max_examples=25)
every_penalty = pytest.mark.parametrize("kind", PENALTIES.values(), ids=PENALTIES)
every_mix = pytest.mark.parametrize("l1_ratio", MIXES)


def law(claim):
    """Check a claim for every penalty and mix on drawn penalties."""
    return every_penalty(every_mix(few(given(seed=SEEDS)(claim))))


def limits(rng):
    """Draw limits of every sort: none, one, both, equal, and without zero inside."""
    low, high = np.sort(rng.normal(size=(2, N_FEATURES)), axis=0)
    sort = rng.integers(0, 8, N_FEATURES)
    low = np.where(np.isin(sort, (0, 1, 2)), -np.inf, low)
    high = np.where(np.isin(sort, (0, 1, 3)), np.inf, high)
    low, high = np.where(sort == 4, 0.0, low), np.where(sort == 4, np.abs(high), high)
    return low, np.where(sort == 5, low, high)


def parts(seed):
    """Return a generator, factors with 0 and inf among them, scales and limits."""
    rng = np.random.default_rng(seed)
    factor = rng.uniform(0.3, 3.0, N_FEATURES)
    factor[rng.uniform(size=N_FEATURES) < 0.2] = 0.0
    factor[rng.uniform(size=N_FEATURES) < 0.1] = np.inf
    return rng, factor, 10.0 ** rng.uniform(-2, 2, N_FEATURES), *limits(rng)


def build(kind, l1_ratio, seed):
    """Return a generator and a penalty."""
    rng, factor, scale, lower, upper = parts(seed)
    return rng, kind.build(l1_ratio, factor, scale, lower, upper)


def inside(rng, penalty):
    """Draw coefficients within the limits, some zero and some at a limit."""
    coef = rng.normal(size=N_FEATURES)
    coef[rng.uniform(size=N_FEATURES) < 0.3] = 0.0
    return np.clip(coef, penalty.lower, penalty.upper)


def subgradient(rng, penalty, coef, alpha):
    """Draw a slope for which ``coef`` is optimal: in the subdifferential there."""
    t = penalty.terms(alpha)
    sign = np.where(coef == 0.0, rng.uniform(-1.0, 1.0, N_FEATURES), np.sign(coef))
    push = rng.exponential(size=N_FEATURES)
    score = t.l1 * sign + t.l2 * coef
    score = score + np.where(coef >= t.upper, push, 0.0)
    return score - np.where(coef <= t.lower, push, 0.0)


def minimisers(penalty, curvature, u, alpha):
    """Return the prox of every coordinate."""
    t = penalty.terms(alpha)
    columns = zip(u, curvature, t.l1, t.l2, t.lower, t.upper, strict=True)
    return np.array([prox(t.kind, *column, t.shape) for column in columns])


@law
def test_prox_satisfies_its_optimality_condition(kind, l1_ratio, seed):
    rng, penalty = build(kind, l1_ratio, seed)
    curvature = 10.0 ** rng.uniform(-3, 3, N_FEATURES)
    u = rng.normal(size=N_FEATURES) * 10.0 ** rng.uniform(-3, 3, N_FEATURES)
    coef = minimisers(penalty, curvature, u, alpha=0.7)

    violation = penalty.subgradient_distance(coef, u - curvature * coef, 0.7)

    size = np.abs(u) + (curvature + penalty.terms(0.7).l2) * np.abs(coef)
    assert np.all(violation <= ROUNDINGS * EPS * size)


@law
def test_distance_off_the_prox_is_at_least_the_curvature_says(kind, l1_ratio, seed):
    # The function is strongly convex, so its slope grows at least so fast.
    rng, penalty = build(kind, l1_ratio, seed)
    curvature = 10.0 ** rng.uniform(-3, 3, N_FEATURES)
    u = rng.normal(size=N_FEATURES)
    coef = minimisers(penalty, curvature, u, alpha=0.7)
    there = coef + rng.normal(size=N_FEATURES) * 10.0 ** rng.uniform(-6, 0)
    there = np.clip(there, penalty.lower, penalty.upper)

    violation = penalty.subgradient_distance(there, u - curvature * there, 0.7)

    moved = np.abs(coef) + np.abs(there)
    size = np.abs(u) + (curvature + penalty.terms(0.7).l2) * moved
    least = curvature * np.abs(there - coef) - ROUNDINGS * EPS * size
    assert np.all(violation >= least)


@law
def test_distance_is_zero_exactly_on_the_subdifferential(kind, l1_ratio, seed):
    rng, penalty = build(kind, l1_ratio, seed)
    coef = inside(rng, penalty)
    score = subgradient(rng, penalty, coef, 0.7)
    violation = penalty.subgradient_distance(coef, score, 0.7)
    assert np.all(violation <= ROUNDINGS * EPS * np.abs(score))


@law
def test_distance_is_how_far_the_slope_lies_outside(kind, l1_ratio, seed):
    rng, penalty = build(kind, l1_ratio, seed)
    coef = np.clip(np.zeros(N_FEATURES), penalty.lower, penalty.upper)
    t = penalty.terms(0.7)
    beyond = rng.exponential(size=N_FEATURES)
    score = t.l1 * np.where(coef == 0.0, 1.0, np.sign(coef)) + t.l2 * coef + beyond

    violation = penalty.subgradient_distance(coef, score, 0.7)

    # A limit above holds whatever pushes upwards.
    expected = np.where(coef >= t.upper, 0.0, beyond)
    assert_allclose(
        violation, expected, rtol=0.0, atol=ROUNDINGS * EPS * np.abs(score).max()
    )


@law
def test_distance_of_some_columns_is_the_part_of_all(kind, l1_ratio, seed):
    rng, penalty = build(kind, l1_ratio, seed)
    coef, score = rng.normal(size=(2, N_FEATURES))
    columns = rng.permutation(N_FEATURES)[:7]
    part = penalty.subgradient_distance(coef[columns], score[columns], 0.7, columns)
    whole = penalty.subgradient_distance(coef, score, 0.7)
    assert_array_equal(part, whole[columns])


@every_mix
@few
@given(seed=SEEDS)
def test_elastic_net_costs_what_its_formula_says(l1_ratio, seed):
    rng, factor, scale, lower, upper = parts(seed)
    penalty = ElasticNet.build(l1_ratio, factor, scale, lower, upper)
    coef = np.where(np.isinf(factor), 0.0, rng.normal(size=N_FEATURES))
    finite = np.where(np.isinf(factor), 0.0, factor)
    cost = l1_ratio * np.abs(coef * scale) + (1.0 - l1_ratio) / 2 * (coef * scale) ** 2
    expected = 0.7 * float(finite @ cost)
    assert penalty.value(coef, 0.7) == pytest.approx(expected, rel=ROUNDINGS * EPS)


@law
def test_value_grows_in_proportion_to_the_strength(kind, l1_ratio, seed):
    rng, penalty = build(kind, l1_ratio, seed)
    coef = inside(rng, penalty)
    assert penalty.value(coef, 0.0) == 0.0
    assert penalty.value(coef, 8.0) == 8.0 * penalty.value(coef, 1.0)


@law
def test_value_is_what_its_terms_add_up_to(kind, l1_ratio, seed):
    rng, penalty = build(kind, l1_ratio, seed)
    coef = inside(rng, penalty)
    columns = rng.permutation(N_FEATURES)[:9]
    t = penalty.terms(0.7).take(columns)
    part = coef[columns]
    expected = t.l1 @ np.abs(part) + t.l2 @ part**2 / 2
    found = penalty.value(part, 0.7, columns)
    assert found == pytest.approx(expected, rel=ROUNDINGS * EPS)
    assert_array_equal(t.lower, penalty.lower[columns])
    assert_array_equal(t.upper, penalty.upper[columns])


def free_of_slope(penalty, score):
    """Return the slope with nothing on columns that cost nothing."""
    return np.where(penalty.is_free, 0.0, score)


@law
def test_conjugate_obeys_fenchel_and_young(kind, l1_ratio, seed):
    rng, penalty = build(kind, l1_ratio, seed)
    score = free_of_slope(penalty, rng.normal(size=N_FEATURES))
    score = score * penalty.dual_scaling(score, 0.7) * (1.0 - NUDGE)
    conjugate = penalty.conjugate(score, 0.7)
    for _ in range(5):
        coef = inside(rng, penalty)
        size = np.abs(score) @ np.abs(coef) + penalty.value(coef, 0.7)
        slack = N_FEATURES * EPS * (size + abs(conjugate))
        assert conjugate + penalty.value(coef, 0.7) >= score @ coef - slack


@law
def test_conjugate_is_reached_where_the_slope_is_a_subgradient(kind, l1_ratio, seed):
    rng, penalty = build(kind, l1_ratio, seed)
    coef = inside(rng, penalty)
    t = penalty.terms(0.7)
    # Inside the interval at zero, so that no rounding pushes past its ends; at the
    # ends themselves only where limits or an l2 part keep the supremum finite.
    held = np.isfinite(np.where(coef >= 0.0, t.upper, t.lower)) | (t.l2 > 0.0)
    coef = np.where(held | (t.lower > 0.0) | (t.upper < 0.0), coef, 0.0)
    score = free_of_slope(penalty, subgradient(rng, penalty, coef, 0.7))

    conjugate = penalty.conjugate(score, 0.7)

    coef = np.where(penalty.is_free, 0.0, coef)
    at_free = np.clip(coef, penalty.lower, penalty.upper)
    expected = score @ at_free - penalty.value(at_free, 0.7)
    size = np.abs(score) @ np.abs(at_free) + penalty.value(at_free, 0.7)
    assert conjugate == pytest.approx(expected, abs=N_FEATURES * EPS * size)


@law
def test_dual_scaling_is_the_largest_factor_with_a_finite_conjugate(
    kind, l1_ratio, seed
):
    rng, penalty = build(kind, l1_ratio, seed)
    # Several, since a rounding passes the threshold once in twenty times.
    for _ in range(10):
        score = free_of_slope(penalty, 3.0 * rng.normal(size=N_FEATURES))
        factor = penalty.dual_scaling(score, 0.7)
        assert 0.0 <= factor <= 1.0
        assert np.isfinite(penalty.conjugate(factor * score, 0.7))
        if factor < 1.0:
            assert penalty.conjugate(factor * (1.0 + NUDGE) * score, 0.7) == np.inf


@law
def test_alpha_max_is_the_least_strength_that_keeps_the_null(kind, l1_ratio, seed):
    rng, penalty = build(kind, l1_ratio, seed)
    null = penalty.null_coef
    score = free_of_slope(penalty, rng.normal(size=N_FEATURES))

    largest = penalty.alpha_max(null, score)

    at = penalty.subgradient_distance(null, score, largest)
    assert np.all(
        at <= ROUNDINGS * EPS * (np.abs(score) + penalty.terms(largest).l1)
    ) or (l1_ratio < LEAST_L1_RATIO)
    if largest > 0.0 and l1_ratio >= LEAST_L1_RATIO:
        below = penalty.subgradient_distance(null, score, largest * (1.0 - NUDGE))
        assert below.max() > 0.0


@law
def test_rescaled_penalty_is_the_same_cost_of_scaled_coefficients(kind, l1_ratio, seed):
    rng, penalty = build(kind, l1_ratio, seed)
    # Powers of two change no digit.
    scale = 2.0 ** rng.integers(-9, 10, N_FEATURES)
    other = penalty.rescaled(scale)
    coef, score = inside(rng, penalty), rng.normal(size=N_FEATURES)

    assert other.value(coef * scale, 0.7) == penalty.value(coef, 0.7)
    assert_array_equal(
        other.subgradient_distance(coef * scale, score / scale, 0.7) * scale,
        penalty.subgradient_distance(coef, score, 0.7),
    )
    assert_array_equal(other.threshold(0.7) * scale, penalty.threshold(0.7))
    assert_array_equal(other.null_coef, penalty.null_coef * scale)
    assert_array_equal(other.is_free, penalty.is_free)


@law
def test_held_columns_are_fixed_at_the_null_and_others_untouched(kind, l1_ratio, seed):
    rng, penalty = build(kind, l1_ratio, seed)
    columns = rng.uniform(size=N_FEATURES) < 0.4

    held = penalty.held(columns)

    for limit in (held.lower, held.upper):
        assert_array_equal(limit[columns], penalty.null_coef[columns])
    for name in ("lower", "upper"):
        kept = getattr(held, name)[~columns]
        assert_array_equal(kept, getattr(penalty, name)[~columns])
    coef = inside(rng, held)
    assert held.value(coef, 0.7) == penalty.value(coef, 0.7)
    assert held.is_fixed[columns].all()


@every_penalty
@every_mix
@pytest.mark.parametrize("seed", range(5))
def test_factor_zero_frees_and_infinity_excludes(kind, l1_ratio, seed):
    _, factor, scale, lower, upper = parts(seed)
    penalty = kind.build(l1_ratio, factor, scale, lower, upper)
    excluded = np.isinf(factor)
    assert penalty.is_fixed[excluded].all()
    assert not penalty.null_coef[excluded].any()
    assert_array_equal(penalty.is_free, (factor == 0.0) & (lower < upper))
    assert not penalty.threshold(0.7)[excluded | (factor == 0.0)].any()


@every_penalty
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5, LEAST_L1_RATIO, 1e-4, 0.0])
def test_threshold_is_the_slope_that_a_zero_withstands(kind, l1_ratio):
    free = np.inf * np.ones(N_FEATURES)
    _, factor, scale, _, _ = parts(0)
    penalty = kind.build(l1_ratio, factor, scale, -free, free)
    zero, threshold = np.zeros(N_FEATURES), penalty.threshold(0.7)
    assert not penalty.subgradient_distance(zero, threshold, 0.7).any()
    if l1_ratio >= LEAST_L1_RATIO:
        beyond = penalty.subgradient_distance(zero, threshold + NUDGE, 0.7)
        assert np.all((beyond > 0.0) == ~penalty.is_fixed)


@given(u=st.floats(-1e6, 1e6), threshold=st.floats(0, 1e6))
def test_soft_threshold_satisfies_its_optimality_condition(u, threshold):
    b = soft_threshold(u, threshold)
    # The difference of two numbers is rounded once.
    assert abs(u - b) <= threshold + EPS * abs(u)
    assert b == 0.0 or abs(abs(u - b) - threshold) <= EPS * abs(u)
    assert b * u >= 0.0


@pytest.mark.parametrize("lower", [-np.inf, -1.0, 0.5])
@pytest.mark.parametrize("upper", [np.inf, 2.0, 0.5])
def test_prox_without_curvature_is_the_value_nearest_zero(lower, upper):
    assert prox(0, 1.0, 0.0, 0.3, 0.0, lower, upper, 0.0) == np.clip(0.0, lower, upper)


@every_penalty
def test_penalty_goes_by_name_and_class_and_none_is_the_elastic_net(kind):
    assert as_penalty(kind.name) is kind
    assert as_penalty(kind) is kind
    assert as_penalty(None) is ElasticNet


@pytest.mark.parametrize("penalty", ["lasso", "", 1.0, object], ids=str)
def test_unknown_penalty_is_refused_with_the_known_ones(penalty):
    known = "elastic_net, adaptive"
    text = f"penalty = {penalty!r} is not known; use one of {known}."
    with pytest.raises(PenglmInputError, match=f"^{re.escape(text)}$") as caught:
        as_penalty(penalty)
    assert caught.value.argument == "penalty"


def test_distance_of_no_coordinates_is_empty():
    nothing = np.zeros(0)
    terms = ElasticNet.build(1.0, *[nothing] * 4).terms(1.0)
    assert distance(terms, nothing, nothing).shape == (0,)
