"""The statement of a penalised GLM, frozen: where the rows are and what is minimised.

The solver works on ``(x - center) / scale``, so that no tolerance and no matrix below
depends on the units of a column. What the *penalty* acts on is a separate matter,
settled in the penalty's weights: ``rescaled`` moves it to the solver's scale.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

from penglm._typing import Index, Mask, Matrix, Vector
from penglm.design import Design, Standardized
from penglm.design.standardized import inverse
from penglm.engines import Block, Engine
from penglm.families import Family
from penglm.penalties import Penalty
from penglm.solver.solution import Point

# A threshold below this share of alpha_max drowns in the rounding of the gradient.
KKT_FLOOR = 1e-8


@dataclass(frozen=True, eq=False)
class Moments:
    """Weighted moments of the columns over all rows.

    Attributes
    ----------
    weight_total : float
    mean, sd : Vector (p,)
        ``sd`` is divided by the weight total; exactly 0 where a column is constant.
    """

    weight_total: float
    mean: Vector
    sd: Vector


def measure(engine: Engine) -> Moments:
    """Return the moments of all columns, merged over blocks without cancellation."""

    def first(block: Block) -> tuple[float, Vector]:
        weight = float(block.sample_weight.sum())
        return weight, weight * block.design.moments(block.sample_weight)[0]

    whole = engine.whole()
    if whole is not None:
        mean, sd = whole.design.moments(whole.sample_weight)
        return Moments(float(whole.sample_weight.sum()), mean, sd)
    weight_total, weighted = engine.sum(first)
    mean = weighted / weight_total

    def second(block: Block) -> tuple[Vector]:
        block_mean, block_sd = block.design.moments(block.sample_weight)
        weight = float(block.sample_weight.sum())
        return (weight * (block_sd**2 + (block_mean - mean) ** 2),)

    (squares,) = engine.sum(second)
    sd = np.sqrt(squares / weight_total)
    constant = sd <= 64 * np.finfo(float).eps * np.abs(mean)
    return Moments(weight_total, mean, np.where(constant, 0.0, sd))


@dataclass(frozen=True, eq=False)
class Linearised:
    """Linear predictor, loss, slope and weight of each row of a block at a point.

    Attributes
    ----------
    block : Block
    point : Point
    eta, loss, score_factor, working_weight : Vector (n,)
        As ``Family.working_terms`` returns them.
    """

    block: Block
    point: Point
    eta: Vector
    loss: Vector
    score_factor: Vector
    working_weight: Vector


@dataclass(frozen=True, eq=False)
class Problem:
    """Everything that defines the objective, except its strength ``alpha``.

    Attributes
    ----------
    engine : Engine
    family : Family
    penalty : Penalty
        In the original units of the columns.
    fit_intercept : bool
    weight_total : float
        Sum of the sample weights, by which the loss is divided.
    center, scale : Vector (p,)
        The solver's columns are ``(x - center) / scale``; scales are positive.
    penalty_scale : Vector (p,)
        What the penalty charges is ``coef * penalty_scale``: the scale of a column that
        is standardised, 1 for the others.
    """

    engine: Engine
    family: Family
    penalty: Penalty
    fit_intercept: bool
    weight_total: float
    center: Vector
    scale: Vector
    penalty_scale: Vector

    @classmethod
    def state(
        cls,
        engine: Engine,
        moments: Moments,
        family: Family,
        penalty: type[Penalty],
        l1_ratio: float,
        *,
        penalty_factor: Vector,
        lower: Vector,
        upper: Vector,
        fit_intercept: bool,
        is_standardized: Mask,
    ) -> Self:
        """State a penalised GLM on the rows of an engine."""
        scale, fixed = column_scale(moments, fit_intercept)
        penalty_scale = np.where(is_standardized, scale, 1.0)
        null = np.clip(0.0, lower, upper)
        cost = penalty.build(
            l1_ratio,
            penalty_factor,
            penalty_scale,
            np.where(fixed, null, lower),
            np.where(fixed, null, upper),
        )
        center = moments.mean if fit_intercept else np.zeros_like(scale)
        return cls(
            engine, family, cost, fit_intercept, moments.weight_total, center, scale,
            penalty_scale,
        )  # fmt: skip

    def without_penalised(self) -> "Problem":
        """Return the problem of an infinite strength: only free columns may move."""
        return replace(self, penalty=self.penalty.held(~self.penalty.is_free))

    def narrowed(self, columns: Index) -> "Problem":
        """Return the problem on some columns, in which all others are zero."""
        return replace(
            self,
            engine=self.engine.select(columns),
            penalty=self.penalty.take(columns),
            center=self.center[columns],
            scale=self.scale[columns],
            penalty_scale=self.penalty_scale[columns],
        )

    @property
    def n_features(self) -> int:
        """Number of columns."""
        return self.engine.n_features

    @cached_property
    def n_stored(self) -> int:
        """How many numbers the design stores."""
        (stored,) = self.engine.sum(lambda block: (block.design.n_stored,))
        return int(stored)

    @cached_property
    def inner_penalty(self) -> Penalty:
        """The penalty on the solver's scale."""
        return self.penalty.rescaled(self.scale)

    @cached_property
    def factor(self) -> Vector:
        """Inverse (p,) of the scale."""
        return inverse(self.scale)

    @property
    def is_quadratic(self) -> bool:
        """Whether the loss is its own expansion, with one Hessian everywhere."""
        return self.family.name == "gaussian" and self.family.is_canonical

    def columns_of(self, block: Block) -> Design:
        """Return the block's columns, centred and scaled without a copy."""
        return Standardized(block.design, self.center, self.scale, self.factor)

    @cached_property
    def standard_columns(self) -> Matrix:
        """A copy (p, n) of the columns as the solver sees them, each contiguous."""
        block = self.engine.whole()
        if block is None:
            raise ValueError("a copy of the columns needs all rows in one block")
        return block.design.standard_columns(self.center, self.factor)

    def eta(self, block: Block, point: Point) -> Vector:
        """Return the linear predictor (n,) of a block's rows."""
        support = point.support
        eta = block.offset + point.intercept
        if support.size:
            columns = self.columns_of(block)
            eta = eta + columns.linear_predictor(point.coef[support], support)
        return eta

    def linearised(self, block: Block, points: Sequence[Point]) -> list[Linearised]:
        """Return the same at several points, with one product for all of them."""
        coefs = np.column_stack([point.coef for point in points])
        support = np.flatnonzero(coefs.any(axis=1))
        eta = block.offset[:, None] + [point.intercept for point in points]
        if support.size:
            columns = self.columns_of(block)
            eta = eta + columns.linear_predictor(coefs[support], support)
        each = np.ascontiguousarray(eta.T)
        return [
            Linearised(block, point, row, *self.family.working_terms(block.y, row))
            for point, row in zip(points, each, strict=True)
        ]

    def linearise(self, block: Block, point: Point) -> Linearised:
        """Return what the family says about a block's rows at a point.

        Loss, slope and second derivatives of one point are asked for one after the
        other, so the last answer is kept.
        """
        known = self.kept.get("last")
        if known is None or known.block is not block or known.point is not point:
            eta = self.eta(block, point)
            known = Linearised(
                block, point, eta, *self.family.working_terms(block.y, eta)
            )
            self.kept["last"] = known
        return known

    def curvature(self, block: Block, point: Point) -> Vector:
        """Return the second derivatives (n,) of a block's rows in ``eta``."""
        at = self.linearise(block, point)
        if self.family.is_canonical:
            return at.working_weight
        return self.family.curvature(block.y, at.eta)

    @cached_property
    def kept(self) -> dict[str, Linearised]:
        """The last linearisation."""
        return {}

    def is_free(self, alpha: float) -> Mask:
        """Return which coefficients (p,) move without any penalty at a strength."""
        terms = self.inner_penalty.terms(alpha)
        return (terms.l1 == 0.0) & (terms.l2 == 0.0) & ~self.penalty.is_fixed

    def unit(self, alpha: float, score_scale: float) -> Vector:
        """Return the unit (p,) in which each coordinate's violation is measured.

        Its threshold; without one, the largest slope of the null model, times the
        curvature that a ridge penalty adds where that is below one.
        """
        threshold = self.inner_penalty.threshold(alpha)
        pull = self.inner_penalty.terms(alpha).l2
        without = np.where(pull > 0.0, np.clip(pull, KKT_FLOOR, 1.0), 1.0) * score_scale
        floored = np.maximum(threshold, KKT_FLOOR * score_scale)
        return np.where(threshold > 0.0, floored, without)

    def original(self, point: Point) -> tuple[float, Vector]:
        """Return intercept and coefficients (p,) in the units of the data."""
        support = point.support
        inside = point.coef[support]
        found = inside / self.scale[support]
        # What stands at a limit comes back as that limit to the last bit.
        limits, inner = self.penalty, self.inner_penalty
        found = np.where(inside <= inner.lower[support], limits.lower[support], found)
        found = np.where(inside >= inner.upper[support], limits.upper[support], found)
        coef = np.zeros_like(point.coef)
        coef[support] = found
        # Large means cancel against the intercept: a few more digits for their sum.
        moved = self.center[support].astype(np.longdouble) @ coef[support]
        return float(point.intercept - moved), coef

    def point(self, intercept: float, coef: Vector) -> Point:
        """Return coefficients given in the units of the data on the solver's scale."""
        return Point(coef * self.scale, intercept + float(self.center @ coef))


def column_scale(moments: Moments, fit_intercept: bool) -> tuple[Vector, Mask]:
    """Return the solver's scale (p,) and which columns cannot have a coefficient.

    Beside an intercept a constant column says nothing. Without one it is a column like
    any other. Either way its size stands in for the standard deviation it does not
    have: centred and left as large as it is, its rounding would look like a slope.
    """
    constant = moments.sd == 0.0
    size = np.where(constant, np.abs(moments.mean), moments.sd)
    empty = size == 0.0
    return np.where(empty, 1.0, size), constant if fit_intercept else empty
