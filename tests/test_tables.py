"""Tables of every library: the same cells give the same model at every door.

What a column may hold and what is refused is in ``test_columns_of_tables.py``.
"""

import json

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import penglm as pg
from penglm.cli import main
from penglm.exceptions import DroppedRowsWarning, FormulaError, PenglmInputError

N = 80
FORMULA = "y ~ standardize(x) + C(k) + b + g + t:g"
COLUMNS = ["x", "k", "b"]


def plain():
    """Return numbers, whole numbers, booleans and labels in columns of NumPy."""
    rng = np.random.default_rng(8)
    data = pd.DataFrame(
        {
            "x": rng.normal(size=N).round(3),
            "k": rng.integers(0, 4, N),
            "b": rng.random(N) < 0.5,
            "g": rng.choice(list("abc"), N).astype(object),
            "t": rng.uniform(0.5, 2.0, N),
            "w": rng.integers(1, 4, N),
        }
    )
    mean = data.t * np.exp(0.3 + 0.4 * data.x + 0.3 * data.b + 0.5 * (data.g == "b"))
    return data.assign(y=rng.poisson(mean))


def gaps():
    """Return the same with one cell missing in each of four columns."""
    data = plain().astype(object)
    for row, name in enumerate(["x", "k", "b", "g"]):
        data.loc[3 * row + 2, name] = None
    return data


def as_polars(data, **kinds):
    """Return a polars frame cell by cell, missing cells null."""
    cells = {name: [None if c is pd.NA or c != c else c for c in data[name].tolist()]
             for name in data}  # fmt: skip
    return pl.DataFrame(cells, schema_overrides=kinds)


LEVELS = pd.CategoricalDtype(list("abc"))
CONTAINERS = {
    "pandas": lambda data: data.infer_objects(),
    "pandas, str": lambda data: data.infer_objects().assign(
        g=data.g.astype("str").where(data.g.notna())
    ),
    "pandas, string of pyarrow": lambda data: data.infer_objects().astype(
        {"g": "string[pyarrow]"}
    ),
    "pandas, string of python": lambda data: data.infer_objects().astype(
        {"g": "string[python]"}
    ),
    "pandas, objects": lambda data: data.astype(object),
    "pandas, nullable": lambda data: data.convert_dtypes(),
    "pandas, Float64": lambda data: data.convert_dtypes().astype({"x": "Float64"}),
    "pandas, pyarrow": lambda data: data.convert_dtypes(dtype_backend="pyarrow"),
    "pandas, category": lambda data: data.infer_objects().astype({"g": LEVELS}),
    "pandas, labelled rows": lambda data: data.infer_objects().set_axis(
        range(500, 500 + len(data))
    ),
    "polars": as_polars,
    "polars, Categorical": lambda data: as_polars(data, g=pl.Categorical),
    "polars, Enum": lambda data: as_polars(data, g=pl.Enum(list("abc"))),
    "polars, short": lambda data: as_polars(data, k=pl.Int8, w=pl.UInt16),
    "pyarrow": lambda data: as_polars(data).to_arrow(),
    "pyarrow, dictionary": lambda data: pa.Table.from_pandas(
        data.infer_objects().astype({"g": LEVELS})
    ),
    "pyarrow, chunks": lambda data: pa.concat_tables(
        [as_polars(part).to_arrow() for part in (data[:31], data[31:])]
    ),
    "pyarrow, batch": lambda data: pa.RecordBatch.from_pandas(data.infer_objects()),
}
every_container = pytest.mark.parametrize("kind", CONTAINERS)


def some(table, names):
    """Return some columns of a table, in its own kind of table."""
    return table[names] if isinstance(table, pd.DataFrame) else table.select(names)


def assert_same(fit, expected):
    """Compare fits bit by bit, names and words included."""
    pd.testing.assert_series_equal(fit.params, expected.params, check_exact=True)
    assert fit.certificate == expected.certificate
    assert str(fit.summary()) == str(expected.summary())


@every_container
def test_formula_door_gives_the_same_model(kind):
    def fitted(table):
        model = pg.glm(FORMULA, table, "poisson", exposure="t", freq_weights="w")
        return model.fit(0.02)

    table, expected = CONTAINERS[kind](plain()), fitted(plain())
    fit = fitted(table)
    assert_same(fit, expected)
    # Exposure is found in the table to predict, by the name it had.
    np.testing.assert_array_equal(fit.predict(table), expected.predict(plain()))
    np.testing.assert_array_equal(expected.predict(table), expected.predict(plain()))


@every_container
@pytest.mark.parametrize("other", ["pandas", "polars", "pyarrow", "pandas, nullable"])
def test_array_door_gives_the_same_model_of_mixed_containers(kind, other):
    def fitted(table, beside):
        model = pg.PenalizedGLM(
            beside["y"], some(table, COLUMNS), "poisson", exposure=table["t"],
            freq_weights=beside["w"], offset=table["k"],
        )  # fmt: skip
        return model.fit(0.02)

    table, expected = CONTAINERS[kind](plain()), fitted(plain(), plain())
    if kind == "pandas, labelled rows" and other.startswith("pandas"):
        other = "polars"
    fit = fitted(table, CONTAINERS[other](plain()))
    assert_same(fit, expected)
    known = expected.predict(plain()[COLUMNS], exposure=plain().t, offset=plain().k)
    found = fit.predict(some(table, COLUMNS), exposure=table["t"], offset=table["k"])
    np.testing.assert_array_equal(found, known)
    # By name from a table with more columns, in another order.
    found = fit.predict(some(table, ["t", *COLUMNS[::-1]]), exposure="t", offset="k")
    np.testing.assert_array_equal(found, known)


@every_container
def test_scikit_learns_door_gives_the_same_model(kind):
    if kind == "pyarrow, batch":
        pytest.skip("scikit-learn takes no record batches")
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    table, model = (
        CONTAINERS[kind](plain()),
        pg.PenalizedGLMRegressor("poisson", alpha=0.02),
    )
    expected = model.fit(plain()[COLUMNS], plain().y, sample_weight=plain().w)
    known, coef = expected.predict(plain()[COLUMNS]), expected.coef_
    fit = model.fit(some(table, COLUMNS), table["y"], sample_weight=table["w"])
    assert list(fit.feature_names_in_) == list(fit.results_.data.names) == COLUMNS
    np.testing.assert_array_equal(fit.coef_, coef)
    np.testing.assert_array_equal(fit.predict(some(table, COLUMNS)), known)


WRITERS = {
    "in.csv": lambda data, path: data.to_csv(path, index=False),
    "in.csv.gz": lambda data, path: data.to_csv(path, index=False),
    "in.parquet": lambda data, path: data.to_parquet(path),
    "nullable.parquet": lambda data, path: data.convert_dtypes().to_parquet(path),
    "category.parquet": lambda data, path: data.astype({"g": LEVELS}).to_parquet(path),
    "polars.parquet": lambda data, path: as_polars(data).write_parquet(path),
    "in.feather": lambda data, path: data.to_feather(path),
    "polars.feather": lambda data, path: as_polars(data).write_ipc(
        path, compat_level=pl.CompatLevel.oldest()
    ),
}


@pytest.mark.parametrize("name", WRITERS)
def test_shell_gives_the_same_model(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    WRITERS[name](plain(), name)
    order = ["fit", name, FORMULA, "--family", "poisson", "--exposure", "t"]
    order += ["--weights", "w", "--alpha", "0.02", "--json", "--save", "m.json"]
    assert main(order) == 0
    found = json.loads(capsys.readouterr().out)["fit"]
    model = pg.glm(FORMULA, plain(), "poisson", exposure="t", freq_weights="w")
    expected = model.fit(0.02)
    assert found["params"] == expected.params.to_dict()
    assert main(["predict", "m.json", name, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["prediction"]
    assert found == expected.predict(plain()).tolist()


# Missing values


@every_container
def test_formula_leaves_rows_with_gaps_out_and_says_how_many(kind):
    text = r"4 of 80 rows with missing values were dropped \(most missing: 'x', 1\)"
    complete = gaps().dropna().infer_objects()
    # Whole numbers with gaps are floats, and named so.
    formula = FORMULA.replace("C(k)", "k")
    expected = pg.glm(formula, complete, "poisson", exposure="t").fit(0.02)
    with pytest.warns(DroppedRowsWarning, match=text):
        model = pg.glm(formula, CONTAINERS[kind](gaps()), "poisson", exposure="t")
    fit = model.fit(0.02)
    assert_same(fit, expected)
    assert list(np.setdiff1d(range(N), fit.data.rows)) == [2, 5, 8, 11]


@every_container
def test_gaps_are_called_missing_and_placed_where_they_are_not_dropped(kind):
    table = CONTAINERS[kind](gaps())
    with pytest.raises(
        FormulaError, match=r"missing value in 4 rows.*row 2, column 'x'"
    ):
        pg.glm(FORMULA, table, "poisson", missing="raise")
    for row, name in enumerate(COLUMNS):
        text = (
            rf"exog contains NaN in 1 rows \(first: row {3 * row + 2}, column '{name}'"
        )
        with pytest.raises(PenglmInputError, match=text):
            pg.PenalizedGLM(plain().y.to_numpy(), some(table, [name]))
    with pytest.raises(PenglmInputError, match=r"offset contains NaN.*row 2"):
        pg.PenalizedGLM(table["y"], some(table, ["t"]), offset=table["x"])
    with pytest.raises(PenglmInputError, match=r"var_weights\[5\] = nan is not a"):
        pg.PenalizedGLM(table["y"], some(table, ["t"]), var_weights=table["k"])


@every_container
def test_array_door_drops_what_it_is_told_to(kind):
    table = CONTAINERS[kind](gaps())
    complete = gaps()[[*COLUMNS, "y"]].dropna().astype(float)
    expected = pg.PenalizedGLM(complete.y, complete[COLUMNS], "poisson").fit(0.02)
    with pytest.warns(DroppedRowsWarning, match="3 of 80 rows"):
        model = pg.PenalizedGLM(
            table["y"], some(table, COLUMNS), "poisson", missing="drop"
        )
    assert_same(model.fit(0.02), expected)


@every_container
@pytest.mark.filterwarnings("ignore::penglm.exceptions.MissingPredictionWarning")
def test_prediction_is_nan_where_a_cell_is_missing(kind):
    table = CONTAINERS[kind](gaps())
    fits = {
        (2, 5, 8, 11): pg.glm(FORMULA, plain(), "poisson").fit(0.02),
        (2, 5, 8): pg.PenalizedGLM(plain().y, plain()[COLUMNS], "poisson").fit(0.02),
    }
    for rows, fit in fits.items():
        found, known = fit.predict(table), fit.predict(plain())
        known[list(rows)] = np.nan
        np.testing.assert_array_equal(found, known)


# Rows that are labelled


SHUFFLED = plain().sample(frac=1.0, random_state=0)
BY_LABEL = {
    "response": lambda: pg.PenalizedGLM(SHUFFLED.y, plain()[COLUMNS]),
    "weights": lambda: pg.PenalizedGLM(
        plain().y, plain()[COLUMNS], var_weights=SHUFFLED.w
    ),
    "offset of a formula": lambda: pg.glm("y ~ x", plain(), offset=SHUFFLED.x),
    "variable of the caller": lambda: with_variable(SHUFFLED.t),
    "variable marked as a factor": lambda: with_variable(SHUFFLED.g, "C(z)"),
    "mapping": lambda: pg.glm("y ~ x", {"y": plain().y, "x": SHUFFLED.x}),
    "offset to predict": lambda: (
        pg.glm("y ~ x", plain(), offset="t")
        .fit(0.1)
        .predict(plain(), offset=SHUFFLED.t)
    ),
    "exposure to predict": lambda: (
        pg.PenalizedGLM(plain().y, plain()[COLUMNS], "poisson", exposure=plain().t)
        .fit(0.1)
        .predict(plain()[COLUMNS], exposure=SHUFFLED.t)
    ),
}


def with_variable(z, term="z"):
    """Fit a formula that takes ``z`` from here and the rest from a table."""
    return pg.glm(f"y ~ x + {term}", plain())


@pytest.mark.parametrize("case", BY_LABEL)
def test_rows_whose_labels_disagree_are_refused(case):
    with pytest.raises(PenglmInputError, match=r"different indexes.*Align them first"):
        BY_LABEL[case]()


def test_rows_of_one_labelling_are_taken_as_they_are():
    fit = pg.glm("y ~ x", SHUFFLED, offset=SHUFFLED.t).fit(0.02)
    expected = pg.glm("y ~ x", SHUFFLED, offset=SHUFFLED.t.to_numpy()).fit(0.02)
    assert_same(fit, expected)


def test_labelled_factors_go_by_name():
    factor = pd.Series({"b": 0.0, "k": 2.0, "x": 1.0})
    fit, other = (
        pg.PenalizedGLM(plain().y, plain()[COLUMNS], penalty_factor=given).fit(0.1)
        for given in (factor, factor.to_dict())
    )
    assert_same(fit, other)
    np.testing.assert_array_equal(fit.spec.penalty_factor, [1.0, 2.0, 0.0])
