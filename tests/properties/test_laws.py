"""Laws that every fit obeys, whatever its family and mix: same model, same answer."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

import penglm as pg
from penglm.design import Categorical, Dense, Sparse, Split
from penglm.families import Gamma, Log, NegativeBinomial, Tweedie

# The first three have compiled kernels of their own; the others have none.
BY_NAME = {
    "gaussian": "gaussian",
    "binomial": "binomial",
    "poisson": "poisson",
    "gamma": Gamma(Log()),
    "negative_binomial": NegativeBinomial(theta=2.0),
    "tweedie": Tweedie(power=1.5),
}
FAMILIES = tuple(BY_NAME)
MIXES = (1.0, 0.5, 0.0)
# Violation left in the fits that are compared, in units of the threshold.
TOL = 1e-10
# Such a violation moves a linear predictor of size one by TOL times the condition of
# a Gram matrix, which is below a thousand for these designs.
AGREE = 1e-7
# The line search takes equal objectives for equal up to 16 units in the last place.
ROUNDING = 32 * np.finfo(float).eps
# The same steps rounded differently: some hundred units in the last place.
SAME_STEPS = 1e-13
CANONICAL = ("gaussian", "binomial", "poisson")
SEEDS = st.integers(0, 2**32 - 1)

everywhere = pytest.mark.parametrize("family", FAMILIES)
every_mix = pytest.mark.parametrize("l1_ratio", MIXES)
few = settings(max_examples=8)


def law(**drawn):
    """Check a claim for every family and mix on a few drawn cases."""

    def decorate(claim):
        return everywhere(every_mix(few(given(seed=SEEDS, **drawn)(claim))))

    return decorate


@dataclass(frozen=True)
class Case:
    """Data of a model with what its constructor takes besides."""

    y: Any
    X: Any
    family: str
    options: dict[str, Any]

    def model(self, **options):
        family = BY_NAME[self.family]
        return pg.PenalizedGLM(self.y, self.X, family, **self.options, **options)

    def take(self, rows):
        """Return the case with these rows, in this order."""
        options = {key: value[rows] for key, value in self.options.items()}
        return Case(self.y[rows], self.X[rows], self.family, options)

    def but(self, **options):
        """Return the case with some options replaced."""
        return replace(self, options=self.options | options)


def response(rng, family, eta):
    """Draw a response (n,) that has at least two values."""
    if family == "gaussian":
        return eta + rng.normal(size=eta.size)
    if family == "binomial":
        y = (rng.uniform(size=eta.size) < 1.0 / (1.0 + np.exp(-eta))).astype(float)
        y[:2] = 0.0, 1.0
        return y
    mu = np.exp(np.clip(eta, -3.0, 3.0))
    if family == "gamma":
        return rng.gamma(3.0, mu / 3.0) + 0.01
    if family == "negative_binomial":
        mu *= rng.gamma(2.0, 0.5, eta.size)
    y = rng.poisson(mu).astype(float)
    y[:2] = 0.0, 1.0
    return y * rng.gamma(2.0, 0.5, eta.size) if family == "tweedie" else y


def draw(seed, family, n_obs=60, n_features=6):
    """Return a well-conditioned case with weights and an offset."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_obs, n_features)) * rng.uniform(0.5, 2.0, n_features)
    X += rng.normal(size=n_features)
    coef = rng.normal(size=n_features) * (np.arange(n_features) < 3)
    offset = rng.normal(0.0, 0.3, n_obs)
    y = response(rng, family, offset + 0.5 * (X - X.mean(axis=0)) @ coef)
    options = {"offset": offset, "var_weights": rng.uniform(0.2, 2.0, n_obs)}
    return Case(y, X, family, options)


def strength(model):
    """Return a strength that keeps some columns and drops others."""
    return 0.1 * model.alpha_max(1.0)


def fit(model, alpha, l1_ratio):
    """Fit to a violation of ``TOL`` and insist on its certificate."""
    result = model.fit(alpha, l1_ratio, tol=TOL)
    assert result.converged
    return result


def assert_same_predictor(a, b):
    """Compare linear predictors relative to their largest value."""
    assert_allclose(a, b, rtol=0.0, atol=AGREE * np.abs(b).max())


@law()
def test_weight_two_equals_row_twice(family, l1_ratio, seed):
    case = draw(seed, family)
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 4, case.y.size)
    twice = case.take(np.repeat(np.arange(case.y.size), counts)).model()
    weighted = case.but(freq_weights=counts).model()
    alpha = strength(twice)

    a, b = fit(weighted, alpha, l1_ratio), fit(twice, alpha, l1_ratio)

    assert_same_predictor(np.repeat(a.linear_predictor, counts), b.linear_predictor)
    assert a.nobs == b.nobs
    assert a.llf == pytest.approx(b.llf, rel=AGREE)


@law()
def test_weight_zero_equals_row_absent_bit_for_bit(family, l1_ratio, seed):
    case = draw(seed, family)
    absent = np.random.default_rng(seed).uniform(size=case.y.size) < 0.3
    absent[:3] = False, False, True
    weights = np.where(absent, 0.0, case.options["var_weights"])
    zeroed, removed = case.but(var_weights=weights).model(), case.take(~absent).model()
    alpha = strength(removed)

    a, b = zeroed.fit(alpha, l1_ratio), removed.fit(alpha, l1_ratio)

    assert zeroed.alpha_max() == removed.alpha_max()
    assert_array_equal(a.params, b.params)
    assert (a.deviance, a.null_deviance) == (b.deviance, b.null_deviance)
    assert a.llf == pytest.approx(b.llf, rel=SAME_STEPS)


@law(shift=st.floats(-5.0, 5.0))
def test_constant_offset_shifts_the_intercept_only(family, l1_ratio, seed, shift):
    case = draw(seed, family)
    plain = case.model()
    moved = case.but(offset=case.options["offset"] + shift).model()
    alpha = strength(plain)

    a, b = fit(moved, alpha, l1_ratio), fit(plain, alpha, l1_ratio)

    assert_same_predictor(np.r_[a.intercept + shift, a.coef], b.params)


@every_mix
@given(seed=SEEDS)
@few
def test_rates_weighted_by_exposure_equal_counts_with_exposure(l1_ratio, seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(80, 5))
    time = rng.uniform(0.5, 4.0, 80)
    y = rng.poisson(time * np.exp(0.5 * X[:, 0])).astype(float)
    y[0] = 1.0
    counts = pg.PenalizedGLM(y, X, "poisson", exposure=time, standardize=False)
    rates = pg.PenalizedGLM(y / time, X, "poisson", var_weights=time, standardize=False)
    alpha = strength(rates)

    a = fit(rates, alpha, l1_ratio)
    # The loss is divided by the weight total, which is the time in one of the two.
    b = fit(counts, alpha * time.mean(), l1_ratio)

    assert_same_predictor(a.params, b.params)


def with_levels(seed, family):
    """Return a case whose last four columns are the levels of a factor, and codes."""
    case = draw(seed, family, n_features=7)
    codes = np.random.default_rng(seed).integers(0, 5, case.y.size)
    codes[:5] = np.arange(5)
    case.X[:, 3:] = codes[:, None] == np.arange(1, 5)
    return case, codes


def storages(X, codes):
    """Yield the same columns in every storage."""
    factor = Categorical(codes, 5, drop=0)
    yield from (sparse.csr_array(X), sparse.csc_matrix(X), sparse.coo_array(X))
    yield Split([Dense(X[:, :3]), factor])
    yield Split([Sparse(sparse.csc_array(X[:, :3])), factor])


@law()
def test_sparse_dense_categorical_and_split_agree(family, l1_ratio, seed):
    case, codes = with_levels(seed, family)
    dense = case.model()
    alpha = 0.2 * strength(dense)
    expected = fit(dense, alpha, l1_ratio).linear_predictor
    for X in storages(case.X, codes):
        found = fit(replace(case, X=X).model(), alpha, l1_ratio)
        assert_same_predictor(found.linear_predictor, expected)


@everywhere
@every_mix
def test_a_lone_factor_fits_as_its_indicators_do(family, l1_ratio):
    case, codes = with_levels(3, family)
    dense = replace(case, X=case.X[:, 3:]).model()
    factor = replace(case, X=Categorical(codes, 5, drop=0)).model()
    alpha = 0.2 * strength(dense)

    a, b = fit(factor, alpha, l1_ratio), fit(dense, alpha, l1_ratio)

    assert_same_predictor(a.linear_predictor, b.linear_predictor)


# c |b| is |c b|, but c b^2 is (sqrt(c) b)^2.
@everywhere
@pytest.mark.parametrize(("l1_ratio", "power"), [(1.0, 1.0), (0.0, 0.5)])
@given(seed=SEEDS, factor=st.floats(0.2, 5.0))
@few
def test_penalty_factor_equals_dividing_the_column(
    family, l1_ratio, power, seed, factor
):
    case = draw(seed, family)
    factors = np.ones(6)
    factors[1] = factor
    divided = case.X / factors**power
    alpha = strength(case.model(standardize=False))

    a = fit(case.model(penalty_factor=factors, standardize=False), alpha, l1_ratio)
    b = fit(replace(case, X=divided).model(standardize=False), alpha, l1_ratio)

    assert_same_predictor(a.coef * factors**power, b.coef)


@law()
def test_point_of_a_path_equals_a_cold_start(family, l1_ratio, seed):
    model = draw(seed, family).model()
    path = model.fit_path(n_alphas=10, alpha_min_ratio=1e-2, l1_ratio=l1_ratio, tol=TOL)
    for k in (1, 4, len(path) - 1):
        cold = fit(model, path.alphas[k], l1_ratio)
        assert_same_predictor(path[k].linear_predictor, cold.linear_predictor)


@law()
def test_orders_of_rows_and_columns_do_not_matter(family, l1_ratio, seed):
    case = draw(seed, family)
    rng = np.random.default_rng(seed)
    rows, columns = rng.permutation(case.y.size), rng.permutation(6)
    shuffled = case.take(rows)
    shuffled = replace(shuffled, X=shuffled.X[:, columns])
    alpha = strength(case.model())

    a, b = fit(shuffled.model(), alpha, l1_ratio), fit(case.model(), alpha, l1_ratio)

    assert_same_predictor(a.coef, b.coef[columns])
    assert_same_predictor(a.linear_predictor, b.linear_predictor[rows])


@law(powers=st.lists(st.integers(-30, 30), min_size=6, max_size=6))
def test_powers_of_two_on_columns_change_no_bit(family, l1_ratio, seed, powers):
    case = draw(seed, family)
    scale = np.ldexp(1.0, powers)
    scaled, plain = replace(case, X=case.X * scale).model(), case.model()
    alpha = strength(plain)

    a, b = scaled.fit(alpha, l1_ratio), plain.fit(alpha, l1_ratio)

    assert scaled.alpha_max(1.0) == plain.alpha_max(1.0)
    assert_array_equal(np.r_[a.intercept, a.coef * scale], b.params)


@law(power=st.integers(-30, 30))
def test_powers_of_two_on_weights_change_nothing(family, l1_ratio, seed, power):
    case = draw(seed, family)
    weights = np.ldexp(case.options["var_weights"], power)
    scaled, plain = case.but(var_weights=weights).model(), case.model()
    alpha = strength(plain)

    a, b = scaled.fit(alpha, l1_ratio), plain.fit(alpha, l1_ratio)

    assert scaled.alpha_max(1.0) == plain.alpha_max(1.0)
    if power % 2:  # a root of the weights is taken, which odd powers round anew
        # Steps that are no Newton steps leave small coefficients the rounding of large.
        beside = 0.0 if family in CANONICAL else np.abs(b.params).max()
        assert_allclose(a.params, b.params, rtol=SAME_STEPS, atol=SAME_STEPS * beside)
    else:
        assert_array_equal(a.params, b.params)


# The l1 part of a mix scales as y does, the l2 part not at all: no alpha keeps a mix.
@pytest.mark.parametrize("l1_ratio", [1.0, 0.0])
@given(seed=SEEDS, power=st.integers(-60, 60))
@few
def test_power_of_two_on_a_gaussian_response_changes_no_bit(l1_ratio, seed, power):
    case = draw(seed, "gaussian")
    unit = 2.0**power
    scaled = replace(case, y=case.y * unit).but(offset=case.options["offset"] * unit)
    alpha = strength(case.model())

    a = scaled.model().fit(alpha * unit**l1_ratio, l1_ratio)
    b = case.model().fit(alpha, l1_ratio)

    assert_array_equal(a.params / unit, b.params)
    assert scaled.model().alpha_max(1.0) == case.model().alpha_max(1.0) * unit


# A copy shares an l1 penalty for nothing; of a ridge penalty two halves cost half.
@everywhere
@pytest.mark.parametrize(("l1_ratio", "factor"), [(1.0, 1.0), (0.0, 2.0)])
@given(seed=SEEDS)
@few
def test_duplicated_column_keeps_the_fit(family, l1_ratio, factor, seed):
    case = draw(seed, family)
    alpha = strength(case.model())
    factors = np.array([factor, 1, 1, 1, 1, 1, factor])
    copied = replace(case, X=np.column_stack([case.X, case.X[:, 0]]))

    a = fit(copied.model(penalty_factor=factors), alpha, l1_ratio)
    b = fit(case.model(), alpha, l1_ratio)

    assert_same_predictor(a.linear_predictor, b.linear_predictor)
    assert a.certificate.objective == pytest.approx(b.certificate.objective, rel=AGREE)


@everywhere
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("factors", [(1.0,) * 6, (0.0, 2.0, 0.5, 1.0, 1.0, np.inf)])
def test_alpha_max_is_the_smallest_alpha_with_empty_support(
    family, l1_ratio, standardize, factors
):
    model = draw(11, family).model(
        standardize=standardize, penalty_factor=np.array(factors)
    )
    penalised = np.array(factors) > 0
    largest = model.alpha_max(l1_ratio)

    assert not model.fit(largest, l1_ratio).coef[penalised].any()
    assert model.fit(largest * (1 - 1e-3), l1_ratio).coef[penalised].any()


@law()
def test_objective_never_increases_along_irls(family, l1_ratio, seed):
    model = draw(seed, family).model()
    history = np.array(fit(model, strength(model), l1_ratio).solution.history)

    assert history.size >= 2
    assert np.all(np.diff(history) <= ROUNDING * np.abs(history[:-1]))


def stored_by_rows(X, folder):
    """Return the same values in containers that store them row by row."""
    wide = np.zeros((2 * X.shape[0], X.shape[1]))
    wide[::2] = X
    mapped = np.memmap(folder / "X.bin", dtype=float, mode="w+", shape=X.shape)
    mapped[:] = X
    locked = X.copy()
    locked.flags.writeable = False
    float32, swapped = X.astype(np.float32), X.astype(">f8")
    return X.tolist(), X.astype(object), swapped, wide[::2], mapped, locked, float32


def stored_by_columns(X):
    """Return the same values in containers that store them column by column."""
    columns = {f"x{j + 1}": X[:, j].copy() for j in range(X.shape[1])}
    table = pd.DataFrame(columns)
    kinds = [table, table.astype("Float64"), table.astype(object)]
    return *kinds, pl.DataFrame(columns), pa.table(columns)


@everywhere
@every_mix
def test_container_of_the_columns_changes_no_bit(family, l1_ratio, tmp_path):
    case = draw(13, family)
    # Values that float32 holds exactly, so that every container has the same ones.
    X = case.X.astype(np.float32).astype(float)
    alpha = strength(case.model())

    def params(X):
        return replace(case, X=X).model().fit(alpha, l1_ratio).params

    by_rows, by_columns = params(X), params(np.asfortranarray(X))
    for container in stored_by_rows(X, tmp_path):
        pd.testing.assert_series_equal(params(container), by_rows, check_exact=True)
    for container in stored_by_columns(X):
        pd.testing.assert_series_equal(params(container), by_columns, check_exact=True)
    # BLAS sums rows in another order where the columns are stored one after another.
    assert_allclose(by_columns, by_rows, rtol=SAME_STEPS)


@everywhere
def test_container_of_the_rows_changes_no_bit(family):
    case = draw(13, family)
    rows = [case.y, case.options["offset"], case.options["var_weights"]]
    alpha = strength(case.model())
    expected = case.model().fit(alpha).params
    for kind in (pd.Series, pl.Series, pa.array, list, lambda v: v.astype(">f8")):
        y, offset, weights = (kind(values) for values in rows)
        found = replace(case, y=y).but(offset=offset, var_weights=weights).model()
        assert_array_equal(found.fit(alpha).params, expected)
