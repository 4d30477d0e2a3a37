"""Other people's coefficients, judged by our certificate."""

from typing import Any

import numpy as np

from penglm import checks
from penglm.exceptions import PenglmInputError
from penglm.model import PenalizedGLM
from penglm.solver.certificate import Candidates
from penglm.solver.certificate import certify as judge
from penglm.solver.solution import Certificate


def certify(
    coef: Any,
    intercept: float,
    y: Any,
    X: Any,
    *,
    alpha: float,
    l1_ratio: float = 1.0,
    family: Any = "gaussian",
    **model: Any,
) -> Certificate:
    """Judge coefficients, whoever computed them.

    Parameters
    ----------
    coef : array (p,)
        In the units of the columns of ``X``.
    intercept : float
    y, X
        The data, as ``PenalizedGLM`` takes them.
    alpha, l1_ratio : float
        The strength and mix they claim to be optimal for, in penglm's convention
        (docs/objective.md).
    family
        As ``PenalizedGLM`` takes it; so are all further arguments, such as
        ``offset``, ``var_weights``, ``standardize`` or ``penalty_factor``.

    Returns
    -------
    Certificate

    Raises
    ------
    PenglmInputError
        If the number of coefficients is not that of the columns.

    Examples
    --------
    >>> import numpy as np, penglm as pg
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(50, 3))
    >>> y = X[:, 0] + rng.normal(size=50)
    >>> fit = pg.PenalizedGLM(y, X).fit(alpha=0.1)
    >>> pg.certify(fit.coef, fit.intercept, y, X, alpha=0.1).kkt_residual < 1e-4
    True
    >>> pg.certify(fit.coef + 0.1, fit.intercept, y, X, alpha=0.1).kkt_residual > 0.1
    True
    """
    problem_of = PenalizedGLM(y, X, family, **model)
    values = np.asarray(coef, dtype=float).ravel()
    problem = problem_of.problem(checks.mix(l1_ratio))
    if values.size != problem.n_features:
        raise PenglmInputError(
            f"coef has {values.size} values but X has {problem.n_features} columns.",
            argument="coef",
        )
    claim = Candidates(
        np.array([checks.strength(alpha)]),
        np.array([float(intercept)]),
        values[:, None],
    )
    certificate, _ = judge(problem, claim, problem_of.null.score_scale)[0]
    return certificate
