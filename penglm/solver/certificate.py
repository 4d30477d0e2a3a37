"""Proof of optimality from coefficients alone, on the original scale of the data.

Nothing here is shared with the loop that found them: the certificate starts from the
returned numbers, walks through the raw columns, and does its own arithmetic. So it
judges anyone's coefficients as well as ours.
"""

from dataclasses import dataclass

import numpy as np

from penglm._typing import Index, Mask, Matrix, Vector
from penglm.engines import Block
from penglm.solver.problem import KKT_FLOOR, Problem
from penglm.solver.solution import Certificate

# Solutions judged in one pass over the rows: as many as fit into so many numbers, or
# into a share of those of the design.
MOST_NUMBERS, SHARE = 500_000, 0.06
LEAST_BATCH, LARGEST_BATCH = 4, 100
# With more free columns than this the gap would cost more than the fit.
MOST_FREE = 200


@dataclass(frozen=True, eq=False)
class Candidates:
    """Claimed solutions of one problem.

    Attributes
    ----------
    alphas : Vector (m,)
    intercepts : Vector (m,)
    coefs : Matrix (p, m)
        In the units of the data.
    """

    alphas: Vector
    intercepts: Vector
    coefs: Matrix

    def eta(self, block: Block) -> Matrix:
        """Return linear predictors (n, m)."""
        support = np.flatnonzero(self.coefs.any(axis=1))
        product = block.design.linear_predictor(self.coefs[support], support)
        return block.offset[:, None] + self.intercepts + product

    def take(self, members: Index) -> "Candidates":
        """Return some of the candidates."""
        return Candidates(
            self.alphas[members], self.intercepts[members], self.coefs[:, members]
        )


# Anybody's coefficients are judged, those too of which no square is representable.
@np.errstate(over="ignore", invalid="ignore")
def certify(
    problem: Problem,
    candidates: Candidates,
    score_scale: float,
    *,
    with_gap: bool = True,
) -> list[tuple[Certificate, float]]:
    """Judge claimed solutions, a batch per pass over the rows.

    Parameters
    ----------
    problem : Problem
    candidates : Candidates
    score_scale : float
        Largest slope of the null model over standardised columns: the unit of free
        coordinates and of the intercept.
    with_gap : bool, default True
        Whether to bound the distance from the minimum, which takes more passes.

    Returns
    -------
    list of (Certificate, float)
        Each with the total deviance ``sum_i s_i d(y_i, mu_i)``.
    """
    m = candidates.alphas.size
    judged: dict[int, tuple[Certificate, float]] = {}
    unpenalised = candidates.alphas == 0.0
    batch = batch_size(problem)
    for group in (np.flatnonzero(unpenalised), np.flatnonzero(~unpenalised)):
        for first in range(0, group.size, batch):
            members = group[first : first + batch]
            part = judge(problem, candidates.take(members), score_scale, with_gap)
            judged.update(zip(members.tolist(), part, strict=True))
    return [judged[k] for k in range(m)]


def batch_size(problem: Problem) -> int:
    """Return how many solutions are judged in one pass."""
    n_obs, p = problem.engine.n_obs, problem.n_features
    room = max(MOST_NUMBERS, SHARE * problem.n_stored)
    return min(max(int(room / (n_obs + p)), LEAST_BATCH), LARGEST_BATCH)


def judge(
    problem: Problem, batch: Candidates, score_scale: float, with_gap: bool
) -> list[tuple[Certificate, float]]:
    """Return certificate and deviance of each candidate of a batch."""
    finite = np.isfinite(batch.coefs).all(axis=0) & np.isfinite(batch.intercepts)
    batch = Candidates(
        batch.alphas,
        np.where(finite, batch.intercepts, 0.0),
        np.where(finite, batch.coefs, 0.0),
    )
    correction = dual_correction(problem, batch) if with_gap else None
    loss, intercept_score, score, dual = sum_scores(problem, batch, correction)
    gaps = duality_gaps(problem, batch, correction, loss, dual)
    loss[~finite] = np.inf
    return [
        judgement(
            problem, batch.coefs[:, k], alpha, score_scale, float(loss[k]),
            float(intercept_score[k]), score[:, k], 0.0, gaps[k],
        )
        for k, alpha in enumerate(batch.alphas.tolist())
    ]  # fmt: skip


def judgement(
    problem: Problem,
    coef: Vector,
    alpha: float,
    score_scale: float,
    loss: float,
    intercept_score: float,
    score: Vector,
    slack: float,
    gap: float | None = None,
) -> tuple[Certificate, float]:
    """Return certificate and deviance of one point, from its loss and slopes.

    ``slack`` is how far the slopes may be wrong; it counts against the point.
    """
    size = coef * problem.scale
    residual, worst = kkt_residual(problem, size, score, alpha, score_scale, slack)
    beside = (abs(intercept_score) + slack) / score_scale
    if not beside <= residual:
        residual, worst = beside, -1
    objective = loss + problem.penalty.value(coef, alpha)
    is_finite = bool(np.isfinite(objective))
    certificate = Certificate(
        kkt_residual=residual if np.isfinite(residual) and is_finite else float("inf"),
        worst_column=worst,
        objective=objective,
        duality_gap=gap if is_finite else None,
        is_convex=problem.family.is_convex and problem.penalty.is_convex,
    )
    return certificate, 2.0 * loss * problem.weight_total


def kkt_residual(
    problem: Problem,
    coef: Vector,
    score: Vector,
    alpha: float,
    score_scale: float,
    slack: float = 0.0,
) -> tuple[float, int]:
    """Return the largest violation in units of thresholds, and its column.

    ``coef`` and ``score`` (p,) belong to columns with unit sd: a square of what belongs
    to columns of size 1e200 would not be representable.
    """
    penalty = problem.inner_penalty
    threshold = penalty.threshold(alpha)
    # Ridge has no threshold. What it adds to the curvature of a column with unit sd
    # says how far a slope left over can move a coefficient.
    pull = penalty.terms(alpha).l2
    share = np.where(pull > 0.0, np.clip(pull, KKT_FLOOR, 1.0), 1.0)
    unit = np.maximum(threshold, KKT_FLOOR * score_scale)
    unit = np.where(threshold > 0.0, unit, share * score_scale)
    distance = (penalty.subgradient_distance(coef, score, alpha) + slack) / unit
    outside = (coef < penalty.lower) | (coef > penalty.upper)
    distance = np.where(outside, np.inf, distance)
    worst = int(distance.argmax()) if distance.size else -1
    return (float(distance[worst]), worst) if worst >= 0 else (0.0, -1)


def sum_scores(
    problem: Problem, batch: Candidates, correction: "Correction | None"
) -> tuple[Vector, Vector, Matrix, Matrix]:
    """Return loss (m,), intercept score (m,), slope and dual slope (p, m).

    Slopes are taken on the raw columns, then centred and divided by their scale.
    """

    def scores(block: Block) -> tuple[Vector, Vector, Matrix]:
        eta = batch.eta(block)
        loss = np.empty(eta.shape[1])
        score = np.empty_like(eta)
        for k in range(loss.size):
            terms = problem.family.working_terms(block.y, eta[:, k])
            loss[k] = block.total(terms[0])
            usable = np.isfinite(loss[k])
            score[:, k] = block.sample_weight * terms[1] if usable else 0.0
        if correction is not None:
            score = np.hstack([score, dual_rows(problem, block, eta, correction)])
        return loss, score.sum(axis=0), block.design.gradient(score)

    loss, sums, score = problem.engine.sum(scores)
    m, total = loss.size, problem.weight_total
    # At a solution the centred slope equals the raw one; away from it, a wrong
    # intercept is reported once and not again through every column's mean.
    # Each candidate is judged by itself: its slopes had better lie together.
    score = np.asfortranarray(score)
    if problem.fit_intercept:
        score -= np.outer(sums, problem.center).T
    else:
        sums = np.zeros_like(sums)
    score /= problem.scale[:, None]
    score /= total
    return loss / total, sums[:m] / total, score[:, :m], score[:, m:]


@dataclass(frozen=True, eq=False)
class Correction:
    """Newton step of each candidate in the directions that cost nothing.

    A dual point has to be orthogonal to the intercept and to every free column,
    exactly; the slope at an approximate solution is so only approximately. A free
    column that a limit holds back keeps its slope: that is what the limit costs.

    Attributes
    ----------
    free : Index (f,)
    shift : Vector (m,)
        Change of the intercept.
    steps : Matrix (f, m)
        Change of the free coefficients, on centred columns with unit sd.
    pressed : Mask (f, m)
        Free coefficients that would go on if their limit let them.
    """

    free: Index
    shift: Vector
    steps: Matrix
    pressed: Mask

    def rows(self, problem: Problem, block: Block) -> Matrix:
        """Return the changes of eta (n, m)."""
        steps = self.steps / problem.scale[self.free, None]
        change = block.design.linear_predictor(steps, self.free)
        moved: Matrix = change + (self.shift - problem.center[self.free] @ steps)
        return moved


def dual_correction(problem: Problem, batch: Candidates) -> Correction | None:
    """Return the correction, or None where no duality gap can be given."""
    is_free = problem.penalty.is_free
    if batch.alphas[0] == 0.0:
        is_free = ~problem.penalty.is_fixed
    free = np.flatnonzero(is_free)
    is_convex = problem.family.is_convex and problem.penalty.is_convex
    if not is_convex or free.size > MOST_FREE:
        return None
    m = batch.alphas.size

    def normal(block: Block) -> tuple[Matrix, Matrix]:
        left = np.zeros((free.size + 1, free.size + 1, m))
        right = np.zeros((free.size + 1, m))
        eta = batch.eta(block)
        center, scale = problem.center[free], problem.scale[free]
        for k in range(m):
            _, score, weight = problem.family.working_terms(block.y, eta[:, k])
            rows = block.sample_weight[:, None] * np.column_stack([score, weight])
            total = rows.sum(axis=0)
            sums = block.design.gradient(rows, free) - np.outer(center, total)
            right[0, k], left[0, 0, k] = total
            right[1:, k], left[0, 1:, k] = (sums / scale[:, None]).T
            left[1:, 0, k] = left[0, 1:, k]
            left[1:, 1:, k] = block.design.gram(
                rows[:, 1], free, center=problem.center, factor=1.0 / problem.scale
            )
        return left, right

    left, right = problem.engine.sum(normal)
    if not problem.fit_intercept:
        left[0], left[:, 0], right[0] = 0.0, 0.0, 0.0
        left[0, 0] = 1.0
    pressed = against_limits(problem, batch, free, right[1:])
    steps = np.zeros_like(right)
    for k in range(m):
        if not np.isfinite(left[:, :, k]).all():
            return None
        moved = np.flatnonzero(np.r_[True, ~pressed[:, k]])
        steps[moved, k] = np.linalg.lstsq(
            left[np.ix_(moved, moved)][:, :, k], right[moved, k]
        )[0]
    return Correction(free, steps[0], steps[1:], pressed)


def against_limits(
    problem: Problem, batch: Candidates, columns: Index, score: Matrix
) -> Mask:
    """Return a boolean (f, m): columns at a limit, with a slope (f, m) beyond it."""
    penalty = problem.inner_penalty.take(columns)
    size = batch.coefs[columns] * problem.scale[columns, None]
    above = (size >= penalty.upper[:, None]) & (score > 0.0)
    below = (size <= penalty.lower[:, None]) & (score < 0.0)
    found: Mask = above | below
    return found


def dual_rows(
    problem: Problem, block: Block, eta: Matrix, correction: Correction
) -> Matrix:
    """Return minus the dual vectors (n, m): the corrected weighted score."""
    change = correction.rows(problem, block)
    dual = np.empty_like(eta)
    for k in range(eta.shape[1]):
        _, score, weight = problem.family.working_terms(block.y, eta[:, k])
        dual[:, k] = block.sample_weight * (score - weight * change[:, k])
    return dual


def duality_gaps(
    problem: Problem,
    batch: Candidates,
    correction: Correction | None,
    loss: Vector,
    dual: Matrix,
) -> list[float | None]:
    """Return upper bounds of ``objective - minimum``.

    Notes
    -----
    With ``u`` the dual vector, scaled so that no column's slope exceeds its threshold,
    the dual objective is
    ``(1/W) (u' offset - sum_i s_i conj(y_i, u_i / s_i)) - penalty*(-X'u / W)``
    (Fenchel duality; Boyd and Vandenberghe, 2004, section 5.7).
    """
    m = batch.alphas.size
    if correction is None:
        return [None] * m
    penalty = problem.inner_penalty
    dual[correction.free] = np.where(correction.pressed, dual[correction.free], 0.0)
    alphas = batch.alphas.tolist()
    shrink = np.array([penalty.dual_scaling(dual[:, k], alphas[k]) for k in range(m)])

    def conjugates(block: Block) -> tuple[Vector]:
        eta = batch.eta(block)
        rows = shrink * dual_rows(problem, block, eta, correction)
        total = block.offset @ rows
        for k in range(m):
            dual = -rows[:, k] / block.sample_weight
            value = problem.family.conjugate(block.y, dual, eta[:, k])
            total[k] += np.nan if value is None else block.total(value)
        return (total,)

    (total,) = problem.engine.sum(conjugates)
    gaps: list[float | None] = []
    for k in range(m):
        support = penalty.conjugate(shrink[k] * dual[:, k], alphas[k])
        lower = -total[k] / problem.weight_total - support
        size = batch.coefs[:, k] * problem.scale
        value = float(loss[k]) + penalty.value(size, alphas[k])
        known = np.isfinite(lower) and np.isfinite(value)
        gaps.append(max(float(value - lower), 0.0) if known else None)
    return gaps
