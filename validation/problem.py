"""A problem and an answer, as every peer and the judge know them.

The convention is the one of docs/objective.md::

    1 / (2 sum s) * sum_i s_i d(y_i, mu_i)
      + alpha * sum_j f_j (l1_ratio |c_j b_j| + (1 - l1_ratio) / 2 (c_j b_j)^2)

with ``c_j`` the weighted standard deviation of column j if ``standardize``, else 1. A
peer with another convention translates at its own door.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse


class AbsentError(Exception):
    """The data of a problem are not on this machine."""


class RefusedError(Exception):
    """The problem is outside what a peer can state; the message says why."""


@dataclass(frozen=True, eq=False)
class Answer:
    """Coefficients at some strengths of a problem.

    Attributes
    ----------
    at : array of int (k,)
        Which strengths of the problem's grid were solved.
    intercepts : array (k,)
    coefs : array (p, k)
        In the units of the problem's columns.
    note : str
        What a reader of the table should know.
    """

    at: np.ndarray
    intercepts: np.ndarray
    coefs: np.ndarray
    note: str = ""


@dataclass(frozen=True, eq=False)
class Problem:
    """What is minimised, at each strength of a grid.

    Attributes
    ----------
    name : str
    family : {"gaussian", "binomial", "poisson"}
    X : array or SciPy CSC (n, p)
    y : array (n,)
        Proportions for the binomial family, with the trials as weights.
    alphas : array (m,)
        Strengths, descending.
    link : str
        "identity", "logit", "probit" or "log".
    sample_weight, offset : array (n,)
    penalty_factor, lower, upper : array (p,)
    stored : Answer, optional
        Somebody's solution that came with the problem.
    source : str
        Where the data come from.
    """

    name: str
    family: str
    X: np.ndarray | sparse.csc_matrix
    y: np.ndarray
    alphas: np.ndarray
    l1_ratio: float
    link: str
    sample_weight: np.ndarray
    offset: np.ndarray
    penalty_factor: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    fit_intercept: bool = True
    standardize: bool = True
    stored: Answer | None = None
    source: str = ""

    @property
    def n_obs(self) -> int:
        """Rows."""
        return self.X.shape[0]

    @property
    def n_features(self) -> int:
        """Columns."""
        return self.X.shape[1]

    @property
    def weight_total(self) -> float:
        """Sum of the weights."""
        return float(self.sample_weight.sum())

    @cached_property
    def mean(self) -> np.ndarray:
        """Weighted mean of each column (p,)."""
        share = self.sample_weight / self.weight_total
        return np.asarray(self.X.T @ share).ravel()

    @cached_property
    def sd(self) -> np.ndarray:
        """Weighted standard deviation of each column (p,), over the weight total."""
        share = self.sample_weight / self.weight_total
        if sparse.issparse(self.X):
            square = np.asarray(self.X.multiply(self.X).T @ share).ravel()
            return np.sqrt(np.maximum(square - self.mean**2, 0.0))
        return np.sqrt(share @ (self.X - self.mean) ** 2)

    @cached_property
    def size(self) -> np.ndarray:
        """What the penalty multiplies each coefficient by (p,)."""
        return self.sd if self.standardize else np.ones(self.n_features)

    @property
    def has_limits(self) -> bool:
        """Whether any coefficient is limited."""
        return bool(np.isfinite(self.lower).any() or np.isfinite(self.upper).any())

    def few(self, most: int) -> np.ndarray:
        """Return at most ``most`` positions of the grid, weakest penalty included."""
        m = self.alphas.size
        chosen = np.linspace(m - 1, 0, min(most, m), endpoint=False)
        return np.sort(chosen.round().astype(int))


def build(name, family, X, y, alphas, *, l1_ratio=1.0, link=None, **others) -> Problem:
    """Fill in what a problem does not say."""
    n, p = X.shape
    links = {"gaussian": "identity", "binomial": "logit", "poisson": "log"}
    vectors = {
        "sample_weight": (n, 1.0),
        "offset": (n, 0.0),
        "penalty_factor": (p, 1.0),
        "lower": (p, -np.inf),
        "upper": (p, np.inf),
    }
    for key, (length, default) in vectors.items():
        given = others.get(key)
        whole = np.full(length, default) if given is None else np.asarray(given, float)
        others[key] = np.broadcast_to(whole, (length,))
    if sparse.issparse(X):
        X = sparse.csc_matrix(X)
    return Problem(
        name, family, X, np.asarray(y, float), np.asarray(alphas, float), l1_ratio,
        link or links[family], **others,
    )  # fmt: skip
