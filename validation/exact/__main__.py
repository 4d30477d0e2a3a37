"""Write the reference solutions that ``tests/reference/test_exact.py`` reads.

Claim: the largest slope that should be zero is below 1e-29 of the largest slope of the
null model in every problem (it is near 1e-60).

Run: pip install '.[references]' && python -m validation.exact    (a few minutes)
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from mpmath import mp, nstr

from validation.exact.losses import LOSSES, Loss
from validation.exact.problems import MIXES, SHARE, make
from validation.exact.solver import DIGITS, Problem, largest_strength, solve

FOLDER = Path(__file__).parents[2] / "tests" / "reference" / "exact"
CLAIM = 1e-29
WRITTEN = 30


def listed(values: Any) -> Any:
    """Return arrays as JSON knows them; an infinity becomes text."""
    if isinstance(values, bool):
        return values
    if np.ndim(values) == 2:
        return [listed(row) for row in values]
    return [x if np.isfinite(x) else str(x) for x in np.asarray(values).tolist()]


def solved(problem: Problem, alpha: float, l1_ratio: float) -> dict[str, Any]:
    """Return one expected answer."""
    answer = solve(problem, alpha, l1_ratio)
    if not answer.residual <= CLAIM:
        raise ArithmeticError(f"a slope of {nstr(answer.residual, 3)} is left")
    return {
        "alpha": alpha,
        "l1_ratio": l1_ratio,
        "intercept": nstr(answer.intercept, WRITTEN),
        "coef": [nstr(b, WRITTEN) for b in answer.coef],
        "objective": nstr(answer.objective, WRITTEN),
        "null_objective": nstr(answer.null_objective, WRITTEN),
        "kkt": nstr(answer.residual, 3),
        "least_curvature": float(f"{answer.curvature:.3g}"),
    }


def family(loss: Loss) -> dict[str, Any]:
    """Return all problems of a family with their answers."""
    problems = []
    for name, given in make(loss):
        lists = {
            key: value if isinstance(value, bool) else np.asarray(value).tolist()
            for key, value in given.items()
        }
        problem = Problem(loss=loss, **lists)
        alpha = float(f"{SHARE * largest_strength(problem):.2g}")
        problems.append({
            "name": name,
            "input": {key: listed(value) for key, value in given.items()},
            "expected": [solved(problem, alpha, mix) for mix in MIXES.values()],
        })  # fmt: skip
        print(f"  {name}", flush=True)
    return {
        "what": f"{loss.family} with the {loss.link} link: lasso, elastic net, ridge",
        "source": f"active-set Newton in {DIGITS} digits, mpmath",
        "script": "validation/exact",
        "made": "2026-11-26",
        "objective": "as docs/objective.md",
        "accuracy": f"slopes that should be zero below {CLAIM:g} of the null model's; "
        f"{WRITTEN} digits are written",
        "family": loss.family,
        "link": loss.link,
        "parameters": dict(loss.parameters),
        "problems": problems,
    }


def main() -> int:
    """Write a file for each family, or for those named."""
    FOLDER.mkdir(exist_ok=True)
    mp.dps = DIGITS
    for loss in LOSSES:
        name = f"{loss.family}_{loss.link}"
        if sys.argv[1:] and name not in sys.argv[1:]:
            continue
        print(name, flush=True)
        text = json.dumps(family(loss), separators=(",", ":"))
        # A line for each problem: a change shows where it is.
        text = text.replace('{"name"', '\n{"name"') + "\n"
        (FOLDER / f"{name}.json").write_text(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
