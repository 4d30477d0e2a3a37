"""Unpenalised fits of real data are statsmodels' for every family and link of both.

Both are driven until rounding stops them. Where they would part, the score equations
say who is right; they are written here from the definition, without penglm.
"""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose

import penglm as pg

links = sm.families.links

AGREE = 1e-8
# A sum of signed terms over the sum of their sizes: what rounding leaves of a zero.
SCORE = 1e-12

SPREAD = 0.4

FAMILIES = {
    "gaussian": (sm.families.Gaussian, {}),
    "binomial": (sm.families.Binomial, {}),
    "poisson": (sm.families.Poisson, {}),
    "gamma": (sm.families.Gamma, {}),
    "inverse_gaussian": (sm.families.InverseGaussian, {}),
    "negative_binomial": (sm.families.NegativeBinomial, {"alpha": SPREAD}),
    "tweedie": (sm.families.Tweedie, {"var_power": 1.6}),
}
FOR_POSITIVE = {
    "identity": links.Identity,
    "log": links.Log,
    "inverse": links.InversePower,
    "inverse_squared": links.InverseSquared,
    "sqrt": links.Sqrt,
    "cube_root": lambda: links.Power(1.0 / 3.0),
}
FOR_PROBABILITIES = {
    "logit": links.Logit,
    "probit": links.Probit,
    "cloglog": links.CLogLog,
    "loglog": links.LogLog,
    "cauchy": links.Cauchy,
    "logc": links.LogC,
}
FOR_COUNTS = {
    "cloglog": links.CLogLog,
    "nbinomial": lambda: links.NegativeBinomial(alpha=SPREAD),
}
LINKS = FOR_POSITIVE | FOR_PROBABILITIES | FOR_COUNTS
TAKEN = dict.fromkeys(FAMILIES, FOR_POSITIVE) | {
    "binomial": FOR_POSITIVE | FOR_PROBABILITIES,
    "negative_binomial": FOR_POSITIVE | FOR_COUNTS,
}
PAIRS = [(family, link) for family in FAMILIES for link in TAKEN[family]]
# On these data the steps of statsmodels leave the range of the link.
ONLY_PENGLM = {
    ("gaussian", "inverse_squared"),
    ("binomial", "inverse"),
    ("binomial", "inverse_squared"),
    ("tweedie", "inverse_squared"),
}

every_pair = pytest.mark.parametrize(("family", "link"), PAIRS)
pytestmark = pytest.mark.filterwarnings("ignore:The .* link function does not respect")


def made(family, link):
    """Return the family of statsmodels with its link."""
    kind, parameters = FAMILIES[family]
    return kind(LINKS[link](), check_link=False, **parameters)


def rows(shared, family, link):
    """Return a response (n,) and columns (n, p) that the link has an optimum for."""
    folder = shared / "data"
    if (family, link) == ("negative_binomial", "cloglog"):
        # Rare counts: this link has no mean of 1 or more.
        table = pd.read_csv(folder / "datacar.csv.gz")
        columns = table[["veh_value", "veh_age", "agecat"]]
        return table["numclaims"].astype(float), columns.astype(float)
    if family == "gaussian":
        table = pd.read_csv(folder / "prostate.csv")
        return table["lpsa"] + 1.0, table[["lcavol", "svi", "lbph"]].astype(float)
    if family == "binomial":
        table = pd.read_csv(folder / "saheart.csv")
        columns = {"famhist": table["famhist"] == "Present",
                   "tobacco": table["tobacco"] > 4.0}  # fmt: skip
        return table["chd"].astype(float), pd.DataFrame(columns).astype(float)
    if family in ("poisson", "negative_binomial"):
        table = pd.read_csv(folder / "biochemists.csv")
        columns = {"fem": table["fem"] == "Women", "mar": table["mar"] == "Married",
                   "kid5": table["kid5"]}  # fmt: skip
        return table["art"].astype(float), pd.DataFrame(columns).astype(float)
    table = pd.read_csv(folder / "datacar.csv.gz")
    cost = table["claimcst0"] / 1000.0
    table = table.assign(cost=cost, male=table["gender"] == "M")
    chosen = table.iloc[::10] if family == "tweedie" else table[cost > 0.0]
    return chosen["cost"], chosen[["male", "agecat", "veh_age"]].astype(float)


def relative_score(family, params, y, columns, weight=1.0, offset=0.0):
    """Return the largest score equation over the sum of the sizes of its terms."""
    eta = columns @ params + offset
    mu = family.link.inverse(eta)
    slope = weight * (y - mu) / (family.variance(mu) * family.link.deriv(mu))
    return np.max(np.abs(columns.T @ slope) / (np.abs(columns).T @ np.abs(slope)))


def peer(y, columns, family, **beside):
    """Fit with statsmodels from the mean response, until rounding stops it."""
    start = np.r_[float(family.link(np.mean(y))), np.zeros(columns.shape[1] - 1)]
    model = sm.GLM(y, columns, family, **beside)
    return model.fit(start, tol=1e-13, tol_criterion="params", maxiter=2000)


def assert_same(found, expected):
    assert_allclose(found.params, expected.params, rtol=AGREE)
    assert_allclose(found.fittedvalues, expected.fittedvalues, rtol=AGREE)
    for measure in ("deviance", "null_deviance", "llf", "aic", "scale", "pearson_chi2"):
        assert getattr(found, measure) == pytest.approx(
            getattr(expected, measure), rel=AGREE
        ), measure


def test_every_link_that_statsmodels_lists_for_a_family_is_here():
    for name, (kind, _) in FAMILIES.items():
        here = {type(made(name, link).link) for link in TAKEN[name]}
        assert set(kind.links) <= here


@every_pair
def test_every_pair_solves_the_score_equations(shared, family, link):
    y, columns = rows(shared, family, link)
    kind = made(family, link)
    found = pg.PenalizedGLM(y, columns, kind).fit(0.0, tol=1e-10)
    full = sm.add_constant(columns.to_numpy())
    assert found.converged
    assert relative_score(kind, found.params.to_numpy(), y.to_numpy(), full) < SCORE


@pytest.mark.parametrize(
    ("family", "link"), [pair for pair in PAIRS if pair not in ONLY_PENGLM]
)
def test_every_pair_has_the_numbers_of_statsmodels(shared, family, link):
    y, columns = rows(shared, family, link)
    kind = made(family, link)
    expected = peer(y.to_numpy(), sm.add_constant(columns.to_numpy()), kind)
    assert expected.converged
    assert_same(pg.PenalizedGLM(y, columns, kind).fit(0.0, tol=1e-10), expected)


@pytest.mark.parametrize(("family", "link"), sorted(ONLY_PENGLM))
def test_statsmodels_ends_without_a_fit_or_with_the_same(shared, family, link):
    y, columns = rows(shared, family, link)
    full = sm.add_constant(columns.to_numpy())
    kind = made(family, link)
    with np.errstate(all="ignore"):
        try:
            expected = peer(y.to_numpy(), full, kind)
        except ValueError as error:
            assert "NaN, inf or invalid" in str(error)
            return
    # Where its steps go astray depends on the last bits of a product.
    if expected.converged and np.isfinite(expected.params).all():
        assert_same(pg.PenalizedGLM(y, columns, kind).fit(0.0, tol=1e-10), expected)


@pytest.mark.parametrize("family", ["poisson", "negative_binomial"])
def test_claims_with_an_exposure_agree(shared, family):
    table = pd.read_csv(shared / "data" / "datacar.csv.gz")
    columns = table[["veh_value", "veh_age", "agecat"]].astype(float)
    y, exposure, kind = table["numclaims"], table["exposure"], made(family, "log")
    full = sm.add_constant(columns.to_numpy())
    expected = peer(y.to_numpy(float), full, kind, exposure=exposure.to_numpy())
    found = pg.PenalizedGLM(y, columns, kind, exposure=exposure).fit(0.0, tol=1e-10)
    assert_same(found, expected)


@pytest.mark.parametrize("family", ["gamma", "inverse_gaussian"])
def test_amounts_with_claims_as_weights_agree(shared, family):
    table = pd.read_csv(shared / "data" / "datacar.csv.gz").query("claimcst0 > 0")
    columns = table[["veh_value", "veh_age", "agecat"]].astype(float)
    claims = table["numclaims"].to_numpy(float)
    y, kind = table["claimcst0"].to_numpy() / claims / 1000.0, made(family, "log")
    full = sm.add_constant(columns.to_numpy())
    expected = peer(y, full, kind, var_weights=claims)
    found = pg.PenalizedGLM(y, columns, kind, var_weights=claims).fit(0.0, tol=1e-10)
    assert_same(found, expected)
