"""Variance inflation factors, beside statsmodels' and beside their definition."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.outliers_influence import variance_inflation_factor

import penglm as pg
from penglm import datasets
from penglm.exceptions import ConstantColumnWarning, PenglmInputError


def correlated(n=200, p=5):
    rng = np.random.default_rng(12)
    X = rng.normal(size=(n, p)) + rng.normal(size=(n, 1)) * np.linspace(0.0, 2.0, p)
    return X * np.geomspace(1e-3, 1e3, p) + 5.0, rng.poisson(3.0, size=n)


def test_factor_of_a_column_is_that_of_statsmodels():
    X, y = correlated()
    found = pg.PenalizedGLM(y, X, "poisson").fit(0.1).vif()
    # statsmodels takes raw columns, which are far from each other in size.
    whole = np.column_stack([np.ones(len(y)), X / X.std(axis=0)])
    theirs = [variance_inflation_factor(whole, j) for j in range(1, whole.shape[1])]
    np.testing.assert_allclose(found["vif"], theirs, rtol=1e-9)
    np.testing.assert_array_equal(found["per_column"], found["vif"])


def test_without_an_intercept_columns_are_not_centred():
    X, y = correlated()
    X = (X - X.mean(axis=0)) / X.std(axis=0) + 0.5
    found = pg.PenalizedGLM(y, X, fit_intercept=False).fit(0.1).vif()
    theirs = []
    for j, x in enumerate(X.T):
        others = np.delete(X, j, axis=1)
        rest = x - others @ np.linalg.lstsq(others, x)[0]
        theirs.append(x @ x / (rest @ rest))
    np.testing.assert_allclose(found["vif"], theirs, rtol=1e-8)


def test_a_weight_counts_as_rows():
    X, y = correlated()
    times = np.random.default_rng(2).integers(0, 4, size=len(y))
    weighted = pg.PenalizedGLM(y, X, freq_weights=times).fit(0.1).vif()
    repeated = pg.PenalizedGLM(np.repeat(y, times), np.repeat(X, times, axis=0))
    np.testing.assert_allclose(weighted, repeated.fit(0.1).vif(), rtol=1e-9)
    assert not np.allclose(weighted["vif"], pg.PenalizedGLM(y, X).fit(0.1).vif()["vif"])


def test_factor_of_a_term_is_the_ratio_of_determinants():
    rows = datasets.bikeshare().iloc[::7]
    model = pg.glm("bikers ~ C(season) + temp + atemp + weathersit", rows, "poisson")
    found = model.fit(1.0).vif()
    R = np.corrcoef(model.data.design.to_dense(), rowvar=False)
    for term, part in model.data.term_slices.items():
        mine = np.arange(len(R))[part]
        others = np.setdiff1d(np.arange(len(R)), mine)
        expected = (
            np.linalg.det(R[np.ix_(mine, mine)])
            * np.linalg.det(R[np.ix_(others, others)])
            / np.linalg.det(R)
        )
        assert found.loc[term, "vif"] == pytest.approx(expected, rel=1e-8)
        assert found.loc[term, "df"] == mine.size
        root = expected ** (1.0 / mine.size)
        assert found.loc[term, "per_column"] == pytest.approx(root, rel=1e-8)


def test_factor_of_a_term_does_not_depend_on_its_coding():
    rows = datasets.bikeshare().iloc[::7]
    formula = "bikers ~ C(season) + temp + weathersit"
    found = [
        pg.glm(formula, rows, "poisson", coding=coding).fit(1.0).vif()
        for coding in ("treatment", "sum")
    ]
    np.testing.assert_allclose(found[0], found[1], rtol=1e-8)


def test_only_what_is_dependent_is_inflated_without_end():
    X, y = correlated()
    X = np.column_stack([X, X[:, 0] / X[:, 0].std() + X[:, 1] / X[:, 1].std()])
    found = pg.PenalizedGLM(y, X).fit(0.1).vif()["vif"]
    assert np.isinf(found.to_numpy()).tolist() == [True] * 2 + [False] * 3 + [True]
    apart = pg.PenalizedGLM(y, X[:, :5]).fit(0.1).vif()["vif"]
    np.testing.assert_allclose(found.iloc[2:5], apart.iloc[2:5], rtol=1e-6)


def test_columns_that_cannot_have_a_coefficient_are_left_out():
    X, y = correlated()
    X[:, 1] = 3.0
    with pytest.warns(ConstantColumnWarning):
        model = pg.PenalizedGLM(y, X, penalty_factor=[np.inf, 1, 1, 1, 1])
    found = model.fit(0.1).vif()
    assert list(found.index) == ["x3", "x4", "x5"]
    rest = pg.PenalizedGLM(y, pd.DataFrame(X[:, 2:])).fit(0.1).vif()
    np.testing.assert_allclose(found["vif"], rest["vif"], rtol=1e-10)


def test_too_many_columns_are_refused():
    X = np.random.default_rng(0).normal(size=(30, 5001))
    model = pg.PenalizedGLM(np.arange(30.0), X)
    with pytest.raises(PenglmInputError, match="up to 5000"):
        model.fit(100.0).vif()
