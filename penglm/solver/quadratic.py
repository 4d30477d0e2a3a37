"""Second-order model of the loss around the current linear predictor.

One IRLS step replaces the half-deviance by its quadratic expansion in ``eta``.
Everything the inner solver needs to know about the family and the link is in the sums
built here, so no module below this one imports a family. They are sums over row
blocks, so no module above it knows where the rows live.

The expansion uses expected information (Fisher scoring); for canonical links it is
the exact Hessian. See docs/objective.md for the scaling by ``sum(sample_weight)``.
"""

from dataclasses import dataclass, replace

import numpy as np

from penglm._typing import Index, Matrix, Vector
from penglm.engines import Block
from penglm.solver.problem import Problem
from penglm.solver.solution import Point

# A cached Gram matrix larger than this is started afresh rather than extended.
LARGEST_CACHE = 3000


@dataclass(frozen=True, eq=False)
class Expansion:
    """Loss and slope at a point.

    Attributes
    ----------
    point : Point
    loss : float
        Mean half-deviance.
    intercept_score : float
        Minus the derivative of ``loss`` in the intercept.
    score : Vector (k,)
        The same for the coefficients of ``columns``.
    columns : Index (k,) or None
        None means all columns.
    size : float
        What ``loss`` is a difference of: its rounding is some eps times this, even
        where a saturated model leaves no loss at all.
    """

    point: Point
    loss: float
    intercept_score: float
    score: Vector
    columns: Index | None
    size: float = 0.0

    @property
    def coef(self) -> Vector:
        """Coefficients (k,) that ``score`` belongs to."""
        coef = self.point.coef
        return coef if self.columns is None else coef[self.columns]

    def take(self, columns: Index) -> "Expansion":
        """Return a full expansion narrowed to these columns."""
        return replace(self, score=self.score[columns], columns=columns)


@dataclass(frozen=True, eq=False)
class Curvature:
    """Second derivatives of the mean half-deviance.

    Attributes
    ----------
    point : Point
        Where they were taken.
    columns : Index (k,)
    weight_sum : float
        Second derivative in the intercept.
    cross : Vector (k,)
        Mixed derivatives of intercept and coefficients.
    gram : Matrix (k, k)
    """

    point: Point
    columns: Index
    weight_sum: float
    cross: Vector
    gram: Matrix

    def take(self, columns: Index) -> "Curvature":
        """Return the part that belongs to ``columns``, all of them known here."""
        order = np.argsort(self.columns)
        places = order[np.searchsorted(self.columns, columns, sorter=order)]
        gram = self.gram[np.ix_(places, places)]
        return Curvature(self.point, columns, self.weight_sum, self.cross[places], gram)


def expand(problem: Problem, point: Point, columns: Index | None = None) -> Expansion:
    """Return loss and slope over ``columns`` at ``point``, in one pass."""

    def slope(block: Block) -> tuple[float, float, Vector, float]:
        at = problem.linearise(block, point)
        block_loss = float(block.sample_weight @ at.loss)
        if not np.isfinite(block_loss):
            # Outside the family's means there is no slope, and none is needed.
            k = problem.n_features if columns is None else columns.size
            return np.inf, 0.0, np.zeros(k), 0.0
        weighted = block.sample_weight * at.score_factor
        score = problem.columns_of(block).gradient(weighted, columns)
        parts = np.abs(at.score_factor * at.eta)
        if not problem.is_quadratic:
            parts += at.working_weight * (np.abs(at.eta) + 1.0)
        size = float(block.sample_weight @ parts)
        return block_loss, float(weighted.sum()), score, size

    loss, intercept_score, score, size = problem.engine.sum(slope)
    total = problem.weight_total
    if not problem.fit_intercept:
        intercept_score = 0.0
    return Expansion(
        point, loss / total, intercept_score / total, score / total, columns,
        size / total,
    )  # fmt: skip


def foresee(here: Expansion, there: Point, curvature: Curvature) -> Expansion:
    """Return the expansion of a quadratic loss at another point, without a pass.

    ``curvature`` holds all columns of ``here``, which are all there are.
    """
    order = curvature.columns
    step = there.coef[order] - here.point.coef[order]
    shift = there.intercept - here.point.intercept
    bend = curvature.gram @ step + curvature.cross * shift
    beside = float(curvature.cross @ step) + curvature.weight_sum * shift
    score = here.score.copy()
    rise = 0.5 * (float(step @ bend) + shift * beside)
    rise -= float(score[order] @ step) + here.intercept_score * shift
    score[order] -= bend
    return replace(
        here,
        point=there,
        loss=here.loss + rise,
        intercept_score=here.intercept_score - beside,
        score=score,
    )


def curve(
    problem: Problem, point: Point, columns: Index, known: Curvature | None = None
) -> Curvature:
    """Return the second derivatives over ``columns`` at ``point``, in one pass.

    ``known``, taken at the same point, saves the part of the work that an earlier call
    did. The result may hold more columns than were asked for; ``take`` narrows it.
    """
    if known is not None:
        new = np.setdiff1d(columns, known.columns)
        if not new.size:
            return known
    if known is None or known.columns.size + new.size > LARGEST_CACHE:
        known = Curvature(point, columns[:0], 0.0, np.zeros(0), np.zeros((0, 0)))
        new = columns
    everything = np.concatenate([known.columns, new])

    def second(block: Block) -> tuple[float, Vector, Matrix]:
        weight = block.sample_weight * problem.linearise(block, point).working_weight
        design = problem.columns_of(block)
        others = everything if known.columns.size else None
        gram = design.gram(weight, new, others)
        return float(weight.sum()), design.gradient(weight, new), gram

    weight_sum, cross, rows = problem.engine.sum(second)
    total = problem.weight_total
    n_known = known.columns.size
    gram = np.empty((everything.size, everything.size))
    gram[:n_known, :n_known] = known.gram
    gram[n_known:] = rows / total
    gram[:n_known, n_known:] = gram[n_known:, :n_known].T
    cross = np.concatenate([known.cross, cross / total])
    return Curvature(point, everything, weight_sum / total, cross, gram)
