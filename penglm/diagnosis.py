"""From the statuses of solutions to the warnings a user sees, one for each cause."""

from collections.abc import Mapping, Sequence

import numpy as np

from penglm._typing import Vector
from penglm.exceptions import (
    ConstantColumnWarning,
    ConvergenceError,
    ConvergenceWarning,
    NoFiniteSolutionError,
    RankWarning,
    ScalingWarning,
    SeparationWarning,
    warn,
)
from penglm.explanation.scaling import ScalingAdvice, Spread
from penglm.solver.newton import dependent_columns
from penglm.solver.outcome import Options
from penglm.solver.problem import Problem
from penglm.solver.solution import Solution, Status

MOST_NAMED = 10
# Sentences about single columns in a warning.
MOST_CHANGES = 3


def tell(
    solutions: Sequence[Solution],
    problem: Problem,
    names: Sequence[str],
    options: Options,
) -> None:
    """Warn about solutions that are not what was asked for, or raise.

    Raises
    ------
    NoFiniteSolutionError, ConvergenceError
        In place of the warning of that cause, if the options say so.

    Warns
    -----
    SeparationWarning
        If the likelihood has no finite maximum.
    RankWarning
        If an unpenalised solution is not unique.
    ConvergenceWarning
        If a certificate misses the tolerance.
    """
    for solution in solutions:
        if solution.status is Status.NO_FINITE_SOLUTION:
            direction = described(solution.coef * problem.scale, names)
            way_out = "Use alpha > 0"
            if solution.alpha > 0.0:
                way_out = "Penalise those columns (penalty_factor > 0)"
            text = (
                "the likelihood rises without limit along some direction of the "
                "unpenalised coefficients (separated classes, or counts of a group "
                f"that are all zero), near {direction}; they have no finite optimum. "
                f"{way_out}."
            )
            if options.on_nonconvergence == "raise":
                raise NoFiniteSolutionError(text, argument="alpha")
            warn(text, SeparationWarning)
            return
    tell_rank(solutions, problem, names)
    missed = [s for s in solutions if s.status is not Status.OPTIMAL]
    if missed:
        worst = max(missed, key=lambda s: s.certificate.kkt_residual)
        steps = "1 IRLS step" if worst.n_iter == 1 else f"{worst.n_iter} IRLS steps"
        way_out = "Standardize the columns, or raise max_iter"
        if len(solutions) == 1:
            way_out = (
                "Fit a path down to this alpha, standardize the columns, or raise "
                "max_iter"
            )
        text = (
            f"{steps} left a KKT violation of "
            f"{worst.certificate.kkt_residual:.1e} of alpha (tol asks for "
            f"{options.tol:.1e}) at alpha = {worst.alpha:.4g}. {way_out}."
        )
        tell_unconverged(text, options)


def tell_unconverged(text: str, options: Options) -> None:
    """Warn of what did not converge.

    Raises
    ------
    ConvergenceError
        In place of the warning, if the options say so.
    """
    if options.on_nonconvergence == "raise":
        raise ConvergenceError(text)
    warn(text, ConvergenceWarning)


def tell_budget(
    solution: Solution, budget: float, cost: float, options: Options
) -> None:
    """Warn about a solution that is optimal and leaves a budget unspent.

    Raises
    ------
    ConvergenceError
        As ``tell_unconverged`` does.
    """
    reason = "next to it solutions cost more, with nothing between in double precision"
    if not solution.certificate.is_convex:
        reason = "next to it solutions jump beyond, since the loss is not convex"
    text = (
        f"the solution at alpha = {solution.alpha:.4g} costs {cost:.6g} of the budget "
        f"{budget:.6g}, and {reason}. Pass alpha, or another budget."
    )
    tell_unconverged(text, options)


def tell_rank(
    solutions: Sequence[Solution], problem: Problem, names: Sequence[str]
) -> None:
    """Warn if columns depend on each other and nothing penalises them."""
    ranks = [s.rank for s in solutions if s.rank is not None and s.alpha < np.inf]
    n_moving = int((~problem.penalty.is_fixed).sum())
    if not ranks or min(ranks) >= n_moving:
        return
    dependent = [names[j] for j in dependent_columns(problem)]
    warn(
        f"design has rank {min(ranks)} < {n_moving} at alpha=0; minimum-norm solution "
        f"returned. Dependent columns: {listed(dependent)}.",
        RankWarning,
    )


def tell_constant(names: Sequence[str], coef: Vector) -> None:
    """Warn about columns (m,) that say nothing beside an intercept."""
    if names:
        many = len(names) > 1
        value = "at the limit next to 0" if np.any(coef) else "0"
        warn(
            f"column{'s' * many} {listed(names)} {'are' if many else 'is'} constant; "
            f"{'their coefficients are' if many else 'its coefficient is'} {value}.",
            ConstantColumnWarning,
        )


def tell_empty(terms: Mapping[str, slice]) -> None:
    """Warn about terms of a formula that have no column, as factors of one level."""
    empty = [name for name, place in terms.items() if place.start == place.stop]
    if empty:
        many = len(empty) > 1
        warn(
            f"term{'s' * many} {listed(empty)} {'have' if many else 'has'} no column: "
            "a factor of one level says nothing beside the other terms.",
            ConstantColumnWarning,
        )


def tell_scaling(
    spread: Spread, sd: Vector, names: Sequence[str], advice: ScalingAdvice | None
) -> None:
    """Warn about units that lie far apart, with what they decide if it is known."""
    low, high = spread.smallest, spread.largest
    said = [
        f"the columns are not standardised and their units lie far apart: standard "
        f"deviations go from {sd[low]:.4g} ({names[low]}) to {sd[high]:.4g} "
        f"({names[high]}), and the penalty falls hardest on the smallest."
    ]
    if advice is not None:
        changes = advice.changes if advice.changed else ["No other would be chosen."]
        said.extend(changes[:MOST_CHANGES])
        if len(changes) > MOST_CHANGES:
            said.append("And so on.")
    said.append(
        "Pass standardize=True, or ask scaling_advice() of a fit what would change."
    )
    warn(" ".join(said), ScalingWarning)


def described(direction: Vector, names: Sequence[str]) -> str:
    """Return a direction as a sum of its largest parts."""
    largest = float(np.abs(direction).max(initial=0.0))
    order = np.argsort(-np.abs(direction), kind="stable")[:3]
    parts = [
        f"{direction[j] / largest:.2g}*{names[j]}"
        for j in order
        if abs(direction[j]) > 0.05 * largest
    ]
    return " + ".join(parts) + " (in units of their sd)"


def listed(names: Sequence[str]) -> str:
    """Return names for a sentence, the first few of many."""
    shown = ", ".join(names[:MOST_NAMED])
    more = len(names) - MOST_NAMED
    return f"{shown} and {more} more" if more > 0 else shown
