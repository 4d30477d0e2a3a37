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

from penglm import response
from penglm._typing import Index, Matrix, Vector
from penglm.engines import Block, Local
from penglm.exceptions import (
    ConvergenceWarning,
    NoFiniteSolutionError,
    PenglmInputError,
    SeparationWarning,
    warn,
)
from penglm.interruption import obey
from penglm.path import trace
from penglm.progress import Progress
from penglm.relaxation import refit_points
from penglm.selection.fold_moments import Compact, FoldMoments
from penglm.selection.metrics import score, worst
from penglm.selection.scores import Points, Scores, part
from penglm.solver.null import Null, fit_null
from penglm.solver.outcome import Options, Outcome
from penglm.solver.problem import Problem
from penglm.solver.solution import Status

# How often the waiting thread wakes to serve Ctrl-C, in seconds.
HEARTBEAT = 0.2


Answer: TypeAlias = tuple[list[tuple["Matrix | Points", Vector]], int, int]
"""What predicts the rows of a fold and their scores (m,), for each mix; how many fits
missed, and how many refits have no finite optimum."""


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
        is_known = np.isfinite(points.intercepts)
        found = score(fold.problem, test, np.where(is_known, eta, 0.0), metric)
        return eta, np.where(is_known, found, worst(metric))


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
    gammas: Sequence[float] = (1.0,),
) -> list[Scores]:
    """Fit a path without each fold and score it there, once for each mix.

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
    gammas : sequence of float
        Shares of the penalised fits, mixed with the refits of their supports.
    """
    parts = Folds(block, fold, problem_on, moments)
    with Progress(len(parts) * alphas.size, "cross-validation", progress) as bar:
        scores = cross_validate(
            parts, alphas, options, metric=metric, n_jobs=n_jobs, on_point=bar.step,
            gammas=gammas,
        )  # fmt: skip
    missed, nowhere = scores[0].n_missed, scores[0].n_nowhere
    if nowhere:
        warn(
            f"{nowhere} of {len(parts) * alphas.size} refits on folds have no finite "
            "optimum (separated classes, or counts of a group that are all zero); at "
            "those strengths only gamma = 1 can be chosen.",
            SeparationWarning,
        )
    if missed:
        warn(
            f"{missed} of {len(parts) * alphas.size} fits on folds did not "
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
    gammas: Sequence[float] = (1.0,),
) -> list[Scores]:
    """Score a path on held-out rows, for each mix.

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
        reached = [Status.OPTIMAL]
        if not fold.problem.n_features:
            # The unit of an intercept alone is rounding, which is where its steps end.
            reached.append(Status.OPTIMAL_INACCURATE)
        n_missed = sum(each.status not in reached for each in outcomes)
        points, n_nowhere = fold.points(outcomes), 0
        other = points
        if set(gammas) != {1.0}:
            *loose, missed = refit_points(
                fold.problem, points.support, points.coefs, options
            )
            other = replace(points, intercepts=loose[0], coefs=loose[1])
            n_missed += missed
            n_nowhere = int(np.isnan(other.intercepts).sum())
        judged = [
            folds.judge(k, fold, points.mixed(gamma, other), metric) for gamma in gammas
        ]
        return judged, n_missed, n_nowhere

    if n_jobs == 1:
        results = [work(k) for k in range(len(folds))]
    else:
        results = in_threads(work, len(folds), n_jobs, stop)
    weight = np.array([folds.weight(k) for k in range(len(folds))])
    missed = sum(missed for _, missed, _ in results)
    nowhere = sum(nowhere for _, _, nowhere in results)
    return [
        summed([judged[g] for judged, _, _ in results], weight, folds, missed, nowhere)
        for g in range(len(gammas))
    ]


def summed(
    answers: Sequence[tuple[Matrix | Points, Vector]],
    weight: Vector,
    folds: Folds,
    n_missed: int,
    n_nowhere: int,
) -> Scores:
    """Return what the folds say together; ``weight`` is theirs."""
    by_fold = np.array([value for _, value in answers])
    mean = np.average(by_fold, axis=0, weights=weight)
    # A fold may have rows without a valid mean; such a strength is never chosen.
    usable = np.isfinite(mean)
    apart = np.where(usable, by_fold, 0.0) - np.where(usable, mean, 0.0)
    spread = np.average(apart**2, axis=0, weights=weight)
    std = np.where(usable, np.sqrt(spread / (len(answers) - 1)), np.inf)
    left_out = tuple(known for known, _ in answers)
    return Scores(
        mean, std, by_fold, left_out, folds.block, folds.fold, n_missed, n_nowhere
    )


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
