"""Time at a common accuracy: a ladder of tolerances, interpolated between two rungs.

Each rival is timed at its own tolerance and then a decade tighter or looser at a time,
until two neighbouring tolerances lie on either side of the goal. The first passing
decade would be up to ten times more accurate than asked for, and slower than needed;
so time is interpolated between the two, on logarithmic axes.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median

from validation.benchmarks.judging import Verdict

GOAL = 1e-6
DECADE = 10.0
# Two decades of tolerance that gain less than this have met a floor.
GAIN = 0.9
# An accuracy that is not distinguishable from perfect.
PERFECT = 1e-16
# Roughness of decades: 1e-7 / 10 is not quite 1e-8.
SLACK = 1.0 + 1e-9


@dataclass
class Rung:
    """One tolerance of one contender.

    Attributes
    ----------
    tol : float
    sub, kkt : float
        Largest relative excess of the objective, and KKT violation in alpha.
    seconds : list of float
        CPU seconds of each fit.
    against : list of float
        CPU seconds of penglm's fit right before each of them.
    wall : float
        Seconds of the clock of the first.
    grown : int
        Peak memory above what was resident before, bytes.
    verdict : Verdict, optional
        The judge's, by which ``sub`` is found again once all answers are known.
    """

    tol: float
    sub: float
    kkt: float
    seconds: list[float] = field(default_factory=list)
    against: list[float] = field(default_factory=list)
    wall: float = math.nan
    grown: int = 0
    verdict: Verdict | None = None

    @property
    def passes(self) -> bool:
        """Whether the goal is met."""
        return self.sub <= GOAL

    @property
    def time(self) -> float:
        """Median CPU seconds."""
        return median(self.seconds)

    @property
    def ratio(self) -> float:
        """Median over pairs of this contender's time over penglm's."""
        pairs = zip(self.seconds, self.against, strict=False)
        return median([mine / max(other, 1e-9) for mine, other in pairs] or [math.nan])


@dataclass(frozen=True)
class Matched:
    """What a contender needs for the goal.

    Attributes
    ----------
    seconds, ratio, tol : float
        Time, time over penglm's, and the tolerance that would give it.
    """

    seconds: float
    ratio: float
    tol: float


def climb(
    evaluate: Callable[[float], None],
    rungs: list[Rung],
    loosest: float,
    tightest: float,
) -> None:
    """Climb until the goal lies between two rungs, or the ladder ends.

    ``evaluate`` adds a rung to ``rungs``, which has one already; where it raises, those
    before remain. Two tolerances that gain nothing end it as well: some packages have a
    floor.
    """
    tol, loosen = rungs[0].tol, rungs[0].passes
    while rungs[-1].passes == loosen and (loosen or gains(rungs)):
        tol = tol * DECADE if loosen else tol / DECADE
        if tol > loosest * SLACK or tol < tightest / SLACK:
            break
        evaluate(tol)


def gains(rungs: list[Rung]) -> bool:
    """Return whether the last two tolerances made any difference."""
    return len(rungs) < 3 or rungs[-1].sub < GAIN * rungs[-3].sub


def bracket(rungs: list[Rung]) -> tuple[Rung | None, Rung | None]:
    """Return the tightest rung that fails and the loosest that passes after it."""
    ordered = sorted(rungs, key=lambda rung: -rung.tol)
    for k, rung in enumerate(ordered):
        if rung.passes:
            return (ordered[k - 1] if k else None), rung
    return (ordered[-1] if ordered else None), None


def matched(rungs: list[Rung]) -> Matched | None:
    """Interpolate time, ratio and tolerance at the goal; None if nothing passes."""
    below, above = bracket(rungs)
    if above is None:
        return None
    if below is None:
        return Matched(above.time, above.ratio, above.tol)
    return Matched(
        interpolate(below.sub, below.time, above.sub, above.time),
        interpolate(below.sub, below.ratio, above.sub, above.ratio),
        interpolate(below.sub, below.tol, above.sub, above.tol),
    )


def interpolate(
    x0: float, y0: float, x1: float, y1: float, goal: float = GOAL
) -> float:
    """Return y where x is the goal, on the line through two points in logarithms."""
    if math.isinf(x0) or not min(y0, y1) > 0:
        return y1
    low, high = math.log(max(x1, PERFECT)), math.log(max(x0, PERFECT))
    if high - low <= 0:
        return y1
    share = min(max((math.log(goal) - low) / (high - low), 0.0), 1.0)
    return math.exp(math.log(y1) + share * (math.log(y0) - math.log(y1)))
