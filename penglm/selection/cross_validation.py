"""Choosing the strength by leaving folds out.

Each fold is fitted along the path of the whole data and scored on the rows it left out.
The weights and offsets of a row count in the fit, in the grid and in the score.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from penglm import checks, response
from penglm._typing import Index, Matrix, Vector
from penglm.engines import Block, Local
from penglm.exceptions import (
    ConvergenceWarning,
    NoFiniteSolutionError,
    PenglmInputError,
    warn,
)
from penglm.families import Family
from penglm.interruption import obey
from penglm.path import trace
from penglm.progress import Progress
from penglm.selection import fold_moments
from penglm.selection.fold_moments import FoldMoments
from penglm.solver.null import fit_null
from penglm.solver.outcome import Options, Outcome
from penglm.solver.problem import Problem
from penglm.solver.solution import Status

METRICS = ("deviance", "mse", "mae", "class", "auc")
# How often the waiting thread wakes to serve Ctrl-C, in seconds.
HEARTBEAT = 0.2


@dataclass(frozen=True, eq=False)
class Scores:
    """What the folds say about one path.

    Attributes
    ----------
    mean : Vector (m,)
        Weighted mean over folds of the fold scores.
    std : Vector (m,)
        Its standard error.
    by_fold : Matrix (folds, m)
    out_of_fold : Matrix (n, m)
        Linear predictor of each row from the fits that left it out.
    n_missed : int
        Fits on folds that did not reach the tolerance.
    """

    mean: Vector
    std: Vector
    by_fold: Matrix
    out_of_fold: Matrix
    n_missed: int = 0


Answer: TypeAlias = tuple[Matrix, Vector, int]
"""Linear predictors (n, m) and scores (m,) of a fold, and how many fits missed."""


@dataclass(frozen=True, eq=False)
class Fold:
    """One part of the rows left out, and the problem on the others.

    Attributes
    ----------
    problem : Problem
    test : Block
    rows : Index (k,)
        Where the rows left out stand among all.
    level : float
    mean : Vector (p,) or None
        Linear predictor, less the offset, at columns of this mean, where the problem
        itself is about centred columns without an intercept.
    """

    problem: Problem
    test: Block
    rows: Index
    level: float = 0.0
    mean: Vector | None = None


class Folds:
    """The folds of the rows of a block, each made when it is asked for.

    Parameters
    ----------
    block : Block
    fold : Index (n,)
        Fold of each of its rows, counted from 0.
    problem_on : callable
        States the problem on other rows, or on none but those of the model.
    """

    def __init__(
        self, block: Block, fold: Index, problem_on: Callable[..., Problem]
    ) -> None:
        self.block, self.fold, self.problem_on = block, fold, problem_on
        self.count = int(fold.max()) + 1
        whole = problem_on()
        self.moments = (
            FoldMoments(block, fold, whole) if fold_moments.suits(whole) else None
        )

    def __len__(self) -> int:
        return self.count

    def rows(self, k: int) -> Index:
        """Return the rows that fold ``k`` leaves out."""
        return np.flatnonzero(self.fold == k)

    def weight(self, k: int) -> float:
        """Return their weight."""
        return float(self.block.sample_weight[self.rows(k)].sum())

    def __getitem__(self, k: int) -> Fold:
        rows = self.rows(k)
        test = self.block.take(rows)
        if self.moments is not None:
            compact = self.moments.without(k, self.problem_on)
            if compact is not None:
                return Fold(compact.problem, test, rows, compact.level, compact.mean)
        train = Local([self.block.take(np.flatnonzero(self.fold != k))])
        problem = self.problem_on(train)
        refuse_empty(problem, train.blocks[0].y, k)
        return Fold(problem, test, rows)


def check_metric(metric: str, family: Family) -> None:
    """Raise unless a metric is known and fits the family."""
    checks.choice(metric, METRICS, "metric")
    if metric in ("class", "auc") and family.name != "binomial":
        raise PenglmInputError(
            f"metric = {metric!r} is for the binomial family, not '{family.name}'.",
            argument="metric",
        )


def score_path(
    block: Block,
    fold: Index,
    problem_on: Callable[..., Problem],
    alphas: Vector,
    options: Options,
    *,
    metric: str,
    n_jobs: int,
    progress: str | bool,
) -> Scores:
    """Fit a path without each fold and score it there.

    Parameters
    ----------
    block : Block
    fold : Index (n,)
        Fold of each of its rows, counted from 0.
    problem_on : callable
        States the problem on other rows, their columns measured anew if it is not told
        how they came out; without rows, the problem of the model.
    alphas : Vector (m,)
        Descending.
    """
    parts = Folds(block, fold, problem_on)
    with Progress(len(parts) * alphas.size, "cross-validation", progress) as bar:
        scores = cross_validate(
            parts, alphas, options, metric=metric, n_jobs=n_jobs, on_point=bar.step
        )
    if scores.n_missed:
        warn(
            f"{scores.n_missed} of {len(parts) * alphas.size} fits on folds did not "
            "reach the tolerance; their scores are those of the last iterate. Raise "
            "max_iter, or choose among stronger penalties.",
            ConvergenceWarning,
        )
    return scores


def refuse_empty(problem: Problem, y: Vector, k: int) -> None:
    """Raise if the rows outside a fold leave the intercept no finite value."""
    try:
        response.check_finite_solution(y, problem.family, problem.fit_intercept)
    except NoFiniteSolutionError as error:
        raise PenglmInputError(
            f"without the rows of fold {k}, {error} Or use other folds, so that no "
            "fold holds all such rows.",
            argument="folds",
        ) from None


def cross_validate(
    folds: Folds,
    alphas: Vector,
    options: Options,
    *,
    metric: str,
    n_jobs: int,
    on_point: Callable[[], None],
) -> Scores:
    """Score a path on held-out rows.

    The answer does not depend on ``n_jobs``: folds share nothing but the grid.
    """
    stop = threading.Event()

    def work(k: int) -> Answer:
        obey(stop)
        fold = folds[k]
        null = fit_null(fold.problem, options)
        outcomes = trace(
            fold.problem, alphas.tolist(), null, options, on_point=lambda _: on_point()
        )
        eta = predict(fold, outcomes)
        n_missed = sum(each.status is not Status.OPTIMAL for each in outcomes)
        return eta, score(fold.problem, fold.test, eta, metric), n_missed

    if n_jobs == 1:
        results = [work(k) for k in range(len(folds))]
    else:
        results = in_threads(work, len(folds), n_jobs, stop)
    weight = np.array([folds.weight(k) for k in range(len(folds))])
    by_fold = np.array([value for _, value, _ in results])
    out_of_fold = np.empty((folds.fold.size, alphas.size))
    for k, (eta, _, _) in enumerate(results):
        out_of_fold[folds.rows(k)] = eta
    mean = np.average(by_fold, axis=0, weights=weight)
    # A fold may have rows without a valid mean; such a strength is never chosen.
    usable = np.isfinite(mean)
    apart = np.where(usable, by_fold, 0.0) - np.where(usable, mean, 0.0)
    spread = np.average(apart**2, axis=0, weights=weight)
    std = np.where(usable, np.sqrt(spread / (len(folds) - 1)), np.inf)
    n_missed = sum(missed for _, _, missed in results)
    return Scores(mean, std, by_fold, out_of_fold, n_missed)


def in_threads(
    work: Callable[[int], Answer],
    n_folds: int,
    n_jobs: int,
    stop: threading.Event,
) -> list[Answer]:
    """Run the folds on threads; on Ctrl-C tell them to stop and leave at once."""
    pool = ThreadPoolExecutor(max_workers=n_jobs)
    futures: list[Future[Answer]] = []
    try:
        futures = [pool.submit(work, k) for k in range(n_folds)]
        pending = set(futures)
        while pending:
            done, pending = wait(pending, HEARTBEAT, return_when=FIRST_COMPLETED)
            for future in done:
                future.result()
        return [future.result() for future in futures]
    except BaseException:
        stop.set()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def predict(fold: Fold, outcomes: Sequence[Outcome]) -> Matrix:
    """Return linear predictors (n, m) of the rows left out."""
    points = [fold.problem.original(outcome.warm.point) for outcome in outcomes]
    coefs = np.column_stack([coef for _, coef in points])
    support = np.flatnonzero(coefs.any(axis=1))
    intercepts = np.array([intercept for intercept, _ in points])
    if fold.mean is not None:
        intercepts = fold.level - fold.mean @ coefs
    product = fold.test.design.linear_predictor(coefs[support], support)
    return fold.test.offset[:, None] + intercepts + product


def score(problem: Problem, test: Block, eta: Matrix, metric: str) -> Vector:
    """Return the weighted mean score (m,); smaller is better, but for ``"auc"``."""
    weight, family = test.sample_weight, problem.family
    out = np.empty(eta.shape[1])
    for k in range(out.size):
        if metric == "deviance":
            loss, _, _ = family.working_terms(test.y, eta[:, k])
            out[k] = 2.0 * np.average(loss, weights=weight)
            continue
        mu = family.link.inverse(eta[:, k])
        if metric == "mse":
            out[k] = np.average((test.y - mu) ** 2, weights=weight)
        elif metric == "mae":
            out[k] = np.average(np.abs(test.y - mu), weights=weight)
        elif metric == "class":
            wrong = np.where(mu > 0.5, 1.0 - test.y, test.y)
            out[k] = np.average(wrong, weights=weight)
        else:
            out[k] = auc(test.y, mu, weight)
    return out


def auc(y: Vector, mu: Vector, weight: Vector) -> float:
    """Return the weighted area under the ROC curve, ties counted half."""
    one, zero = weight * y, weight * (1.0 - y)
    if one.sum() == 0.0 or zero.sum() == 0.0:
        raise PenglmInputError(
            'metric="auc" needs both classes in every fold; use fewer folds or '
            'metric="deviance".',
            argument="metric",
        )
    _, place = np.unique(mu, return_inverse=True)
    ones, zeros = np.bincount(place, one), np.bincount(place, zero)
    below = np.cumsum(zeros) - zeros
    return float(ones @ (below + 0.5 * zeros) / (ones.sum() * zeros.sum()))


def best_index(scores: Scores, metric: str) -> int:
    """Return the strongest penalty with the best mean score."""
    value = -scores.mean if metric == "auc" else scores.mean
    return int(value.argmin())


def one_se_index(scores: Scores, metric: str) -> int:
    """Return the strongest penalty within one standard error of the best.

    References
    ----------
    Hastie, Tibshirani and Friedman (2009), section 7.10.1.
    """
    best = best_index(scores, metric)
    value = -scores.mean if metric == "auc" else scores.mean
    return int(np.flatnonzero(value <= value[best] + scores.std[best])[0])
