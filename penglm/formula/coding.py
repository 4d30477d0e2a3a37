"""From coded factors to columns: what they are called and how they are kept.

A factor of ten thousand levels stays one integer per row.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from penglm._typing import Index, Matrix
from penglm.design import Categorical, Dense, Design, Sparse
from penglm.formula.factor import Labels, Numbers


@dataclass(frozen=True, eq=False)
class Plain:
    """A numeric factor inside a term: its columns as they are."""

    suffixes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Levels:
    """A categorical factor inside a term: one column a level, but for ``drop``."""

    n_levels: int
    drop: int | None
    suffixes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Contrast:
    """A categorical factor inside a term: each level a row of ``matrix``."""

    matrix: Matrix
    suffixes: tuple[str, ...]


Coding = Plain | Levels | Contrast


@dataclass(frozen=True, eq=False)
class Subterm:
    """A product of coded factors; a term is one or several of them side by side.

    Attributes
    ----------
    term : str
        Name of the term it belongs to.
    factors : tuple of str
    codings : tuple of Coding
    """

    term: str
    factors: tuple[str, ...]
    codings: tuple[Coding, ...]

    @property
    def names(self) -> list[str]:
        """Names of its columns; the first factor varies fastest, as in R."""
        ends = [coding.suffixes for coding in self.codings]
        return [
            ":".join(f"{f}{e}" for f, e in zip(self.factors, combo, strict=True))
            for combo in combinations(ends)
        ]


def combinations(parts: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
    """Return the product of sequences, the first one varying fastest."""
    return [combo[::-1] for combo in itertools.product(*reversed(parts))]


def block(subterm: Subterm, values: Mapping[str, Numbers | Labels]) -> Design:
    """Return the columns of a subterm in the storage that suits them."""
    pairs = [
        (values[name], coding)
        for name, coding in zip(subterm.factors, subterm.codings, strict=True)
    ]
    value, coding = pairs[0]
    if len(pairs) == 1 and isinstance(coding, Levels) and isinstance(value, Labels):
        return Categorical(value.codes, coding.n_levels, coding.drop)
    dense: list[tuple[Matrix, int]] = []
    place: Index | None = None
    strides: list[int] = []
    width = 1
    for value, coding in pairs:
        strides.append(width)
        width *= len(coding.suffixes)
        if isinstance(coding, Levels) and isinstance(value, Labels):
            here = column_of_level(coding)[value.codes]
            moved = np.where(here < 0, -1, here * strides[-1])
            if place is not None:
                moved = np.where((place < 0) | (moved < 0), -1, place + moved)
            place = moved
    for (value, coding), stride in zip(pairs, strides, strict=True):
        if isinstance(value, Numbers):
            dense.append((value.values, stride))
        elif isinstance(coding, Contrast):
            rows = np.vstack([coding.matrix, np.zeros((1, coding.matrix.shape[1]))])
            dense.append((rows[value.codes], stride))
    if place is None:
        return Dense(products(dense)[0])
    if not dense:
        return Categorical(place, width)
    return scattered(place, width, *products(dense))


def column_of_level(coding: Levels) -> Index:
    """Return the column of each level, -1 for the reference and for a missing one."""
    home = np.full(coding.n_levels + 1, -1, dtype=np.int64)
    kept = [k for k in range(coding.n_levels) if k != coding.drop]
    home[kept] = np.arange(len(kept))
    return home


def products(dense: list[tuple[Matrix, int]]) -> tuple[Matrix, list[int]]:
    """Return row-wise products (n, k) of columns, and the place of each."""
    n_rows = dense[0][0].shape[0]
    out, places = [], []
    for combo in combinations([range(values.shape[1]) for values, _ in dense]):
        column = np.ones(n_rows)
        for (values, _), j in zip(dense, combo, strict=True):
            column = column * values[:, j]
        out.append(column)
        places.append(sum(j * s for (_, s), j in zip(dense, combo, strict=True)))
    return np.asfortranarray(np.column_stack(out)), places


def scattered(place: Index, width: int, values: Matrix, shifts: list[int]) -> Sparse:
    """Return a sparse block: row i has ``values[i]`` at ``place[i] + shifts``."""
    rows = np.flatnonzero(place >= 0)
    where = np.concatenate([place[rows] + shift for shift in shifts])
    entries = values[rows].ravel(order="F")
    matrix = sparse.coo_array(
        (entries, (np.tile(rows, len(shifts)), where)), shape=(place.size, width)
    )
    return Sparse(matrix.tocsc())
