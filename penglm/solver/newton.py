"""Exact steps: an active-set Newton method on the support, and least squares.

Coordinate descent finds the signs quickly and the values slowly. Once the signs are
nearly right, the values solve a linear system. The active-set method walks from system
to system: it stops at the first coefficient that would change sign or pass a limit,
fixes it there, lets in the worst coordinate that wants to move, and ends at the exact
minimum of the quadratic.
"""

import numpy as np
from scipy import linalg

from penglm._typing import Array, Index, Matrix, Vector
from penglm.interruption import serve
from penglm.penalties import PenaltyTerms
from penglm.solver.factor import SMALLEST_PIVOT, Factor
from penglm.solver.problem import Problem
from penglm.solver.solution import Point

LARGEST_SUPPORT = 2000
MOST_CHANGES = 4000
# Changes of the support between two chances to interrupt.
CHANGES_AT_ONCE = 200
# Rounds of iterative refinement; each gains the digits that the condition leaves.
REFINEMENTS = 3
# A column this much shorter once the others are removed depends on them.
DEPENDENT = 1e-10


def can_settle(terms: PenaltyTerms) -> bool:
    """Tell whether the penalty is piecewise quadratic, as the method needs."""
    return terms.kind == 0


def solve_positive(matrix: Matrix, right: Vector) -> Vector | None:
    """Solve a symmetric positive system; None if columns are nearly dependent."""
    square = np.diag(matrix)
    # Of a column without any variation rounding may leave less than nothing.
    if not np.all(square > 0):
        return None
    size = np.sqrt(square)
    scaled = matrix / np.outer(size, size)
    try:
        factor = linalg.cholesky(scaled, lower=True, check_finite=False)
    except linalg.LinAlgError:
        return None
    if np.diag(factor).min() ** 2 < SMALLEST_PIVOT:
        return None
    solution: Vector = linalg.cho_solve((factor, True), right / size) / size
    return solution


def settle(
    gram: Matrix,
    slope: Vector,
    coef: Vector,
    terms: PenaltyTerms,
    unit: Vector,
    tol: float,
    factor: Factor,
) -> tuple[Vector, Factor] | None:
    """Return the exact minimiser of the penalised quadratic, started at ``coef``.

    Parameters
    ----------
    gram : Matrix (at least k, at least k)
    slope : Vector (k,)
        Minus the derivative of the quadratic at ``coef``.
    coef : Vector (k,)
    terms : PenaltyTerms
    unit : Vector (k,)
    tol : float
    factor : Factor
        Of an earlier support, to be edited; it is used up.

    Returns
    -------
    (Vector (k,), Factor) or None
        None if the support is too large, its columns dependent, or the walk too long:
        coordinate descent has to go on.

    References
    ----------
    Lee, Battle, Raina and Ng (2007), Efficient sparse coding algorithms, NIPS 19
    ("feature-sign search"); here with limits, free coordinates and an l2 part.
    """
    found = walk(gram, slope.copy(), coef.copy(), terms, unit, tol, factor)
    if found is not None:
        return found
    # What coordinate descent left may depend on each other; a way that begins at the
    # null model keeps a support that does not.
    null = np.clip(0.0, terms.lower, terms.upper)
    moved = slope + gram[: coef.size, : coef.size] @ (coef - null)
    return walk(gram, moved, null, terms, unit, tol, Factor())


def walk(
    gram: Matrix,
    slope: Vector,
    coef: Vector,
    terms: PenaltyTerms,
    unit: Vector,
    tol: float,
    factor: Factor,
) -> tuple[Vector, Factor] | None:
    """Return the exact minimiser by a walk from ``coef``; both vectors change."""
    from penglm.kernels import active_set

    inside = (coef > terms.lower) & (coef < terms.upper)
    start = np.flatnonzero(inside & ((coef != 0.0) | (terms.l1 == 0.0)))
    room = min(len(gram), LARGEST_SUPPORT)
    ready = factor.covering(gram, start, terms.l2, room)
    if ready is None or ready.matrix is None:
        return None
    sign = np.where(coef != 0.0, np.sign(coef), np.sign(slope))
    k, edits = ready.count, ready.edits
    for _ in range(MOST_CHANGES // CHANGES_AT_ONCE):
        serve()
        end, k, changes = active_set.walk(
            gram, slope, coef, terms.l1, terms.l2, terms.lower, terms.upper, unit, tol,
            ready.matrix, ready.members, k, sign, CHANGES_AT_ONCE,
        )  # fmt: skip
        edits += changes
        if end == active_set.SETTLED:
            made = Factor(ready.matrix, ready.members, k, terms.l2, edits)
            return coef, made
        if end == active_set.REFUSED:
            return None
    return None


def least_squares(problem: Problem, here: Point) -> tuple[Point, int]:
    """Return the minimum-norm IRLS step of an unpenalised model, and its rank.

    Works on the weighted columns themselves, so that the condition number of the
    design is not squared, and refines the step with residuals in extended precision.

    Raises
    ------
    ValueError
        If the rows are not in memory as one block.

    Notes
    -----
    The step ``d`` and the weighted residual ``s`` solve ``s + A d = f, A's = 0``. Both
    are refined together, which needs a residual of that system in more digits than the
    factorisation of ``A`` has. Where a platform has no longer float the refinement
    changes nothing.

    References
    ----------
    Bjorck (1967), Iterative refinement of linear least squares solutions I, BIT 7.
    """
    block = problem.engine.whole()
    if block is None:
        raise ValueError("least squares needs all rows in one block")
    score_factor = problem.linearise(block, here).score_factor
    weight = block.sample_weight * problem.curvature(block, here)
    usable = np.flatnonzero(weight > 0.0)
    root = np.sqrt(weight[usable].astype(np.longdouble))
    target = (block.sample_weight * score_factor)[usable] / root
    moving = np.flatnonzero(~problem.penalty.is_fixed)
    dense = block.design.to_dense()[np.ix_(usable, moving)].astype(np.longdouble)
    columns = (dense - problem.center[moving]) / problem.scale[moving]
    if problem.is_quadratic:
        # The residual itself, not its rounded stand-in, so that digits can be gained.
        exact = columns @ here.coef[moving] + here.intercept
        target = (block.y[usable] - block.offset[usable] - exact) * root
    if problem.fit_intercept:
        columns = np.column_stack([np.ones_like(root), columns])
    step, rank = refined_least_squares(columns * root[:, None], target)
    coef, intercept = here.coef.copy(), here.intercept
    if problem.fit_intercept:
        intercept, step, rank = intercept + float(step[0]), step[1:], rank - 1
    coef[moving] += step
    return Point(coef, intercept), rank


def dependent_columns(problem: Problem) -> Index:
    """Return columns that are combinations of those before them."""
    block = problem.engine.whole()
    moving = np.flatnonzero(~problem.penalty.is_fixed)
    if block is None or not moving.size:
        return moving[:0]
    columns = (block.design.to_dense() - problem.center) / problem.scale
    columns = columns[:, moving] * np.sqrt(block.sample_weight)[:, None]
    # Without pivoting, so that a column is compared with its predecessors only.
    triangle = linalg.qr(columns, mode="r", check_finite=False)[0]
    size = np.zeros(moving.size)
    diagonal = np.abs(np.diag(triangle))
    size[: diagonal.size] = diagonal
    whole = np.linalg.norm(columns, axis=0)
    return moving[size <= DEPENDENT * whole]


def refined_least_squares(columns: Array, target: Array) -> tuple[Vector, int]:
    """Return the minimum-norm solution (k,) of extended-precision columns (n, k)."""
    left, size, right = linalg.svd(
        columns.astype(float), full_matrices=False, check_finite=False
    )
    cutoff = max(columns.shape) * np.finfo(float).eps * size.max(initial=0.0)
    rank = int(np.count_nonzero(size > cutoff))
    left, size, right = left[:, :rank], size[:rank], right[:rank]
    step = np.zeros(columns.shape[1], dtype=np.longdouble)
    residual = target.copy()
    for _ in range(REFINEMENTS + 1):
        above = (target - residual - columns @ step).astype(float)
        below = -(columns.T @ residual).astype(float)
        inside = (right @ below) / size
        along = left.T @ above
        step += right.T @ ((along - inside) / size)
        residual += above - left @ (along - inside)
    return step.astype(float), rank
