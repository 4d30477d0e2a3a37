"""What rows left out say about a path, and the strength they choose."""

from dataclasses import dataclass, replace

import numpy as np

from penglm._typing import Index, Matrix, Vector
from penglm.engines import Block
from penglm.relaxation import between


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
    n_missed, n_nowhere : int
        Fits on folds that did not reach the tolerance; refits without finite optimum.
    """

    mean: Vector
    std: Vector
    by_fold: Matrix
    left_out: tuple["Matrix | Points", ...]
    block: Block
    fold: Index
    n_missed: int = 0
    n_nowhere: int = 0

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

    def mixed(self, gamma: float, other: "Points") -> "Points":
        """Return ``gamma`` of these fits and ``1 - gamma`` of others."""
        return replace(
            self,
            intercepts=between(gamma, self.intercepts, other.intercepts),
            coefs=between(gamma, self.coefs, other.coefs),
        )


def part(block: Block, rows: Index, columns: Index) -> Block:
    """Return some rows of some columns, the smaller of both copies made first."""
    n, p = block.design.shape
    if columns.size == p:
        return block.take(rows)
    if n * columns.size < rows.size * p:
        return replace(block, design=block.design.select(columns)).take(rows)
    found = block.take(rows)
    return replace(found, design=found.design.select(columns))


def losses(scores: Scores, metric: str) -> Vector:
    """Return mean scores (m,), smaller the better."""
    return -scores.mean if metric == "auc" else scores.mean


def best_index(scores: Scores, metric: str) -> int:
    """Return the strongest penalty with the best mean score."""
    return int(losses(scores, metric).argmin())


def one_se_index(scores: Scores, metric: str) -> int:
    """Return the strongest penalty within one standard error of the best.

    References
    ----------
    Hastie, Tibshirani and Friedman (2009), section 7.10.1.
    """
    best, value = best_index(scores, metric), losses(scores, metric)
    return int(np.flatnonzero(value <= value[best] + scores.std[best])[0])
