"""One workload: penglm against each rival in turn, A B A B, and what came of it.

penglm's worker lives as long as the workload, a rival's as long as it is measured, so
two hold the problem at a time. Every fit is judged. Nothing a contender does ends the
contest: what fails, takes too long or is not there becomes an entry with the reason.
"""

import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from validation.benchmarks.case import Case
from validation.benchmarks.contender import (
    FailedError,
    OverLimitError,
    Worker,
    coefficients,
    cold_start,
)
from validation.benchmarks.entry import (
    ABSENT,
    FAILED,
    OVER,
    REFUSED,
    Entry,
    number,
)
from validation.benchmarks.environments import Environments, NotInstalledError
from validation.benchmarks.judging import Judge
from validation.benchmarks.ladder import Rung, matched
from validation.benchmarks.rivals.protocol import COLD, CV, FIT, Rival
from validation.benchmarks.visit import SpentError, Visit, repeats

# penglm's reference for the best objective, beside everybody's answers.
TIGHT = 1e-10
COLD_STARTS = 3
# Seconds of a penglm fit that are spent at every rung of everybody's ladder.
CHEAP = 2.0


class Contest:
    """The measurement of one workload.

    Parameters
    ----------
    case : Case
    folder : Path
        Where the problem is stored.
    environments : Environments
    limit, budget : float
        Seconds allowed for a fit, and for a rival in all.
    say : function
        Prints a line.
    """

    def __init__(
        self, case: Case, folder: Path, environments: Environments, *, limit: float,
        budget: float, say: Callable[[str], None],
    ) -> None:  # fmt: skip
        self.case, self.folder, self.environments = case, folder, environments
        self.limit, self.budget, self.say = limit, budget, say
        self.judge = Judge(case.problem)
        self.best = np.full(case.alphas.size, np.inf)
        self.home: Worker | None = None
        self.home_seconds: list[float] = []
        self.home_repeat, self.home_wall, self.home_grown = 1, math.nan, 0
        self.home_curve: np.ndarray | None = None
        self.passing: float | None = None
        self.task = case.facts.task
        self.since = time.monotonic()

    def run(self, rivals: list[Rival]) -> dict:
        """Measure penglm, then every rival; the first of the list is penglm."""
        if self.task == COLD:
            return self.record(self.cold(rivals))
        entries = [self.at_home(rivals[0])]
        self.tell(entries[0])
        try:
            for rival in rivals[1:]:
                entries.append(self.visit(rival))
                self.tell(entries[-1])
        finally:
            if self.home:
                self.home.close()
        if self.home_seconds:
            entries[0].rungs[0].seconds = self.home_seconds
            entries[0].rungs[0].wall = self.home_wall
            entries[0].rungs[0].grown = self.home_grown
        return self.record(entries)

    def record(self, entries: list[Entry]) -> dict:
        """Return everything as plain numbers, accuracies by the best of all answers."""
        for entry in entries:
            for rung in entry.rungs:
                if rung.verdict is not None:
                    rung.sub = max(rung.verdict.sub(self.best), 0.0)
        facts = self.case.facts
        return {
            "size": f"{facts.n_obs} x {facts.n_features}",
            "n_alphas": int(self.case.alphas.size),
            "task": facts.task,
            "X_bytes": self.case.X_bytes,
            "pass_seconds": number(self.passing),
            "entries": [entry.plain() for entry in entries],
        }

    # -- one contender ------------------------------------------------------------

    def at_home(self, rival: Rival) -> Entry:
        """Start penglm, let it compile, find the reference, measure it."""
        entry = Entry(rival.name)
        patience = self.limit + rival.compile_seconds
        try:
            self.home = self.start(rival, entry)
            self.home.measure(FIT, None, self.case.alphas.size, patience)
            rung = self.judged(self.home, rival.default_tol)
            self.passing = self.home.ask("pass", self.limit).cpu
            if self.task == CV:
                self.home.measure(CV, None, self.case.alphas.size, patience)
                self.home_curve = self.home.curve()
            entry.rungs.append(rung)
            self.home_fit()
            if self.home is None:
                raise OverLimitError
            self.home_repeat = repeats(self.home_wall)
            if self.home_repeat > 1:
                self.home_seconds.clear()
            rung.seconds = [self.home_fit()]
            self.home.measure(FIT, TIGHT, self.case.alphas.size, self.limit)
            self.judged(self.home, TIGHT)
        except (OverLimitError, FailedError, NotInstalledError) as reason:
            self.explain(entry, reason, self.limit)
            if not self.home_seconds:
                entry.rungs.clear()
                self.explain(entry, reason, self.limit)
            if self.home and self.home.is_dead:
                self.home.close()
                self.home = None
                if entry.rungs:
                    # Only the reference was out of reach.
                    self.home = self.start(rival, entry)
                    self.home.measure(FIT, None, self.case.alphas.size, patience)
        return entry

    @property
    def is_quick(self) -> bool:
        """Whether penglm may fit again at every rung."""
        return bool(self.home_seconds) and self.home_seconds[-1] < CHEAP

    def home_fit(self) -> float:
        """Return penglm's CPU seconds for the task, measured now; NaN without it."""
        if self.home is None:
            return math.nan
        task = CV if self.task == CV else FIT
        try:
            reply = self.home.measure(
                task, None, self.case.alphas.size, self.limit, self.home_repeat
            )
        except (OverLimitError, FailedError):
            self.home.close()
            self.home = None
            return math.nan
        self.home_seconds.append(reply.cpu)
        self.home_wall, self.home_grown = reply.wall, reply.grown
        return reply.cpu

    def visit(self, rival: Rival) -> Entry:
        """Measure one rival."""
        entry = Entry(rival.name)
        refusal = rival.refuse(self.case.facts)
        if refusal:
            entry.outcome, entry.note = REFUSED, refusal
            return entry
        limit = min(self.limit, rival.patience(self.case.facts))
        try:
            with self.start(rival, entry) as worker:
                visit = Visit(self, worker, rival, entry, limit)
                visit.cross_validated() if self.task == CV else visit.fitted()
        except (OverLimitError, FailedError, NotInstalledError, SpentError) as reason:
            self.explain(entry, reason, limit)
        for rung in entry.rungs:
            if math.isnan(rung.against[0]):
                rung.against[0] = self.home_fit()
        return entry

    def start(self, rival: Rival, entry: Entry) -> Worker:
        """Start a worker; a start that takes too long is a failure."""
        command = self.environments.command(rival)
        cache = self.environments.folder
        try:
            worker = Worker([*command, str(self.folder)], self.folder, cache)
        except OverLimitError:
            raise FailedError("was not ready in time") from None
        entry.version = worker.version
        return worker

    def explain(self, entry: Entry, reason: Exception, limit: float) -> None:
        """Write down why a contender got no further."""
        if isinstance(reason, SpentError):
            loose = ", no looser tolerance tried" if matched(entry.rungs) else ""
            entry.note = f"{reason}{loose}"
        elif isinstance(reason, NotInstalledError):
            entry.outcome = ABSENT
            entry.note = f"could not be installed: {reason}"
        elif entry.rungs:
            why = f"> {limit:.0f} s" if isinstance(reason, OverLimitError) else reason
            entry.note = f"next tolerance: {why}"
        elif isinstance(reason, OverLimitError):
            entry.outcome, entry.note = OVER, f"> {limit:.0f} s"
        else:
            entry.outcome, entry.note = FAILED, str(reason)

    def judged(self, worker: Worker, tol: float) -> Rung:
        """Judge the last answer of a worker."""
        return self.weighed(worker.answer(self.case.facts.n_features), tol)

    def weighed(self, answer: tuple[np.ndarray, np.ndarray], tol: float) -> Rung:
        """Judge an answer and remember its objectives."""
        intercepts, coefs = answer
        if intercepts.size != self.case.alphas.size:
            raise FailedError(
                f"{intercepts.size} of {self.case.alphas.size} strengths came back"
            )
        verdict = self.judge.judge(self.case.alphas, intercepts, coefs)
        self.best = np.fmin(self.best, verdict.objectives)
        excess = max(verdict.sub(self.best), 0.0)
        return Rung(tol, excess, float(verdict.kkt.max()), verdict=verdict)

    def tell(self, entry: Entry) -> None:
        """Print what became of a contender."""
        spent, self.since = time.monotonic() - self.since, time.monotonic()
        text = f"  {spent:4.0f} s  {entry.contender:28}"
        if entry.rungs:
            first, goal = entry.rungs[0], matched(entry.rungs)
            text += f"{first.time:10.4g} s  sub {first.sub:8.1e}  KKT {first.kkt:8.1e}"
            if goal:
                text += f"  matched {goal.seconds:.4g} s, x {goal.ratio:.3g}"
        self.say(f"{text}  {entry.note if entry.note else ''}".rstrip())

    # -- cold starts ---------------------------------------------------------------

    def cold(self, rivals: list[Rival]) -> list[Entry]:
        """Measure new processes, penglm's alternating with each rival's."""
        entries = [self.cold_one(rivals[0], None)]
        self.tell(entries[0])
        for rival in rivals[1:]:
            entries.append(self.cold_one(rival, rivals[0]))
            self.tell(entries[-1])
        return entries

    def cold_one(self, rival: Rival, home: Rival | None) -> Entry:
        """Return the entry of one contender, after a start that fills caches."""
        entry = Entry(rival.name)
        refusal = rival.refuse(self.case.facts)
        if refusal:
            entry.outcome, entry.note = REFUSED, refusal
            return entry
        cache, tail = self.environments.folder, [str(self.folder), "cold"]
        try:
            command = [*self.environments.command(rival), *tail]
            cold_start(command, cache, 4 * self.limit)
            answer = coefficients(self.folder / "cold", self.case.facts.n_features)
            rung = self.weighed(answer, rival.default_tol)
            for _ in range(COLD_STARTS):
                if home is not None:
                    other = [*self.environments.command(home), *tail]
                    rung.against.append(cold_start(other, cache, self.limit))
                rung.seconds.append(cold_start(command, cache, self.limit))
            entry.rungs.append(rung)
        except (OverLimitError, FailedError, NotInstalledError) as reason:
            self.explain(entry, reason, self.limit)
        return entry
