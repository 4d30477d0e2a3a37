"""Arguments of fit_cv and friends reached NumPy's and Python's own error messages."""

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import KFold

import penglm as pg
from penglm.exceptions import FormulaError, PenglmInputError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3))
Y = X[:, 0] + RNG.normal(size=60)
MODEL = pg.PenalizedGLM(Y, X)
PAIRS = np.arange(60) // 2
REFUSED = {
    "n_jobs": {"n_jobs": 0},
    "seed": {"seed": -1},
    "l1_ratio": {"l1_ratio": []},
    "folds": {"folds": "loo"},
    "groups": {"groups": [None] * 60},
    "n_alphas": {"n_alphas": 2.5},
    "alpha_min_ratio": {"alpha_min_ratio": "a"},
}


@pytest.mark.parametrize("argument", REFUSED)
def test_argument_that_cannot_be_used_is_named(argument):
    with pytest.raises(PenglmInputError) as caught:
        MODEL.fit_cv(**({"folds": 3} | REFUSED[argument]))
    assert caught.value.argument == argument


def test_folds_that_split_a_group_are_refused():
    with pytest.raises(PenglmInputError, match="splits the group of row 0"):
        MODEL.fit_cv(np.arange(60) % 3, groups=PAIRS)
    whole = MODEL.fit_cv(PAIRS % 3, groups=PAIRS)
    assert whole.fold.tolist() == (PAIRS % 3).tolist()


def test_list_of_splits_is_taken_as_the_splitter_that_made_it():
    splitter = KFold(3, shuffle=True, random_state=0)
    listed = MODEL.fit_cv(list(splitter.split(X)))
    assert listed.fold.tolist() == MODEL.fit_cv(splitter).fold.tolist()


def test_minus_one_job_is_one_a_core_and_changes_nothing():
    one, all_cores = MODEL.fit_cv(3), MODEL.fit_cv(3, n_jobs=-1)
    np.testing.assert_array_equal(one.mean_score, all_cores.mean_score)


def test_part_of_a_path_is_a_path():
    path = MODEL.fit_path(n_alphas=10)
    np.testing.assert_array_equal(path[2:4].alphas, path.alphas[2:4])
    assert path[2:4][0].alpha == path.alphas[2]


def test_contrast_that_is_none_is_an_error_of_the_formula():
    table = pd.DataFrame({"y": Y, "g": np.arange(60) % 3})
    with pytest.raises(FormulaError, match="contrast that cannot be used"):
        pg.glm("y ~ C(g, 'x')", table)


def test_exposure_of_new_rows_may_be_a_column():
    table = pd.DataFrame({"y": np.arange(60) % 3, "x": X[:, 0], "t": 1.0 + PAIRS})
    fit = pg.glm("y ~ x", table, "poisson", exposure=table.t.to_numpy()).fit(0.1)
    by_name, by_array = (fit.predict(table, exposure=t) for t in ("t", table.t))
    np.testing.assert_array_equal(by_name, by_array)
    with pytest.raises(PenglmInputError, match="exposure names 'u'"):
        fit.predict(table, exposure="u")
