"""The certificate against its definition, computed anew in extended precision."""

import re
from dataclasses import dataclass

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose
from sklearn.linear_model import ElasticNet, Lasso, LogisticRegression, PoissonRegressor

import penglm as pg
from penglm.exceptions import PenglmInputError

FAMILIES = ("gaussian", "binomial", "poisson")
MIXES = (1.0, 0.5, 0.0)
LONG = np.longdouble
# Sums of a hundred numbers of size one in double precision.
ROUNDING = 1e-13
# The same, in units of a threshold of a thousandth or more.
ROUNDED_RESIDUAL = 1e-9
# Below this an extended-precision point counts as the optimum itself.
EXACT = 1e-14
# What scikit-learn reaches at its tightest tolerances, in units of alpha.
PEER_TOL = 1e-5

everywhere = pytest.mark.parametrize("family", FAMILIES)
every_mix = pytest.mark.parametrize("l1_ratio", MIXES)
either_scale = pytest.mark.parametrize("standardize", [True, False])


@dataclass(frozen=True)
class Case:
    """Data of a penalised model, in extended precision where the test computes."""

    y: np.ndarray
    X: np.ndarray
    family: str
    offset: np.ndarray
    weight: np.ndarray
    factor: np.ndarray
    standardize: bool = True

    @property
    def options(self):
        return {
            "offset": self.offset,
            "var_weights": self.weight,
            "penalty_factor": self.factor,
            "standardize": self.standardize,
        }

    def model(self):
        return pg.PenalizedGLM(self.y, self.X, self.family, **self.options)

    def certify(self, intercept, coef, alpha, l1_ratio):
        return pg.certify(
            coef, intercept, self.y, self.X, alpha=alpha, l1_ratio=l1_ratio,
            family=self.family, **self.options,
        )  # fmt: skip

    def sd(self):
        X, share = LONG(self.X), LONG(self.weight) / LONG(self.weight).sum()
        return np.sqrt(share @ (X - share @ X) ** 2)

    def penalised_scale(self):
        return self.sd() if self.standardize else np.ones(self.X.shape[1], dtype=LONG)

    def l1(self, alpha, l1_ratio):
        return LONG(alpha) * LONG(l1_ratio) * self.factor * self.penalised_scale()

    def l2(self, alpha, l1_ratio):
        mix = 1 - LONG(l1_ratio)
        return LONG(alpha) * mix * self.factor * self.penalised_scale() ** 2

    def eta(self, intercept, coef):
        return LONG(self.offset) + LONG(intercept) + LONG(self.X) @ LONG(coef)

    def mean(self, eta):
        if self.family == "gaussian":
            return eta
        mu = np.exp(eta)
        return mu if self.family == "poisson" else mu / (1 + mu)

    def objective(self, intercept, coef, alpha, l1_ratio):
        y, eta = LONG(self.y), self.eta(intercept, coef)
        if self.family == "gaussian":
            loss = (y - eta) ** 2 / 2
        elif self.family == "binomial":
            loss = np.log1p(np.exp(eta)) - y * eta
        else:
            mu, positive = np.exp(eta), np.where(y > 0, y, 1)
            loss = y * (np.log(positive) - eta) - (y - mu)
        mean = LONG(self.weight) @ loss / LONG(self.weight).sum()
        l1, l2 = self.l1(alpha, l1_ratio), self.l2(alpha, l1_ratio)
        return mean + l1 @ np.abs(coef) + l2 @ LONG(coef) ** 2 / 2

    def score(self, intercept, coef):
        """Return minus the derivatives of the loss: of the intercept, of the coefs."""
        share = LONG(self.weight) / LONG(self.weight).sum()
        row = share * (LONG(self.y) - self.mean(self.eta(intercept, coef)))
        X = LONG(self.X)
        return row.sum(), (X - share @ X).T @ row

    def null_slope(self):
        """Return the largest slope of a standardised column beside an intercept."""
        zero, intercept = np.zeros(self.X.shape[1]), LONG(0)
        share = LONG(self.weight) / LONG(self.weight).sum()
        for _ in range(50):
            slope, score = self.score(intercept, zero)
            mu = self.mean(self.eta(intercept, zero))
            variance = {"gaussian": 1, "poisson": mu, "binomial": mu * (1 - mu)}
            intercept += slope / (share @ (variance[self.family] * np.ones_like(mu)))
        return np.abs(score / self.sd()).max()

    def residual(self, intercept, coef, alpha, l1_ratio):
        """Return the violation of the optimality conditions, as Certificate has it."""
        slope, score = self.score(intercept, coef)
        l1, unit = self.l1(alpha, l1_ratio), self.null_slope()
        signal = score - self.l2(alpha, l1_ratio) * coef
        distance = np.where(
            coef != 0,
            np.abs(signal - l1 * np.sign(coef)),
            np.maximum(np.abs(signal) - l1, 0),
        )
        threshold = self.l1(alpha, l1_ratio)
        pull = self.l2(alpha, l1_ratio) / self.sd() ** 2
        ridge = np.where(pull > 0, np.minimum(pull, 1.0), 1.0)
        units = np.where(threshold > 0, threshold, unit * self.sd() * ridge)
        return float(max((distance / units).max(), abs(slope) / unit))


def draw(seed, family, standardize=True, free=()):
    """Return a case with weights, offset, factors and columns of unequal scale."""
    rng = np.random.default_rng(seed)
    X = rng.normal(1.0, 1.0, (80, 7)) * np.array([1, 2, 0.5, 1, 3, 1, 1])
    offset = rng.normal(0.0, 0.3, 80)
    eta = offset + 0.7 * (X[:, 0] - 1) - 0.4 * (X[:, 1] - 2)
    if family == "gaussian":
        y = eta + rng.normal(size=80)
    elif family == "binomial":
        y = (rng.uniform(size=80) < 1 / (1 + np.exp(-eta))).astype(float)
    else:
        y = rng.poisson(np.exp(eta)).astype(float)
    factor = rng.uniform(0.5, 2.0, 7)
    factor[list(free)] = 0.0
    return Case(y, X, family, offset, rng.uniform(0.3, 2, 80), factor, standardize)


def fitted(case, l1_ratio, tol=1e-5):
    """Return a strength that leaves some columns out, and the fit there."""
    model = case.model()
    alpha = 0.1 * model.alpha_max(1.0)
    return alpha, model.fit(alpha, l1_ratio, tol=tol)


def exact_optimum(case, fit, alpha, l1_ratio):
    """Return the minimum: Newton steps on the support, summed in extended precision."""
    X = np.column_stack([np.ones(case.y.size), case.X[:, fit.support]])
    point = LONG(np.r_[fit.intercept, fit.coef[fit.support]])
    share = LONG(case.weight) / LONG(case.weight).sum()
    l2 = np.r_[0.0, case.l2(alpha, l1_ratio)[fit.support]]
    l1 = np.r_[0.0, case.l1(alpha, l1_ratio)[fit.support]] * np.sign(point)
    coef = np.zeros(case.X.shape[1], dtype=LONG)
    for _ in range(60):
        mu = case.mean(LONG(case.offset) + LONG(X) @ point)
        slope = LONG(X).T @ (share * (case.y - mu)) - l1 - l2 * point
        variance = {"gaussian": 1.0, "poisson": mu, "binomial": mu * (1 - mu)}
        weight = share * variance[case.family]
        hessian = np.asarray((X.T * weight) @ X + np.diag(l2), dtype=float)
        point = point + np.linalg.solve(hessian, slope.astype(float))
    coef[fit.support] = point[1:]
    assert case.residual(point[0], coef, alpha, l1_ratio) <= EXACT
    return case.objective(point[0], coef, alpha, l1_ratio)


@everywhere
@every_mix
@either_scale
@pytest.mark.parametrize("free", [(), (0, 3)])
def test_certificate_of_a_fit_is_what_its_definition_says(
    family, l1_ratio, standardize, free
):
    case = draw(1, family, standardize, free)
    alpha, fit = fitted(case, l1_ratio)
    point = fit.intercept, fit.coef

    residual = case.residual(*point, alpha, l1_ratio)
    objective = float(case.objective(*point, alpha, l1_ratio))

    assert residual <= 1e-5
    assert_allclose(fit.certificate.kkt_residual, residual, atol=ROUNDED_RESIDUAL)
    assert_allclose(fit.certificate.objective, objective, rtol=ROUNDING)


@everywhere
@every_mix
@either_scale
@pytest.mark.parametrize("size", [1e-6, 1e-3, 1.0])
def test_certificate_of_any_point_is_what_its_definition_says(
    family, l1_ratio, standardize, size
):
    case = draw(2, family, standardize, free=(2,))
    alpha, fit = fitted(case, l1_ratio)
    rng = np.random.default_rng(3)
    coef = fit.coef + size * rng.normal(size=7)
    intercept = fit.intercept + size * rng.normal()

    certificate = case.certify(intercept, coef, alpha, l1_ratio)

    residual = case.residual(intercept, coef, alpha, l1_ratio)
    assert_allclose(certificate.kkt_residual, residual, rtol=ROUNDED_RESIDUAL)
    objective = float(case.objective(intercept, coef, alpha, l1_ratio))
    assert_allclose(certificate.objective, objective, rtol=ROUNDING)


@everywhere
@every_mix
@pytest.mark.parametrize("column", range(7))
def test_coefficient_changed_by_a_thousandth_gets_a_large_residual(
    family, l1_ratio, column
):
    case = draw(4, family)
    alpha, fit = fitted(case, l1_ratio)
    coef = fit.coef.copy()
    coef[column] += 1e-3 * np.abs(coef).max()

    assert fit.certificate.kkt_residual <= 1e-5
    assert case.certify(fit.intercept, coef, alpha, l1_ratio).kkt_residual > 1e-3


@everywhere
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
def test_wrong_intercept_is_reported_as_such(family, l1_ratio):
    case = draw(5, family)
    alpha = 2.0 * case.model().alpha_max(l1_ratio)
    null = case.model().fit(alpha, l1_ratio)
    assert not null.support.size

    certificate = case.certify(null.intercept + 0.01, null.coef, alpha, l1_ratio)

    assert certificate.worst_column == -1
    assert certificate.kkt_residual > 1e-3


@everywhere
@every_mix
@pytest.mark.parametrize("free", [(), (0, 3)])
def test_duality_gap_bounds_the_distance_to_the_minimum(family, l1_ratio, free):
    case = draw(6, family, free=free)
    alpha, fit = fitted(case, l1_ratio)
    minimum = exact_optimum(case, fit, alpha, l1_ratio)
    rng = np.random.default_rng(7)
    for size in (0.0, 1e-6, 1e-4, 1e-2):
        coef = fit.coef + size * rng.normal(size=7)
        intercept = fit.intercept + size * rng.normal()
        excess = float(case.objective(intercept, coef, alpha, l1_ratio) - minimum)
        gap = case.certify(intercept, coef, alpha, l1_ratio).duality_gap
        assert gap >= excess - ROUNDING * float(minimum)


@everywhere
@every_mix
def test_duality_gap_closes_at_the_minimum(family, l1_ratio):
    case = draw(8, family)
    _, fit = fitted(case, l1_ratio, tol=1e-9)
    assert 0.0 <= fit.certificate.duality_gap <= 1e-9 * fit.certificate.objective


@everywhere
def test_unpenalised_fit_has_a_gap_too(family):
    case = draw(9, family)
    fit = case.model().fit(0.0)
    minimum = exact_optimum(case, fit, 0.0, 1.0)
    excess = fit.certificate.objective - float(minimum)
    bound = fit.certificate.duality_gap + ROUNDING * float(minimum)
    assert excess <= bound <= 1e-9


@everywhere
@pytest.mark.parametrize("alpha", [0.0, 0.05])
def test_duality_gap_closes_where_limits_hold_columns_back_that_cost_nothing(
    family, alpha
):
    case = draw(11, family, free=(0, 3))
    open_fit = case.model().fit(alpha)
    limits = {"lower": 0.5 * np.minimum(open_fit.coef, 0.0), "upper": np.inf}
    limits["upper"] = np.where(open_fit.coef > 0, 0.4 * open_fit.coef, 1.0)
    model = pg.PenalizedGLM(case.y, case.X, family, **case.options, **limits)
    fit = model.fit(alpha, tol=1e-10)
    assert np.isin(fit.coef[[0, 3]], [*limits["lower"], *limits["upper"]]).all()
    best = fit.certificate.objective
    assert 0.0 <= fit.certificate.duality_gap <= 1e-9 * best
    rng = np.random.default_rng(12)
    for size in (1e-6, 1e-4, 1e-2):
        coef = fit.coef + size * rng.normal(size=7)
        claim = pg.certify(
            np.clip(coef, limits["lower"], limits["upper"]), fit.intercept, case.y,
            case.X, alpha=alpha, family=family, **case.options, **limits,
        )  # fmt: skip
        gap = np.inf if claim.duality_gap is None else claim.duality_gap
        assert gap >= claim.objective - best - ROUNDING * best


@everywhere
@every_mix
def test_certify_agrees_with_the_fit_on_its_own_coefficients(family, l1_ratio):
    case = draw(10, family)
    alpha, fit = fitted(case, l1_ratio)
    certificate = case.certify(fit.intercept, fit.coef, alpha, l1_ratio)
    assert certificate == fit.certificate


PEERS = {
    "Lasso": (Lasso(alpha=0.1, tol=1e-14, max_iter=100_000), "gaussian", 0.1, 1.0),
    "ElasticNet": (
        ElasticNet(alpha=0.2, l1_ratio=0.3, tol=1e-14, max_iter=100_000),
        "gaussian", 0.2, 0.3,
    ),
    "PoissonRegressor": (
        PoissonRegressor(alpha=0.2, tol=1e-12, solver="newton-cholesky"),
        "poisson", 0.2, 0.0,
    ),
    "LogisticRegression": (
        LogisticRegression(C=1 / (80 * 0.05), tol=1e-12, solver="newton-cholesky"),
        "binomial", 0.05, 0.0,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PEERS)
def test_certify_accepts_what_scikit_learn_found(name):
    estimator, family, alpha, l1_ratio = PEERS[name]
    case = draw(11, family)
    estimator.fit(case.X, case.y)
    certificate = pg.certify(
        estimator.coef_, float(np.ravel(estimator.intercept_)[0]), case.y, case.X,
        alpha=alpha, l1_ratio=l1_ratio, family=family, standardize=False,
    )  # fmt: skip
    assert certificate.kkt_residual < PEER_TOL


@everywhere
def test_certify_accepts_maximum_likelihood_of_statsmodels(family):
    case = draw(12, family)
    peer = getattr(sm.families, family.capitalize())()
    fit = sm.GLM(
        case.y, sm.add_constant(case.X), peer, offset=case.offset,
        var_weights=case.weight,
    ).fit(tol=1e-14)  # fmt: skip
    certificate = case.certify(fit.params[0], fit.params[1:], 0.0, 1.0)
    assert certificate.kkt_residual < PEER_TOL


def test_coefficient_beyond_its_limit_is_no_solution():
    case = draw(13, "gaussian")
    coef = np.zeros(7)
    coef[1] = 0.5
    certificate = pg.certify(coef, 0.0, case.y, case.X, alpha=0.1, upper=0.4)
    assert certificate.kkt_residual == np.inf
    assert certificate.worst_column == 1


def test_certify_refuses_a_wrong_number_of_coefficients():
    case = draw(14, "gaussian")
    text = "coef has 3 values but X has 7 columns."
    with pytest.raises(PenglmInputError, match=f"^{re.escape(text)}$") as caught:
        pg.certify(np.zeros(3), 0.0, case.y, case.X, alpha=0.1)
    assert caught.value.argument == "coef"


def test_loss_that_is_not_convex_is_only_called_stationary():
    case = draw(15, "poisson")
    model = pg.PenalizedGLM(case.y + 0.1, case.X, "gaussian", link="log")
    certificate = model.fit(0.5 * model.alpha_max()).certificate
    assert not certificate.is_convex
    assert certificate.duality_gap is None
    assert str(certificate).startswith("stationary to ")
