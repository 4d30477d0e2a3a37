"""A free column that separates the classes was certified beside a penalised one."""

import numpy as np
import pytest

import penglm as pg
from penglm.exceptions import SeparationWarning
from penglm.solver.solution import Status

RNG = np.random.default_rng(1)
X = RNG.normal(size=(60, 2))
Y = (X[:, 0] > 0).astype(float)
MODEL = pg.PenalizedGLM(Y, X, "binomial", penalty_factor=[0, 1])
ADVICE = "Penalise those columns"


@pytest.mark.parametrize("alpha", [0.05, np.inf])
def test_fit_says_that_the_free_column_runs_off(alpha):
    with pytest.warns(SeparationWarning, match=ADVICE):
        assert MODEL.fit(alpha).status is Status.NO_FINITE_SOLUTION


def test_path_has_the_status_at_every_strength():
    with pytest.warns(SeparationWarning, match=ADVICE):
        path = MODEL.fit_path([0.1, 0.05])
    assert not path.converged
    assert len(path) == 2
    with pytest.warns(SeparationWarning, match=ADVICE):
        assert len(MODEL.fit_path()) == 1


def test_strength_off_the_grid_says_so_too():
    with pytest.warns(SeparationWarning):
        path = MODEL.fit_path()
    with pytest.warns(SeparationWarning):
        path.at(0.01)
