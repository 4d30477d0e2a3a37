"""Least squares on folds from sums, against the rows themselves."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import penglm as pg
from penglm.selection import fold_moments

N, P = 1200, 12


@pytest.fixture
def small(monkeypatch):
    """Let small problems go by sums, too."""
    monkeypatch.setattr(fold_moments, "LEAST_NUMBERS", 0)


def model(**options):
    rng = np.random.default_rng(8)
    X = rng.normal(size=(N, P)) * np.logspace(-3, 3, P) + np.logspace(3, -3, P)
    y = X[:, 3] / X[:, 3].std() + 1e3 + rng.normal(size=N)
    options = {
        "var_weights": rng.uniform(0.3, 2.0, N), "offset": rng.normal(size=N), **options
    }  # fmt: skip
    return pg.PenalizedGLM(y, X, **options), X, y


def scores(built, **options):
    return built.fit_cv(5, n_alphas=12, progress=False, **options).scores


OPTIONS = {
    "plain": {},
    "raw scale": {"standardize": False},
    "factors": {"penalty_factor": [0.0, np.inf, *[1.0] * (P - 2)]},
    "limits": {"lower": -0.01, "upper": 0.4},
}


@pytest.mark.parametrize("l1_ratio", [1.0, 0.4, 0.0])
@pytest.mark.parametrize("name", OPTIONS)
def test_sums_and_rows_give_the_same_scores(name, l1_ratio, monkeypatch):
    built, _, _ = model(**OPTIONS[name])
    by_rows = scores(built, l1_ratio=l1_ratio)
    monkeypatch.setattr(fold_moments, "LEAST_NUMBERS", 0)
    by_sums = scores(built, l1_ratio=l1_ratio)
    assert_allclose(by_sums.mean, by_rows.mean, rtol=1e-6)
    assert_allclose(by_sums.out_of_fold, by_rows.out_of_fold, rtol=1e-4, atol=1e-4)
    assert by_sums.n_missed == by_rows.n_missed == 0


def test_sums_are_taken_where_they_suit(small, monkeypatch):
    built, _, _ = model()
    assert fold_moments.suits(built.problem())
    no_intercept, _, _ = model(fit_intercept=False)
    assert not fold_moments.suits(no_intercept.problem())
    counts, _, _ = model()
    assert not fold_moments.suits(
        pg.PenalizedGLM(np.arange(N) % 3, counts.data.design, "poisson").problem()
    )


def test_a_column_that_varies_in_one_fold_only_is_taken_from_the_rows(small):
    rng = np.random.default_rng(2)
    fold = np.arange(N) % 4
    X = rng.normal(size=(N, P))
    X[:, 5] = np.where(fold == 1, rng.normal(size=N), 0.25)
    y = X[:, 0] + X[:, 5] + rng.normal(size=N)
    built = pg.PenalizedGLM(y, X)
    sums = fold_moments.FoldMoments(
        built.statement.engine.blocks[0], fold, built.problem()
    )
    on = built.statement.problem
    assert sums.without(1, lambda engine, moments: on(1.0, engine, moments)) is None
    found = built.fit_cv(fold, n_alphas=8, progress=False).scores
    assert np.isfinite(found.mean).all()


def test_no_row_is_copied_before_its_turn(small, monkeypatch):
    """Folds are made one at a time, threads or not, with the same answer."""
    built, _, _ = model()
    one = scores(built)
    two = scores(built, n_jobs=2)
    assert np.array_equal(one.out_of_fold, two.out_of_fold)
