"""A dot for more than some 480 columns ended in Python's recursion limit."""

import numpy as np
import pandas as pd

import penglm as pg


def test_dot_takes_thousands_of_columns_and_is_saved(tmp_path):
    rng = np.random.default_rng(0)
    names = [f"expression_{j}" for j in range(1500)]
    table = pd.DataFrame(rng.normal(size=(30, 1500)), columns=names)
    table["y"] = table["expression_7"] + rng.normal(size=30)
    fit = pg.glm("y ~ .", table).fit(0.3)
    assert list(fit.data.names) == names
    fit.save(tmp_path / "m.json")
    loaded = pg.load(tmp_path / "m.json")
    np.testing.assert_array_equal(loaded.predict(table), fit.predict(table))
