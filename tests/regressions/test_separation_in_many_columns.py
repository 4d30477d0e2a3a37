"""Classes separated by thousands of columns together were called a finite optimum."""

import numpy as np
import pytest

import penglm as pg
from penglm.exceptions import SeparationWarning
from penglm.solver.solution import Status


@pytest.mark.filterwarnings("ignore::penglm.exceptions.RankWarning")
def test_separation_shared_by_many_columns_is_told():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(20, 800)), (rng.uniform(size=20) < 0.5).astype(float)
    with pytest.warns(SeparationWarning):
        fit = pg.PenalizedGLM(y, X, "binomial").fit(0.0)
    assert fit.status is Status.NO_FINITE_SOLUTION


def test_separation_told_by_a_link_that_rises_slowly():
    # Under the log-log link eta grows like the logarithm of what is left of the slope.
    g = np.arange(60) % 4
    y = ((np.arange(60) // 4) % 2).astype(float)
    y[g == 1] = 1.0
    X = (g[:, None] == np.arange(1, 4)).astype(float)
    with pytest.warns(SeparationWarning):
        fit = pg.PenalizedGLM(y, X, "binomial", link="loglog").fit(0.0)
    assert fit.status is Status.NO_FINITE_SOLUTION
