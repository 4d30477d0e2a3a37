"""What is refused and in which words, what is solved all the same, and no data touched.

The policy on bad input, row by row. More on files is in ``test_writing_reading.py`` and
``test_store.py``, on formulas that nobody typed in ``formula/test_safety.py``.
"""

import copy
import errno
import os
import re
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

import penglm as pg
from penglm.cli import main
from penglm.exceptions import (
    ConvergenceError,
    ConvergenceWarning,
    DroppedRowsWarning,
    FormulaError,
    MissingPredictionWarning,
    NoFiniteSolutionError,
    PenglmInputError,
    PenglmTypeError,
    RankWarning,
    SeparationWarning,
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
    "weights without a sum": (
        {"var_weights": np.full(N, 1e307)},
        "var_weights adds up to inf, which is too large for double precision; only the "
        "ratios of weights matter: multiply them by a constant.",
        "var_weights", None,
    ),
    "weights without digits": (
        {"freq_weights": np.full(N, 5e-324)},
        "freq_weights adds up to 1.4822e-322, which is too small for double precision; "
        "only the ratios of weights matter: multiply them by a constant.",
        "freq_weights", None,
    ),
    "response without a square": (
        {"endog": put(Y, 4, -1e200)},
        "y[4] = -1e+200 is the largest in size, and too large to be squared in double "
        "precision; divide y by a constant.",
        "y", 4,
    ),
    "response without digits": (
        {"endog": put(0 * Y, 4, 1e-310)},
        "y[4] = 1e-310 is the largest in size, and too small in double precision; "
        "multiply y by a constant.",
        "y", 4,
    ),
    "offset without a square": (
        {"offset": put(Y, 4, 1e200)},
        "offset[4] = 1e+200 is the largest in size, and too large to be squared in "
        "double precision; divide offset by a constant.",
        "offset", 4,
    ),
    "column without a spread that can be told": (
        {"exog": pd.DataFrame({"a": X[:, 0], "b": np.resize([1.7e308, -1.7e308], N)})},
        "column 'b' is too large for double precision (mean 0, sd 1.7e+308); divide "
        "it by a constant.",
        "b", None,
    ),
    "column whose inverse is no number": (
        {"exog": pd.DataFrame({"a": X[:, 0], "b": np.resize([1e-310, -1e-310], N)})},
        "column 'b' is too small for double precision (mean 0, sd 1e-310); multiply it "
        "by a constant.",
        "b", None,
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
    "upper limit not a number": (
        {"upper": [np.nan, 1.0, 1.0]},
        "lower[0]=-inf leaves nothing below upper[0]=nan (column 'x1').", "upper", 0,
    ),
    "lower limit without end": (
        {"lower": np.inf},
        "lower[0]=inf leaves nothing below upper[0]=inf (column 'x1').", "lower", 0,
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
    "sparse endog": (
        {"endog": sparse.csr_array(Y[:, None])},
        "endog is a SciPy sparse matrix; pass endog.toarray().", "endog", None,
    ),
    "sparse endog of a binomial": (
        {"endog": sparse.csr_array(np.c_[COUNTS, ONES]), "family": "binomial"},
        "endog is a SciPy sparse matrix; pass endog.toarray().", "endog", None,
    ),
    "sparse weights": (
        {"var_weights": sparse.csr_array(ONES[:, None])},
        "var_weights is a SciPy sparse matrix; pass var_weights.toarray().",
        "var_weights", None,
    ),
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


# Rows that the family or the link cannot serve

OUTSIDE = {
    "Poisson with the identity link": (
        {"family": "poisson", "link": "identity", "offset": put(5 * ONES, 12, -4.0),
         "fit_intercept": False},
        "link 'identity' needs mu in (0, inf): coefficients of zero give no valid mean "
        "for row 12 (y = 1, offset = -4). Use another link, or an intercept.", 12,
    ),
    "Gamma with the inverse link": (
        {"endog": 2 * ONES, "family": "gamma", "link": "inverse",
         "offset": put(ONES, 7, 0.0), "fit_intercept": False},
        "link 'inverse' needs mu in (0, inf): coefficients of zero give no valid mean "
        "for row 7 (y = 2, offset = 0). Use another link, or an intercept.", 7,
    ),
    "offset without an exponential": (
        {"family": "poisson", "offset": put(0 * ONES, 3, 800.0),
         "fit_intercept": False},
        "link 'log' needs mu in (0, inf): coefficients of zero give no valid mean for "
        "row 3 (y = 1, offset = 800). Use another link, or an intercept.", 3,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OUTSIDE)
def test_link_without_a_mean_names_the_row(name):
    changes, text, index = OUTSIDE[name]
    given = {"endog": ONES.copy(), "exog": X} | changes
    # Rows of weight 0 are not counted out: the row is the caller's.
    weights = put(ONES, 0, 0.0)
    with pytest.raises(PenglmInputError, match=exactly(text)) as caught:
        pg.PenalizedGLM(**given, var_weights=weights).fit(0.1)
    assert (caught.value.argument, caught.value.index) == ("link", index)


def test_line_search_keeps_means_inside_the_domain():
    y = put(COUNTS, 0, 30.0)
    fit = pg.PenalizedGLM(y, X, "poisson", link="identity").fit(0.05)
    assert fit.converged
    assert (fit.fittedvalues > 0).all()


@pytest.mark.parametrize("offset", [1e5, -1e5])
def test_huge_offset_is_solved(offset):
    fit = pg.PenalizedGLM(COUNTS, X, "poisson", offset=np.full(N, offset)).fit(0.05)
    plain = pg.PenalizedGLM(COUNTS, X, "poisson").fit(0.05)
    assert fit.converged
    # eta of 1e5 has 11 digits behind the point.
    assert_allclose(fit.coef, plain.coef, rtol=1e-6, atol=1e-6)


def test_tiny_offset_is_an_offset_like_any_other():
    fit = pg.PenalizedGLM(Y, X, offset=np.full(N, 1e-300)).fit(0.05)
    assert_array_equal(fit.params, pg.PenalizedGLM(Y, X).fit(0.05).params)


def test_column_that_spans_1e_minus_200_to_1e200_is_solved():
    spread = X.copy()
    spread[:, 0] = np.where(np.arange(N) < 15, 1e-200, 1e200) * (1 + np.arange(N))
    assert pg.PenalizedGLM(Y, spread).fit(0.05).converged


# What is not unique, or not finite, or not reached


def test_rank_deficient_fit_without_penalty_is_of_least_norm_and_says_so():
    table = pd.DataFrame(np.column_stack([X, X[:, 0] - X[:, 1]]), columns=list("abcd"))
    text = (
        "design has rank 3 < 4 at alpha=0; minimum-norm solution returned. Dependent "
        "columns: d."
    )
    with pytest.warns(RankWarning, match=exactly(text)):
        fit = pg.PenalizedGLM(Y, table, standardize=False).fit(0.0)
    scaled = (table - table.mean()) / table.std(ddof=0)
    expected = np.linalg.lstsq(scaled.to_numpy(), Y - Y.mean(), rcond=1e-10)[0]
    assert fit.converged
    assert_allclose(fit.coef * table.std(ddof=0), expected, rtol=1e-9)


def separated():
    return pg.PenalizedGLM((X[:, 0] > 0).astype(float), X, "binomial")


def test_separation_is_told_with_its_direction():
    with pytest.warns(SeparationWarning, match=r"near 1\*x1.*Use alpha > 0"):
        fit = separated().fit(0.0)
    assert fit.status.value == "no_finite_solution"
    assert separated().fit(0.01).converged


def test_what_did_not_converge_warns_or_raises_as_asked():
    model = pg.PenalizedGLM(COUNTS, X, "poisson")
    text = r"^1 IRLS step left a KKT violation of .* Fit a path down to this alpha"
    with pytest.warns(ConvergenceWarning, match=text):
        fit = model.fit(0.001, max_iter=1)
    assert np.isfinite(fit.params).all()
    assert not fit.converged
    for call in (model.fit, lambda alpha, **how: model.fit_path([alpha], **how)):
        with pytest.raises(ConvergenceError, match="1 IRLS step left a KKT violation"):
            call(0.001, max_iter=1, on_nonconvergence="raise")
        assert call(0.001, on_nonconvergence="raise").converged
    with pytest.raises(NoFiniteSolutionError, match="rises without limit"):
        separated().fit(0.0, on_nonconvergence="raise")


def test_a_path_goes_on_raising_between_its_points():
    path = pg.PenalizedGLM(COUNTS, X, "poisson").fit_path(
        [5.0], max_iter=1, on_nonconvergence="raise"
    )
    with pytest.raises(ConvergenceError):
        path.at(0.001)


# Strengths, factors and limits


def test_automatic_ridge_path_begins_where_a_mix_of_one_thousandth_does():
    model = pg.PenalizedGLM(COUNTS, X, "poisson")
    path = model.fit_path(l1_ratio=0.0)
    assert path.alphas[0] == model.alpha_max(1e-3)
    assert path.path_info.endswith("starts where an l1_ratio of 0.001 would")
    assert "starts" not in model.fit_path().path_info
    assert repr(path).startswith(path.path_info + "\n")
    assert model.alpha_max(0.0) == model.alpha_max(1e-3)


def test_factors_are_never_rescaled():
    doubled = pg.PenalizedGLM(Y, X, penalty_factor=2.0 * ONES[:3]).fit(0.05)
    assert_allclose(
        doubled.params, pg.PenalizedGLM(Y, X).fit(0.1).params, rtol=SAME_STEPS
    )


def test_null_model_of_limits_that_exclude_zero_stands_at_the_nearest_ones():
    model = pg.PenalizedGLM(Y, X, lower=[0.5, -1, -2], upper=[1, -0.25, 2])
    assert_array_equal(model.fit(model.alpha_max()).coef, [0.5, -0.25, 0.0])
    fit = model.fit(0.5 * model.alpha_max())
    assert fit.converged
    assert (fit.coef != [0.5, -0.25, 0.0]).any()


# Names


def test_a_column_may_be_called_intercept():
    table = pd.DataFrame(X, columns=["Intercept", "b", "c"])
    fit = pg.PenalizedGLM(Y, table).fit(0.05)
    assert list(fit.params.index) == ["Intercept", "Intercept", "b", "c"]
    other = pg.PenalizedGLM(Y, table.rename(columns={"Intercept": "a"})).fit(0.05)
    assert_array_equal(fit.params, other.params)
    assert_array_equal(fit.predict(table), fit.predict(X))


# New rows


def test_missing_values_at_predict_are_nan_in_their_rows_with_their_count():
    fit = pg.PenalizedGLM(Y, X).fit(0.05)
    new = put(X, ([2, 5], [1, 0]), np.nan)
    text = "2 rows hold a missing value; their prediction is NaN."
    with pytest.warns(MissingPredictionWarning, match=exactly(text)):
        found = fit.predict(new)
    assert_array_equal(np.flatnonzero(np.isnan(found)), [2, 5])
    assert_array_equal(np.delete(found, [2, 5]), np.delete(fit.predict(X), [2, 5]))


LEVELS = pd.DataFrame(
    {"x": X[:, 0], "g": np.resize(list("abc"), N), "y": Y + np.resize([0, 1, 2], N)}
)
NEW = pd.DataFrame({"x": X[:4, 0], "g": ["b", "zz", "c", "zz"]})


@pytest.mark.parametrize("coding", ["treatment", "full", "sum"])
@pytest.mark.parametrize("formula", ["y ~ x + g", "y ~ x * g", "y ~ x + C(g)"])
def test_unknown_level_is_refused_left_out_or_missing_as_asked(
    coding, formula, tmp_path
):
    fit = pg.glm(formula, LEVELS, coding=coding).fit(0.01)
    fit.save(tmp_path / "m.json")
    for model in (fit, pg.load(tmp_path / "m.json")):
        text = (
            "column 'g' has level 'zz' (2 rows, first: row 1) that was not present "
            "when fitting; known: a, b, c."
        )
        with pytest.raises(FormulaError, match=exactly(text)) as caught:
            model.predict(NEW)
        assert (caught.value.argument, caught.value.index) == ("g", 1)
        text = (
            "2 rows hold a missing value or an unknown level; their prediction is NaN."
        )
        known = model.predict(NEW.iloc[[0, 2]])
        with pytest.warns(MissingPredictionWarning, match=exactly(text)):
            found = model.predict(NEW, unknown="nan")
        assert_array_equal(found, [known[0], np.nan, known[1], np.nan])
        found = model.predict(NEW, unknown="zero")
        assert_array_equal(found[[0, 2]], known)
        without = fit.params["Intercept"] + fit.params["x"] * NEW.x
        if formula != "y ~ x * g" or coding != "full":
            assert_allclose(found[[1, 3]], without[[1, 3]], rtol=SAME_STEPS)


def test_unknown_level_left_out_keeps_missing_cells_missing():
    fit = pg.glm("y ~ x + g", LEVELS).fit(0.01)
    new = pd.DataFrame({"x": [0.0, np.nan, 1.0], "g": ["zz", "a", None]})
    with pytest.warns(MissingPredictionWarning, match="2 rows hold a missing value;"):
        found = fit.predict(new, unknown="zero")
    assert_array_equal(np.isnan(found), [False, True, True])


@pytest.mark.filterwarnings("ignore::penglm.exceptions.ConstantColumnWarning")
def test_declared_level_that_never_occurred_is_unknown_too():
    data = LEVELS.assign(g=pd.Categorical(LEVELS.g, categories=list("abcd")))
    fit = pg.glm("y ~ x + g", data).fit(0.01)
    new = NEW.assign(g=list("bdcd"))
    with pytest.warns(MissingPredictionWarning, match="2 rows"):
        found = fit.predict(new, unknown="nan")
    assert_array_equal(np.isnan(found), [False, True, False, True])


def test_way_with_unknown_levels_is_one_of_three():
    fit = pg.glm("y ~ x + g", LEVELS).fit(0.01)
    with pytest.raises(PenglmInputError, match="unknown = 'ignore'; use one of"):
        fit.predict(NEW, unknown="ignore")


# Files and the shell


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Stand in a folder with a table and a model, and return it."""
    monkeypatch.chdir(tmp_path)
    LEVELS.to_csv("data.csv", index=False)
    NEW.to_csv("new.csv", index=False)
    pg.glm("y ~ x + g", LEVELS).fit(0.01).save("m.json")
    return tmp_path


def shell(capsys, *arguments):
    """Return exit code and the last line that a command said."""
    code = main(list(arguments))
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return code, out, err.splitlines()[-1] if err else ""


def test_shell_predicts_unknown_levels_as_asked(capsys, folder):
    command = ("predict", "m.json", "new.csv")
    code, _, said = shell(capsys, *command)
    assert (code, "'g' has level 'zz'" in said) == (3, True)
    code, out, said = shell(capsys, *command, "--unknown", "nan")
    assert (code, out.splitlines()[2], "2 rows" in said) == (0, '""', True)
    code, out, _ = shell(capsys, *command, "--unknown", "zero")
    assert (code, len(out.splitlines())) == (0, 5)


def test_malformed_table_is_code_3_with_file_and_line_and_nothing_written(
    capsys, folder
):
    lines = (folder / "data.csv").read_text().splitlines()
    lines[17] += ",1,2"
    (folder / "train.csv").write_text("\n".join(lines))
    before = sorted(folder.iterdir())
    code, out, said = shell(
        capsys, "fit", "train.csv", "y ~ x", "--alpha", "1", "--save", "n.json"
    )
    assert said == "penglm: error: train.csv:18: 5 fields, expected 3."
    assert (code, out, sorted(folder.iterdir())) == (3, "", before)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is Linux's")
def test_full_disk_is_code_6(capsys, folder):
    code, _, said = shell(
        capsys, "fit", "data.csv", "y ~ x", "--alpha", "1", "--save", "/dev/full"
    )
    assert (code, said) == (
        6, "penglm: error: could not write full: no space left on device.",
    )  # fmt: skip


def test_full_disk_leaves_the_old_model(capsys, folder, monkeypatch):
    before = (folder / "m.json").read_bytes(), sorted(folder.iterdir())

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    code, _, said = shell(
        capsys, "fit", "data.csv", "y ~ x", "--alpha", "1", "--save", "m.json"
    )
    assert code == 6
    assert said == (
        "penglm: error: could not write m.json: no space left on device; the previous "
        "file is unchanged."
    )
    assert ((folder / "m.json").read_bytes(), sorted(folder.iterdir())) == before


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


@pytest.mark.parametrize("offset", [700.0, 704.0])
def test_slopes_too_large_to_be_added_are_no_unit_of_a_violation(offset):
    far = put(np.full(N, offset), 4, offset + 0.5)
    model = pg.PenalizedGLM(COUNTS, X, "poisson", offset=far, fit_intercept=False)
    text = "is too steep for double precision, in row 4"
    with pytest.raises(PenglmInputError, match=text) as caught:
        model.fit(0.05)
    assert (caught.value.argument, caught.value.index) == ("offset", 4)


SPOILED = {
    "third label": (
        "binomial", {"endog": put(np.where(BINARY > 0, "yes", "none"), 9, "?")},
    ),
    "count": ("binomial", {"endog": put(np.c_[COUNTS, ONES], (9, 0), -1)}),
    "infinite count": ("binomial", {"endog": put(np.c_[COUNTS, ONES], (9, 0), np.inf)}),
    "exposure": ("poisson", {"endog": COUNTS, "exposure": put(ONES, 9, 0)}),
    "offset": ("poisson", {"endog": COUNTS, "offset": put(Y / 9, 9, np.nan)}),
}  # fmt: skip


@pytest.mark.parametrize("name", SPOILED)
def test_whatever_goes_with_a_row_of_weight_zero_does_not_matter(name):
    family, given = SPOILED[name]
    weights = put(ONES, [9, 12], 0.0)
    kept = weights > 0
    model = pg.PenalizedGLM(exog=X, family=family, freq_weights=weights, **given)
    clean = {key: value[kept] for key, value in given.items()}
    expected = pg.PenalizedGLM(exog=X[kept], family=family, **clean)
    assert_array_equal(model.fit(0.05).params, expected.fit(0.05).params)
    assert model.data.y_levels == expected.data.y_levels


HIDDEN = np.arange(N) == 5


@pytest.mark.parametrize("argument", ["endog", "exog", "offset", "var_weights"])
def test_what_a_mask_hides_is_missing(argument):
    given = {"endog": Y, "exog": X, "offset": Y / 9, "var_weights": ONES}
    shape = given[argument].shape
    mask = np.broadcast_to(HIDDEN.reshape(-1, *[1] * (len(shape) - 1)), shape)
    given[argument] = np.ma.masked_array(given[argument], mask)
    with pytest.raises(PenglmInputError) as caught:
        pg.PenalizedGLM(**given)
    assert (caught.value.argument, caught.value.index) == (argument, 5)
    with pytest.warns(DroppedRowsWarning, match="1 of 30 rows"):
        model = pg.PenalizedGLM(missing="drop", **given)
    assert_array_equal(model.data.rows, np.flatnonzero(~HIDDEN))


def test_what_a_mask_hides_is_missing_in_the_columns_of_a_formula():
    whole = np.ma.masked_array(np.arange(N), HIDDEN)
    data = {"y": Y, "a": whole, "w": np.ma.masked_array(ONES, np.arange(N) == 7)}
    with pytest.warns(DroppedRowsWarning, match="2 of 30 rows"):
        model = pg.glm("y ~ a", data, freq_weights="w")
    assert_array_equal(model.data.rows, np.setdiff1d(np.arange(N), [5, 7]))


# name: column spoiled in row 9, its value there, formula, and what else the model has
MISPLACED = {
    "freq_weights": ("w", -1.0, "y ~ a", {"freq_weights": "w"}),
    "var_weights": ("w", np.inf, "y ~ a", {"var_weights": "w"}),
    "exposure": ("w", 0.0, "y ~ a", {"exposure": "w"}),
    "infinite exposure": ("w", np.inf, "y ~ a", {"exposure": "w"}),
    "offset": ("w", -np.inf, "y ~ a", {"offset": "w"}),
    "offset()": ("w", 0.0, "y ~ a + offset(log(w))", {}),
    "counts": ("y", -1.0, "y + w ~ a", {"family": "binomial"}),
}


@pytest.mark.filterwarnings("ignore::penglm.exceptions.DroppedRowsWarning")
@pytest.mark.parametrize("name", MISPLACED)
def test_errors_of_a_formula_count_rows_as_the_table_does(name):
    column, value, formula, given = MISPLACED[name]
    # Rows that are left out come before the one that is wrong.
    data = pd.DataFrame({"y": COUNTS, "a": put(X[:, 0], [2, 4], np.nan), "w": ONES})
    data.loc[9, column] = value
    with pytest.raises(PenglmInputError, match=r"\[9\]|row 9\)") as caught:
        pg.glm(formula, data, **{"family": "poisson", **given})
    assert caught.value.index == 9
    assert "missing=" not in str(caught.value)


def test_rows_that_a_formula_cannot_compute_leave_everything_else_in_place():
    years = 1.0 + np.arange(N) / 9
    data = pd.DataFrame(
        {"y": COUNTS, "a": put(X[:, 0], [3, 11], -99), "b": put(X[:, 1], 6, np.nan),
         "t": years, "o": Y / 9, "w": 1.0 + np.arange(N) % 3}
    )  # fmt: skip
    kept = np.setdiff1d(np.arange(N), [3, 6, 11])
    formula = "y ~ log(9 + a) + b + offset(log(t))"
    with pytest.warns(DroppedRowsWarning, match="3 of 30"):
        model = pg.glm(formula, data, "poisson", offset="o", freq_weights="w")
    clean = pg.glm(formula, data.iloc[kept], "poisson", offset="o", freq_weights="w")
    assert_array_equal(model.data.rows, kept)
    for name in ("y", "offset", "sample_weight", "freq_weights"):
        found, expected = (getattr(each.data, name) for each in (model, clean))
        assert_array_equal(found, expected)
    assert_array_equal(model.fit(0.05).params, clean.fit(0.05).params)


def test_weights_that_are_all_missing_leave_no_row():
    text = "no row is left after dropping missing values; nothing to fit."
    with pytest.raises(PenglmInputError, match=exactly(text)):
        pg.PenalizedGLM(Y, X, freq_weights=np.full(N, np.nan), missing="drop")


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
