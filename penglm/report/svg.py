"""Pictures as a few kilobytes of SVG: scales, axes, lines, bands, dots.

What a line looks like is the style sheet's business, so that dark pages and small ones
have pictures that suit them; here are places, and classes that name their role.
"""

import math
from dataclasses import dataclass, field

import numpy as np

from penglm._typing import Array, Vector
from penglm.report.digits import rounded
from penglm.report.markup import tag, text

# Lines are drawn in whole numbers of a fifth of a unit.
FINE = 5
SHRINK = f"scale({1 / FINE:g})"
LEAST_TICKS = 4


@dataclass(frozen=True)
class Scale:
    """Numbers to places along one axis.

    Attributes
    ----------
    low, high : float
        Numbers at ``start`` and ``end``; ``low`` may be the larger.
    start, end : float
    is_log : bool
    """

    low: float
    high: float
    start: float
    end: float
    is_log: bool = False

    def __call__(self, values: Array | float) -> Vector:
        """Return places."""
        low, high = self.low, self.high
        at = np.asarray(values, dtype=float)
        if self.is_log:
            low, high, at = math.log(low), math.log(high), np.log(at)
        return self.start + (at - low) / (high - low) * (self.end - self.start)

    @property
    def ticks(self) -> list[float]:
        """Round numbers between the ends, about five."""
        low, high = sorted((self.low, self.high))
        if not self.is_log:
            return linear_ticks(low, high)
        exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        for mantissas in ((1,), (1, 3), (1, 2, 5)):
            found = [m * 10.0**e for e in exponents for m in mantissas]
            found = [at for at in found if low <= at <= high]
            if len(found) >= LEAST_TICKS:
                return found[:: math.ceil(len(found) / 7)]
        return linear_ticks(low, high)


def linear_ticks(low: float, high: float) -> list[float]:
    """Return multiples of 1, 2 or 5 times a power of ten between two numbers."""
    rough = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1.0, 2.0, 5.0, 10.0) if m * power >= rough)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [k * step for k in range(first, last + 1)]


def between(*values: Array) -> tuple[float, float]:
    """Return ends of an axis for values, a little beyond them, never equal."""
    everything = np.concatenate([np.ravel(each) for each in values])
    low, high = float(everything.min()), float(everything.max())
    room = 0.04 * (high - low) or 0.5 * abs(high) or 0.5
    return low - room, high + room


@dataclass
class Plot:
    """Axes to draw on.

    Attributes
    ----------
    x, y : Scale
    width, height : float
    parts : list of str
        What was drawn, as markup.
    """

    x: Scale
    y: Scale
    width: float
    height: float
    parts: list[str] = field(default_factory=list)

    def axes(self, x_label: str, y_label: str) -> None:
        """Draw ticks and grid lines and write what the axes measure."""
        left, right = sorted((self.x.start, self.x.end))
        top, bottom = sorted((self.y.start, self.y.end))
        for value in self.y.ticks:
            at = fixed(self.y(value))
            self.parts.append(
                tag(
                    "line", x1=fixed(left), x2=fixed(right), y1=at, y2=at, class_="grid"
                )
            )
            self.write(left - 8, float(self.y(value)) + 4, plain(value), "end", "tick")
        for value in self.x.ticks:
            self.write(
                float(self.x(value)), bottom + 20, plain(value), "middle", "tick"
            )
        self.parts.append(
            tag("line", x1=fixed(left), x2=fixed(right), y1=fixed(bottom),
                y2=fixed(bottom), class_="axis")
        )  # fmt: skip
        self.write(right, bottom + 40, x_label, "end", "name")
        self.write(4, top - 14, y_label, "start", "name")

    def write(
        self, x: float, y: float, words: str, anchor: str = "start", look: str = ""
    ) -> None:
        """Write a text."""
        self.parts.append(
            tag("text", text(words), x=fixed(x), y=fixed(y), class_=f"{look} {anchor}")
        )

    def line(self, x: Array, y: Array, look: str) -> None:
        """Draw a line through points, in order."""
        points = run(self.x(x), self.y(y))
        self.parts.append(
            tag("path", d=points, class_=f"line {look}", transform=SHRINK)
        )

    def band(self, x: Array, low: Array, high: Array, look: str) -> None:
        """Fill what lies between two lines."""
        across = np.r_[self.x(x), self.x(x)[::-1]]
        along = np.r_[self.y(low), self.y(high)[::-1]]
        self.parts.append(
            tag("path", d=f"{run(across, along)}z", class_=look, transform=SHRINK)
        )

    def dots(self, x: Array, y: Array, look: str, radius: float = 3.0) -> None:
        """Draw dots."""
        circles = (
            tag("circle", cx=fixed(a), cy=fixed(b), r=fixed(radius))
            for a, b in zip(self.x(x), self.y(y), strict=True)
        )
        self.parts.append(tag("g", *circles, class_=look))

    def stroke(self, x1: float, y1: float, x2: float, y2: float, look: str) -> None:
        """Draw a straight line between places."""
        ends = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
        places = {key: fixed(value) for key, value in ends.items()}
        self.parts.append(tag("line", class_=look, **places))

    def upright(self, x: float, look: str, **attributes: object) -> None:
        """Draw an upright line at a number."""
        at = fixed(self.x(x))
        self.parts.append(
            tag("line", x1=at, x2=at, y1=fixed(self.y.start), y2=fixed(self.y.end),
                class_=look, **attributes)
        )  # fmt: skip

    def picture(self, key: str, title: str, description: str) -> str:
        """Return the picture with its words for those who do not see it."""
        return tag(
            "svg",
            tag("title", text(title), id=f"{key}-title"),
            tag("desc", text(description), id=f"{key}-words"),
            *self.parts,
            viewBox=f"0 0 {fixed(self.width)} {fixed(self.height)}",
            role="img", id=key, aria_labelledby=f"{key}-title {key}-words",
        )  # fmt: skip


def fixed(value: Array | float) -> str:
    """Return a place to a tenth of a unit."""
    return f"{round(float(value), 1) + 0.0:g}"


def plain(value: float) -> str:
    """Return a round number without zeros it does not need."""
    said = str(rounded(value, 3))
    if "e" in said:
        mantissa, exponent = said.split("e")
        return f"{mantissa.rstrip('0').rstrip('.')}e{exponent}"
    return said.rstrip("0").rstrip(".") if "." in said else said


def run(x: Vector, y: Vector) -> str:
    """Return points as the ``d`` of a path, each relative to the one before."""
    points = np.rint(FINE * np.column_stack([x, y])).astype(int)
    steps = np.diff(points, axis=0)
    said = "".join(f"{joined(a)}{joined(b)}" for a, b in steps.tolist())
    return f"M{points[0, 0]} {points[0, 1]}l{said.lstrip()}" if said else ""


def joined(step: int) -> str:
    """Return a number that needs a blank before it only if it has no sign."""
    return str(step) if step < 0 else f" {step}"
