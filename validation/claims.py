"""What is claimed of penglm's answers, beside those of its peers."""

from dataclasses import dataclass

import numpy as np

SUBJECT = "penglm"


@dataclass(frozen=True, eq=False)
class Row:
    """One peer on one problem.

    Attributes
    ----------
    problem, peer : str
    shape : str
        Rows, columns, family and mix in words.
    at : array of int (k,)
        Strengths solved; empty where there is no answer.
    objective, kkt : array (k,)
        From ``objective.judge``.
    excess : array (k,)
        Objective above the best peer's at the same strength, relative.
    note : str
        Of the peer, or why there is no answer.
    outcome : {"solved", "refused", "failed", "absent"}
    """

    problem: str
    peer: str
    shape: str = ""
    at: np.ndarray | None = None
    objective: np.ndarray | None = None
    kkt: np.ndarray | None = None
    excess: np.ndarray | None = None
    note: str = ""
    outcome: str = "solved"


@dataclass(frozen=True)
class NotAbovePeers:
    """At no strength is the objective above a peer's by more than ``by``, relative."""

    by: float

    def __str__(self) -> str:
        return f"objective not above any peer's by more than {self.by:.0e}, relative"

    def misses(self, row: Row) -> str:
        """Return what contradicts the claim, or nothing."""
        worst = float(row.excess.max())
        return "" if worst <= self.by else f"excess {worst:.1e}"


@dataclass(frozen=True)
class KktBelow:
    """At every strength the KKT residual is at most ``limit``, in units of alpha."""

    limit: float

    def __str__(self) -> str:
        return f"KKT residual at most {self.limit:.0e} of alpha"

    def misses(self, row: Row) -> str:
        """Return what contradicts the claim, or nothing."""
        worst = float(row.kkt.max())
        return "" if worst <= self.limit else f"KKT residual {worst:.1e}"


CLAIMS = (NotAbovePeers(by=1e-9), KktBelow(1e-4))


def contradictions(rows: list[Row]) -> list[str]:
    """Return every breach of a claim; a failure of penglm is one."""
    found = []
    for row in rows:
        if row.peer != SUBJECT:
            continue
        if row.outcome == "solved":
            misses = [claim.misses(row) for claim in CLAIMS]
        elif row.outcome == "absent":
            misses = []
        else:
            misses = [f"{row.outcome}: {row.note}"]
        found += [f"{row.problem}: {miss}" for miss in misses if miss]
    return found
