"""Problems that came solved: R glmnet 4.1-6 with ``thresh = 1e-20`` on real data.

They live in the folder ``shared/reference`` beside this repository, with a loader of
their own. Where it is missing the problems are reported as absent.
"""

import importlib.util
import json
from functools import partial
from pathlib import Path

import numpy as np

from validation.problem import AbsentError, Answer, Problem, build

SHARED = Path(__file__).resolve().parents[3] / "shared"
FAMILIES = ("gaussian", "binomial", "poisson")
ABSENT = "stored_glmnet_solutions"


def problems() -> dict:
    """Return by name a function that makes each problem of the known families."""
    found = {}
    for path in sorted((SHARED / "reference").glob("*.json")):
        family = json.loads(path.read_text())["family"]
        name = family if isinstance(family, str) else family["family"]
        if name in FAMILIES:
            found[path.stem] = partial(make, path.stem)
    return found or {ABSENT: absent}


def absent() -> Problem:
    """Say that the folder is missing."""
    raise AbsentError("the folder ../shared/reference is not on this machine")


def make(name: str) -> Problem:
    """Return one stored problem in the convention of ``problem.py``."""
    folder = SHARED / "reference"
    if not (folder / f"{name}.json").is_file():
        absent()
    source = importlib.util.spec_from_file_location(
        "stored_loader", folder / "load_problem.py"
    )
    loader = importlib.util.module_from_spec(source)
    source.loader.exec_module(loader)
    try:
        raw = loader.load(folder / f"{name}.json", SHARED)
    except FileNotFoundError as error:
        missing = Path(error.filename).name
        raise AbsentError(f"{missing} is not on this machine") from error
    spec = raw["spec"]
    # glmnet divides a Gaussian response by its sd, which multiplies its ridge part.
    l1 = spec["alpha"]
    l2 = (1 - l1) * (spec.get("l2_multiplier") or 1.0)
    lambdas = np.array(spec["lambda"], float)
    family, link = spec["family"], None
    if isinstance(family, dict):
        family, link = family["family"], family["link"]
    intercepts = np.array(spec["a0"], float) if spec["intercept"] else 0.0 * lambdas
    answer = Answer(
        np.arange(lambdas.size),
        intercepts,
        loader.coefficients(spec["coef"], spec["p"]),
    )
    return build(
        name, family, raw["X"], raw["y"], lambdas * (l1 + l2), l1_ratio=l1 / (l1 + l2),
        link=link, sample_weight=raw["weights"], offset=raw["offset"],
        penalty_factor=spec.get("penalty_factor_effective") or None,
        lower=spec.get("lower_limits"), upper=spec.get("upper_limits"),
        fit_intercept=spec["intercept"], standardize=spec["standardize"],
        stored=answer, source=f"../shared/data, {spec['n']} rows",
    )  # fmt: skip
