"""A level that was declared but never observed predicted as the reference level."""

import numpy as np
import pandas as pd
import pytest

import penglm as pg
from penglm.exceptions import FormulaError

LEVELS = pd.Categorical(list("uvuvuv"), categories=["u", "v", "never"])
DATA = pd.DataFrame({"y": np.arange(6.0), "k": LEVELS})


@pytest.mark.filterwarnings("ignore::penglm.exceptions.ConstantColumnWarning")
def test_level_never_seen_is_an_error_after_saving_too(tmp_path):
    fit = pg.glm("y ~ k", DATA).fit(0.01)
    fit.save(tmp_path / "m.json")
    for model in (fit, pg.load(tmp_path / "m.json")):
        with pytest.raises(FormulaError, match=r"level 'never' \(row 1\).*known: u, v"):
            model.predict({"k": ["u", "never"]})
        assert np.isfinite(model.predict({"k": ["u", "v"]})).all()
