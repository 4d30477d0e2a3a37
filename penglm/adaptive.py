"""Penalty factors from a pilot fit: the adaptive lasso.

A coefficient that a first fit finds large is penalised little, a small one much. With
factors so chosen the problem is an elastic net like any other, solved and certified as
one. Factors are learnt from rows, so cross-validation has to learn them anew on the
rows of each fold; ``AdaptiveStatement`` does that.
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from penglm import arrays, checks
from penglm._typing import Vector
from penglm.diagnosis import tell
from penglm.engines import Engine
from penglm.exceptions import PenglmInputError
from penglm.path import automatic_grid, solve_at, solve_path
from penglm.penalties import AdaptiveElasticNet, Penalty, as_penalty
from penglm.selection import fold_moments
from penglm.selection import folds as folding
from penglm.selection.cross_validation import score_path
from penglm.selection.scores import best_index
from penglm.solver.null import fit_null
from penglm.solver.outcome import Options
from penglm.solver.problem import Moments, Problem
from penglm.solver.solution import Status
from penglm.statement import Statement

PILOTS = ("auto", "unpenalised", "ridge")
# The ridge pilot: a grid from no effect at all down to a thousandth of the least
# strength that empties the lasso, five points a decade; five folds choose from it.
RIDGE_POINTS = 31
RIDGE_RATIO = 1e-6
RIDGE_FOLDS = 5


@dataclass(frozen=True, eq=False)
class Adaptive:
    """The adaptive lasso, and its elastic net: factors ``f_j / |pilot_j|^gamma``.

    Parameters
    ----------
    gamma : float, default 1.0
        Positive. How much a small pilot coefficient is held against its column.
    pilot : {"auto", "unpenalised", "ridge"}, array (p,) or mapping, default "auto"
        Where the first coefficients come from. ``"unpenalised"`` is the
        maximum-likelihood fit. ``"ridge"`` is the ridge fit whose strength has the
        least deviance on rows left out, by five folds whose shuffle is fixed.
        ``"auto"`` is the first where there are more rows than columns and it exists
        and is unique, else the second. An array, or a mapping or Series by name,
        holds coefficients in the units of the columns; it is the same in every fold, so
        for an honest ``fit_cv`` it must not come from these rows.

    Notes
    -----
    ``pilot_j`` is in the units in which the coefficient is penalised: times the
    standard deviation of its column where the model standardises. ``f`` are the
    model's own ``penalty_factor``: 0 still frees and inf still excludes. A pilot
    coefficient of zero excludes its column. The pilot obeys limits, and the factors
    are never rescaled, so strengths are not those of the plain lasso.

    References
    ----------
    Zou (2006), J. Amer. Statist. Assoc. 101(476), eq. 4.

    Examples
    --------
    >>> import numpy as np, penglm as pg
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 6))
    >>> y = 2.0 * X[:, 0] - X[:, 1] + rng.normal(size=200)
    >>> model = pg.PenalizedGLM(y, X)
    >>> fit = model.fit(0.05, penalty=pg.Adaptive(gamma=2.0))
    >>> fit.support.tolist()
    [0, 1]
    >>> fit.spec.penalty
    'adaptive'
    """

    gamma: float = 1.0
    pilot: Any = "auto"

    def __post_init__(self) -> None:
        gamma = checks.number(self.gamma, "gamma")
        if not 0.0 < gamma < np.inf:
            raise PenglmInputError(
                f"gamma = {self.gamma}; it must be positive and finite (1 is usual).",
                argument="gamma",
            )
        if isinstance(self.pilot, str):
            checks.choice(self.pilot, PILOTS, "pilot")

    def factors(self, statement: Statement, engine: Engine) -> Vector:
        """Return the factors (p,) that the rows of an engine call for.

        Raises
        ------
        PenglmInputError
            If the pilot does not exist or does not fit the columns.
        """
        problem = statement.problem(1.0, engine)
        own = statement.penalty_factor
        size = np.abs(self.coef(statement, engine, problem) * problem.penalty_scale)
        with np.errstate(divide="ignore", over="ignore"):
            weight = size**-self.gamma
            return np.multiply(own, weight, out=np.zeros_like(own), where=own > 0.0)

    def coef(self, statement: Statement, engine: Engine, problem: Problem) -> Vector:
        """Return the pilot's coefficients (p,) in the units of the columns."""
        if not isinstance(self.pilot, str):
            return self.given(statement)
        if self.pilot == "ridge":
            return ridge(statement, engine)
        is_tall = engine.n_obs > problem.n_features
        found = unpenalised(problem) if is_tall or self.pilot != "auto" else None
        if found is not None:
            return found
        if self.pilot == "auto":
            return ridge(statement, engine)
        raise PenglmInputError(
            'pilot = "unpenalised", but these rows have no unique finite unpenalised '
            'fit (dependent columns, too few rows, or separation). Use pilot="ridge".',
            argument="pilot",
        )

    def given(self, statement: Statement) -> Vector:
        """Return the coefficients of the caller, checked."""
        names = statement.data.names
        if checks.by_name(self.pilot, "pilot", names) is not None:
            coef = checks.per_column(self.pilot, "pilot", names, np.nan, {})
        else:
            coef = arrays.numbers(self.pilot, "pilot").ravel().astype(float)
        if coef.size != len(names):
            raise PenglmInputError(
                f"pilot has {coef.size} coefficients but there are {len(names)} "
                "columns; leave the intercept out.",
                argument="pilot",
            )
        bad = np.flatnonzero(~np.isfinite(coef))
        if bad.size:
            j = int(bad[0])
            raise PenglmInputError(
                f"pilot[{j}] = {coef[j]} (column '{names[j]}') is not finite; give "
                "each column a number, 0 to exclude it.",
                argument="pilot",
                index=j,
            )
        return coef


def unpenalised(problem: Problem) -> Vector | None:
    """Return maximum-likelihood coefficients (p,), None if not finite and unique."""
    options = Options()
    solution = solve_at(problem, 0.0, fit_null(problem, options), options)
    n_moving = int((~problem.penalty.is_fixed).sum())
    is_unique = solution.rank is None or solution.rank >= n_moving
    return solution.coef if solution.status is Status.OPTIMAL and is_unique else None


def ridge(statement: Statement, engine: Engine) -> Vector:
    """Return ridge coefficients (p,), their strength chosen on rows left out.

    Raises
    ------
    PenglmInputError
        If the rows are too few for folds.
    """
    options, problem = Options(), statement.problem(0.0, engine)
    null, block = fit_null(problem, options), engine.whole()
    if block is None:
        raise PenglmInputError(
            "a ridge pilot needs all rows in one block; pass pilot as an array.",
            argument="pilot",
        )
    alphas = automatic_grid(problem, null, RIDGE_POINTS, RIDGE_RATIO)
    is_classes = statement.family.has_classes and np.isin(block.y, (0, 1)).all()
    try:
        fold = folding.assign(
            min(RIDGE_FOLDS, block.y.size), block.y.size, seed=0,
            classes=block.y if is_classes else None,
        )  # fmt: skip
        (scores,) = score_path(
            block, fold, partial(statement.problem, 0.0), alphas, options,
            moments=fold_moments.of(block, fold, problem), metric="deviance",
            n_jobs=1, progress=False,
        )  # fmt: skip
    except PenglmInputError as error:
        raise PenglmInputError(
            f"the ridge pilot of the adaptive penalty is chosen by folds, but {error} "
            "Or pass the pilot as an array.",
            argument="pilot",
        ) from None
    down_to = alphas[: best_index(scores, "deviance") + 1].tolist()
    solution = solve_path(problem, down_to, null, options)[-1]
    tell([solution], problem, statement.data.names, options)
    return solution.coef


@dataclass(frozen=True, eq=False, kw_only=True)
class AdaptiveStatement(Statement):
    """A statement whose factors came from its rows.

    Attributes
    ----------
    penalty_factor : Vector (p,)
        As the pilot left them.
    adaptive : Adaptive
    plain : Statement
        The same with the caller's factors.
    """

    adaptive: Adaptive
    plain: Statement

    @classmethod
    def of(cls, plain: Statement, adaptive: Adaptive) -> "AdaptiveStatement":
        """Return a statement with the factors that all its rows call for."""
        known = {name: getattr(plain, name) for name in Statement.__dataclass_fields__}
        known["penalty_factor"] = adaptive.factors(plain, plain.engine)
        return cls(**known, adaptive=adaptive, plain=plain)

    def problem(
        self,
        l1_ratio: float,
        engine: Engine | None = None,
        moments: Moments | None = None,
        penalty: type[Penalty] = AdaptiveElasticNet,
    ) -> Problem:
        """Return the problem at a mix; other rows have factors of their own."""
        if engine is None:
            return super().problem(l1_ratio, penalty=penalty)
        factor = self.adaptive.factors(self.plain, engine)
        other = replace(self.plain, penalty_factor=factor)
        return other.problem(l1_ratio, engine, moments, penalty)


def stated(statement: Statement, penalty: Any) -> tuple[Statement, type[Penalty]]:
    """Return the statement that a penalty makes of this one, and the penalty's class.

    Raises
    ------
    PenglmInputError
        If there is no such penalty, or its pilot cannot be had.
    """
    if isinstance(penalty, str) and penalty == AdaptiveElasticNet.name:
        penalty = Adaptive()
    if isinstance(penalty, Adaptive):
        unknown = statement.family.unknown
        if unknown is not None:
            raise PenglmInputError(
                f"the adaptive penalty needs a known {unknown}: its pilot and the fit "
                f"would each estimate another. Fit without it first and pass the "
                f"{statement.family.name} family with that {unknown}.",
                argument="penalty",
            )
        return AdaptiveStatement.of(statement, penalty), AdaptiveElasticNet
    return statement, as_penalty(penalty)
