"""Where penglm stands in one workload, from its stored record."""

from dataclasses import dataclass

from validation.benchmarks.ladder import GOAL
from validation.benchmarks.rivals.protocol import COLD, CV
from validation.benchmarks.workloads import Workload

# What penglm promises of its own answers at its own tolerance.
MOST_KKT = 1e-3
# Memory beyond the caller's columns, in units of their size; small tables are not held
# to it, for there the interpreter weighs more.
MOST_MEMORY, LARGE = 0.6, 20_000_000
# A ratio below this is a tie: machines are not that steady.
TIE = 1.3


@dataclass(frozen=True)
class Standing:
    """A workload's record, seen from penglm.

    Attributes
    ----------
    workload : Workload
    record : dict
    home : dict or None
        penglm's numbers at its own tolerance.
    best, quickest : dict or None
        Entries of the best rival at the goal, and of the fastest at its default.
    """

    workload: Workload
    record: dict
    home: dict | None
    best: dict | None
    quickest: dict | None

    @property
    def ratio(self) -> float | None:
        """Time of the best rival at the goal over penglm's."""
        return self.best["matched"]["ratio"] if self.best else None

    @property
    def default_ratio(self) -> float | None:
        """Time of the fastest rival at its default over penglm's."""
        return self.quickest["default"]["ratio"] if self.quickest else None

    @property
    def bound(self) -> float | None:
        """Least time of those that did not reach the goal; None if there are none."""
        times = [entry["at_least"] for entry in self.rivals if entry["at_least"]]
        return min(times, default=None)

    @property
    def rivals(self) -> list[dict]:
        """Entries of everybody but penglm."""
        return self.record["entries"][1:]

    @property
    def undecided(self) -> list[str]:
        """Rivals that were stopped before they were slower than the best."""
        limit = self.best["matched"]["seconds"] if self.best else float("inf")
        return [
            entry["contender"] for entry in self.rivals
            if entry["at_least"] and entry["at_least"] < limit
        ]  # fmt: skip

    @property
    def memory(self) -> float | None:
        """Peak memory beyond the columns, in units of them."""
        size = self.record["X_bytes"]
        if self.home is None or not self.home["grown"] or size < LARGE:
            return None
        return self.home["grown"] / size

    @property
    def passes(self) -> float | None:
        """Time of penglm in passes over the columns."""
        if self.home is None or not self.record["pass_seconds"]:
            return None
        return self.home["time"] / self.record["pass_seconds"]

    def missed(self) -> list[str]:
        """Return what was promised and is not so, in words."""
        told = []
        wanted = self.workload
        if self.home is None:
            return [f"penglm has no answer: {self.record['entries'][0]['note']}"]
        if wanted.ratio and self.ratio is not None and self.ratio < wanted.ratio:
            told.append(
                f"{figure(self.ratio)} times as fast as {self.best['contender']}, "
                f"{figure(wanted.ratio)} required: "
                f"{figure(wanted.ratio / self.ratio)} times too slow"
            )
        if wanted.seconds and self.home["time"] > wanted.seconds:
            told.append(
                f"{seconds(self.home['time'])} s, at most {seconds(wanted.seconds)} s "
                "required"
            )
        default = self.default_ratio
        if wanted.ratio and default is not None and default < 1.0:
            told.append(
                f"{figure(1.0 / default)} times slower than "
                f"{self.quickest['contender']}, both at their own tolerance"
            )
        if self.home["sub"] is None or self.home["sub"] > GOAL:
            told.append(f"sub {power(self.home['sub'])}, at most {GOAL:.0e} promised")
        if self.home["kkt"] is None or self.home["kkt"] > MOST_KKT:
            told.append(f"KKT {power(self.home['kkt'])}, at most {MOST_KKT:.0e}")
        if self.memory is not None and self.memory > MOST_MEMORY:
            told.append(
                f"memory {self.memory:.2f} of the columns, at most {MOST_MEMORY}"
            )
        return told


def standing(workload: Workload, record: dict) -> Standing:
    """Find the best of the rivals, by what they need and by what they do."""
    entries = record["entries"]
    reached = [entry for entry in entries[1:] if entry["matched"]]
    timed = [entry for entry in entries[1:] if entry["default"]]
    if record["task"] == COLD:
        # A new process fits at its own tolerance, whatever that is worth.
        reached = [{**entry, "matched": of_default(entry)} for entry in timed]
    elif record["task"] == CV:
        reached = [entry for entry in reached if entry["matched"]["seconds"]]
    best = min(reached, key=lambda entry: cost(entry["matched"]), default=None)
    quickest = min(timed, key=lambda entry: cost(entry["default"]), default=None)
    return Standing(workload, record, entries[0]["default"], best, quickest)


def cost(numbers: dict) -> tuple[bool, float]:
    """Return what the best is least in: the paired ratio, for machines are shared."""
    if numbers["ratio"] is not None:
        return False, numbers["ratio"]
    return True, numbers["seconds"] if "seconds" in numbers else numbers["time"]


def of_default(entry: dict) -> dict:
    """Return a rung at its own tolerance as if it were what was asked for."""
    own = entry["default"]
    return {"seconds": own["time"], "ratio": own["ratio"], "tol": own["tol"]}


def seconds(value: float | None) -> str:
    """Return a time with three digits that count."""
    if value is None:
        return "-"
    if value >= 100:
        return f"{value:.0f}"
    if value >= 1:
        return f"{value:.3g}"
    return f"{value:.2g}" if value >= 1e-3 else f"{value:.1e}"


def figure(value: float | None) -> str:
    """Return a ratio."""
    if value is None:
        return "-"
    return f"{value:.0f}" if value >= 20 else f"{value:.2g}"


def power(value: float | None) -> str:
    """Return an accuracy, without digits that are rounding."""
    if value is None:
        return "-"
    return f"{value:.0e}" if value >= 1e-13 else "< 1e-13"
