"""Residuals of a generalised linear model."""

import numpy as np
from scipy.special import ndtri

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


def quantile(
    family: Family,
    y: Vector,
    mu: Vector,
    weight: Vector,
    dispersion: float,
    seed: int,
) -> Vector:
    """Return the normal quantiles of the responses' own probabilities, 0 at weight 0.

    Where a response has mass its probability is drawn uniformly between those of a
    smaller one and of one not larger.
    """
    used = weight > 0.0
    below, at, above = family.cumulative(
        y, np.where(used, mu, family.starting_mu(y, np.ones_like(y))),
        np.where(used, weight, 1.0), dispersion,
    )  # fmt: skip
    share = np.random.default_rng(seed).uniform(size=y.size)
    least = np.finfo(float).tiny
    low = np.maximum(below + share * at, least)
    high = np.maximum(above + (1.0 - share) * at, least)
    # Each tail by its own probability: one minus the other has no digits there.
    return np.where(used, np.where(low < high, ndtri(low), -ndtri(high)), 0.0)


def working(family: Family, y: Vector, eta: Vector) -> Vector:
    """Return ``(y - mu) d eta / d mu``, the residual of the last IRLS regression."""
    mu = family.link.inverse(eta)
    scaled: Vector = (y - mu) / family.link.inverse_deriv(eta)
    return scaled
