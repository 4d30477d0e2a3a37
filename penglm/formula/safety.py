"""A formula as data: what a formula that nobody typed into Python may contain.

A formula from a shell argument or a model file is read, not trusted. Every expression
in it has to be made of columns, numbers, plain arithmetic and the functions listed
here; anything else is refused, with its position, before anything is evaluated.
"""

import ast
import io
import tokenize
from collections.abc import Collection

from penglm.exceptions import FormulaError

FUNCTIONS = (
    "log", "log1p", "log2", "log10", "exp", "expm1", "sqrt", "abs", "pmin", "pmax",
    "poly", "bs", "cr", "cc", "te", "scale", "center", "standardize",
    "C", "I", "Q", "Treatment", "Sum", "Poly", "Helmert", "Diff", "offset", "exposure",
)  # fmt: skip
"""Functions that a formula may call anywhere."""

CONTRASTS = frozenset({"Treatment", "Sum", "Poly", "Helmert", "Diff"})
ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow)
WORDS = ("None", "True", "False")
SIGNS = ("~", "+", "-", "*", "/", ":", "(", ")", "[", "]", ",", "=", "**", "//", "%")
LONGEST = 200_000
LARGEST_ARGUMENT = 1000


def check(code: str, columns: Collection[str], formula: str) -> None:
    """Raise unless one expression of a formula is on the list.

    Parameters
    ----------
    code : str
        A Python expression.
    columns : collection of str
        Names that may stand for values.
    formula : str
        The whole formula, for the position.

    Raises
    ------
    FormulaError
        Naming what is refused and where it stands.
    """
    try:
        tree = ast.parse(code, mode="eval").body
    except (SyntaxError, RecursionError, MemoryError, ValueError):
        raise refusal(code, formula) from None
    Reader(code, columns, formula).visit(tree)


def check_text(formula: str, columns: Collection[str]) -> None:
    """Raise unless a whole formula consists of what its expressions may have.

    Whether it is a formula is for patsy to say; that it names nothing else is said
    here, word by word.

    Parameters
    ----------
    formula : str
    columns : collection of str

    Raises
    ------
    FormulaError
        Naming the first word that is not allowed.
    """
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(formula).readline))
    except (tokenize.TokenError, SyntaxError):
        raise refusal(formula, formula) from None
    ends = [token.string for token in tokens[1:]] + [""]
    for token, after in zip(tokens, ends, strict=True):
        if token.type == tokenize.NAME:
            is_word = after != "(" and token.string in {*columns, *CONTRASTS, *WORDS}
            if not is_word and token.string not in FUNCTIONS and after != "=":
                raise refusal(token.string, formula)
        elif token.type == tokenize.STRING:
            if token.string[0] not in "'\"":
                raise refusal(token.string, formula)
        elif token.type == tokenize.OP:
            if token.string not in SIGNS:
                raise refusal(token.string, formula)
        elif token.type == tokenize.ERRORTOKEN and not token.string.isspace():
            raise refusal(token.string, formula)


class Reader:
    """Walks an expression and stops at the first thing that is not allowed."""

    def __init__(self, code: str, columns: Collection[str], formula: str) -> None:
        self.code = code
        self.columns = columns
        self.formula = formula

    def visit(self, node: ast.expr) -> None:
        if isinstance(node, ast.Call):
            self.call(node)
        elif isinstance(node, ast.Name):
            if node.id not in self.columns and node.id not in CONTRASTS:
                raise absent(node.id, self.columns, self.formula)
        elif isinstance(node, ast.BinOp):
            # Arithmetic on numbers alone, such as 9**9**9, can take for ever.
            if not isinstance(node.op, ARITHMETIC) or not mentions_a_name(node):
                self.refuse(node)
            self.visit(node.left)
            self.visit(node.right)
        elif isinstance(node, ast.UnaryOp):
            if not isinstance(node.op, ast.USub | ast.UAdd):
                self.refuse(node)
            self.visit(node.operand)
        elif isinstance(node, ast.List | ast.Tuple):
            for part in node.elts:
                self.visit(part)
        elif isinstance(node, ast.Constant):
            if not isinstance(node.value, bool | int | float | str | None):
                self.refuse(node)
        else:
            self.refuse(node)

    def call(self, node: ast.Call) -> None:
        if not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS:
            self.refuse(node.func)
        for argument in node.args:
            self.visit(argument)
        for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
            # Knots and degrees cost memory and time by their square.
            if isinstance(argument, ast.Constant) and is_huge(argument.value):
                self.refuse(argument)
        for keyword in node.keywords:
            if keyword.arg is None:
                self.refuse(keyword.value)
            self.visit(keyword.value)

    def refuse(self, node: ast.AST) -> None:
        raise refusal(ast.get_source_segment(self.code, node) or "", self.formula)


def is_huge(value: object) -> bool:
    """Tell whether a number is no sensible degree, count of knots or reference."""
    return isinstance(value, int | float) and abs(value) > LARGEST_ARGUMENT


def absent(name: str, columns: Collection[str], formula: str) -> FormulaError:
    """Return the error that names what is not a column and where it stands."""
    place = position(name, formula)
    return FormulaError(
        f"formula: '{name}' at character {place} is not a column of the data; "
        f"columns: {', '.join(list(columns)[:20])}.",
        argument="formula",
        index=place - 1,
    )


def mentions_a_name(node: ast.AST) -> bool:
    """Tell whether an expression depends on anything but numbers."""
    return any(isinstance(part, ast.Name) for part in ast.walk(node))


def refusal(what: str, formula: str) -> FormulaError:
    """Return the error that names what is refused and where it stands."""
    place = position(what, formula)
    return FormulaError(
        f"formula: {what!r} at character {place} is not allowed; a formula here "
        "is made of columns, numbers, arithmetic and the functions "
        f"{', '.join(FUNCTIONS)}.",
        argument="formula",
        index=place - 1,
    )


def position(what: str, formula: str) -> int:
    """Return where a piece of a formula begins, from 1, whatever its spaces."""
    places = [k for k, letter in enumerate(formula) if not letter.isspace()]
    bare = "".join(formula[k] for k in places)
    found = bare.find("".join(what.split()))
    return places[found] + 1 if 0 <= found < len(places) else 1
