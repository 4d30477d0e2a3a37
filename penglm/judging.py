"""Other people's coefficients, judged by our certificate."""

from dataclasses import replace
from typing import Any

import numpy as np

from penglm import arrays, checks, frame
from penglm._typing import Vector
from penglm.exceptions import PenglmInputError
from penglm.families import as_family
from penglm.penalties import AdaptiveElasticNet, as_penalty
from penglm.results.fit import FitResults, Solved
from penglm.results.relaxed import Mixed
from penglm.solver.certificate import Candidates
from penglm.solver.certificate import certify as judge
from penglm.solver.outcome import Options
from penglm.solver.problem import Problem
from penglm.solver.solution import Certificate, Status
from penglm.statement import Statement

# What a solution has to show on the data it is said to belong to.
CERTIFIED = 1e-4


def certify(
    coef: Any,
    intercept: float,
    y: Any,
    X: Any,
    *,
    alpha: float,
    l1_ratio: float = 1.0,
    penalty: Any = None,
    family: Any = "gaussian",
    link: Any = None,
    offset: Any = None,
    exposure: Any = None,
    freq_weights: Any = None,
    var_weights: Any = None,
    fit_intercept: bool = True,
    standardize: bool | str = True,
    penalty_factor: Any = None,
    lower: Any = None,
    upper: Any = None,
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
    penalty : str or Penalty class, optional
        The elastic net if not given. For ``"adaptive"`` the factors that the pilot
        left (``fit.spec.penalty_factor``) are part of the claim: pass them as
        ``penalty_factor``.
    family, link, offset, exposure, freq_weights, var_weights, fit_intercept, \
    standardize, penalty_factor, lower, upper
        As ``PenalizedGLM`` takes them.

    Returns
    -------
    Certificate

    Raises
    ------
    PenglmInputError
        If the number of coefficients is not that of the columns, or an adaptive
        penalty comes without its factors.

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
    known, kind = as_family(family, link), as_penalty(penalty)
    if kind is AdaptiveElasticNet and penalty_factor is None:
        raise PenglmInputError(
            'penalty = "adaptive" is judged by the factors that its pilot left; pass '
            "them, penalty_factor=fit.spec.penalty_factor.",
            argument="penalty_factor",
        )
    given = (offset, exposure, freq_weights, var_weights)
    extra = dict(zip(frame.ARGUMENTS, given, strict=True))
    data = frame.from_arrays(y, X, known, extra, "raise")
    statement = Statement.build(
        data,
        known,
        fit_intercept=fit_intercept,
        standardize=standardize,
        penalty_factor=penalty_factor,
        lower=lower,
        upper=upper,
    )
    values = arrays.numbers(coef, "coef").ravel().astype(float)
    problem = statement.problem(checks.mix(l1_ratio), penalty=kind)
    if values.size != problem.n_features:
        raise PenglmInputError(
            f"coef has {values.size} values but X has {problem.n_features} columns.",
            argument="coef",
        )
    intercept = checks.number(intercept, "intercept")
    return judge_at(statement, problem, checks.strength(alpha), intercept, values)


def judge_at(
    statement: Statement,
    problem: Problem,
    alpha: float,
    intercept: float,
    coef: Vector,
) -> Certificate:
    """Judge one claim; an infinite strength allows the free columns only."""
    if alpha == np.inf:
        problem, alpha = problem.without_penalised(), 0.0
    claim = Candidates(np.array([alpha]), np.array([intercept]), coef[:, None])
    certificate, _ = judge(problem, claim, statement.null.score_scale)[0]
    return certificate


def verify(results: FitResults, data: Any) -> Certificate:
    """Judge a saved model on the table it was fitted to.

    Parameters
    ----------
    results : FitResults
        As ``pg.load`` returns it.
    data : table
        With the columns of the formula, or with the columns of ``exog`` and the
        response by its name.

    Returns
    -------
    Certificate
        Computed from the saved coefficients and these rows; of a relaxed fit that of
        the worse of its two ends.

    Raises
    ------
    PenglmInputError
        If the table does not give the columns of the model.
    """
    if isinstance(results, Mixed):
        ends = verify(results.penalised, data), verify(results.unpenalised, data)
        return max(ends, key=lambda end: end.kkt_residual)
    statement = stated_on(results, data)
    problem = problem_of(results, statement)
    return judge_at(statement, problem, results.alpha, results.intercept, results.coef)


def with_rows(results: FitResults, data: Any) -> FitResults:
    """Return a saved model with the rows it was fitted to, for what needs rows.

    Its coefficients stay as they are. Its certificate is computed afresh, as by
    ``verify``; where that shows that these are not the rows, the fit is no longer
    ``converged``. Of a relaxed fit the penalised end is returned.

    Parameters
    ----------
    results : FitResults
        As ``pg.load`` returns it.
    data : table
        As ``verify`` takes it.

    Returns
    -------
    FitResults

    Raises
    ------
    PenglmInputError
        If the table does not give the columns of the model.

    Examples
    --------
    >>> import tempfile, pandas as pd, penglm as pg
    >>> from penglm.judging import with_rows
    >>> data = pd.DataFrame({"a": [1, 2, 3, 4, 5], "b": [1, 3, 2, 4, 5]})
    >>> data["y"] = [1, 2, 3, 4, 5]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     pg.glm("y ~ a + b", data).fit(0.5).save(f"{folder}/model.json")
    ...     fit = pg.load(f"{folder}/model.json")
    >>> print(with_rows(fit, data).explain("b"))
    At alpha 0.5, l1_ratio 1:
    b is zero: its remaining signal 0.45 is below the threshold 0.5; it does...
    """
    if isinstance(results, Mixed):
        return with_rows(results.penalised, data)
    statement = stated_on(results, data)
    problem = problem_of(results, statement)
    found = judge_at(statement, problem, results.alpha, results.intercept, results.coef)
    status = results.status
    if status is Status.OPTIMAL and found.kkt_residual > CERTIFIED:
        status = Status.OPTIMAL_INACCURATE
    solution = replace(results.solution, certificate=found, status=status)
    solved = Solved(problem, statement.null, Options())
    return FitResults(solution, statement.data, results.spec, results.chosen_by, solved)


def problem_of(results: FitResults, statement: Statement) -> Problem:
    """Return the problem that a saved model solves on the rows of a statement."""
    spec = results.spec
    return statement.problem(spec.l1_ratio, penalty=as_penalty(spec.penalty))


def stated_on(results: FitResults, data: Any) -> Statement:
    """Return what a saved model states about the rows of a table.

    Raises
    ------
    PenglmInputError
        If the table does not give the columns of the model.
    """
    kept, spec = results.data, results.spec
    for argument, column in kept.beside.items():
        if column is None:
            raise PenglmInputError(
                f"the model was fitted with {argument} given as an array, which the "
                "data does not hold; name a column of the data when fitting.",
                argument=argument,
            )
    extra = {name: kept.beside.get(name) for name in frame.ARGUMENTS}
    if kept.formula is not None:
        rows = frame.from_formula(
            kept.formula, data, spec.family, extra, "drop",
            coding=spec.coding, trusted=False, env=0,
        )  # fmt: skip
    else:
        needed = (*kept.names, kept.y_name)
        given = arrays.column_names(data)
        absent = [name for name in needed if name not in given]
        if absent:
            raise PenglmInputError(
                f"the data has no column '{absent[0]}', which the model needs.",
                argument=absent[0],
            )
        table = arrays.table(data, only=needed)
        places = {name: j for j, name in enumerate(table.names)}
        exog = table.values[:, [places[name] for name in kept.names]]
        endog = table.values[:, [places[kept.y_name]]]
        endog = endog.toarray() if arrays.is_sparse(endog) else endog
        rows = frame.from_arrays(endog, exog, spec.family, extra, "drop")
        rows = replace(rows, names=kept.names)
    if len(rows.names) != len(kept.names):
        raise PenglmInputError(
            f"the data gives {len(rows.names)} columns where the model has "
            f"{len(kept.names)}; it is not the data the model was fitted to.",
            argument="data",
        )
    for j, (here, there) in enumerate(zip(rows.names, kept.names, strict=True)):
        if here != there:
            raise PenglmInputError(
                f"the data gives '{here}' as column {j} where the model has '{there}'; "
                "it is not the data the model was fitted to, or levels are numbers in "
                "one and text in the other.",
                argument="data",
            )
    return Statement.build(
        rows,
        spec.family,
        fit_intercept=spec.fit_intercept,
        standardize=spec.standardize,
        penalty_factor=spec.penalty_factor,
        lower=spec.lower,
        upper=spec.upper,
    )
