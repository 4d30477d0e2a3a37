"""Other people's coefficients, judged by our certificate."""

from typing import Any

import numpy as np

from penglm import checks, frame
from penglm.exceptions import PenglmInputError
from penglm.families import as_family
from penglm.solver.certificate import Candidates
from penglm.solver.certificate import certify as judge
from penglm.solver.solution import Certificate
from penglm.statement import Statement


def certify(
    coef: Any,
    intercept: float,
    y: Any,
    X: Any,
    *,
    alpha: float,
    l1_ratio: float = 1.0,
    family: Any = "gaussian",
    link: Any = None,
    offset: Any = None,
    exposure: Any = None,
    freq_weights: Any = None,
    var_weights: Any = None,
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
    family, link, offset, exposure, freq_weights, var_weights
        As ``PenalizedGLM`` takes them; so are ``fit_intercept``, ``standardize``,
        ``penalty_factor``, ``lower`` and ``upper``.

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
    known = as_family(family, link)
    given = (offset, exposure, freq_weights, var_weights)
    extra = dict(zip(frame.ARGUMENTS, given, strict=True))
    data = frame.from_arrays(y, X, known, extra, "raise")
    statement = Statement.build(data, known, **model)
    values = np.asarray(coef, dtype=float).ravel()
    problem = statement.problem(checks.mix(l1_ratio))
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
    certificate, _ = judge(problem, claim, statement.null.score_scale)[0]
    return certificate
