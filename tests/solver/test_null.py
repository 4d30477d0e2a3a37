"""The null model: where it starts, and what it looks at."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import penglm as pg
from penglm.solver import quadratic
from penglm.solver.null import fit_null
from penglm.solver.outcome import Options
from penglm.solver.solution import Status

N, P = 3000, 7


def model(family, *, spread=0.7, **others):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(N, P)) + 1.0
    offset = spread * rng.normal(size=N)
    eta = 0.4 * (X[:, 0] - 1.0) - 0.5 + offset
    y = {
        "binomial": lambda: (rng.uniform(size=N) < 1.0 / (1.0 + np.exp(-eta))) * 1.0,
        "poisson": lambda: rng.poisson(np.exp(eta)) * 1.0,
        "gaussian": lambda: eta + rng.normal(size=N),
    }[family]()
    weight = rng.uniform(0.5, 2.0, N)
    return pg.PenalizedGLM(y, X, family, var_weights=weight, offset=offset, **others)


@pytest.fixture
def walked(monkeypatch):
    """Numbers of columns of all walks over the rows."""
    seen, real = [], quadratic.expand_all

    def noted(problem, points):
        seen.append(problem.n_features)
        return real(problem, points)

    monkeypatch.setattr(quadratic, "expand_all", noted)
    return seen


@pytest.mark.parametrize("family", ["poisson", "gaussian"])
def test_an_intercept_known_in_closed_form_needs_no_step(family, walked):
    null = fit_null(model(family).problem(1.0), Options())
    assert null.outcome.n_iter == 0
    assert walked == [P]


def test_without_offset_a_logistic_intercept_needs_no_step(walked):
    null = fit_null(model("binomial", spread=0.0).problem(1.0), Options())
    assert null.outcome.n_iter == 0
    assert walked.count(P) == 1


@pytest.mark.parametrize("lower", [-np.inf, 0.25])
def test_steps_of_the_intercept_walk_over_no_columns_that_rest(lower, walked):
    lower = np.where(np.arange(P) == 2, lower, -np.inf)
    glm = model("binomial", spread=3.0, lower=lower)
    null = fit_null(glm.problem(1.0), Options())
    outcome = null.outcome
    assert outcome.status is Status.OPTIMAL
    assert outcome.n_iter > 0
    assert walked.count(P) == 2
    held = np.isfinite(lower).sum()
    assert set(walked) == {P, held}
    # The slopes are those of all columns at the point where it ended.
    here = quadratic.expand(glm.problem(1.0), outcome.warm.point)
    assert_allclose(outcome.warm.score, here.score, rtol=1e-12)
    assert abs(here.intercept_score) < 1e-8 * null.score_scale
    total = glm.data.sample_weight.sum()
    assert null.deviance == pytest.approx(2.0 * here.loss * total)


@pytest.mark.parametrize("link", ["log", "inverse", "sqrt"])
def test_a_mean_outside_the_link_is_no_start(link):
    rng = np.random.default_rng(4)
    y = rng.normal(size=50) - 5.0
    glm = pg.PenalizedGLM(y, rng.normal(size=(50, 2)), "gaussian", link=link)
    null = fit_null(glm.problem(1.0), Options())
    assert np.isfinite(null.outcome.loss)
