"""The model with nothing that is penalised, from which every path starts."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from penglm._typing import Index, Vector
from penglm.engines import Block
from penglm.exceptions import NoFiniteSolutionError, PenglmInputError
from penglm.families import Family
from penglm.solver import quadratic
from penglm.solver.irls import FREE_SHARPNESS, TARGET, solve
from penglm.solver.outcome import Options, Outcome
from penglm.solver.problem import Problem
from penglm.solver.quadratic import Curvature, Expansion
from penglm.solver.solution import Point, Status
from penglm.solver.working_set import Warm

# An intercept this near, in units of eta, is found by IRLS itself.
FEW_STEPS = 2.0
# A slope this small beside the sizes it is a sum of has no digits to spare for a tol.
SMALLEST_SLOPE = 1e6 * np.finfo(float).eps


@dataclass(frozen=True, eq=False)
class Null:
    """The model with nothing that is penalised, from which every path starts.

    Attributes
    ----------
    outcome : Outcome
        Intercept and free columns fitted, all else at the value nearest zero.
    deviance : float
        Of the intercept (and offset) alone.
    score_scale : float
        Largest slope over standardised columns at the intercept-only model.
    """

    outcome: Outcome
    deviance: float
    score_scale: float

    def warm(self, alpha_max: float) -> Warm:
        """Return the start it gives to a path that begins at ``alpha_max``."""
        return replace(self.outcome.warm, alpha=alpha_max)

    def knowing(self, curvature: Curvature) -> "Null":
        """Return the start of paths whose second derivatives are known beforehand."""
        warm = replace(self.outcome.warm, curvature=curvature)
        return replace(self, outcome=replace(self.outcome, warm=warm))


def fit_null(problem: Problem, options: Options, rows: Index | None = None) -> Null:
    """Fit the intercept alone, then the intercept with the free columns.

    ``rows`` (n,) are what the caller knows the problem's rows by, for errors.

    Raises
    ------
    PenglmInputError
        If the loss has no finite value or slope to start from.
    """
    options = replace(options, screen=False)
    start = first_point(problem, rows)
    is_free = problem.penalty.is_free
    with np.errstate(over="ignore", invalid="ignore"):
        here = quadratic.expand(problem, start)
        outcome, scale = solve_alone(problem, here, options)
    if not np.isfinite(scale):
        raise no_unit(problem, start, rows)
    deviance = 2.0 * outcome.loss * problem.weight_total
    if is_free.any():
        held = replace(problem, penalty=problem.penalty.held(~is_free))
        outcome = solve(held, 0.0, outcome.warm, scale, options)
        # What was held has slopes too, and nobody kept them up to date.
        here = quadratic.expand(problem, outcome.warm.point)
        outcome = replace(outcome, warm=replace(outcome.warm, here=here))
    # The Gram of the free columns alone is not worth keeping; their slopes are.
    here = outcome.here
    warm = Warm(here.point, 0.0, here.score, here=here)
    return Null(replace(outcome, warm=warm), deviance, scale)


def null_at(problem: Problem, intercept: float, coef: Vector) -> Null:
    """Return a start at a point in the units of the data, for which nothing is solved.

    For problems whose coefficients, all zero, have no mean; ``coef`` (p,) has one in
    every row.
    """
    here = quadratic.expand(problem, problem.point(intercept, coef))
    warm = Warm(here.point, 0.0, here.score, here=here)
    outcome = Outcome(warm, Status.OPTIMAL, here.loss, 0, (here.loss,))
    deviance = 2.0 * here.loss * problem.weight_total
    return Null(outcome, deviance, score_scale(problem, here))


def solve_alone(
    problem: Problem, start: Expansion, options: Options
) -> tuple[Outcome, float]:
    """Fit the intercept while every column is held; return also the largest slope.

    The steps need no column but those whose limits keep them away from zero; the
    slopes of all are looked at once more at the end.
    """
    scale, few = score_scale(problem, start), start.point.support
    # What the loop below would ask first, and most often the last.
    if abs(start.intercept_score) <= TARGET * options.tol * FREE_SHARPNESS * scale:
        warm = Warm(start.point, 0.0, start.score, here=start)
        return Outcome(warm, Status.OPTIMAL, start.loss, 0, (start.loss,)), scale
    everyone = np.ones(problem.n_features, dtype=np.bool_)
    held = replace(problem, penalty=problem.penalty.held(everyone))
    here = start.take(few)
    warm = Warm(here.point, 0.0, here.score, here=here)
    outcome = solve(held.narrowed(few), 0.0, warm, scale, options)
    here = start
    if outcome.n_iter > 0:
        point = Point(start.point.coef, outcome.warm.point.intercept)
        here = quadratic.expand(problem, point)
        scale = score_scale(problem, here)
    warm = Warm(here.point, 0.0, here.score, here=here)
    return replace(outcome, warm=warm), scale


def first_point(problem: Problem, rows: Index | None = None) -> Point:
    """Return a point with a finite loss: null coefficients and a mean intercept.

    Raises
    ------
    PenglmInputError
        If the link's domain excludes every intercept tried.
    NoFiniteSolutionError
        If the mean response lies above all means that the link has.
    """
    coef = problem.inner_penalty.null_coef

    def loss(intercept: float) -> float:
        point = Point(coef, intercept)
        return quadratic.loss_at(problem, point)

    start, is_far = 0.0, False
    if problem.fit_intercept:
        wish, center, spread = mean_predictor(problem, coef)
        start = wish - center
        is_far = spread > FEW_STEPS and not problem.is_quadratic
    is_valid = bool(np.isfinite(loss(start)))
    if problem.fit_intercept and (is_far or not is_valid):
        start = lowest(loss, start, abs(wish) + abs(center) + spread)
        is_valid = bool(np.isfinite(loss(start)))
    if is_valid:
        return Point(coef, start)
    raise no_start(problem, Point(coef, start), rows)


def no_start(problem: Problem, point: Point, rows: Index | None) -> PenglmInputError:
    """Return the error for a problem that is defined nowhere it was tried."""
    family = problem.family
    domain, need = family.link.domain, family.mu_range
    tried, way_out = "no intercept gives", "Use another link"
    if not problem.fit_intercept:
        tried, way_out = "coefficients of zero give no", f"{way_out}, or an intercept"
    place, index, block = "some row", None, problem.engine.whole()
    if block is not None:
        loss = family.working_terms(block.y, problem.eta(block, point))[0]
        i = int(np.isfinite(loss).argmin())
        if rows is not None:
            index = int(rows[i])
            place = f"row {index}"
        place += f" (y = {block.y[i]:g}, offset = {block.offset[i]:g})"
    return PenglmInputError(
        f"link '{family.link.name}' needs mu in {domain if domain in need else need}: "
        f"{tried}{' a' if problem.fit_intercept else ''} valid mean for {place}. "
        f"{way_out}.",
        argument="link",
        index=index,
    )


def no_unit(problem: Problem, point: Point, rows: Index | None) -> PenglmInputError:
    """Return the error for slopes too large to be added, a violation beside them 0."""
    place, index, block = "some row", None, problem.engine.whole()
    if block is not None:
        eta = problem.eta(block, point)
        i = int(np.abs(eta).argmax())
        index = i if rows is None else int(rows[i])
        place = f"row {index} (linear predictor {eta[i]:g}, offset {block.offset[i]:g})"
    return PenglmInputError(
        f"the loss of the model without coefficients is too steep for double "
        f"precision, in {place} most of all; take a constant off the offset, or fit "
        "an intercept.",
        argument="offset",
        index=index,
    )


def mean_predictor(problem: Problem, coef: Vector) -> tuple[float, float, float]:
    """Return eta at the mean response, and mean and sd of eta without an intercept.

    The mean of eta is taken over means where they vary.
    """
    base = Point(coef, 0.0)

    def first(block: Block) -> tuple[float, float]:
        return block.total(block.y), block.total(problem.eta(block, base))

    response, predictor = problem.engine.sum(first)
    mean = float(response) / problem.weight_total
    refuse_beyond(mean, problem.family)
    wish = problem.family.eta_near(mean)
    center = predictor / problem.weight_total

    def second(block: Block) -> tuple[float]:
        return (block.total((problem.eta(block, base) - center) ** 2),)

    (square,) = problem.engine.sum(second)
    spread = float(np.sqrt(square / problem.weight_total))
    if spread > 0.0:
        center = predictor_at_mean(problem, base, center)
    return wish, center, spread


def refuse_beyond(mean: float, family: Family) -> None:
    """Raise if the mean response lies above every mean that the link has."""
    top = family.link.domain.high
    if family.mu_range.high > top and mean >= top:
        raise NoFiniteSolutionError(
            f"link '{family.link.name}' gives means below {top:g}, but the mean of y "
            f"is {mean:.6g}: the intercept has no finite value (it tends to +inf). Use "
            f"the link '{family.default_link.name}'.",
            argument="link",
        )


def predictor_at_mean(problem: Problem, base: Point, otherwise: float) -> float:
    """Return eta at the mean of the means; under a log link that shift is exact."""
    link = problem.family.link

    def mean(block: Block) -> tuple[float]:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            mu = link.inverse(problem.eta(block, base))
        return (block.total(mu),)

    (total,) = problem.engine.sum(mean)
    mu = np.array([total / problem.weight_total])
    if not (np.isfinite(mu) & link.domain.contains(mu)).all():
        return otherwise
    eta = float(link(mu)[0])
    return eta if np.isfinite(eta) else otherwise


def lowest(loss: Callable[[float], float], start: float, size: float) -> float:
    """Return an intercept near the least loss, by steps that are halved.

    Under offsets of a wide range IRLS would need a step for every unit of eta.
    """
    moves = (0.0, *(sign * 2.0**k for k in range(12) for sign in (1, -1)))
    tried = [start + move * size for move in moves]
    value, best = min((loss(intercept), intercept) for intercept in tried)
    step = size
    while step > FEW_STEPS and np.isfinite(value):
        step *= 0.5
        value, best = min((loss(best + way * step), best + way * step)
                          for way in (0.0, -1.0, 1.0))  # fmt: skip
    return best


def score_scale(problem: Problem, here: Expansion) -> float:
    """Return the largest slope over standardised columns, or the size of its rounding.

    Where the response is constant every slope is rounding noise; measured against
    itself, noise would look like a violation.
    """
    # Not a number where slopes overflow, which no comparison may pass over.
    largest = float(np.abs(here.score).max(initial=0.0))

    def noise(block: Block) -> tuple[float]:
        eta = problem.eta(block, here.point)
        _, score_factor, weight = problem.family.working_terms(block.y, eta)
        size = np.abs(eta) if problem.is_quadratic else np.abs(eta) + 1.0
        parts = weight * size + np.abs(score_factor)
        return (block.total(parts),)

    (total,) = problem.engine.sum(noise)
    floor = SMALLEST_SLOPE * float(total / problem.weight_total)
    return float(np.maximum(largest, floor)) or 1.0
