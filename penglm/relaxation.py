"""The support of a penalised fit, fitted again without the penalty.

The lasso chooses columns and shrinks them by one number, the strength. Relaxed, it lets
another number say how far the columns it chose are shrunk.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from penglm._typing import Index, Mask, Vector
from penglm.path import solve_path
from penglm.solver.null import fit_null
from penglm.solver.outcome import Options
from penglm.solver.problem import Problem
from penglm.solver.solution import Solution, SparseVector, Status

GAMMAS = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Shares of the penalised fit that are tried where none are given, as in glmnet."""
OF_WHAT = "1 is the penalised fit, 0 the refit of its support"


def between(gamma: float, a: Any, b: Any) -> Any:
    """Return ``gamma a + (1 - gamma) b``, the ends to the last bit."""
    if gamma in (0.0, 1.0):
        return a if gamma == 1.0 else b
    return gamma * a + (1.0 - gamma) * b


def moving(problem: Problem, coef: Vector) -> Mask:
    """Return a boolean (p,): what a refit moves, the support and what is free."""
    found: Mask = (coef != 0.0) | problem.penalty.is_free
    return found


def held(problem: Problem, coef: Vector) -> Problem:
    """Return the problem of a refit: columns outside the support are fixed."""
    return replace(problem, penalty=problem.penalty.held(~moving(problem, coef)))


def refit(problem: Problem, solution: Solution, options: Options) -> Solution:
    """Return the unpenalised solution on the support of a penalised one.

    Limits hold as before. Its strength is 0, and its certificate is that of ``held``.
    """
    columns = np.flatnonzero(moving(problem, solution.coef))
    small = problem.narrowed(columns)
    (found,) = solve_path(small, [0.0], fit_null(small, options), options)
    worst = found.certificate.worst_column
    place = int(columns[worst]) if worst >= 0 else worst
    entries = found.entries
    return replace(
        found,
        entries=SparseVector(
            problem.n_features, columns[entries.places], entries.values
        ),
        certificate=replace(found.certificate, worst_column=place),
    )


def refits(
    problem: Problem, solutions: Sequence[Solution], options: Options
) -> Iterator[Solution]:
    """Yield the refit of each point of a path, one fit for each support."""
    known: dict[bytes, Solution] = {}
    for solution in solutions:
        key = moving(problem, solution.coef).tobytes()
        if key not in known:
            known[key] = refit(problem, solution, options)
        yield known[key]


def refit_points(
    problem: Problem, support: Index, coefs: Vector, options: Options
) -> tuple[Vector, Vector, int]:
    """Refit the points of a path on a fold.

    Parameters
    ----------
    problem : Problem
    support : Index (k,)
        Columns with a coefficient anywhere on the path; free ones are among them.
    coefs : Matrix (k, m)
        In the units of the data.

    Returns
    -------
    (Vector (m,), Matrix (k, m), int)
        Intercepts and coefficients, NaN where there is no finite optimum, and how many
        of the fits made missed the tolerance.
    """
    intercepts, out = np.empty(coefs.shape[1]), np.zeros_like(coefs)
    known: dict[bytes, tuple[float, Vector]] = {}
    is_free, missed = problem.penalty.is_free[support], 0
    for k in range(coefs.shape[1]):
        is_in = (coefs[:, k] != 0.0) | is_free
        key = is_in.tobytes()
        if key not in known:
            small = problem.narrowed(support[is_in])
            (found,) = solve_path(small, [0.0], fit_null(small, options), options)
            missed += found.status not in (Status.OPTIMAL, Status.NO_FINITE_SOLUTION)
            known[key] = found.intercept, found.coef
            if found.status is Status.NO_FINITE_SOLUTION:
                known[key] = np.nan, np.full(int(is_in.sum()), np.nan)
        intercepts[k], out[is_in, k] = known[key]
    return intercepts, out, missed
