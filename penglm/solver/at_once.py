"""Small problems solved by one compiled call for several strengths.

On a few hundred thousand numbers a step takes less time than the Python between its
parts. ``kernels/irls.py`` has the same loop as ``irls``, for the commonest models only;
where it meets anything out of the ordinary it stops, and ``irls`` goes on from there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from penglm._typing import Array, Index, Matrix, Vector
from penglm.engines import Block
from penglm.interruption import serve
from penglm.solver.factor import Factor
from penglm.solver.irls import TARGET, aim
from penglm.solver.outcome import Options, Outcome
from penglm.solver.problem import Problem
from penglm.solver.quadratic import Curvature, Expansion
from penglm.solver.solution import Point, Status
from penglm.solver.working_set import Warm

# More numbers than these, and the parts outweigh what lies between them.
MOST_NUMBERS = 2_000_000
# Least squares takes one step, whose parts are fast enough on fewer numbers yet.
MOST_OF_SQUARES = 100_000
# Columns that may come into play beyond twice those known.
LEAST_ROOM = 200


def suits(problem: Problem, options: Options) -> bool:
    """Tell whether a problem is small and common enough."""
    n_numbers = problem.engine.n_obs * problem.n_features
    return (
        options.at_once
        and options.road == "auto"
        and problem.family.row_kind is not None
        and problem.n_features > 0
        and n_numbers <= (MOST_OF_SQUARES if problem.is_quadratic else MOST_NUMBERS)
        and problem.engine.whole() is not None
    )


def solve_at_once(
    problem: Problem,
    alphas: Sequence[float],
    start: Warm,
    score_scale: float,
    options: Options,
) -> list[Outcome]:
    """Solve at some descending strengths, as far as nothing unusual happens.

    Parameters
    ----------
    problem : Problem
        One that ``suits``.
    alphas : sequence of float
    start : Warm
    score_scale : float
    options : Options

    Returns
    -------
    list of Outcome
        Of the strengths that were solved, from the first on; maybe none.
    """
    from penglm.kernels import irls

    m, p, kind = len(alphas), problem.n_features, problem.family.row_kind
    block, penalty = problem.engine.whole(), problem.inner_penalty
    if block is None:
        return []
    l1, l2, unit = np.empty((3, m, p))
    beside = np.empty(m)
    for q, alpha in enumerate(alphas):
        terms = penalty.terms(alpha)
        if terms.kind != 0 or problem.is_free(alpha).any():
            return []
        l1[q], l2[q] = terms.l1, terms.l2
        unit[q], beside[q] = aim(problem, alpha, score_scale)
    serve()
    memory = Memory.of(problem, block, start.curvature, l2[0])
    coefs, scores = np.empty((2, m, p))
    sums, steps = np.empty((m, 4)), np.empty(m, dtype=np.int64)
    history = np.empty((m, options.max_iter + 1))
    n_solved = irls.solve(
        kind, problem.standard_columns, block.y,
        block.sample_weight / problem.weight_total, block.offset,
        problem.fit_intercept, l1, l2, penalty.lower, penalty.upper, unit, beside,
        TARGET * options.tol, options.max_iter, start.point.coef.copy(),
        start.point.intercept, *memory.arrays, coefs, scores, sums, steps, history,
    )  # fmt: skip
    found = [
        outcome_of(
            Point(coefs[q], float(sums[q, 0])), alphas[q], scores[q], sums[q].tolist(),
            history[q, : steps[q] + 1].tolist(),
        )
        for q in range(n_solved)
    ]  # fmt: skip
    if found:
        warm = replace(found[-1].warm, curvature=memory.curvature(l2[n_solved - 1]))
        found[-1] = replace(found[-1], warm=warm)
    return found


@dataclass(eq=False)
class Memory:
    """Second derivatives as the kernel holds them; see there."""

    columns: Index
    members: Index
    cross: Vector
    gram: Matrix
    lower: Matrix
    weight: Vector
    coef: Vector
    counts: Index
    known: Vector

    @classmethod
    def of(
        cls, problem: Problem, block: Block, curvature: Curvature | None, pull: Vector
    ) -> Self:
        """Return room for second derivatives, with what is known of them."""
        k = 0 if curvature is None else curvature.columns.size
        room = min(problem.n_features, 2 * k + LEAST_ROOM)
        made = cls(
            columns=np.zeros(room, dtype=np.int64),
            members=np.zeros(room, dtype=np.int64),
            cross=np.empty(room),
            gram=np.empty((room, room)),
            lower=np.empty((room, room)),
            weight=np.empty(problem.engine.n_obs),
            coef=np.zeros(problem.n_features),
            counts=np.array([0, -1, 0]),
            known=np.zeros(2),
        )
        if curvature is None or not k:
            return made
        made.columns[:k], made.cross[:k] = curvature.columns, curvature.cross
        made.gram[:k, :k] = curvature.gram
        weight = problem.linearise(block, curvature.point).working_weight
        made.weight[:] = block.sample_weight * weight / problem.weight_total
        made.coef[:] = curvature.point.coef
        made.counts[0] = k
        made.known[:] = curvature.weight_sum, curvature.point.intercept
        factor = curvature.factor
        n = factor.count
        members = factor.members[:n]
        pull = pull[curvature.columns]
        if factor.matrix is not None and np.array_equal(factor.pull, pull):
            made.members[:n] = members
            made.lower[:n, :n] = factor.matrix[:n, :n]
            made.counts[1:] = n, factor.edits
        return made

    @property
    def arrays(self) -> tuple[Array, ...]:
        """What the kernel takes, in its order."""
        return (
            self.columns, self.members, self.cross, self.gram, self.lower, self.weight,
            self.coef, self.counts, self.known,
        )  # fmt: skip

    def curvature(self, pull: Vector) -> Curvature:
        """Return what is known after the last strength."""
        k, n, edits = self.counts.tolist()
        weight_sum, intercept = self.known.tolist()
        columns = self.columns[:k]
        factor = Factor()
        # That of a ridge part belongs to a multiple of the Gram matrix.
        if n >= 0 and not pull.any():
            factor = Factor(self.lower, self.members, n, pull[columns], edits)
        return Curvature(
            Point(self.coef, intercept), columns, weight_sum, self.cross[:k],
            self.gram, factor,
        )  # fmt: skip


def outcome_of(
    point: Point, alpha: float, score: Vector, sums: list[float], history: list[float]
) -> Outcome:
    """Return what a solve ended with."""
    _, loss, beside, size = sums
    here = Expansion(point, loss, beside, score, size)
    warm = Warm(point, alpha, score, here=here)
    return Outcome(warm, Status.OPTIMAL, loss, len(history) - 1, tuple(history))
