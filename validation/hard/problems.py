"""Seeded small problems, each hard in one way, in the convention of docs/objective.md.

Columns are not standardised: then every peer can state the same problem.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

SEED = 20261126
SEEDS = 4
LINKS = {"gaussian": "identity", "binomial": "logit", "poisson": "log", "gamma": "log"}
MIXES = (1.0, 0.5, 0.0)
# Of the strength that empties the lasso.
SHARES = (0.5, 0.1, 0.01)
COUNTS = ("binomial", "poisson")


@dataclass(frozen=True, eq=False)
class Hard:
    """A problem at one strength.

    Attributes
    ----------
    kind, family : str
    X : array (n, p)
    y, weight, offset : array (n,)
    penalty_factor, lower, upper : array (p,)
    alpha, l1_ratio : float
    has_minimum : bool
        Whether the objective has one at finite coefficients.
    """

    kind: str
    family: str
    X: Any
    y: Any
    weight: Any
    offset: Any
    penalty_factor: Any
    lower: Any
    upper: Any
    l1_ratio: float
    share: float
    alpha: float = 0.0
    has_minimum: bool = True
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def link(self) -> str:
        """Name of the link."""
        return LINKS[self.family]

    def with_rows(self, **values: Any) -> "Hard":
        """Return the problem with other rows or columns."""
        return replace(self, **values)


def largest_strength(problem: Hard) -> float:
    """Return the largest slope at the intercept alone, per factor; roughly."""
    share = problem.weight / problem.weight.sum()
    y, offset = problem.y, problem.offset
    if problem.family == "gaussian":
        slope = y - offset - share @ (y - offset)
    elif problem.family == "binomial":
        slope = y - share @ y
    elif problem.family == "poisson":
        rate = np.exp(offset - offset.max())
        slope = y - rate * (share @ y) / (share @ rate)
    else:
        rate = y * np.exp(offset.min() - offset)
        slope = rate / (share @ rate) - 1.0
    moved = (problem.penalty_factor > 0) & np.isfinite(problem.penalty_factor)
    x = problem.X - share @ problem.X
    return float(np.abs(x.T @ (share * slope))[moved].max())


def plain(rng: np.random.Generator, family: str, n: int, p: int) -> Hard:
    """Return an easy problem, to be made hard."""
    X = rng.normal(size=(n, p))
    eta = X @ np.where(np.arange(p) < 3, rng.normal(size=p), 0.0)
    eta *= 1.0 / max(float(eta.std()), 1e-3)
    mu = np.exp(0.5 * eta)
    if family == "gaussian":
        y = eta + rng.normal(size=n)
    elif family == "binomial":
        y = (rng.uniform(size=n) < 1.0 / (1.0 + np.exp(-eta))).astype(float)
        y[:2] = 0.0, 1.0
    elif family == "poisson":
        y = rng.poisson(2.0 * mu).astype(float)
        y[0] += 1.0
    else:
        y = rng.gamma(2.0, mu / 2.0) + 1e-3
    return Hard(
        "plain", family, X, y, np.ones(n), np.zeros(n), np.ones(p),
        np.full(p, -np.inf), np.full(p, np.inf),
        MIXES[rng.integers(3)], SHARES[rng.integers(3)],
    )  # fmt: skip


def nearly_collinear(rng: np.random.Generator, easy: Hard) -> Hard:
    X = easy.X.copy()
    X[:, 1] = X[:, 0] + 1e-7 * rng.normal(size=X.shape[0])
    return easy.with_rows(X=X)


def duplicated(rng: np.random.Generator, easy: Hard) -> Hard:
    return easy.with_rows(X=np.column_stack([easy.X[:, :-1], easy.X[:, 0]]))


def constant_column(rng: np.random.Generator, easy: Hard) -> Hard:
    X = easy.X.copy()
    X[:, 2] = 0.1
    return easy.with_rows(X=X)


def tiny_units(rng: np.random.Generator, easy: Hard) -> Hard:
    return easy.with_rows(X=easy.X * 1e-9)


def huge_units(rng: np.random.Generator, easy: Hard) -> Hard:
    return easy.with_rows(X=easy.X * 1e9)


def mixed_units(rng: np.random.Generator, easy: Hard) -> Hard:
    p = easy.X.shape[1]
    return easy.with_rows(X=easy.X * 10.0 ** np.linspace(-4, 4, p))


def far_from_zero(rng: np.random.Generator, easy: Hard) -> Hard:
    return easy.with_rows(X=easy.X + 1e5)


def zero_weights(rng: np.random.Generator, easy: Hard) -> Hard:
    weight = rng.uniform(0.2, 3.0, easy.y.size)
    weight[2::3] = 0.0
    return easy.with_rows(weight=weight)


def tiny_weights(rng: np.random.Generator, easy: Hard) -> Hard:
    return easy.with_rows(weight=1e-12 * rng.uniform(0.2, 3.0, easy.y.size))


def huge_offset(rng: np.random.Generator, easy: Hard) -> Hard:
    offset = 600.0 + rng.normal(size=easy.y.size)
    return easy.with_rows(offset=offset)


def factors(rng: np.random.Generator, easy: Hard) -> Hard:
    factor = easy.penalty_factor.copy()
    factor[:3] = 0.0, np.inf, 3.0
    return easy.with_rows(penalty_factor=factor)


def limits(rng: np.random.Generator, easy: Hard) -> Hard:
    lower, upper = easy.lower.copy(), easy.upper.copy()
    lower[0], upper[1], lower[2] = 0.1, 0.0, -0.05
    return easy.with_rows(lower=lower, upper=upper)


def weak_penalty(rng: np.random.Generator, easy: Hard) -> Hard:
    X = easy.X + 3.0 * rng.normal(size=(easy.y.size, 1))
    return easy.with_rows(X=X, share=1e-5)


def wild_response(rng: np.random.Generator, easy: Hard) -> Hard:
    y = easy.y.copy()
    if easy.family == "binomial":
        y[:] = 0.0
        y[3] = 1.0
    elif easy.family == "poisson":
        y = np.round(y * 1e6)
    else:
        y[3] = 1e6
    return easy.with_rows(y=y)


def response_of_other_units(rng: np.random.Generator, easy: Hard) -> Hard:
    y = easy.y if easy.family in COUNTS else easy.y * 1e-9
    return easy.with_rows(y=y, X=easy.X * 1e3)


def unpenalised(rng: np.random.Generator, easy: Hard) -> Hard:
    X = easy.X[:, :3] * [1.0, 1e4, 1e-4]
    y = easy.y
    if easy.family == "binomial":  # neither class alone anywhere
        y = (np.arange(y.size) % 2).astype(float)
    cut = {
        name: getattr(easy, name)[:3] for name in ("penalty_factor", "lower", "upper")
    }
    return easy.with_rows(X=X, y=y, share=0.0, **cut)


def without_minimum(rng: np.random.Generator, easy: Hard) -> Hard:
    side = easy.X[:, 0] > 0
    y = (
        side.astype(float)
        if easy.family == "binomial"
        else np.where(side, easy.y + 1, 0.0)
    )
    X = np.column_stack([side.astype(float), easy.X[:, 1:3]])
    cut = {
        name: getattr(easy, name)[:3] for name in ("penalty_factor", "lower", "upper")
    }
    return easy.with_rows(X=X, y=y, share=0.0, has_minimum=False, **cut)


KINDS: dict[str, Callable[[np.random.Generator, Hard], Hard]] = {
    "plain": lambda rng, easy: easy,
    "nearly collinear": nearly_collinear,
    "a column twice": duplicated,
    "a constant column": constant_column,
    "columns of size 1e-9": tiny_units,
    "columns of size 1e9": huge_units,
    "columns of sizes 1e-4 to 1e4": mixed_units,
    "columns far from zero": far_from_zero,
    "more columns than rows": lambda rng, easy: easy,
    "weights of zero": zero_weights,
    "weights of 1e-12": tiny_weights,
    "an offset of 600": huge_offset,
    "factors 0 and inf": factors,
    "limits": limits,
    "almost no penalty": weak_penalty,
    "a wild response": wild_response,
    "a response of size 1e-9": response_of_other_units,
    "no penalty": unpenalised,
    "no minimum": without_minimum,
}


def make(seeds: int = SEEDS) -> Iterator[Hard]:
    """Yield the problems of every kind and family."""
    for k, (kind, hard) in enumerate(KINDS.items()):
        for f, family in enumerate(LINKS):
            if kind == "no minimum" and family not in COUNTS:
                continue
            for seed in range(seeds):
                rng = np.random.default_rng([SEED, k, f, seed])
                n, p = int(rng.integers(20, 41)), int(rng.integers(4, 9))
                if kind == "more columns than rows":
                    n, p = 12, 18
                problem = hard(rng, plain(rng, family, n, p))
                alpha = float(f"{problem.share * largest_strength(problem):.3g}")
                yield replace(problem, kind=kind, alpha=alpha)
