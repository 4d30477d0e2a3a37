"""What a penalty is, seen by the solver: a value, a prox and an optimality measure."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from penglm._typing import Index, Mask, Vector


@dataclass(frozen=True)
class PenaltyTerms:
    """A penalty at one strength, as the kernels read it.

    Attributes
    ----------
    kind : int
        Which branch of the scalar prox applies (``penglm.kernels.descent``).
    l1, l2 : Vector (k,)
        Threshold and curvature that each coefficient adds.
    lower, upper : Vector (k,)
        Box limits. Equal limits fix a coefficient.
    shape : float
        Concavity, for the penalties that have one.
    """

    kind: int
    l1: Vector
    l2: Vector
    lower: Vector
    upper: Vector
    shape: float = 0.0

    def take(self, columns: Index | None) -> "PenaltyTerms":
        """Return the terms of these columns only."""
        if columns is None:
            return self
        return PenaltyTerms(
            self.kind,
            self.l1[columns],
            self.l2[columns],
            self.lower[columns],
            self.upper[columns],
            self.shape,
        )


class Penalty(ABC):
    """Cost of coefficients, separable over coordinates.

    A penalty lives in the units of the columns it was built for; ``rescaled`` moves
    it to columns divided by a scale. ``coef`` and ``score`` arguments are vectors over
    ``columns`` (all columns when None).

    Attributes
    ----------
    name : str
        What ``fit(penalty=...)`` calls it.
    is_convex : bool
        Whether a stationary point is a minimum.
    lower, upper : Vector (p,)
        Box limits of the coefficients.
    """

    name: ClassVar[str]
    is_convex: ClassVar[bool] = True
    lower: Vector
    upper: Vector

    @classmethod
    @abstractmethod
    def build(
        cls,
        l1_ratio: float,
        penalty_factor: Vector,
        scale: Vector,
        lower: Vector,
        upper: Vector,
    ) -> Self:
        """Return the penalty that acts on ``coef * scale``.

        Parameters
        ----------
        l1_ratio : float
        penalty_factor : Vector (p,)
            0 leaves a coefficient free, inf excludes its column.
        scale, lower, upper : Vector (p,)
        """

    @abstractmethod
    def terms(self, alpha: float) -> PenaltyTerms:
        """Return thresholds, curvatures and limits at strength ``alpha``."""

    @abstractmethod
    def value(self, coef: Vector, alpha: float, columns: Index | None = None) -> float:
        """Return the penalty of ``coef``; limits cost nothing and are not checked."""

    @abstractmethod
    def subgradient_distance(
        self, coef: Vector, score: Vector, alpha: float, columns: Index | None = None
    ) -> Vector:
        """Return how far each coordinate is from optimal.

        Parameters
        ----------
        coef : Vector (k,)
        score : Vector (k,)
            Minus the derivative of the mean half-deviance.

        Returns
        -------
        Vector (k,)
            Distance of ``score`` from the subdifferential of the penalty plus the
            normal cone of the limits, in units of ``score``.
        """

    @abstractmethod
    def threshold(self, alpha: float) -> Vector:
        """Return the slope (p,) that a zero coefficient withstands; 0 if none."""

    @abstractmethod
    def alpha_max(self, coef: Vector, score: Vector) -> float:
        """Return the least strength at which the null ``coef`` is optimal."""

    @abstractmethod
    def conjugate(self, score: Vector, alpha: float) -> float:
        """Return ``sup_b score' b - penalty(b)`` over the limits, possibly inf."""

    @abstractmethod
    def dual_scaling(self, score: Vector, alpha: float) -> float:
        """Return the largest factor in [0, 1] that makes the conjugate finite."""

    @abstractmethod
    def rescaled(self, scale: Vector) -> Self:
        """Return the same cost for coefficients multiplied by ``scale``."""

    @abstractmethod
    def held(self, columns: Mask) -> Self:
        """Return the same cost with these columns (boolean, (p,)) fixed at the null."""

    @abstractmethod
    def take(self, columns: Index) -> Self:
        """Return the cost of these coefficients alone."""

    @property
    def is_fixed(self) -> Mask:
        """Boolean (p,): coefficients whose limits leave one value."""
        return self.lower == self.upper

    @property
    @abstractmethod
    def is_free(self) -> Mask:
        """Boolean (p,): coefficients that cost nothing and are not fixed."""

    @property
    def null_coef(self) -> Vector:
        """Coefficients (p,) nearest to zero that the limits allow."""
        return np.clip(0.0, self.lower, self.upper)
