"""Who says what a column would have to say: an identity of the working model.

At a solution the loss is, to second order, weighted least squares of a working response
``z`` under working weights ``w``. With columns centred by these weights,

    (1/W) x_j' w z  =  sum_k (1/W) x_j' w x_k b_k  +  signal that remains

holds exactly, whatever the family. The left side is what column ``j`` would have to say
alone, each summand on the right what another column says in its place.
"""

from dataclasses import dataclass

import numpy as np

from penglm._typing import Index, Matrix, Vector
from penglm.engines import Block
from penglm.solver.problem import Problem
from penglm.solver.solution import Point, Solution


@dataclass(frozen=True, eq=False)
class Attribution:
    """Signals of some columns, and what active columns claim of them.

    Attributes
    ----------
    columns, active : Index (k,), Index (a,)
    null_signal : Vector (k,)
        With all coefficients at zero, in the working model at the solution.
    claims : Matrix (k, a)
        ``null_signal`` is their sum and what remains.
    remaining : Vector (k,)
    """

    columns: Index
    active: Index
    null_signal: Vector
    claims: Matrix
    remaining: Vector


def attribute(
    problem: Problem, solution: Solution, columns: Index, unit: Vector
) -> Attribution:
    """Return what active columns claim of the signals of ``columns``, in two passes.

    Parameters
    ----------
    problem : Problem
    solution : Solution
        Finite.
    columns : Index (k,)
    unit : Vector (p,)
        As in ``penglm.explanation.signal.signals``.
    """
    point = problem.point(solution.intercept, solution.coef)
    active = point.support

    def first(block: Block) -> tuple[float, float, Vector]:
        weight, _, response = working(problem, block, point)
        sums = problem.columns_of(block).gradient(weight)
        return float(weight.sum()), float(response.sum()), sums

    total, level, sums = problem.engine.sum(first)
    is_centred = problem.fit_intercept and total > 0.0
    center = sums / total if is_centred else np.zeros_like(sums)
    shift = level / total if is_centred else 0.0

    def second(block: Block) -> tuple[Vector, Vector, Matrix]:
        weight, score, response = working(problem, block, point)
        response = response - shift * weight
        design = problem.columns_of(block)
        rows = np.column_stack([response, score])
        moved = design.gradient(rows, columns)
        moved = moved - np.outer(center[columns], rows.sum(axis=0))
        gram = design.gram(weight, columns, active, center)
        return moved[:, 0], moved[:, 1], gram

    null_signal, remaining, gram = problem.engine.sum(second)
    scale = unit[columns] / problem.weight_total
    return Attribution(
        columns,
        active,
        null_signal * scale,
        gram * point.coef[active] * scale[:, None],
        remaining * scale,
    )


def working(
    problem: Problem, block: Block, point: Point
) -> tuple[Vector, Vector, Vector]:
    """Return weight, score and weight times response (n,) of the working model."""
    at = problem.linearise(block, point)
    weight = block.sample_weight * at.working_weight
    score = block.sample_weight * at.score_factor
    return weight, score, weight * (at.eta - block.offset) + score
