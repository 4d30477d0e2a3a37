"""What a fit comes back as: plain frozen values, failure included."""

from dataclasses import dataclass
from enum import Enum
from functools import cached_property

import numpy as np

from penglm._typing import Index, Vector

# A residual above this is no optimum found roughly, but another point.
CLAIM = 1e-2


class Status(Enum):
    """How a solve ended. Failure is data; only the public doors raise or warn."""

    OPTIMAL = "optimal"
    """The certificate meets the tolerance."""
    OPTIMAL_INACCURATE = "optimal_inaccurate"
    """No further descent was possible in double precision; the tolerance is missed."""
    MAX_ITER = "max_iter"
    """The iterations ran out first."""
    NO_FINITE_SOLUTION = "no_finite_solution"
    """The objective falls for ever along some direction."""
    NUMERICAL_ERROR = "numerical_error"
    """A number stopped being finite; the last finite point is returned."""


@dataclass(frozen=True)
class Certificate:
    """Proof, or refusal, of optimality, computed from coefficients alone.

    Attributes
    ----------
    kkt_residual : float
        Largest distance of a coordinate from its optimality condition, in units of
        its own threshold ``alpha * l1_ratio * penalty_factor`` (times the column's
        standard deviation when standardising). Free coordinates and the intercept are
        measured in units of the largest slope of the null model; so is ridge, times
        ``alpha`` where that is below one.
    worst_column : int
        Where that happens; -1 for the intercept.
    objective : float
        Mean half-deviance plus penalty.
    duality_gap : float or None
        Upper bound of ``objective - minimum``, in units of the objective. None where
        the loss is not convex in ``eta`` or its conjugate has no closed form.
    is_convex : bool
        Whether a vanishing residual proves a minimum, or only a stationary point.
    """

    kkt_residual: float
    worst_column: int
    objective: float
    duality_gap: float | None
    is_convex: bool

    def __str__(self) -> str:
        gap = "" if self.duality_gap is None else f", gap {self.duality_gap:.1e}"
        if not self.kkt_residual <= CLAIM:
            return f"not optimal, KKT residual {self.kkt_residual:.1e} of alpha{gap}"
        claim = "optimal" if self.is_convex else "stationary"
        return f"{claim} to {self.kkt_residual:.1e} of alpha{gap}"


@dataclass(frozen=True, eq=False)
class Point:
    """Coefficients on the solver's own scale: columns centred, divided by their sd."""

    coef: Vector
    intercept: float

    @cached_property
    def support(self) -> Index:
        """Positions of nonzero coefficients."""
        return np.flatnonzero(self.coef)

    def take(self, columns: Index) -> "Point":
        """Return the point of a model with these columns only."""
        return Point(self.coef[columns], self.intercept)

    def among(self, columns: Index, n_features: int) -> "Point":
        """Return the point of a model with more columns, of which these are some."""
        coef = np.zeros(n_features)
        coef[columns] = self.coef
        return Point(coef, self.intercept)


@dataclass(frozen=True, eq=False)
class SparseVector:
    """A vector by its nonzero entries.

    Attributes
    ----------
    size : int
    places : Index (k,)
    values : Vector (k,)
    """

    size: int
    places: Index
    values: Vector

    @classmethod
    def of(cls, vector: Vector) -> "SparseVector":
        """Return the entries of a vector."""
        places = np.flatnonzero(vector)
        return cls(vector.size, places, vector[places])

    def to_dense(self) -> Vector:
        """Return the vector (size,), a new one."""
        vector = np.zeros(self.size)
        vector[self.places] = self.values
        return vector


@dataclass(frozen=True, eq=False)
class Solution:
    """One point of a path, on the original scale of the data.

    Attributes
    ----------
    alpha : float
    intercept : float
    entries : SparseVector (p,)
        The coefficients.
    status : Status
    certificate : Certificate
    deviance : float
        ``sum_i s_i d(y_i, mu_i)``.
    n_iter : int
        IRLS steps.
    history : tuple of float
        Objective before each step and at the end.
    rank : int or None
        Rank of an unpenalised design, where it had to be determined.
    """

    alpha: float
    intercept: float
    entries: SparseVector
    status: Status
    certificate: Certificate
    deviance: float
    n_iter: int
    history: tuple[float, ...]
    rank: int | None = None

    @property
    def coef(self) -> Vector:
        """Coefficients (p,), a new array."""
        return self.entries.to_dense()

    @property
    def n_nonzero(self) -> int:
        """Number of coefficients that are not zero."""
        return self.entries.places.size
