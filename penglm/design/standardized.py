"""Columns centred and scaled without a copy."""

from copy import copy
from typing import Any

import numpy as np

from penglm._typing import Array, Index, Matrix, Vector
from penglm.design.base import Columns, Design


def inverse(scale: Vector) -> Vector:
    """Return the factors (p,) that divide by scales, 0 for a scale of 0."""
    with np.errstate(divide="ignore"):
        return np.where(scale > 0.0, 1.0 / scale, 0.0)


class Standardized(Design):
    """``(X - center) / scale``, never formed.

    Parameters
    ----------
    design : Design (n, p)
    center, scale : Vector (p,)
        A column with scale 0 becomes a column of zeros.
    factor : Vector (p,), optional
        What ``inverse(scale)`` returns, where it is known.
    """

    def __init__(
        self,
        design: Design,
        center: Vector,
        scale: Vector,
        factor: Vector | None = None,
    ) -> None:
        self.design = design
        self.center = center
        self.scale = scale
        self.shape = design.shape
        self.factor = inverse(scale) if factor is None else factor

    def moved(self, columns: Index | None) -> tuple[Vector, Vector]:
        """Return factors and centres (k,) of the chosen columns."""
        if columns is None:
            return self.factor, self.center
        return self.factor[columns], self.center[columns]

    def linear_predictor(self, coef: Array, columns: Index | None = None) -> Any:
        factor, center = self.moved(columns)
        raw = factor * coef if coef.ndim == 1 else factor[:, None] * coef
        return self.design.linear_predictor(raw, columns) - center @ raw

    def gradient(self, row_values: Array, columns: Index | None = None) -> Any:
        factor, center = self.moved(columns)
        raw = self.design.gradient(row_values, columns)
        if row_values.ndim == 1:
            return factor * (raw - center * row_values.sum())
        return factor[:, None] * (raw - np.outer(center, row_values.sum(axis=0)))

    def expand(
        self,
        kind: int,
        coefs: Matrix,
        intercepts: Vector,
        offset: Vector,
        y: Vector,
        sample_weight: Vector,
    ) -> tuple[Matrix, Matrix] | None:
        raw = self.factor[:, None] * coefs
        start = intercepts - self.center @ raw
        found = self.design.expand(kind, raw, start, offset, y, sample_weight)
        if found is None:
            return None
        sums, slopes = found
        return sums, self.factor[:, None] * (slopes - np.outer(self.center, sums[1]))

    def gram(
        self,
        working_weight: Vector,
        columns: Index | None = None,
        others: Index | None = None,
        center: Vector | None = None,
        factor: Vector | None = None,
    ) -> Matrix:
        origin, total = self.center, self.factor
        if center is not None:
            origin = origin + center * self.scale
        if factor is not None:
            total = total * factor
        return self.design.gram(working_weight, columns, others, origin, total)

    def moments(self, sample_weight: Vector) -> tuple[Vector, Vector]:
        mean, sd = self.design.moments(sample_weight)
        return (mean - self.center) * self.factor, sd * self.factor

    def take(self, rows: Index) -> "Standardized":
        return Standardized(self.design.take(rows), self.center, self.scale)

    def select(self, columns: Index) -> "Standardized":
        inside = self.design.select(columns)
        return Standardized(inside, self.center[columns], self.scale[columns])

    def rows(self, first: int, last: int) -> "Standardized":
        part = copy(self)
        part.design = self.design.rows(first, last)
        part.shape = part.design.shape
        return part

    @property
    def n_stored(self) -> int:
        return self.design.n_stored

    @property
    def block_rows(self) -> int:
        return self.design.block_rows

    def columns(self) -> tuple[Columns, ...]:
        """Return the columns *before* centring: kernels apply centre and scale."""
        return self.design.columns()

    def to_dense(self) -> Matrix:
        dense = self.design.to_dense()
        dense -= self.center
        dense *= self.factor
        return dense

    def standard_columns(self, center: Vector, factor: Vector) -> Matrix:
        origin = self.center + center * self.scale
        return self.design.standard_columns(origin, self.factor * factor)
