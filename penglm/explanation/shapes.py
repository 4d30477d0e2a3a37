"""Columns that could be made of a column: squares, logarithms, hinges, curves."""

from dataclasses import dataclass

import numpy as np

from penglm._typing import Array, Matrix, Vector

# Where hinges bend, and where curves change their cubics (Harrell, 2015, Regression
# Modeling Strategies, 2nd ed., table 2.3, for four pieces).
QUARTILES = (0.25, 0.5, 0.75)
KNOTS = (0.05, 0.275, 0.5, 0.725, 0.95)
# What is left of a column below this share of it is rounding.
NOTHING = 1e-7


@dataclass(frozen=True, eq=False)
class Scores:
    """What is needed of the rows to judge any column.

    Attributes
    ----------
    score : Vector (n,)
        Slopes of the rows times their sample weights.
    weight : Vector (n,)
        Sample weights, summing to one.
    weight_total : float
        What they summed to before.
    is_centred : bool
        Whether an intercept follows.
    """

    score: Vector
    weight: Vector
    weight_total: float
    is_centred: bool

    def of(self, columns: Matrix) -> Vector:
        """Return the absolute slopes (k,) of columns (n, k) divided by their sd.

        Zero where a column never varies.
        """
        mean = self.weight @ columns
        apart = columns - mean
        sd = np.sqrt(self.weight @ apart**2)
        moved = self.score @ (apart if self.is_centred else columns)
        slope = np.abs(moved) / self.weight_total
        # Variance below the rounding of the column's own size is none.
        varies = sd > 64.0 * np.finfo(float).eps * np.sqrt(self.weight @ columns**2)
        return np.divide(slope, sd, out=np.zeros_like(slope), where=varies)

    def bent(self, line: Matrix, columns: Matrix) -> Matrix:
        """Return columns (n, k) without the part that is a straight line in ``line``.

        Exactly zero where nothing but rounding is left.
        """
        if self.is_centred:
            line = line - self.weight @ line
            columns = columns - self.weight @ columns
        square = self.weight @ line**2
        share = self.weight @ (line * columns)
        share = np.divide(share, square, out=np.zeros_like(share), where=square > 0.0)
        rest = columns - share * line
        size, whole = self.weight @ rest**2, self.weight @ columns**2
        return np.where(size > NOTHING**2 * whole, rest, 0.0)

    def of_curves(self, line: Matrix, curves: Array) -> Vector:
        """Return the largest slope (k,) of any curve of each column.

        Parameters
        ----------
        line : Matrix (n, k)
            The columns themselves.
        curves : Array (m, n, k)
            What curves of each are combined from. Their straight parts are taken out: a
            column in the model speaks for these.

        Notes
        -----
        With ``B`` the curves without straight parts and ``G`` their covariances, the
        curve of unit variance with the largest slope has slope
        ``sqrt(s' G^-1 s)``, ``s = B' score / W``.
        """
        basis = np.array([self.bent(line, curve) for curve in curves])
        size = np.sqrt(np.einsum("n,mnk->mk", self.weight, basis**2))[:, None, :]
        basis = np.divide(basis, size, out=basis, where=size > 0.0)
        slope = np.einsum("n,mnk->km", self.score, basis) / self.weight_total
        gram = np.einsum("ink,jnk->kij", self.weight[:, None] * basis, basis)
        values, vectors = np.linalg.eigh(gram)
        along = np.einsum("kij,ki->kj", vectors, slope)
        # Curves that are nearly combinations of others add rounding, no shape.
        kept = values > np.maximum(NOTHING * values[:, -1:], 0.0)
        parts = np.divide(along**2, values, out=np.zeros_like(values), where=kept)
        return np.sqrt(parts.sum(axis=1))


def quantiles(columns: Matrix, weight: Vector, shares: tuple[float, ...]) -> Matrix:
    """Return weighted quantiles (len(shares), k) of columns (n, k)."""
    order = np.argsort(columns, axis=0, kind="stable")
    below = np.cumsum(weight[order], axis=0)
    found = []
    for share in shares:
        # A share met up to rounding is met.
        rank = np.argmax(below >= share * (1.0 - 1e-12), axis=0)
        at = np.take_along_axis(order, rank[None, :], axis=0)
        found.append(np.take_along_axis(columns, at, axis=0)[0])
    return np.array(found)


def natural_curves(columns: Matrix, knots: Matrix) -> Array:
    """Return what natural cubic splines add to a line: (m, n, k) for m + 2 knots (, k).

    Knots that coincide give zeros.

    References
    ----------
    Hastie, Tibshirani and Friedman (2009), The Elements of Statistical Learning, 2nd
    ed., eq. 5.4 and 5.5.
    """
    last, width = knots[-1], np.ptp(knots, axis=0)
    width = np.where(width > 0.0, width, 1.0)

    def bend(knot: Vector) -> Matrix:
        room = (last - knot) / width
        rise = np.maximum((columns - knot) / width, 0.0)
        excess = np.maximum((columns - last) / width, 0.0)
        # Powers by products: several times faster.
        cubes = rise * rise * rise - excess * excess * excess
        return np.divide(cubes, room, out=np.zeros_like(cubes), where=room > 0.0)

    end = bend(knots[-2])
    return np.array([bend(knot) - end for knot in knots[:-2]])
