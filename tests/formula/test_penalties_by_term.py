"""Ridge of every level, and factors and limits that go by formula term."""

import numpy as np
import pandas as pd
import pytest

import penglm as pg
from penglm.exceptions import ConstantColumnWarning, PenglmInputError

# Ridge is certified to tol = 1e-10 of the null slope and held against a linear solve.
TIGHT = {"tol": 1e-10}
SAME = 1e-7


@pytest.fixture
def table():
    rng = np.random.default_rng(5)
    region = rng.choice(list("abcde"), size=200)
    effect = pd.Series({"a": 1.0, "b": -1.0, "c": 0.5, "d": 0.0, "e": 0.2})
    x = rng.normal(size=200)
    y = effect[region].to_numpy() + 0.5 * x + rng.normal(size=200)
    return pd.DataFrame({"y": y, "region": region, "x": x})


def levels_of(names, term):
    return [j for j, name in enumerate(names) if name.startswith(f"{term}[")]


@pytest.mark.parametrize("standardize", [True, False])
def test_ridge_path_of_full_coding_solves_its_linear_equations(table, standardize):
    model = pg.glm("y ~ region + x", table, coding="full", standardize=standardize)
    path = model.fit_path(l1_ratio=0.0, n_alphas=12, **TIGHT)
    assert path.converged
    assert len(levels_of(model.data.names, "region")) == 5
    X = model.data.design.to_dense()
    centred = X - X.mean(axis=0)
    size = X.std(axis=0) if standardize else np.ones(X.shape[1])
    y = table["y"].to_numpy()
    for fit in path:
        gram = centred.T @ centred / y.size + fit.alpha * np.diag(size**2)
        expected = np.linalg.solve(gram, centred.T @ (y - y.mean()) / y.size)
        np.testing.assert_allclose(
            fit.coef, expected, rtol=SAME, atol=SAME * np.abs(expected).max()
        )


def test_every_level_of_full_coding_is_pulled_to_the_mean_of_all(table):
    """Without a reference level the names of the levels do not matter."""
    other = table.assign(
        region=table["region"].map(dict(zip("abcde", "edcba", strict=True)))
    )
    here, there = (
        pg.glm("y ~ region + x", rows, coding="full").fit(0.1, l1_ratio=0.0, **TIGHT)
        for rows in (table, other)
    )
    np.testing.assert_allclose(here.fittedvalues, there.fittedvalues, rtol=SAME)
    treatment = (
        pg.glm("y ~ region + x", rows).fit(0.1, l1_ratio=0.0, **TIGHT)
        for rows in (table, other)
    )
    one, two = (fit.fittedvalues for fit in treatment)
    assert np.abs(one - two).max() > 1e-3


@pytest.mark.parametrize("coding", ["treatment", "full"])
@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
def test_factors_and_limits_of_a_term_are_those_of_all_its_columns(
    table, coding, l1_ratio
):
    by_term = pg.glm(
        "y ~ region + x", table, coding=coding, penalty_factor={"region": 3.0},
        lower={"region": -0.1}, upper={"region": 0.2, "x": 0.3},
    )  # fmt: skip
    names = by_term.data.names
    levels, x = levels_of(names, "region"), names.index("x")
    factor, lower = np.ones(len(names)), np.full(len(names), -np.inf)
    upper = np.full(len(names), np.inf)
    factor[levels], lower[levels], upper[levels], upper[x] = 3.0, -0.1, 0.2, 0.3
    given = {"penalty_factor": factor, "lower": lower, "upper": upper}
    by_column = pg.glm("y ~ region + x", table, coding=coding, **given)
    one, two = (m.fit(0.02, l1_ratio=l1_ratio) for m in (by_term, by_column))
    np.testing.assert_array_equal(one.coef, two.coef)
    assert (one.coef[levels] == 0.2).any()
    assert (one.coef >= lower).all()
    assert (one.coef <= upper).all()
    judged = pg.certify(
        one.coef, one.intercept, table["y"], by_term.data.design.to_dense(),
        alpha=0.02, l1_ratio=l1_ratio, **given,
    )  # fmt: skip
    assert judged.kkt_residual < 1e-5


@pytest.mark.parametrize(
    ("formula", "named"),
    [
        ("y ~ x + same", "term same has"),
        ("y ~ x + x:same", "term x:same has"),
        ("y ~ same * x", "terms same, same:x have"),
    ],
)
def test_factor_of_one_level_is_told(table, formula, named):
    with pytest.warns(ConstantColumnWarning, match=f"^{named} no column: a factor of"):
        model = pg.glm(formula, table.assign(same="a"))
    assert model.data.names == ("x",)


def test_one_column_may_differ_from_the_rest_of_its_term(table):
    name = next(
        n for n in pg.glm("y ~ region", table).data.names if n.startswith("region[")
    )
    for factor in (
        {"region": np.inf, name: 0.0},
        {name: 0.0, "region": np.inf},
    ):
        fit = pg.glm("y ~ region + x", table, penalty_factor=factor).fit(0.05)
        place = fit.data.names.index(name)
        others = [j for j in levels_of(fit.data.names, "region") if j != place]
        assert fit.coef[place] != 0.0
        assert not fit.coef[others].any()


@pytest.mark.parametrize("argument", ["penalty_factor", "lower", "upper"])
def test_columns_called_by_numbers_are_named_by_numbers(argument):
    rng = np.random.default_rng(1)
    X, y = (
        pd.DataFrame(rng.normal(size=(40, 3)), columns=[2, 0, 1]),
        rng.normal(size=40),
    )
    expected = [3.0, 1.0, 2.0]
    for given in ({0: 1.0, 1: 2.0, 2: 3.0}, pd.Series([1.0, 2.0, 3.0])):
        if argument == "lower":
            given = {k: -v for k, v in dict(given).items()}
        model = pg.PenalizedGLM(y, X, **{argument: given})
        np.testing.assert_array_equal(abs(getattr(model.statement, argument)), expected)


def test_labels_of_a_frame_of_one_column_are_names():
    rng = np.random.default_rng(1)
    X, y = (
        pd.DataFrame(rng.normal(size=(40, 2)), columns=["a", "b"]),
        rng.normal(size=40),
    )
    given = pd.DataFrame({"factor": [1.0, 2.0]}, index=["b", "a"])
    model = pg.PenalizedGLM(y, X, penalty_factor=given)
    np.testing.assert_array_equal(model.statement.penalty_factor, [2.0, 1.0])


@pytest.mark.parametrize(
    "given", [pd.Series([0.0, 2.0], index=["x", "x"]), {"1": 0.0, 1: 2.0}]
)
def test_name_given_twice_is_refused(table, given):
    with pytest.raises(PenglmInputError, match=r"names '[x1]' 2 times; name it once"):
        pg.glm("y ~ region + x", table, penalty_factor=given)


@pytest.mark.parametrize("argument", ["penalty_factor", "lower", "upper"])
def test_unknown_term_is_named(table, argument):
    known = "known: region.*, x, region"
    with pytest.raises(
        PenglmInputError, match=f"'C\\(region\\)', which is neither.*{known}\\.$"
    ):
        pg.glm("y ~ region + x", table, **{argument: {"C(region)": 1.0}})
