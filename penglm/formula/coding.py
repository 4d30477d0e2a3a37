"""From terms to columns: who is coded how, what columns are called, how they are kept.

Which factor of a term gets a column for every level and which one a contrast is R's
rule as patsy states it; the columns themselves are ours, so a factor of ten thousand
levels stays one integer per row.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from patsy import Sum, Treatment
from patsy.contrasts import ContrastMatrix, code_contrast_matrix
from patsy.redundancy import pick_contrasts_for_term
from scipy import sparse

from penglm._typing import Index, Matrix
from penglm.design import Categorical, Dense, Design, Sparse
from penglm.exceptions import FormulaError
from penglm.formula.factor import Labels, Numbers

# A contrast other than treatment needs a matrix of levels by levels.
MOST_CONTRASTED = 2000


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


def plan(
    terms: Sequence[Any], values: Mapping[str, Numbers | Labels], coding: str
) -> list[Subterm]:
    """Decide the columns of a design, in patsy's order.

    Parameters
    ----------
    terms : sequence of patsy.Term
    values : mapping
        Value of each factor by its code.
    coding : {"treatment", "full", "sum"}
    """
    numeric = {
        factor
        for term in terms
        for factor in term.factors
        if isinstance(values[factor.code], Numbers)
    }
    buckets: dict[frozenset[Any], list[Any]] = {frozenset(): []}
    for term in terms:
        key = frozenset(factor for factor in term.factors if factor in numeric)
        buckets.setdefault(key, []).append(term)
    out = []
    for bucket in buckets.values():
        used: set[Any] = set()
        for term in sorted(bucket, key=lambda each: len(each.factors)):
            if coding == "full":
                choices = [dict.fromkeys(term.factors, True)]
            else:
                choices = pick_contrasts_for_term(term, numeric, used)
            for choice in choices:
                members = [f for f in term.factors if f in numeric or f in choice]
                if members:
                    codes = [f.code for f in members]
                    parts = tuple(
                        code(values[f.code], f.code, choice.get(f, True), coding)
                        for f in members
                    )
                    out.append(Subterm(term.name(), tuple(codes), parts))
    return out


def code(value: Numbers | Labels, name: str, every_level: bool, coding: str) -> Coding:
    """Return how one factor enters one subterm."""
    if isinstance(value, Numbers):
        k = value.values.shape[1]
        return Plain(("",) if k == 1 else tuple(f"[{j}]" for j in range(k)))
    contrast = value.contrast
    contrast = contrast() if isinstance(contrast, type) else contrast
    if coding == "full" and contrast is not None:
        every_level = False
    if contrast is None and coding == "sum":
        contrast = Sum()
    if contrast is None or isinstance(contrast, Treatment):
        return treatment(value.levels, contrast, name, every_level)
    if len(value.levels) > MOST_CONTRASTED:
        raise FormulaError(
            f"'{name}' has {len(value.levels)} levels; its contrast would need a "
            "matrix of that size squared. Use treatment or full coding.",
            argument="formula",
        )
    try:
        coded: ContrastMatrix = code_contrast_matrix(
            every_level, value.levels, contrast, default=Treatment
        )
        matrix = np.asarray(coded.matrix, dtype=float)
    except Exception as error:
        # patsy takes whatever it is given for a matrix or an object with its methods.
        raise FormulaError(
            f"'{name}' has a contrast that cannot be used ({error}); use Treatment, "
            "Sum, Poly, Helmert or Diff.",
            argument="formula",
        ) from None
    return Contrast(matrix, tuple(map(str, coded.column_suffixes)))


def treatment(
    levels: tuple[Any, ...], contrast: Any, name: str, every_level: bool
) -> Levels:
    """Return treatment coding, whose reference level has no column."""
    if every_level:
        return Levels(len(levels), None, tuple(f"[{level}]" for level in levels))
    reference = getattr(contrast, "reference", None)
    drop = 0
    if reference is not None:
        known = reference in levels
        drop = levels.index(reference) if known else reference
        if not isinstance(drop, int) or not -len(levels) <= drop < len(levels):
            raise FormulaError(
                f"'{name}' has no level {reference!r} to refer to; its levels: "
                f"{', '.join(map(str, levels[:20]))}.",
                argument="formula",
            )
        drop %= len(levels)
    kept = (level for k, level in enumerate(levels) if k != drop)
    return Levels(len(levels), drop, tuple(f"[T.{level}]" for level in kept))


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
