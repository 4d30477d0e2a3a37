"""Series with different indexes were paired by position without a word."""

import pandas as pd
import pytest

import penglm as pg
from penglm.exceptions import PenglmInputError

Y = pd.Series([1.0, 2.0, 3.0, 4.0], index=[3, 2, 1, 0])
X = pd.DataFrame({"x": [1.0, 2.0, 4.0, 3.0]})


def test_different_indexes_are_refused_by_name():
    with pytest.raises(PenglmInputError, match="different indexes") as caught:
        pg.PenalizedGLM(Y, X)
    assert caught.value.argument == "endog"
    with pytest.raises(PenglmInputError, match="different indexes") as caught:
        pg.PenalizedGLM(Y.to_numpy(), X, var_weights=Y)
    assert caught.value.argument == "var_weights"


def test_equal_indexes_and_plain_arrays_are_fine():
    by_array = pg.PenalizedGLM(Y.to_numpy(), X).fit(0.1)
    by_index = pg.PenalizedGLM(Y, X.set_axis(Y.index)).fit(0.1)
    assert by_array.params.equals(by_index.params)
