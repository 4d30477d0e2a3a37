"""A path of solutions: where it starts, which strengths it visits, when it stops."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from penglm import checks
from penglm._typing import Vector
from penglm.engines import Block
from penglm.exceptions import PenglmInputError
from penglm.solver import moments_certificate, pilot
from penglm.solver.certificate import Candidates, batch_size, certify
from penglm.solver.null import Null
from penglm.solver.outcome import Options, Outcome
from penglm.solver.problem import Problem
from penglm.solver.screening import solve_ahead
from penglm.solver.solution import Certificate, Solution, SparseVector, Status
from penglm.solver.working_set import Warm

# glmnet's rules (Friedman, Hastie and Tibshirani, 2010, section 2.5; glmnet.control):
# stop when nothing more is explained, but not before the fifth point.
LEAST_GAIN = 1e-5
ENOUGH_EXPLAINED = 0.999
LEAST_POINTS = 5
NOTHING = np.zeros(0)


def alpha_max(problem: Problem, null: Null) -> float:
    """Return the least strength at which the null model is optimal."""
    warm = null.outcome.warm
    return problem.inner_penalty.alpha_max(warm.point.coef, warm.score)


def alpha_grid(largest: float, n_alphas: int, alpha_min_ratio: float) -> Vector:
    """Return ``n_alphas`` strengths, evenly spaced in the logarithm, largest first."""
    grid = largest * alpha_min_ratio ** np.linspace(0.0, 1.0, n_alphas)
    grid[0] = largest
    return grid


def automatic_grid(
    problem: Problem, null: Null, n_alphas: int, alpha_min_ratio: float | None
) -> Vector:
    """Return the strengths of a path for which none were given.

    One of 0 where no strength makes a difference.
    """
    n_alphas = checks.whole(n_alphas, "n_alphas")
    ratio = 1e-2 if problem.engine.n_obs < problem.n_features else 1e-4
    if alpha_min_ratio is not None:
        ratio = checks.number(alpha_min_ratio, "alpha_min_ratio")
    if not 0.0 < ratio <= 1.0:
        raise PenglmInputError(
            f"alpha_min_ratio = {alpha_min_ratio}; it must lie in (0, 1].",
            argument="alpha_min_ratio",
        )
    largest = alpha_max(problem, null)
    return alpha_grid(largest, n_alphas if largest > 0.0 else 1, ratio)


def solve_path(
    problem: Problem,
    alphas: Sequence[float],
    null: Null,
    options: Options,
    *,
    stop_early: bool = False,
    start: Warm | None = None,
    on_point: Callable[[int], None] | None = None,
) -> list[Solution]:
    """Solve at descending strengths, each from the one before, and certify them all.

    Parameters
    ----------
    problem : Problem
    alphas : sequence of float
        Descending, finite, >= 0.
    null : Null
    options : Options
    stop_early : bool
        Whether to end, as glmnet does, once a step down explains nothing more.
    start : Warm, optional
        Where to start instead of the null model.
    on_point : callable, optional
        Told the number of points solved so far.

    Returns
    -------
    list of Solution
        On the original scale, shorter than ``alphas`` if stopped early.
    """
    # As many at a time as a certificate judges in one pass: coefficients of all points
    # side by side would be many numbers. A Gram matrix of all columns judges them all.
    is_known = moments_certificate.may_suit(problem, len(alphas))
    most = len(alphas) if is_known else batch_size(problem)
    solutions: list[Solution] = []
    waiting: list[Outcome] = []
    for outcome in trace(
        problem, alphas, null, options, stop_early=stop_early, start=start,
        on_point=on_point,
    ):  # fmt: skip
        waiting.append(outcome)
        if len(waiting) == most:
            solutions += finish(problem, waiting, null, options)
            waiting = []
    return [*solutions, *finish(problem, waiting, null, options)]


def trace(
    problem: Problem,
    alphas: Sequence[float],
    null: Null,
    options: Options,
    *,
    stop_early: bool = False,
    start: Warm | None = None,
    on_point: Callable[[int], None] | None = None,
) -> Iterator[Outcome]:
    """Solve as ``solve_path`` does, without certificates, on the solver's scale.

    Only the next point needs the slopes and second derivatives of one; they are left
    out of every outcome but the last.
    """
    if null.outcome.status is Status.NO_FINITE_SOLUTION:
        yield from nowhere(null, alphas[:1] if stop_early else alphas)
        return
    warm = start or null.warm(alpha_max(problem, null))
    if start is None and len(alphas) > 0:
        warm = pilot.lead(problem, float(alphas[0]), warm, null.score_scale, options)
    losses: list[float] = []
    while len(losses) < len(alphas):
        ahead = [float(alpha) for alpha in alphas[len(losses) :]]
        for outcome in solve_ahead(problem, ahead, warm, null.score_scale, options):
            warm = outcome.warm
            losses.append(outcome.loss)
            if on_point is not None:
                on_point(len(losses))
            is_over = stop_early and is_exhausted(problem, null, losses)
            if is_over or len(losses) == len(alphas):
                yield outcome
                return
            yield outcome.bare()


def nowhere(null: Null, alphas: Sequence[float]) -> Iterator[Outcome]:
    """Yield outcomes of a problem whose free columns run off at every strength."""
    point = null.outcome.warm.point
    for alpha in alphas:
        yield replace(null.outcome, warm=Warm(point, float(alpha), NOTHING))


def solve_at(
    problem: Problem,
    alpha: float,
    null: Null,
    options: Options,
    *,
    start: Warm | None = None,
) -> Solution:
    """Solve at one strength; an infinite one leaves only the free columns."""
    if alpha < np.inf:
        return solve_path(problem, [alpha], null, options, start=start)[0]
    held = problem.without_penalised()
    return replace(solve_path(held, [0.0], null, options)[0], alpha=alpha)


def with_gap(problem: Problem, solution: Solution, null: Null) -> Certificate:
    """Return the certificate of a solution with the gap that solving did without."""
    known = solution.certificate
    if known.duality_gap is not None or not known.is_convex:
        return known
    alpha = solution.alpha
    if not alpha < np.inf:
        problem, alpha = problem.without_penalised(), 0.0
    claim = Candidates(
        np.array([alpha]), np.array([solution.intercept]), solution.coef[:, None]
    )
    ((certificate, _),) = certify(problem, claim, null.score_scale)
    return certificate


def inside(problem: Problem, null: Null, outcome: Outcome) -> tuple[float, Vector]:
    """Return intercept and coefficients (p,) in the units of the data.

    Where an optimum lies at the end of a link's range the change of units may round it
    to the wrong side; it is then taken towards the null model until it has a loss.
    """
    intercept, coef = problem.original(outcome.warm.point)
    if problem.family.is_canonical:
        return intercept, coef
    there, ground = problem.original(null.outcome.warm.point)

    def between(share: float) -> tuple[float, Vector]:
        return intercept + share * (there - intercept), coef + share * (ground - coef)

    def loss(share: float) -> float:
        beside, inner = between(share)
        claim = Candidates(np.zeros(1), np.array([beside]), inner[:, None])

        def total(block: Block) -> tuple[float]:
            eta = claim.eta(block)[:, 0]
            terms = problem.family.working_terms(block.y, eta)
            return (block.total(terms[0]),)

        (value,) = problem.engine.sum(total)
        return float(value)

    for share in (0.0, *(2.0**power for power in range(-48, -8, 4))):
        if np.isfinite(loss(share)):
            return between(share)
    return intercept, coef


def is_exhausted(problem: Problem, null: Null, losses: list[float]) -> bool:
    """Tell whether the last step down the path explained nothing more."""
    if len(losses) < LEAST_POINTS or null.deviance <= 0.0:
        return False
    share = 2.0 * problem.weight_total / null.deviance
    before, now = (1.0 - share * loss for loss in losses[-2:])
    return now > ENOUGH_EXPLAINED or now - before < LEAST_GAIN * now


def claims(
    outcomes: Sequence[Outcome], original: Sequence[tuple[float, Vector]]
) -> Candidates:
    """Return points in the units of the data as what a certificate judges."""
    return Candidates(
        np.array([outcome.warm.alpha for outcome in outcomes]),
        np.array([intercept for intercept, _ in original]),
        np.array([coef for _, coef in original]).T,
    )


def finish(
    problem: Problem, outcomes: list[Outcome], null: Null, options: Options
) -> list[Solution]:
    """Bring outcomes to the original scale and let the certificate decide on them."""
    if not outcomes:
        return []
    original = [inside(problem, null, outcome) for outcome in outcomes]
    claimed = claims(outcomes, original)
    known, here = outcomes[-1].warm.curvature, null.outcome.here
    solutions: list[Solution] = []
    if known is not None and moments_certificate.suits(problem, len(outcomes), known):
        judged = moments_certificate.certify_from_gram(
            problem, claimed, here, known, null.score_scale, options.tol
        )
    else:
        judged = certify(problem, claimed, null.score_scale, with_gap=False)
    for outcome, (certificate, deviance), (intercept, coef) in zip(
        outcomes, judged, original, strict=True
    ):
        status = outcome.status
        if certificate.kkt_residual <= options.tol:
            if status is not Status.NO_FINITE_SOLUTION:
                status = Status.OPTIMAL
        elif status is Status.OPTIMAL:
            status = Status.OPTIMAL_INACCURATE
        solution = Solution(
            outcome.warm.alpha, intercept, SparseVector.of(coef), status, certificate,
            deviance, outcome.n_iter, outcome.history, outcome.rank,
        )  # fmt: skip
        solutions.append(solution)
    return solutions
