"""Numbers as a page shows them, and packed so that a script reads the same digits.

A number is a sign, a few decimal digits and an exponent, rounded once, half up, from
all of its binary digits. Tables are written from these, and the script unpacks exactly
these: what a slider shows is what a page without a script shows.

Packed, a number takes a fixed count of letters of 64, so that a series of them needs no
separators: one with five digits takes four letters, with four digits three.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
# Smaller numbers than this are written with an exponent.
LEAST_EXPONENT = -4


@dataclass(frozen=True)
class Digits:
    """A finite number, rounded: ``sign * mantissa * 10 ** (exponent - n + 1)``.

    Attributes
    ----------
    sign : int
        -1, 0 or 1.
    mantissa : int
        Of ``n`` decimal digits, the first not 0; 0 for zero.
    exponent : int
        Of the first digit.
    n : int
    """

    sign: int
    mantissa: int
    exponent: int
    n: int

    @property
    def value(self) -> float:
        """The rounded number."""
        return float(f"{self.sign * self.mantissa}e{self.exponent - self.n + 1}")

    def __str__(self) -> str:
        if self.sign == 0:
            return "0"
        sign, digits = "-" if self.sign < 0 else "", str(self.mantissa)
        if LEAST_EXPONENT <= self.exponent < 0:
            return f"{sign}0.{'0' * (-self.exponent - 1)}{digits}"
        if 0 <= self.exponent < self.n:
            whole, rest = digits[: self.exponent + 1], digits[self.exponent + 1 :]
            return f"{sign}{whole}.{rest}" if rest else f"{sign}{whole}"
        mark = "+" if self.exponent > 0 else ""
        return f"{sign}{digits[0]}.{digits[1:]}e{mark}{self.exponent}"


def rounded(value: float, n: int) -> Digits:
    """Return a finite number rounded to ``n`` >= 2 significant digits, half up."""
    exact = Decimal(float(value))
    if exact == 0:
        return Digits(0, 0, 0, n)
    near = Context(prec=n, rounding=ROUND_HALF_UP).plus(exact)
    exponent = near.adjusted()
    mantissa = int(abs(near).scaleb(n - 1 - exponent))
    return Digits(-1 if near < 0 else 1, mantissa, exponent, n)


def shown(value: float, n: int = 4) -> str:
    """Return a number to ``n`` significant digits, an infinite one as a sign."""
    if value in (float("inf"), float("-inf")):
        return "\u221e" if value > 0 else "-\u221e"
    return str(rounded(value, n))


@dataclass(frozen=True)
class Packing:
    """How many digits a number keeps, and in how many letters.

    Attributes
    ----------
    digits, width : int
    """

    digits: int
    width: int

    @property
    def span(self) -> int:
        """Number of mantissas."""
        return 9 * 10 ** (self.digits - 1)

    @property
    def n_exponents(self) -> int:
        """How many exponents there is room for, the largest of a series first."""
        return int((len(LETTERS) ** self.width - 1) // (2 * self.span))

    def pack(self, values: Iterable[float]) -> tuple[int, str]:
        """Return the largest exponent of a series, and all of its numbers in letters.

        A number is 0 for zero and else one more than ``(2 * (top - exponent) +
        negative) * span + mantissa - 10 ** (digits - 1)``, to the base of 64, largest
        letter first. What is too small for the room becomes the smallest number there
        is: it keeps its sign and does not become zero.
        """
        series = [rounded(value, self.digits) for value in values]
        top = max((one.exponent for one in series if one.sign), default=0)
        return top, "".join(self.letters(one, top) for one in series)

    def letters(self, number: Digits, top: int) -> str:
        """Return one number in letters."""
        code = 0
        if number.sign:
            drop, least = top - number.exponent, 10 ** (self.digits - 1)
            mantissa = number.mantissa - least
            if drop >= self.n_exponents:
                drop, mantissa = self.n_exponents - 1, 0
            code = 1 + (2 * drop + (number.sign < 0)) * self.span + mantissa
        out = ""
        for _ in range(self.width):
            code, last = divmod(code, len(LETTERS))
            out = LETTERS[last] + out
        return out


COEFFICIENTS = Packing(digits=5, width=4)
SIGNALS = Packing(digits=4, width=3)
