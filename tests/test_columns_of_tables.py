"""What a column of a table may hold: which levels it has, and what is refused.

That the same cells give the same model whoever holds them is in ``test_tables.py``.
"""

import datetime
import decimal
import re

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse

import penglm as pg
from penglm import arrays, judging
from penglm.exceptions import FormulaError, PenglmInputError, PenglmTypeError

N = 30
RNG = np.random.default_rng(4)
X = RNG.normal(size=N).round(3)
LABELS = np.resize(list("abc"), N)
DATA = pd.DataFrame({"y": X + RNG.normal(size=N), "x": X, "g": LABELS})
DAYS = pd.date_range("2026-01-01", periods=N)


def names(table, formula="y ~ g", **options):
    return pg.glm(formula, table, **options).statement.data.names


# Levels

DECLARED = list("zcab")
CATEGORICAL = {
    "pandas": lambda: pd.Categorical(LABELS, DECLARED),
    "pandas, ordered": lambda: pd.Categorical(LABELS, DECLARED, ordered=True),
    "polars": lambda: pl.Series(LABELS.tolist(), dtype=pl.Enum(DECLARED)),
    "pyarrow": lambda: pa.array(pd.Categorical(LABELS, DECLARED)),
    "pyarrow, ordered": lambda: pa.array(
        pd.Categorical(LABELS, DECLARED, ordered=True)
    ),
}


def holding(column):
    """Return a table of the column's own library with it as ``g``."""
    if isinstance(column, pl.Series):
        return pl.DataFrame({"y": DATA.y.to_numpy(), "g": column})
    if isinstance(column, pa.Array):
        return pa.table({"y": DATA.y.to_numpy(), "g": column})
    return pd.DataFrame({"y": DATA.y, "g": column})


@pytest.mark.filterwarnings("ignore::penglm.exceptions.ConstantColumnWarning")
@pytest.mark.parametrize("kind", CATEGORICAL)
def test_levels_are_those_declared_in_their_order_unused_ones_among_them(kind):
    table = holding(CATEGORICAL[kind]())
    assert names(table) == ("g[T.c]", "g[T.a]", "g[T.b]")
    assert names(table, coding="full") == ("g[z]", "g[c]", "g[a]", "g[b]")
    assert names(table, coding="sum") == ("g[S.z]", "g[S.c]", "g[S.a]")


@pytest.mark.filterwarnings("ignore::penglm.exceptions.ConstantColumnWarning")
@pytest.mark.parametrize("kind", CATEGORICAL)
def test_levels_in_another_order_or_in_part_predict_the_same(kind):
    fit = pg.glm("y ~ g", holding(CATEGORICAL[kind]())).fit(0.001)
    known = fit.predict(DATA)
    assert np.unique(known).size == 3
    others = [
        pd.DataFrame({"g": pd.Categorical(LABELS, list("abc"))}),
        pd.DataFrame({"g": pd.Categorical(LABELS)}).convert_dtypes(),
        pl.DataFrame({"g": pl.Series(LABELS.tolist(), dtype=pl.Enum(list("qbac")))}),
        pl.DataFrame({"g": pl.Series(LABELS.tolist(), dtype=pl.Categorical)}),
        pa.table({"g": pa.array(LABELS).dictionary_encode()}),
    ]
    for table in others:
        np.testing.assert_array_equal(fit.predict(table), known)
    for strange in (["z"], ["q"]):
        with pytest.raises(
            FormulaError, match=f"level '{strange[0]}'.*known: .*c, a, b"
        ):
            fit.predict({"g": pd.Categorical(strange)})


@pytest.mark.parametrize("kind", CATEGORICAL)
def test_binomial_labels_keep_the_declared_order(kind):
    two = LABELS != "c"
    column = CATEGORICAL[kind]()
    rows = np.flatnonzero(two)
    column = (
        column.take(pa.array(rows)) if isinstance(column, pa.Array) else column[rows]
    )
    fit = pg.PenalizedGLM(column, X[two][:, None], "binomial").fit(0.1)
    assert fit.data.y_levels == ("a", "b")
    frame = holding(CATEGORICAL[kind]())
    frame = frame.take(pa.array(rows)) if isinstance(frame, pa.Table) else frame
    frame = frame[rows] if isinstance(frame, pl.DataFrame) else frame
    frame = frame.iloc[rows] if isinstance(frame, pd.DataFrame) else frame
    assert pg.glm("g ~ y", frame, "binomial").fit(0.1).data.y_levels == ("a", "b")


def test_binomial_labels_of_a_reversed_order_are_reversed():
    two = LABELS[LABELS != "c"].tolist()
    rows = X[LABELS != "c"][:, None]
    for column in (
        pd.Series(pd.Categorical(two, list("ba"))),
        pl.Series(two, dtype=pl.Enum(list("ba"))),
        pa.array(pd.Categorical(two, list("ba"))),
        pa.chunked_array([pa.array(pd.Categorical(two, list("ba")))]),
    ):
        fit = pg.PenalizedGLM(column, rows, "binomial").fit(0.1)
        assert fit.data.y_levels == ("b", "a")


def test_polars_categorical_has_no_order_of_its_own():
    # What another frame held first must not choose the reference level.
    pl.Series(["c", "b", "a"], dtype=pl.Categorical)
    table = pl.DataFrame({"y": DATA.y.to_numpy(), "g": LABELS.tolist()}).reverse()
    table = table.with_columns(pl.col("g").cast(pl.Categorical))
    assert names(table) == ("g[T.b]", "g[T.c]")
    two = table.filter(pl.col("g") != "c")
    fit = pg.PenalizedGLM(two["g"], two[["y"]], "binomial").fit(0.1)
    assert fit.data.y_levels == ("a", "b")


# Numbers that are not called so

NUMBERS = {
    "objects": X.astype(object),
    "Decimal": [decimal.Decimal(str(value)) for value in X],
    "Decimal of pyarrow": pd.array(
        [decimal.Decimal(str(value)) for value in X],
        dtype=pd.ArrowDtype(pa.decimal128(10, 3)),
    ),
    "sparse": pd.arrays.SparseArray(X),
    "big-endian": X.astype(">f8"),
    "extended": X.astype(np.longdouble),
}


@pytest.mark.parametrize("kind", NUMBERS)
def test_cells_that_are_numbers_are_numbers(kind):
    table = DATA.assign(x=NUMBERS[kind])
    expected = pg.glm("y ~ x", DATA).fit(0.01)
    for fit in (
        pg.glm("y ~ x", table).fit(0.01),
        pg.PenalizedGLM(table.y, pd.DataFrame({"x": table.x})).fit(0.01),
    ):
        pd.testing.assert_series_equal(fit.params, expected.params, check_exact=True)
    np.testing.assert_array_equal(expected.predict(table), expected.predict(DATA))


def test_decimals_are_read_to_the_last_bit():
    exact = np.round(np.random.default_rng(0).normal(size=500), 3)
    cells = [decimal.Decimal(str(value)) for value in exact]
    column = pa.chunked_array([pa.array(cells, type=pa.decimal128(10, 3))])
    for series in (column, pl.Series(cells), pd.Series(cells)):
        np.testing.assert_array_equal(arrays.vector(series, "y"), exact)


@pytest.mark.parametrize("kind", ["objects", "nullable", "pyarrow", "polars"])
def test_whole_numbers_stay_levels_without_a_point(kind):
    whole = pd.DataFrame({"y": DATA.y, "k": np.resize([1, 2, 3], N)})
    table = {
        "objects": lambda: whole.astype({"k": object}),
        "nullable": whole.convert_dtypes,
        "pyarrow": lambda: whole.convert_dtypes(dtype_backend="pyarrow"),
        "polars": lambda: pl.from_pandas(whole),
    }[kind]()
    assert names(table, "y ~ C(k)") == ("C(k)[T.2]", "C(k)[T.3]")


def test_structured_array_is_a_table_of_a_formula():
    fit = pg.glm("y ~ x + g", DATA.to_records(index=False)).fit(0.01)
    expected = pg.glm("y ~ x + g", DATA).fit(0.01)
    pd.testing.assert_series_equal(fit.params, expected.params, check_exact=True)


# Sparse columns of pandas

THIN = pd.DataFrame(np.where(np.abs(RNG.normal(size=(N, 3))) > 1, 1.5, 0.0))
THIN = THIN.set_axis(["a", "b", "c"], axis=1)


def apart(table, kind=float):
    """Return a table whose columns leave their zeros out."""
    return table.astype(pd.SparseDtype(kind, 0))


@pytest.mark.filterwarnings("ignore::penglm.exceptions.MissingPredictionWarning")
@pytest.mark.filterwarnings("error::scipy.sparse.SparseEfficiencyWarning")
def test_sparse_frame_stays_sparse_and_keeps_its_names():
    options = {"penalty_factor": {"b": 0.0}}
    fit = pg.PenalizedGLM(DATA.y, apart(THIN), **options).fit(0.02)
    expected = pg.PenalizedGLM(
        DATA.y, sparse.csc_array(THIN), penalty_factor=[1, 0, 1]
    ).fit(0.02)
    assert type(fit.data.design) is type(expected.data.design)
    assert list(fit.params.index) == ["Intercept", "a", "b", "c"]
    np.testing.assert_array_equal(fit.params, expected.params)
    known = fit.predict(THIN)
    others = THIN.assign(z=1.0)[["z", "c", "b", "a"]]
    for table in (THIN, others[["c", "b", "a"]], others):
        np.testing.assert_allclose(fit.predict(apart(table)), known, rtol=1e-14)
    gap = fit.predict(apart(THIN.mask(np.arange(3 * N).reshape(N, 3) == 10, np.nan)))
    assert np.flatnonzero(np.isnan(gap)).tolist() == [3]


def test_sparse_frame_of_outcomes_and_of_whole_numbers_is_read():
    pair = pd.DataFrame({"won": np.arange(N) % 3, "lost": np.arange(N) % 4})
    fits = [
        pg.PenalizedGLM(endog, exog, "binomial").fit(0.02)
        for endog in (pair, apart(pair, int))
        for exog in (apart(THIN), apart(2 * THIN, int))
    ]
    for k in (0, 1):
        np.testing.assert_array_equal(fits[k].params, fits[k + 2].params)


def test_model_of_a_sparse_frame_is_verified_with_one():
    fit = pg.PenalizedGLM(DATA.y, apart(THIN)).fit(0.02)
    for response in (DATA.y, apart(DATA.y.round(2))):
        exact = pg.PenalizedGLM(response, apart(THIN)).fit(0.02)
        table = apart(THIN).assign(y=response)
        assert judging.verify(exact, table).kkt_residual < 1e-5
    assert judging.verify(fit, apart(THIN.assign(y=DATA.y))).kkt_residual < 1e-5


# What is refused

TIMES = {
    "dates": pd.Series(DAYS),
    "dates with a zone": pd.Series(DAYS.tz_localize("UTC")),
    "days as objects": pd.Series(DAYS.date, dtype=object),
    "days of pyarrow": pd.Series(DAYS.date, dtype=pd.ArrowDtype(pa.date32())),
    "durations": pd.Series(DAYS - DAYS[0]),
    "periods": pd.Series(DAYS.to_period("D")),
    "polars days": pl.Series(DAYS.to_numpy()).cast(pl.Date),
    "polars dates": pl.Series(DAYS.to_numpy()),
    "polars durations": pl.Series((DAYS - DAYS[0]).to_numpy()),
    "polars times": pl.Series([datetime.time(1)] * N),
    "pyarrow days": pa.array(DAYS.date),
    "pyarrow dates": pa.array(DAYS.to_numpy()),
}


@pytest.mark.parametrize("term", ["g", "C(g)"])
@pytest.mark.parametrize("kind", TIMES)
def test_formula_refuses_times_by_name(kind, term):
    table = holding(TIMES[kind])
    with pytest.raises(FormulaError, match=f"^{re.escape(repr(term))} has ") as no:
        pg.glm(f"y ~ {term}", table)
    assert "Count a time from a fixed day" in str(no.value)


@pytest.mark.parametrize("kind", TIMES)
def test_array_door_refuses_times_by_name(kind):
    table = holding(TIMES[kind])
    columns = table[["g"]] if not isinstance(table, pa.Table) else table.select(["g"])
    with pytest.raises(PenglmTypeError, match=r"^column 'g' has dtype") as caught:
        pg.PenalizedGLM(DATA.y.to_numpy(), columns)
    assert caught.value.argument == "g"


def test_part_of_a_date_is_a_number():
    table = pd.DataFrame({"y": DATA.y, "day": DAYS})
    assert names(table, "y ~ I(day.dt.day)") == ("I(day.dt.day)",)


NESTED = {
    "pandas, lists": pd.Series([[1, 2]] * N),
    "polars, lists": pl.Series([[1, 2]] * N),
    "polars, records": pl.Series([{"a": 1}] * N),
    "pyarrow, lists": pa.array([[1, 2]] * N),
}


@pytest.mark.parametrize("kind", NESTED)
def test_cells_that_hold_several_values_are_refused(kind):
    with pytest.raises(FormulaError, match=r"^'g' has cells that are no labels"):
        pg.glm("y ~ g", holding(NESTED[kind]))


@pytest.mark.parametrize("kind", CATEGORICAL)
def test_array_door_refuses_categories_whatever_they_are_called(kind):
    table = holding(CATEGORICAL[kind]())
    columns = table[["g"]] if not isinstance(table, pa.Table) else table.select(["g"])
    with pytest.raises(PenglmTypeError, match=r"name it in a formula as C\(g\)"):
        pg.PenalizedGLM(DATA.y.to_numpy(), columns)
    numbered = pd.DataFrame({"g": pd.Categorical(np.resize([3, 1, 2], N))})
    with pytest.raises(PenglmTypeError, match=r"name it in a formula as C\(g\)"):
        pg.PenalizedGLM(DATA.y, numbered)


LAZY = pl.from_pandas(DATA).lazy()
AT_DOORS = {
    "endog": lambda: pg.PenalizedGLM(LAZY.select("y"), DATA[["x"]]),
    "exog": lambda: pg.PenalizedGLM(DATA.y, LAZY.select("x")),
    "var_weights": lambda: pg.PenalizedGLM(
        DATA.y, DATA[["x"]], var_weights=LAZY.select("x")
    ),
    "data": lambda: pg.glm("y ~ x", LAZY),
    "data to predict": lambda: pg.glm("y ~ x", DATA).fit(0.1).predict(LAZY),
    "data of arrays": lambda: (
        pg.PenalizedGLM(DATA.y, DATA[["x"]]).fit(0.1).predict(LAZY)
    ),
    "X": lambda: pg.PenalizedGLMRegressor().fit(LAZY.select("x"), DATA.y),
}


@pytest.mark.parametrize("door", AT_DOORS)
def test_lazy_frame_is_refused_by_name_with_the_way_out(door):
    argument = door.split()[0]
    text = rf"^{argument} is a LazyFrame, .*; pass {argument}\.collect\(\)\.$"
    with pytest.raises(PenglmTypeError, match=text) as caught:
        AT_DOORS[door]()
    assert caught.value.argument == argument


@pytest.mark.parametrize("argument", ["offset", "freq_weights", "var_weights"])
def test_array_door_takes_no_names_of_columns(argument):
    with pytest.raises(
        PenglmInputError, match=f"^{argument} is the text 'x'; pass one"
    ):
        pg.PenalizedGLM(DATA.y, DATA[["x"]], **{argument: "x"})


def test_number_that_became_text_is_refused_at_predict():
    fit = pg.glm("y ~ x", DATA).fit(0.01)
    for column in (LABELS, X > 0):
        with pytest.raises(FormulaError, match=r"^'x' was a number when fitting"):
            fit.predict(DATA.assign(x=column))


@pytest.mark.parametrize("names", [["x1", "x2", "x3"], ["xa", "xb", "xc"]])
def test_table_that_lacks_a_column_is_not_predicted_by_position(names):
    X = np.random.default_rng(0).normal(size=(N, 3))
    fit = pg.PenalizedGLM(DATA.y, pd.DataFrame(X, columns=names)).fit(0.01)
    other = pd.DataFrame(X, columns=[*names[1:], "x9"])
    with pytest.raises(PenglmInputError, match=f"no column '{names[0]}'; it has"):
        fit.predict(other)


def test_model_of_an_array_predicts_a_table_by_position():
    X = np.random.default_rng(0).normal(size=(N, 3))
    fit = pg.PenalizedGLM(DATA.y, X).fit(0.01)
    table = pd.DataFrame(X, columns=["xa", "b", "c"])
    np.testing.assert_allclose(fit.predict(table), fit.predict(X), rtol=1e-13)


def test_columns_called_by_numbers_have_factors_and_limits_by_them():
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(N, 3)))
    fit = pg.PenalizedGLM(
        DATA.y, X, penalty_factor={2: 0.0}, upper={0: 1.0, "1": 0.5}
    ).fit(0.01)
    np.testing.assert_array_equal(fit.spec.penalty_factor, [1.0, 1.0, 0.0])
    np.testing.assert_array_equal(fit.spec.upper, [1.0, 0.5, np.inf])


@pytest.mark.parametrize("argument", ["offset", "exposure"])
def test_text_beside_rows_to_predict_is_refused_by_name(argument):
    X = DATA[["x"]]
    fit = pg.PenalizedGLM(np.arange(N), X, "poisson", **{argument: np.ones(N)}).fit(1)
    for values in (DATA.g, LABELS.tolist(), pl.Series(LABELS.tolist())):
        with pytest.raises(PenglmTypeError, match="with the text 'a'") as caught:
            fit.predict(X, **{argument: values})
        assert caught.value.argument == argument


def test_columns_called_by_numbers_are_in_a_formula():
    table = DATA.rename(columns={"x": 0})
    fit = pg.glm("y ~ .", table).fit(0.01)
    assert list(fit.params.index) == ["Intercept", "g[T.b]", "g[T.c]", "Q('0')"]
    expected = pg.glm("y ~ x + g", DATA).fit(0.01)
    np.testing.assert_array_equal(fit.predict(table), expected.predict(DATA))
    columns = {name: table[name] for name in table}
    np.testing.assert_array_equal(fit.predict(columns), fit.predict(table))


def test_columns_of_a_dict_that_differ_in_length_are_refused():
    columns = {"y": DATA.y.tolist(), "g": LABELS.tolist(), "x": X.tolist()[:-1]}
    with pytest.raises(FormulaError, match=r"'x' has 29 values but '.' has 30; every"):
        pg.glm("y ~ x + g", columns)


@pytest.mark.filterwarnings("ignore::penglm.exceptions.DroppedRowsWarning")
def test_dictionary_that_holds_null_has_missing_cells():
    codes = pa.array(np.resize([0, 1, 2], N))
    held = pa.DictionaryArray.from_arrays(codes, pa.array(["b", None, "a"]))
    assert names(holding(held)) == ("g[T.a]",)
    assert pg.glm("y ~ g", holding(held)).statement.data.rows.size == N * 2 // 3
