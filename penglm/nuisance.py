"""A family's own parameter, estimated along with the coefficients.

Fit given the parameter, the likeliest parameter given the means, and so on until
neither moves: each half step lowers the penalised negative log-likelihood of both.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from penglm._typing import Vector
from penglm.diagnosis import tell_unconverged
from penglm.families import Family
from penglm.path import solve_at
from penglm.penalties import Penalty
from penglm.results.fit import FitResults
from penglm.solver.outcome import Options
from penglm.statement import Statement

# Relative change of a variance that ends the rounds; fits between are as exact.
STATIONARY = 1e-8
MOST_ROUNDS = 100


def known(
    statement: Statement,
    l1_ratio: float,
    options: Options,
    penalty: type[Penalty],
    *,
    alpha: float | None = None,
    **grid: Any,
) -> Statement:
    """Return the statement with a family of which everything is known.

    Parameters
    ----------
    statement : Statement
        Returned as it is if its family has nothing to estimate.
    l1_ratio, options, penalty
        Of the fits.
    alpha : float, optional
        Strength at which parameter and coefficients are jointly optimal. If not given,
        the one that minimises BIC along a path, at the parameter of the null model.
    grid
        What ``Statement.path`` takes to make that path.

    Raises
    ------
    NoFiniteSolutionError
        If no finite parameter is the likeliest.

    Warns
    -----
    ConvergenceWarning
        If the parameter still moves after many rounds.
    """
    if statement.family.unknown is None:
        return statement
    if alpha is None:
        first = together(statement, np.inf, l1_ratio, options, penalty)
        alpha = first.path(l1_ratio, options, penalty, **grid).select("bic").alpha
    return together(statement, alpha, l1_ratio, options, penalty)


def together(
    statement: Statement,
    alpha: float,
    l1_ratio: float,
    options: Options,
    penalty: type[Penalty],
) -> Statement:
    """Return the statement with the parameter that is optimal with its fit."""
    unknown, data = statement.family, statement.data
    used = data.sample_weight > 0.0
    exact = replace(options, tol=min(options.tol, STATIONARY))
    fit: FitResults | None = None
    # The class has a known parameter by default.
    now = statement.knowing(type(unknown)(unknown.link))
    for _ in range(MOST_ROUNDS):
        warm = now.start(fit, penalty)
        problem = now.problem(l1_ratio, penalty=penalty)
        solution = solve_at(problem, alpha, now.null, exact, start=warm)
        fit = now.path_of([solution], l1_ratio, exact, penalty)[0]
        mu = fit.fittedvalues[used]
        family = unknown.known(
            data.y[used], mu, data.sample_weight[used], data.freq_weights[used]
        )
        change = moved(now.family, family, mu)
        now = statement.knowing(family)
        if change <= STATIONARY:
            return now
    text = (
        f"{unknown.unknown} still changes variances by {change:.1e} of their size "
        f"after {MOST_ROUNDS} rounds; the fit is made with its last value."
    )
    tell_unconverged(text, options)
    return now


def moved(before: Family, after: Family, mu: Vector) -> float:
    """Return the largest relative change of a variance at the means (n,).

    The parameter itself may be all but free: near Poisson's end a large ``theta`` and
    one twice as large say the same.
    """
    return float(np.max(np.abs(after.variance(mu) / before.variance(mu) - 1.0)))
