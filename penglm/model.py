"""The statistician's door: a response, columns or a formula, and a family."""

import warnings
from dataclasses import replace
from functools import cached_property
from typing import Any, Self

import numpy as np

from penglm import checks, frame, response
from penglm._typing import Vector
from penglm.engines import Block, Local
from penglm.exceptions import (
    ConstantColumnWarning,
    ConvergenceWarning,
    DroppedRowsWarning,
    PenglmInputError,
    RankWarning,
    SeparationWarning,
)
from penglm.families import Family, as_family
from penglm.path import Null, alpha_grid, alpha_max, fit_null, solve_path
from penglm.penalties import ElasticNet
from penglm.progress import Progress
from penglm.results.cross_validation import CVResults
from penglm.results.data import ModelData, ModelSpec
from penglm.results.fit import FitResults
from penglm.results.path import PathResults, Solved, in_order_of
from penglm.selection import folds as folding
from penglm.selection.cross_validation import (
    METRICS,
    Fold,
    Scores,
    best_index,
    cross_validate,
)
from penglm.solver.irls import Options
from penglm.solver.problem import Moments, Problem, measure
from penglm.solver.solution import Solution, Status


class PenalizedGLM:
    """A generalised linear model with an elastic-net penalty.

    Parameters
    ----------
    endog : array (n,)
        Response. For the binomial family also booleans, two labels, proportions (with
        ``freq_weights`` as trials), or two columns (successes, failures).
    exog : array, SciPy sparse or data frame (n, p)
        Predictors, without a constant. Names are kept.
    family : str, Family, or statsmodels family, default "gaussian"
    link : str or Link, optional
        The family's canonical link if not given.
    offset : array (n,), optional
        Added to the linear predictor.
    exposure : array (n,), optional
        Positive; its logarithm is added to the offset. For the log link only.
    freq_weights : array (n,), optional
        How many observations each row stands for.
    var_weights : array (n,), optional
        Precision of each row. The solver uses the product of both.
    fit_intercept : bool, default True
        The intercept is never penalised.
    standardize : bool, default True
        Penalise ``coef * sd``, sd weighted and divided by the weight total.
        Coefficients are on the original scale either way.
    penalty_factor : float, array (p,) or mapping, optional
        Multiplies the penalty of each column; 0 frees, ``inf`` excludes it. Never
        rescaled. A mapping goes by column or by formula term.
    lower, upper : float, array (p,) or mapping, optional
        Limits of the coefficients.
    missing : {"raise", "drop"}, default "raise"
        What to do with rows that hold NaN in any argument.

    Notes
    -----
    The objective is stated once, in docs/objective.md::

        1 / (2 sum s) * sum_i s_i d(y_i, mu_i)
          + alpha * sum_j f_j (l1_ratio |b_j| + (1 - l1_ratio) / 2 b_j^2)

    Examples
    --------
    >>> import numpy as np, penglm as pg
    >>> rng = np.random.default_rng(1)
    >>> X = rng.normal(size=(200, 5))
    >>> y = rng.poisson(np.exp(0.5 + 0.8 * X[:, 0]))
    >>> fit = pg.PenalizedGLM(y, X, family="poisson").fit(alpha=0.2)
    >>> [str(name) for name in fit.params.index[fit.params != 0]]
    ['Intercept', 'x1']
    """

    def __init__(
        self,
        endog: Any,
        exog: Any,
        family: Any = "gaussian",
        *,
        link: Any = None,
        offset: Any = None,
        exposure: Any = None,
        freq_weights: Any = None,
        var_weights: Any = None,
        fit_intercept: bool = True,
        standardize: bool = True,
        penalty_factor: Any = None,
        lower: Any = None,
        upper: Any = None,
        missing: str = "raise",
    ) -> None:
        known = as_family(family, link)
        extra = {
            "offset": offset,
            "exposure": exposure,
            "freq_weights": freq_weights,
            "var_weights": var_weights,
        }
        data = frame.from_arrays(endog, exog, known, extra, missing)
        self.set_up(
            data, known, fit_intercept, standardize, penalty_factor, lower, upper
        )

    @classmethod
    def from_formula(
        cls,
        formula: str,
        data: Any,
        family: Any = "gaussian",
        *,
        link: Any = None,
        offset: Any = None,
        exposure: Any = None,
        freq_weights: Any = None,
        var_weights: Any = None,
        standardize: bool = True,
        penalty_factor: Any = None,
        lower: Any = None,
        upper: Any = None,
        missing: str = "drop",
        coding: str = "treatment",
        env: int = 0,
        trusted: bool = True,
    ) -> Self:
        """Build the model from a formula and a table.

        Parameters
        ----------
        formula : str
            patsy's language, with ``offset(...)``, bare ``log`` and ``.``.
        data : data frame or mapping
            pandas, polars, pyarrow, or a dict of arrays.
        offset, exposure, freq_weights, var_weights : column name or array, optional
        missing : {"drop", "raise"}, default "drop"
        coding : {"treatment", "full", "sum"}, default "treatment"
            ``"full"`` keeps every level of a factor, penalised.
        env : int, default 0
            How many callers up the formula's free names are looked for.
        trusted : bool, default True
            False refuses everything but the whitelist of docs/formula.md, as for any
            formula that a person did not type.

        Other parameters are those of the class.

        Raises
        ------
        FormulaError
            If the formula cannot be read or does not fit the data.
        """
        from penglm import formula as language

        known = as_family(family, link)
        extra = {
            "offset": offset,
            "exposure": exposure,
            "freq_weights": freq_weights,
            "var_weights": var_weights,
        }
        built = language.build(
            formula,
            data,
            coding=coding,
            missing=missing,
            extra={key: value for key, value in extra.items() if value is not None},
            trusted=trusted,
            env=env + 1,
        )
        if built.n_dropped:
            warnings.warn(
                f"{built.n_dropped} of {built.n_dropped + built.rows.size} rows with "
                "missing values were dropped.",
                DroppedRowsWarning,
                stacklevel=2,
            )
        exposure_name = exposure if isinstance(exposure, str) else None
        rows = frame.from_formula(built, formula, known, exposure_name)
        model = cls.__new__(cls)
        model.set_up(
            rows, known, built.has_intercept, standardize, penalty_factor, lower,
            upper, coding,
        )  # fmt: skip
        return model

    def set_up(
        self,
        data: ModelData,
        family: Family,
        fit_intercept: bool,
        standardize: bool,
        penalty_factor: Any,
        lower: Any,
        upper: Any,
        coding: str = "treatment",
    ) -> None:
        """Check what both constructors share and measure the columns."""
        names, terms = data.names, data.term_slices
        spread = checks.per_column
        self.data = data
        self.family = family
        self.fit_intercept = bool(fit_intercept)
        self.standardize = bool(standardize)
        self.coding = coding
        self.penalty_factor = checks.penalty_factor(
            spread(penalty_factor, "penalty_factor", names, 1.0, terms), names
        )
        self.lower = spread(lower, "lower", names, -np.inf, terms)
        self.upper = spread(upper, "upper", names, np.inf, terms)
        checks.limits(self.lower, self.upper, names)
        used = np.flatnonzero(data.sample_weight > 0)
        y = data.y[used]
        response.check_range(y, family, data.rows[used])
        response.check_finite_solution(y, family, self.fit_intercept)
        block = Block(data.design, data.y, data.sample_weight, data.offset)
        if used.size < data.y.size:
            block = block.take(used)
        self.engine = Local([block])
        self.moments = measure(self.engine)
        constant = self.moments.sd == 0.0
        self.dropped = tuple(names[j] for j in np.flatnonzero(constant))
        if self.dropped and self.fit_intercept:
            warnings.warn(
                f"columns {list(self.dropped)} are constant; their coefficients are 0.",
                ConstantColumnWarning,
                stacklevel=3,
            )

    def problem(self, l1_ratio: float, engine: Local | None = None) -> Problem:
        """Return the frozen statement of the problem at a mix.

        ``engine`` replaces the rows, as cross-validation does; the columns are then
        measured on those rows.
        """
        moments = self.moments if engine is None else measure(engine)
        scale, fixed = column_scale(moments, self.fit_intercept)
        penalty = ElasticNet.build(
            l1_ratio,
            self.penalty_factor,
            scale if self.standardize else np.ones_like(scale),
            np.where(fixed, np.clip(0.0, self.lower, self.upper), self.lower),
            np.where(fixed, np.clip(0.0, self.lower, self.upper), self.upper),
        )
        center = moments.mean if self.fit_intercept else np.zeros_like(scale)
        return Problem(
            engine=self.engine if engine is None else engine,
            family=self.family,
            penalty=penalty,
            fit_intercept=self.fit_intercept,
            weight_total=moments.weight_total,
            center=center,
            scale=scale,
        )

    @cached_property
    def null(self) -> Null:
        """The model with nothing that is penalised."""
        return fit_null(self.problem(1.0), Options())

    def spec(self, l1_ratio: float) -> ModelSpec:
        """Return what was asked for, as results remember it."""
        return ModelSpec(
            family=self.family,
            fit_intercept=self.fit_intercept,
            standardize=self.standardize,
            l1_ratio=l1_ratio,
            penalty_factor=self.penalty_factor,
            lower=self.lower,
            upper=self.upper,
            dropped=self.dropped,
            null_deviance=self.null.deviance,
            coding=self.coding,
        )

    def alpha_max(self, l1_ratio: float = 1.0) -> float:
        """Return the least strength at which every penalised coefficient is zero.

        For ``l1_ratio`` below 0.001 there is none; the value at 0.001 is returned, as
        glmnet does.
        """
        return alpha_max(self.problem(checks.mix(l1_ratio)), self.null)

    def fit(
        self,
        alpha: float,
        l1_ratio: float = 1.0,
        *,
        tol: float = 1e-5,
        max_iter: int = 100,
        start: FitResults | None = None,
    ) -> FitResults:
        """Fit at one penalty strength.

        Parameters
        ----------
        alpha : float
            Penalty strength, >= 0, in units of mean half-deviance per unit
            coefficient; 0 gives the maximum-likelihood fit. Same scale as ``alpha`` in
            statsmodels ``fit_regularized`` and scikit-learn, and as ``lambda`` in
            glmnet.
        l1_ratio : float, default 1.0
            Share of the L1 part, in [0, 1]. 1 is the lasso, 0 is ridge.
        tol : float, default 1e-5
            Stop when no coordinate violates its optimality condition by more than
            this share of its own threshold.
        max_iter : int, default 100
            Largest number of IRLS steps.
        start : FitResults, optional
            Earlier fit on the same columns to start from.

        Returns
        -------
        FitResults

        Raises
        ------
        PenglmInputError
            If ``alpha`` is negative or ``l1_ratio`` lies outside [0, 1].

        Warns
        -----
        ConvergenceWarning
            If the certificate misses ``tol``; the last iterate is returned.
        SeparationWarning
            If the likelihood has no finite maximum.
        RankWarning
            If the unpenalised solution is not unique.

        See Also
        --------
        fit_path : the same for a whole grid, with warm starts.
        """
        alpha, l1_ratio = checks.strength(alpha), checks.mix(l1_ratio)
        problem = self.problem(l1_ratio)
        options = Options(tol=tol, max_iter=max_iter)
        warm = None
        if start is not None:
            warm = self.path_of([start.solution], l1_ratio, options).before(-1.0)
        if alpha == np.inf:
            alpha, problem = 0.0, self.only_free(problem)
        solutions = solve_path(problem, [alpha], self.null, options, start=warm)
        self.tell(solutions, options)
        return FitResults(solutions[0], self.data, self.spec(l1_ratio))

    def only_free(self, problem: Problem) -> Problem:
        """Return the problem of an infinite strength."""
        held = problem.penalty.held(~problem.penalty.is_free)
        return replace(problem, penalty=held)

    def fit_path(
        self,
        alphas: Any = None,
        *,
        n_alphas: int = 100,
        alpha_min_ratio: float | None = None,
        l1_ratio: float = 1.0,
        tol: float = 1e-5,
        max_iter: int = 100,
        progress: str | bool = "auto",
    ) -> PathResults:
        """Fit along a path of strengths, each solution started from the one before.

        Parameters
        ----------
        alphas : array (m,), optional
            Strengths, in any order; results come back in that order.
        n_alphas : int, default 100
            Points of the automatic path, from ``alpha_max`` down.
        alpha_min_ratio : float, optional
            Smallest strength over ``alpha_max``: 1e-4, or 1e-2 where there are fewer
            rows than columns.
        l1_ratio, tol, max_iter
            As in ``fit``.
        progress : {"auto", True, False}
            Draw a progress bar on long work.

        Returns
        -------
        PathResults
            The automatic path ends early, as glmnet's does, once more than 99.9 % of
            the deviance is explained or a step adds less than 1e-5 of it.
        """
        l1_ratio = checks.mix(l1_ratio)
        options = Options(tol=tol, max_iter=max_iter)
        problem = self.problem(l1_ratio)
        asked = None if alphas is None else strengths(alphas)
        grid = self.grid(problem, n_alphas, alpha_min_ratio)
        if asked is not None:
            grid = np.unique(asked)[::-1]
        with Progress(grid.size, "path", progress) as bar:
            solutions = solve_path(
                problem, grid.tolist(), self.null, options,
                stop_early=asked is None, on_point=bar.step,
            )  # fmt: skip
        self.tell(solutions, options)
        if asked is not None:
            solutions = list(in_order_of(solutions, asked.tolist()))
        return self.path_of(solutions, l1_ratio, options)

    def grid(
        self, problem: Problem, n_alphas: int, alpha_min_ratio: float | None
    ) -> Vector:
        """Return the automatic path's strengths."""
        if n_alphas < 1:
            raise PenglmInputError(
                f"n_alphas = {n_alphas}; at least 1 is needed.", argument="n_alphas"
            )
        ratio = alpha_min_ratio
        if ratio is None:
            ratio = 1e-2 if problem.engine.n_obs < problem.n_features else 1e-4
        if not 0.0 < ratio <= 1.0:
            raise PenglmInputError(
                f"alpha_min_ratio = {ratio}; it must lie in (0, 1].",
                argument="alpha_min_ratio",
            )
        return alpha_grid(alpha_max(problem, self.null), n_alphas, ratio)

    def path_of(
        self, solutions: list[Solution], l1_ratio: float, options: Options
    ) -> PathResults:
        """Wrap solutions with what they came from."""
        solved = Solved(self.problem(l1_ratio), self.null, options)
        return PathResults(tuple(solutions), self.data, self.spec(l1_ratio), solved)

    def fit_cv(
        self,
        folds: Any = 10,
        *,
        l1_ratio: Any = 1.0,
        groups: Any = None,
        metric: str = "deviance",
        select: str = "1se",
        alphas: Any = None,
        n_alphas: int = 100,
        alpha_min_ratio: float | None = None,
        tol: float = 1e-5,
        max_iter: int = 100,
        n_jobs: int = 1,
        seed: int = 0,
        progress: str | bool = "auto",
    ) -> CVResults:
        """Choose the strength by cross-validation.

        Parameters
        ----------
        folds : int, array (n,) or splitter, default 10
            Number of folds (stratified by class for the binomial family), labels, or
            an object with ``split``.
        l1_ratio : float or sequence of float, default 1.0
            The best of several is kept.
        groups : array (n,), optional
            Rows of one group stay in one fold.
        metric : {"deviance", "mse", "mae", "class", "auc"}
            Weighted by the sample weights of the rows left out.
        select : {"1se", "min"}
            Strongest penalty within one standard error of the best, or the best.
        n_jobs : int, default 1
            Threads; the answer does not depend on it.
        seed : int, default 0
            Of the shuffle that makes the folds.
        alphas, n_alphas, alpha_min_ratio, tol, max_iter, progress
            As in ``fit_path``.

        Returns
        -------
        CVResults
        """
        checks.choice(metric, METRICS, "metric")
        checks.choice(select, ("1se", "min"), "select")
        if metric in ("class", "auc") and self.family.name != "binomial":
            raise PenglmInputError(
                f"metric = {metric!r} is for the binomial family, not "
                f"'{self.family.name}'.",
                argument="metric",
            )
        fold = self.fold_numbers(folds, groups, seed)
        options = Options(tol=tol, max_iter=max_iter)
        chosen: tuple[float, PathResults, Scores] | None = None
        tried: dict[float, float] = {}
        for ratio in np.atleast_1d(l1_ratio).tolist():
            path = self.fit_path(
                alphas, n_alphas=n_alphas, alpha_min_ratio=alpha_min_ratio,
                l1_ratio=ratio, tol=tol, max_iter=max_iter, progress=progress,
            )  # fmt: skip
            path = in_descending_order(path)
            scores = self.score_folds(path, fold, options, metric, n_jobs, progress)
            sign = -1.0 if metric == "auc" else 1.0
            tried[ratio] = float(scores.mean[best_index(scores, metric)])
            if chosen is None or sign * tried[ratio] < chosen[0]:
                chosen = sign * tried[ratio], path, scores
        assert chosen is not None
        _, path, scores = chosen
        return CVResults(
            path.solutions, self.data, path.spec, path.solved, scores, metric, select,
            fold, tried,
        )  # fmt: skip

    def fold_numbers(self, folds: Any, groups: Any, seed: int) -> Any:
        """Return the fold of each row; -1 for rows of weight 0."""
        used = np.flatnonzero(self.data.sample_weight > 0)
        n_given = self.data.y.size

        def rows_of(values: Any, argument: str) -> Any:
            array = np.asarray(values)
            if array.shape == (n_given,):
                return array[used]
            whole = int(self.data.rows.max()) + 1
            if array.ndim == 1 and array.size >= whole:
                return array[self.data.rows[used]]
            raise PenglmInputError(
                f"{argument} has shape {array.shape} but there are {n_given} rows.",
                argument=argument,
            )

        if not isinstance(folds, int | np.integer) and not hasattr(folds, "split"):
            folds = rows_of(folds, "folds")
        if groups is not None:
            groups = rows_of(groups, "groups")
        classes = None
        if self.family.name == "binomial" and np.isin(self.data.y[used], (0, 1)).all():
            classes = self.data.y[used]
        fold = np.full(n_given, -1, dtype=np.int64)
        fold[used] = folding.assign(
            folds, used.size, seed=seed, classes=classes, groups=groups
        )
        return fold

    def score_folds(
        self,
        path: PathResults,
        fold: Any,
        options: Options,
        metric: str,
        n_jobs: int,
        progress: str | bool,
    ) -> Scores:
        """Fit the path without each fold and score it there."""
        numbers = fold[fold >= 0]
        block = self.engine.blocks[0]
        parts = []
        for k in range(int(numbers.max()) + 1):
            train = Local([block.take(np.flatnonzero(numbers != k))])
            rows = np.flatnonzero(numbers == k)
            problem = self.problem(path.l1_ratio, train)
            parts.append(Fold(problem, block.take(rows), rows))
        total = len(parts) * path.alphas.size
        with Progress(total, "cross-validation", progress) as bar:
            return cross_validate(
                parts, path.alphas, options, metric=metric, n_jobs=n_jobs,
                on_point=bar.step,
            )  # fmt: skip

    def tell(self, solutions: list[Solution], options: Options) -> None:
        """Turn statuses into warnings, one for each cause."""
        if any(s.status is Status.NO_FINITE_SOLUTION for s in solutions):
            warnings.warn(
                "the likelihood rises without limit along some direction of the "
                "unpenalised coefficients (separated classes, or counts of a group "
                "that are all zero); the coefficients have no finite optimum. Use "
                "alpha > 0.",
                SeparationWarning,
                stacklevel=3,
            )
            return
        if any(s.rank is not None and s.rank < self.n_moving for s in solutions):
            rank = min(s.rank for s in solutions if s.rank is not None)
            warnings.warn(
                f"design has rank {rank} < {self.n_moving} at alpha=0; minimum-norm "
                "solution returned.",
                RankWarning,
                stacklevel=3,
            )
        missed = [s for s in solutions if s.status is not Status.OPTIMAL]
        if missed:
            worst = max(missed, key=lambda s: s.certificate.kkt_residual)
            warnings.warn(
                f"{worst.n_iter} IRLS steps left a KKT violation of "
                f"{worst.certificate.kkt_residual:.1e} of alpha (tol asks for "
                f"{options.tol:.1e}) at alpha = {worst.alpha:.4g}. Fit a path down to "
                "this alpha, standardize the columns, or raise max_iter.",
                ConvergenceWarning,
                stacklevel=3,
            )

    @property
    def n_moving(self) -> int:
        """Columns whose coefficients are not fixed."""
        return int((~self.problem(1.0).penalty.is_fixed).sum())


def glm(formula: str, data: Any, family: Any = "gaussian", **options: Any) -> Any:
    """Build a model from a formula, as ``smf.glm`` is to ``sm.GLM``.

    Parameters are those of ``PenalizedGLM.from_formula``.
    """
    options.setdefault("env", 0)
    options["env"] += 1
    return PenalizedGLM.from_formula(formula, data, family, **options)


def column_scale(moments: Moments, fit_intercept: bool) -> tuple[Vector, Any]:
    """Return the solver's scale (p,) and which columns cannot have a coefficient.

    Beside an intercept a constant column says nothing. Without one it is a column like
    any other; its size then stands in for the standard deviation it does not have.
    """
    constant = moments.sd == 0.0
    if fit_intercept:
        return np.where(constant, 1.0, moments.sd), constant
    empty = constant & (moments.mean == 0.0)
    size = np.where(constant, np.abs(moments.mean), moments.sd)
    return np.where(empty, 1.0, size), empty


def strengths(alphas: Any) -> Vector:
    """Return the user's strengths (m,) in the user's order."""
    values = np.atleast_1d(np.asarray(alphas, dtype=float))
    for value in values:
        checks.strength(value, "alphas")
    if not values.size or not np.isfinite(values).all():
        raise PenglmInputError(
            "alphas must be finite numbers, at least one.", argument="alphas"
        )
    return values


def in_descending_order(path: PathResults) -> PathResults:
    """Return the path strongest penalty first, as choosing needs it."""
    order = np.argsort(-path.alphas, kind="stable")
    return replace(path, solutions=tuple(path.solutions[k] for k in order))
