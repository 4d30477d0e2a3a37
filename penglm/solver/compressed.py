"""The road for sparse columns: sweeps that find the signs, conjugate gradients after.

Supports of sparse designs run into thousands, where a Gram matrix and its factor cost
far more than many looks at a few entries each. The columns of the working set are
copied once a step, weighted and scaled, so that a sweep reads memory in order. Sweeps
settle which coefficients are zero; on those that are not, the quadratic is smooth, and
conjugate gradients need the root of the sweeps that its condition number asks for.
"""

from dataclasses import dataclass, field

import numpy as np

from penglm._typing import Array, Index, Vector
from penglm.design import Categorical, Design, Sparse
from penglm.design.base import unsigned
from penglm.engines import Block
from penglm.interruption import serve
from penglm.solver import newton
from penglm.solver.coordinate_descent import MOST_SWEEPS, Step, Subproblem, moving
from penglm.solver.problem import Problem
from penglm.solver.quadratic import Expansion

# Below this size a Gram matrix costs nothing.
LEAST_COLUMNS = 100
# A Gram matrix and its factor of k columns cost as much as so many sweeps over
# k^2 / GRAM_ENTRIES entries.
GRAM_ENTRIES = 4
# Bytes of one packed entry, and how many of them are always there to spend; beyond,
# a share of the design's own.
ENTRY = 12
ALWAYS_SPARE = 64_000_000
SPARE_SHARE = 0.3
# A working set may grow at once to so many times its size; otherwise by the columns
# whose slope is this share of its threshold. Strengths of a path lie 0.95 apart.
WIDEST = 2
NEARLY = 0.93
# A sweep over all coordinates measures what is left, so that the promise need not be
# kept with the margin that others need.
EASE = 9.0
# Sweeps before conjugate gradients, the share of the slope that those leave, since more
# is wasted while signs still change, and their steps at a time.
SWEEPS_BEFORE = 2
REDUCTION = 0.1
LEAST_STEPS, MOST_STEPS = 5, 100
# Fewer coefficients settle in a few sweeps.
LEAST_SUPPORT = 50
# What is tried next of a step that leaves the orthant of its start.
SHORTER = 0.25
# Sweeps that may pass without the largest violation falling to this share.
PATIENCE = 100
PROGRESS = 0.9


def suits(design: Design, columns: Index, *, is_asked: bool) -> bool:
    """Tell whether this road is the one for these columns.

    Parameters
    ----------
    design : Design
    columns : Index (k,)
        The working set.
    is_asked : bool
        Whether a Gram matrix is out of the question.
    """
    kinds = {type(part) for part in getattr(design, "parts", (design,))}
    # Asked of anything else, a design would lay out columns that nobody needs.
    if not kinds & ({Sparse, Categorical} if is_asked else {Sparse}):
        return False
    thin, thick, stored = 0, 0, 0
    for piece in design.columns():
        inside = columns[(columns >= piece.start) & (columns < piece.stop)]
        entries = int(piece.counts(inside - piece.start, design.shape[0]).sum())
        thin += entries if piece.dense is None else 0
        thick += 0 if piece.dense is None else entries
        stored += piece.nbytes
    entries = thin + thick
    if thick > thin or ENTRY * entries > max(ALWAYS_SPARE, SPARE_SHARE * stored):
        return False
    few = columns.size >= LEAST_COLUMNS and GRAM_ENTRIES * entries <= columns.size**2
    return is_asked or few


def widen(problem: Problem, here: Expansion, working: Index, alpha: float) -> Index:
    """Return the working set with the columns that may come to belong to it.

    A sparse column that stays at zero costs a look in a few sweeps; one that is missed
    costs a step. All columns of the problem where they are not many more; otherwise
    those whose slope is near the threshold.
    """
    whole = problem.engine.whole()
    if whole is None or working.size < LEAST_COLUMNS:
        return working
    scope = np.arange(here.score.size)
    if scope.size > WIDEST * working.size:
        is_near = np.abs(here.score) >= NEARLY * problem.inner_penalty.threshold(alpha)
        is_near[working] = True
        scope = np.flatnonzero(is_near)
    return scope if suits(whole.design, scope, is_asked=False) else working


@dataclass(frozen=True, eq=False)
class Packed:
    """Columns of the working set as ``sqrt(w) (x - center) / scale``, by entries.

    Attributes
    ----------
    data, rows, starts : ndarray
        CSC arrays of ``sqrt(w) x / scale``.
    mean : Vector (k,)
        What centring takes off, in units of ``sqrt(w)``.
    curvature : Vector (k,)
        Squared lengths of the columns.
    weight_sum : float
    """

    data: Vector
    rows: Array
    starts: Index
    mean: Vector
    curvature: Vector
    weight_sum: float

    def correlate(self, members: Index, values: Vector, shift: float) -> Vector:
        """Return the products (k,) with ``values - shift sqrt(w)``."""
        from penglm.kernels.compressed import dot_columns

        out = np.empty(members.size)
        dot_columns(self.data, self.rows, self.starts, members, values, out)
        out -= (self.weight_sum * shift) * self.mean[members]
        return out

    def combine(self, members: Index, coef: Vector, n_obs: int) -> tuple[Vector, float]:
        """Return ``values`` (n,) and ``shift`` of the columns times ``coef``."""
        from penglm.kernels.compressed import add_columns

        values = np.zeros(n_obs)
        add_columns(self.data, self.rows, self.starts, members, coef, values)
        return values, float(self.mean[members] @ coef)


def pack(
    design: Design, columns: Index, weight: Vector, center: Vector, scale: Vector
) -> Packed:
    """Copy columns (k,) of a design, weighted and scaled; ``center`` is theirs."""
    from penglm.kernels.compressed import pack_columns

    k, n_obs = columns.size, design.shape[0]
    root, weight_sum = np.sqrt(weight), float(weight.sum())
    found = []
    size = np.zeros(k, dtype=np.int64)
    for piece in design.columns():
        places = np.flatnonzero((columns >= piece.start) & (columns < piece.stop))
        inside = columns[places] - piece.start
        size[places] = piece.counts(inside, n_obs)
        found.append((piece, inside, places))
    starts = np.concatenate([[0], np.cumsum(size)])
    data, rows = np.empty(starts[-1]), np.empty(starts[-1], dtype=np.uint32)
    mean, curvature = np.empty(k), np.empty(k)
    everyone = np.arange(n_obs, dtype=np.uint32)
    for piece, inside, places in found:
        # The working set is in column order, so each piece has a stretch of its own.
        if not places.size:
            continue
        mine = slice(places[0], places[-1] + 1)
        ends = starts[places[0] : places[-1] + 2]
        rest = (
            root, center[mine], scale[mine], weight_sum, data, rows, ends, mean[mine],
            curvature[mine],
        )  # fmt: skip
        if piece.indices is not None:
            index = unsigned(piece.indices)
            pack_columns(piece.data, index, piece.indptr, inside, *rest)
        elif piece.dense is not None:
            # A dense column is one with an entry in every row.
            bounds, first = np.array([0, n_obs]), np.zeros(1, dtype=np.int64)
            for place, j in zip(places.tolist(), inside.tolist(), strict=True):
                one = slice(place, place + 1)
                pack_columns(
                    piece.dense[:, j], everyone, bounds, first, root, center[one],
                    scale[one], weight_sum, data, rows, starts[place : place + 2],
                    mean[one], curvature[one],
                )  # fmt: skip
    return Packed(data, rows, starts, mean, curvature, weight_sum)


def on_compressed(
    sub: Subproblem, problem: Problem, block: Block, here: Expansion
) -> Step:
    """Solve the subproblem on the entries of sparse columns.

    Columns are centred under the *working* weight, which makes them orthogonal to the
    intercept: after one correction of the slopes it needs no coordinate.
    """
    weight = block.sample_weight * problem.curvature(block, here.point)
    weight /= problem.weight_total
    weight_sum = float(weight.sum())
    scale = problem.scale[sub.columns]
    center, shift, score = np.zeros(sub.columns.size), 0.0, sub.score
    if problem.fit_intercept and weight_sum > 0.0:
        center = block.design.gradient(weight, sub.columns) / weight_sum
        shift = sub.intercept_score / weight_sum
    profiled = (center - problem.center[sub.columns]) / scale
    if problem.fit_intercept:
        score = score - weight_sum * shift * profiled
    packed = pack(block.design, sub.columns, weight, center, scale)
    descent = Descent(sub, packed, score, np.zeros(block.design.shape[0]))
    n_sweeps = descent.run()
    if problem.fit_intercept:
        shift -= float(profiled @ (descent.coef - sub.coef))
    return Step(descent.coef, shift, n_sweeps)


@dataclass(eq=False)
class Descent:
    """A way down the quadratic.

    Attributes
    ----------
    sub : Subproblem
    packed : Packed
    score : Vector (k,)
        Minus the slope at the start, free of the intercept.
    change : Vector (n,)
        What the steps so far did to the weighted rows, up to ``shift`` roots of the
        weights.
    shift : float
    n_most : int
        Steps of conjugate gradients at a time.
    coef : Vector (k,)
    """

    sub: Subproblem
    packed: Packed
    score: Vector
    change: Vector
    shift: float = 0.0
    n_most: int = MOST_STEPS
    coef: Vector = field(init=False)

    def __post_init__(self) -> None:
        self.coef = self.sub.coef.copy()

    def run(self) -> int:
        """Go down until no coordinate violates its condition; return the sweeps."""
        everyone = np.arange(self.coef.size)
        members, since, n_sweeps = everyone, 0, 0
        least, patience = np.inf, PATIENCE
        while n_sweeps < MOST_SWEEPS and patience > 0:
            serve()
            n_sweeps += 1
            since += 1
            largest = self.sweep(members)
            if largest <= self.sub.tol:
                if members.size == everyone.size:
                    break
                members = everyone
                continue
            patience = PATIENCE if largest < PROGRESS * least else patience - 1
            least = min(largest, least)
            members = moving(self.coef, self.sub.terms)
            is_many = members.size >= LEAST_SUPPORT
            if since >= SWEEPS_BEFORE and is_many and newton.can_settle(self.sub.terms):
                n_sweeps += self.conjugate(members)
                members, since = everyone, 0
        return n_sweeps

    def sweep(self, members: Index) -> float:
        """Visit ``members`` once; return the largest violation met."""
        from penglm.kernels.descent import sweep_packed

        t, p = self.sub.terms, self.packed
        largest, self.shift = sweep_packed(
            t.kind, p.data, p.rows, p.starts, p.mean, p.weight_sum, self.change,
            self.shift, self.score, self.coef, p.curvature, t.l1, t.l2, t.lower,
            t.upper, t.shape, self.sub.unit, members,
        )  # fmt: skip
        return float(largest)

    def conjugate(self, members: Index) -> int:
        """Move ``members`` together, signs and limits held; return the steps.

        Conjugate gradients on the face of the penalty that the coefficients are on.
        Where columns depend on each other they go far beyond it: fewer steps then find
        a better face first.
        """
        t, p = self.sub.terms, self.packed
        total = p.curvature + t.l2
        inside = (self.coef > t.lower) & (self.coef < t.upper) & (total > 0.0)
        on = members[inside[members]]
        start = self.coef[on]
        slope = self.score[on] - p.correlate(on, self.change, self.shift)
        slope -= t.l1[on] * np.sign(start) + t.l2[on] * start
        step, n_steps = self.solve(on, slope, total[on])
        is_inside = self.follow(on, step, slope) == 1.0
        self.n_most = 2 * self.n_most if is_inside else self.n_most // 2
        self.n_most = min(max(self.n_most, LEAST_STEPS), MOST_STEPS)
        return n_steps

    def follow(self, on: Index, step: Vector, slope: Vector) -> float:
        """Move along a step (k,), bent back at the edge of the face.

        It is shortened for as long as that helps, at worst to where the first
        coefficient meets the edge. Return the share taken.
        """
        t, p, start = self.sub.terms, self.packed, self.coef[on]
        has_sign = t.l1[on] > 0.0
        low = np.where(has_sign & (start > 0.0), 0.0, -np.inf)
        high = np.where(has_sign & (start < 0.0), 0.0, np.inf)
        low, high = np.maximum(low, t.lower[on]), np.minimum(high, t.upper[on])
        ends = np.where(step > 0.0, high, low) - start
        moves = step != 0.0
        first = float((ends[moves] / step[moves]).min(initial=1.0))
        share, taken, best, way = 1.0, 0.0, 0.0, None
        while True:
            end = np.clip(start + share * step, low, high)
            move = end - start
            values, shift = p.combine(on, move, self.change.size)
            bend = values @ values - p.weight_sum * shift**2 + (t.l2[on] * move) @ move
            fall = float(slope @ move) - 0.5 * float(bend)
            if fall > best:
                taken, best, way = share, fall, (end, values, shift)
            if share <= first or (way is not None and fall < best):
                break
            share = max(SHORTER * share, first)
        if way is not None:
            self.coef[on] = way[0]
            self.change += way[1]
            self.shift += way[2]
        return taken

    def solve(self, on: Index, slope: Vector, total: Vector) -> tuple[Vector, int]:
        """Return roughly the step (k,) at whose end ``slope`` (k,) vanishes."""
        from penglm.kernels.compressed import solve_together

        p, unit = self.packed, self.sub.unit[on]
        goal = max(0.5 * self.sub.tol, REDUCTION * float(np.abs(slope / unit).max()))
        step, values = np.empty(on.size), np.empty(self.change.size)
        n_steps = solve_together(
            p.data, p.rows, p.starts, p.mean, p.weight_sum, on, self.sub.terms.l2[on],
            total, unit, slope.copy(), goal, self.n_most, step, values,
        )  # fmt: skip
        return step, int(n_steps)
