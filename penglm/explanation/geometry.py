"""Loss against penalty for two coefficients: where the contours touch the body.

With all other coefficients held, a solution minimises the loss plus the penalty of two
of them. So it also minimises the loss among all pairs that cost no more than it does,
which is the picture: the contour of the loss through the solution touches the body of
these pairs there and nowhere enters it. It does not depend on the family.
"""

from dataclasses import dataclass, replace

import numpy as np

from penglm._typing import Index, Matrix, Vector
from penglm.engines import Block
from penglm.exceptions import PenglmInputError
from penglm.explanation.refits import Refits
from penglm.explanation.terms import Terms
from penglm.penalties.elastic_net import ElasticNet
from penglm.solver.null import fit_null
from penglm.solver.problem import Problem
from penglm.solver.solution import Solution, Status

# Pairs on each side of the grid; of many rows a spline makes do with fewer.
GRID, COARSE = 25, 13
MANY_ROWS = 20_000
# Room around what the picture shows, as a share of its sides.
MARGIN = 0.15
# What lies more than this many times as far out as the body is out of the picture.
FAR = 4.0
# Numbers held at once while the loss is evaluated.
AT_ONCE = 2_000_000
# Newton steps of an intercept, and the share of the loss that is not worth another.
STEPS = 60
ENOUGH = 1e-10


@dataclass(frozen=True, eq=False)
class Geometry:
    """The loss and the penalty of two coefficients around a solution.

    Coefficients are in the units in which they are penalised.

    Attributes
    ----------
    fit : Vector (2,)
    fit_loss : float
        Mean half-deviance at the fit.
    least : Vector (2,) or None
        The pair of least loss; None where the loss falls for ever.
    budget : float
        What the pair costs at the fit, for each unit of strength.
    l1_ratio : float
    factor : Vector (2,)
    x, y : Vector (m,)
        Values of the first and of the second coefficient.
    loss : Matrix (m, m)
        By ``y`` and ``x``, the intercept refitted; inf where some row has no mean.
    """

    fit: Vector
    fit_loss: float
    least: Vector | None
    budget: float
    l1_ratio: float
    factor: Vector
    x: Vector
    y: Vector
    loss: Matrix


def geometry(refits: Refits, terms: Terms, names: tuple[str, ...]) -> Geometry:
    """Return the geometry of two columns.

    Parameters
    ----------
    refits : Refits
    terms : Terms
    names : tuple of str
        Two columns.

    Raises
    ------
    PenglmInputError
        If the penalty is not an elastic net, the strength is infinite, the names are
        not those of two columns that may have a coefficient, both coefficients are
        zero, or neither is penalised.
    """
    problem, solution = refits.problem, refits.solution
    penalty = problem.penalty
    columns = pair(problem, terms, names)
    if not isinstance(penalty, ElasticNet) or not solution.alpha < np.inf:
        raise PenglmInputError(
            "the body of a penalty is drawn for the elastic net at a finite strength.",
            argument="penalty",
        )
    coef, factor = solution.coef[columns], penalty.factor[columns]
    budget = penalty.value(coef, 1.0, columns)
    if not budget > 0.0:
        why = "are zero" if factor.any() else "are not penalised"
        raise PenglmInputError(
            f"'{names[0]}' and '{names[1]}' both {why}, so their budget is nothing to "
            "draw; choose a column that is penalised and not zero.",
            argument="names",
        )
    fit, n_obs = coef * problem.penalty_scale[columns], problem.engine.n_obs
    least = least_loss(refits, penalty, columns)
    reach = np.array([extent(f, penalty.l1_ratio, budget) for f in factor])
    x, y = window(fit, least, reach, GRID if n_obs <= MANY_ROWS else COARSE)
    pairs = np.array([(a, b) for b in y for a in x])
    loss = profile(problem, solution, columns, pairs).reshape(y.size, x.size)
    (fit_loss,) = profile(problem, solution, columns, fit[None])
    return Geometry(
        fit, float(fit_loss), least, budget, penalty.l1_ratio, factor, x, y, loss
    )


def pair(problem: Problem, terms: Terms, names: tuple[str, ...]) -> Index:
    """Return the places of two different columns that may have a coefficient."""
    found = np.concatenate([terms.places(name) for name in names])
    if found.size != 2 or found[0] == found[1]:
        raise PenglmInputError(
            f"{', '.join(map(repr, names))}: two different columns are drawn. Of a "
            "term with several columns name one, as fit.params does.",
            argument="names",
        )
    for j in found[problem.penalty.is_fixed[found]]:
        raise PenglmInputError(
            f"the coefficient of '{terms.names[j]}' is fixed by its limits or left "
            "out of the model; choose another column.",
            argument="names",
        )
    return found


def largest(refits: Refits) -> Index:
    """Return the two columns of largest coefficients as they are penalised.

    Where only one is not zero, the zero that is nearest to entering stands beside it.

    Raises
    ------
    PenglmInputError
        If no penalised coefficient differs from zero, or there is one column only.
    """
    problem, solution = refits.problem, refits.solution
    usable = np.flatnonzero(~problem.penalty.is_fixed & ~problem.penalty.is_free)
    size = np.abs(solution.coef * problem.penalty_scale)[usable]
    if usable.size < 2 or not size.any():
        raise PenglmInputError(
            "the picture needs two penalised columns, one of them with a coefficient; "
            "choose a smaller alpha, or name two columns.",
            argument="names",
        )
    at = refits.signals(solution.alpha)
    near = np.abs(at.signal[usable]) - at.threshold[usable]
    return usable[np.lexsort((-near, -size))[:2]]


def least_loss(refits: Refits, penalty: ElasticNet, columns: Index) -> Vector | None:
    """Return the pair (2,) of least loss, all other coefficients held; None if none."""
    coef = refits.solution.coef
    factor, lower, upper = penalty.factor.copy(), coef.copy(), coef.copy()
    factor[columns], lower[columns], upper[columns] = 0.0, -np.inf, np.inf
    held = replace(penalty, factor=factor, lower=lower, upper=upper)
    problem = replace(refits.problem, penalty=held)
    outcome = fit_null(problem, refits.options).outcome
    if outcome.status is not Status.OPTIMAL:
        return None
    return outcome.warm.point.coef[columns] / refits.unit[columns]


def extent(factor: float, l1_ratio: float, budget: float) -> float:
    """Return how far a body reaches along an axis: all of the budget spent there."""
    if factor == 0.0:
        return np.inf
    l1, l2 = l1_ratio * factor, (1.0 - l1_ratio) * factor
    return float(2.0 * budget / (l1 + np.sqrt(l1**2 + 2.0 * l2 * budget)))


def window(
    fit: Vector, least: Vector | None, reach: Vector, grid: int
) -> tuple[Vector, Vector]:
    """Return values (m,) of both coefficients that show all there is to see."""
    sides = []
    for k in (0, 1):
        wide = float(reach[k]) if np.isfinite(reach[k]) else abs(float(fit[k]))
        seen = [0.0, float(fit[k]), -wide, wide]
        if least is not None:
            # As far beyond the least loss as the fit is on this side of it.
            beyond = 2.0 * float(least[k]) - float(fit[k])
            seen.append(float(np.clip(beyond, -FAR * wide, FAR * wide)))
        low, high = min(seen), max(seen)
        room = MARGIN * (high - low)
        sides.append(np.linspace(low - room, high + room, grid))
    return sides[0], sides[1]


def profile(
    problem: Problem, solution: Solution, columns: Index, pairs: Matrix
) -> Vector:
    """Return the least mean half-deviance (k,) at pairs of coefficients.

    Parameters
    ----------
    problem : Problem
    solution : Solution
        Where all other coefficients are held.
    columns : Index (2,)
    pairs : Matrix (k, 2)
        As they are penalised.

    Returns
    -------
    Vector (k,)
        Over intercepts, where the model has one; inf where the solution's own intercept
        gives some row no mean, or none was found.
    """
    many = max(1, AT_ONCE // max(1, problem.engine.n_obs))
    parts = [pairs[k : k + many] for k in range(0, len(pairs), many)]
    return np.concatenate([refitted(problem, solution, columns, p) for p in parts])


def refitted(
    problem: Problem, solution: Solution, columns: Index, pairs: Matrix
) -> Vector:
    """Return the same by damped Newton steps of all intercepts at once."""
    point = problem.point(solution.intercept, solution.coef)
    coefs = np.tile(point.coef[:, None], len(pairs))
    coefs[columns] = (pairs * (problem.scale / problem.penalty_scale)[columns]).T
    support, family = np.flatnonzero(coefs.any(axis=1)), problem.family

    def look(intercept: Vector) -> Matrix:
        def sums(block: Block) -> tuple[Matrix]:
            product = problem.columns_of(block).linear_predictor(
                coefs[support], support
            )
            # All pairs at once, one after the other.
            eta = (product + block.offset[:, None] + intercept).T.ravel()
            y = np.tile(block.y, len(pairs))
            loss, slope, bend = family.working_terms(y, eta)
            if not family.is_canonical:
                # Steps by expected derivatives hardly get anywhere from afar.
                bend = family.curvature(y, eta)
            each = np.stack([loss, slope, bend]).reshape(3, len(pairs), -1)
            return (each @ block.sample_weight,)

        (total,) = problem.engine.sum(sums)
        return total / problem.weight_total

    intercept = np.full(len(pairs), point.intercept)
    loss, slope, bend = look(intercept)
    if not problem.fit_intercept:
        return loss
    share = np.ones(len(pairs))
    for _ in range(STEPS):
        step = np.divide(slope, bend, out=np.zeros_like(slope), where=bend > 0.0)
        going = np.isfinite(loss) & (np.abs(step * slope) * share > ENOUGH * loss)
        if not going.any():
            return loss
        tried = intercept + np.where(going, share * step, 0.0)
        new_loss, new_slope, new_bend = look(tried)
        better = going & (new_loss <= loss)
        intercept = np.where(better, tried, intercept)
        loss = np.where(better, new_loss, loss)
        slope, bend = (
            np.where(better, new_slope, slope),
            np.where(better, new_bend, bend),
        )
        share = np.where(better, 1.0, 0.5 * share)
    return np.where(going, np.inf, loss)
