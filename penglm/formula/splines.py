"""Bases of splines for given knots, to the last bit as patsy computes them.

Patsy (2-clause BSD licence) finds knots and constraints when a formula meets its first
rows; for later rows these functions do the rest.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import linalg
from scipy.interpolate import splev

from penglm._typing import Matrix, Vector
from penglm.exceptions import FormulaError


def single(x: Any, name: str) -> Vector:
    """Return one column of numbers (n,)."""
    values = np.asarray(x, dtype=float)
    values = values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values
    if values.ndim != 1:
        raise FormulaError(f"{name}() takes one column.", argument="formula")
    return values


def b_splines(x: Vector, knots: Vector, degree: int) -> Matrix:
    """Return all B-splines of a degree on sorted knots, one column each.

    Raises
    ------
    FormulaError
        If a value lies outside the knots.
    """
    outside = (x < knots.min()) | (x > knots.max())
    if outside.any():
        row = int(np.flatnonzero(outside)[0])
        raise FormulaError(
            f"bs() was fitted between {knots.min():g} and {knots.max():g}, and row "
            f"{row} has {x[row]:g}; give lower_bound and upper_bound when fitting, or "
            "use cr().",
            argument="formula",
            index=row,
        )
    count = knots.size - (degree + 1)
    basis = np.empty((x.size, count))
    for j, unit in enumerate(np.eye(count)):
        basis[:, j] = splev(x, (knots, unit, degree))
    return basis


def cubic_splines(
    x: Vector, knots: Vector, *, cyclic: bool, constraints: Matrix | None
) -> Matrix:
    """Return natural or cyclic cubic regression splines, constraints taken in.

    References
    ----------
    Wood (2006), Generalized Additive Models, section 4.1.2.
    """
    count = knots.size
    low, high = knots.min(), knots.max()
    if cyclic:
        count -= 1
        x = np.copy(x)
        above, below = x > high, x < low
        x[above] = low + (x[above] - high) % (high - low)
        x[below] = high - (low - x[below]) % (high - low)
    left = np.clip(np.searchsorted(knots, x) - 1, 0, knots.size - 2)
    step = (knots[1:] - knots[:-1])[left]
    to_right, to_left = knots[left + 1] - x, x - knots[left]
    bend_left = to_right * to_right * to_right / (6.0 * step)
    bend_left[x > high] = 0.0
    bend_right = to_left * to_left * to_left / (6.0 * step)
    bend_right[x < low] = 0.0
    bend_left = bend_left - step * to_right / 6.0
    bend_right = bend_right - step * to_left / 6.0
    right = left + 1
    if cyclic:
        right[right == count] = 0
    unit = np.identity(count)
    second = cyclic_curvature(knots) if cyclic else natural_curvature(knots)
    basis: Matrix = (
        to_right / step * unit[left].T
        + to_left / step * unit[right].T
        + bend_left * second[left].T
        + bend_right * second[right].T
    ).T
    return constrained(basis, constraints)


def natural_curvature(knots: Vector) -> Matrix:
    """Return the map from values at the knots to second derivatives, natural ends."""
    h, n = knots[1:] - knots[:-1], knots.size
    beside = h[1:-1] / 6.0
    bands = np.array([np.r_[0.0, beside], (h[:-1] + h[1:]) / 3.0, np.r_[beside, 0.0]])
    differences = np.zeros((n - 2, n))
    for i in range(n - 2):
        differences[i, i] = 1.0 / h[i]
        differences[i, i + 2] = 1.0 / h[i + 1]
        differences[i, i + 1] = -differences[i, i] - differences[i, i + 2]
    inner = linalg.solve_banded((1, 1), bands, differences)
    return np.vstack([np.zeros(n), inner, np.zeros(n)])


def cyclic_curvature(knots: Vector) -> Matrix:
    """Return the map from values at the knots to second derivatives on a circle."""
    h, n = knots[1:] - knots[:-1], knots.size - 1
    weights, differences = np.zeros((n, n)), np.zeros((n, n))
    weights[0, 0] = (h[n - 1] + h[0]) / 3.0
    weights[0, n - 1] = weights[n - 1, 0] = h[n - 1] / 6.0
    differences[0, 0] = -1.0 / h[0] - 1.0 / h[n - 1]
    differences[0, n - 1] = differences[n - 1, 0] = 1.0 / h[n - 1]
    for i in range(1, n):
        weights[i, i] = (h[i - 1] + h[i]) / 3.0
        weights[i, i - 1] = weights[i - 1, i] = h[i - 1] / 6.0
        differences[i, i] = -1.0 / h[i - 1] - 1.0 / h[i]
        differences[i, i - 1] = differences[i - 1, i] = 1.0 / h[i - 1]
    return np.asarray(np.linalg.solve(weights, differences), dtype=np.float64)


def tensor(parts: Sequence[Matrix], constraints: Matrix | None) -> Matrix:
    """Return products of one column of each part, the last part's fastest."""
    basis = parts[-1]
    for part in parts[-2::-1]:
        products = [basis * part[:, [j]] for j in range(part.shape[1])]
        basis = np.asarray(np.hstack(products), dtype=np.float64)
    return constrained(basis, constraints)


def constrained(basis: Matrix, constraints: Matrix | None) -> Matrix:
    """Return a basis of those combinations that keep linear constraints."""
    if constraints is None:
        return basis
    q, _ = linalg.qr(np.transpose(constraints))
    return np.dot(basis, q[:, constraints.shape[0] :])
