"""One coefficient and the sentence that says why it is what it is."""

from dataclasses import dataclass
from enum import Enum


class Case(Enum):
    """Which of the optimality conditions holds a coefficient where it is."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    ZERO = "zero"
    LOWER = "at its lower limit"
    UPPER = "at its upper limit"
    FIXED = "fixed"
    EXCLUDED = "excluded"
    CONSTANT = "constant"
    FREE = "unpenalised"
    SHRUNK = "shrunk"


def case_at(
    value: float,
    low: float,
    high: float,
    *,
    is_excluded: bool,
    is_constant: bool,
    is_free: bool,
    has_threshold: bool,
) -> Case:
    """Return which condition holds a coefficient between its limits where it is."""
    if low == high:
        if is_excluded:
            return Case.EXCLUDED
        return Case.CONSTANT if is_constant else Case.FIXED
    if is_free:
        return Case.FREE
    if value == 0.0 and low <= 0.0 <= high:
        return Case.ZERO
    if value <= low or value >= high:
        return Case.LOWER if value <= low else Case.UPPER
    if not has_threshold:
        return Case.SHRUNK
    return Case.POSITIVE if value > 0.0 else Case.NEGATIVE


@dataclass(frozen=True)
class Reason:
    """Why a coefficient is what it is.

    Attributes
    ----------
    name : str
    coef : float
        On the original scale of its column.
    signal, threshold : float
        What the column has to say beside all others, and what it takes not to be zero;
        for each unit of the coefficient as it is penalised.
    case : Case
    alpha_alone : float or None
        Strength at which the signal equals the threshold if nothing else moves; None
        where there is no threshold, or the signal points beyond a limit.
    enters_at, leaves_at : float or None
        Strength at which a zero coefficient stops being zero on the way down the path,
        or another becomes zero on the way up; found by solving there.
    searched_to : float or None
        How far down the path a coefficient was looked for in vain.
    """

    name: str
    coef: float
    signal: float
    threshold: float
    case: Case
    alpha_alone: float | None = None
    enters_at: float | None = None
    leaves_at: float | None = None
    searched_to: float | None = None

    @property
    def margin(self) -> float:
        """How far the signal is beyond its threshold; negative where it is within."""
        return abs(self.signal) - self.threshold

    @property
    def sentence(self) -> str:
        """Say the same in words."""
        name, value = self.name, f"{self.coef:.4g}"
        if self.case is Case.ZERO:
            return f"{name} is zero: {self.compared('remaining signal')}; {self.entry}."
        if self.case in (Case.POSITIVE, Case.NEGATIVE):
            said = f"{name} is {self.case.value} ({value}): {self.compared('signal')}"
            return f"{said}; {self.departure}."
        if self.case is Case.SHRUNK:
            return f"{name} is {value}: without an L1 part nothing is held at zero."
        if self.case is Case.FREE:
            return f"{name} is {value}: it is not penalised."
        if self.case is Case.EXCLUDED:
            return f"{name} is zero: its penalty factor is infinite."
        if self.case is Case.CONSTANT:
            return f"{name} is zero: its column never varies."
        if self.case is Case.FIXED:
            return f"{name} is {value}: its limits leave no other value."
        return (
            f"{name} is {value}, {self.case.value}: its signal {self.signal:.4g} would "
            "carry it further."
        )

    def compared(self, what: str) -> str:
        """Return how signal and threshold compare, as far as the digits printed go."""
        signal, threshold = f"{abs(self.signal):.4g}", f"{self.threshold:.4g}"
        if signal == threshold:
            return f"its {what} {signal} equals the threshold"
        verb = "is below" if self.margin < 0.0 else "exceeds"
        return f"its {what} {signal} {verb} the threshold {threshold}"

    @property
    def entry(self) -> str:
        """Say where a zero coefficient would enter."""
        if self.enters_at is not None:
            return f"it would enter at alpha {self.enters_at:.4g}{self.if_alone}"
        if self.searched_to is not None:
            return f"it does not enter on the path down to alpha {self.searched_to:.4g}"
        if self.alpha_alone is None:
            return "it points beyond the limit"
        return f"it would enter at alpha {self.alpha_alone:.4g} if nothing else moved"

    @property
    def departure(self) -> str:
        """Say where another coefficient would leave."""
        if self.leaves_at is not None:
            return f"it would leave at alpha {self.leaves_at:.4g}"
        if self.alpha_alone is None:
            return "no alpha sets it to zero"
        return f"it would leave at alpha {self.alpha_alone:.4g} if nothing else moved"

    @property
    def if_alone(self) -> str:
        """Say where it would enter if nothing else moved, unless that is the same."""
        if self.alpha_alone is None:
            return ""
        there, here = f"{self.alpha_alone:.4g}", f"{self.enters_at:.4g}"
        return "" if there == here else f" ({there} if nothing else moved)"
