"""Forty nasty cases at default settings, each with a right answer or a named refusal.

The first of them, the linear sets of NIST, is ``tests/reference/test_nist.py``. Answers
are judged by ``judge.py``, which knows nothing of penglm.
"""

import os
import pickle
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

import penglm as pg
from penglm.exceptions import (
    ConstantColumnWarning,
    FormulaError,
    ModelFileError,
    NoFiniteSolutionError,
    PenglmInputError,
    SeparationWarning,
)
from tests.robustness.judge import Model, judged

ROOT = Path(__file__).resolve().parents[2]
# What `fit` promises unless asked for more.
TOL = 1e-5
# The same steps rounded differently: some hundred units in the last place.
SAME_STEPS = 1e-13
# A KKT residual within TOL leaves the fitted values of these cases this near.
SAME_ANSWER = 1e-4

N = 40
RNG = np.random.default_rng(20261126)
X = RNG.normal(size=(N, 4))
Y = X[:, 0] - 0.5 * X[:, 1] + RNG.normal(size=N)
BINARY = (Y > 0).astype(float)
COUNTS = RNG.poisson(np.exp(0.4 * X[:, 0])).astype(float)
WEIGHTS = RNG.uniform(0.2, 3.0, N)


def certified(model: Model, alpha: float, **options):
    """Fit the model that a judge understands, and let it decide."""
    fit = penglm_of(model, **options).fit(alpha, model.l1_ratio)
    assert fit.status.value == "optimal"
    assert judged(model, alpha, fit.intercept, fit.coef) <= TOL
    return fit


def penglm_of(model: Model, X=None):
    """Return penglm's model of the same problem, with columns in another container."""
    return pg.PenalizedGLM(
        model.y, model.X if X is None else X, model.family, link=model.link,
        var_weights=model.sample_weight, offset=model.offset,
        penalty_factor=model.penalty_factor, lower=model.lower, upper=model.upper,
        fit_intercept=model.fit_intercept, standardize=model.standardize,
    )  # fmt: skip


# 2
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5, 0.1])
def test_weighted_elastic_net_standardises_by_the_weighted_sd(l1_ratio):
    scales = np.array([1.0, 1e3, 1e-3, 5.0])
    model = Model(Y, X * scales, sample_weight=WEIGHTS, l1_ratio=l1_ratio)
    fit = certified(model, 0.1)
    plain = Model(Y, X * scales, l1_ratio=l1_ratio)
    assert judged(plain, 0.1, fit.intercept, fit.coef) > 100 * TOL


# 3
def clean_and(container):
    """Fit float64 columns and a container of the same values."""
    table = np.where(np.abs(X) < 0.4, 0.0, X.astype(np.float32)).astype(float)
    model = Model(COUNTS, table, "poisson", "log")
    given = container(table)
    fit = certified(model, 0.05, X=given)
    expected = certified(model, 0.05)
    assert_allclose(fit.params, expected.params, rtol=SAME_STEPS)
    return given


def test_float32_gives_the_answer_of_float64():
    clean_and(lambda table: table.astype(np.float32))


def test_read_only_arrays_give_the_same_answer():
    def locked(table):
        table = table.copy()
        table.flags.writeable = False
        return table

    clean_and(locked)


def test_csr_with_unsorted_indices_and_explicit_zeros_gives_the_same_answer():
    def shuffled(table):
        rows, columns = np.divmod(np.arange(table.size), 4)
        columns = columns.reshape(N, 4)[:, ::-1].ravel()
        data = table[rows, columns]
        out = sparse.csr_array((data, columns, np.arange(0, 4 * N + 1, 4)))
        assert not out.has_sorted_indices
        assert (out.data == 0).any()
        return out

    given = clean_and(shuffled)
    assert given.indices[:4].tolist() == [3, 2, 1, 0], "the caller's matrix was sorted"


def test_csc_with_duplicate_entries_gives_the_same_answer():
    def halved(table):
        half = sparse.csc_array(table)
        data = np.repeat(half.data / 2, 2)
        indices = np.repeat(half.indices, 2)
        out = sparse.csc_array((data, indices, 2 * half.indptr), shape=table.shape)
        assert not out.has_canonical_format
        return out

    given = clean_and(halved)
    assert given.indices[0] == given.indices[1], "the caller's matrix was summed up"


# 4
def test_missing_cell_of_a_nullable_column_is_called_missing_and_placed():
    table = pd.DataFrame({"age": pd.array([1, None, *range(N - 2)], dtype="Int64")})
    with pytest.raises(PenglmInputError, match=r"row 1, column 'age'.*missing"):
        pg.PenalizedGLM(Y, table)


# 5
def test_one_row_is_refused_or_fitted_by_its_intercept():
    fit = pg.PenalizedGLM([2.5], [[1.0, 2.0]], fit_intercept=False).fit(0.1)
    assert judged(
        Model(np.array([2.5]), np.array([[1.0, 2.0]]), fit_intercept=False),
        0.1, fit.intercept, fit.coef,
    ) <= TOL  # fmt: skip
    with pytest.warns(ConstantColumnWarning):
        alone = pg.PenalizedGLM([2.5], [[1.0, 2.0]]).fit(0.1)
    assert (alone.intercept, *alone.coef) == (2.5, 0.0, 0.0)
    assert alone.converged


def test_one_row_cannot_be_cross_validated_and_says_so():
    with pytest.warns(ConstantColumnWarning):
        model = pg.PenalizedGLM([2.5], [[1.0, 2.0]])
    with pytest.raises(PenglmInputError, match="one sample only"):
        model.fit_cv(2)


def test_constant_response_is_its_intercept():
    fit = certified(Model(np.full(N, 3.25), X), 0.1)
    assert (fit.intercept, fit.deviance_ratio) == (3.25, 0.0)
    assert not fit.coef.any()


@pytest.mark.parametrize("value", [0.0, 7.0, 0.1, 1e150, 1e300, 1e-150])
def test_constant_column_has_no_coefficient_and_is_named(value):
    table = X.copy()
    table[:, 2] = value
    with pytest.warns(ConstantColumnWarning, match="column x3 is constant"):
        fit = certified(Model(Y, table), 0.05)
    assert fit.coef[2] == 0.0
    assert fit.spec.dropped == ("x3",)
    others = certified(Model(Y, X[:, [0, 1, 3]]), 0.05)
    assert_allclose(fit.coef[[0, 1, 3]], others.coef, rtol=SAME_ANSWER)


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5, 0.0])
def test_duplicated_column_has_a_certified_answer(l1_ratio):
    certified(Model(Y, np.column_stack([X, X[:, 0]]), l1_ratio=l1_ratio), 0.05)


# 6
@pytest.mark.parametrize(
    ("family", "value"), [("poisson", 0.0), ("binomial", 0.0), ("binomial", 1.0)]
)
def test_intercept_without_a_finite_optimum_is_said_aloud(family, value):
    with pytest.raises(NoFiniteSolutionError, match="no finite maximum-likelihood"):
        pg.PenalizedGLM(np.full(N, value), X, family)


# 7
HARD_COLUMNS = {
    "columns at 1e8 and 1e-8": lambda: X * [1e8, 1e-8, 1.0, 1.0],
    "a column of mean 1e9 and sd 1": lambda: X + np.array([1e9, 0.0, 0.0, 0.0]),
    "all columns at 1e-9": lambda: X * 1e-9,
    "all columns at 1e-200": lambda: X * 1e-200,
    "all columns at 1e200": lambda: X * 1e200,
}


@pytest.mark.parametrize("case", HARD_COLUMNS)
@pytest.mark.parametrize(
    ("family", "link", "y"),
    [("gaussian", "identity", Y), ("binomial", "logit", BINARY),
     ("poisson", "log", COUNTS)],
)  # fmt: skip
def test_units_of_the_columns_do_not_matter(case, family, link, y):
    table = HARD_COLUMNS[case]()
    fit = certified(Model(y, table, family, link, l1_ratio=0.7), 0.03)
    expected = certified(Model(y, X, family, link, l1_ratio=0.7), 0.03)
    assert fit.n_nonzero == expected.n_nonzero
    assert_allclose(fit.fittedvalues, expected.fittedvalues, rtol=SAME_ANSWER)


# 8
def test_negative_alpha_is_refused_by_name():
    with pytest.raises(PenglmInputError, match=r"alpha = -0\.1"):
        pg.PenalizedGLM(Y, X).fit(-0.1)


def test_infinite_alpha_is_the_null_model():
    fit = certified(Model(COUNTS, X, "poisson", "log"), np.inf)
    assert not fit.coef.any()
    assert fit.intercept == pytest.approx(np.log(COUNTS.mean()), rel=SAME_STEPS)


@pytest.mark.parametrize("family", ["gaussian", "binomial", "poisson"])
def test_no_coefficient_at_alpha_max_and_one_below_it(family):
    y = {"gaussian": Y, "binomial": BINARY, "poisson": COUNTS}[family]
    model = pg.PenalizedGLM(y, X, family, var_weights=WEIGHTS)
    largest = model.alpha_max()
    assert not model.fit(largest).coef.any()
    assert model.fit(0.999 * largest).n_nonzero == 1


# 9
def test_zero_weights_equal_removing_the_rows():
    weights = np.where(np.arange(N) % 3 == 0, 0.0, WEIGHTS)
    fit = certified(Model(BINARY, X, "binomial", "logit", weights), 0.02)
    here = weights > 0
    removed = Model(BINARY[here], X[here], "binomial", "logit", weights[here])
    assert_array_equal(fit.params, certified(removed, 0.02).params)


def test_weights_times_1e_minus_12_change_nothing():
    fit = certified(Model(COUNTS, X, "poisson", "log", 1e-12 * WEIGHTS), 0.02)
    expected = certified(Model(COUNTS, X, "poisson", "log", WEIGHTS), 0.02)
    assert_allclose(fit.params, expected.params, rtol=SAME_STEPS)


def test_weights_that_are_all_zero_are_named():
    with pytest.raises(PenglmInputError, match="var_weights is zero for every row"):
        pg.PenalizedGLM(Y, X, var_weights=np.zeros(N))


# 10
@pytest.mark.parametrize("offset", [700.0, -700.0])
def test_poisson_with_an_offset_of_700_in_every_row(offset):
    shifted = Model(COUNTS, X, "poisson", "log", offset=np.full(N, offset))
    fit = certified(shifted, 0.02)
    expected = certified(Model(COUNTS, X, "poisson", "log"), 0.02)
    assert_allclose(fit.fittedvalues, expected.fittedvalues, rtol=SAME_ANSWER)


# 11
def test_perfect_separation_without_penalty_is_said_aloud():
    y = (X[:, 0] > 0).astype(float)
    with pytest.warns(SeparationWarning, match=r"near 1\*x1"):
        fit = pg.PenalizedGLM(y, X, "binomial").fit(0.0)
    assert fit.status.value == "no_finite_solution"
    assert np.isfinite(fit.params).all()


# 12
def test_penalty_factor_zero_frees_a_column():
    factors = np.array([1.0, 1.0, 0.0, 1.0])
    fit = certified(Model(Y, X, penalty_factor=factors), 10.0)
    assert fit.support.tolist() == [2]


def test_penalty_factor_inf_excludes_a_column():
    factors = np.array([np.inf, 1.0, 1.0, 1.0])
    fit = certified(Model(Y, X, penalty_factor=factors), 0.01)
    assert fit.coef[0] == 0.0
    alone = certified(Model(Y, X[:, 1:]), 0.01)
    assert_allclose(fit.coef[1:], alone.coef, rtol=SAME_ANSWER)


def test_lower_above_upper_is_refused_by_name():
    with pytest.raises(PenglmInputError, match=r"lower\[0\]=1 exceeds upper"):
        pg.PenalizedGLM(Y, X, lower=[1, 0, 0, 0], upper=[-1, 1, 1, 1])


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
@pytest.mark.parametrize("alpha", [0.0, 0.05, 5.0])
def test_limit_that_excludes_zero_is_solved(l1_ratio, alpha):
    lower = np.array([-np.inf, -np.inf, 0.3, -np.inf])
    upper = np.array([-0.2, np.inf, np.inf, np.inf])
    model = Model(
        BINARY, X, "binomial", "logit", lower=lower, upper=upper, l1_ratio=l1_ratio
    )
    fit = certified(model, alpha)
    assert fit.coef[0] <= -0.2
    assert fit.coef[2] >= 0.3


# 13
def test_nan_in_the_columns_is_placed():
    table = X.copy()
    table[7, 1] = np.nan
    with pytest.raises(
        PenglmInputError, match=r"exog contains NaN.*row 7, column 'x2'"
    ):
        pg.PenalizedGLM(Y, table)


# 14
def test_a_fit_leaves_columns_response_and_weights_untouched():
    given = [Y.copy(), np.asfortranarray(X), WEIGHTS.copy()]
    before = [each.tobytes("K") for each in given]
    model = pg.PenalizedGLM(given[0], given[1], var_weights=given[2])
    model.fit_cv(3)
    model.fit(0.0)
    assert [each.tobytes("K") for each in given] == before


def test_eight_fits_on_threads_equal_eight_in_turn_bit_for_bit():
    rng = np.random.default_rng(3)
    tables = [rng.normal(size=(300, 12)) for _ in range(8)]

    def fit(table):
        y = np.floor(np.exp(0.5 * table[:, 0] + np.cos(np.arange(300))))
        path = pg.PenalizedGLM(y, table, "poisson").fit_path(n_alphas=20)
        return np.array([[s.intercept, *s.coef] for s in path.solutions])

    in_turn = [fit(table) for table in tables]
    with ThreadPoolExecutor(8) as pool:
        at_once = list(pool.map(fit, tables))
    for a, b in zip(at_once, in_turn, strict=True):
        assert_array_equal(a, b)


LONG = """
import numpy as np, penglm as pg
rng = np.random.default_rng(0)
X = rng.normal(size=(1200, 1600)) + rng.normal(size=(1200, 1))
y = rng.poisson(np.exp(np.clip(0.1 * X[:, :50].sum(axis=1), -3.0, 3.0))).astype(float)
model = pg.PenalizedGLM(y, X, "poisson")
alpha = 0.005 * model.alpha_max()
print("ready", flush=True)
try:
    model.fit(alpha)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="signals are posix's")
def test_ctrl_c_stops_a_long_fit_within_two_seconds():
    with subprocess.Popen(
        [sys.executable, "-c", LONG], stdout=subprocess.PIPE, text=True, cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    ) as process:  # fmt: skip
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.7)
        process.send_signal(signal.SIGINT)
        begun = time.monotonic()
        try:
            out, _ = process.communicate(timeout=30)
        finally:
            process.kill()
    assert out == "interrupted\n"
    assert time.monotonic() - begun < 2.0


# 15
def test_each_strength_of_a_path_in_any_order_has_its_own_solution():
    alphas = [0.05, 0.2, 0.01, 0.2, 0.1]
    model = Model(COUNTS, X, "poisson", "log", WEIGHTS)
    path = penglm_of(model).fit_path(alphas)
    assert path.alphas.tolist() == alphas
    for alpha, fit in zip(alphas, path, strict=True):
        assert judged(model, alpha, fit.intercept, fit.coef) <= TOL
    assert_array_equal(path[1].params, path[3].params)


# 16
TABLE = pd.DataFrame(X, columns=list("abcd")).assign(
    y=COUNTS, g=np.array(["u", "v", "w", "u"] * 10), t=WEIGHTS, k=WEIGHTS[::-1].copy()
)


def test_row_dropped_by_a_formula_drops_its_weight_and_offset():
    gap = TABLE.copy()
    gap.loc[[3, 11], "a"] = np.nan
    options = {"exposure": "t", "var_weights": "k"}
    with pytest.warns(pg.exceptions.DroppedRowsWarning, match="2 of 40 rows"):
        model = pg.glm("y ~ a + b + C(g)", gap, "poisson", **options)
    clean = pg.glm("y ~ a + b + C(g)", TABLE.drop(index=[3, 11]), "poisson", **options)
    assert_array_equal(model.fit(0.02).params, clean.fit(0.02).params)


def test_unseen_level_is_named_with_its_column_when_predicting():
    fit = pg.glm("y ~ a + C(g)", TABLE, "poisson").fit(0.02)
    new = TABLE.head(3).assign(g=["u", "v", "zz"])
    with pytest.raises(FormulaError, match=r"'g' has level 'zz' \(row 2\)"):
        fit.predict(new)


@pytest.mark.parametrize("door", ["exog", "formula"])
def test_column_name_used_twice_is_refused(door):
    twice = pd.concat([TABLE[["y", "a"]], TABLE[["a"]]], axis=1)
    with pytest.raises(PenglmInputError, match="2 columns named 'a'"):
        if door == "exog":
            pg.PenalizedGLM(TABLE.y, twice)
        else:
            pg.glm("y ~ a", twice, "poisson")


def test_formula_that_calls_import_never_runs(tmp_path):
    mark = tmp_path / "ran"
    formula = f"y ~ a + __import__('pathlib').Path({str(mark)!r}).touch()"
    with pytest.raises(FormulaError, match="__import__"):
        pg.PenalizedGLM.from_formula(formula, TABLE, "poisson", trusted=False)
    assert not mark.exists()


# 17
class Trap:
    """What runs code once somebody opens its pickle."""

    def __reduce__(self):
        return (pytest.fail, ("the pickle was opened",))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_file_that_holds_a_pickle_is_refused_unread(tmp_path, protocol):
    path = tmp_path / "model.json"
    path.write_bytes(pickle.dumps(Trap(), protocol))
    with pytest.raises(ModelFileError, match="not a penglm model"):
        pg.load(path)
