"""Residuals of a generalised linear model."""

import numpy as np

from penglm._typing import Vector
from penglm.families import Family


def response(y: Vector, mu: Vector) -> Vector:
    """Return ``y - mu``."""
    return y - mu


def pearson(family: Family, y: Vector, mu: Vector, weight: Vector) -> Vector:
    """Return ``sqrt(s) (y - mu) / sqrt(V(mu))``."""
    difference = np.sqrt(weight) * (y - mu)
    root = np.sqrt(family.variance(mu))
    # Where a mean rounds to the end of its range and meets y, nothing is left over.
    with np.errstate(divide="ignore"):
        return np.divide(
            difference, root, out=np.zeros_like(difference), where=difference != 0.0
        )


def deviance(family: Family, y: Vector, mu: Vector, weight: Vector) -> Vector:
    """Return the signed root of each row's share of the deviance."""
    share = np.maximum(family.unit_deviance(y, mu), 0.0)
    signed: Vector = np.sign(y - mu) * np.sqrt(weight * share)
    return signed


def working(family: Family, y: Vector, eta: Vector) -> Vector:
    """Return ``(y - mu) d eta / d mu``, the residual of the last IRLS regression."""
    mu = family.link.inverse(eta)
    scaled: Vector = (y - mu) / family.link.inverse_deriv(eta)
    return scaled
