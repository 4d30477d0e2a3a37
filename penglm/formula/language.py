"""From the text of a formula to its terms: patsy's language, R's dot and offset."""

import ast
import io
import keyword
import tokenize
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from penglm.exceptions import FormulaError
from penglm.formula import safety

# Names in one flat sum; a longer one is split in halves.
LONGEST_SUM = 100


@dataclass(frozen=True)
class Shift:
    """A part of the linear predictor that has no coefficient.

    Attributes
    ----------
    factor : EvalFactor
    is_exposure : bool
        Whether its logarithm is meant.
    """

    factor: Any
    is_exposure: bool


@dataclass(frozen=True)
class Description:
    """A formula taken apart.

    Attributes
    ----------
    text : str
        With every dot written out.
    response : tuple of EvalFactor
        None, one, or two (successes and failures).
    terms : tuple of Term
        The intercept among them, without offsets.
    shifts : tuple of Shift
    """

    text: str
    response: tuple[Any, ...]
    terms: tuple[Any, ...]
    shifts: tuple[Shift, ...]

    @property
    def has_intercept(self) -> bool:
        """Whether the model has an intercept."""
        return any(not term.factors for term in self.terms)

    @property
    def factors(self) -> list[Any]:
        """Factors of the design, each once, in order of appearance."""
        return list(dict.fromkeys(f for term in self.terms for f in term.factors))


def describe(
    formula: str,
    columns: Sequence[str],
    *,
    trusted: bool = True,
    aside: Sequence[str] = (),
) -> Description:
    """Take a formula apart.

    Parameters
    ----------
    formula : str
    columns : sequence of str
        Names in the table: what a dot stands for.
    trusted : bool
        False lets only ``safety.FUNCTIONS`` through.
    aside : sequence of str
        Columns that serve as offset or weight, which a dot leaves out.

    Raises
    ------
    FormulaError
        If it cannot be read, or is not allowed.
    """
    if not isinstance(formula, str):
        raise FormulaError(
            f"formula is a {type(formula).__name__}; it must be text such as "
            "'y ~ x1 + x2'.",
            argument="formula",
        )
    if not trusted and len(formula) > safety.LONGEST:
        raise FormulaError(
            f"formula has {len(formula)} characters; at most {safety.LONGEST} are "
            "allowed.",
            argument="formula",
        )
    from patsy import ModelDesc, PatsyError

    written = write_out_dots(formula, columns, aside)
    try:
        parsed = ModelDesc.from_formula(written)
    except PatsyError as error:
        raise FormulaError(
            f"formula cannot be read: {error}", argument="formula"
        ) from None
    except Exception as error:
        # Of odd text patsy's tokenizer raises nearly anything, bare asserts among it.
        reason = (
            "it is nested too deeply" if isinstance(error, RecursionError) else error
        )
        raise FormulaError(
            f"formula cannot be read: {str(reason) or 'it is no formula'}",
            argument="formula",
        ) from None
    described = take_apart(written, parsed)
    everything = [*described.response, *described.factors]
    everything += [shift.factor for shift in described.shifts]
    for factor in everything:
        refuse_bar(factor.code)
        if not trusted:
            safety.check(factor.code, columns, formula)
    return described


def take_apart(written: str, parsed: Any) -> Description:
    """Separate response, terms and offsets."""
    response = []
    for term in parsed.lhs_termlist:
        if len(term.factors) != 1:
            raise FormulaError(
                f"the response of '{written}' must be one variable, or two for "
                "successes and failures.",
                argument="formula",
            )
        response.append(term.factors[0])
    terms: list[Any] = []
    shifts: list[Shift] = []
    for term in parsed.rhs_termlist:
        found = [s for s in map(shift_of, term.factors) if s is not None]
        if not found:
            terms.append(term)
        elif len(term.factors) == 1:
            shifts.extend(found)
        else:
            raise FormulaError(
                f"the term '{term.name()}' has an offset inside an interaction; an "
                "offset stands alone.",
                argument="formula",
            )
    return Description(written, tuple(response), tuple(terms), tuple(shifts))


def shift_of(factor: Any) -> Shift | None:
    """Return what ``offset(...)`` or ``exposure(...)`` encloses, None for others."""
    if not factor.code.startswith(("offset(", "exposure(")):
        return None
    call = tree_of(factor.code).body
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
        return None
    if len(call.args) != 1 or call.keywords:
        raise FormulaError(
            f"'{factor.code}' must have one argument.", argument="formula"
        )
    from patsy import EvalFactor

    inside = EvalFactor(ast.unparse(call.args[0]), origin=factor.origin)
    return Shift(inside, call.func.id == "exposure")


def tree_of(code: str) -> ast.Expression:
    """Return the syntax tree of one expression of a formula."""
    try:
        return ast.parse(code, mode="eval")
    except (SyntaxError, RecursionError, MemoryError, ValueError) as error:
        reason = str(error)
        if keyword.iskeyword(code):
            reason = f"'{code}' is a word of Python; write Q('{code}')"
        raise FormulaError(
            f"formula cannot be read: {reason}", argument="formula"
        ) from None


def refuse_bar(code: str) -> None:
    """Raise where a formula asks for random effects."""
    if any(isinstance(node, ast.BitOr) for node in ast.walk(tree_of(code))):
        raise FormulaError(
            f"'{code}' has a '|': random effects are not supported. For a logical or, "
            "compute the column first.",
            argument="formula",
        )


def write_out_dots(
    formula: str, columns: Sequence[str], aside: Sequence[str] = ()
) -> str:
    """Replace each bare dot by the columns that the response does not use."""
    if "." not in formula:
        return formula
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(formula).readline))
    except (tokenize.TokenError, SyntaxError) as error:
        raise FormulaError(
            f"formula cannot be read: {error}", argument="formula"
        ) from None
    dots, before, on_the_left = [], None, set(aside)
    seen_tilde = "~" not in formula
    for token in tokens:
        seen_tilde = seen_tilde or token.string == "~"
        if not seen_tilde:
            on_the_left |= {token.string, token.string.strip("'\"")}
        attribute = before is not None and (
            before.type in (tokenize.NAME, tokenize.STRING, tokenize.NUMBER)
            or before.string in (")", "]")
        )
        if token.string == "." and not attribute:
            dots.append(token)
        before = token
    if not dots:
        return formula
    others = [quoted(name) for name in columns if name not in on_the_left]
    if not others:
        raise FormulaError(
            "formula has a '.', but the data has no column besides the response.",
            argument="formula",
        )
    lines = formula.splitlines()
    for token in reversed(dots):
        row, first = token.start
        line = lines[row - 1]
        lines[row - 1] = f"{line[:first]}({summed(others)}){line[first + 1 :]}"
    return " ".join(lines)


def summed(names: Sequence[str]) -> str:
    """Return a sum of names; patsy's recursion cannot take a long flat one."""
    if len(names) <= LONGEST_SUM:
        return " + ".join(names)
    half = len(names) // 2
    return f"({summed(names[:half])}) + ({summed(names[half:])})"


def quoted(name: str) -> str:
    """Return a column name as a formula can say it."""
    if name.isidentifier() and not keyword.iskeyword(name):
        return name
    return f"Q({name!r})"


def names_in(code: str) -> set[str]:
    """Return every name an expression may take from the data."""
    found = set()
    for node in ast.walk(tree_of(code)):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "Q":
            texts = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
            found |= {text for text in texts if isinstance(text, str)}
    return found
