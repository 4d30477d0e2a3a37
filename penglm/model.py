"""The statistician's door: a response, columns or a formula, and a family."""

import os
from functools import partial
from typing import Any, Self

import numpy as np

from penglm import checks, frame
from penglm.diagnosis import tell
from penglm.exceptions import PenglmInputError
from penglm.families import Family, as_family
from penglm.path import alpha_max, solve_at
from penglm.penalties import as_penalty
from penglm.results.cross_validation import CVResults
from penglm.results.data import ModelData
from penglm.results.fit import FitResults
from penglm.results.path import PathResults
from penglm.selection import fold_moments
from penglm.selection import folds as folding
from penglm.selection.cross_validation import (
    best_index,
    check_metric,
    score_path,
)
from penglm.solver.problem import Problem
from penglm.statement import Statement, options


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
        The family's default link if not given.
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
    The objective and its scale are stated once, in docs/objective.md.

    Examples
    --------
    >>> import numpy as np, penglm as pg
    >>> rng = np.random.default_rng(1)
    >>> X = rng.normal(size=(200, 5))
    >>> y = rng.poisson(np.exp(0.5 + 0.8 * X[:, 0]))
    >>> fit = pg.PenalizedGLM(y, X, family="poisson").fit(alpha=0.5)
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
        given = (offset, exposure, freq_weights, var_weights)
        extra = dict(zip(frame.ARGUMENTS, given, strict=True))
        self.statement = Statement.build(
            frame.from_arrays(endog, exog, known, extra, missing),
            known,
            fit_intercept=fit_intercept,
            standardize=standardize,
            penalty_factor=penalty_factor,
            lower=lower,
            upper=upper,
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

        Other parameters are those of the class; the formula itself says whether there
        is an intercept (``- 1`` leaves it out).

        Raises
        ------
        FormulaError
            If the formula cannot be read or does not fit the data.
        """
        known = as_family(family, link)
        given = (offset, exposure, freq_weights, var_weights)
        rows = frame.from_formula(
            formula, data, known, dict(zip(frame.ARGUMENTS, given, strict=True)),
            missing, coding=coding, trusted=trusted, env=env + 1,
        )  # fmt: skip
        model = cls.__new__(cls)
        model.statement = Statement.build(
            rows,
            known,
            fit_intercept=rows.encoder.has_intercept,
            standardize=standardize,
            penalty_factor=penalty_factor,
            lower=lower,
            upper=upper,
            coding=coding,
        )
        return model

    @property
    def data(self) -> ModelData:
        """The rows and names of the model."""
        return self.statement.data

    @property
    def family(self) -> Family:
        """Distribution and link."""
        return self.statement.family

    def problem(self, l1_ratio: float = 1.0) -> Problem:
        """Return the frozen problem that the solver sees at a mix."""
        return self.statement.problem(checks.mix(l1_ratio))

    def alpha_max(self, l1_ratio: float = 1.0) -> float:
        """Return the least strength at which every penalised coefficient is zero.

        For ``l1_ratio`` below 0.001 there is none; the value at 0.001 is returned, as
        glmnet does.
        """
        return alpha_max(self.problem(l1_ratio), self.statement.null)

    def fit(
        self,
        alpha: float,
        l1_ratio: float = 1.0,
        *,
        penalty: Any = None,
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
        penalty : str or Penalty class, optional
            The elastic net if not given; see ``penglm.penalties``.
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
        asked, kind = options(tol, max_iter), as_penalty(penalty)
        problem = self.statement.problem(l1_ratio, penalty=kind)
        warm = self.statement.start(start, kind)
        solution = solve_at(problem, alpha, self.statement.null, asked, start=warm)
        tell([solution], problem, self.data.names, asked)
        return self.statement.path_of([solution], l1_ratio, asked, kind)[0]

    def fit_path(
        self,
        alphas: Any = None,
        *,
        n_alphas: int = 100,
        alpha_min_ratio: float | None = None,
        l1_ratio: float = 1.0,
        penalty: Any = None,
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
        l1_ratio, penalty, tol, max_iter
            As in ``fit``.
        progress : {"auto", True, False}
            Draw a progress bar on long work.

        Returns
        -------
        PathResults
            The automatic path ends early, as glmnet's does, once more than 99.9 % of
            the deviance is explained or a step adds less than 1e-5 of it.
        """
        return self.statement.path(
            checks.mix(l1_ratio), options(tol, max_iter), as_penalty(penalty),
            alphas=alphas, n_alphas=n_alphas, alpha_min_ratio=alpha_min_ratio,
            progress=progress,
        )  # fmt: skip

    def fit_cv(
        self,
        folds: Any = 10,
        *,
        l1_ratio: Any = 1.0,
        penalty: Any = None,
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
            Folds at a time, each on a thread; -1 for one per core. The answer does
            not depend on it.
        seed : int, default 0
            Of the shuffle that makes the folds.
        penalty, alphas, n_alphas, alpha_min_ratio, tol, max_iter, progress
            As in ``fit_path``.

        Returns
        -------
        CVResults
        """
        check_metric(metric, self.family)
        checks.choice(select, ("1se", "min"), "select")
        jobs = os.cpu_count() or 1 if n_jobs == -1 else checks.whole(n_jobs, "n_jobs")
        fold = folding.of_rows(
            folds,
            groups,
            used=self.data.sample_weight > 0,
            rows=self.data.rows,
            classes=self.data.y if self.family.name == "binomial" else None,
            seed=seed,
        )
        asked, kind = options(tol, max_iter), as_penalty(penalty)
        runs = []
        ratios = [checks.mix(ratio) for ratio in np.atleast_1d(l1_ratio).tolist()]
        if not ratios:
            raise PenglmInputError("l1_ratio is empty.", argument="l1_ratio")
        block = self.statement.engine.blocks[0]
        moments = fold_moments.of(block, fold[fold >= 0], self.problem())
        for ratio in ratios:
            path = self.statement.path(
                ratio, asked, kind, alphas=alphas, n_alphas=n_alphas,
                alpha_min_ratio=alpha_min_ratio, progress=progress,
                curvature=None if moments is None else moments.curvature(),
            ).descending()  # fmt: skip
            scores = score_path(
                block, fold[fold >= 0],
                partial(self.statement.problem, ratio, penalty=kind),
                path.alphas, asked, moments=moments, metric=metric, n_jobs=jobs,
                progress=progress,
            )  # fmt: skip
            runs.append((path, scores))
        best = [float(scores.mean[best_index(scores, metric)]) for _, scores in runs]
        path, scores = runs[
            int(np.argmax(best) if metric == "auc" else np.argmin(best))
        ]
        tried = dict(zip(ratios, best, strict=True))
        return CVResults(
            path.solutions, self.data, path.spec, path.solved, scores, metric, select,
            fold, tried,
        )  # fmt: skip


def glm(formula: str, data: Any, family: Any = "gaussian", **others: Any) -> Any:
    """Build a model from a formula, as ``smf.glm`` is to ``sm.GLM``.

    Parameters are those of ``PenalizedGLM.from_formula``.
    """
    others["env"] = others.get("env", 0) + 1
    return PenalizedGLM.from_formula(formula, data, family, **others)
