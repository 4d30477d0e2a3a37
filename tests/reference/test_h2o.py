"""Strengths in H2O's convention, judged at what they are in penglm's."""

import json
from pathlib import Path

import numpy as np
import pytest

import penglm as pg

PROBLEMS = json.loads((Path(__file__).parent / "h2o" / "problems.json").read_text())
X = np.array(PROBLEMS["X"])
# Share of alpha. H2O was asked for all its digits; its sd over penglm's at 40 rows
# would already be off by 1.3e-2.
OPTIMAL = 1e-9


@pytest.mark.parametrize(
    "known",
    PROBLEMS["fits"],
    ids=lambda k: f"{k['family']}-{k['alpha']}-{k['standardize']}-{k['weighted']}",
)
def test_h2o_is_optimal_at_the_converted_strength(known):
    data = {"family": known["family"]}
    if known["weighted"]:
        data["var_weights"] = np.array(PROBLEMS["weights"])
    if known["offset"]:
        data["offset"] = np.array(PROBLEMS["offset"])
    y = np.array(PROBLEMS["y"][known["family"]])
    model = pg.PenalizedGLM(y, X, **data)
    given = {key: known[key] for key in ("lambda_", "alpha", "standardize")}
    ours = pg.convert(given, from_="h2o", model=model).arguments
    intercept, *coef = known["coef"]
    judged = pg.certify(coef, intercept, y, X, **data, **ours)
    assert judged.kkt_residual < OPTIMAL
    back = pg.convert(ours, to="h2o", model=model).arguments
    assert back == pytest.approx(given, rel=1e-12)
