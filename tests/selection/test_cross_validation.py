"""Cross-validation against its definition: refit by hand, score by hand, choose."""

import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, KFold, ShuffleSplit, StratifiedKFold

import penglm as pg
from penglm.exceptions import PenglmInputError

FAMILIES = ("gaussian", "binomial", "poisson")
N = 90
ALPHAS = np.array([0.3, 0.1, 0.03, 0.01])
TOL = 1e-9
# Two fits that leave a violation of TOL behind.
AGREE = 1e-6
everywhere = pytest.mark.parametrize("family", FAMILIES)


def draw(family, seed=0):
    """Return a response, columns and what goes with each row."""
    rng = np.random.default_rng([seed, FAMILIES.index(family)])
    X = rng.normal(size=(N, 6)) * np.array([1, 2, 1, 0.5, 1, 1])
    offset = rng.normal(0.0, 0.3, N)
    eta = offset + X[:, 0] - 0.3 * X[:, 1]
    if family == "gaussian":
        y = eta + rng.normal(size=N)
    elif family == "binomial":
        y = (rng.uniform(size=N) < 1 / (1 + np.exp(-eta))).astype(float)
    else:
        y = rng.poisson(np.exp(eta)).astype(float)
    return y, X, {"offset": offset, "var_weights": rng.uniform(0.2, 2.0, N)}


def unit_deviance(family, y, mu):
    """Return the textbook's deviance of each row."""
    if family == "gaussian":
        return (y - mu) ** 2
    at = np.where(y > 0, y, 1.0)
    if family == "poisson":
        return 2 * (y * np.log(at / mu) - (y - mu))
    return -2 * np.where(y > 0, np.log(mu), np.log1p(-mu))


def left_out(family, y, X, rows, test, alpha, l1_ratio=1.0):
    """Return means of the rows ``test`` from a model that never saw them."""
    train = np.setdiff1d(np.arange(y.size), test)
    kept = {key: value[train] for key, value in rows.items()}
    fit = pg.PenalizedGLM(y[train], X[train], family, **kept).fit(
        alpha, l1_ratio, tol=TOL
    )
    return fit.predict(X[test], offset=rows["offset"][test])


def labels(seed=0, k=4):
    """Return fold labels (n,) of unequal folds."""
    return np.random.default_rng(seed).integers(0, k, N)


@everywhere
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5, 0.0])
def test_out_of_fold_equals_a_refit_by_hand(family, l1_ratio):
    y, X, rows = draw(family)
    fold = labels()
    model = pg.PenalizedGLM(y, X, family, **rows)
    cv = model.fit_cv(fold, alphas=ALPHAS, l1_ratio=l1_ratio, tol=TOL)
    for k in range(4):
        test = np.flatnonzero(fold == k)
        by_hand = left_out(family, y, X, rows, test, cv.alpha_best, l1_ratio)
        assert_allclose(cv.out_of_fold[test], by_hand, rtol=AGREE)


@everywhere
@pytest.mark.parametrize("metric", ["deviance", "mse", "mae"])
def test_scores_are_weighted_means_over_rows_and_folds(family, metric):
    y, X, rows = draw(family)
    fold, weight = labels(), rows["var_weights"]
    model = pg.PenalizedGLM(y, X, family, **rows)
    cv = model.fit_cv(fold, alphas=ALPHAS, metric=metric, tol=TOL)
    scores, shares = np.empty((4, ALPHAS.size)), np.empty(4)
    for k in range(4):
        test = np.flatnonzero(fold == k)
        shares[k] = weight[test].sum()
        for m, alpha in enumerate(ALPHAS):
            mu = left_out(family, y, X, rows, test, alpha)
            loss = {
                "deviance": unit_deviance(family, y[test], mu),
                "mse": (y[test] - mu) ** 2,
                "mae": np.abs(y[test] - mu),
            }
            scores[k, m] = np.average(loss[metric], weights=weight[test])
    mean = np.average(scores, axis=0, weights=shares)
    spread = np.average((scores - mean) ** 2, axis=0, weights=shares)
    assert_allclose(cv.scores.by_fold, scores, rtol=AGREE)
    assert_allclose(cv.mean_score, mean, rtol=AGREE)
    assert_allclose(cv.std_score, np.sqrt(spread / 3), rtol=AGREE)


@pytest.mark.parametrize("metric", ["class", "auc"])
def test_classification_scores_are_those_of_the_predictions(metric):
    y, X, rows = draw("binomial")
    fold, weight = labels(), rows["var_weights"]
    model = pg.PenalizedGLM(y, X, "binomial", **rows)
    cv = model.fit_cv(fold, alphas=ALPHAS, metric=metric, tol=TOL)
    for k in range(4):
        test = fold == k
        for m in range(ALPHAS.size):
            mu = cv.out_of_fold_path[test, m]
            if metric == "auc":
                by_hand = roc_auc_score(y[test], mu, sample_weight=weight[test])
            else:
                by_hand = np.average((mu > 0.5) != y[test], weights=weight[test])
            assert cv.scores.by_fold[k, m] == pytest.approx(by_hand)


@everywhere
def test_min_and_1se_are_what_their_definitions_say(family):
    y, X, rows = draw(family)
    cv = pg.PenalizedGLM(y, X, family, **rows).fit_cv(5, n_alphas=40)
    best = int(np.argmin(cv.mean_score))
    near = cv.mean_score <= cv.mean_score[best] + cv.std_score[best]
    assert cv.alpha_min == cv.alphas[best]
    assert cv.alpha_1se == cv.alphas[near].max()
    assert cv.alpha_1se > cv.alpha_min


@pytest.mark.parametrize("select", ["min", "1se"])
def test_best_is_the_fit_to_all_rows_at_the_chosen_strength(select):
    y, X, rows = draw("poisson")
    model = pg.PenalizedGLM(y, X, "poisson", **rows)
    cv = model.fit_cv(5, n_alphas=20, select=select, tol=TOL)
    chosen = cv.alpha_min if select == "min" else cv.alpha_1se
    assert cv.alpha_best == cv.best.alpha == chosen
    assert_allclose(cv.best.params, model.fit(chosen, tol=TOL).params, atol=AGREE)
    assert cv.best.chosen_by == f"5-fold CV ({select})"
    offset = rows["offset"]
    assert_allclose(cv.predict(X, offset=offset), cv.best.fittedvalues, rtol=AGREE)


@everywhere
def test_answer_does_not_depend_on_threads(family):
    y, X, rows = draw(family)
    model = pg.PenalizedGLM(y, X, family, **rows)
    one, two = model.fit_cv(5, n_jobs=1), model.fit_cv(5, n_jobs=2)
    assert_array_equal(one.mean_score, two.mean_score)
    assert_array_equal(one.std_score, two.std_score)
    assert_array_equal(one.out_of_fold, two.out_of_fold)


def test_seed_decides_the_folds_and_nothing_else_does():
    y, X, _ = draw("gaussian")
    model = pg.PenalizedGLM(y, X)
    first, again, other = (model.fit_cv(5, n_alphas=5, seed=s) for s in (1, 1, 2))
    assert_array_equal(first.fold, again.fold)
    assert_array_equal(first.mean_score, again.mean_score)
    assert not np.array_equal(first.fold, other.fold)


@pytest.mark.parametrize("k", [2, 5, 7])
def test_number_of_folds_deals_rows_evenly(k):
    y, X, _ = draw("gaussian")
    size = np.bincount(pg.PenalizedGLM(y, X).fit_cv(k, n_alphas=2).fold)
    assert size.size == k
    assert size.max() - size.min() <= 1


def test_classes_are_spread_evenly_over_folds():
    y, X, _ = draw("binomial")
    y = np.zeros(N)
    y[:13] = 1.0
    fold = pg.PenalizedGLM(y, X, "binomial").fit_cv(5, n_alphas=2).fold
    for value in (0.0, 1.0):
        size = np.bincount(fold[y == value], minlength=5)
        assert size.max() - size.min() <= 1


def test_rows_of_a_group_stay_together():
    y, X, _ = draw("gaussian")
    groups = np.random.default_rng(1).integers(0, 17, N)
    fold = pg.PenalizedGLM(y, X).fit_cv(4, n_alphas=2, groups=groups).fold
    assert all(np.unique(fold[groups == g]).size == 1 for g in np.unique(groups))
    assert np.unique(fold).size == 4


def test_labels_of_any_kind_name_the_folds():
    y, X, _ = draw("gaussian")
    fold = labels()
    words = np.array(["a", "b", "c", "d"])[fold]
    model = pg.PenalizedGLM(y, X)
    for given in (words, 10 * fold - 7, fold / 2, words.tolist()):
        assert_array_equal(model.fit_cv(given, n_alphas=2).fold, fold)


@pytest.mark.parametrize(
    "splitter",
    [KFold(4, shuffle=True, random_state=0), StratifiedKFold(4), GroupKFold(4)],
    ids=lambda splitter: type(splitter).__name__,
)
def test_splitter_of_scikit_learn_is_followed(splitter):
    y, X, _ = draw("binomial")
    by_group = isinstance(splitter, GroupKFold)
    groups = np.random.default_rng(2).integers(0, 12, N) if by_group else None
    model = pg.PenalizedGLM(y, X, "binomial")
    cv = model.fit_cv(splitter, alphas=ALPHAS, groups=groups)
    for k, (_, test) in enumerate(splitter.split(X, y, groups)):
        assert_array_equal(np.flatnonzero(cv.fold == k), test)


@everywhere
def test_rows_of_weight_zero_are_in_no_fold(family):
    y, X, rows = draw(family)
    rows["var_weights"][[3, 40]] = 0.0
    used = rows["var_weights"] > 0
    fold = labels()
    cv = pg.PenalizedGLM(y, X, family, **rows).fit_cv(fold, alphas=ALPHAS)
    kept = {key: value[used] for key, value in rows.items()}
    clean = pg.PenalizedGLM(y[used], X[used], family, **kept)
    without = clean.fit_cv(fold[used], alphas=ALPHAS)
    assert_array_equal(np.flatnonzero(cv.fold < 0), [3, 40])
    assert_array_equal(cv.mean_score, without.mean_score)


def test_out_of_fold_has_one_value_per_row_of_the_model():
    y, X, rows = draw("gaussian")
    rows["var_weights"][[3, 40]] = 0.0
    cv = pg.PenalizedGLM(y, X, **rows).fit_cv(5, alphas=ALPHAS)
    assert cv.out_of_fold.shape == (N,)


def test_best_of_several_mixes_is_kept():
    y, X, _ = draw("gaussian")
    model, mixes = pg.PenalizedGLM(y, X), (1.0, 0.5, 0.1)
    cv = model.fit_cv(labels(), l1_ratio=mixes, n_alphas=20)
    alone = {m: model.fit_cv(labels(), l1_ratio=m, n_alphas=20) for m in mixes}
    best = {m: found.mean_score.min() for m, found in alone.items()}
    assert cv.mean_score_by_l1_ratio == best
    assert cv.l1_ratio == min(best, key=best.get)
    assert_array_equal(cv.mean_score, alone[cv.l1_ratio].mean_score)


def test_strengths_in_any_order_are_scored_strongest_first():
    y, X, _ = draw("gaussian")
    model = pg.PenalizedGLM(y, X)
    shuffled = model.fit_cv(labels(), alphas=ALPHAS[[2, 0, 3, 1]])
    ordered = model.fit_cv(labels(), alphas=ALPHAS)
    assert_array_equal(shuffled.alphas, ALPHAS)
    assert_array_equal(shuffled.mean_score, ordered.mean_score)


Y, X, _ = draw("gaussian")
REFUSED = {
    "one fold": (
        {"folds": 1}, "folds = 1 but there are 90 rows; use a number from 2 to 90.",
    ),
    "too many folds": (
        {"folds": 91}, "folds = 91 but there are 90 rows; use a number from 2 to 90.",
    ),
    "too few groups": (
        {"folds": 4, "groups": np.arange(N) % 3},
        "folds = 4 but there are 3 groups; use a number from 2 to 3.",
    ),
    "one label": (
        {"folds": np.zeros(N)},
        "folds puts every row in one fold; at least 2 are needed.",
    ),
    "too few labels": (
        {"folds": np.arange(N - 1) % 3},
        "folds has shape (89,) but there are 90 rows.",
    ),
    "too many labels": (
        {"folds": np.arange(N + 1) % 3},
        "folds has shape (91,) but there are 90 rows.",
    ),
    "too many labels of groups": (
        {"groups": np.arange(N + 1) % 30},
        "groups has shape (91,) but there are 90 rows.",
    ),
    "missing group": (
        {"groups": pd.array([None, *range(1, N)], dtype="Int64")},
        "groups misses a value; every row needs one.",
    ),
    "splitter that overlaps": (
        {"folds": ShuffleSplit(9, test_size=0.5, random_state=0)},
        "the splitter tests some rows more than once; use one that tests each row "
        "exactly once, as KFold does.",
    ),
    "unknown metric": (
        {"metric": "r2"},
        "metric = 'r2'; use one of 'deviance', 'mse', 'mae', 'class', 'auc'.",
    ),
    "metric of another family": (
        {"metric": "auc"}, "metric = 'auc' is for the binomial family, not 'gaussian'.",
    ),
    "unknown choice": ({"select": "best"}, "select = 'best'; use one of '1se', 'min'."),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_cross_validated_is_refused(name):
    options, text = REFUSED[name]
    with pytest.raises(PenglmInputError, match=f"^{re.escape(text)}$") as caught:
        pg.PenalizedGLM(Y, X).fit_cv(**options)
    assert caught.value.argument in options


@pytest.mark.filterwarnings("ignore::penglm.exceptions.DroppedRowsWarning")
@pytest.mark.parametrize("argument", ["folds", "groups"])
def test_labels_of_rows_that_are_left_out_may_be_missing(argument):
    gone, idle = [4, N - 1], [0, 1]
    holes, weight = (
        np.where(np.isin(np.arange(N), gone)[:, None], np.nan, X),
        np.ones(N),
    )
    weight[idle] = 0.0
    labels = np.arange(N) // 10.0
    labels[[*gone, *idle]] = np.nan
    given = {"folds": 3, argument: labels}
    model = pg.PenalizedGLM(Y, holes, var_weights=weight, missing="drop")
    found = model.fit_cv(**given, n_alphas=3)
    kept = np.setdiff1d(np.arange(N), [*gone, *idle])
    given[argument] = labels[kept]
    clean = pg.PenalizedGLM(Y[kept], X[kept]).fit_cv(**given, n_alphas=3)
    assert_array_equal(found.fold[found.fold >= 0], clean.fold)
    with pytest.raises(PenglmInputError, match="there are 90 rows, 88 of them used"):
        model.fit_cv(**{argument: np.zeros(N - 1)})


def test_class_of_one_row_cannot_be_spread():
    y = np.zeros(N)
    y[5] = 1.0
    text = (
        "class '1' has 1 row but folds=5 needs at least 5; collect more rows, or pass "
        "folds of your own."
    )
    with pytest.raises(PenglmInputError, match=f"^{re.escape(text)}$"):
        pg.PenalizedGLM(y, X, "binomial").fit_cv(5)


def test_class_with_fewer_rows_than_folds_is_refused_by_its_name():
    y = np.full(N, "a")
    y[[5, 6]] = "b"
    model = pg.PenalizedGLM(y, X, "binomial")
    text = (
        "class 'b' has 2 rows but folds=5 needs at least 5; use folds=2 or fewer, or "
        "pass folds of your own."
    )
    with pytest.raises(PenglmInputError, match=f"^{re.escape(text)}$"):
        model.fit_cv(5)
    assert np.isfinite(model.fit_cv(2, alphas=[0.1]).mean_score).all()
    own = np.arange(N) % 5
    assert np.isfinite(model.fit_cv(own, alphas=[0.1]).mean_score).all()


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_fold_whose_training_rows_have_no_finite_intercept_is_refused(family):
    y = np.zeros(N)
    y[:4] = 1.0
    fold = (np.arange(N) >= 4).astype(int)
    with pytest.raises(PenglmInputError) as caught:
        pg.PenalizedGLM(y, X, family).fit_cv(fold, alphas=[0.1])
    assert caught.value.argument == "folds"
