"""An encoder as plain data, and back: levels, knots and means, never code.

What is read back passes the whitelist for formulas that nobody typed, so a model file
can hold nothing that runs.
"""

import ast
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np

from penglm.exceptions import FormulaError, ModelFileError
from penglm.formula import safety
from penglm.formula.coding import Coding, Contrast, Levels, Plain, Subterm
from penglm.formula.encoder import Encoder, Known
from penglm.formula.language import Shift, describe
from penglm.formula.recall import TRANSFORMS, Recalled, named_transforms

KINDS = {"plain": Plain, "levels": Levels, "contrast": Contrast}


def packed(encoder: Encoder, columns: tuple[str, ...]) -> dict[str, Any]:
    """Return an encoder as values that JSON can hold.

    Parameters
    ----------
    encoder : Encoder
    columns : tuple of str
        Every column of the table the formula may name, the response's too.

    Raises
    ------
    ModelFileError
        If the formula holds anything but what the whitelist allows.
    """
    try:
        describe(encoder.formula, columns, trusted=False)
    except FormulaError as error:
        raise ModelFileError(
            f"the formula cannot be kept in a model file. {error}"
        ) from None
    return {
        "formula": encoder.formula,
        "columns": list(encoder.columns),
        "table": list(columns),
        "has_intercept": encoder.has_intercept,
        "factors": [pack_known(known) for known in encoder.factors],
        "shifts": [
            {**pack_known(known), "is_exposure": shift.is_exposure}
            for shift, known in encoder.shifts
        ],
        "subterms": [
            {
                "term": part.term,
                "factors": list(part.factors),
                "codings": [pack_coding(coding) for coding in part.codings],
            }
            for part in encoder.subterms
        ],
    }


def unpacked(kept: Mapping[str, Any]) -> Encoder:
    """Return the encoder that ``packed`` described.

    Raises
    ------
    ModelFileError
        If it is not what ``packed`` writes.
    FormulaError
        If the formula is not allowed in a file.
    """
    table, formula = kept["table"], kept["formula"]
    safety.check_text(formula, table)
    factors = [unpack_known(each, table, formula) for each in kept["factors"]]
    shifts = [unpack_known(each, table, formula) for each in kept["shifts"]]
    encoder = Encoder(
        formula=formula,
        columns=tuple(kept["columns"]),
        factors=tuple(factors),
        shifts=tuple(
            (Shift(known.factor, is_exposure(each, formula)), known)
            for each, known in zip(kept["shifts"], shifts, strict=True)
        ),
        subterms=tuple(
            Subterm(
                part["term"],
                tuple(part["factors"]),
                tuple(unpack_coding(coding) for coding in part["codings"]),
            )
            for part in kept["subterms"]
        ),
        has_intercept=bool(kept["has_intercept"]),
    )
    refuse_misfits(encoder)
    return encoder


def refuse_misfits(encoder: Encoder) -> None:
    """Raise unless every coding fits the levels of its factor.

    Raises
    ------
    ModelFileError
        Naming the term that does not.
    """
    known = {each.factor.code: each for each in encoder.factors}
    for part in encoder.subterms:
        for code, coding in zip(part.factors, part.codings, strict=True):
            if not fits(coding, known[code].levels):
                raise ModelFileError(f"the term '{part.term}' does not fit '{code}'.")
    for each in encoder.factors:
        n_levels = len(each.levels or ())
        if not set(each.absent) <= set(range(n_levels)):
            raise ModelFileError(f"'{each.factor.code}' has not the levels it names.")


def fits(coding: Coding, levels: tuple[Any, ...] | None) -> bool:
    """Tell whether a coding is one of a factor with these levels."""
    n_columns = len(coding.suffixes)
    if levels is None or isinstance(coding, Plain):
        return levels is None and isinstance(coding, Plain)
    if isinstance(coding, Contrast):
        return np.shape(coding.matrix) == (len(levels), n_columns)
    is_reference = coding.drop in range(len(levels))
    return (
        coding.n_levels == len(levels)
        and (coding.drop is None or is_reference)
        and n_columns == len(levels) - is_reference
    )


def is_exposure(kept: Mapping[str, Any], formula: str) -> bool:
    """Tell whether the logarithm of an offset is meant."""
    if "is_exposure" in kept:
        return bool(kept["is_exposure"])
    # The first files left it to the formula.
    bare = "".join(formula.split())
    return "exposure(" + "".join(kept["code"].split()) + ")" in bare


def pack_known(known: Known) -> dict[str, Any]:
    """Return levels and transforms of a factor."""
    transforms = {
        name: {key: plain(value) for key, value in vars(transform).items()}
        for name, transform in known.state["transforms"].items()
    }
    levels = None if known.levels is None else [plain(level) for level in known.levels]
    return {
        "code": known.factor.code,
        "levels": levels,
        "absent": list(known.absent),
        "transforms": transforms,
    }


def unpack_known(kept: Mapping[str, Any], table: list[str], formula: str) -> Known:
    """Return a factor whose transforms remember what the file says.

    Raises
    ------
    FormulaError
        If its expression is not allowed in a file.
    """
    code = kept["code"]
    safety.check(code, table, formula)
    names = named_transforms(ast.parse(code, mode="eval").body)
    if set(names.values()) != set(kept["transforms"]):
        raise ModelFileError(f"the transforms of '{code}' are not all there.")
    transforms = {}
    for name, attributes in kept["transforms"].items():
        kind = name.removesuffix("__").rpartition("__")[2]
        if set(attributes) != TRANSFORMS[kind][1]:
            raise ModelFileError(f"'{code}' remembers what it cannot.")
        transforms[name] = SimpleNamespace(
            **{key: restored(each) for key, each in attributes.items()}
        )
    levels = None if kept["levels"] is None else tuple(kept["levels"])
    state = {"transforms": transforms}
    return Known(Recalled(code), state, levels, tuple(kept["absent"]))


def pack_coding(coding: Coding) -> dict[str, Any]:
    """Return how a factor is coded."""
    kind = next(name for name, each in KINDS.items() if isinstance(coding, each))
    return {"kind": kind, **{key: plain(value) for key, value in vars(coding).items()}}


def unpack_coding(kept: Mapping[str, Any]) -> Coding:
    """Return the coding a file describes."""
    values = {key: restored(value) for key, value in kept.items() if key != "kind"}
    values["suffixes"] = tuple(values["suffixes"])
    coding: Coding = KINDS[kept["kind"]](**values)
    return coding


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it.

    Raises
    ------
    ModelFileError
        If it is not a number, text, an array, or a collection of these.
    """
    if isinstance(value, np.longdouble):
        # patsy sums in the longest float there is; as text it keeps every digit.
        return {"long": np.format_float_scientific(value)}
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.ndarray) and value.dtype == np.longdouble:
        cells = [np.format_float_scientific(cell) for cell in value.ravel()]
        return {"long": cells, "shape": list(value.shape)}
    if isinstance(value, np.ndarray) and value.dtype.kind in "fiub":
        return {"array": value.tolist(), "shape": list(value.shape)}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {"dict": {key: plain(each) for key, each in value.items()}}
    raise ModelFileError(
        f"a {type(value).__name__} ({value!r}) cannot be kept in a model file; use "
        "text or numbers as levels."
    )


def restored(value: Any) -> Any:
    """Return what ``plain`` was given, tuples as lists."""
    if isinstance(value, list):
        return [restored(each) for each in value]
    if isinstance(value, dict) and "long" in value:
        if "shape" not in value:
            return np.longdouble(value["long"])
        cells = [np.longdouble(cell) for cell in value["long"]]
        return np.array(cells, dtype=np.longdouble).reshape(value["shape"])
    if isinstance(value, dict) and "array" in value:
        return np.asarray(value["array"], dtype=float).reshape(value["shape"])
    if isinstance(value, dict):
        return {key: restored(each) for key, each in value["dict"].items()}
    return value
