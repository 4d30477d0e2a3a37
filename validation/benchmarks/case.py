"""One problem of the benchmark, built: in memory for the judge, on disk for workers."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import sparse

from validation import objective
from validation.benchmarks.rivals.protocol import DENSE, SPARSE, SPLIT, Facts
from validation.problem import Problem, build

N_FOLDS = 10


@dataclass(frozen=True, eq=False)
class Table:
    """Columns and a response, before strengths are chosen.

    Attributes
    ----------
    X : array (n, p), Fortran order, or CSC
        Standardised: dense columns to mean 0 and sd 1 (over n), sparse ones to sd 1.
        For a table with factors the CSC matrix with a column for every level.
    y : array (n,)
    offset : array (n,), optional
    parts : (numeric (n, k), codes (n, f), levels (f,)), optional
        The same columns where there are factors.
    """

    X: np.ndarray | sparse.csc_matrix
    y: np.ndarray
    offset: np.ndarray | None = None
    parts: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None

    @property
    def storage(self) -> str:
        """How workers get the columns."""
        if self.parts is not None:
            return SPLIT
        return SPARSE if sparse.issparse(self.X) else DENSE


@dataclass(frozen=True, eq=False)
class Case:
    """A table with the strengths to solve at.

    Attributes
    ----------
    facts : Facts
    table : Table
    alphas : array (m,)
        Descending.
    folds : int array (n,)
    problem : Problem
        The same, as the judge knows it.
    """

    facts: Facts
    table: Table
    alphas: np.ndarray
    folds: np.ndarray
    problem: Problem

    @property
    def X_bytes(self) -> int:  # noqa: N802, the field's name
        """Size of the columns as penglm gets them."""
        if self.table.parts is not None:
            numeric, codes, _ = self.table.parts
            return numeric.nbytes + codes.nbytes
        X = self.table.X
        if sparse.issparse(X):
            return X.data.nbytes + X.indices.nbytes + X.indptr.nbytes
        return X.nbytes

    def write(self, folder: Path) -> None:
        """Store everything a worker needs."""
        arrays = {
            "y": self.table.y.astype(np.float64),
            "alphas": self.alphas.astype(np.float64),
            "folds": self.folds.astype(np.int32),
        }
        if self.table.offset is not None:
            arrays["offset"] = self.table.offset.astype(np.float64)
        if sparse.issparse(self.table.X):
            arrays["data"] = self.table.X.data.astype(np.float64)
            arrays["indices"] = self.table.X.indices.astype(np.int32)
            arrays["indptr"] = self.table.X.indptr.astype(np.int32)
        else:
            arrays["X"] = np.asfortranarray(self.table.X, dtype=np.float64)
        if self.table.parts is not None:
            numeric, codes, levels = self.table.parts
            arrays["numeric"] = np.asfortranarray(numeric, dtype=np.float64)
            arrays["codes"] = np.asfortranarray(codes, dtype=np.int32)
            arrays["levels"] = np.asarray(levels, dtype=np.int32)
        for name, array in arrays.items():
            np.save(folder / f"{name}.npy", array)
        self.facts.write(folder)


def standardized(X: np.ndarray) -> np.ndarray:
    """Return dense columns with mean 0 and sd 1, constant ones left out."""
    X = X - X.mean(axis=0)
    sd = np.sqrt(np.einsum("ij,ij->j", X, X) / X.shape[0])
    return np.asfortranarray(X[:, sd > 0] / sd[sd > 0])


def scaled(X: sparse.csc_matrix) -> sparse.csc_matrix:
    """Return sparse columns with sd 1, not centred, constant ones left out."""
    X = sparse.csc_matrix(X)
    n = X.shape[0]
    mean = np.asarray(X.mean(axis=0)).ravel()
    square = np.asarray(X.multiply(X).sum(axis=0)).ravel() / n
    sd = np.sqrt(np.maximum(square - mean**2, 0.0))
    kept = np.flatnonzero(sd > 0)
    X = sparse.csc_matrix(X[:, kept] @ sparse.diags(1.0 / sd[kept]))
    X.sort_indices()
    return X


def strengths(
    problem: Problem, l1_ratio: float, n_alphas: int, smallest: float
) -> np.ndarray:
    """Return a grid from the strength that empties the model.

    ``smallest`` is the last strength over that one; a single strength is the last, and
    0 stands for no penalty.
    """
    columns = np.ones((problem.n_obs, 1))
    eta = objective.newton(problem, columns)
    _, score = objective.scores(problem, eta)
    top = float(np.abs(score).max()) / l1_ratio
    if n_alphas == 1:
        return np.array([top * smallest])
    return top * np.geomspace(1.0, smallest, n_alphas)


def assemble(
    name: str, family: str, task: str, table: Table, *, l1_ratio: float = 1.0,
    n_alphas: int = 100, smallest: float = 1e-2, seed: int = 0,
) -> Case:  # fmt: skip
    """Choose strengths and folds."""
    n, p = table.X.shape
    problem = build(
        name, family, table.X, table.y, [1.0], l1_ratio=l1_ratio, offset=table.offset,
        standardize=False,
    )  # fmt: skip
    alphas = strengths(problem, l1_ratio, n_alphas, smallest)
    rng = np.random.default_rng(seed)
    folds = rng.permutation(np.arange(n) % N_FOLDS)
    facts = Facts(
        name, task, family, table.storage, n, p, l1_ratio,
        has_offset=table.offset is not None,
        is_unpenalised=bool(alphas[-1] == 0.0),
    )  # fmt: skip
    return Case(facts, table, alphas, folds, problem)
