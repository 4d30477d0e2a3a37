"""What a model that has been stated can do: fit at a strength, a path, by folds."""

import os
from functools import partial
from typing import Any

import numpy as np

from penglm import checks, nuisance
from penglm.adaptive import stated
from penglm.diagnosis import tell, tell_scaling
from penglm.exceptions import PenglmInputError
from penglm.explanation.scaling import MOST_SPREAD
from penglm.families import Family
from penglm.path import alpha_max, solve_at
from penglm.penalties import AdaptiveElasticNet, Penalty
from penglm.relaxation import GAMMAS, OF_WHAT
from penglm.results.cross_validation import CVResults
from penglm.results.data import ModelData
from penglm.results.fit import FitResults
from penglm.results.path import PathResults
from penglm.results.relaxed import best_place, relaxed_cv
from penglm.selection import fold_moments
from penglm.selection import folds as folding
from penglm.selection.cross_validation import score_path
from penglm.selection.metrics import check_metric
from penglm.solver.problem import Problem
from penglm.statement import Statement, options

# Numbers in a design on which a path more is not felt.
SMALL = 10_000
# Strengths at which all penalised columns are in, or none.
NO_CHOICE = 0.0, np.inf


class Fitting:
    """The verbs of a model, whichever door its statement came through.

    Attributes
    ----------
    statement : Statement
        Rows, family, factors and limits, checked.
    advises : bool
        Whether a fit may still warn about the units of columns; it does so once.
    """

    statement: Statement
    advises: bool = True

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
        alpha: float | None = None,
        l1_ratio: float = 1.0,
        *,
        budget: float | None = None,
        penalty: Any = None,
        tol: float = 1e-5,
        max_iter: int = 100,
        start: FitResults | None = None,
        on_nonconvergence: str = "warn",
    ) -> FitResults:
        """Fit at one penalty strength, or within a budget.

        Parameters
        ----------
        alpha : float, optional
            Penalty strength, >= 0, in units of mean half-deviance per unit
            coefficient; 0 gives the maximum-likelihood fit. Same scale as ``alpha`` in
            statsmodels ``fit_regularized`` and scikit-learn, and as ``lambda`` in
            glmnet.
        l1_ratio : float, default 1.0
            Share of the L1 part, in [0, 1]. 1 is the lasso, 0 is ridge.
        budget : float, optional
            In place of ``alpha``: the least loss among coefficients that cost no more,
            ``sum_j f_j |b_j| <= budget`` for the lasso, ``b_j`` the coefficient as it
            is penalised (times ``sd_j`` with ``standardize=True``). The ``alpha`` of
            the result is the multiplier of the constraint.
        penalty : str, Adaptive or Penalty class, optional
            The elastic net if not given. ``"adaptive"`` or an ``Adaptive`` takes
            penalty factors from a pilot fit; see ``penglm.penalties`` for others.
        tol : float, default 1e-5
            Stop when no coordinate violates its optimality condition by more than
            this share of its own threshold.
        max_iter : int, default 100
            Largest number of IRLS steps.
        start : FitResults, optional
            Earlier fit on the same columns to start from; a budget does without.
        on_nonconvergence : {"warn", "raise"}, default "warn"
            What to do about a solution that is not optimal.

        Returns
        -------
        FitResults

        Raises
        ------
        PenglmInputError
            If ``alpha`` or ``budget`` is negative, or both or none are given; if
            ``l1_ratio`` lies outside [0, 1]; if limits ask for more than the budget.
        ConvergenceError, NoFiniteSolutionError
            In place of the first two warnings, with ``on_nonconvergence="raise"``.

        Warns
        -----
        ConvergenceWarning
            If the certificate misses ``tol``; the last iterate is returned.
        SeparationWarning
            If the likelihood has no finite maximum.
        RankWarning
            If the unpenalised solution is not unique.
        ScalingWarning
            Once for each model: if columns are not standardised, there is an L1 part,
            and standard deviations differ by more than a factor of 100
            (docs/how-to/why-is-it-zero.md).

        See Also
        --------
        fit_path : the same for a whole grid, with warm starts.
        """
        checks.one_of(alpha=alpha, budget=budget)
        l1_ratio = checks.mix(l1_ratio)
        asked = options(tol, max_iter, on_nonconvergence)
        at = None if budget is not None else checks.strength(alpha)
        statement, kind = stated(self.statement, penalty)
        statement = nuisance.known(statement, l1_ratio, asked, kind, alpha=at)
        if at is None:
            fit = statement.path_of([], l1_ratio, asked, kind).at(budget=budget)
            self.advise(kind, fit)
            return fit
        problem = statement.problem(l1_ratio, penalty=kind)
        warm = statement.start(start, kind)
        solution = solve_at(problem, at, statement.null, asked, start=warm)
        tell([solution], problem, self.data.names, asked)
        fit = statement.path_of([solution], l1_ratio, asked, kind)[0]
        self.advise(kind, fit)
        return fit

    def compare_with(
        self, peer: str, alpha: float, l1_ratio: float = 1.0, *, tol: float = 1e-8
    ) -> Any:
        """Solve the same problem with another system, and judge both answers.

        Parameters
        ----------
        peer : {"statsmodels", "sklearn", "glum", "skglm", "celer", "adelie"}
            Has to be installed; imported here only. Strengths are converted by
            ``pg.convert``, and its tolerances are as small as it makes use of.
        alpha, l1_ratio : float
            In penglm's convention.
        tol : float, default 1e-8
            Of penglm's fit.

        Returns
        -------
        Comparison
            Objectives and KKT residuals of both under penglm's convention, numbers of
            nonzero coefficients, the largest difference, seconds; ``to_frame()`` has
            them as a table.

        Raises
        ------
        PenglmInputError
            If the peer is not installed or cannot state the model, with the reason.
        """
        from penglm.comparison import compare

        return compare(self, peer, alpha, l1_ratio, tol)

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
        on_nonconvergence: str = "warn",
    ) -> PathResults:
        """Fit along a path of strengths, each solution started from the one before.

        Parameters
        ----------
        alphas : array (m,), optional
            Strengths, in any order; results come back in that order.
        n_alphas : int, default 100
            Points of the automatic path, from ``alpha_max`` down; one where that is 0.
        alpha_min_ratio : float, optional
            Smallest strength over ``alpha_max``: 1e-4, or 1e-2 where there are fewer
            rows than columns.
        l1_ratio, penalty, tol, max_iter, on_nonconvergence
            As in ``fit``.
        progress : {"auto", True, False}
            Draw a progress bar on long work.

        Returns
        -------
        PathResults
            The automatic path ends early, as glmnet's does, once more than 99.9 % of
            the deviance is explained or a step adds less than 1e-5 of it.
        """
        statement, kind = stated(self.statement, penalty)
        asked = options(tol, max_iter, on_nonconvergence)
        how = checks.mix(l1_ratio), asked, kind
        grid = {"alphas": alphas, "n_alphas": n_alphas, "progress": progress,
                "alpha_min_ratio": alpha_min_ratio}  # fmt: skip
        path = nuisance.known(statement, *how, **grid).path(*how, **grid)
        self.advise(kind, path)
        return path

    def fit_cv(
        self,
        folds: Any = 10,
        *,
        l1_ratio: Any = 1.0,
        penalty: Any = None,
        groups: Any = None,
        metric: str = "deviance",
        select: str = "1se",
        relax: Any = False,
        alphas: Any = None,
        n_alphas: int = 100,
        alpha_min_ratio: float | None = None,
        tol: float = 1e-5,
        max_iter: int = 100,
        n_jobs: int = 1,
        seed: int = 0,
        progress: str | bool = "auto",
        on_nonconvergence: str = "warn",
    ) -> CVResults:
        """Choose the strength by cross-validation.

        Parameters
        ----------
        folds : int, array (n,) or splitter, default 10
            Number of folds, labels, or an object with ``split``. For the binomial
            family a number of folds is stratified by class, and each class needs a row
            for every fold.
        l1_ratio : float or sequence of float, default 1.0
            The best of several is kept.
        groups : array (n,), optional
            Rows of one group stay in one fold.
        metric : {"deviance", "mse", "mae", "class", "auc"}
            Weighted by the sample weights of the rows left out.
        select : {"1se", "min"}
            Strongest penalty within one standard error of the best, or the best.
        relax : bool or sequence of float, default False
            Choose also how much of the penalised fit to keep when it is mixed with the
            unpenalised refit of its support: among these shares, 0, 0.25, 0.5, 0.75
            and 1 for True. Refits are made in each fold.
        n_jobs : int, default 1
            Folds at a time, each on a thread; -1 for one per core. The answer does
            not depend on it.
        seed : int, default 0
            Of the shuffle that makes the folds.
        penalty
            As in ``fit``. Factors from a pilot fit are learnt in each fold from the
            rows it keeps.
        alphas, n_alphas, alpha_min_ratio, tol, max_iter
            As in ``fit_path``; the path comes back strongest first.
        progress, on_nonconvergence
            As in ``fit_path``.

        Returns
        -------
        CVResults or RelaxedCV
            The latter with ``relax``, whose choices are a strength and a mix.
        """
        check_metric(metric, self.family)
        checks.choice(select, ("1se", "min"), "select")
        jobs = os.cpu_count() or 1 if n_jobs == -1 else checks.whole(n_jobs, "n_jobs")
        fold = folding.of_rows(
            folds,
            groups,
            used=self.data.sample_weight > 0,
            rows=self.data.rows,
            n_given=self.data.n_given,
            classes=self.data.y if self.family.has_classes else None,
            seed=seed,
            levels=self.data.y_levels,
        )
        asked = options(tol, max_iter, on_nonconvergence)
        statement, kind = stated(self.statement, penalty)
        gammas = shares(relax)
        is_plain = isinstance(relax, bool | np.bool_) and not relax
        runs = []
        ratios = [checks.mix(ratio) for ratio in np.atleast_1d(l1_ratio).tolist()]
        if not ratios:
            raise PenglmInputError("l1_ratio is empty.", argument="l1_ratio")
        grid = {"alphas": alphas, "n_alphas": n_alphas, "progress": progress,
                "alpha_min_ratio": alpha_min_ratio}  # fmt: skip
        # A pilot and refits need the rows of a fold; sums do not stand for them.
        is_of_sums = statement is self.statement and gammas == (1.0,)
        statement = nuisance.known(statement, ratios[0], asked, kind, **grid)
        block, moments = statement.engine.blocks[0], None
        if is_of_sums:
            moments = fold_moments.of(block, fold[fold >= 0], statement.problem(1.0))
        for ratio in ratios:
            path = statement.path(
                ratio, asked, kind, **grid,
                curvature=None if moments is None else moments.curvature(),
            ).descending()  # fmt: skip
            scores = score_path(
                block, fold[fold >= 0],
                partial(statement.problem, ratio, penalty=kind),
                path.alphas, asked, moments=moments, metric=metric, n_jobs=jobs,
                progress=progress, gammas=gammas,
            )  # fmt: skip
            runs.append((path, dict(zip(gammas, scores, strict=True))))
        best = [best_place(scores, metric) for _, scores in runs]
        means = [
            float(scores[gamma].mean[k])
            for (_, scores), (gamma, k) in zip(runs, best, strict=True)
        ]
        path, scores_by_gamma = runs[
            int(np.argmax(means) if metric == "auc" else np.argmin(means))
        ]
        found = CVResults(
            path.solutions, self.data, path.spec, path.solved, scores_by_gamma[1.0],
            metric, select, fold, dict(zip(ratios, means, strict=True)),
        )  # fmt: skip
        self.advise(kind, found.best)
        return found if is_plain else relaxed_cv(found, scores_by_gamma)

    def advise(self, kind: type[Penalty], found: FitResults | PathResults) -> None:
        """Warn, once, if units decide which columns are chosen, and nobody said so.

        Factors of an adaptive penalty follow the units. What would change is said of a
        fit of few numbers, on which a path more is not felt.
        """
        if not self.advises or kind is AdaptiveElasticNet or found.l1_ratio == 0.0:
            return
        if isinstance(found, FitResults) and found.alpha in NO_CHOICE:
            return
        statement = self.statement
        spread = statement.spread
        if spread is None or spread.ratio <= MOST_SPREAD:
            return
        self.advises = False
        advice = None
        if isinstance(found, FitResults) and found.converged:
            is_small = np.prod(statement.data.design.shape, dtype=float) <= SMALL
            advice = found.scaling_advice() if is_small else None
        tell_scaling(spread, statement.moments.sd, statement.data.names, advice)


def shares(relax: Any) -> tuple[float, ...]:
    """Return the mixes to try, the penalised fit among them."""
    if isinstance(relax, bool | np.bool_):
        return GAMMAS if relax else (1.0,)
    if np.size(relax) == 0:
        raise PenglmInputError("relax is empty; give mixes, or True.", argument="relax")
    found = {checks.share(gamma, "relax", OF_WHAT) for gamma in np.atleast_1d(relax)}
    return tuple(sorted(found | {1.0}))
