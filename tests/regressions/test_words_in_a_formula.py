"""Text inside a call counted as a column, and a keyword said only 'invalid syntax'."""

import numpy as np
import pandas as pd
import pytest

import penglm as pg
from penglm.exceptions import FormulaError

TABLE = pd.DataFrame(
    {
        "y": np.arange(6.0),
        "g": list("xyxyxy"),
        "x": [1.0, np.nan, np.nan, 1.0, 2.0, 3.0],
        "class": np.arange(6.0) % 2,
    }
)


def test_label_that_is_a_column_elsewhere_drops_no_row():
    model = pg.glm("y ~ C(g, Treatment('y'))", TABLE)
    assert model.data.rows.size == 6


def test_quoted_column_is_a_column():
    assert pg.glm("y ~ Q('class')", TABLE).data.names == ("Q('class')",)


def test_keyword_says_how_to_write_it():
    with pytest.raises(FormulaError, match=r"write Q\('class'\)"):
        pg.glm("y ~ class", TABLE)
