"""What may stand for a response: numbers, labels, proportions, counts of outcomes."""

import re

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose, assert_array_equal

import penglm as pg
from penglm import response
from penglm.exceptions import NoFiniteSolutionError, PenglmInputError
from penglm.families import FAMILIES, as_family

BINOMIAL = as_family("binomial")
NAN = np.nan
# An objective known to its rounding tells its minimum to the root of that.
ROOT = 1e-7

everywhere = pytest.mark.parametrize("family", FAMILIES)

NUMBERS = {
    "list": [0, 1, 1],
    "float32": np.array([0, 1, 1], dtype=np.float32),
    "column": np.array([[0], [1], [1]]),
    "object": np.array([0, 1.0, True], dtype=object),
    "pandas": pd.Series([0, 1, 1], dtype="Int64"),
    "polars": pl.Series([0, 1, 1]),
    "pyarrow": pa.array([0, 1, 1]),
}


@everywhere
@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_are_numbers_in_every_container(family, name):
    found = response.read(NUMBERS[name], as_family(family))
    assert_array_equal(found.y, [0.0, 1.0, 1.0])
    assert found.y.dtype == np.float64
    assert found.trials is None
    assert found.levels is None


MISSING = {
    "NaN": [0.0, NAN, 1.0],
    "None": np.array([0, None, 1], dtype=object),
    "pandas": pd.Series([0, pd.NA, 1], dtype="Int64"),
    "polars": pl.Series([0, None, 1]),
    "pyarrow": pa.array([0, None, 1]),
    "masked": np.ma.masked_array([0.0, 7.0, 1.0], [False, True, False]),
    "masked whole": np.ma.masked_array([0, 7, 1], [False, True, False]),
}


@everywhere
@pytest.mark.parametrize("name", MISSING)
def test_missing_numbers_are_still_in_it(family, name):
    found = response.read(MISSING[name], as_family(family))
    assert_array_equal(found.y, [0.0, NAN, 1.0])


LABELS = {
    "list": ["no", "yes", "no"],
    "array": np.array(["no", "yes", "no"]),
    "column": np.array([["no"], ["yes"], ["no"]]),
    "variable width": np.array(["no", "yes", "no"], dtype=np.dtypes.StringDType()),
    "pandas": pd.Series(["no", "yes", "no"]),
    "nullable": pd.Series(["no", "yes", "no"], dtype="string"),
    "frame": pd.DataFrame({"y": ["no", "yes", "no"]}),
    "categorical": pd.Series(pd.Categorical(["no", "yes", "no"])),
    "polars": pl.Series(["no", "yes", "no"]),
    "polars categorical": pl.Series(["no", "yes", "no"], dtype=pl.Categorical),
    "pyarrow": pa.array(["no", "yes", "no"]),
    "chunks": pa.chunked_array([["no"], ["yes", "no"]]),
}


@pytest.mark.parametrize("name", LABELS)
def test_later_of_two_labels_is_the_event(name):
    found = response.read(LABELS[name], BINOMIAL)
    assert_array_equal(found.y, [0.0, 1.0, 0.0])
    assert found.levels == ("no", "yes")


ORDERED = {
    "series": pd.Series(pd.Categorical(["no", "yes", "no"], ["yes", "no"])),
    "array": pd.Categorical(["no", "yes", "no"], ["yes", "no"]),
    "unused level": pd.Categorical(["no", "yes", "no"], ["yes", "maybe", "no", "x"]),
}


@pytest.mark.parametrize("name", ORDERED)
def test_order_of_categories_decides_which_label_is_the_event(name):
    found = response.read(ORDERED[name], BINOMIAL)
    assert_array_equal(found.y, [1.0, 0.0, 1.0])
    assert found.levels == ("yes", "no")


@pytest.mark.parametrize("pair", [(0, 1), (1, 2), (False, True), (-0.5, 3.5)])
def test_numbers_of_a_categorical_are_labels_as_in_a_formula(pair):
    cells, X = pd.Categorical([*pair] * 4, pair[::-1]), np.arange(8.0)[:, None]
    found = response.read(cells, BINOMIAL)
    assert_array_equal(found.y, [1.0, 0.0] * 4)
    assert found.levels == pair[::-1]
    table = pd.DataFrame({"y": cells, "x": X[:, 0]})
    by_name = pg.glm("y ~ x", table, "binomial").fit(0.1)
    by_array = pg.PenalizedGLM(cells, X, "binomial").fit(0.1)
    assert_array_equal(by_array.params, by_name.params)
    assert_array_equal(by_array.predict(which="class"), by_name.predict(which="class"))


MISSING_LABELS = {
    "list": ["no", None, "yes"],
    "pandas": pd.Series(["no", None, "yes"]),
    "nullable": pd.Series(["no", pd.NA, "yes"], dtype="string"),
    "categorical": pd.Series(pd.Categorical(["no", None, "yes"])),
    "polars": pl.Series(["no", None, "yes"]),
    "pyarrow": pa.array(["no", None, "yes"]),
    "masked": np.ma.masked_array(["no", "what", "yes"], [False, True, False]),
}


@pytest.mark.parametrize("name", MISSING_LABELS)
def test_missing_label_is_a_missing_number(name):
    found = response.read(MISSING_LABELS[name], BINOMIAL)
    assert_array_equal(found.y, [0.0, NAN, 1.0])
    assert found.levels == ("no", "yes")


BOOLEANS = {
    "list": [False, True, True],
    "array": np.array([False, True, True]),
    "pandas": pd.Series([False, True, True]),
    "nullable": pd.Series([False, True, True], dtype="boolean"),
    "polars": pl.Series([False, True, True]),
    "pyarrow": pa.array([False, True, True]),
}


@pytest.mark.parametrize("name", BOOLEANS)
def test_true_is_the_event_of_booleans(name):
    found = response.read(BOOLEANS[name], BINOMIAL)
    assert_array_equal(found.y, [0.0, 1.0, 1.0])


MISSING_BOOLEANS = {
    "list": [False, None, True],
    "nullable": pd.Series([False, pd.NA, True], dtype="boolean"),
    "polars": pl.Series([False, None, True]),
    "pyarrow": pa.array([False, None, True]),
    "masked": np.ma.masked_array([False, True, True], [False, True, False]),
}


@pytest.mark.parametrize("name", MISSING_BOOLEANS)
def test_missing_boolean_is_a_missing_number(name):
    found = response.read(MISSING_BOOLEANS[name], BINOMIAL)
    assert_array_equal(found.y, [0.0, NAN, 1.0])


PAIRS = {
    "list": [[1, 3], [2, 0]],
    "array": np.array([[1.0, 3.0], [2.0, 0.0]]),
    "pandas": pd.DataFrame({"hit": [1, 2], "miss": [3, 0]}),
    "polars": pl.DataFrame({"hit": [1, 2], "miss": [3, 0]}),
    "pyarrow": pa.table({"hit": [1, 2], "miss": [3, 0]}),
}


@pytest.mark.parametrize("name", PAIRS)
def test_pairs_of_counts_are_proportions_of_trials(name):
    found = response.read(PAIRS[name], BINOMIAL)
    assert_array_equal(found.y, [0.25, 1.0])
    assert_array_equal(found.trials, [4.0, 2.0])


MISSING_PAIRS = {
    "array": np.array([[1.0, NAN], [2.0, 0.0]]),
    "pandas": pd.DataFrame({"hit": [1, 2], "miss": [pd.NA, 0]}, dtype="Int64"),
    "polars": pl.DataFrame({"hit": [1, 2], "miss": [None, 0]}),
}


@pytest.mark.parametrize("name", MISSING_PAIRS)
def test_pair_with_a_missing_count_is_missing(name):
    found = response.read(MISSING_PAIRS[name], BINOMIAL)
    assert_array_equal(found.y, [NAN, 1.0])


def test_missing_count_is_refused_like_any_missing_value():
    pairs = [[1, 2], [NAN, 1], [3, 1], [0, 2]]
    with pytest.raises(PenglmInputError, match="missing") as caught:
        pg.PenalizedGLM(pairs, np.arange(4.0)[:, None], "binomial")
    assert (caught.value.argument, caught.value.index) == ("endog", 1)


@pytest.mark.parametrize("pair", [[-1, 2], [2, -1], [np.inf, 2], [2, np.inf]])
def test_count_that_cannot_be_is_refused(pair):
    with pytest.raises(PenglmInputError, match=re.escape("endog[1] = ")) as caught:
        response.read([[1, 2], pair, [3, 1]], BINOMIAL)
    assert (caught.value.argument, caught.value.index) == ("endog", 1)


def test_row_without_trials_does_not_count():
    X = np.random.default_rng(1).normal(size=(6, 1))
    pairs = np.array([[1, 2], [0, 0], [3, 1], [2, 2], [1, 4], [0, 0]])
    kept = pairs.sum(axis=1) > 0
    a = pg.PenalizedGLM(pairs, X, "binomial").fit(0.01)
    b = pg.PenalizedGLM(pairs[kept], X[kept], "binomial").fit(0.01)
    assert_array_equal(a.params, b.params)


def test_pairs_are_rows_of_zeros_and_ones_with_weights():
    X = np.random.default_rng(2).normal(size=(5, 1))
    pairs = np.array([[1, 2], [3, 1], [2, 2], [1, 4], [5, 0]])
    a = pg.PenalizedGLM(pairs, X, "binomial").fit(0.01, tol=1e-10)
    b = pg.PenalizedGLM(
        np.repeat([1.0, 0.0], 5), np.vstack([X, X]), "binomial",
        freq_weights=pairs.T.ravel(),
    ).fit(0.01, tol=1e-10)  # fmt: skip
    # The tolerance of both fits, times the condition of two columns.
    assert_allclose(a.params, b.params, rtol=1e-8)


def test_precision_of_a_proportion_is_its_trials():
    X = np.random.default_rng(2).normal(size=(5, 1))
    pairs = np.array([[1, 2], [3, 1], [2, 2], [1, 4], [5, 0]])
    trials = pairs.sum(axis=1)
    peer = sm.GLM(pairs, sm.add_constant(X), sm.families.Binomial()).fit()
    by_pair = pg.PenalizedGLM(pairs, X, "binomial").fit(0.0)
    by_share = pg.PenalizedGLM(
        pairs[:, 0] / trials, X, "binomial", var_weights=trials
    ).fit(0.0)  # fmt: skip
    for name in ("llf", "aic", "deviance", "df_resid"):
        for fit in (by_pair, by_share):
            assert getattr(fit, name) == pytest.approx(getattr(peer, name), rel=1e-9)


NAMED = {
    "frame": (pd.DataFrame({"name": [1.0, 2.0]}), "name"),
    "polars frame": (pl.DataFrame({"rides": [1.0, 2.0]}), "rides"),
    "pair": (pd.DataFrame({"name": [1, 2], "miss": [3, 0]}), "name + miss"),
    "series": (pd.Series([1.0, 2.0], name=0), "0"),
    "polars": (pl.Series("rides", [1.0, 2.0]), "rides"),
    "unnamed polars": (pl.Series([1.0, 2.0]), "y"),
    "list": ([1.0, 2.0], "y"),
}


@pytest.mark.parametrize("name", NAMED)
def test_response_is_called_what_its_column_is(name):
    endog, expected = NAMED[name]
    family = "binomial" if name == "pair" else "gaussian"
    model = pg.PenalizedGLM(endog, np.array([[1.0], [2.0]]), family)
    assert model.data.y_name == expected


UNUSABLE = {
    "one label": (["a", "a"], "endog has 1 classes (a)"),
    "three labels": (["a", "b", "c"], "endog has 3 classes (a, b, c)"),
    "text in pairs": ([["a", "b"], ["c", "d"]], "with the text 'a' in row 0, column 0"),
    "three columns": (np.ones((2, 3)), "endog has shape (2, 3)"),
    "complex": (np.array([0, 1j]), "endog is complex"),
    "dates": (np.array(["2020-01-01"], "M8[D]"), "endog has dtype datetime64[D]"),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_response_of_another_kind_is_refused_by_name(name):
    values, text = UNUSABLE[name]
    with pytest.raises(PenglmInputError, match=re.escape(text)) as caught:
        response.read(values, BINOMIAL)
    assert caught.value.argument == "endog"


@pytest.mark.parametrize("family", ["gaussian", "poisson"])
def test_labels_are_for_the_binomial_family_only(family):
    with pytest.raises(PenglmInputError, match="with the text 'a' in row 0") as caught:
        response.read(["a", "b"], as_family(family))
    assert caught.value.argument == "endog"


RANGES = {
    "binomial": (1.5, "needs 0 <= y <= 1"),
    "poisson": (-2.0, "needs y >= 0"),
    "gaussian": (np.inf, "needs y in (-inf, inf)"),
}


@pytest.mark.parametrize("family", RANGES)
def test_value_out_of_range_is_named_by_its_original_row(family):
    value, needs = RANGES[family]
    y, rows = np.array([0.5, value, 0.5]), np.array([0, 7, 9])
    text = f"y[7] = {value:g} is not valid for family '{family}' ({needs})."
    with pytest.raises(PenglmInputError, match=f"^{re.escape(text)}$") as caught:
        response.check_range(y, as_family(family), rows)
    assert caught.value.index == 7


def test_ends_of_a_closed_range_are_valid():
    response.check_range(np.array([0.0, 1.0]), BINOMIAL, np.arange(2))
    response.check_range(np.array([0.0]), as_family("poisson"), np.arange(1))


@pytest.mark.parametrize(
    ("family", "value"), [("binomial", 0.0), ("binomial", 1.0), ("poisson", 0.0)]
)
def test_all_at_one_end_has_no_finite_intercept(family, value):
    y = np.full(3, value)
    with pytest.raises(NoFiniteSolutionError, match=f"y is {value:g} in all 3 rows"):
        response.check_finite_solution(y, as_family(family), True)
    response.check_finite_solution(y, as_family(family), False)
    response.check_finite_solution(np.array([0.5, value]), as_family(family), True)


CONSTANTS = {"gaussian": [3.0, -0.1], "binomial": [0.1, 0.3, 0.5, 0.9],
             "poisson": [0.3, 1.0, 3.0, 7.0, 29.0]}  # fmt: skip


@pytest.mark.parametrize(
    ("family", "value"), [(f, v) for f, values in CONSTANTS.items() for v in values]
)
def test_constant_response_is_its_intercept(family, value):
    X = np.random.default_rng(0).normal(size=(20, 2))
    fit = pg.PenalizedGLM(np.full(20, value), X, family).fit(0.1)
    assert fit.converged
    assert not fit.coef.any()
    assert_allclose(fit.fittedvalues, value, rtol=ROOT)
