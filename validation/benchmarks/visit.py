"""One rival's fits in a contest: its own tolerance, the ladder, the folds."""

import math
from collections.abc import Callable

import numpy as np

from validation.benchmarks.contender import FailedError, OverLimitError, Worker
from validation.benchmarks.entry import Entry
from validation.benchmarks.ladder import GOAL, Rung, bracket, climb, matched
from validation.benchmarks.rivals.protocol import CV, FIT, Rival

# First strengths of a path, to load and compile what a fit needs.
WARM_UP = 5
# Pairs of fits by the seconds that one pair takes.
PAIRS = ((1.0, 3), (5.0, 2), (math.inf, 1))
# A fit this slow is measured once, warm-up and all.
SLOW = 8.0
# Short fits are repeated to fill this many seconds.
FILL, MOST_REPEATS = 0.2, 300
CAUTION = 4


class SpentError(Exception):
    """A rival has used up its time in this workload."""


class Visit:
    """One rival's fits in a contest."""

    def __init__(
        self, contest, worker: Worker, rival: Rival, entry: Entry, limit: float
    ) -> None:
        self.contest, self.worker, self.rival = contest, worker, rival
        self.entry, self.limit = entry, limit
        self.n_alphas = contest.case.alphas.size
        self.spent = 0.0
        self.repeat = 1

    def fitted(self) -> None:
        """Measure at the rival's own tolerance and on the ladder."""
        few = min(WARM_UP, self.n_alphas)
        patience = self.limit + self.rival.compile_seconds
        warm = self.worker.measure(FIT, None, few, patience)
        if few == self.n_alphas:
            self.repeat = repeats(warm.wall)
        compiles = self.rival.compile_seconds > 0
        if few == self.n_alphas and warm.wall > SLOW and not compiles:
            rung = self.contest.judged(self.worker, self.rival.default_tol)
            rung.seconds, rung.wall, rung.grown = [warm.cpu], warm.wall, warm.grown
            rung.against = [self.contest.home_fit()]
            self.entry.rungs.append(rung)
        else:
            self.evaluate(None)
            self.repeat = repeats(self.entry.rungs[0].wall)
            if self.repeat > 1:
                self.entry.rungs.clear()
                self.evaluate(None)
        self.complete(self.entry.rungs[0], None)
        self.climb(self.evaluate)
        for rung in bracket(self.entry.rungs):
            if rung is not None and rung is not self.entry.rungs[0]:
                self.complete(rung, rung.tol)

    def climb(self, evaluate: Callable[[float], None]) -> None:
        """Climb the ladder with one way to add a rung; stay on it when out of time."""
        rival = self.rival
        try:
            climb(evaluate, self.entry.rungs, rival.loosest, rival.tightest)
        except (SpentError, OverLimitError, FailedError) as reason:
            self.contest.explain(self.entry, reason, self.limit)
            if self.worker.is_dead:
                raise

    def evaluate(self, tol: float | None) -> None:
        """Add a rung: a pair of fits, judged; a slow penglm fits only in `complete`."""
        if self.entry.rungs and self.spent > self.contest.budget:
            raise SpentError(f"stopped after {self.spent:.0f} s")
        if self.entry.rungs:
            # A tighter fit may take much longer than the one before.
            self.repeat = max(1, repeats(self.entry.rungs[-1].wall) // CAUTION)
        other = self.contest.home_fit() if self.contest.is_quick else math.nan
        reply = self.worker.measure(FIT, tol, self.n_alphas, self.limit, self.repeat)
        self.spent += self.repeat * reply.cpu
        rung = self.contest.judged(
            self.worker, self.rival.default_tol if tol is None else tol
        )
        rung.seconds, rung.against = [reply.cpu], [other]
        rung.wall, rung.grown = reply.wall, reply.grown
        self.entry.rungs.append(rung)

    def complete(self, rung: Rung, tol: float | None) -> None:
        """Complete the pairs of a rung."""
        self.repeat = repeats(rung.wall)
        if math.isnan(rung.against[0]):
            rung.against[0] = self.contest.home_fit()
        both = [rung.seconds[0], rung.against[0]]
        pair = self.repeat * sum(spent for spent in both if not math.isnan(spent))
        wanted = next(count for seconds, count in PAIRS if pair < seconds)
        while len(rung.seconds) < wanted:
            rung.against.append(self.contest.home_fit())
            reply = self.worker.measure(
                FIT, tol, self.n_alphas, self.limit, self.repeat
            )
            rung.seconds.append(reply.cpu)

    # -- cross-validation ----------------------------------------------------------

    def cross_validated(self) -> None:
        """Find the tolerance on the path of all rows, then cross-validate at it."""
        patience = self.limit + self.rival.compile_seconds
        self.worker.measure(FIT, None, min(WARM_UP, self.n_alphas), patience)
        self.path(None)
        own = self.entry.rungs[0]
        self.climb(self.path)
        goal = matched(self.entry.rungs)
        self.entry.rungs = []
        self.time_folds(own, None)
        self.entry.rungs = [own]
        if self.contest.home_curve is not None:
            curve, mine = self.worker.curve(), self.contest.home_curve
            self.entry.curve_off = float(np.max(np.abs(curve / mine - 1.0)))
        if goal is None:
            self.entry.note = "no tolerance reaches the goal on the path"
        elif not (own.passes and goal.tol == own.tol):
            at = Rung(goal.tol, GOAL, own.kkt)
            self.time_folds(at, goal.tol)
            self.entry.rungs.append(at)

    def path(self, tol: float | None) -> None:
        """Add a rung from one path on all rows, which nobody times."""
        if self.entry.rungs and self.spent > self.contest.budget:
            raise SpentError(f"stopped after {self.spent:.0f} s")
        self.spent += self.worker.measure(FIT, tol, self.n_alphas, self.limit).cpu
        rung = self.contest.judged(
            self.worker, self.rival.default_tol if tol is None else tol
        )
        rung.seconds, rung.against = [1.0], [1.0]
        self.entry.rungs.append(rung)

    def time_folds(self, rung: Rung, tol: float | None) -> None:
        """Measure a cross-validation at a tolerance."""
        rung.against = [self.contest.home_fit()]
        reply = self.worker.measure(CV, tol, self.n_alphas, self.limit)
        rung.seconds, rung.wall, rung.grown = [reply.cpu], reply.wall, reply.grown


def repeats(seconds: float) -> int:
    """Return how often to repeat a fit so that a clock can measure it."""
    if seconds > FILL / 2:
        return 1
    return min(int(FILL / max(seconds, 1e-6)), MOST_REPEATS)
