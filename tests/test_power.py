"""The power of a Tweedie model, estimated with the fit and its dispersion."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from scipy.special import gammaln, logsumexp

import penglm as pg
from penglm.exceptions import NoFiniteSolutionError, PenglmInputError
from penglm.families import Tweedie
from penglm.families.compound import log_terms

KNOWN = json.loads(
    (Path(__file__).parent / "reference" / "tweedie" / "problems.json").read_text()
)
N, P = 300, 4
ESTIMATE = Tweedie(power="estimate")


def draw(power=1.6, dispersion=1.5, seed=0, n_rows=N):
    """Return sums of gamma amounts, Poisson many of them, and columns."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, P))
    mu = np.exp(1.0 + 0.5 * X[:, 0] - 0.3 * X[:, 1])
    counts = rng.poisson(mu ** (2.0 - power) / (dispersion * (2.0 - power)))
    shape = np.maximum(counts, 1) * (2.0 - power) / (power - 1.0)
    amount = rng.gamma(shape, dispersion * (power - 1.0) * mu ** (power - 1.0))
    return np.where(counts > 0, amount, 0.0), X


def highest(fit, power):
    """Return the likelihood of the fit's means at a power, largest over dispersions."""
    data, mu = fit.data, fit.fittedvalues
    used = data.sample_weight > 0
    rows = data.y[used], mu[used], data.sample_weight[used]
    sizes = fit.dispersion("likelihood") * np.exp(np.linspace(-0.3, 0.3, 61))
    family = Tweedie(power=power)
    counts = data.freq_weights[used]
    return max(family.log_likelihood(*rows, size, counts) for size in sizes)


@pytest.mark.parametrize("known", KNOWN["fits"], ids=lambda known: str(known["power"]))
def test_unpenalised_fit_has_the_power_of_mgcv(known):
    y, X = np.array(known["y"]), np.array(KNOWN["X"])
    model = pg.PenalizedGLM(y, X, ESTIMATE, var_weights=known["weight"])
    fit = model.fit(0.0, tol=1e-10)
    assert fit.spec.family.power == pytest.approx(known["power"], rel=1e-6)
    dispersion = fit.dispersion("likelihood")
    assert dispersion == pytest.approx(known["dispersion"], rel=1e-6)
    found = fit.log_likelihood(dispersion)
    assert found == pytest.approx(known["log_likelihood"], rel=1e-10)
    assert_allclose(fit.params, known["coef"], rtol=1e-5)


@pytest.mark.parametrize("alpha", [0.0, 0.1])
@pytest.mark.parametrize(("power", "dispersion"), [(1.2, 1.0), (1.6, 1.5), (1.6, 0.02)])
def test_no_power_near_by_is_likelier_and_the_fit_is_optimal(alpha, power, dispersion):
    y, X = draw(power, dispersion)
    fit = pg.PenalizedGLM(y, X, ESTIMATE).fit(alpha, tol=1e-9)
    found = fit.spec.family.power
    best = fit.log_likelihood(fit.dispersion("likelihood"))
    for step in (-0.01, -0.003, 0.003, 0.01):
        assert highest(fit, found + step) < best
    held = pg.certify(
        fit.coef, fit.intercept, y, X, alpha=alpha, family=Tweedie(power=found)
    )
    assert held.kkt_residual < 1e-8


def test_true_power_is_found_among_many_rows():
    y, X = draw(1.5, 1.0, n_rows=4_000)
    fit = pg.PenalizedGLM(y, X, ESTIMATE).fit(0.0)
    assert fit.spec.family.power == pytest.approx(1.5, rel=0.02)


def test_unit_of_the_response_does_not_matter():
    y, X = draw()
    alpha, unit = 0.1, 2.0**10
    fit = pg.PenalizedGLM(y, X, ESTIMATE).fit(alpha)
    power = fit.spec.family.power
    scaled = pg.PenalizedGLM(unit * y, X, ESTIMATE).fit(alpha * unit ** (2.0 - power))
    assert scaled.spec.family.power == pytest.approx(power, rel=1e-6)
    assert_allclose(scaled.coef, fit.coef, rtol=1e-4)


@pytest.mark.parametrize("power", [1.0001, 1.005, 1.02, 1.1, 1.19, 1.21, 1.6])
@pytest.mark.parametrize("dispersion", [3.0, 0.1, 1e-3, 1e-5])
def test_density_is_that_of_a_poisson_number_of_gamma_amounts(power, dispersion):
    mu, shape = 2.0, (2.0 - power) / (power - 1.0)
    y = mu * np.array([0.9, 0.97, 1.0, 1.05])
    rate = mu ** (2.0 - power) / ((2.0 - power) * dispersion)
    reach = 40.0 * np.sqrt(rate) + 80.0
    k = np.arange(max(1.0, np.floor(0.9 * rate - reach)), 1.1 * rate + reach)
    scale = dispersion * (power - 1.0) * mu ** (power - 1.0)
    amounts = stats.gamma.logpdf(y[:, None], k * shape, scale=scale)
    expected = logsumexp(stats.poisson.logpmf(k, rate) + amounts, axis=1)
    for one, known in zip(y, expected, strict=True):
        row = np.array([one]), np.array([mu]), np.ones(1)
        found = Tweedie(power=power).log_likelihood(*row, dispersion)
        # Both are differences of numbers about as large as rate and its logarithm.
        size = rate * (1.0 + abs(np.log(rate))) * max(shape, 1.0)
        assert abs(found - known) <= 1e-14 * size + 1e-12 * abs(known)


def test_a_bell_narrower_than_one_is_summed_about_its_largest_term():
    shape, k = 1e4, np.arange(1.0, 50.0)
    for best in (0.5, 1.2, 1.9, 2.5, 7.99):
        log_x = (1.0 + shape) * np.log(best) + shape * np.log(shape)
        known = logsumexp(k * log_x - gammaln(k + 1.0) - gammaln(k * shape))
        found = log_terms(shape, np.array([log_x]))
        assert_allclose(found, known, rtol=0.0, atol=1e-15 * 10.0 * log_x)


@pytest.mark.parametrize("unit", [1e-6, 1e6])
def test_unit_of_the_variance_weights_does_not_matter(unit):
    y, X = draw()
    weight = np.random.default_rng(1).uniform(0.5, 2.0, N)
    one, other = (
        pg.PenalizedGLM(y, X, ESTIMATE, var_weights=by * weight).fit(0.1).spec.family
        for by in (1.0, unit)
    )
    assert other.power == pytest.approx(one.power, rel=1e-6)


def test_rows_repeated_are_rows_with_counts_and_variance_weights_are_not():
    y, X = draw()
    often = np.resize([1, 2, 3, 0], N)
    places = np.repeat(np.arange(N), often)
    expected = pg.PenalizedGLM(y[places], X[places], ESTIMATE).fit(0.05, tol=1e-9)
    found = pg.PenalizedGLM(y, X, ESTIMATE, freq_weights=often).fit(0.05, tol=1e-9)
    power = expected.spec.family.power
    assert found.spec.family.power == pytest.approx(power, rel=1e-7)
    other = pg.PenalizedGLM(y, X, ESTIMATE, var_weights=often).fit(0.05)
    assert abs(other.spec.family.power - power) > 1e-4


def test_path_folds_and_files_hold_one_power(tmp_path):
    y, X = draw()
    model = pg.PenalizedGLM(y, X, ESTIMATE)
    path = model.fit_path(n_alphas=20)
    power = path.spec.family.power
    held = pg.PenalizedGLM(y, X, Tweedie(power=power)).fit_path(n_alphas=20)
    assert_array_equal(path.coef, held.coef)
    chosen = model.fit_cv(3, n_alphas=20)
    assert chosen.spec.family.power == power
    chosen.best.save(tmp_path / "model.json")
    loaded = pg.load(tmp_path / "model.json")
    assert loaded.spec.family.power == power
    assert "Family's power" in str(loaded.summary())
    assert "(estimated with the fit)" in str(loaded.summary())
    assert chosen.best.aic == pytest.approx(
        2.0 * (chosen.best.n_nonzero + 2 - chosen.best.llf), rel=1e-12
    )


def test_amounts_without_zeros_are_told_to_be_gamma():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(N, P))
    y = rng.gamma(2.0, np.exp(X[:, 0]))
    with pytest.raises(NoFiniteSolutionError, match="Use family='gamma'"):
        pg.PenalizedGLM(y, X, ESTIMATE).fit(0.05)


def test_a_fit_that_leaves_nothing_over_has_no_power():
    X = np.linspace(-1.0, 1.0, 30)[:, None]
    with pytest.raises(NoFiniteSolutionError, match="leaves nothing over"):
        pg.PenalizedGLM(np.full(30, 2.0), X, ESTIMATE).fit(0.1)


@pytest.mark.parametrize("power", ["guess", 1.0, 2.0, 3.0, float("nan")])
def test_other_powers_are_refused(power):
    with pytest.raises(PenglmInputError, match="or be 'estimate'") as caught:
        Tweedie(power=power)
    assert caught.value.argument == "power"
