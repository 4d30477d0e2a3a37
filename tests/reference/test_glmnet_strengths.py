"""Strengths in glmnet's convention, judged at what they are in penglm's."""

import json
from pathlib import Path

import numpy as np
import pytest

import penglm as pg

PROBLEMS = json.loads((Path(__file__).parent / "glmnet" / "problems.json").read_text())
X = np.array(PROBLEMS["X"])
FAMILIES = {"gamma_object": "gamma", "gaussian_object": "gaussian"}
# Share of alpha. `thresh = 1e-20` leaves 1e-9; a wrong factor leaves whole shares.
OPTIMAL = 1e-6


def label(known):
    scaled = "standardized" if known["standardize"] else "raw"
    return f"{known['kind']}-{known['alpha']}-{scaled}-{known['penalty.factor']}"


@pytest.mark.parametrize("known", PROBLEMS["fits"], ids=label)
def test_glmnet_is_optimal_at_the_converted_strength(known):
    system = "glmnet.object" if known["kind"].endswith("object") else "glmnet"
    family = FAMILIES.get(known["kind"], known["kind"])
    data = {
        "family": family,
        "link": "log" if family == "gamma" else None,
        "offset": np.array(PROBLEMS["offset"]),
        "var_weights": np.array(PROBLEMS["weights"]),
    }
    y = np.array(PROBLEMS["y"][family])
    model = pg.PenalizedGLM(y, X, **data)
    given = {
        key: known[key] for key in ("lambda", "alpha", "standardize", "penalty.factor")
    }
    ours = pg.convert(given, from_=system, model=model).arguments
    intercept, *coef = known["coef"]
    judged = pg.certify(coef, intercept, y, X, **data, **ours)
    assert judged.kkt_residual < OPTIMAL
    # And back: the same products of strength and rescaled factor.
    back = pg.convert(ours, to=system, model=model).arguments
    assert back["standardize"] == known["standardize"]
    assert back["alpha"] == pytest.approx(known["alpha"], rel=1e-12, abs=0.0)
    np.testing.assert_allclose(products(back), products(known), rtol=1e-12)


def products(given):
    """Return the strength of each column (4,), as glmnet rescales factors."""
    factor = np.array(given.get("penalty.factor", np.ones(4)))
    return given["lambda"] * factor * 4 / np.where(np.isinf(factor), 1.0, factor).sum()
