"""What is refused and in which words, what is solved all the same, and no data touched.

The rows of the policy on bad input that concern arrays, in its order.
"""

import copy
import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

import penglm as pg
from penglm.exceptions import (
    DroppedRowsWarning,
    NoFiniteSolutionError,
    PenglmInputError,
    PenglmTypeError,
)

N = 30
RNG = np.random.default_rng(20261123)
X = RNG.normal(size=(N, 3))
Y = X[:, 0] + RNG.normal(size=N)
BINARY = (Y > 0).astype(float)
COUNTS = RNG.poisson(np.exp(0.3 * X[:, 0])).astype(float)
ONES = np.ones(N)
NAMES = ["age", "bmi", "dose"]
# A rescaled problem takes the same steps, rounded differently.
SAME_STEPS = 1e-8
IMPUTE = 'penglm does not impute. Drop or impute these rows, or pass missing="drop".'
FACTOR = (
    "penalty_factor[1] = {} is {} (column 'x2'); use 0 for unpenalised, inf for "
    "excluded."
)


def put(array, index, value):
    """Return a copy with one value replaced."""
    array = array.copy()
    array[index] = value
    return array


def exactly(text):
    """Return the pattern of a whole message."""
    return f"^{re.escape(text)}$"


def assert_untouched(given, before):
    """Compare arguments with what they were, bit by bit."""
    for name, value in given.items():
        if isinstance(value, pd.DataFrame):
            pd.testing.assert_frame_equal(value, before[name], check_exact=True)
        elif sparse.issparse(value):
            assert_array_equal(value.toarray(), before[name].toarray())
        elif isinstance(value, np.ndarray):
            assert_array_equal(value, before[name])


# name: arguments besides endog=Y and exog=X, text, name of the argument, position
REFUSED = {
    "NaN in exog": (
        {"exog": put(X, (7, 1), np.nan)},
        f"exog contains NaN in 1 rows (first: row 7, column 'x2'); {IMPUTE}",
        "exog", 7,
    ),
    "NaN in a named column": (
        {"exog": pd.DataFrame(put(X, ([7, 9], [0, 2]), np.nan), columns=NAMES)},
        f"exog contains NaN in 2 rows (first: row 7, column 'age'); {IMPUTE}",
        "exog", 7,
    ),
    "NA in a nullable column": (
        {"exog": pd.DataFrame({"age": pd.array([None, *X[1:, 0]], dtype="Float64")})},
        f"exog contains NaN in 1 rows (first: row 0, column 'age'); {IMPUTE}",
        "exog", 0,
    ),
    "infinity in exog": (
        {"exog": put(X, (7, 1), -np.inf)},
        f"exog contains infinity in 1 rows (first: row 7, column 'x2'); {IMPUTE}",
        "exog", 7,
    ),
    "NaN in a sparse exog": (
        {"exog": sparse.csr_array(put(X, (7, 1), np.nan))},
        f"exog contains NaN in 1 rows (first: row 7, column 'x2'); {IMPUTE}",
        "exog", 7,
    ),
    "NaN in endog": (
        {"endog": put(Y, 4, np.nan)},
        f"endog contains NaN in 1 rows (first: row 4); {IMPUTE}", "endog", 4,
    ),
    "NaN in offset": (
        {"offset": put(Y, 2, np.nan)},
        f"offset contains NaN in 1 rows (first: row 2); {IMPUTE}", "offset", 2,
    ),
    "NaN in weights": (
        {"var_weights": put(ONES, 2, np.nan)},
        "var_weights[2] = nan is not a number; weights must be finite and >= 0.",
        "var_weights", 2,
    ),
    "infinite weight": (
        {"freq_weights": put(ONES, 2, np.inf)},
        "freq_weights[2] = inf is infinite; weights must be finite and >= 0.",
        "freq_weights", 2,
    ),
    "length of endog": (
        {"endog": Y[:29]}, "endog has length 29 but exog has 30 rows.", "endog", None,
    ),
    "length of weights": (
        {"var_weights": ONES[:29]},
        "var_weights has length 29 but exog has 30 rows.", "var_weights", None,
    ),
    "one dimension": (
        {"exog": X[:, 0]},
        "exog has one dimension, 30 values; a design has rows and columns. Use "
        "exog[:, None] for a single column.",
        "exog", None,
    ),
    "no rows": (
        {"endog": Y[:0], "exog": X[:0]}, "exog has no rows; nothing to fit.",
        "exog", None,
    ),
    "negative weight": (
        {"var_weights": put(ONES, 2, -1.0)},
        "var_weights[2] = -1.0 is negative; weights must be finite and >= 0.",
        "var_weights", 2,
    ),
    "weights all zero": (
        {"freq_weights": 0 * ONES},
        "freq_weights is zero for every row; nothing to fit.", "freq_weights", None,
    ),
    "negative count": (
        {"endog": put(COUNTS, 3, -1), "family": "poisson"},
        "y[3] = -1 is not valid for family 'poisson' (needs y >= 0).", "y", 3,
    ),
    "proportion above one": (
        {"endog": put(BINARY, 3, 2), "family": "binomial"},
        "y[3] = 2 is not valid for family 'binomial' (needs 0 <= y <= 1).", "y", 3,
    ),
    "three labels": (
        {"endog": np.array(list("abc") * 10), "family": "binomial"},
        "endog has 3 classes (a, b, c); the binomial family needs two.", "endog", None,
    ),
    "negative number of successes": (
        {"endog": np.column_stack([put(COUNTS, 3, -1), ONES]), "family": "binomial"},
        "endog[3] = [-1.0, 1.0] has a negative count; give successes and failures, "
        "both >= 0.",
        "endog", 3,
    ),
    "exposure of zero": (
        {"endog": COUNTS, "family": "poisson", "exposure": put(ONES, 5, 0)},
        "exposure[5] = 0.0 is not positive; its logarithm is the offset. Leave rows "
        "without exposure out.",
        "exposure", 5,
    ),
    "exposure without a log link": (
        {"exposure": ONES},
        "exposure is for the log link, not 'identity'; pass offset on the scale of the "
        "linear predictor.",
        "exposure", None,
    ),
    "negative factor": (
        {"penalty_factor": [1, -1, 1]}, FACTOR.format(-1, "negative"),
        "penalty_factor", 1,
    ),
    "factor not a number": (
        {"penalty_factor": [1, np.nan, 1]}, FACTOR.format("nan", "not a number"),
        "penalty_factor", 1,
    ),
    "too few factors": (
        {"penalty_factor": [1, 1]},
        "penalty_factor has length 2 but there are 3 columns.", "penalty_factor", None,
    ),
    "factor of an unknown column": (
        {"penalty_factor": {"zz": 1}},
        "penalty_factor names 'zz', which is neither a column nor a term; known: x1, "
        "x2, x3.",
        "penalty_factor", None,
    ),
    "crossed limits": (
        {"lower": [0.5, 0, 0], "upper": [-0.5, 1, 1]},
        "lower[0]=0.5 exceeds upper[0]=-0.5 (column 'x1').", "lower", 0,
    ),
    "limit not a number": (
        {"lower": np.nan},
        "lower[0]=nan is not a number beside upper[0]=inf (column 'x1').", "lower", 0,
    ),
    "unknown word": (
        {"missing": "ignore"}, "missing = 'ignore'; use one of 'raise', 'drop'.",
        "missing", None,
    ),
    "names twice": (
        {"exog": pd.DataFrame(X, columns=["x", "x", "z"])},
        "the data has 2 columns named 'x'; rename them.", "x", None,
    ),
}  # fmt: skip

NO_NUMBERS = {
    "text in a column": (
        {"exog": pd.DataFrame({"c1": [1, 2, "oops"]}, dtype=object), "endog": Y[:3]},
        "column 'c1' has dtype Object with the text 'oops' in row 2; convert it to "
        "numbers or name it in a formula as C(c1).",
        "c1", 2,
    ),
    "text among objects": (
        {"exog": put(X.astype(object), (2, 1), "oops")},
        "exog has dtype object with the text 'oops' in row 2, column 1; convert it to "
        "numbers.",
        "exog", 2,
    ),
    "labels of a polars column": (
        {"exog": pl.DataFrame({"g": ["a", "b", "c"]}), "endog": Y[:3]},
        "column 'g' has dtype String with the text 'a' in row 0; convert it to numbers "
        "or name it in a formula as C(g).",
        "g", 0,
    ),
    "complex exog": (
        {"exog": X * 1j}, "exog is complex; use real numbers.", "exog", None,
    ),
    "complex endog": (
        {"endog": Y * 1j}, "endog is complex; use real numbers.", "endog", None,
    ),
    "complex sparse exog": (
        {"exog": sparse.csr_array(X * 1j)},
        "exog has dtype complex128; use real numbers.", "exog", None,
    ),
    "labels without classes": (
        {"endog": np.array(list("ab") * 15)},
        "endog has dtype <U1 with the text 'a' in row 0; convert it to numbers.",
        "endog", 0,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED | NO_NUMBERS)
def test_refusal_names_argument_place_and_way_out_and_touches_nothing(name):
    changes, text, argument, index = (REFUSED | NO_NUMBERS)[name]
    given = {"endog": Y, "exog": X} | changes
    before = copy.deepcopy(given)
    error = PenglmTypeError if name in NO_NUMBERS else PenglmInputError

    with pytest.raises(error, match=exactly(text)) as caught:
        pg.PenalizedGLM(**given)

    assert type(caught.value) is error
    assert (caught.value.argument, caught.value.index) == (argument, index)
    assert_untouched(given, before)


@pytest.mark.parametrize(("kind", "end"), [("NaN", np.nan), ("infinity", np.inf)])
def test_exposure_that_is_no_number_is_named_as_exposure(kind, end):
    with pytest.raises(PenglmInputError) as caught:
        pg.PenalizedGLM(COUNTS, X, "poisson", exposure=put(ONES, 2, end))
    assert (caught.value.argument, caught.value.index) == ("exposure", 2)


@pytest.mark.parametrize("exog", ["abc", 3.0, None, X[None]], ids=str)
def test_what_is_no_table_is_refused_by_name(exog):
    with pytest.raises(PenglmInputError, match=r"^exog ") as caught:
        pg.PenalizedGLM(Y, exog)
    assert caught.value.argument == "exog"


@pytest.mark.parametrize(
    ("family", "value", "name", "way"),
    [("poisson", 0, "Poisson", "-"), ("binomial", 0, "Binomial", "-"),
     ("binomial", 1, "Binomial", "+")],
)  # fmt: skip
def test_response_at_the_end_of_its_range_has_no_finite_intercept(
    family, value, name, way
):
    text = (
        f"y is {value} in all 30 rows: the {name} intercept has no finite "
        f"maximum-likelihood value (it tends to {way}inf). Collect rows with other "
        "values, or pass fit_intercept=False."
    )
    with pytest.raises(NoFiniteSolutionError, match=exactly(text)):
        pg.PenalizedGLM(value * ONES, X, family)
    # Rows of weight 0 are not there, whatever class they belong to.
    y, weights = put(value * ONES, 4, 1 - value), put(ONES, 4, 0.0)
    with pytest.raises(NoFiniteSolutionError, match=exactly(text.replace("30", "29"))):
        pg.PenalizedGLM(y, X, family, var_weights=weights)
    without = pg.PenalizedGLM(value * ONES, X, family, fit_intercept=False)
    assert without.fit(0.1).converged


FIT = pg.PenalizedGLM(Y, X).fit
PATH = pg.PenalizedGLM(Y, X).fit_path
ARGUMENTS = {
    "negative alpha": (lambda: FIT(-0.1), "alpha = -0.1; alpha must be >= 0."),
    "alpha not a number": (lambda: FIT(np.nan), "alpha = nan; alpha must be >= 0."),
    "l1_ratio above one": (
        lambda: FIT(0.1, 1.1),
        "l1_ratio = 1.1; l1_ratio must lie in [0, 1] (1 is the lasso, 0 is ridge).",
    ),
    "negative alphas": (lambda: PATH([0.1, -1]), "alphas = -1.0; alphas must be >= 0."),
    "no alphas": (lambda: PATH([]), "alphas must be finite numbers, at least one."),
    "no n_alphas": (
        lambda: PATH(n_alphas=0),
        "n_alphas = 0; n_alphas must be a whole number, at least 1.",
    ),
    "alpha_min_ratio of zero": (
        lambda: PATH(alpha_min_ratio=0), "alpha_min_ratio = 0; it must lie in (0, 1].",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ARGUMENTS)
def test_strengths_out_of_range_are_refused(name):
    call, text = ARGUMENTS[name]
    with pytest.raises(PenglmInputError, match=exactly(text)) as caught:
        call()
    assert text.startswith(caught.value.argument)


UNUSABLE = {
    "text as alpha": (lambda: FIT("a"), "alpha"),
    "nothing as alpha": (lambda: FIT(None), "alpha"),
    "text as l1_ratio": (lambda: FIT(0.1, "a"), "l1_ratio"),
    "negative tol": (lambda: FIT(0.1, tol=-1.0), "tol"),
    "tol not a number": (lambda: FIT(0.1, tol=np.nan), "tol"),
    "no iterations": (lambda: FIT(0.1, max_iter=0), "max_iter"),
    "text as factor": (
        lambda: pg.PenalizedGLM(Y, X, penalty_factor="a"), "penalty_factor",
    ),
    "start from other columns": (
        lambda: FIT(0.1, start=pg.PenalizedGLM(Y, X[:, :2]).fit(0.1)), "start",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", UNUSABLE)
def test_arguments_that_cannot_be_used_are_refused_by_name(name):
    call, argument = UNUSABLE[name]
    with pytest.raises(PenglmInputError) as caught:
        call()
    assert caught.value.argument == argument


def test_infinite_alpha_fits_only_free_columns():
    model = pg.PenalizedGLM(Y, X, penalty_factor=[0, 1, 1])
    fit = model.fit(np.inf)
    alone = pg.PenalizedGLM(Y, X[:, :1]).fit(0.0)
    assert_allclose(fit.params.iloc[:2], alone.params, rtol=SAME_STEPS)
    assert not fit.coef[1:].any()
    assert fit.converged
    assert fit.alpha == np.inf


def test_infinite_alpha_of_a_path_is_the_null_model():
    fit = PATH([0.1]).at(np.inf)
    assert not fit.support.size
    assert fit.alpha == np.inf


@pytest.mark.parametrize("family", ["gaussian", "binomial", "poisson"])
def test_contents_of_a_row_of_weight_zero_do_not_matter(family):
    y = {"gaussian": Y, "binomial": BINARY, "poisson": COUNTS}[family]
    weights = put(ONES, [5, 9, 11, 12], 0.0)
    spoiled, table = put(y, [5, 11], [np.nan, -3.0]), put(X, (9, 2), np.inf)
    table[12] = 1e12
    model = pg.PenalizedGLM(spoiled, table, family, var_weights=weights)
    clean = pg.PenalizedGLM(y[weights > 0], X[weights > 0], family)
    assert_array_equal(model.fit(0.05).params, clean.fit(0.05).params)


def test_dropping_missing_rows_drops_them_everywhere_and_says_how_many():
    offset, weights = put(Y / 9, 2, np.nan), put(ONES, 3, np.nan)
    y, table = put(Y, 4, np.nan), put(X, (7, 1), np.nan)
    text = "4 of 30 rows with missing values were dropped."
    with pytest.warns(DroppedRowsWarning, match=exactly(text)):
        model = pg.PenalizedGLM(
            y, table, offset=offset, var_weights=weights, missing="drop"
        )
    kept = np.setdiff1d(np.arange(N), [2, 3, 4, 7])
    clean = pg.PenalizedGLM(Y[kept], X[kept], offset=offset[kept])
    assert_array_equal(model.fit(0.1).params, clean.fit(0.1).params)


@pytest.mark.parametrize("family", ["gaussian", "binomial", "poisson"])
@pytest.mark.parametrize("kind", [np.array, pd.DataFrame, sparse.csc_matrix])
def test_good_fits_touch_nothing(family, kind):
    y = {"gaussian": Y, "binomial": BINARY, "poisson": COUNTS}[family]
    given = {
        "endog": y.copy(), "exog": kind(X), "offset": Y / 9, "penalty_factor": ONES[:3],
        "freq_weights": put(ONES, 3, 0.0), "lower": -ONES[:3], "upper": 2 * ONES[:3],
    }  # fmt: skip
    before = copy.deepcopy(given)
    model = pg.PenalizedGLM(family=family, **given)
    alphas = np.array([0.01, 0.1])

    cv = model.fit_cv(3, alphas=alphas)
    model.fit(0.0).predict(given["exog"], offset=given["offset"])

    assert cv.best.converged
    assert_array_equal(alphas, [0.01, 0.1])
    assert_untouched(given, before)
