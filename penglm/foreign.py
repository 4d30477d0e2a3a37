"""statsmodels' models and its ``fit_regularized``, said in penglm's words.

statsmodels itself is not imported: a model is read by the attributes it has.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from penglm import checks
from penglm._typing import Array, Index, Mask, Vector
from penglm.design import Dense, Split
from penglm.diagnosis import tell
from penglm.exceptions import PenglmInputError
from penglm.families import Family
from penglm.path import solve_at, with_gap
from penglm.results.fit import FitResults
from penglm.solver.outcome import Options
from penglm.solver.solution import Solution, SparseVector
from penglm.statement import Statement

# Models that are a GLM by another name: family and link.
GLM_BY_NAME = {
    "OLS": ("gaussian", None),
    "WLS": ("gaussian", None),
    "Logit": ("binomial", None),
    "Probit": ("binomial", "probit"),
    "Poisson": ("poisson", None),
}
TAKEN = ("GLM", *GLM_BY_NAME)
# Models whose penalised likelihood is a sum over the rows, with methods of its own.
SUMMED = ("Logit", "Probit", "Poisson")
# What statsmodels' method takes to steer its search; ours needs no steering.
STEERING = ("maxiter", "cnvrg_tol", "zero_tol")
# A ridge this near is one without statsmodels' way of scaling the likelihood.
NEARLY_RIDGE = 1e-8


@dataclass(frozen=True, eq=False)
class Origin:
    """How a statsmodels model counts its parameters.

    Attributes
    ----------
    kind : str
        Name of its class; empty where there is no such model.
    order : Index (q,)
        Place among our parameters, the intercept first, of each of theirs.
    constant : float
        Value of the column that became the intercept.
    """

    kind: str
    order: Index
    constant: float = 1.0

    @classmethod
    def of(cls, model: Any) -> "Origin":
        """Return the parameters of a statsmodels model."""
        is_constant = constant_columns(model)
        order = np.where(is_constant, 0, np.cumsum(~is_constant))
        if not is_constant.any():
            order = order - 1
        values = np.asarray(model.exog)[0, is_constant]
        return cls(
            type(model).__name__, order, float(values[0]) if values.size else 1.0
        )

    @classmethod
    def none(cls, n_params: int) -> "Origin":
        """Return the parameters in our own order."""
        return cls("", np.arange(n_params))


def constant_columns(model: Any) -> Mask:
    """Return a boolean (q,): which columns are constant and not zero."""
    exog = np.asarray(model.exog)
    return np.all(exog == exog[:1], axis=0) & (exog[0] != 0.0)


def arguments(model: Any) -> dict[str, Any]:
    """Return what ``PenalizedGLM`` has to be given to state a statsmodels model.

    Parameters
    ----------
    model : statsmodels GLM, OLS, WLS, Logit, Probit or Poisson

    Returns
    -------
    dict
        By argument name. Columns that are constant are left out of ``exog``; the
        intercept takes their place.

    Raises
    ------
    PenglmInputError
        If the model is no generalised linear model of the kinds above.
    """
    import pandas as pd

    kind = type(model).__name__
    # Not by inheritance: a GLMGam is a GLM with a penalty of its own.
    if kind == "GLM":
        family, link = model.family, None
    elif kind in GLM_BY_NAME:
        family, link = GLM_BY_NAME[kind]
    else:
        held = type(getattr(model, "model", None)).__name__
        way_out = f" Pass its model: {held} is one." if held in TAKEN else ""
        raise PenglmInputError(
            f"a statsmodels {kind} is not a model that penglm can state; it takes GLM, "
            f"{', '.join(GLM_BY_NAME)}.{way_out}",
            argument="model",
        )
    exog, is_constant = np.asarray(model.exog), constant_columns(model)
    kept = np.flatnonzero(~is_constant)
    names = [model.exog_names[j] for j in kept]
    weights = {"WLS": "weights"}.get(kind, "var_weights")
    return {
        "endog": response(model, kind),
        "exog": pd.DataFrame(exog[:, kept], columns=names),
        "family": family,
        "link": link,
        "offset": shift(model),
        "freq_weights": unless_ones(getattr(model, "freq_weights", None)),
        "var_weights": unless_ones(getattr(model, weights, None)),
        "fit_intercept": bool(is_constant.any()),
    }


def response(model: Any, kind: str) -> Any:
    """Return the response, as pairs of counts where a binomial has trials."""
    import pandas as pd

    y = np.asarray(model.endog, dtype=float)
    trials = np.asarray(getattr(model, "n_trials", 1.0), dtype=float)
    if kind == "GLM" and np.any(trials != 1.0):
        return np.column_stack([y * trials, (1.0 - y) * trials])
    name = model.endog_names
    return pd.Series(y, name=name if isinstance(name, str) else "y")


def shift(model: Any) -> Vector | None:
    """Return offset plus the logarithm of the exposure; None where there is neither."""
    given = [getattr(model, name, None) for name in ("offset", "exposure")]
    # statsmodels keeps the exposure as its logarithm.
    parts = [np.asarray(part, dtype=float) for part in given if part is not None]
    total = sum(parts, np.zeros(len(model.endog)))
    return total if np.any(total != 0.0) else None


def unless_ones(weights: Any) -> Array | None:
    """Return weights (n,), None where they say nothing."""
    if weights is None or np.all(np.asarray(weights) == 1.0):
        return None
    return np.asarray(weights, dtype=float)


@dataclass(frozen=True, eq=False)
class Drop:
    """A statement as statsmodels' ``fit_regularized`` penalises it.

    Attributes
    ----------
    statement : Statement
        With the constant as a column of its own where it is penalised.
    strength : float
    constant : float
        Value of that column; 0 if there is none.
    own : Statement
        With the constant as its intercept, the columns as they are.
    """

    statement: Statement
    strength: float
    constant: float
    own: Statement

    @classmethod
    def of(cls, statement: Statement, alpha: Any, origin: Origin) -> "Drop":
        """Return strength and factors of ``alpha``, one or one for each parameter."""
        data, own = statement.data, statement.fit_intercept
        n_params = len(data.names) + int(own)
        each = in_our_order(alpha, origin, n_params)
        # Theirs is divided by the rows, ours by the weight total. Their WLS multiplies
        # by the weights on average itself.
        rows = data.sample_weight.size / data.sample_weight.sum()
        # What is penalised without end is left out.
        is_out = np.isinf(each)
        shared = float(each[~is_out].max(initial=0.0))
        factor = np.where(is_out, np.inf, each / shared if shared > 0.0 else 1.0)
        strength = shared * (1.0 if origin.kind == "WLS" else float(rows))
        has_column = own and 0.0 < each[0] < np.inf
        is_free = own and each[0] == 0.0
        names, design, limits = data.names, data.design, (-np.inf, np.inf)
        lower, upper = statement.lower, statement.upper
        if has_column:
            column = Dense(np.full((data.y.size, 1), origin.constant))
            names, design = ("Intercept", *names), Split([column, design])
            lower, upper = np.r_[limits[0], lower], np.r_[limits[1], upper]
        elif own:
            factor = factor[1:]
        built = Statement.build(
            replace(data, names=names, design=design, term_slices={}),
            statement.family,
            fit_intercept=is_free,
            standardize=False,
            penalty_factor=factor,
            lower=lower,
            upper=upper,
        )
        is_there = has_column or is_free
        plain = replace(statement, standardize=False, fit_intercept=is_there)
        if not has_column:
            return cls(built, strength, 0.0, plain)
        # With the inverse link a constant of zero has no mean; unpenalised it has one.
        problem = statement.problem(1.0)
        alone, others = problem.original(statement.null.outcome.warm.point)
        built = built.starting_at(0.0, np.r_[alone / origin.constant, others])
        return cls(built, strength, origin.constant, plain)

    def only(self, solution: Solution) -> "Drop":
        """Return the same without a penalty, columns that a fit left at zero out."""
        coef = solution.coef
        factor = np.where(coef != 0.0, 0.0, np.inf)
        if self.constant == 0.0 or coef[0] != 0.0:
            # Unpenalised, the constant is an intercept like any other.
            factor = factor[int(self.constant != 0.0) :]
            return Drop(replace(self.own, penalty_factor=factor), 0.0, 0.0, self.own)
        statement = replace(self.statement, penalty_factor=factor)
        statement = statement.starting_at(0.0, coef)
        return replace(self, strength=0.0, statement=statement)


def in_our_order(alpha: Any, origin: Origin, n_params: int) -> Vector:
    """Return the penalty of each of our parameters (n_params,), checked."""
    each = np.atleast_1d(np.asarray(alpha, dtype=float))
    theirs = origin.order.size
    if each.shape not in ((1,), (theirs,)):
        first = "" if origin.kind else ", the intercept first"
        raise PenglmInputError(
            f"alpha has {each.size} values; it takes one, or one for each of the "
            f"{theirs} parameters{first}.",
            argument="alpha",
        )
    for value in each:
        checks.strength(float(value))
    if np.unique(origin.order).size < theirs:
        raise PenglmInputError(
            "the model has several constant columns, which share one intercept: their "
            "penalties have no place here. Leave all but one out.",
            argument="alpha",
        )
    out = np.empty(n_params)
    out[origin.order] = np.broadcast_to(each, (theirs,))
    return out


def refuse_other_problems(origin: Origin, mix: float, family: Family) -> None:
    """Raise where statsmodels' method of this name solves another problem, or none."""
    if origin.kind in SUMMED:
        raise PenglmInputError(
            f"a statsmodels {origin.kind} has a fit_regularized of another convention: "
            "it adds the likelihood up instead of dividing by the rows. Use "
            "fit(alpha / n_rows) with standardize=False, or start from the GLM.",
            argument="method",
        )
    if mix == 0.0 and family.fixed_dispersion is None and origin.kind in ("", "GLM"):
        raise PenglmInputError(
            f"L1_wt = 0 with the {family.name} family: statsmodels then weighs the "
            "likelihood by a scale that it estimates on the way, which is no fixed "
            f"problem. Pass L1_wt={NEARLY_RIDGE:g} there and here.",
            argument="L1_wt",
        )


def fit_regularized(
    statement: Statement,
    alpha: Any,
    L1_wt: float,
    refit: bool,
    options: Options,
    origin: Origin | None = None,
) -> FitResults:
    """Fit as statsmodels' method of this name means it.

    See ``PenalizedGLM.fit_regularized``.
    """
    mix = checks.mix(L1_wt)
    if origin is None:
        n_params = len(statement.data.names) + int(statement.fit_intercept)
        origin = Origin.none(n_params)
    refuse_other_problems(origin, mix, statement.family)
    drop = Drop.of(statement, alpha, origin)
    problem = drop.statement.problem(mix)
    solution = solve_at(problem, drop.strength, drop.statement.null, options)
    if refit:
        drop = drop.only(solution)
        problem = drop.statement.problem(mix)
        solution = solve_at(problem, 0.0, drop.statement.null, options)
    tell([solution], problem, drop.statement.data.names, options)
    solution = replace(
        solution, certificate=with_gap(problem, solution, drop.statement.null)
    )
    spec = replace(
        drop.statement.spec(mix),
        fit_intercept=statement.fit_intercept,
        null_deviance=statement.null.deviance,
    )
    if drop.constant != 0.0:
        coef = solution.coef
        intercept = float(coef[0] * drop.constant)
        solution = replace(
            solution, intercept=intercept, entries=SparseVector.of(coef[1:])
        )
        spec = replace(
            spec,
            penalty_factor=spec.penalty_factor[1:],
            lower=spec.lower[1:],
            upper=spec.upper[1:],
        )
    how = "refit on the support" if refit else "given to fit_regularized"
    return FitResults(solution, statement.data, spec, how)
