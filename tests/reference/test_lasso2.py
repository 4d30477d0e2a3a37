"""Budgets as R lasso2 solved them; the certificate says who is right."""

import json
from pathlib import Path

import numpy as np
import pytest

import penglm as pg

PROBLEMS = json.loads((Path(__file__).parent / "lasso2" / "problems.json").read_text())
X = np.array(PROBLEMS["X"])


def loss(family, coef, y):
    """Return the mean half-deviance, up to a constant, and the size of its terms."""
    eta = coef[0] + X @ coef[1:]
    if family == "gaussian":
        parts = [(y - eta) ** 2 / 2.0]
    elif family == "binomial":
        parts = [np.logaddexp(0.0, eta), -y * eta]
    else:
        parts = [np.exp(eta), -y * eta]
    return np.mean(sum(parts)), np.mean(sum(np.abs(part) for part in parts))


@pytest.mark.parametrize(
    "known", PROBLEMS["fits"], ids=lambda known: f"{known['family']}-{known['bound']}"
)
def test_same_solution_at_the_same_budget(known):
    family, bound = known["family"], known["bound"]
    y, theirs = np.array(PROBLEMS["y"][family]), np.array(known["coef"])
    model = pg.PenalizedGLM(y, X, family=family, standardize=False)
    fit = model.fit(budget=bound)
    assert fit.converged
    assert np.abs(fit.coef).sum() == pytest.approx(bound, rel=1e-8, abs=0.0)
    ours = np.r_[fit.intercept, fit.coef]
    # Both meet the budget to some digits only; the multiplier is the worth of a unit.
    spent = [np.abs(each[1:]).sum() for each in (ours, theirs)]
    assert spent[1] == pytest.approx(bound, rel=1e-8, abs=0.0)
    (value, size), (best, _) = (loss(family, each, y) for each in (ours, theirs))
    value, best = value + fit.alpha * spent[0], best + fit.alpha * spent[1]
    assert value <= best + 1e-14 * size
    np.testing.assert_allclose(ours, theirs, rtol=0.0, atol=1e-5)
    judged = pg.certify(
        theirs[1:], theirs[0], y, X, alpha=fit.alpha, family=family, standardize=False
    )
    assert fit.certificate.kkt_residual <= max(judged.kkt_residual, 1e-9)


@pytest.mark.parametrize(
    "known", PROBLEMS["fits"], ids=lambda known: f"{known['family']}-{known['bound']}"
)
def test_its_lagrangian_is_the_strength_of_that_budget(known):
    family = known["family"]
    y = np.array(PROBLEMS["y"][family])
    model = pg.PenalizedGLM(y, X, family=family, standardize=False)
    told = pg.convert(known["Lagrangian"], from_="lasso2", model=model)
    strength = model.fit(budget=known["bound"], tol=1e-9).alpha
    # It is computed from coefficients that are good to some eight digits.
    assert told.arguments["alpha"] == pytest.approx(strength, rel=1e-8, abs=0.0)
