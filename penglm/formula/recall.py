"""Expressions of a saved formula, worked out from what they remember.

Neither patsy nor Python's own ``eval`` is asked: a walk over the syntax tree does what
the whitelist of ``safety`` lets through, and nothing else can be said.
"""

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from penglm._typing import Matrix
from penglm.exceptions import FormulaError
from penglm.formula.factor import Marked
from penglm.formula.polynomial import OrthogonalPolynomial
from penglm.formula.splines import b_splines, cubic_splines, single, tensor


def columns_of(x: Any) -> Matrix:
    """Return numbers as columns (n, k)."""
    values = np.asarray(x)
    return values[:, None] if values.ndim == 1 else values


def center(known: Any, x: Any) -> Any:
    values = np.asarray(x)
    kind = float if values.dtype.kind in "iu" else values.dtype
    mean = np.asarray(known._sum / known._count, dtype=kind)
    return (columns_of(values) - mean).reshape(values.shape)


def standardize(
    known: Any, x: Any, center: bool = True, rescale: bool = True, ddof: int = 0
) -> Any:
    # Twice, since pandas before 3 gives its own cells when asked for a copy.
    values = np.array(np.asarray(x, dtype=float))
    columns = values[:, None] if values.ndim == 1 else values
    if center:
        columns -= known.current_mean
    if rescale:
        columns /= np.sqrt(known.current_M2 / (known.current_n - ddof))
    return columns.reshape(values.shape)


def bs(known: Any, x: Any, *_: Any, include_intercept: bool = False, **__: Any) -> Any:
    knots = np.sort(np.atleast_1d(known._all_knots))
    basis = b_splines(single(x, "bs"), knots, int(known._degree))
    return basis if include_intercept else basis[:, 1:]


def cubic(known: Any, x: Any, *_: Any, **__: Any) -> Any:
    return cubic_splines(
        single(x, known._name),
        known._all_knots,
        cyclic=known._cyclic,
        constraints=known._constraints,
    )


def te(known: Any, *parts: Any, **_: Any) -> Any:
    return tensor([columns_of(part) for part in parts], known._constraints)


def poly(known: Any, x: Any, *_: Any, **__: Any) -> Any:
    remembered = OrthogonalPolynomial()
    vars(remembered).update(vars(known))
    return remembered.transform(x)


CUBIC = frozenset({"_name", "_cyclic", "_all_knots", "_constraints"})
MOMENTS = frozenset({"current_n", "current_mean", "current_M2"})

TRANSFORMS: dict[str, tuple[Callable[..., Any], frozenset[str]]] = {
    "center": (center, frozenset({"_sum", "_count"})),
    "standardize": (standardize, MOMENTS),
    "scale": (standardize, MOMENTS),
    "bs": (bs, frozenset({"_degree", "_all_knots"})),
    "cr": (cubic, CUBIC),
    "cc": (cubic, CUBIC),
    "te": (te, frozenset({"_constraints"})),
    "poly": (poly, frozenset({"chunks", "degree", "shift", "size"})),
}
"""What learns from the rows of a fit: how it goes on, and what it remembers."""


def same(x: Any) -> Any:
    return x


def mark(data: Any, contrast: Any = None, levels: Any = None) -> Marked:
    inside = data.data if isinstance(data, Marked) else data
    return Marked(inside, None, levels)


def contrast(*_: Any, **__: Any) -> None:
    """Say nothing: how levels are coded stands in the file."""


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "log": np.log, "log1p": np.log1p, "log2": np.log2, "log10": np.log10,
    "exp": np.exp, "expm1": np.expm1, "sqrt": np.sqrt, "abs": np.abs,
    "pmin": np.minimum, "pmax": np.maximum, "I": same, "C": mark,
    "Treatment": contrast, "Sum": contrast, "Poly": contrast, "Helmert": contrast,
    "Diff": contrast,
}  # fmt: skip

OPERATORS: dict[type, Callable[..., Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
    ast.Div: operator.truediv, ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod,
    ast.Pow: operator.pow, ast.USub: operator.neg, ast.UAdd: operator.pos,
}  # fmt: skip


@dataclass(frozen=True)
class Recalled:
    """A factor of a saved formula, in place of patsy's.

    Attributes
    ----------
    code : str
        An expression that has passed the whitelist.
    """

    code: str

    def eval(self, state: Mapping[str, Any], data: Mapping[str, Any]) -> Any:
        """Return the value on a table, its transforms as ``state`` remembers them."""
        tree = ast.parse(self.code, mode="eval").body
        names = named_transforms(tree)
        return Walk(data, names, state["transforms"]).visit(tree)


def named_transforms(tree: ast.expr) -> dict[int, str]:
    """Return what patsy calls each transform, by where its call stands."""
    calls = [
        node.func
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in TRANSFORMS
    ]
    calls.sort(key=lambda name: name.col_offset)
    return {
        name.col_offset: f"_patsy_stobj{k}__{name.id}__" for k, name in enumerate(calls)
    }


class Walk:
    """Works out one expression on one table."""

    def __init__(
        self, data: Mapping[str, Any], names: dict[int, str], known: Mapping[str, Any]
    ) -> None:
        self.data = data
        self.names = names
        self.known = known

    def visit(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            return self.call(node, node.func)
        if isinstance(node, ast.Name):
            # A contrast, which is no column, says nothing here.
            return self.data.get(node.id)
        if isinstance(node, ast.BinOp):
            left, right = self.visit(node.left), self.visit(node.right)
            return OPERATORS[type(node.op)](left, right)
        if isinstance(node, ast.UnaryOp):
            return OPERATORS[type(node.op)](self.visit(node.operand))
        if isinstance(node, ast.List | ast.Tuple):
            return [self.visit(part) for part in node.elts]
        if isinstance(node, ast.Constant):
            return node.value
        raise FormulaError(f"'{ast.unparse(node)}' is not allowed.", argument="formula")

    def call(self, node: ast.Call, name: ast.Name) -> Any:
        given = [self.visit(part) for part in node.args]
        named = {part.arg or "": self.visit(part.value) for part in node.keywords}
        if name.id == "Q":
            return self.data[given[0]]
        if name.id in TRANSFORMS:
            known = self.known[self.names[name.col_offset]]
            return TRANSFORMS[name.id][0](known, *given, **named)
        return FUNCTIONS[name.id](*given, **named)
