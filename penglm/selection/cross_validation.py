"""Choosing the strength by leaving folds out.

Each fold is fitted along the path of the whole data and scored on the rows it left out.
The weights and offsets of a row count in the fit, in the grid and in the score.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
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
from penglm.selection.fold_moments import Compact, FoldMoments
from penglm.solver.null import Null, fit_null
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
    left_out : tuple of (Matrix or Points)
        Linear predictors (k, m) of the rows of each fold, or what they follow from.
    block : Block
    fold : Index (n,)
        The rows, and the fold of each.
    n_missed : int
        Fits on folds that did not reach the tolerance.
    """

    mean: Vector
    std: Vector
    by_fold: Matrix
    left_out: tuple["Matrix | Points", ...]
    block: Block
    fold: Index
    n_missed: int = 0

    @property
    def out_of_fold(self) -> Matrix:
        """Linear predictor (n, m) of each row from the fits that left it out."""
        eta = np.empty((self.fold.size, self.mean.size))
        for k, known in enumerate(self.left_out):
            rows = np.flatnonzero(self.fold == k)
            if isinstance(known, Points):
                known = known.eta(part(self.block, rows, known.support))
            eta[rows] = known
        return eta


@dataclass(frozen=True, eq=False)
class Points:
    """Fits along a path.

    Attributes
    ----------
    intercepts : Vector (m,)
    support : Index (k,)
        Columns with a coefficient anywhere on the path.
    coefs : Matrix (k, m)
        In the units of the data.
    """

    intercepts: Vector
    support: Index
    coefs: Matrix

    def eta(self, rows: Block) -> Matrix:
        """Return linear predictors (n, m) of some rows, their columns the support."""
        product = rows.design.linear_predictor(self.coefs)
        return rows.offset[:, None] + self.intercepts + product


def part(block: Block, rows: Index, columns: Index) -> Block:
    """Return some rows of some columns, the smaller of both copies made first."""
    n, p = block.design.shape
    if columns.size == p:
        return block.take(rows)
    if n * columns.size < rows.size * p:
        return replace(block, design=block.design.select(columns)).take(rows)
    found = block.take(rows)
    return replace(found, design=found.design.select(columns))


Answer: TypeAlias = tuple["Matrix | Points", Vector, int]
"""What predicts the rows of a fold, their scores (m,), and how many fits missed."""


@dataclass(frozen=True, eq=False)
class Fold:
    """One part of the rows left out, and the problem on the others.

    Attributes
    ----------
    problem : Problem
    rows : Index (k,)
        Where the rows left out stand among all.
    compact : Compact or None
        What stands for the other rows, where the problem is one of sums.
    """

    problem: Problem
    rows: Index
    compact: Compact | None = None

    def null(self, options: Options) -> Null:
        """Return the model that its path starts from."""
        null = fit_null(self.problem, options)
        return null if self.compact is None else null.knowing(self.compact.curvature)

    def points(self, outcomes: Sequence[Outcome]) -> Points:
        """Return the fits of its path in the units of the data."""
        pairs = [self.problem.original(outcome.warm.point) for outcome in outcomes]
        is_in = np.zeros(self.problem.n_features, dtype=np.bool_)
        for _, coef in pairs:
            is_in |= coef != 0.0
        support = np.flatnonzero(is_in)
        coefs = np.column_stack([coef[support] for _, coef in pairs])
        intercepts = np.array([intercept for intercept, _ in pairs])
        if self.compact is not None:
            intercepts = self.compact.level - self.compact.mean[support] @ coefs
        return Points(intercepts, support, coefs)


class Folds:
    """The folds of the rows of a block, each made when it is asked for.

    Parameters
    ----------
    block : Block
    fold : Index (n,)
        Fold of each of its rows, counted from 0.
    problem_on : callable
        States the problem on other rows.
    moments : FoldMoments or None
        Sums that stand for the rows.
    """

    def __init__(
        self,
        block: Block,
        fold: Index,
        problem_on: Callable[..., Problem],
        moments: FoldMoments | None,
    ) -> None:
        self.block, self.fold, self.problem_on = block, fold, problem_on
        self.count, self.moments = int(fold.max()) + 1, moments

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
        if self.moments is not None:
            compact = self.moments.without(k, self.problem_on)
            if compact is not None:
                return Fold(compact.problem, rows, compact)
        train = Local([self.block.take(np.flatnonzero(self.fold != k))])
        problem = self.problem_on(train)
        refuse_empty(problem, train.blocks[0].y, k)
        return Fold(problem, rows)

    def judge(
        self, k: int, fold: Fold, points: Points, metric: str
    ) -> tuple[Matrix | Points, Vector]:
        """Return what predicts the rows left out, and their scores (m,)."""
        if self.moments and fold.compact and metric in ("deviance", "mse"):
            left = self.moments.losses(k, fold.compact, points.support, points.coefs)
            if left is not None:
                return points, left
        test = part(self.block, fold.rows, points.support)
        eta = points.eta(test)
        return eta, score(fold.problem, test, eta, metric)


def check_metric(metric: str, family: Family) -> None:
    """Raise unless a metric is known and fits the family."""
    checks.choice(metric, METRICS, "metric")
    if metric in ("class", "auc") and not family.has_classes:
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
    moments: FoldMoments | None,
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
        how they came out.
    alphas : Vector (m,)
        Descending.
    moments : FoldMoments or None
        Where sums over the folds stand for their rows.
    """
    parts = Folds(block, fold, problem_on, moments)
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
        steps = trace(
            fold.problem, alphas.tolist(), fold.null(options), options,
            on_point=lambda _: on_point(),
        )  # fmt: skip
        outcomes = list(steps)
        n_missed = sum(each.status is not Status.OPTIMAL for each in outcomes)
        return *folds.judge(k, fold, fold.points(outcomes), metric), n_missed

    if n_jobs == 1:
        results = [work(k) for k in range(len(folds))]
    else:
        results = in_threads(work, len(folds), n_jobs, stop)
    weight = np.array([folds.weight(k) for k in range(len(folds))])
    by_fold = np.array([value for _, value, _ in results])
    mean = np.average(by_fold, axis=0, weights=weight)
    # A fold may have rows without a valid mean; such a strength is never chosen.
    usable = np.isfinite(mean)
    apart = np.where(usable, by_fold, 0.0) - np.where(usable, mean, 0.0)
    spread = np.average(apart**2, axis=0, weights=weight)
    std = np.where(usable, np.sqrt(spread / (len(folds) - 1)), np.inf)
    n_missed = sum(missed for _, _, missed in results)
    left_out = tuple(known for known, _, _ in results)
    return Scores(mean, std, by_fold, left_out, folds.block, folds.fold, n_missed)


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
