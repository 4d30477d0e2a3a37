"""What penglm adds to patsy's language, and what it says when a formula is wrong."""

import re

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import penglm as pg
from penglm import formula
from penglm.exceptions import DroppedRowsWarning, FormulaError, PenglmInputError

N = 50


@pytest.fixture
def table():
    rng = np.random.default_rng(7)
    return pd.DataFrame(
        {
            "y": rng.poisson(2, N).astype(float),
            "x": rng.normal(size=N),
            "z": rng.uniform(1, 2, size=N),
            "t": rng.uniform(1, 3, size=N),
            "k": np.resize(np.arange(3), N),
            "a": np.resize(list("abc"), N),
            "lab": np.resize(["no", "yes", "yes"], N),
        }
    )


def names(text, table, **options):
    return formula.build(text, table, **options).encoder.names


def test_dot_is_every_column_but_the_response(table):
    assert names("y ~ .", table) == names("y ~ x + z + t + k + a + lab", table)


def test_dot_can_be_reduced(table):
    assert names("y ~ . - x - t", table) == names("y ~ z + k + a + lab", table)


def test_dot_knows_a_transformed_response(table):
    assert "y" not in names("log(y + 1) ~ .", table)


def test_dot_leaves_out_what_serves_as_weight_or_exposure(table):
    assert "t" not in names("y ~ .", table, extra={"exposure": "t"})


def test_dot_quotes_what_is_not_an_identifier(table):
    wide = table.rename(columns={"x": "two words", "z": "class"})
    assert {"Q('two words')", "Q('class')"} <= set(names("y ~ .", wide))


def test_a_dot_inside_a_name_or_number_is_no_dot(table):
    assert names("y ~ np.log(z) + I(x * .5)", table) == ("np.log(z)", "I(x * .5)")


@pytest.mark.parametrize(
    ("ours", "numpys"),
    [("log(z)", np.log), ("exp(x)", np.exp), ("sqrt(z)", np.sqrt),
     ("log1p(z)", np.log1p), ("log10(z)", np.log10)],
)  # fmt: skip
def test_bare_functions_need_no_import(table, ours, numpys):
    built = formula.build(f"y ~ {ours}", table)
    expected = numpys(table[ours[-2]].to_numpy())
    np.testing.assert_array_equal(built.design.to_dense()[:, 0], expected)


def test_offset_is_no_column_and_shifts_the_predictor(table):
    built = formula.build("y ~ x + offset(log(t)) + offset(z)", table)
    assert built.encoder.names == ("x",)
    expected = np.log(table.t) + table.z
    np.testing.assert_allclose(built.offset, expected, rtol=1e-15)


def test_exposure_is_an_offset_of_its_logarithm(table):
    one = pg.glm("y ~ x + exposure(t)", table, "poisson").fit(0.1)
    two = pg.glm("y ~ x + offset(log(t))", table, "poisson").fit(0.1)
    three = pg.glm("y ~ x", table, "poisson", exposure="t").fit(0.1)
    np.testing.assert_array_equal(one.params, two.params)
    np.testing.assert_array_equal(one.params, three.params)
    assert one.predict(table).tolist() == one.fittedvalues.tolist()
    assert three.predict(table).tolist() == three.fittedvalues.tolist()


def test_names_of_the_callers_scope_are_seen(table):
    factor = 3.0

    def inside():
        stretch = 2.0  # noqa: F841, the formula finds it
        return pg.glm("y ~ I(x * stretch)", table, "poisson").fit(0.01)

    assert inside().params.index[1] == "I(x * stretch)"
    fit = pg.PenalizedGLM.from_formula("y ~ I(x * factor)", table).fit(0.01)
    assert fit.params.index[1] == "I(x * factor)"
    assert factor == 3.0


def test_a_column_absent_at_predict_is_never_taken_from_the_scope(table):
    x = np.zeros(N)  # noqa: F841, a trap: patsy would find it
    fit = pg.glm("y ~ x + z", table, "poisson").fit(0.01)
    with pytest.raises(FormulaError, match="the data has no column 'x'"):
        fit.predict(table[["z"]])


def test_arrays_of_the_scope_do_without_a_table():
    rng = np.random.default_rng(0)
    response, column = rng.normal(size=20), rng.normal(size=20)
    fit = pg.glm("response ~ column", None).fit(0.0)
    slope, _ = np.polyfit(column, response, 1)
    assert fit.params["column"] == pytest.approx(slope, rel=1e-9)


def test_poly_is_orthonormal_and_remembered(table):
    built = formula.build("y ~ poly(x, 3)", table)
    matrix = built.design.to_dense()
    np.testing.assert_allclose(matrix.T @ matrix, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(matrix.sum(axis=0), 0.0, atol=1e-12)
    design, _, _ = built.encoder.encode(table.head(5))
    np.testing.assert_allclose(design.to_dense(), matrix[:5], rtol=1e-12)


@pytest.mark.parametrize("coding", ["treatment", "full", "sum"])
def test_codings_span_the_same_means(table, coding):
    built = formula.build("y ~ a", table, coding=coding)
    matrix = np.hstack([np.ones((N, 1)), built.design.to_dense()])
    assert np.linalg.matrix_rank(matrix) == 3
    assert built.design.shape[1] == (3 if coding == "full" else 2)


def test_full_coding_keeps_every_level_of_an_interaction(table):
    assert len(names("y ~ a:lab + a", table, coding="full")) == 3 * 2 + 3


FRAMES = {
    "pandas": lambda table: table,
    "nullable": lambda table: table.convert_dtypes(),
    "polars": pl.from_pandas,
    "pyarrow": pa.Table.from_pandas,
    "dict": lambda table: {name: table[name].to_numpy() for name in table},
    "object": lambda table: table.astype({"a": object, "lab": object}),
    "category": lambda table: table.astype({"a": "category", "lab": "category"}),
}


@pytest.mark.parametrize("kind", FRAMES)
def test_any_table_gives_the_same_columns(table, kind):
    text = "y ~ a + x + C(k) + lab:z"
    expected = formula.build(text, table)
    built = formula.build(text, FRAMES[kind](table))
    assert built.encoder.names == expected.encoder.names
    np.testing.assert_array_equal(built.design.to_dense(), expected.design.to_dense())


def test_the_callers_table_is_not_touched(table):
    before = table.copy(deep=True)
    fit = pg.glm("y ~ center(x) + a", table, "poisson").fit(0.1)
    fit.predict(table)
    pd.testing.assert_frame_equal(table, before)


def test_labels_as_response_make_the_later_one_the_event(table):
    fit = pg.glm("lab ~ x", table, "binomial").fit(1.0)
    share = (table.lab == "yes").mean()
    assert fit.fittedvalues[0] == pytest.approx(share, rel=1e-9)
    assert set(fit.predict(table, which="class")) == {"yes"}


def test_an_ordered_response_keeps_the_order_of_its_categories(table):
    table["lab"] = pd.Categorical(table.lab, categories=["yes", "no"])
    fit = pg.glm("lab ~ x", table, "binomial").fit(1.0)
    assert fit.fittedvalues[0] == pytest.approx((table.lab == "no").mean(), rel=1e-9)


def test_two_counts_as_response_are_successes_and_failures(table):
    table["s"], table["f"] = table.y + 1, 3.0
    fit = pg.glm("s + f ~ x", table, "binomial").fit(10.0)
    share = table.s.sum() / (table.s + table.f).sum()
    assert fit.fittedvalues[0] == pytest.approx(share, rel=1e-9)


def test_dropped_rows_drop_their_weight_and_offset_too(table):
    table.loc[3, "x"] = np.nan
    table.loc[5, "a"] = None
    table["n"] = np.arange(1.0, N + 1)
    with pytest.warns(DroppedRowsWarning, match="2 of 50 rows"):
        fit = pg.glm(
            "y ~ x + a + offset(log(t))", table, "poisson", freq_weights="n"
        ).fit(0.1)
    clean = pg.glm(
        "y ~ x + a + offset(log(t))",
        table.drop(index=[3, 5]),
        "poisson",
        freq_weights="n",
    ).fit(0.1)
    np.testing.assert_array_equal(fit.params, clean.params)


def test_transforms_learn_from_the_kept_rows_only(table):
    table.loc[0, "z"] = np.nan
    table.loc[0, "x"] = 1e6
    built = formula.build("y ~ center(x) + z", table)
    assert abs(built.design.to_dense()[:, 0].mean()) < 1e-12


def test_missing_rows_at_predict_are_nan_with_a_warning(table):
    fit = pg.glm("y ~ x + a", table, "poisson").fit(0.1)
    new = table.head(4).copy()
    new.loc[1, "x"] = np.nan
    new.loc[2, "a"] = None
    with pytest.warns(pg.exceptions.MissingPredictionWarning, match="2 rows"):
        predicted = fit.predict(new)
    assert np.isnan(predicted).tolist() == [False, True, True, False]
    np.testing.assert_array_equal(predicted[[0, 3]], fit.fittedvalues[[0, 3]])


MISTAKES = {
    "y ~ nothing": "formula uses 'nothing', which is neither a column nor a function; "
    "columns: y, x, z, t, k, a, lab.",
    "y ~ x + ": "formula cannot be read: expected a noun",
    "~ x": "'~ x' has no response; write it as 'y ~ ...'.",
    "y ~ x + (1 | a)": "'1 | a' has a '|': random effects are not supported.",
    "y ~ offset(t):x": "the term 'offset(t):x' has an offset inside an interaction",
    "y ~ offset(x, z)": "'offset(x, z)' must have one argument.",
    "y ~ offset(a)": "the offset 'a' must be one number per row.",
    "y ~ log(a)": "'log(a)' cannot be computed: ",
    "y ~ log(k)": "'log(k)' is infinite in 17 rows (first: row 0); use a "
    "transformation that is finite there, such as log1p.",
    "y ~ C(a, Treatment('q'))": "has no level 'q' to refer to; its levels: a, b, c.",
    "y ~ poly(k, 3)": "poly() has degree 3; it must be at least 1 and below the number "
    "of different values, 3.",
    "a ~ x": "the response 'a' has 3 classes (a, b, c); use one with two, or a number.",
    "y + x + z ~ t": "the response 'y + x + z' must be one variable",
    "y ~ exposure(x)": "exposure 'x' is ",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_is_named(table, text):
    with pytest.raises(PenglmInputError, match=re.escape(MISTAKES[text])):
        pg.glm(text, table, "poisson")


def test_a_formula_that_is_no_text_is_named(table):
    with pytest.raises(FormulaError, match="formula is a int"):
        pg.glm(3, table)


def test_an_unseen_level_names_column_level_and_rows(table):
    fit = pg.glm("y ~ C(a) + x", table, "poisson").fit(0.1)
    new = table.head(5).copy()
    new.loc[2, "a"] = "zz"
    expected = (
        "column 'a' has level 'zz' (row 2) that was not present when fitting; known: "
        "a, b, c."
    )
    with pytest.raises(FormulaError, match=re.escape(expected)) as caught:
        fit.predict(new)
    assert caught.value.index == 2
    assert caught.value.argument == "a"
    new["a"] = "zz"
    with pytest.raises(FormulaError, match=re.escape("(5 rows, first: row 0)")):
        fit.predict(new)


def test_missing_raise_names_row_and_column(table):
    table.loc[3, "x"] = np.nan
    expected = "data contains a missing value in 1 rows (first: row 3, column 'x')"
    with pytest.raises(FormulaError, match=re.escape(expected)):
        pg.glm("y ~ x", table, missing="raise")


def test_labels_are_for_the_binomial_family(table):
    with pytest.raises(PenglmInputError, match="only the binomial family takes labels"):
        pg.glm("lab ~ x", table, "poisson")


def test_duplicated_columns_are_refused(table):
    twice = pd.concat([table, table[["x"]]], axis=1)
    with pytest.raises(PenglmInputError, match="2 columns named 'x'; rename them"):
        pg.glm("y ~ x", twice)


def test_a_weight_column_that_is_absent_is_named(table):
    with pytest.raises(FormulaError, match="the data has no column 'n'"):
        pg.glm("y ~ x", table, freq_weights="n")


def test_penalty_factors_go_by_term(table):
    model = pg.glm("y ~ a + x", table, "poisson", penalty_factor={"a": 0, "x": 2})
    assert model.statement.penalty_factor.tolist() == [0.0, 0.0, 2.0]


def test_a_large_factor_stays_small():
    """Ten thousand levels: one integer a row, no matrix of levels by levels."""
    import tracemalloc

    rng = np.random.default_rng(0)
    n = 100_000
    big = pd.DataFrame({"y": rng.normal(size=n), "x": rng.normal(size=n)})
    big["g"] = pd.Series(rng.integers(0, 10_000, n)).map("level {:05d}".format)
    tracemalloc.start()
    built = formula.build("y ~ x + g", big)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert built.design.shape == (n, 10_000)
    assert peak < 200e6
