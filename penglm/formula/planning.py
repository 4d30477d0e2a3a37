"""From terms to coded factors: who is coded how.

Which factor of a term gets a column for every level and which one a contrast is R's
rule as patsy states it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from patsy import Sum, Treatment
from patsy.contrasts import ContrastMatrix, code_contrast_matrix
from patsy.redundancy import pick_contrasts_for_term

from penglm.exceptions import FormulaError
from penglm.formula.coding import Coding, Contrast, Levels, Plain, Subterm
from penglm.formula.factor import Labels, Numbers

# A contrast other than treatment needs a matrix of levels by levels.
MOST_CONTRASTED = 2000


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
