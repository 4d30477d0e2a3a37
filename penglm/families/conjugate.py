"""The convex conjugate of a loss that has none in closed form, row by row."""

from collections.abc import Callable

import numpy as np

from penglm._typing import Vector

MOST_STEPS = 100
# The value is flat at its maximum: a slope this small costs its square.
SLOPE_LEFT = 1e-9
# A step that leaves more than this share of the slope is followed by a halving.
GAIN = 0.5

Terms = Callable[[Vector, Vector], tuple[Vector, Vector, Vector]]


def conjugate(terms: Terms, y: Vector, dual: Vector, near: Vector) -> Vector:
    """Return ``sup_eta dual * eta - loss(y, eta)`` (n,) of a loss convex in ``eta``.

    Parameters
    ----------
    terms : callable
        ``Family.working_terms``: its score factor falls in ``eta``.
    y, dual : Vector (n,)
    near : Vector (n,)
        Linear predictors with a finite loss to start from.

    Returns
    -------
    Vector (n,)
        inf where the supremum is infinite, or could not be bracketed.

    Notes
    -----
    The maximum is where the score factor equals ``-dual``, or at an end of the range of
    ``eta``. Steps are Fisher scoring's, kept inside the bracket that earlier signs
    leave; where one would leave it, or the last one gained too little, the bracket is
    halved, or widened while an end is open. What is returned bounds the supremum from
    above: a concave function lies below its tangent.
    """
    eta, low, high = near.copy(), np.full(y.size, -np.inf), np.full(y.size, np.inf)
    reach = 1.0 + np.abs(near)
    loss, score, weight = terms(y, eta)
    slope = dual + score
    before = np.full(y.size, np.inf)
    k = np.arange(y.size)
    for _ in range(MOST_STEPS):
        k = k[np.abs(slope[k]) > SLOPE_LEFT * (np.abs(dual[k]) + weight[k])]
        if not k.size:
            break
        up = slope[k] > 0.0
        low[k], high[k] = np.where(up, eta[k], low[k]), np.where(up, high[k], eta[k])
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            step = eta[k] + slope[k] / weight[k]
        gained = np.abs(slope[k]) < GAIN * before[k]
        inside = (step > low[k]) & (step < high[k]) & (gained | np.isinf(before[k]))
        inside &= np.abs(step - eta[k]) <= reach[k]
        trial = np.where(inside, step, halfway(low[k], high[k], eta[k], reach[k]))
        reach[k] *= np.where(inside, 1.0, 2.0)
        found, score, bend = terms(y[k], trial)
        is_valid = np.isfinite(found)
        # A loss of infinity lies beyond the end of the range: a bracket on that side.
        beyond = np.where(is_valid, eta[k], trial)
        low[k] = np.where(~is_valid & (beyond < eta[k]), beyond, low[k])
        high[k] = np.where(~is_valid & (beyond > eta[k]), beyond, high[k])
        before[k] = np.where(is_valid, np.abs(slope[k]), 0.0)
        moved = k[is_valid]
        eta[moved], loss[moved] = trial[is_valid], found[is_valid]
        weight[moved], slope[moved] = bend[is_valid], (dual[k] + score)[is_valid]
    rest = np.where(slope > 0.0, high - eta, eta - low)
    with np.errstate(invalid="ignore"):
        above = np.abs(slope) * rest
    is_found = np.abs(slope) <= SLOPE_LEFT * (np.abs(dual) + weight)
    above = np.where(is_found & ~np.isfinite(rest), 0.0, above)
    return dual * eta - loss + above


def halfway(low: Vector, high: Vector, eta: Vector, reach: Vector) -> Vector:
    """Return the middle of a bracket, or a step out of it where an end is open."""
    with np.errstate(invalid="ignore"):
        middle = 0.5 * (low + high)
    middle = np.where(np.isinf(high), eta + reach, middle)
    return np.where(
        np.isinf(low), np.where(np.isinf(high), middle, eta - reach), middle
    )
