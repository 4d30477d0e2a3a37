"""Simulated tables of the benchmark.

The truth has ``n_true`` coefficients of size 0.5 to 1 and either sign, at random
columns, and the linear predictor is scaled to the sd that the recipe says, so that
the signal does not depend on size or correlation. Seeds are fixed; another one, or
another correlation, is an option of the command.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.signal import lfilter
from scipy.special import expit

from validation.benchmarks.case import Table, scaled, standardized

AUTOREGRESSIVE, EQUAL, SCATTERED, INSURANCE = "ar", "equal", "scattered", "insurance"
DENSITY = 1e-3
# Levels of the insurance table's factors: 300 in all.
LEVELS = (100, 80, 50, 30, 20, 10, 6, 4)
NUMERIC = 10


@dataclass(frozen=True)
class Recipe:
    """How a table is simulated.

    Attributes
    ----------
    family : str
    n_obs, n_features : int
    kind : str
        ``ar``: column j has correlation ``rho ** |j - k|`` with column k; ``equal``:
        ``rho`` with every other; ``scattered``: one cell in a thousand, standard
        normal; ``insurance``: numeric columns and factors, levels of very different
        frequency, and an exposure.
    n_true : int
        Nonzero coefficients of the truth.
    signal : float
        Sd of the linear predictor.
    noise : float
        Sd of the Gaussian error.
    level : float
        Intercept.
    """

    family: str
    n_obs: int
    n_features: int
    kind: str = AUTOREGRESSIVE
    rho: float = 0.5
    n_true: int = 50
    signal: float = 1.0
    noise: float = 0.7
    level: float = 0.0


def make(recipe: Recipe, seed: int) -> Table:
    """Simulate a table."""
    rng = np.random.default_rng(seed)
    if recipe.kind == INSURANCE:
        return insurance(recipe, rng)
    if recipe.kind == SCATTERED:
        X = scaled(scattered(recipe, rng))
    else:
        X = standardized(correlated(recipe, rng))
    eta = predictor(recipe, X, rng)
    return Table(X, response(recipe, eta, rng))


def correlated(recipe: Recipe, rng) -> np.ndarray:
    """Return normal columns (n, p)."""
    n, p, rho = recipe.n_obs, recipe.n_features, recipe.rho
    if recipe.kind == EQUAL:
        shared = rng.normal(size=(n, 1))
        return np.sqrt(rho) * shared + np.sqrt(1 - rho) * rng.normal(size=(n, p))
    fresh = rng.normal(size=(n, p))
    fresh[:, 1:] *= np.sqrt(1 - rho**2)
    return lfilter([1.0], [1.0, -rho], fresh, axis=1)


def scattered(recipe: Recipe, rng) -> sparse.csc_matrix:
    """Return a sparse matrix (n, p)."""
    n, p = recipe.n_obs, recipe.n_features
    size = int(n * p * DENSITY)
    cells = rng.integers(0, n * p, size)
    values = rng.normal(size=size)
    matrix = sparse.coo_matrix((values, (cells % n, cells // n)), shape=(n, p))
    return matrix.tocsc()


def predictor(recipe: Recipe, X, rng) -> np.ndarray:
    """Return the linear predictor of the truth (n,)."""
    p = X.shape[1]
    truth = np.zeros(p)
    chosen = rng.choice(p, min(recipe.n_true, p), replace=False)
    truth[chosen] = rng.choice([-1.0, 1.0], chosen.size) * rng.uniform(
        0.5, 1.0, chosen.size
    )
    eta = np.asarray(X @ truth).ravel()
    return recipe.level + recipe.signal * (eta - eta.mean()) / eta.std()


def response(recipe: Recipe, eta, rng) -> np.ndarray:
    """Return y (n,)."""
    if recipe.family == "gaussian":
        return eta + rng.normal(0.0, recipe.noise, eta.size)
    if recipe.family == "poisson":
        return rng.poisson(np.exp(eta)).astype(float)
    return rng.binomial(1, expit(eta)).astype(float)


def insurance(recipe: Recipe, rng) -> Table:
    """Return claims: numeric columns, factors, exposure as an offset."""
    n = recipe.n_obs
    numeric = standardized(rng.normal(size=(n, NUMERIC)))
    codes = np.empty((n, len(LEVELS)), dtype=np.int32, order="F")
    eta = numeric @ rng.normal(0.0, 0.5, NUMERIC)
    for k, levels in enumerate(LEVELS):
        share = rng.permutation(1.0 / np.arange(1.0, levels + 1.0))
        codes[:, k] = rng.choice(levels, n, p=share / share.sum())
        effect = rng.normal(0.0, 0.5, levels) * (rng.random(levels) < 0.5)
        eta += effect[codes[:, k]]
    eta = recipe.level + recipe.signal * (eta - eta.mean()) / eta.std()
    exposure = rng.uniform(0.1, 1.0, n)
    y = rng.poisson(exposure * np.exp(eta)).astype(float)
    parts = (numeric, codes, np.array(LEVELS, dtype=np.int32))
    return Table(one_hot(*parts), y, np.log(exposure), parts)


def one_hot(numeric, codes, levels) -> sparse.csc_matrix:
    """Return numeric columns and one indicator column a level, as CSC."""
    n = codes.shape[0]
    blocks = [sparse.csc_matrix(numeric)]
    for k, count in enumerate(levels):
        cells = (np.ones(n), (np.arange(n), codes[:, k]))
        blocks.append(sparse.csc_matrix(cells, shape=(n, int(count))))
    X = sparse.hstack(blocks, format="csc")
    X.sort_indices()
    return X
