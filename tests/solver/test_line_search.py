"""A step is accepted if the penalised objective falls, shortened until it does."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import penglm as pg
from penglm.solver import coordinate_descent, line_search, quadratic
from penglm.solver.solution import Point

FAMILIES = ("gaussian", "binomial", "poisson")
ALPHA = 0.05
SEEDS = st.integers(0, 2**32 - 1)

everywhere = pytest.mark.parametrize("family", FAMILIES)
every_mix = pytest.mark.parametrize("l1_ratio", [1.0, 0.5, 0.0])
few = settings(max_examples=10)


def build(family, l1_ratio, seed=0):
    """Return a problem over four columns."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(40, 4))
    y = X[:, 0] + rng.normal(size=40)
    if family == "binomial":
        y = (y > 0.0).astype(float)
    elif family == "poisson":
        y = rng.poisson(np.exp(0.5 * X[:, 0])).astype(float)
    return pg.PenalizedGLM(y, X, family).problem(l1_ratio)


def start(problem, seed=0):
    """Return an expansion at a drawn point."""
    rng = np.random.default_rng(seed)
    return quadratic.expand(problem, Point(0.5 * rng.normal(size=4), rng.normal()))


def newton_point(problem, here):
    """Return where the penalised quadratic model has its minimum."""
    columns = np.arange(4)
    unit = problem.unit(ALPHA, 1.0)
    sub = coordinate_descent.state(problem, here, columns, ALPHA, unit, 1e-10)
    curvature = quadratic.curve(problem, here.point, columns)
    step = coordinate_descent.on_gram(sub, curvature)
    return Point(step.coef, here.point.intercept + step.intercept_change)


def objective(problem, here):
    return line_search.objective(problem, here, ALPHA)


def backtrack(problem, here, there):
    return line_search.backtrack(problem, here, there, ALPHA)


def share(here, there, accepted):
    """Return which share of a step was taken."""
    asked, taken = there.coef - here.point.coef, accepted.point.coef - here.point.coef
    return float(taken @ asked / (asked @ asked))


@everywhere
@every_mix
@few
@given(seed=SEEDS)
def test_newton_step_is_accepted_and_descends(family, l1_ratio, seed):
    problem = build(family, l1_ratio)
    here = start(problem, seed)
    accepted = backtrack(problem, here, newton_point(problem, here))
    assert accepted is not None
    assert objective(problem, accepted) < objective(problem, here)


@every_mix
def test_newton_step_on_a_quadratic_loss_is_taken_whole(l1_ratio):
    problem = build("gaussian", l1_ratio)
    here = start(problem)
    there = newton_point(problem, here)
    assert backtrack(problem, here, there).point is there


@everywhere
@every_mix
@few
@given(seed=SEEDS)
def test_step_uphill_is_never_climbed(family, l1_ratio, seed):
    # The objective is convex: against a direction of descent it rises.
    problem = build(family, l1_ratio)
    here = start(problem, seed)
    newton = newton_point(problem, here)
    uphill = Point(
        2.0 * here.point.coef - newton.coef,
        2.0 * here.point.intercept - newton.intercept,
    )
    accepted = backtrack(problem, here, uphill)
    before = objective(problem, here)
    highest = before * (1.0 + line_search.ROUNDING)
    assert accepted is None or objective(problem, accepted) <= highest


@everywhere
@few
@given(seed=SEEDS, length=st.sampled_from([2.0, 10.0, 100.0]))
def test_step_that_is_too_long_is_halved_until_it_descends(family, seed, length):
    problem = build(family, 0.5)
    here = start(problem, seed)
    newton = newton_point(problem, here)
    there = Point(
        here.point.coef + length * (newton.coef - here.point.coef),
        here.point.intercept + length * (newton.intercept - here.point.intercept),
    )
    accepted = backtrack(problem, here, there)
    assert objective(problem, accepted) < objective(problem, here)
    # Up to rounding of the point itself.
    halvings = -np.log2(share(here, there, accepted))
    assert halvings == pytest.approx(round(halvings), abs=1e-9)


@pytest.mark.parametrize("slope", [800.0, 1e5, 1e100])
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_step_into_overflow_is_halved(slope):
    problem = build("poisson", 1.0)
    here = quadratic.expand(problem, Point(np.zeros(4), 0.0))
    descent = here.score / np.abs(here.score).max()
    accepted = backtrack(problem, here, Point(slope * descent, 0.0))
    limit = 2.0**-line_search.HALVINGS * slope
    if limit < 1.0:
        assert np.isfinite(accepted.loss)
        assert objective(problem, accepted) < objective(problem, here)
    else:
        assert accepted is None


def test_no_step_is_accepted_at_the_minimum_but_rounding():
    problem = build("binomial", 0.5)
    here = start(problem)
    for _ in range(20):
        here = backtrack(problem, here, newton_point(problem, here))
        assert here is not None
    before = objective(problem, here)
    again = backtrack(problem, here, newton_point(problem, here))
    assert again is None or objective(problem, again) == pytest.approx(
        before, rel=line_search.ROUNDING
    )


@everywhere
@pytest.mark.parametrize("length", [1.0, 100.0])
def test_accepted_point_is_expanded_over_all_columns(family, length):
    # Also those that the step left where they were, and after halvings.
    problem = build(family, 1.0)
    here = start(problem)
    there = newton_point(problem, here)
    step = length * (there.coef - here.point.coef) * np.array([1.0, 0.0, 1.0, 0.0])
    there = Point(here.point.coef + step, here.point.intercept)
    accepted = backtrack(problem, here, there)
    whole = quadratic.expand(problem, accepted.point)
    np.testing.assert_array_equal(accepted.score, whole.score)
    assert accepted.intercept_score == whole.intercept_score
    assert accepted.loss == whole.loss


def test_objective_is_loss_plus_penalty():
    problem = build("poisson", 0.5)
    here = start(problem)
    cost = problem.inner_penalty.value(here.point.coef, ALPHA)
    assert objective(problem, here) == here.loss + cost
