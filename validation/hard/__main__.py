"""Who survives small hard problems at default settings, and who is wrong in silence.

Claim: penglm gives no wrong answer in silence, survives every problem, and its
objective is not above any peer's by more than a millionth of what the minimum explains.
Answers are judged by the objective in 80 digits, and by its minimum as the active-set
method of ``validation/exact`` finds it; neither shares code with penglm.

Run: pip install '.[references]' && python -m validation.hard    (a few minutes)
"""

import concurrent.futures as futures
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from mpmath import mp

from validation.exact.losses import LOSSES
from validation.exact.solver import DIGITS, Exact, Problem
from validation.hard.contenders import CONTENDERS, Claim, ask
from validation.hard.problems import KINDS, LINKS, Hard, make
from validation.pages import table
from validation.problem import RefusedError

PAGE = Path(__file__).parents[2] / "docs" / "validation" / "robustness.md"
# A share of what the minimum explains: an answer that misses less is right.
ENOUGH = 1e-3
NOT_ABOVE = 1e-6
# A null model that is the minimum explains nothing; rounding needs some room.
LEAST_EXPLAINED = 1e-9
SECONDS = 60
RIGHT, ALOUD, SILENT, UNSTATED = "right", "said so", "wrong in silence", "not stated"
ARRAYS = ("y", "X", "weight", "offset", "penalty_factor", "lower", "upper")
OUTCOMES = (RIGHT, ALOUD, SILENT, UNSTATED)


@dataclass(frozen=True)
class Row:
    """What became of one problem at one contender.

    Attributes
    ----------
    missed : float
        Share of the explained objective that is missing; infinite where there is no
        answer.
    """

    problem: Hard
    contender: str
    outcome: str
    missed: float
    said: str


def truth(problem: Hard) -> tuple[Exact, Any, Any]:
    """Return the objective, its minimum, and what that is below the null model."""
    loss = next(
        each
        for each in LOSSES
        if (each.family, each.link) == (problem.family, problem.link)
    )
    rows = {name: getattr(problem, name).tolist() for name in ARRAYS}
    exact = Exact(Problem(loss=loss, fit_intercept=True, standardize=False, **rows))
    answer = exact.solve(problem.alpha, problem.l1_ratio)
    explained = answer.null_objective - answer.objective
    return (
        exact,
        answer.objective,
        max(explained, LEAST_EXPLAINED * abs(answer.null_objective)),
    )


def judged(problem: Hard, known: Any, contender: str, claim: Claim) -> Row:
    """Return what a claim is worth."""
    missed = np.inf
    if known is not None and claim.coef is not None:
        exact, least, explained = known
        if np.isfinite([claim.intercept, *claim.coef]).all():
            value = exact.value_at(claim.intercept, claim.coef)
            missed = float((value - least) / explained)
    if not problem.has_minimum:
        # The right answer is to say that there is none.
        outcome = RIGHT if claim.said else SILENT
    elif missed <= ENOUGH:
        outcome = RIGHT
    else:
        outcome = ALOUD if claim.said else SILENT
    return Row(problem, contender, outcome, missed, claim.said)


def answers(solve: Callable[..., Any], problems: list[Hard]) -> list[Claim | None]:
    """Return claims, made in another process: a crash is an outcome, too."""
    out: list[Claim | None] = []
    pool = fresh()
    for problem in problems:
        try:
            out.append(pool.submit(ask, solve, problem).result(timeout=SECONDS))
        except RefusedError:
            out.append(None)
        except (futures.process.BrokenProcessPool, futures.TimeoutError):
            # Neither a crash nor a process that hangs has said anything.
            for process in list(pool._processes.values()):
                process.kill()
            pool.shutdown(wait=False)
            pool = fresh()
            out.append(Claim(np.nan, None, ""))
    pool.shutdown()
    return out


def fresh() -> futures.ProcessPoolExecutor:
    """Return a process to be spoilt."""
    return futures.ProcessPoolExecutor(1, mp_context=get_context("spawn"))


def run() -> list[Row]:
    """Ask everybody for everything."""
    problems = list(make())
    known = [truth(problem) if problem.has_minimum else None for problem in problems]
    rows = []
    for name, solve in CONTENDERS.items():
        if find_spec({"scikit-learn": "sklearn"}.get(name, name)) is None:
            print(f"{name} is not installed")
            continue
        for problem, at, claim in zip(
            problems, known, answers(solve, problems), strict=True
        ):
            rows.append(
                Row(problem, name, UNSTATED, np.nan, "")
                if claim is None
                else judged(problem, at, name, claim)
            )
        print(name, dict(Counter(row.outcome for row in rows if row.contender == name)))
    return rows


def breaches(rows: list[Row]) -> list[str]:
    """Return what contradicts the claim."""
    broken = []
    best: dict[int, float] = {}
    for row in rows:
        if row.contender != "penglm" and np.isfinite(row.missed):
            key = id(row.problem)
            best[key] = min(best.get(key, np.inf), row.missed)
    for row in rows:
        if row.contender != "penglm":
            continue
        where = f"{row.problem.kind}, {row.problem.family}, {row.problem.l1_ratio:g}"
        if row.outcome != RIGHT:
            broken.append(f"{where}: {row.outcome} ({row.missed:.1e}; {row.said})")
        peer = best.get(id(row.problem), np.inf)
        if row.problem.has_minimum and row.missed > max(peer, 0.0) + NOT_ABOVE:
            broken.append(f"{where}: misses {row.missed:.1e}, a peer {peer:.1e}")
    return broken


def summary(rows: list[Row]) -> str:
    """Return a line for each contender."""
    lines = []
    for name in dict.fromkeys(row.contender for row in rows):
        count = Counter(row.outcome for row in rows if row.contender == name)
        stated = sum(count.values()) - count[UNSTATED]
        share = f"{100.0 * count[RIGHT] / stated:.0f} %"
        lines.append([name, share, *(str(count[outcome]) for outcome in OUTCOMES)])
    return table(["", "survived:", *(f"{outcome}:" for outcome in OUTCOMES)], lines)


def by_kind(rows: list[Row]) -> str:
    """Return right and silently wrong answers of each kind of problem."""
    names = list(dict.fromkeys(row.contender for row in rows))
    lines = []
    for kind in KINDS:
        cells = []
        for name in names:
            here = [r for r in rows if r.contender == name and r.problem.kind == kind]
            count = Counter(row.outcome for row in here)
            stated = len(here) - count[UNSTATED]
            silent = f", {count[SILENT]} silent" if count[SILENT] else ""
            cells.append(f"{count[RIGHT]} of {stated}{silent}" if stated else "-")
        lines.append([kind, *cells])
    return table(["", *names], lines)


def page(rows: list[Row], broken: list[str]) -> str:
    """Return docs/validation/robustness.md."""
    n_problems = len({id(row.problem) for row in rows})
    peers = dict.fromkeys(row.contender for row in rows)
    made = ", ".join(f"{name} {version(name)}" for name in peers if name != "penglm")
    failures = "\n".join(f"- {breach}" for breach in broken)
    verdict = "It holds." if not broken else f"It does not hold:\n\n{failures}"
    return f"""# Small hard problems

Generated by `python -m validation.hard`; do not edit. Made with
{made}.

{n_problems} problems of 12 to 40 rows, each hard in one way: lasso, elastic net and
ridge of four families ({", ".join(LINKS)}; log link for the last two).
Everybody gets the same problem, unscaled columns and all, at its own default settings.

The minimum of each problem is known to 80 digits, from an active-set method that shares
no code with anybody here (`validation/exact`). Whoever misses less than a thousandth of
what the minimum explains (the objective of the null model less the minimum) is
**right**. An answer that is further off **said so** if it came with a warning, any
warning, or an error instead of an answer. Otherwise it is **wrong in silence**: a wrong
number, NaN, a crash, or no answer within {SECONDS} seconds. Where there is no minimum
at finite coefficients, saying so is right. What a contender has no words for is not
counted.

What is claimed of penglm: it is right about every problem, and misses no more than any
peer, up to {NOT_ABOVE:g} of what is explained. {verdict}

{summary(rows)}
## By kind

Right answers of the problems that could be stated.

{by_kind(rows)}
Those who ask for more digits than the defaults get more of them right; the
[comparison of peers](peers.md) lets each do its best.
"""


def main() -> int:
    """Write the page; return 1 if the claim fails."""
    mp.dps = DIGITS
    rows = run()
    broken = breaches(rows)
    PAGE.write_text(page(rows, broken))
    print("\n".join(broken) or "the claim holds")
    return int(bool(broken))


if __name__ == "__main__":
    raise SystemExit(main())
