"""Small problems of every family with what a model may have besides rows and columns.

Numbers are rounded to a few decimals, so that the file is short and says exactly what
was solved.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from validation.exact.losses import Loss

SEED = 20261126
N_OBS, N_FEATURES = 24, 5
MIXES = {"lasso": 1.0, "elastic net": 0.5, "ridge": 0.0}
# Of the strength at which the lasso begins.
SHARE = 0.15
LIMITS = {
    "lower": [0.05, -np.inf, -0.02, -np.inf, 0.0],
    "upper": [np.inf, 0.0, 0.02, np.inf, np.inf],
}
FACTORS = [1.0, 0.0, 2.0, np.inf, 0.5]


def response(rng: np.random.Generator, loss: Loss, eta: Any) -> Any:
    """Draw a response whose linear predictor varies as ``eta`` (n,) does."""
    mu, n = np.exp(0.3 + eta), eta.size
    if loss.family == "gaussian":
        return eta + rng.normal(size=n)
    if loss.family == "binomial":
        y = (rng.uniform(size=n) < 1.0 / (1.0 + np.exp(-eta))).astype(float)
        y[:2] = 0.0, 1.0
        return y
    if loss.family == "gamma":
        return rng.gamma(2.0, mu / 2.0) + 0.01
    if loss.family == "inverse_gaussian":
        return rng.wald(mu, 3.0) + 0.01
    counts = rng.poisson(mu * rng.gamma(2.0, 0.5, n)).astype(float)
    return (
        counts
        if loss.family == "negative_binomial"
        else (
            rng.poisson(mu).astype(float)
            if loss.family == "poisson"
            else counts * rng.gamma(2.0, 0.5, n)
        )
    )


def plain(rng: np.random.Generator, X: Any) -> dict[str, Any]:
    return {}


def raw(rng: np.random.Generator, X: Any) -> dict[str, Any]:
    return {"standardize": False}


def weights(rng: np.random.Generator, X: Any) -> dict[str, Any]:
    weight = rng.uniform(0.2, 3.0, N_OBS).round(2)
    weight[[5, 11]] = 0.0
    return {"weight": weight}


def offset(rng: np.random.Generator, X: Any) -> dict[str, Any]:
    return {"offset": rng.uniform(0.0, 0.6, N_OBS).round(2)}


def no_intercept(rng: np.random.Generator, X: Any) -> dict[str, Any]:
    # Beside no intercept some links need a positive offset to have a mean at zero.
    return {"fit_intercept": False, "offset": np.full(N_OBS, 0.5)}


def factors(rng: np.random.Generator, X: Any) -> dict[str, Any]:
    return {"penalty_factor": np.array(FACTORS)}


def limits(rng: np.random.Generator, X: Any) -> dict[str, Any]:
    return {key: np.array(value) for key, value in LIMITS.items()}


def nearly_collinear(rng: np.random.Generator, X: Any) -> dict[str, Any]:
    near = X[:, 0] + 1e-6 * rng.integers(-9, 10, N_OBS)
    return {"X": np.column_stack([X[:, :4], near])}


def scales(rng: np.random.Generator, X: Any) -> dict[str, Any]:
    return {"X": X * [1e8, 1e-8, 1.0, 1e3, 1e-4]}


def far_from_zero(rng: np.random.Generator, X: Any) -> dict[str, Any]:
    return {"X": X + np.array([1e4, -1e5, 0.0, 1e3, 10.0])}


def everything(rng: np.random.Generator, X: Any) -> dict[str, Any]:
    parts = (raw, weights, offset, limits)
    out = {key: value for part in parts for key, value in part(rng, X).items()}
    return out | {"penalty_factor": np.array([1.0, 0.5, 2.0, np.inf, 0.0])}


FEATURES: dict[str, Callable[[np.random.Generator, Any], dict[str, Any]]] = {
    "plain": plain,
    "not standardised": raw,
    "weights": weights,
    "offset": offset,
    "no intercept": no_intercept,
    "penalty factors": factors,
    "limits": limits,
    "nearly collinear": nearly_collinear,
    "scales": scales,
    "far from zero": far_from_zero,
    "everything": everything,
}


def make(loss: Loss) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a name and the input of each problem of a family."""
    for k, (name, feature) in enumerate(FEATURES.items()):
        rng = np.random.default_rng([SEED, k, *map(ord, loss.family + loss.link)])
        X = rng.normal(size=(N_OBS, N_FEATURES)).round(2)
        eta = X @ [0.6, -0.4, 0.2, 0.0, 0.0]
        y = response(rng, loss, eta).round(2)
        given = {
            "X": X, "y": y, "weight": np.ones(N_OBS), "offset": np.zeros(N_OBS),
            "penalty_factor": np.ones(N_FEATURES),
            "lower": np.full(N_FEATURES, -np.inf),
            "upper": np.full(N_FEATURES, np.inf),
            "fit_intercept": True, "standardize": True,
        }  # fmt: skip
        yield name, given | feature(rng, X)
