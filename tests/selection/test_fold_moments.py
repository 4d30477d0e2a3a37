"""Least squares on folds from sums, against the rows themselves."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse

import penglm as pg
from penglm import exceptions
from penglm.design import Categorical, Dense, Split
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


# Sums have to bear columns of 1e-3 to 1e3 that are not scaled.
@pytest.mark.filterwarnings("ignore::penglm.exceptions.ScalingWarning")
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


@pytest.mark.parametrize("metric", ["deviance", "mse", "mae"])
def test_scores_are_those_of_the_rows_left_out(small, metric):
    built, _, y = model()
    cv = built.fit_cv(5, n_alphas=12, metric=metric, progress=False)
    offset, weight = built.data.offset, built.data.sample_weight
    eta = cv.scores.out_of_fold
    assert np.array_equal(cv.out_of_fold_path, eta)
    for k in range(5):
        rows = cv.fold == k
        left = y[rows, None] - eta[rows]
        size = np.abs(left) if metric == "mae" else left**2
        by_rows = np.average(size, axis=0, weights=weight[rows])
        assert_allclose(cv.scores.by_fold[k], by_rows, rtol=1e-11)
    assert np.ptp(offset) > 0.0


def test_squares_that_would_lose_digits_are_summed_over_the_rows(small):
    rng = np.random.default_rng(4)
    X = rng.normal(size=(N, P))
    y = X @ np.arange(P) + 1e-6 * rng.normal(size=N)
    built = pg.PenalizedGLM(y, X)
    cv = built.fit_cv(4, alphas=np.geomspace(1.0, 1e-9, 8), progress=False)
    kinds = {type(known) for known in cv.scores.left_out}
    assert kinds == {np.ndarray}
    for k in range(4):
        rows = cv.fold == k
        left = y[rows, None] - cv.scores.out_of_fold[rows]
        assert_allclose(cv.scores.by_fold[k], (left**2).mean(axis=0), rtol=1e-12)


def test_the_path_and_all_folds_take_one_gram_matrix_of_the_rows(small, monkeypatch):
    built, _, _ = model()
    rows = []
    real = Dense.gram

    def counted(self, *arguments):
        rows.append(self.shape[0])
        return real(self, *arguments)

    monkeypatch.setattr(Dense, "gram", counted)
    built.fit_cv(5, n_alphas=12, progress=False)
    assert sum(rows) == N


def test_constant_columns_do_not_send_folds_to_their_rows(small):
    rng = np.random.default_rng(6)
    X = rng.normal(size=(N, P))
    X[:, 4] = 0.1
    y = X[:, 0] + rng.normal(size=N)
    with pytest.warns(exceptions.ConstantColumnWarning):
        built = pg.PenalizedGLM(y, X)
    fold, on = np.arange(N) % 4, built.statement.problem
    sums = fold_moments.of(built.statement.engine.blocks[0], fold, built.problem())
    compact = sums.without(1, lambda engine, moments: on(1.0, engine, moments))
    assert compact.problem.penalty.is_fixed[4]
    scores = built.fit_cv(fold, n_alphas=8, progress=False).scores
    bare = pg.PenalizedGLM(y, np.delete(X, 4, axis=1))
    expected = bare.fit_cv(fold, n_alphas=8, progress=False).scores
    assert_allclose(scores.mean, expected.mean, rtol=1e-9)


@pytest.mark.parametrize("storage", ["by columns", "sparse", "factors"])
def test_sums_of_every_storage_are_those_of_its_rows(small, storage):
    rng = np.random.default_rng(7)
    dense, fold = rng.normal(size=(N, P)), rng.integers(0, 4, N)
    codes = rng.integers(0, 6, N)
    X = {
        "by columns": lambda: np.asfortranarray(dense),
        "sparse": lambda: sparse.csc_array(dense),
        "factors": lambda: Split([Dense(dense), Categorical(codes, 6, 0)]),
    }[storage]()
    built = pg.PenalizedGLM(rng.normal(size=N), X)
    problem, block = built.problem(), built.statement.engine.blocks[0]
    sums = fold_moments.of(block, fold, problem)
    inside = (block.design.to_dense() - problem.center) / problem.scale
    wide = np.column_stack([inside, block.y - sums.level])
    for k, found in enumerate(sums.sums):
        rows = wide[fold == k]
        assert_allclose(found.first, rows.sum(axis=0), rtol=1e-9, atol=1e-9)
        assert_allclose(found.second, rows.T @ rows, rtol=1e-9, atol=1e-9)
