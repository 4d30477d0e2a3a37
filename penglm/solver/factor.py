"""A Cholesky factor that follows the support of the coefficients.

Between two steps, and between two strengths of a path, only few coefficients appear or
vanish. A row is then added to the factor or taken out, which costs ``k^2``; a new
factorisation would cost ``k^3 / 3``.
"""

from dataclasses import dataclass, field

import numpy as np
from scipy import linalg

from penglm._typing import Index, Matrix, Vector

# Relative pivot below which columns count as dependent.
SMALLEST_PIVOT = 1e-10
# Appending more rows than this share of the factor costs more than a new one.
MOST_APPENDED = 0.1
# Edits after which rounding may have grown too far.
MOST_EDITS = 2000


@dataclass(eq=False)
class Factor:
    """Lower triangle ``L`` of ``L L' = H + diag(pull)`` over the members.

    Attributes
    ----------
    matrix : Matrix (room, room) or None
        Rows beyond the members are unused; None if there is nothing yet.
    members : Index (room,)
        Places in the Gram matrix, in the order of the rows.
    count : int
        How many rows are used.
    pull : Vector (k,)
        What is added to the diagonal, by place.
    edits : int
        Rows added and taken out since it was made.
    """

    matrix: Matrix | None = None
    members: Index = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    count: int = 0
    pull: Vector = field(default_factory=lambda: np.zeros(0))
    edits: int = 0

    def among(self, kept: Index) -> "Factor":
        """Return it renumbered to the kept places; empty if a member is not kept."""
        home = np.full(self.pull.size, -1, dtype=np.int64)
        inside = kept[kept < home.size]
        home[inside] = np.arange(inside.size)
        moved = home[self.members[: self.count]]
        if self.matrix is None or np.any(moved < 0):
            return Factor()
        matrix, self.matrix = self.matrix, None
        members = np.zeros(len(matrix), dtype=np.int64)
        members[: self.count] = moved
        return Factor(matrix, members, self.count, self.pull[inside], self.edits)

    def covering(
        self, gram: Matrix, wanted: Index, pull: Vector, room: int
    ) -> "Factor | None":
        """Return a factor whose members are at least ``wanted``; this one is used up.

        None if the columns are dependent.
        """
        from penglm.kernels import active_set

        known = self.members[: self.count]
        is_missing = np.zeros(pull.size, dtype=np.bool_)
        is_missing[wanted] = True
        is_missing[known] = False
        missing = np.flatnonzero(is_missing)
        fits = (
            self.matrix is not None
            and len(self.matrix) >= room
            and missing.size <= MOST_APPENDED * max(self.count, 10)
            and self.edits < MOST_EDITS
            and np.array_equal(self.pull[known], pull[known])
        )
        if not fits or self.matrix is None:
            return factorise(gram, wanted, pull, room)
        matrix, self.matrix = self.matrix, None
        k, members = self.count, self.members
        for j in missing.tolist():
            row = np.ascontiguousarray(gram[j, members[:k]])
            if not active_set.append_row(matrix, k, row, gram[j, j] + pull[j]):
                return factorise(gram, wanted, pull, room)
            members[k] = j
            k += 1
        return Factor(matrix, members, k, pull, self.edits + missing.size)


def factorise(gram: Matrix, wanted: Index, pull: Vector, room: int) -> Factor | None:
    """Return a new factor; None if columns are dependent."""
    k = wanted.size
    if k > room:
        return None
    part = gram[np.ix_(wanted, wanted)]
    part[np.diag_indices_from(part)] += pull[wanted]
    matrix = np.empty((room, room))
    members = np.zeros(room, dtype=np.int64)
    members[:k] = wanted
    if k:
        diagonal = np.diag(part).copy()
        try:
            lower = linalg.cholesky(
                part, lower=True, overwrite_a=True, check_finite=False
            )
        except linalg.LinAlgError:
            return None
        if not np.all(np.square(np.diag(lower)) > SMALLEST_PIVOT * diagonal):
            return None
        matrix[:k, :k] = lower
    return Factor(matrix, members, k, pull)
