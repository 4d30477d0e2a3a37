"""Every problem to every peer, every answer to the same judge.

Claim: at every strength the penglm objective is not above any peer's by more than
1e-9 relative, and its KKT residual is at most 1e-4 of alpha. Peers are judged by the
same two numbers, computed by ``objective.py``, which shares no code with penglm.

Run: python -m validation.run                     (about 2 minutes; writes the page)
     python -m validation.run poisson_exposure    (some problems; writes nothing)

The exit code is 1 if a claim fails.
"""

import sys
from pathlib import Path

import numpy as np

from validation.claims import CLAIMS, Row, contradictions
from validation.objective import judge, null_slope
from validation.pages import peers_page
from validation.peers import everyone
from validation.peers.glmnet import NOTHING_STORED
from validation.peers.statsmodels import Restarted
from validation.problem import AbsentError, Answer, Problem, RefusedError
from validation.problems import everything

PAGE = Path(__file__).resolve().parents[1] / "docs" / "validation" / "peers.md"


def main(names: list[str]) -> int:
    """Run the problems named, or all; return the exit code."""
    known = everything()
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"unknown: {', '.join(unknown)}. Known: {', '.join(known)}.")
        return 2
    rows, restarted = [], []
    print(f"{'problem':27}{'peer':17}{'at':>3} {'excess':>9} {'KKT':>9}  note")
    for name in names or known:
        found, stories = run_one(name, known[name])
        rows += found
        restarted += stories
        for row in found:
            if row.note != NOTHING_STORED:
                print(line_of(row), flush=True)
    broken = contradictions(rows)
    for claim in CLAIMS:
        print(f"claim: {claim}")
    for breach in broken:
        print(f"FAILS {breach}")
    print(f"{len(broken)} contradictions")
    if not names:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(peers_page(rows, restarted, broken))
        print(f"wrote docs/validation/{PAGE.name}")
    return 1 if broken else 0


def run_one(name: str, make) -> tuple[list[Row], list[Restarted]]:
    """Return the rows of a problem, and what statsmodels had to do."""
    try:
        problem = make()
    except AbsentError as reason:
        peers = [Row(name, peer.name, note=str(reason), outcome="absent")
                 for peer in everyone()[:1]]  # fmt: skip
        return peers, []
    unit = null_slope(problem)
    rows, stories = [], []
    for peer in everyone():
        try:
            answer = peer.solve(problem)
        except RefusedError as reason:
            rows.append(blank(problem, peer.name, str(reason), "refused"))
        except Exception as error:  # a peer's failure is a row of the table
            told = f"{type(error).__name__}: {error}".splitlines()[0]
            rows.append(blank(problem, peer.name, told, "failed"))
        else:
            rows.append(judged(problem, peer.name, answer, unit))
            # Ridge is asked for with a trace of L1, which would count as an error.
            if isinstance(answer, Restarted) and problem.l1_ratio > 0:
                stories.append(answer)
    return with_excess(rows, problem.alphas.size), stories


def shape_of(problem: Problem) -> str:
    """Return size, family and mix in words."""
    family = "probit" if problem.link == "probit" else problem.family
    size = f"{problem.n_obs} x {problem.n_features}"
    return f"{size}, {family}, l1_ratio {problem.l1_ratio:.3g}"


def blank(problem: Problem, peer: str, note: str, outcome: str) -> Row:
    """Return a row without numbers."""
    return Row(problem.name, peer, shape_of(problem), note=note, outcome=outcome)


def judged(problem: Problem, peer: str, answer: Answer, unit: float) -> Row:
    """Return a row with the judge's numbers, the excess still missing."""
    verdicts = [
        judge(problem, problem.alphas[k], float(intercept), coef, unit)
        for k, intercept, coef in zip(
            answer.at, answer.intercepts, answer.coefs.T, strict=True
        )
    ]
    return Row(
        problem.name, peer, shape_of(problem), np.asarray(answer.at),
        np.array([verdict.objective for verdict in verdicts]),
        np.array([verdict.kkt_residual for verdict in verdicts]),
        note=answer.note,
    )  # fmt: skip


def with_excess(rows: list[Row], n_alphas: int) -> list[Row]:
    """Compare objectives strength by strength."""
    best = np.full(n_alphas, np.inf)
    for row in rows:
        if row.outcome == "solved":
            best[row.at] = np.fmin(best[row.at], row.objective)
    compared = []
    for row in rows:
        if row.outcome == "solved":
            least = best[row.at]
            excess = (row.objective - least) / np.abs(least)
            row = Row(**(vars(row) | {"excess": np.where(excess >= 0, excess, np.inf)}))
        compared.append(row)
    return compared


def line_of(row: Row) -> str:
    """Return a line of the printed table."""
    start = f"{row.problem:27}{row.peer:17}"
    if row.outcome != "solved":
        return f"{start}{'-':>3} {'-':>9} {'-':>9}  {row.outcome}: {row.note}"
    numbers = f"{row.excess.max():9.1e} {row.kkt.max():9.1e}"
    return f"{start}{row.at.size:3} {numbers}  {row.note}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
