"""What harness and workers have in common: the problem on disk, and what a rival is.

A problem is a folder: ``facts.txt`` with one ``key value`` a line, which R can read as
well, and arrays as ``.npy`` files of float64 or int32. The folder is in the convention
of docs/objective.md with ``standardize=False``: columns come standardised.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

PATH, FIT, CV, COLD = "path", "fit", "cv", "cold"
DENSE, SPARSE, SPLIT = "dense", "sparse", "split"
# Printed before every reply; whatever else a package prints is no reply.
MARK = "@@"
STORED = "stored"


@dataclass(frozen=True)
class Facts:
    """A problem in words and numbers.

    Attributes
    ----------
    task : str
        ``path`` (all strengths), ``fit`` (one strength), ``cv`` (a path and its
        10-fold cross-validation) or ``cold`` (one fit in a new process).
    storage : str
        ``dense``, ``sparse`` (CSC), or ``split``: numeric columns and factors, of
        which every level is a column.
    is_unpenalised : bool
        Whether the only strength is 0.
    """

    name: str
    task: str
    family: str
    storage: str
    n_obs: int
    n_features: int
    l1_ratio: float = 1.0
    has_offset: bool = False
    is_unpenalised: bool = False

    def write(self, folder: Path) -> None:
        """Write ``facts.txt``."""
        lines = [f"{key} {value}" for key, value in asdict(self).items()]
        (folder / "facts.txt").write_text("\n".join(lines) + "\n")

    @classmethod
    def read(cls, folder: Path) -> Facts:
        """Read ``facts.txt``."""
        text = (folder / "facts.txt").read_text()
        given = dict(line.split(" ", 1) for line in text.splitlines())
        kinds = {"int": int, "float": float, "bool": "True".__eq__, "str": str}
        return cls(**{f.name: kinds[str(f.type)](given[f.name]) for f in fields(cls)})


class Given:
    """A problem as a worker reads it.

    Attributes
    ----------
    facts : Facts
    y : array (n,)
    alphas : array (m,)
        Strengths, descending.
    offset : array (n,) or None
    folds : int array (n,) or None
        Fold of each row.
    """

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)
        self.facts = Facts.read(self.folder)
        self.y = self.array("y")
        self.alphas = self.array("alphas")
        self.offset = self.array("offset") if self.facts.has_offset else None
        has_folds = self.facts.task == CV
        self.folds = self.array("folds") if has_folds else None

    def array(self, name: str) -> np.ndarray:
        """Return one stored array."""
        return np.load(self.folder / f"{name}.npy")

    def X(self) -> Any:  # noqa: N802, the field's name
        """Return the columns: Fortran-ordered, or CSC with int32 indices."""
        if self.facts.storage == DENSE:
            return self.array("X")
        from scipy import sparse

        parts = tuple(self.array(name) for name in ("data", "indices", "indptr"))
        shape = (self.facts.n_obs, self.facts.n_features)
        return sparse.csc_matrix(parts, shape=shape)

    def parts(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return numeric columns (n, k), codes (n, f) and numbers of levels (f,)."""
        return self.array("numeric"), self.array("codes"), self.array("levels")


class Solver:
    """One package at one problem; a subclass a package.

    Whatever a user would prepare once (the package's own matrix type) is made in
    ``__init__``, off the clock; ``fit`` is timed; ``read`` is not.
    """

    def __init__(self, given: Given) -> None:
        self.given = given

    def fit(self, alphas: np.ndarray, tol: float | None) -> Any:
        """Solve at strengths, at the package's own tolerance where tol is None."""
        raise NotImplementedError

    def read(self, answer: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return intercepts (m,) and coefs (p, m) of what ``fit`` returned."""
        raise NotImplementedError

    def cross_validate(self, alphas: np.ndarray, tol: float | None) -> np.ndarray:
        """Return the mean deviance of held-out rows (m,)."""
        raise NotImplementedError

    def cpu_seconds(self) -> float:
        """Return the CPU time spent up to now."""
        return time.process_time()

    def close(self) -> None:
        """Let go of what the process does not take along."""

    @staticmethod
    def version() -> str:
        """Return name and version of the package."""
        raise NotImplementedError


@dataclass(frozen=True)
class Rival:
    """What the harness knows of a contender.

    Attributes
    ----------
    name : str
    module : str
        File of this folder that holds it.
    solver : type of Solver, or None
        None where the worker is not written in Python.
    refuse : function of Facts
        Returns why the rival does not state a problem, or "".
    packages : tuple of str
        What pip installs; empty for what runs where the harness runs.
    default_tol : float
        The package's own tolerance: the first rung of the ladder.
    loosest, tightest : float
        Ends of the ladder.
    compile_seconds : float
        Allowed for compiling before anything is measured, on top of the limit.
    patience : function of Facts
        Seconds allowed, where less than what everybody is allowed.
    """

    name: str
    module: str
    solver: Any
    refuse: Callable[[Facts], str]
    packages: tuple[str, ...] = ()
    default_tol: float = 1e-7
    loosest: float = 1e-1
    tightest: float = 1e-15
    compile_seconds: float = 0.0
    patience: Callable[[Facts], float] = lambda facts: float("inf")


def given_only(**options: Any) -> dict[str, Any]:
    """Return the options that are not None: the others stay at their defaults."""
    return {key: value for key, value in options.items() if value is not None}
