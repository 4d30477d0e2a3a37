"""scikit-learn's door: its own checks, and the answers of ``PenalizedGLM``."""

import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Lasso, LogisticRegression, PoissonRegressor
from sklearn.model_selection import GridSearchCV, KFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import penglm as pg
from penglm.exceptions import PenglmInputError

N, P = 200, 6
# Both sides converge to tolerances of their own.
PEER = 1e-4


def counts(seed=0):
    """Return columns, counts, exposures and weights."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N, P))
    years = rng.uniform(0.2, 3.0, N)
    y = rng.poisson(years * np.exp(0.6 * X[:, 0] - 0.4 * X[:, 1])).astype(float)
    return X, y, years, rng.uniform(0.5, 2.0, N)


@parametrize_with_checks(
    [
        pg.PenalizedGLMRegressor(),
        pg.PenalizedGLMRegressor("poisson", alpha=0.01),
        pg.PenalizedGLMRegressor("gamma", link="log", alpha=0.01),
        pg.PenalizedGLMRegressor("tweedie", alpha=0.01),
        pg.PenalizedGLMRegressorCV(n_alphas=10),
        pg.PenalizedLogisticClassifier(),
        pg.PenalizedLogisticClassifier("cloglog"),
        pg.PenalizedLogisticClassifierCV(n_alphas=10),
    ]
)
def test_every_check_of_scikit_learn_passes(estimator, check):
    check(estimator)


@pytest.mark.parametrize("family", ["gaussian", "poisson"])
@pytest.mark.parametrize("standardize", [True, False])
def test_regressor_is_the_model(family, standardize):
    X, y, years, weight = counts()
    offset = np.log(years) if family == "poisson" else None
    options = {"standardize": standardize, "penalty_factor": np.arange(P) / 3.0}
    found = pg.PenalizedGLMRegressor(family, alpha=0.05, l1_ratio=0.7, **options)
    found.fit(X, y, sample_weight=weight, offset=offset)
    model = pg.PenalizedGLM(y, X, family, var_weights=weight, offset=offset, **options)
    expected = model.fit(0.05, 0.7)
    assert_array_equal(found.coef_, expected.coef)
    assert found.intercept_ == expected.intercept
    assert_allclose(found.predict(X, offset=offset), expected.fittedvalues, rtol=1e-12)
    score = found.score(X, y, sample_weight=weight, offset=offset)
    assert score == pytest.approx(expected.deviance_ratio, rel=1e-9)


def test_lasso_poisson_and_logistic_regression_of_scikit_learn_agree():
    X, y, _, _ = counts()
    plain = {"standardize": False, "tol": 1e-9}
    lasso = pg.PenalizedGLMRegressor(alpha=0.1, **plain).fit(X, y)
    assert_allclose(lasso.coef_, Lasso(0.1, tol=1e-10).fit(X, y).coef_, atol=PEER)
    ridge = pg.PenalizedGLMRegressor("poisson", alpha=0.2, l1_ratio=0.0, **plain)
    peer = PoissonRegressor(alpha=0.2, tol=1e-10, max_iter=1000).fit(X, y)
    assert_allclose(ridge.fit(X, y).coef_, peer.coef_, atol=PEER)
    assert ridge.score(X, y) == pytest.approx(peer.score(X, y), rel=PEER)
    label = np.where(y > 1.0, "many", "few")
    mine = pg.PenalizedLogisticClassifier(alpha=0.05, **plain).fit(X, label)
    other = LogisticRegression(
        C=1.0 / (0.05 * N), l1_ratio=1.0, solver="saga", tol=1e-9, max_iter=100_000
    ).fit(X, label)
    assert_allclose(mine.coef_, other.coef_[0], atol=PEER)
    assert_allclose(mine.predict_proba(X), other.predict_proba(X), atol=PEER)
    assert_array_equal(mine.classes_, ["few", "many"])
    assert_array_equal(mine.predict(X), other.predict(X))


def test_cross_validated_regressor_is_fit_cv():
    X, y, _, _ = counts()
    found = pg.PenalizedGLMRegressorCV(
        "poisson", cv=4, l1_ratio=[0.5, 1.0], select="min", n_alphas=20, random_state=3
    ).fit(X, y)
    expected = pg.PenalizedGLM(y, X, "poisson").fit_cv(
        4, l1_ratio=[0.5, 1.0], select="min", n_alphas=20, seed=3, progress=False
    )
    assert (found.alpha_, found.l1_ratio_) == (expected.best.alpha, expected.l1_ratio)
    assert_array_equal(found.coef_, expected.best.coef)
    assert_array_equal(found.mean_score_, expected.mean_score)


def test_folds_are_given_in_every_way_of_scikit_learn():
    X, y, _, _ = counts()
    ways = [None, KFold(3), list(KFold(3).split(X)), KFold(3).split(X)]
    found = [
        pg.PenalizedGLMRegressorCV("poisson", cv=cv, n_alphas=5).fit(X, y).path_.fold
        for cv in ways
    ]
    assert found[0].max() == 4
    for fold in found[2:]:
        assert_array_equal(fold, found[1])


def test_family_that_is_not_known_is_refused_by_fit_and_shown_before():
    model = pg.PenalizedGLMRegressor("posson")
    assert "posson" in model._repr_html_()
    with pytest.raises(PenglmInputError, match="family = 'posson' is not known"):
        model.fit(np.eye(3), np.ones(3))


def test_classifier_deals_the_folds_of_fit_cv_and_bears_a_class_of_few_rows():
    X, _, _, _ = counts()
    y = np.array(["no", "yes"])[(X[:, 0] > 0).astype(int)]
    found = pg.PenalizedLogisticClassifierCV(cv=4, n_alphas=10, random_state=3)
    expected = pg.PenalizedGLM(y, X, "binomial").fit_cv(
        4, n_alphas=10, seed=3, progress=False
    )
    assert_array_equal(found.fit(X, y).path_.fold, expected.fold)
    y = np.where(np.arange(y.size) < 3, "yes", "no")
    assert np.isfinite(found.fit(X, y).mean_score_).all()


@pytest.mark.parametrize("layout", [sparse.csr_matrix, sparse.csc_array])
def test_sparse_columns_give_what_dense_ones_give(layout):
    X, y, _, _ = counts()
    X = np.where(np.abs(X) > 1.0, X, 0.0)
    dense = pg.PenalizedGLMRegressor("poisson", alpha=0.05).fit(X, y)
    thin = pg.PenalizedGLMRegressor("poisson", alpha=0.05).fit(layout(X), y)
    assert_allclose(thin.coef_, dense.coef_, atol=1e-6)
    assert_allclose(thin.predict(layout(X)), dense.predict(X), rtol=1e-5)


def test_names_of_columns_reach_the_results_and_the_penalty():
    X, y, _, _ = counts()
    table = pd.DataFrame(X, columns=list("abcdef"))
    model = pg.PenalizedGLMRegressor("poisson", alpha=0.3, penalty_factor={"f": 0.0})
    model.fit(table, y)
    assert_array_equal(model.feature_names_in_, list("abcdef"))
    assert list(model.results_.params.index) == ["Intercept", *"abcdef"]
    assert model.coef_[5] != 0.0
    assert "Poisson" in str(model.results_.summary()).title()
    thin = clone(model).fit(table.astype(pd.SparseDtype(float, 0.0)), y)
    assert list(thin.results_.params.index) == ["Intercept", *"abcdef"]
    assert_allclose(thin.coef_, model.coef_, atol=1e-6)


@pytest.mark.filterwarnings("error")
def test_weights_and_offsets_are_sliced_by_cross_validate_and_grid_search():
    X, y, years, weight = counts()
    given = {"sample_weight": weight, "offset": np.log(years)}
    with sklearn.config_context(enable_metadata_routing=True):
        model = pg.PenalizedGLMRegressor("poisson", alpha=0.05)
        model.set_fit_request(sample_weight=True, offset=True)
        model.set_score_request(sample_weight=True, offset=True)
        rows = np.arange(N) % 4
        folds = [(np.flatnonzero(rows != k), np.flatnonzero(rows == k))
                 for k in range(4)]  # fmt: skip
        found = cross_validate(model, X, y, cv=folds, params=given)["test_score"]
        for (train, test), score in zip(folds, found, strict=True):
            alone = clone(model).fit(
                X[train], y[train], weight[train], given["offset"][train]
            )
            expected = alone.score(X[test], y[test], weight[test],
                                   given["offset"][test])  # fmt: skip
            assert score == expected
        search = GridSearchCV(model, {"alpha": [0.01, 0.1, 0.4]}, cv=folds)
        search.fit(X, y, **given)
        assert search.best_params_["alpha"] == 0.01
        assert search.best_estimator_.has_offset_


def test_offsets_go_by_position_whatever_labels_a_table_was_cut_with():
    X, y, years, _ = counts()
    rows = np.random.default_rng(1).permutation(N)[: N // 2]
    table, offset = pd.DataFrame(X, columns=list("abcdef")), pd.Series(np.log(years))
    found = pg.PenalizedGLMRegressor("poisson", alpha=0.05)
    part, shift = table.iloc[rows], offset.iloc[rows]
    bare = part.reset_index(drop=True), shift.to_numpy()
    expected = clone(found).fit(bare[0], y[rows], offset=bare[1])
    found.fit(part, pd.Series(y).iloc[rows], offset=shift)
    assert_array_equal(found.coef_, expected.coef_)
    mu = found.predict(part, offset=shift)
    assert_array_equal(mu, expected.predict(bare[0], offset=bare[1]))
    with sklearn.config_context(enable_metadata_routing=True):
        found.set_fit_request(offset=True).set_score_request(offset=True)
        for columns in (X, table):
            scores = cross_validate(
                found, columns, y, cv=KFold(4, shuffle=True, random_state=0),
                params={"offset": offset}, error_score="raise",
            )["test_score"]  # fmt: skip
            assert scores.min() > 0.0


@pytest.mark.parametrize(
    "model",
    [pg.PenalizedLogisticClassifier(), pg.PenalizedLogisticClassifierCV(n_alphas=5)],
    ids=["one strength", "cross-validated"],
)
def test_classifier_is_scored_with_weights_and_offsets(model):
    X, y, years, weight = counts()
    given = {"sample_weight": weight, "offset": np.log(years)}
    with sklearn.config_context(enable_metadata_routing=True):
        model.set_fit_request(sample_weight=True, offset=True)
        model.set_score_request(sample_weight=True, offset=True)
        [score] = cross_validate(
            model, X, y > 0, cv=[(np.arange(150), np.arange(150, N))], params=given
        )["test_score"]  # fmt: skip
        model.fit(X[:150], y[:150] > 0, weight[:150], given["offset"][:150])
        right = model.predict(X[150:], offset=given["offset"][150:]) == (y[150:] > 0)
    assert score == pytest.approx(np.average(right, weights=weight[150:]), rel=1e-12)


@pytest.mark.parametrize("link", ["logit", "cloglog", "logc"])
def test_decision_is_positive_for_the_second_class_also_of_links_that_fall(link):
    X, y, _, _ = counts()
    model = pg.PenalizedLogisticClassifier(link, alpha=0.05).fit(X, y > 0)
    event = model.predict_proba(X)[:, 1]
    assert event.min() < 0.5 < event.max()
    assert_array_equal(model.decision_function(X) > 0.0, model.predict(X))


@pytest.mark.parametrize(("family", "end"), [("poisson", 0), ("binomial", 1)])
@pytest.mark.parametrize("offset", [None, np.linspace(-1.0, 1.0, N)])
def test_rows_that_all_say_the_same_have_no_deviance_to_explain(family, end, offset):
    X, y, _, _ = counts()
    y = y > 0 if family == "binomial" else y
    model = pg.PenalizedGLMRegressor(family, alpha=0.05).fit(X, y, offset=offset)
    for part in (slice(0, 1), slice(0, 9)):
        shift = None if offset is None else offset[part]
        rows = np.full(len(y[part]), end)
        assert model.score(X[part], rows, offset=shift) == 0.0


def test_responses_and_rows_that_differ_in_number_are_not_scored():
    X, y, _, _ = counts()
    with pytest.raises(ValueError, match=r"inconsistent numbers of samples: \[50, 200"):
        pg.PenalizedGLMRegressor("poisson").fit(X, y).score(X, y[:50])


def test_pipelines_and_column_transformers_hold_it():
    X, y, _, _ = counts()
    table = pd.DataFrame(X, columns=list("abcdef"))
    table["kind"] = np.where(X[:, 0] > 0.0, "up", "down")
    columns = ColumnTransformer(
        [("number", StandardScaler(), list("abcdef")), ("level", OneHotEncoder(),
                                                        ["kind"])]
    )  # fmt: skip
    columns.set_output(transform="default")
    both = make_pipeline(columns, pg.PenalizedGLMRegressor("poisson", alpha=0.05))
    assert 0.1 < both.fit(table, y).score(table, y) < 1.0


def mixed():
    """Return numbers and a column of text, and what makes columns of both."""
    X, y, years, weight = counts()
    table = pd.DataFrame(X, columns=list("abcdef"))
    table["kind"] = np.where(X[:, 2] > 0.0, "up", "down")
    columns = ColumnTransformer(
        [
            ("number", StandardScaler(), list("abcdef")),
            ("level", OneHotEncoder(sparse_output=False), ["kind"]),
        ],
        verbose_feature_names_out=False,
    )
    return table, y, years, weight, columns


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_names_that_a_transformer_sets_reach_the_penalty_and_the_results(library):
    table, y, _, _, columns = mixed()
    columns.set_output(transform=library)
    model = pg.PenalizedGLMRegressor(
        "poisson", alpha=0.3, penalty_factor={"kind_up": 0.0}
    )
    made = make_pipeline(columns, model).fit(table, y)[-1]
    names = [*"abcdef", "kind_down", "kind_up"]
    assert list(made.feature_names_in_) == names
    assert list(made.results_.params.index) == ["Intercept", *names]
    assert made.coef_[-1] != 0.0


def test_weights_and_offsets_reach_the_end_of_a_pipeline_in_a_search():
    table, y, years, weight, columns = mixed()
    given = {"sample_weight": weight, "offset": np.log(years)}
    with sklearn.config_context(enable_metadata_routing=True):
        model = pg.PenalizedGLMRegressor("poisson")
        model.set_fit_request(sample_weight=True, offset=True)
        model.set_score_request(sample_weight=True, offset=True)
        columns.transformers[0][1].set_fit_request(sample_weight=False)
        both = make_pipeline(columns, model)
        search = GridSearchCV(both, {"penalizedglmregressor__alpha": [0.02, 0.3]}, cv=3)
        best = search.fit(table, y, **given).best_estimator_
        score = search.score(table, y, **given)
    made = best[:-1].transform(table)
    alone = clone(best[-1]).fit(made, y, weight, given["offset"])
    assert_array_equal(best[-1].coef_, alone.coef_)
    assert score == alone.score(made, y, weight, given["offset"])


@pytest.mark.parametrize(
    "model",
    [pg.PenalizedGLMRegressor("poisson"), pg.PenalizedLogisticClassifierCV(n_alphas=5)],
    ids=["regressor", "classifier"],
)
def test_a_pickled_estimator_predicts_the_same(model):
    X, y, _, _ = counts()
    y = y if isinstance(model, pg.PenalizedGLMRegressor) else y > 1.0
    model = clone(model).fit(X, y)
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(again.predict(X), model.predict(X))
    assert again.results_.certificate == model.results_.certificate


def test_an_offset_is_needed_where_there_was_one():
    X, y, years, _ = counts()
    offset = np.log(years)
    model = pg.PenalizedGLMRegressor("poisson").fit(X, y, offset=offset)
    with pytest.raises(PenglmInputError, match="pass offset= to both") as caught:
        model.predict(X)
    assert caught.value.argument == "offset"
    for act in (lambda part: model.predict(X, offset=part),
                lambda part: clone(model).fit(X, y, offset=part)):  # fmt: skip
        with pytest.raises(PenglmInputError, match="length 3 but X has 200 rows"):
            act(offset[:3])
        gap = np.where(np.arange(N) == 7, np.nan, offset)
        with pytest.raises(PenglmInputError, match=r"NaN .* 1 rows \(first: row 7\)"):
            act(gap)
    without = pg.PenalizedGLMRegressor("poisson").fit(X, y)
    with pytest.raises(PenglmInputError, match="pass offset= to both"):
        without.predict(X, offset=offset)


@pytest.mark.parametrize("argument", ["X", "y", "sample_weight"])
def test_what_a_mask_hides_is_refused_as_missing(argument):
    X, y, _, weight = counts()
    given = {"X": np.asarray(X), "y": y, "sample_weight": weight}
    mask = np.zeros(given[argument].shape, dtype=bool)
    mask[3] = True
    given[argument] = np.ma.masked_array(given[argument], mask)
    with pytest.raises(ValueError, match="contains NaN"):
        pg.PenalizedGLMRegressor("poisson").fit(**given)


def test_nothing_is_predicted_before_fitting():
    with pytest.raises(NotFittedError):
        pg.PenalizedGLMRegressor().predict(np.zeros((2, 2)))


def test_three_classes_and_one_are_refused():
    X, y, _, weight = counts()
    with pytest.raises(ValueError, match="Only binary classification is supported"):
        pg.PenalizedLogisticClassifier().fit(X, np.arange(N) % 3)
    with pytest.raises(ValueError, match="one class only"):
        pg.PenalizedLogisticClassifier().fit(X, y > 1, np.where(y > 1, weight, 0.0))


def test_penglm_itself_does_not_load_scikit_learn():
    code = (
        "import penglm as pg, numpy as np, sys; X = np.eye(5)[:, :2];"
        "pg.PenalizedGLM(np.arange(5.0), X).fit(0.1);"
        "sys.exit('sklearn' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
