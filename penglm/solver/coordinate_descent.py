"""The inner solver: one penalised quadratic over the working set, by two roads.

*Covariance*: everything from the Gram matrix, for any place where rows live. *Naive*:
column sweeps that carry the weighted residual, for working sets too large for a Gram.
Both take a ``Subproblem`` and return a ``Step``; the outer loop does not know which one
ran, and a third road has to keep no other promise.
"""

from dataclasses import dataclass, field

import numpy as np

from penglm._typing import Index, Vector
from penglm.design import Columns
from penglm.engines import Block
from penglm.interruption import serve
from penglm.penalties import PenaltyTerms
from penglm.solver import newton
from penglm.solver.factor import Factor
from penglm.solver.problem import Problem
from penglm.solver.quadratic import Curvature, Expansion

SWEEPS_BEFORE_NEWTON = 5
# With no more entering the support than this, exact steps come at once.
FEW_ENTERING = 100
MOST_SWEEPS = 20_000
# Sweeps over nonzero coordinates between two over the whole working set.
INNER_SWEEPS = 50


@dataclass(frozen=True, eq=False)
class Subproblem:
    """A quadratic loss around a point, its penalty, and the coordinates to move.

    Attributes
    ----------
    columns : Index (k,)
        The working set.
    coef, score, unit : Vector (k,)
        Current values, slopes, and the units of their violation.
    intercept_score : float
    terms : PenaltyTerms
    tol : float
        Largest violation to leave behind.
    n_entering : int
        Coordinates at zero that want to move.
    """

    columns: Index
    coef: Vector
    score: Vector
    unit: Vector
    intercept_score: float
    terms: PenaltyTerms
    tol: float
    n_entering: int


@dataclass(frozen=True, eq=False)
class Step:
    """New coefficients (k,) of the working set and the change of the intercept."""

    coef: Vector
    intercept_change: float
    n_sweeps: int
    factor: Factor = field(default_factory=Factor)


def state(
    problem: Problem,
    here: Expansion,
    working: Index,
    alpha: float,
    unit: Vector,
    tol: float,
    n_entering: int = MOST_SWEEPS,
) -> Subproblem:
    """Collect what the roads need about the working set."""
    return Subproblem(
        columns=working,
        coef=here.point.coef[working],
        score=here.score[working],
        unit=unit[working],
        intercept_score=here.intercept_score,
        terms=problem.inner_penalty.terms(alpha).take(working),
        tol=tol,
        n_entering=n_entering,
    )


def on_gram(sub: Subproblem, curvature: Curvature) -> Step:
    """Solve the subproblem from second derivatives alone (covariance updates)."""
    score, shift, profiled = profile(sub, curvature)
    coef, n_sweeps, factor = descend(sub, curvature, score)
    change = shift - float(profiled @ (coef - sub.coef))
    return Step(coef, change, n_sweeps, factor)


def settled(sub: Subproblem, curvature: Curvature) -> Step | None:
    """Solve the subproblem by exact steps alone; None where they are refused."""
    score, shift, profiled = profile(sub, curvature)
    found = newton.settle(
        curvature.store, score, sub.coef, sub.terms, sub.unit, sub.tol, curvature.factor
    )
    if found is None:
        return None
    coef, factor = found
    change = shift - float(profiled @ (coef - sub.coef))
    return Step(coef, change, 0, factor)


def on_support(sub: Subproblem, curvature: Curvature) -> Step | None:
    """Solve a subproblem without penalty or limits; None if columns are dependent."""
    score, shift, profiled = profile(sub, curvature)
    change = newton.solve_positive(curvature.gram, score)
    if change is None:
        return None
    return Step(sub.coef + change, shift - float(profiled @ change), 0)


def profile(sub: Subproblem, curvature: Curvature) -> tuple[Vector, float, Vector]:
    """Remove the intercept: return the score without it, and how to put it back.

    The intercept moves by ``shift - profiled' (coef change)``.
    """
    if curvature.weight_sum <= 0.0:
        return sub.score, 0.0, np.zeros_like(sub.score)
    shift = sub.intercept_score / curvature.weight_sum
    profiled = curvature.cross / curvature.weight_sum
    return sub.score - curvature.cross * shift, shift, profiled


def descend(
    sub: Subproblem, curvature: Curvature, score: Vector
) -> tuple[Vector, int, Factor]:
    """Sweep until few signs change, settle exactly, sweep again if that was refused.

    Where few coordinates outside the support want to move there is nothing to sweep.
    """
    from penglm.kernels.descent import sweep_gram

    gram, t = curvature.store, sub.terms
    coef, slope = sub.coef.copy(), score.copy()
    everyone = np.arange(coef.size)
    refused = not newton.can_settle(t)
    is_near = sub.n_entering <= max(FEW_ENTERING, curvature.factor.count)
    n_sweeps = SWEEPS_BEFORE_NEWTON if is_near else 0
    members = everyone
    while n_sweeps < MOST_SWEEPS:
        serve()
        if not refused and n_sweeps >= SWEEPS_BEFORE_NEWTON:
            settled = newton.settle(
                gram, slope, coef, t, sub.unit, sub.tol, curvature.factor
            )
            if settled is not None:
                return settled[0], n_sweeps, settled[1]
            refused = True
        n_sweeps += 1
        largest = sweep_gram(
            t.kind, gram, slope, coef, t.l1, t.l2, t.lower, t.upper, t.shape, sub.unit,
            members,
        )  # fmt: skip
        if largest <= sub.tol:
            if members.size == coef.size:
                break
            members = everyone
            continue
        members = moving(coef, t) if n_sweeps % INNER_SWEEPS else everyone
        if n_sweeps % 1000 == 0:
            slope = score - curvature.gram @ (coef - sub.coef)
    return coef, n_sweeps, Factor()


def moving(coef: Vector, terms: PenaltyTerms) -> Index:
    """Return the coordinates that are likely to move again soon."""
    return np.flatnonzero((coef != 0.0) | (terms.l1 == 0.0))


def on_columns(
    sub: Subproblem, problem: Problem, block: Block, here: Expansion
) -> Step:
    """Solve the subproblem by sweeps over columns that carry the residual (naive).

    Columns are centred under the *working* weight, which makes them orthogonal to the
    intercept: after one correction of the residual it needs no coordinate.
    """
    score_factor = problem.linearise(block, here.point).score_factor
    weight = block.sample_weight * problem.curvature(block, here.point)
    weight /= problem.weight_total
    residual = block.sample_weight * score_factor / problem.weight_total
    weight_sum = float(weight.sum())
    center = np.zeros(sub.columns.size)
    shift = 0.0
    if problem.fit_intercept and weight_sum > 0.0:
        center = block.design.gradient(weight, sub.columns) / weight_sum
        shift = float(residual.sum()) / weight_sum
        residual = residual - shift * weight
    sweeps = Sweeps(sub, problem, block, weight, residual, center)
    coef, n_sweeps = sweeps.run()
    if problem.fit_intercept:
        scale = problem.scale[sub.columns]
        moved = (problem.center[sub.columns] - center) / scale
        shift += float(moved @ (coef - sub.coef))
    return Step(coef, shift, n_sweeps)


@dataclass(frozen=True, eq=False)
class Sweeps:
    """Naive sweeps over the pieces a design stores its columns in."""

    sub: Subproblem
    problem: Problem
    block: Block
    weight: Vector
    residual: Vector
    center: Vector

    def run(self) -> tuple[Vector, int]:
        """Sweep the working set, then its nonzero part, until both are still."""
        coef = self.sub.coef.copy()
        curvature = self.curvature()
        everyone = np.arange(coef.size)
        members = everyone
        n_sweeps = 0
        while n_sweeps < MOST_SWEEPS:
            serve()
            n_sweeps += 1
            if self.sweep(coef, curvature, members) <= self.sub.tol:
                if members.size == coef.size:
                    break
                members = everyone
                continue
            terms = self.sub.terms
            members = moving(coef, terms) if n_sweeps % INNER_SWEEPS else everyone
        return coef, n_sweeps

    def pieces(self, places: Index) -> list[tuple[Columns, Index, Index]]:
        """Return (piece, its columns, their places) for a part of the working set."""
        found = []
        columns = self.sub.columns[places]
        for piece in self.block.design.columns():
            inside = (columns >= piece.start) & (columns < piece.stop)
            if inside.any():
                found.append((piece, columns[inside] - piece.start, places[inside]))
        return found

    def curvature(self) -> Vector:
        """Return the second derivative (k,) of each coordinate."""
        from penglm.kernels.descent import curvature_dense, curvature_sparse

        scale = self.problem.scale[self.sub.columns]
        out = np.zeros(self.sub.columns.size)
        total = float(self.weight.sum())
        for piece, members, places in self.pieces(np.arange(out.size)):
            if piece.dense is not None:
                curvature_dense(
                    piece.dense, self.center, scale, self.weight, members, places, out
                )
            else:
                curvature_sparse(
                    piece.data, piece.indices, piece.indptr, self.center, scale,
                    self.weight, total, members, places, out,
                )  # fmt: skip
        return out

    def sweep(self, coef: Vector, curvature: Vector, members: Index) -> float:
        """Visit ``members`` once; update ``coef`` and the residual in place."""
        from penglm.kernels.descent import sweep_dense, sweep_sparse

        t, unit = self.sub.terms, self.sub.unit
        scale = self.problem.scale[self.sub.columns]
        rest = (coef, curvature, t.l1, t.l2, t.lower, t.upper, t.shape, unit)
        total = float(self.weight.sum())
        largest = 0.0
        for piece, columns, places in self.pieces(members):
            if piece.dense is not None:
                met = sweep_dense(
                    t.kind, piece.dense, self.center, scale, self.weight,
                    self.residual, *rest, columns, places,
                )  # fmt: skip
            else:
                met = sweep_sparse(
                    t.kind, piece.data, piece.indices, piece.indptr, self.center,
                    scale, self.weight, total, self.residual, *rest, columns, places,
                )  # fmt: skip
            largest = max(largest, met)
        return largest
