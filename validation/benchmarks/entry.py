"""What a contender did in a workload, as it is kept."""

import math
from dataclasses import dataclass, field

from validation.benchmarks.ladder import Rung, matched

MEASURED, REFUSED, FAILED, OVER, ABSENT = (
    "measured", "refused", "failed", "over limit", "not installed",
)  # fmt: skip


@dataclass
class Entry:
    """What a contender did in a workload.

    Attributes
    ----------
    contender, version : str
    outcome : str
        ``measured``, or why not.
    note : str
        The reason, or what a reader should know.
    rungs : list of Rung
        The first is at its own tolerance.
    """

    contender: str
    version: str = ""
    outcome: str = MEASURED
    note: str = ""
    rungs: list[Rung] = field(default_factory=list)
    curve_off: float | None = None

    def plain(self) -> dict:
        """Return numbers and words only, for storage."""
        first = self.rungs[0] if self.rungs else None
        goal = matched(self.rungs) if first else None
        note = self.note
        if first and not goal and not note:
            least = min(rung.sub for rung in self.rungs)
            note = f"no tolerance reaches the goal; least sub {least:.0e}"
        slowest = max((rung.time for rung in self.rungs), default=None)
        return {
            "contender": self.contender,
            "version": self.version,
            "outcome": self.outcome,
            "note": note,
            "default": described(first) if first else None,
            "rungs": [described(rung) for rung in self.rungs[1:]],
            "matched": {key: number(value) for key, value in vars(goal).items()}
            if goal
            else None,
            "at_least": number(slowest) if first and not goal else None,
            "curve_off": number(self.curve_off),
        }


def described(rung: Rung) -> dict:
    """Return a rung as plain numbers."""
    names = ("tol", "sub", "kkt", "time", "ratio", "wall", "grown")
    return {name: number(getattr(rung, name)) for name in names}


def number(value: float | None) -> float | None:
    """Return a finite number, None otherwise, for JSON."""
    return float(value) if value is not None and math.isfinite(value) else None
