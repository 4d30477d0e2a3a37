"""NIST StRD linear regression sets: correct digits of an unpenalised Gaussian fit."""

import json
import warnings

import numpy as np
import pytest

import penglm as pg
from penglm.exceptions import ConvergenceWarning, RankWarning

DIGITS = {"Longley": 6.0, "Filip": 4.0}
LOWER_AND_AVERAGE = 9.0
NAMES = (
    "Norris", "Pontius", "NoInt1", "NoInt2", "Wampler1", "Wampler2", "Wampler3",
    "Wampler4", "Wampler5", "Longley", "Filip",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_least_squares_has_enough_correct_digits(shared, name):
    entry = json.loads((shared / "nist_strd.json").read_text())[name]
    x = np.array(entry["x"])
    if entry["degree"] > 1:
        x = x[:, :1] ** np.arange(1, entry["degree"] + 1)
    model = pg.PenalizedGLM(entry["y"], x, fit_intercept=entry["intercept"])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit = model.fit(alpha=0.0)
    certified = np.array(entry["certified"])
    error = np.abs(fit.params.to_numpy() - certified) / np.abs(certified)
    digits = -np.log10(max(error.max(), 1e-16))
    loud = any(issubclass(w.category, RankWarning | ConvergenceWarning) for w in caught)

    enough = digits >= DIGITS.get(name, LOWER_AND_AVERAGE)
    assert enough or (name == "Filip" and loud)
