"""What a caller passes is read and never written to, at every door."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse

import penglm as pg
from penglm import estimators
from penglm.exceptions import ConvergenceWarning, MissingPredictionWarning

N, P = 60, 4
RNG = np.random.default_rng(20261128)
DENSE = RNG.normal(size=(N, P)) * (RNG.uniform(size=(N, P)) < 0.7)
COUNTS = RNG.poisson(np.exp(0.5 * DENSE[:, 0] - 0.3 * DENSE[:, 1])).astype(float)
ALPHA = 0.05


def arguments():
    """Return fresh arguments of a model, one of each kind."""
    # A zero weight, a column without a penalty, one left out and a limit: all that
    # makes somebody want to change what was passed.
    rng = np.random.default_rng(3)
    weights = rng.uniform(0.5, 2.0, N)
    weights[7] = 0.0
    return {
        "y": COUNTS.copy(),
        "var_weights": weights,
        "freq_weights": rng.integers(1, 4, N).astype(float),
        "offset": rng.normal(0.0, 0.2, N),
        "penalty_factor": np.array([1.0, 0.0, 2.0, np.inf]),
        "lower": np.array([-0.1, -np.inf, -np.inf, -1.0]),
        "upper": np.array([np.inf, 0.2, np.inf, 1.0]),
        "alphas": np.array([0.02, 0.3, 0.1]),
        "folds": np.arange(N) % 3,
    }


CONTAINERS = {
    "by rows": lambda X: X.copy(),
    "by columns": lambda X: np.asfortranarray(X),
    "every other row": lambda X: np.repeat(X, 2, axis=0)[::2],
    "float32": lambda X: X.astype(np.float32),
    "whole numbers": lambda X: np.round(2 * X).astype(np.int64),
    "frame": lambda X: pd.DataFrame(X, columns=list("abcd")),
    "csr": sparse.csr_array,
    "csc": sparse.csc_array,
    "csr matrix": sparse.csr_matrix,
}


def named(model_of):
    """Return a door through which a model is fitted."""

    def go(X, given):
        names = ("var_weights", "freq_weights", "offset", "penalty_factor", "lower",
                 "upper")  # fmt: skip
        options = {name: given[name] for name in names}
        model = pg.PenalizedGLM(given["y"], X, "poisson", **options)
        return model_of(model, X, given)

    return go


def start(model, X, given):
    first = model.fit(0.2)
    before = first.solution.entries.values.tobytes()
    fit = model.fit(ALPHA, start=first)
    assert first.solution.entries.values.tobytes() == before
    return fit.params


def predictions(model, X, given):
    fit = model.fit(ALPHA)
    return fit.predict(X, offset=given["offset"])


def certificate(X, given):
    coef = np.array([0.1, 0.2, 0.0, 0.0])
    given["coef"] = coef
    return pg.certify(
        coef, 0.1, given["y"], X, alpha=ALPHA, family="poisson", offset=given["offset"],
        var_weights=given["var_weights"], penalty_factor=given["penalty_factor"],
        lower=given["lower"], upper=given["upper"],
    ).kkt_residual  # fmt: skip


def estimator(kind, y=lambda given: given["y"], **options):
    def go(X, given):
        names = ("penalty_factor", "lower", "upper")
        chosen = {name: given[name] for name in names} | options
        model = kind(**chosen).fit(
            X, y(given), sample_weight=given["var_weights"], offset=given["offset"]
        )
        model.predict(X, offset=given["offset"])
        return model.coef_

    return go


DOORS = {
    "fit": named(lambda model, X, given: model.fit(ALPHA).params),
    "unpenalised": named(lambda model, X, given: model.fit(0.0).params),
    "ridge": named(lambda model, X, given: model.fit(ALPHA, 0.0).params),
    "start": named(start),
    "budget": named(lambda model, X, given: model.fit(budget=0.2).params),
    "adaptive": named(
        lambda model, X, given: model.fit(ALPHA, penalty="adaptive").coef
    ),
    "fit_path": named(
        lambda model, X, given: model.fit_path(given["alphas"]).intercepts
    ),
    "fit_cv": named(
        lambda model, X, given: model.fit_cv(given["folds"], n_alphas=5).mean_score
    ),
    "fit_regularized": named(
        lambda model, X, given: model.fit_regularized(alpha=ALPHA).params
    ),
    "predict": named(predictions),
    "explain": named(lambda model, X, given: str(model.fit(ALPHA).explain())),
    "certify": certificate,
    "regressor": estimator(
        estimators.PenalizedGLMRegressor, family="poisson", alpha=ALPHA
    ),
    "regressor with folds": estimator(
        estimators.PenalizedGLMRegressorCV, family="poisson", n_alphas=5
    ),
    "classifier": estimator(
        estimators.PenalizedLogisticClassifier,
        lambda given: given["y"] > 0,
        alpha=ALPHA,
    ),
}


def content(value):
    """Return all bytes of an argument."""
    if isinstance(value, pd.DataFrame | pd.Series):
        index = (str(value.index), str(getattr(value, "columns", value.index.name)))
        return value.to_numpy().tobytes("A"), index
    if sparse.issparse(value):
        return [part.tobytes() for part in (value.data, value.indices, value.indptr)]
    return value.tobytes("A"), value.dtype, value.strides


def lock(value):
    """Make an argument read-only."""
    parts = (
        (value.data, value.indices, value.indptr)
        if sparse.issparse(value)
        else (() if isinstance(value, pd.DataFrame) else (value,))
    )
    for part in parts:
        part.flags.writeable = False


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.DataConversionWarning")
@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("door", DOORS)
def test_nothing_that_was_passed_is_changed_and_read_only_is_enough(door, container):
    given = arguments()
    X = CONTAINERS[container](DENSE)
    before = {name: content(value) for name, value in given.items()}
    columns = content(X)

    found = DOORS[door](X, given)

    assert content(X) == columns
    assert {name: content(given[name]) for name in before} == before
    locked, fixed = CONTAINERS[container](DENSE), arguments()
    lock(locked)
    for value in fixed.values():
        value.flags.writeable = False
    again = DOORS[door](locked, fixed)
    assert_array_equal(np.asarray(again), np.asarray(found))


def table():
    """Return a table that a formula reads, with a missing cell."""
    rng = np.random.default_rng(4)
    data = pd.DataFrame(DENSE, columns=list("abcd"))
    data["y"], data["t"] = COUNTS, rng.uniform(0.5, 2.0, N)
    data["g"] = pd.Categorical(rng.choice(list("uvw"), N))
    data["s"] = rng.choice(["left", "right"], N)
    data.loc[5, "b"] = np.nan
    return data


@pytest.mark.filterwarnings("ignore::penglm.exceptions.DroppedRowsWarning")
@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow", "dict"])
def test_a_table_is_as_it_was_after_a_formula(kind):
    import polars as pl
    import pyarrow as pa

    made = {
        "pandas": lambda: table(),
        "polars": lambda: pl.from_pandas(table()),
        "pyarrow": lambda: pa.Table.from_pandas(table()),
        "dict": lambda: {name: table()[name] for name in table()},
    }[kind]
    given, untouched = made(), made()

    model = pg.glm("y ~ a + log(1 + b**2) + C(g) + s", given, "poisson", exposure="t")
    model.fit_path(n_alphas=3)
    with pytest.warns(MissingPredictionWarning):
        model.fit(ALPHA).predict(given)

    if kind == "pandas":
        pd.testing.assert_frame_equal(given, untouched, check_exact=True)
    elif kind == "dict":
        assert list(given) == list(untouched)
        for name, column in untouched.items():
            pd.testing.assert_series_equal(given[name], column, check_exact=True)
    else:
        assert given.equals(untouched)


def test_a_fit_that_ends_too_early_changes_nothing_either():
    given = arguments()
    before = {name: content(value) for name, value in given.items()}
    X = np.asfortranarray(DENSE)
    model = pg.PenalizedGLM(given["y"], X, "poisson", offset=given["offset"])
    with pytest.warns(ConvergenceWarning):
        model.fit(1e-3, tol=1e-12, max_iter=1)
    assert {name: content(given[name]) for name in given} == before
    assert content(X) == content(np.asfortranarray(DENSE))
