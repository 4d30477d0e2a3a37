"""Above ``alpha_max`` no column survives the strong rule, and a split had no parts."""

import numpy as np

import penglm as pg
from penglm.design import Categorical, Dense, Split


def test_strength_above_alpha_max_of_many_columns_side_by_side():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 600))
    y = X[:, 0] + rng.normal(size=60)
    design = Split([Dense(X), Categorical(rng.integers(0, 3, 60), 3)])
    model = pg.PenalizedGLM(y, design)
    fit = model.fit(2.0 * model.alpha_max())
    assert fit.converged
    assert not fit.n_nonzero
    part = design.select(np.zeros(0, dtype=np.int64))
    assert part.shape == (60, 0)
