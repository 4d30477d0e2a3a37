"""Where responses, means and linear predictors may lie."""

from dataclasses import dataclass
from typing import Any

from penglm._typing import Vector


@dataclass(frozen=True)
class Interval:
    """An interval of the real line, open unless an end is said to be closed."""

    low: float
    high: float
    low_closed: bool = False
    high_closed: bool = False

    def contains(self, values: Vector) -> Any:
        """Return a boolean (n,): which values lie inside."""
        above = values >= self.low if self.low_closed else values > self.low
        below = values <= self.high if self.high_closed else values < self.high
        return above & below

    def __contains__(self, other: object) -> bool:
        return isinstance(other, Interval) and (
            self.low <= other.low and other.high <= self.high
        )

    def __str__(self) -> str:
        left = "[" if self.low_closed else "("
        right = "]" if self.high_closed else ")"
        return f"{left}{self.low:g}, {self.high:g}{right}"
