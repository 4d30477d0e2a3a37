"""A spline of a hundred thousand knots kept the shell busy for minutes."""

import pandas as pd
import pytest

import penglm as pg
from penglm.exceptions import FormulaError


@pytest.mark.parametrize("call", ["bs(x, df=100000)", "poly(x, 5000)", "cr(x, 99999)"])
def test_huge_number_in_a_call_is_refused_where_nobody_typed_it(call):
    table = pd.DataFrame({"y": [1.0, 2.0, 3.0], "x": [1.0, 2.0, 4.0]})
    with pytest.raises(FormulaError, match="is not allowed"):
        pg.PenalizedGLM.from_formula(f"y ~ {call}", table, trusted=False)
