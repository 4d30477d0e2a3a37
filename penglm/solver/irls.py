"""The outer loop: proximal Newton steps until the optimality conditions hold.

Linearise the loss (``quadratic``), look for violators (``working_set``), solve the
penalised quadratic on the coordinates in play (``coordinate_descent``), accept the step
if the objective falls (``line_search``). The loop ends when no coordinate of all p
violates its condition; how little the coefficients moved is never asked.
"""

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from penglm._typing import Index, Mask, Vector
from penglm.interruption import serve
from penglm.solver import (
    compressed,
    coordinate_descent,
    extrapolation,
    line_search,
    newton,
    quadratic,
)
from penglm.solver import working_set as ws
from penglm.solver.coordinate_descent import MOST_SWEEPS, Step
from penglm.solver.outcome import Options, Outcome
from penglm.solver.problem import Problem
from penglm.solver.quadratic import Curvature, Expansion
from penglm.solver.solution import Point, Status
from penglm.solver.working_set import Warm

# Working sets up to this size go by the covariance road.
LARGEST_GRAM = 2000
# The inner problem is solved this much better than the outer point is known to be.
FORCING = 0.1
# The loop aims at this share of the tolerance, so that rounding has room.
TARGET = 0.5
# Newton steps cost little once they converge: coordinates without a threshold, free or
# under ridge alone, go further than asked.
FREE_SHARPNESS = 1e-5
RIDGE_SHARPNESS = 1e-3
# An unpenalised design with fewer numbers than this may be factored orthogonally.
LARGEST_FACTORED = 50_000_000
# Least squares this small never goes by the Gram matrix, which squares the condition.
FACTORED_FIRST = 2_000_000
# A Gram matrix of k columns costs as much as k^2 / GRAM_PASSES columns of a slope.
GRAM_PASSES = 16
# With so many rows for each of few columns a Gram matrix of all of them pays at once.
ROWS_A_COLUMN = 5
LARGEST_WHOLE = 500
# A step with second derivatives of an earlier point has to do better than this.
SLOW = 0.1
# Walks over the rows that a step with new second derivatives takes, beside their own.
LEAST_WALKS = 2.0
# Fewer numbers than this are walked through faster than anything is learnt.
LEAST_NUMBERS = 1_000_000
# Steps in a row that change nothing but rounding before the loop gives up.
MOST_STALLED = 5
# What counts as a change: of the objective, and of the largest violation.
ROUNDING = 16 * np.finfo(float).eps
PROGRESS = 0.9
# A last step this long, in coefficients of columns with unit sd and as a share of the
# largest of them, is no convergence.
DRIFT = 1e-2
DRIFT_SHARE = 1e-3
# Of the null slope; so far from it only true Newton steps are taken.
NEAR = 1e-3
# What is left of the slope once the likelihood rises no more: a way that was merely
# blocked, at the edge of a link's range, has more.
FLAT = 1e-3


def solve(
    problem: Problem,
    alpha: float,
    start: Warm,
    score_scale: float,
    options: Options,
) -> Outcome:
    """Minimise the penalised objective at one strength.

    Parameters
    ----------
    problem : Problem
    alpha : float
    start : Warm
        The null model or the solution at a nearby, preferably larger, strength.
    score_scale : float
        Largest slope of the null model: the unit of free coordinates.
    options : Options

    Returns
    -------
    Outcome
        ``OPTIMAL`` only if every one of the p conditions was checked and holds.
    """
    is_free = problem.is_free(alpha)
    unit, beside_unit = aim(problem, alpha, score_scale)
    target = TARGET * options.tol
    here = extrapolation.begin(problem, alpha, start, is_led=options.lead)
    play = Play(
        problem, alpha, unit, is_free, options, start.curvature, start.is_bounded
    )
    status, history, stall = Status.MAX_ITER, [], Stall()
    while True:
        serve()
        history.append(line_search.objective(problem, here, alpha))
        violation = ws.violation(problem, here, alpha, unit)
        beside = abs(here.intercept_score) / beside_unit
        worst = max(violation.max(initial=0.0), beside)
        if worst <= target:
            status = Status.OPTIMAL
            break
        if len(history) > options.max_iter or play.n_sweeps > MOST_SWEEPS:
            break
        if stall.is_over(history[-1], worst, abs(history[-1]) + here.size):
            status = Status.OPTIMAL_INACCURATE
            break
        accepted = play.accept(here, play.move(here, violation, worst, target))
        if accepted is None and play.was_kept and not problem.is_quadratic:
            # Second derivatives of another point may lead uphill; those of this cannot.
            play.curvature = None
            accepted = play.accept(here, play.move(here, violation, worst, target))
        if accepted is None:
            status = Status.OPTIMAL_INACCURATE
            break
        here = accepted
    if not np.isfinite(here.loss):
        status = Status.NUMERICAL_ERROR
    elif play.is_drifting and FREE_SHARPNESS * worst <= FLAT:
        status = Status.NO_FINITE_SOLUTION
    warm = Warm(here.point, alpha, here.score, play.curvature, here, start.bare())
    return Outcome(warm, status, here.loss, len(history) - 1, tuple(history), play.rank)


def aim(problem: Problem, alpha: float, score_scale: float) -> tuple[Vector, float]:
    """Return the units (p,) of violations that the loop goes by, and the intercept's.

    What has no threshold goes further than a certificate asks: as far as the others,
    or where there are no others as far as Newton steps lead.
    """
    unit = problem.unit(alpha, score_scale)
    has_threshold = problem.inner_penalty.threshold(alpha) > 0.0
    unit = np.where(has_threshold, unit, RIDGE_SHARPNESS * unit)
    beside = FREE_SHARPNESS * score_scale
    if has_threshold.any():
        least = min(float(unit[has_threshold].min()), score_scale)
        beside = max(beside, least)
    return np.where(problem.is_free(alpha), beside, unit), beside


@dataclass
class Stall:
    """Notices steps that only move the rounding of what they are judged by."""

    objective: float = np.inf
    violation: float = np.inf
    count: int = 0

    def is_over(self, objective: float, violation: float, size: float) -> bool:
        """Tell whether it is time to give up; asked once a step."""
        # A start without a mean in some row has an objective, and a size, without end.
        is_known = np.isfinite(objective)
        falls = is_known and objective < self.objective - ROUNDING * size
        improves = violation < PROGRESS * self.violation
        self.count = 0 if falls or improves else self.count + 1
        self.objective = min(objective, self.objective)
        self.violation = min(violation, self.violation)
        return self.count >= MOST_STALLED


@dataclass(eq=False)
class Play:
    """The coordinates in play during one solve, and what is known about them."""

    problem: Problem
    alpha: float
    unit: Vector
    is_free: Mask
    options: Options
    curvature: Curvature | None
    is_bounded: bool = False
    working: Index = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    was_kept: bool = False
    before: float = np.inf
    rank: int | None = None
    is_drifting: bool = False
    n_sweeps: int = 0

    def move(
        self, here: Expansion, violation: Vector, worst: float, target: float
    ) -> Point:
        """Return the minimiser of the model over the working set."""
        free = self.is_free
        self.judge(violation, target)
        self.working = ws.grow(
            self.working, here, violation, is_free=free, target=target
        )
        if self.options.road != "covariance":
            self.working = compressed.widen(
                self.problem, here, self.working, self.alpha
            )
        self.before = self.inside(violation)
        tol = target
        if not self.problem.is_quadratic and not self.is_secant:
            tol = max(target, FORCING * min(worst, 1.0) * worst)
        if self.working.size and free[self.working].all():
            there = self.unpenalised(here)
            if there is not None:
                self.watch(here.point, there)
                return there
        step = self.penalised(here, violation, FORCING * tol)
        self.n_sweeps += step.n_sweeps
        coef = here.point.coef.copy()
        coef[self.working] = step.coef
        there = Point(coef, here.point.intercept + step.intercept_change)
        self.watch(here.point, there)
        return there

    def penalised(self, here: Expansion, violation: Vector, tol: float) -> Step:
        """Solve the subproblem by the road that suits the working set."""
        whole = self.problem.engine.whole()
        naive = self.options.road == "naive" or (
            self.options.road == "auto" and self.working.size > LARGEST_GRAM
        )
        if whole is not None and self.options.road != "covariance":
            fits = compressed.suits(whole.design, self.working, is_asked=naive)
            if fits or naive:
                sub = coordinate_descent.state(
                    self.problem, here, self.working, self.alpha, self.unit, tol
                )
                if not fits:
                    return coordinate_descent.on_columns(sub, self.problem, whole, here)
                sub = replace(sub, tol=compressed.EASE * tol)
                return compressed.on_compressed(sub, self.problem, whole, here)
        curvature = self.second(here)
        self.working = curvature.columns
        wrong = (violation > 0.0) & (here.point.coef == 0.0)
        sub = coordinate_descent.state(
            self.problem, here, self.working, self.alpha, self.unit, tol,
            n_entering=int(np.count_nonzero(wrong[self.working])),
        )  # fmt: skip
        step = coordinate_descent.on_gram(sub, curvature)
        self.curvature = replace(curvature, factor=step.factor)
        return step

    def second(self, here: Expansion) -> Curvature:
        """Return second derivatives over the working set, reusing what still holds.

        Where the loss is not quadratic they may belong to an earlier point. The slope
        is always exact, so that only the length of the way depends on them, and a pass
        for the slope costs far less than a Gram matrix of many columns. The result may
        hold more columns than the working set; all of them are then in play.
        """
        known = self.curvature
        if not self.problem.is_quadratic and not self.is_secant:
            is_dear = self.working.size**2 > GRAM_PASSES * here.score.size
            # Where the likelihood rises for ever only true Newton steps show it.
            if not is_dear or (self.is_free.any() and not self.is_near):
                known = None
        self.was_kept = known is not None
        point = here.point if known is None else known.point
        wanted = self.movable if self.is_whole else self.working
        return quadratic.curve(self.problem, point, wanted, known)

    @cached_property
    def is_whole(self) -> bool:
        """Whether second derivatives of all columns are taken at once.

        Of a quadratic loss they replace every further pass. Of another they are
        corrected by what each step shows, which costs less than a pass.
        """
        p, n_obs = self.problem.n_features, self.problem.engine.n_obs
        return (
            self.options.whole
            and self.movable.size > 0
            and p <= LARGEST_WHOLE
            and n_obs >= ROWS_A_COLUMN * p
            and self.options.road != "naive"
            and (self.problem.fit_intercept or not self.problem.is_quadratic)
            and (self.is_secant or self.problem.is_quadratic)
        )

    @property
    def is_near(self) -> bool:
        """Whether free coordinates are so near that kept derivatives would do."""
        return FREE_SHARPNESS * self.before <= NEAR

    def is_slow(self, before: float, now: float, target: float) -> bool:
        """Tell whether a step left so much of a violation that new derivatives pay.

        Those that learn from steps go on at the same rate or a better one. The way
        that is left is compared with that of a Gram matrix and the steps after it.
        """
        if not self.is_secant or now >= before:
            return now > SLOW * before
        if now <= target:
            return False
        n_walks = np.log(now / target) / np.log(before / now)
        return bool(n_walks > self.dear + LEAST_WALKS)

    @cached_property
    def dear(self) -> float:
        """How many walks over the rows a Gram matrix of all columns costs."""
        whole = self.problem.engine.whole()
        return np.inf if whole is None else float(whole.design.gram_passes)

    @cached_property
    def is_secant(self) -> bool:
        """Whether second derivatives are corrected by the steps taken."""
        p, n_obs = self.problem.n_features, self.problem.engine.n_obs
        return (
            self.options.secant
            and not self.problem.is_quadratic
            and 0 < p <= LARGEST_WHOLE
            and n_obs >= ROWS_A_COLUMN * p
            and n_obs * p >= LEAST_NUMBERS
            and self.movable.size > 0
            and (self.is_bounded or not self.is_free.any())
        )

    def accept(self, here: Expansion, there: Point) -> Expansion | None:
        """Return where the step leads, halved if need be; None if nowhere.

        Of a quadratic loss whose Gram matrix is known the end of a step is known too.
        """
        known = self.curvature
        n_known = 0 if known is None else known.columns.size
        is_whole = known is not None and n_known == self.movable.size and self.is_whole
        if known is not None and is_whole and self.problem.is_quadratic:
            return quadratic.foresee(here, there, known)
        accepted = line_search.backtrack(self.problem, here, there, self.alpha)
        if known is not None and is_whole and accepted is not None:
            self.curvature = known.corrected(here, accepted)
        return accepted

    @cached_property
    def movable(self) -> Index:
        """Columns whose limits leave them a choice."""
        return np.flatnonzero(~self.problem.penalty.is_fixed)

    def inside(self, violation: Vector) -> float:
        """Return the largest violation in the working set."""
        return float(violation[self.working].max(initial=0.0))

    def judge(self, violation: Vector, target: float) -> None:
        """Forget second derivatives of an earlier point that lead too slowly."""
        if self.problem.is_quadratic or not self.was_kept:
            return
        if self.is_slow(self.before, self.inside(violation), target):
            self.curvature = None

    def unpenalised(self, here: Expansion) -> Point | None:
        """Return the Newton step of a model without any penalty, None if it has one."""
        problem = self.problem
        everyone = self.movable
        limits = problem.penalty.lower[everyone], problem.penalty.upper[everyone]
        if np.isfinite(limits).any() or everyone.size != self.working.size:
            return None
        n_numbers = problem.engine.n_obs * problem.n_features
        whole = problem.engine.whole()
        if problem.is_quadratic and whole is not None and n_numbers <= FACTORED_FIRST:
            point, self.rank = newton.least_squares(problem, here.point)
            return point
        self.curvature = curvature = self.second(here)
        self.working = curvature.columns
        sub = coordinate_descent.state(
            problem, here, self.working, self.alpha, self.unit, 0.0
        )
        step = coordinate_descent.on_support(sub, curvature)
        if step is not None:
            coef = here.point.coef.copy()
            coef[self.working] = step.coef
            return Point(coef, here.point.intercept + step.intercept_change)
        if whole is None or n_numbers > LARGEST_FACTORED:
            return None
        point, self.rank = newton.least_squares(problem, here.point)
        return point

    def watch(self, here: Point, there: Point) -> None:
        """Notice free coefficients that keep walking although their slope vanishes.

        At a finite minimum the last Newton steps shrink to nothing. Along a direction
        in which the likelihood rises for ever they keep their length while the slope
        decays, here by a factor e each.
        """
        if self.problem.is_quadratic or not self.is_free.any():
            return
        step = np.abs(there.coef - here.coef)[self.is_free]
        size = np.abs(there.coef)[self.is_free]
        # Many columns may share one direction; large ones may round that coarsely.
        is_long = step.sum() > DRIFT and step.max() > DRIFT_SHARE * size.max()
        self.is_drifting = bool(is_long)
