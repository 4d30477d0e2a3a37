"""A narrowed solve that stopped early was repeated for ever.

Its own columns, still at zero and still wrong, were taken for columns that the strong
rule had missed; letting them in changed nothing, and it was solved again the same way.
"""

import numpy as np
import pytest

import penglm as pg
from penglm.path import alpha_grid, alpha_max, solve_path
from penglm.solver import screening
from penglm.solver.irls import Options
from penglm.solver.null import fit_null
from penglm.solver.solution import Status


@pytest.mark.parametrize("family", ["binomial", "poisson"])
@pytest.mark.parametrize("max_iter", [1, 2])
def test_path_comes_to_an_end(family, max_iter, monkeypatch):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 600))
    y = rng.poisson(np.exp(X[:, 0] - X[:, 1])).astype(float)
    y = np.minimum(y, 1.0) if family == "binomial" else y
    problem = pg.PenalizedGLM(y, X, family).problem(1.0)
    null, options = fit_null(problem, Options()), Options(max_iter=max_iter)
    alphas = list(alpha_grid(alpha_max(problem, null), 60, 0.01))[:30]
    calls, solve = [], screening.solve

    def counted(*arguments):
        calls.append(arguments)
        assert len(calls) <= 10 * len(alphas), "the same is solved again and again"
        return solve(*arguments)

    monkeypatch.setattr(screening, "solve", counted)
    found = solve_path(problem, alphas, null, options)
    assert len(found) == len(alphas)
    assert all(s.n_iter <= max_iter for s in found)
    for solution in found:
        is_good = solution.certificate.kkt_residual <= options.tol
        assert (solution.status is Status.OPTIMAL) == is_good
