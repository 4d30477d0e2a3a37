"""Coefficients from anywhere, judged by one certificate."""

import re

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.linear_model import Lasso

import penglm as pg
from penglm.exceptions import PenglmInputError
from penglm.families import LINKS, as_family
from penglm.judging import verify

N = 60
TOL = 1e-9
# What scikit-learn reaches at its tightest tolerance, in units of alpha.
PEER_TOL = 1e-6
# A residual this large no rounding explains.
WRONG = 1e-3
# A handful of roundings.
ROUNDING = 1e-12


def table():
    """Return a table with a response for each family, weights and exposures."""
    rng = np.random.default_rng(20261125)
    data = pd.DataFrame(rng.normal(size=(N, 3)), columns=["a", "b", "c"])
    data["g"] = np.resize(list("uvw"), N)
    data["w"], data["t"] = rng.uniform(0.3, 3.0, N), rng.uniform(1.0, 4.0, N)
    data["gaussian"] = data.a - data.b + rng.normal(size=N)
    data["binomial"] = (data.gaussian > 0.0).astype(float)
    data["poisson"] = rng.poisson(data.t * np.exp(0.5 * data.a)).astype(float)
    return data


DATA = table()
X = DATA[["a", "b", "c"]]
FAMILIES = ("gaussian", "binomial", "poisson")
everywhere = pytest.mark.parametrize("family", FAMILIES)


def certify(fit, y, columns=X, **options):
    return pg.certify(fit.coef, fit.intercept, y, columns, alpha=fit.alpha, **options)


def test_lasso_of_scikit_learn_is_certified():
    peer = Lasso(alpha=0.1, tol=1e-14, max_iter=100_000).fit(X, DATA.gaussian)
    found = pg.certify(
        peer.coef_, peer.intercept_, DATA.gaussian, X, alpha=0.1, standardize=False
    )
    assert found.kkt_residual <= PEER_TOL
    assert found.duality_gap <= PEER_TOL


@pytest.mark.parametrize("column", [0, 1, 2])
def test_perturbed_coefficient_is_flagged_and_its_column_named(column):
    peer = Lasso(alpha=0.1, tol=1e-14, max_iter=100_000).fit(X, DATA.gaussian)
    coef = peer.coef_.copy()
    coef[column] += 0.01
    found = pg.certify(
        coef, peer.intercept_, DATA.gaussian, X, alpha=0.1, standardize=False
    )
    assert found.kkt_residual > WRONG
    assert found.worst_column == column


OPTIONS = {
    "weights": {"var_weights": DATA.w},
    "counts": {"freq_weights": np.resize([1, 2, 3], N)},
    "offset": {"offset": DATA.w},
    "exposure": {"exposure": DATA.t, "family": "poisson"},
    "link": {"link": "sqrt", "family": "poisson"},
    "no intercept": {"fit_intercept": False},
    "raw scale": {"standardize": False},
    "factors": {"penalty_factor": [1.0, 0.0, 3.0]},
    "limits": {"lower": -0.1, "upper": 0.3},
}


@pytest.mark.parametrize("name", OPTIONS)
def test_every_option_of_the_model_belongs_to_the_claim(name):
    options = OPTIONS[name]
    y = DATA[options.get("family", "gaussian")] + 1.0
    fit = pg.PenalizedGLM(y, X, **options).fit(0.05, 0.7, tol=TOL)
    judged = certify(fit, y, l1_ratio=0.7, **options)
    assert judged == fit.certificate
    assert judged.kkt_residual <= TOL
    # Without the option the same numbers are the answer to another question.
    family = options.get("family", "gaussian")
    assert certify(fit, y, l1_ratio=0.7, family=family).kkt_residual > WRONG


@everywhere
def test_storage_of_the_columns_does_not_matter(family):
    y = DATA[family]
    fit = pg.PenalizedGLM(y, X, family).fit(0.05)
    expected = certify(fit, y, family=family)
    for columns in (X.to_numpy(), sparse.csr_array(X), pl.from_pandas(X)):
        found = certify(fit, y, columns, family=family)
        assert found.objective == pytest.approx(expected.objective, rel=ROUNDING)


def test_smaller_alpha_is_another_question():
    fit = pg.PenalizedGLM(DATA.gaussian, X).fit(0.2, tol=TOL)
    for alpha in (0.199, 0.201):
        found = pg.certify(fit.coef, fit.intercept, DATA.gaussian, X, alpha=alpha)
        assert found.kkt_residual > WRONG


IMPOSSIBLE = {
    "poisson": [("identity", -5.0), ("log", 800.0)],
    "binomial": [("identity", -5.0), ("identity", 1.5), ("log", 0.1)],
    "gaussian": [("inverse", -5.0), ("sqrt", -1.0), ("log", 800.0)],
}


@pytest.mark.parametrize(
    ("family", "link", "intercept"),
    [(family, *case) for family, cases in IMPOSSIBLE.items() for case in cases],
)
def test_means_that_cannot_be_are_never_certified(family, link, intercept):
    y = DATA[family].abs() + (family != "binomial")
    found = pg.certify(
        np.zeros(3), intercept, y, X, alpha=0.1, family=as_family(family, LINKS[link]())
    )
    assert found.objective == np.inf
    assert found.kkt_residual == np.inf


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", ["coef", "intercept"])
def test_number_that_is_not_finite_is_never_certified(value, place):
    coef, intercept = np.zeros(3), 0.0
    if place == "coef":
        coef[1] = value
    else:
        intercept = value
    found = pg.certify(coef, intercept, DATA.gaussian, X, alpha=0.1)
    assert found.kkt_residual == np.inf


@pytest.mark.parametrize(
    "coef", [np.zeros(2), np.zeros(4), 0.0, None, np.zeros((3, 2))]
)
def test_wrong_number_of_coefficients_is_refused(coef):
    size = np.asarray(coef, dtype=float).size
    text = f"coef has {size} values but X has 3 columns."
    with pytest.raises(PenglmInputError, match=f"^{re.escape(text)}$") as caught:
        pg.certify(coef, 0.0, DATA.gaussian, X, alpha=0.1)
    assert caught.value.argument == "coef"


UNUSABLE = {
    "alpha": {"alpha": -1.0},
    "l1_ratio": {"alpha": 0.1, "l1_ratio": 1.5},
    "endog": {"alpha": 0.1, "y": DATA.gaussian[:-1]},
    "coef": {"alpha": 0.1, "coef": ["a", 0.0, 0.0]},
}


@pytest.mark.parametrize("argument", UNUSABLE)
def test_claim_that_cannot_be_judged_is_refused_by_name(argument):
    given = {"coef": np.zeros(3), "y": DATA.gaussian} | UNUSABLE[argument]
    coef, y = given.pop("coef"), given.pop("y")
    with pytest.raises(PenglmInputError) as caught:
        pg.certify(coef, 0.0, y, X, **given)
    assert caught.value.argument == argument


def formula_fit(family):
    model = pg.glm(f"{family} ~ a + b + C(g)", DATA, family, var_weights="w")
    return model.fit(0.03, 0.8, tol=TOL)


CONTAINERS = {
    "pandas": lambda data: data,
    "reordered": lambda data: data[data.columns[::-1]],
    "polars": pl.from_pandas,
    "pyarrow": pa.Table.from_pandas,
}


@everywhere
@pytest.mark.parametrize("container", CONTAINERS)
def test_verify_says_the_same_on_the_same_table(family, container):
    fit = formula_fit(family)
    found = verify(fit, CONTAINERS[container](DATA))
    assert found.kkt_residual <= TOL
    assert found.objective == pytest.approx(fit.certificate.objective, rel=ROUNDING)


@everywhere
def test_verify_flags_another_table(family):
    other = DATA.assign(a=DATA.a + 0.3 * DATA.b)
    assert verify(formula_fit(family), other).kkt_residual > WRONG


@everywhere
@pytest.mark.parametrize("container", CONTAINERS)
def test_verify_knows_the_columns_of_arrays_by_name(family, container):
    fit = pg.PenalizedGLM(DATA[family], X, family).fit(0.03, tol=TOL)
    assert verify(fit, CONTAINERS[container](DATA)).kkt_residual <= TOL


BESIDE = {
    "var_weights": DATA.w.to_numpy(),
    "freq_weights": np.resize([1, 2, 3], N),
    "offset": DATA.w.to_numpy(),
    "exposure": DATA.t.to_numpy(),
}


@pytest.mark.parametrize("argument", BESIDE)
@pytest.mark.parametrize("door", ["formula", "arrays"])
def test_verify_never_judges_another_question_in_silence(argument, door):
    # The table does not hold what was passed as an array.
    given = {argument: BESIDE[argument]}
    if door == "formula":
        model = pg.glm("poisson ~ a + b + c", DATA, "poisson", **given)
    else:
        model = pg.PenalizedGLM(DATA.poisson, X, "poisson", **given)
    fit = model.fit(0.03, tol=TOL)
    try:
        found = verify(fit, DATA)
    except PenglmInputError as error:
        assert error.argument == argument
    else:
        assert found.kkt_residual <= TOL


def test_verify_of_an_infinite_strength_has_an_objective():
    fit = pg.glm("gaussian ~ a + b", DATA).fit(np.inf)
    assert verify(fit, DATA).objective == pytest.approx(
        fit.certificate.objective, rel=ROUNDING
    )


def test_verify_names_the_first_column_that_is_another(tmp_path):
    rng = np.random.default_rng(0)
    levels = np.resize([2, 10, 30], 60)
    data = pd.DataFrame({"y": rng.normal(size=60), "g": levels.astype(str)})
    fit = pg.PenalizedGLM.from_formula("y ~ C(g)", data).fit(0.01)
    fit.save(tmp_path / "model.json")
    other = data.assign(g=levels)
    with pytest.raises(PenglmInputError, match="levels are numbers in one and text"):
        verify(pg.load(tmp_path / "model.json"), other)


@pytest.mark.parametrize("absent", ["a", "gaussian"])
def test_verify_names_the_column_that_is_absent(absent):
    fit = pg.PenalizedGLM(DATA.gaussian, X).fit(0.1)
    text = f"the data has no column '{absent}', which the model needs."
    with pytest.raises(PenglmInputError, match=f"^{re.escape(text)}$") as caught:
        verify(fit, DATA.drop(columns=absent))
    assert caught.value.argument == absent


def test_verify_refuses_a_table_with_other_levels():
    fit = formula_fit("gaussian")
    with pytest.raises(PenglmInputError) as caught:
        verify(fit, DATA.assign(g=np.resize(list("uvwx"), N)))
    assert caught.value.argument is not None


def test_verify_changes_nothing():
    fit, before = formula_fit("poisson"), DATA.copy()
    coef = fit.coef.copy()
    verify(fit, DATA)
    pd.testing.assert_frame_equal(DATA, before)
    assert_array_equal(fit.coef, coef)
