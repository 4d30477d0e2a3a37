"""Columns far from zero without an intercept kept a tiny problem busy for minutes."""

import numpy as np
import pytest

import penglm as pg
from penglm.solver.coordinate_descent import MOST_SWEEPS


@pytest.mark.filterwarnings("ignore::penglm.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("family", ["gaussian", "poisson"])
def test_sweeps_of_a_whole_fit_have_an_end(family, monkeypatch):
    from penglm.kernels import descent

    count = 0
    sweep = descent.sweep_gram

    def counted(*arguments):
        nonlocal count
        count += 1
        return sweep(*arguments)

    monkeypatch.setattr(descent, "sweep_gram", counted)
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(120, 3)) + 1e6, rng.poisson(2, 120).astype(float)
    pg.PenalizedGLM(y, X, family, fit_intercept=False).fit(0.1)
    assert count <= 2 * MOST_SWEEPS + 100
