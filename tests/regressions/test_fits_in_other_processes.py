"""A fit from a formula could not be pickled, so joblib could not send it anywhere."""

import pickle

import numpy as np
import pandas as pd
import pytest

import penglm as pg

RNG = np.random.default_rng(0)
TABLE = pd.DataFrame(
    {
        "y": RNG.poisson(2.0, 80),
        "x": RNG.normal(size=80),
        "g": RNG.choice(list("abc"), 80),
        "t": RNG.uniform(1.0, 2.0, 80),
    }
)


@pytest.mark.parametrize(
    "formula", ["y ~ center(x) + C(g)", "y ~ bs(x, df=4) * g + offset(log(t))"]
)
def test_fit_comes_back_with_its_predictions(formula):
    fit = pg.glm(formula, TABLE, "poisson").fit(0.01)
    copy = pickle.loads(pickle.dumps(fit))
    np.testing.assert_array_equal(copy.predict(TABLE), fit.predict(TABLE))
    np.testing.assert_array_equal(copy.fittedvalues, fit.fittedvalues)
    assert copy.params.equals(fit.params)
