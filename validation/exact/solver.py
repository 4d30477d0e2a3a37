"""An active-set Newton method in 80 digits for small penalised GLMs.

Coefficients are either free, with a sign where the l1 part acts on them, or held: at
zero or at a limit. On each such face the objective is smooth, and Newton's method ends
where rounding in 80 digits does. Then the held coefficient that would gain most is set
free, until none gains. Columns are centred and divided by their standard deviation, in
80 digits, which loses nothing.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from mpmath import fdot, fsum, inf, isinf, lu_solve, matrix, mp, mpf, sqrt
from mpmath import sign as sign_of

from validation.exact.losses import Loss

DIGITS = 80
# Largest slope left on a face, as a share of the largest one of the null model.
SMALL = mpf(10) ** -60
MOST_STEPS = 200
MOST_FACES = 200
CONSTANT = 64 * mpf(2) ** -52
SUFFICIENT = mpf("1e-4")


@dataclass(frozen=True)
class Problem:
    """What is minimised, in doubles.

    ``penalty_factor``, ``lower`` and ``upper`` have one number a column.
    """

    loss: Loss
    y: list[float]
    X: list[list[float]]
    weight: list[float]
    offset: list[float]
    penalty_factor: list[float]
    lower: list[float]
    upper: list[float]
    fit_intercept: bool
    standardize: bool


@dataclass(frozen=True)
class Answer:
    """The minimum, in the units of the data.

    Attributes
    ----------
    objective, null_objective : mpf
        Terms of the response alone included; that of the null model with what the
        penalty takes for it.
    residual : mpf
        Largest slope that should be zero, as a share of the null model's largest.
    curvature : float
        Least eigenvalue of the Hessian over columns of unit sd that may move.
    """

    intercept: Any
    coef: list[Any]
    objective: Any
    null_objective: Any
    residual: Any
    curvature: float


class Exact:
    """A problem with its columns standardised in 80 digits."""

    def __init__(self, problem: Problem) -> None:
        self.problem, self.loss = problem, problem.loss
        rows = [i for i, s in enumerate(problem.weight) if s > 0]
        total = fsum(mpf(problem.weight[i]) for i in rows)
        self.weight = [mpf(problem.weight[i]) / total for i in rows]
        self.y = [mpf(problem.y[i]) for i in rows]
        self.offset = [mpf(problem.offset[i]) for i in rows]
        self.n, self.p = len(rows), len(problem.penalty_factor)
        columns = [[mpf(problem.X[i][j]) for i in rows] for j in range(self.p)]
        means = [fdot(self.weight, x) for x in columns]
        self.size = [
            sqrt(fdot(self.weight, [(value - mean) ** 2 for value in x]))
            for x, mean in zip(columns, means, strict=True)
        ]
        # Equal up to the last digits of a double is constant: beside an intercept such
        # a column says nothing, without one it is a column like any other.
        self.idle = [
            problem.fit_intercept and size <= CONSTANT * abs(mean)
            for size, mean in zip(self.size, means, strict=True)
        ]
        self.size = [
            mpf(1) if idle else size
            for idle, size in zip(self.idle, self.size, strict=True)
        ]
        self.center = means if problem.fit_intercept else [mpf(0)] * self.p
        self.columns = [
            [(value - center) / size for value in x]
            for x, center, size in zip(columns, self.center, self.size, strict=True)
        ]
        out = [isinf(f) for f in problem.penalty_factor]
        self.lower = [
            mpf(0) if gone else mpf(low) * size
            for gone, low, size in zip(out, problem.lower, self.size, strict=True)
        ]
        self.upper = [
            mpf(0) if gone else mpf(high) * size
            for gone, high, size in zip(out, problem.upper, self.size, strict=True)
        ]
        cost = [
            mpf(0) if gone else mpf(f) / (1 if problem.standardize else size)
            for gone, f, size in zip(
                out, problem.penalty_factor, self.size, strict=True
            )
        ]
        self.cost = cost
        self.square = [
            c if problem.standardize else c / size
            for c, size in zip(cost, self.size, strict=True)
        ]

    def strength(self, alpha: Any, l1_ratio: Any) -> None:
        """Set the penalty; an infinite strength holds what is penalised."""
        self.held = [
            idle or (isinf(alpha) and c > 0)
            for idle, c in zip(self.idle, self.cost, strict=True)
        ]
        mix = mpf(l1_ratio)
        alpha = mpf(0) if isinf(alpha) else mpf(alpha)
        self.l1 = [alpha * mix * c for c in self.cost]
        self.l2 = [alpha * (1 - mix) * c for c in self.square]

    def null_point(self) -> list[Any]:
        """Return intercept and coefficients nearest zero, with a mean for every row."""
        coef = [min(max(mpf(0), low), high)
                for low, high in zip(self.lower, self.upper, strict=True)]  # fmt: skip
        if not self.problem.fit_intercept:
            return [mpf(0), *coef]
        base = self.eta([mpf(0), *coef])
        start = self.loss.start(fdot(self.weight, self.y)) - fdot(self.weight, base)
        low = self.loss.domain[0]
        # Far enough inside the domain for every row.
        start = max(start, low - min(base) + 1) if low > -inf else start
        return [start, *coef]

    def null_model(self) -> list[Any]:
        """Return the minimum over what is not held."""
        start = self.null_point()
        return self.on_faces(start, max(abs(slope) for slope in self.slopes(start)))

    def eta(self, theta: list[Any]) -> list[Any]:
        moved = [j for j in range(self.p) if theta[j + 1] != 0]
        return [
            self.offset[i]
            + theta[0]
            + fsum(self.columns[j][i] * theta[j + 1] for j in moved)
            for i in range(self.n)
        ]

    def value(self, theta: list[Any]) -> Any:
        """Return the objective, infinite outside the domain."""
        eta, (low, high) = self.eta(theta), self.loss.domain
        if not all(low < value < high for value in eta):
            return inf
        losses = [
            self.loss.loss(y, e)[0] - self.loss.saturated(y)
            for y, e in zip(self.y, eta, strict=True)
        ]
        costs = [
            l1 * abs(b) + l2 * b**2 / 2
            for l1, l2, b in zip(self.l1, self.l2, theta[1:], strict=True)
        ]
        return fdot(self.weight, losses) + fsum(costs)

    def value_at(self, intercept: Any, coef: Any) -> Any:
        """Return the objective of coefficients in the units of the data.

        Infinite where there is no mean, and outside the limits.
        """
        given = [mpf(float(b)) * size for b, size in zip(coef, self.size, strict=True)]
        limits = zip(self.lower, given, self.upper, strict=True)
        if not all(low <= b <= high for low, b, high in limits):
            return inf
        moved = [mpf(float(b)) for b in coef]
        return self.value([mpf(float(intercept)) + fdot(self.center, moved), *given])

    def slopes(self, theta: list[Any]) -> list[Any]:
        """Return derivatives of all but the l1 part, the intercept first."""
        parts = [self.loss.loss(y, e)[1]
                 for y, e in zip(self.y, self.eta(theta), strict=True)]  # fmt: skip
        rows = [s * part for s, part in zip(self.weight, parts, strict=True)]
        slopes = [fdot(x, rows) for x in self.columns]
        pulls = [l2 * b for l2, b in zip(self.l2, theta[1:], strict=True)]
        beside = fsum(rows) if self.problem.fit_intercept else mpf(0)
        return [beside, *(a + b for a, b in zip(slopes, pulls, strict=True))]

    def hessian(self, theta: list[Any], free: list[int], observed: bool) -> Any:
        """Return second derivatives over some parameters, 0 being the intercept."""
        curves = [
            self.loss.loss(y, e)[2] if observed else self.loss.expected(e)
            for y, e in zip(self.y, self.eta(theta), strict=True)
        ]
        weights = [s * c for s, c in zip(self.weight, curves, strict=True)]
        ones = [mpf(1)] * self.n
        columns = [self.columns[j - 1] if j else ones for j in free]
        out = matrix(len(free), len(free))
        for a, left in enumerate(columns):
            scaled = [w * x for w, x in zip(weights, left, strict=True)]
            for b in range(a, len(free)):
                out[a, b] = out[b, a] = fdot(scaled, columns[b])
            if free[a]:
                out[a, a] += self.l2[free[a] - 1]
        return out

    def gain(self, theta: list[Any], slopes: list[Any], j: int) -> tuple[Any, int]:
        """Return how steeply the objective falls along a column, and which way."""
        b, slope, l1 = theta[j], slopes[j], self.l1[j - 1]
        if self.held[j - 1]:
            return mpf(0), 0
        up = -(slope + (l1 if b >= 0 else -l1)) if b < self.upper[j - 1] else mpf(0)
        down = slope - (l1 if b <= 0 else -l1) if b > self.lower[j - 1] else mpf(0)
        return (up, 1) if up >= down else (down, -1)

    def solve(self, alpha: Any, l1_ratio: Any) -> Answer:
        """Minimise at one strength and mix."""
        self.strength(inf, l1_ratio)
        null = self.null_model()
        unit = max(abs(slope) for slope in self.slopes(null)[1:])
        self.strength(alpha, l1_ratio)
        theta = self.on_faces(null, unit)
        slopes = self.slopes(theta)
        left = [max(self.gain(theta, slopes, j)[0], 0) for j in range(1, self.p + 1)]
        residual = max([abs(slopes[0]), *left]) / unit
        coef = [b / size for b, size in zip(theta[1:], self.size, strict=True)]
        return Answer(
            theta[0] - fdot(self.center, coef), coef, self.value(theta),
            self.value(null), residual, self.least_curvature(theta),
        )  # fmt: skip

    def least_curvature(self, theta: list[Any]) -> float:
        """Return the least eigenvalue of the Hessian over all that may move."""
        moving = [
            j + 1
            for j in range(self.p)
            if self.lower[j] < self.upper[j] and not self.held[j]
        ]
        free = [0, *moving] if self.problem.fit_intercept else moving
        second = self.hessian(theta, free, observed=True)
        if len(free) < 2:
            return float(second[0, 0]) if free else 0.0
        return float(min(mp.eigsy(second, eigvals_only=True)))

    def on_faces(self, theta: list[Any], unit: Any) -> list[Any]:
        """Go from face to face until no held coefficient would gain."""
        signs = {
            j: int(sign_of(theta[j]))
            for j in range(1, self.p + 1)
            if self.lower[j - 1] < theta[j] < self.upper[j - 1]
            and not self.held[j - 1]
            and (theta[j] != 0 or self.l1[j - 1] == 0)
        }
        for _ in range(MOST_FACES):
            theta, signs = self.on_face(theta, signs, unit)
            slopes = self.slopes(theta)
            gains = {
                j: self.gain(theta, slopes, j)
                for j in range(1, self.p + 1)
                if j not in signs
            }
            best = max(gains, key=lambda j: gains[j][0], default=None)
            if best is None or gains[best][0] <= SMALL * unit:
                return theta
            b = theta[best]
            signs[best] = int(sign_of(b)) if b != 0 else gains[best][1]
        raise ArithmeticError("the faces go round in circles")

    def on_face(
        self, theta: list[Any], signs: dict[int, int], unit: Any
    ) -> tuple[list[Any], dict[int, int]]:
        """Minimise over the free coefficients, holding those that reach an end."""
        signs = dict(signs)
        for _ in range(MOST_STEPS):
            free = ([0] if self.problem.fit_intercept else []) + sorted(signs)
            slopes = self.slopes(theta)
            g = [slopes[j] + (self.l1[j - 1] * signs[j] if j else 0) for j in free]
            if not free or max(abs(value) for value in g) <= SMALL * unit:
                return theta, signs
            step = self.direction(theta, free, g)
            most, ends = self.reach(theta, signs, dict(zip(free, step, strict=True)))
            theta, whole = self.backtrack(theta, free, step, fdot(g, step), most)
            if whole:
                for j, end in ends.items():
                    theta[j] = end
                    del signs[j]
        raise ArithmeticError("Newton's method does not end")

    def direction(self, theta: list[Any], free: list[int], g: list[Any]) -> list[Any]:
        """Return Newton's step, with expected curvature where the other is no good."""
        for observed in (True, False):
            step = list(lu_solve(self.hessian(theta, free, observed), -matrix(g)))
            if fdot(g, step) < 0:
                return step
        raise ArithmeticError("no way down")

    def reach(
        self, theta: list[Any], signs: dict[int, int], step: dict[int, Any]
    ) -> tuple[Any, dict[int, Any]]:
        """Return how much of a step is possible, and who is at which end after it."""
        most, ends = mpf(1), {}
        for j, sign in signs.items():
            limits = [self.lower[j - 1], self.upper[j - 1]]
            if self.l1[j - 1] > 0:
                limits[0 if sign > 0 else 1] = (
                    max(limits[0], mpf(0)) if sign > 0 else min(limits[1], mpf(0))
                )
            end = limits[1] if step[j] > 0 else limits[0]
            if step[j] == 0 or isinf(end):
                continue
            share = (end - theta[j]) / step[j]
            if share < most:
                most, ends = share, {j: end}
        return most, ends

    def backtrack(
        self, theta: list[Any], free: list[int], step: list[Any], slope: Any, most: Any
    ) -> tuple[list[Any], bool]:
        """Return a lower point along a step, and whether all of it was made."""
        here, share = self.value(theta), most
        for k in range(MOST_STEPS):
            there = list(theta)
            for j, change in zip(free, step, strict=True):
                there[j] += share * change
            # Slopes below the rounding of values are followed without looking.
            is_tiny = -slope <= mpf(10) ** (10 - DIGITS) * (1 + abs(here))
            if is_tiny or self.value(there) <= here + SUFFICIENT * share * slope:
                return there, k == 0
            share /= 2
        raise ArithmeticError("no descent along Newton's step")


def solve(problem: Problem, alpha: float, l1_ratio: float) -> Answer:
    """Minimise in 80 digits."""
    with mp.workdps(DIGITS):
        return Exact(problem).solve(mpf(alpha), l1_ratio)


def largest_strength(problem: Problem) -> float:
    """Return the strength at which a lasso of this problem begins."""
    with mp.workdps(DIGITS):
        exact = Exact(problem)
        exact.strength(inf, 1)
        slopes = exact.slopes(exact.null_model())[1:]
        shares = [
            abs(slope) / cost
            for slope, cost in zip(slopes, exact.cost, strict=True)
            if cost > 0
        ]
        return float(np.max([float(share) for share in shares]))
