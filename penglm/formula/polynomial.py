"""Orthogonal polynomials of a column, R's ``poly``."""

from typing import Any

import numpy as np

from penglm._typing import Matrix, Vector
from penglm.exceptions import FormulaError


class OrthogonalPolynomial:
    """Orthogonal polynomials of a column, remembered for new rows; R's ``poly``.

    Notes
    -----
    Columns have unit length and are orthogonal to each other and to a constant on the
    rows they were made from. New rows follow the three-term recurrence, Kennedy and
    Gentle (1980), Statistical Computing, section 8.2.
    """

    def __init__(self) -> None:
        self.chunks: list[Vector] = []
        self.degree = 1
        self.shift: list[float] = []
        self.size: list[float] = []

    def memorize_chunk(self, x: Any, degree: int = 1) -> None:
        self.degree = int(degree)
        self.chunks.append(np.asarray(x, dtype=float))

    def memorize_finish(self) -> None:
        x = np.concatenate(self.chunks)
        self.chunks = []
        if not 1 <= self.degree < np.unique(x).size:
            raise FormulaError(
                f"poly() has degree {self.degree}; it must be at least 1 and below the "
                f"number of different values, {np.unique(x).size}.",
                argument="formula",
            )
        before, now = np.zeros_like(x), np.ones_like(x)
        self.shift, self.size = [], [1.0, float(x.size)]
        for _ in range(self.degree):
            shift = float(x @ now**2) / self.size[-1]
            ratio = self.size[-1] / self.size[-2]
            before, now = now, (x - shift) * now - ratio * before
            self.shift.append(shift)
            self.size.append(float(now @ now))

    def transform(self, x: Any, degree: int = 1) -> Matrix:
        values = np.asarray(x, dtype=float)
        before, now = np.zeros_like(values), np.ones_like(values)
        out = np.empty((values.size, self.degree))
        for k in range(self.degree):
            ratio = self.size[k + 1] / self.size[k]
            before, now = now, (values - self.shift[k]) * now - ratio * before
            out[:, k] = now / np.sqrt(self.size[k + 2])
        return out
