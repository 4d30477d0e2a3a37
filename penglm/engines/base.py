"""Where rows live. An engine does one thing: it sums a function over row blocks."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from penglm._typing import Array, Index, Vector
from penglm.design import Design

# So few numbers BLAS multiplies without threads.
MOST_TO_BLAS = 8192
# Numbers summed straight on before sums are added in pairs.
RUN = 256

Additive: TypeAlias = tuple[Array | float, ...]
"""Numbers and arrays that add up over blocks, entry by entry."""


@dataclass(frozen=True)
class Block:
    """Consecutive rows of a problem; every weight is positive.

    Attributes
    ----------
    design : Design (n, p)
    y, sample_weight, offset : Vector (n,)
    """

    design: Design
    y: Vector
    sample_weight: Vector
    offset: Vector

    def take(self, rows: Index) -> "Block":
        """Return the block made of these rows."""
        return Block(
            self.design.take(rows),
            self.y[rows],
            self.sample_weight[rows],
            self.offset[rows],
        )

    def total(self, values: Vector) -> float:
        """Return the weighted sum of values (n,), on the calling thread.

        The product of BLAS starts threads from 10,000 numbers on, waits milliseconds
        for them where cores are busy, and rounds by how many there are. Sums of short
        runs, added in pairs, also keep a digit more.
        """
        weight = self.sample_weight
        if weight.size < MOST_TO_BLAS:
            return float(weight @ values)
        end = weight.size - weight.size % RUN
        head, rest = slice(0, end), slice(end, None)
        runs = np.einsum(
            "ij,ij->i", weight[head].reshape(-1, RUN), values[head].reshape(-1, RUN)
        )
        return float(runs.sum() + weight[rest] @ values[rest])


class Engine(ABC):
    """A place where row blocks live.

    Attributes
    ----------
    n_obs, n_features : int
    """

    n_obs: int
    n_features: int

    @abstractmethod
    def sum(self, function: Callable[[Block], Additive]) -> tuple[Any, ...]:
        """Return ``function(block)`` added up over all blocks, in a fixed order.

        One call is one pass over the rows, the currency of everything above.
        """

    @abstractmethod
    def select(self, columns: Index) -> "Engine":
        """Return the same rows with these columns only, in memory where they fit."""

    @abstractmethod
    def whole(self) -> Block | None:
        """Return all rows as one block if they are in memory together, else None.

        The naive road and the orthogonal factorisation need it; the covariance road
        lives on sums alone.
        """
