"""Factors from a pilot fit are those of the definition, in every fold anew."""

import numpy as np
import pandas as pd
import pytest

import penglm as pg
from penglm.exceptions import PenglmInputError

FAMILIES = ("gaussian", "binomial", "poisson")
# The pilot is solved to a slope of 1e-5 of the null model's, which leaves coefficients
# a hundred times smaller than the largest three digits; a power multiplies the error.
DIGITS = 1e-3
# Two certified solutions of one problem: tol = 1e-10 on the KKT residual.
TIGHT = {"tol": 1e-10}
SAME = 1e-7


def simulated(family, n, p, seed=3):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) * np.geomspace(0.1, 10.0, p)
    eta = X[:, :3] @ (np.array([0.8, -0.8, 0.5]) / X[:, :3].std(axis=0))
    y = {
        "gaussian": lambda: eta + rng.normal(size=n),
        "binomial": lambda: rng.binomial(1, 1.0 / (1.0 + np.exp(-eta))),
        "poisson": lambda: rng.poisson(np.exp(eta)),
    }[family]()
    return y.astype(float), X


def maximum_likelihood(y, X, family):
    import statsmodels.api as sm

    kind = {
        "gaussian": sm.families.Gaussian,
        "binomial": sm.families.Binomial,
        "poisson": sm.families.Poisson,
    }[family]()
    return sm.GLM(y, sm.add_constant(X), family=kind).fit(tol=1e-12).params[1:]


@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("family", FAMILIES)
def test_factors_are_powers_of_the_maximum_likelihood_fit(family, gamma, standardize):
    y, X = simulated(family, 300, 6)
    model = pg.PenalizedGLM(y, X, family, standardize=standardize)
    fit = model.fit(0.05, penalty=pg.Adaptive(gamma=gamma))
    unit = X.std(axis=0) if standardize else 1.0
    expected = np.abs(maximum_likelihood(y, X, family) * unit) ** -gamma
    np.testing.assert_allclose(fit.spec.penalty_factor, expected, rtol=gamma * DIGITS)


# Columns multiplied by a pilot have units far apart; that is the algorithm.
@pytest.mark.filterwarnings("ignore::penglm.exceptions.ScalingWarning")
@pytest.mark.parametrize("family", FAMILIES)
def test_fit_is_the_lasso_of_columns_multiplied_by_the_pilot(family):
    """Zou (2006), section 3.5: the algorithm, without any penalty factor."""
    y, X = simulated(family, 300, 6)
    pilot = maximum_likelihood(y, X, family)
    fit = pg.PenalizedGLM(y, X, family, standardize=False).fit(
        0.01, penalty=pg.Adaptive(pilot=pilot), **TIGHT
    )
    scaled = pg.PenalizedGLM(y, X * np.abs(pilot), family, standardize=False)
    other = scaled.fit(0.01, **TIGHT)
    assert 0 < fit.n_nonzero < 6
    np.testing.assert_allclose(
        fit.coef, other.coef * np.abs(pilot), rtol=SAME, atol=SAME * np.abs(pilot).min()
    )


@pytest.mark.parametrize("shape", [(200, 8), (60, 150)], ids=["tall", "wide"])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
@pytest.mark.parametrize("family", FAMILIES)
def test_certificate_judges_with_the_factors_of_the_pilot(family, shape, l1_ratio):
    y, X = simulated(family, *shape)
    path = pg.PenalizedGLM(y, X, family).fit_path(
        n_alphas=8, alpha_min_ratio=0.05, l1_ratio=l1_ratio, penalty="adaptive"
    )
    assert path.converged
    fit = path[5]
    assert fit.n_nonzero > 0
    claim = {"alpha": fit.alpha, "l1_ratio": l1_ratio, "family": family}
    factor = fit.spec.penalty_factor
    judged = pg.certify(fit.coef, fit.intercept, y, X, penalty_factor=factor, **claim)
    assert judged.kkt_residual < 1e-5
    assert judged.duality_gap < 1e-5 * judged.objective
    plain = pg.certify(fit.coef, fit.intercept, y, X, **claim)
    assert plain.kkt_residual > 1e-2


@pytest.mark.parametrize("pilot", ["auto", "ridge"])
@pytest.mark.parametrize("family", FAMILIES)
def test_folds_learn_factors_from_the_rows_they_keep(family, pilot):
    y, X = simulated(family, 90, 5)
    penalty = pg.Adaptive(pilot=pilot)
    cv = pg.PenalizedGLM(y, X, family).fit_cv(
        3, penalty=penalty, n_alphas=6, alpha_min_ratio=0.05, select="min", **TIGHT
    )
    alpha = cv.alpha_best
    for k in range(3):
        kept, left = cv.fold != k, cv.fold == k
        model = pg.PenalizedGLM(y[kept], X[kept], family)
        fit = model.fit(alpha, penalty=penalty, **TIGHT)
        np.testing.assert_allclose(
            fit.predict(X[left]), cv.out_of_fold[left], rtol=SAME
        )
        factor = cv.spec.penalty_factor
        leaky = pg.PenalizedGLM(y[kept], X[kept], family, penalty_factor=factor)
        apart = leaky.fit(alpha, **TIGHT).predict(X[left]) - cv.out_of_fold[left]
        assert np.abs(apart).max() > 1e-4


def test_threads_do_not_change_the_scores():
    y, X = simulated("poisson", 120, 6)
    model = pg.PenalizedGLM(y, X, "poisson")
    one, two = (
        model.fit_cv(4, penalty="adaptive", n_alphas=8, n_jobs=jobs) for jobs in (1, 2)
    )
    np.testing.assert_array_equal(one.mean_score, two.mean_score)


def test_mixes_are_compared_under_one_pilot():
    y, X = simulated("gaussian", 120, 6)
    cv = pg.PenalizedGLM(y, X).fit_cv(
        4, l1_ratio=[0.5, 1.0], penalty="adaptive", n_alphas=8
    )
    assert sorted(cv.mean_score_by_l1_ratio) == [0.5, 1.0]
    assert cv.best.spec.penalty == "adaptive"


def test_ridge_pilot_is_the_ridge_fit_with_the_least_held_out_deviance():
    y, X = simulated("gaussian", 40, 60)
    model = pg.PenalizedGLM(y, X)
    factor = model.fit(1.0, penalty=pg.Adaptive(pilot="ridge")).spec.penalty_factor
    found = np.sort(1.0 / factor)
    fold = np.empty(40, dtype=int)
    fold[np.random.default_rng(0).permutation(40)] = np.arange(40) % 5
    alphas = model.alpha_max(0.0) * np.geomspace(1.0, 1e-6, 31)
    loss = np.zeros(31)
    for k in range(5):
        kept = fold != k
        for i, alpha in enumerate(alphas):
            intercept, coef = ridge_in_closed_form(y[kept], X[kept], alpha)
            loss[i] += np.sum((y[~kept] - intercept - X[~kept] @ coef) ** 2)
    assert 0 < loss.argmin() < 30
    _, coef = ridge_in_closed_form(y, X, alphas[loss.argmin()])
    np.testing.assert_allclose(
        found, np.sort(np.abs(coef * X.std(axis=0))), rtol=1e-3, atol=1e-4 * found.max()
    )


def ridge_in_closed_form(y, X, alpha):
    sd = X.std(axis=0)
    Z = (X - X.mean(axis=0)) / sd
    kernel = Z @ Z.T / y.size + alpha * np.eye(y.size)
    coef = Z.T @ np.linalg.solve(kernel, y - y.mean()) / y.size / sd
    return y.mean() - X.mean(axis=0) @ coef, coef


def separated():
    x = np.linspace(-1.0, 1.0, 40)
    rng = np.random.default_rng(0)
    return (x > 0).astype(float), np.column_stack([x, rng.normal(size=40)]), "binomial"


def dependent():
    y, X = simulated("gaussian", 80, 4)
    return y, np.column_stack([X, X[:, 0] + X[:, 1]]), "gaussian"


def wide():
    return *simulated("gaussian", 30, 40), "gaussian"


@pytest.mark.parametrize("data", [separated, dependent, wide])
def test_ridge_stands_in_where_no_unpenalised_fit_is_finite_and_unique(data):
    y, X, family = data()
    model = pg.PenalizedGLM(y, X, family)
    auto, ridge = (
        model.fit(0.05, penalty=pg.Adaptive(pilot=pilot)) for pilot in ("auto", "ridge")
    )
    np.testing.assert_array_equal(auto.spec.penalty_factor, ridge.spec.penalty_factor)
    with pytest.raises(PenglmInputError, match="no unique finite unpenalised fit"):
        model.fit(0.05, penalty=pg.Adaptive(pilot="unpenalised"))


def test_own_factors_multiply_and_free_and_excluded_columns_stay_so():
    y, X = simulated("gaussian", 200, 5)
    pilot = np.array([2.0, -0.5, 0.0, 4.0, 1.0])
    own = np.array([0.0, 3.0, 1.0, np.inf, 1.0])
    model = pg.PenalizedGLM(y, X, standardize=False, penalty_factor=own)
    fit = model.fit(0.1, penalty=pg.Adaptive(pilot=pilot))
    assert fit.spec.penalty_factor.tolist() == [0.0, 6.0, np.inf, np.inf, 1.0]
    assert fit.coef[2] == fit.coef[3] == 0.0
    assert fit.coef[0] != 0.0
    assert fit.converged
    assert own.tolist() == [0.0, 3.0, 1.0, np.inf, 1.0]


def test_pilot_with_labels_goes_by_name():
    y, X = simulated("gaussian", 60, 4)
    model = pg.PenalizedGLM(y, pd.DataFrame(X, columns=list("abcd")))
    pilot = pd.Series([2.0, -0.5, 0.1, 4.0], index=list("abcd"))
    expected = model.fit(0.1, penalty=pg.Adaptive(pilot=pilot.to_numpy()))
    for given in (pilot, pilot[::-1], pilot[::-1].to_dict()):
        fit = model.fit(0.1, penalty=pg.Adaptive(pilot=given))
        np.testing.assert_array_equal(fit.coef, expected.coef)
    with pytest.raises(PenglmInputError, match=r"pilot\[3\] = nan \(column 'd'\)"):
        model.fit(0.1, penalty=pg.Adaptive(pilot=pilot[:3]))


def test_pilot_of_zeros_leaves_the_null_model():
    y, X = simulated("gaussian", 50, 4)
    path = pg.PenalizedGLM(y, X).fit_path(penalty=pg.Adaptive(pilot=np.zeros(4)))
    assert not path.n_nonzero.any()
    assert path[0].intercept == pytest.approx(y.mean(), rel=1e-12)


def test_limits_hold_in_pilot_and_fit():
    y, X = simulated("gaussian", 200, 5)
    fit = pg.PenalizedGLM(y, X, lower=0.0).fit(0.01, penalty="adaptive")
    assert np.isinf(fit.spec.penalty_factor[1])
    assert (fit.coef >= 0.0).all()
    assert fit.converged


def test_units_of_a_column_do_not_matter():
    y, X = simulated("poisson", 200, 5)
    units = np.array([1e-3, 1.0, 10.0, 1e4, 0.5])
    here, there = (
        pg.PenalizedGLM(y, Z, "poisson").fit(0.05, penalty="adaptive", **TIGHT)
        for Z in (X, X * units)
    )
    np.testing.assert_allclose(there.coef * units, here.coef, rtol=1e-5)


def test_row_of_weight_zero_says_nothing():
    y, X = simulated("gaussian", 100, 4)
    weight = np.ones(100)
    weight[:20] = 0.0
    with_zeros = pg.PenalizedGLM(y, X, var_weights=weight)
    without = pg.PenalizedGLM(y[20:], X[20:])
    one, two = (m.fit(0.05, penalty="adaptive", **TIGHT) for m in (with_zeros, without))
    np.testing.assert_allclose(one.coef, two.coef, rtol=1e-9)


def test_budget_is_spent_on_the_adaptive_cost():
    y, X = simulated("gaussian", 200, 6)
    model = pg.PenalizedGLM(y, X)
    fit = model.fit(budget=1.5, penalty="adaptive")
    cost = fit.spec.penalty_factor @ np.abs(fit.coef * X.std(axis=0))
    assert cost == pytest.approx(1.5, rel=1e-8)


def test_saved_model_keeps_the_factors_and_is_verified(tmp_path):
    import pandas as pd

    from penglm.judging import verify

    y, X = simulated("poisson", 200, 4)
    table = pd.DataFrame(X, columns=list("abcd")).assign(y=y)
    fit = pg.glm("y ~ a + b + c + d", table, "poisson").fit(0.05, penalty="adaptive")
    fit.save(tmp_path / "model.json")
    again = pg.load(tmp_path / "model.json")
    assert again.spec.penalty == "adaptive"
    np.testing.assert_array_equal(again.spec.penalty_factor, fit.spec.penalty_factor)
    assert verify(again, table).kkt_residual < 1e-5
    assert "adaptive" in str(fit.summary())


@pytest.mark.parametrize(
    ("make", "argument", "says"),
    [
        (lambda: pg.Adaptive(gamma=0.0), "gamma", "must be positive"),
        (lambda: pg.Adaptive(gamma=np.nan), "gamma", "must be positive"),
        (lambda: pg.Adaptive(pilot="lasso"), "pilot", "'unpenalised', 'ridge'"),
        (lambda: fitted(pg.Adaptive(pilot=[1.0, 2.0])), "pilot", "leave the intercept"),
        (
            lambda: fitted(pg.Adaptive(pilot=[1.0, 2.0, np.nan])),
            "pilot",
            r"pilot\[2\] = nan \(column 'x3'\)",
        ),
        (lambda: fitted("adaptive_lasso"), "penalty", "elastic_net, adaptive"),
        (
            lambda: pg.certify(
                np.zeros(2), 0.0, [0, 1, 2], np.eye(3)[:, :2], alpha=1.0,
                penalty="adaptive",
            ),
            "penalty_factor",
            "fit.spec.penalty_factor",
        ),
    ],
)  # fmt: skip
def test_bad_input_is_named(make, argument, says):
    with pytest.raises(PenglmInputError, match=says) as caught:
        make()
    assert caught.value.argument == argument


def fitted(penalty):
    y, X = simulated("gaussian", 50, 3)
    return pg.PenalizedGLM(y, X).fit(0.1, penalty=penalty)


def test_too_few_rows_for_a_ridge_pilot_are_told():
    model = pg.PenalizedGLM([0, 0, 0, 1.0], np.arange(8.0).reshape(4, 2), "binomial")
    with pytest.raises(PenglmInputError, match="ridge pilot of the adaptive penalty"):
        model.fit(0.1, penalty=pg.Adaptive(pilot="ridge"))


def test_chosen_fit_to_diabetes_data_is_no_larger_than_that_of_the_lasso(shared):
    import pandas as pd

    table = pd.read_csv(shared / "data" / "diabetes.csv")
    model = pg.PenalizedGLM(table["y"], table.drop(columns="y"))
    plain, adaptive = model.fit_cv(), model.fit_cv(penalty="adaptive")
    assert adaptive.best.converged
    assert 0 < adaptive.best.n_nonzero <= plain.best.n_nonzero


def test_unknown_parameter_beside_a_pilot_is_refused():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(60, 3))
    model = pg.PenalizedGLM(
        rng.negative_binomial(2, 0.4, 60), X,
        pg.families.NegativeBinomial(theta="estimate"),
    )  # fmt: skip
    for fit in (model.fit_path, model.fit_cv, lambda **how: model.fit(0.1, **how)):
        with pytest.raises(PenglmInputError, match="needs a known theta"):
            fit(penalty="adaptive")
