"""A judge in extended precision: the KKT residual from the objective's definition.

It imports nothing from penglm and shares no code with its solver or its certificate: it
takes dense columns, plain names of family and link, and numbers. What it computes is
defined in docs/objective.md.
"""

from dataclasses import dataclass, field

import numpy as np

from tests.robustness.means import (
    CANONICAL,
    LINKS,
    NEGATIVE,
    POSITIVE,
    RATES,
    REAL,
    SAME_SLOPES,
    VARIANCES,
)

EPS = np.finfo(float).eps
# Where the threshold of a column is below this share of the null model's largest slope,
# or a mix below the least one, docs/objective.md measures in other units.
FLOOR = 1e-8
LEAST_MIX = 1e-3
# Relative standard deviation below which a column says nothing in double precision.
CONSTANT = 64 * EPS
# A slope of fewer roundings than this has no digits to spare for a tolerance.
ROUNDINGS = 1e6
SEARCH_STEPS = 400
LAST_DIGITS = 8  # units in the last place


@dataclass(frozen=True, eq=False)
class Model:
    """Rows and columns, and what is minimised over them.

    Attributes
    ----------
    y : array (n,)
    X : array (n, p)
    family, link : str
    sample_weight, offset : array (n,), optional
    penalty_factor, lower, upper : array (p,), optional
    parameters : dict
        Known numbers of the family, such as ``theta``.
    real : type
        What is calculated with; doubles where there are too many numbers.
    """

    y: np.ndarray
    X: np.ndarray
    family: str = "gaussian"
    link: str = "identity"
    sample_weight: np.ndarray | None = None
    offset: np.ndarray | None = None
    penalty_factor: np.ndarray | None = None
    lower: np.ndarray | None = None
    upper: np.ndarray | None = None
    l1_ratio: float = 1.0
    fit_intercept: bool = True
    standardize: bool | str = True
    parameters: dict = field(default_factory=dict)
    real: type = REAL


@dataclass(frozen=True)
class Verdict:
    """What was found.

    Attributes
    ----------
    residual : float
        Largest distance from an optimality condition, in that condition's unit.
    rounding : float
        How far a residual of the same point in double precision may be from this one.
    worst : int
        The column, -1 for the intercept.
    """

    residual: float
    rounding: float
    worst: int


def knows(family: str, link: str) -> bool:
    """Tell whether this pair can be judged in extended precision."""
    return SAME_SLOPES.get(family, family) in VARIANCES and link in LINKS


def filled(values, default: float, size: int, real: type) -> np.ndarray:
    """Return values, the default where none are given."""
    values = np.full(size, default) if values is None else np.asarray(values)
    return np.broadcast_to(values, size).astype(real)


class Judge:
    """Verdicts on claimed solutions of one model."""

    def __init__(self, model: Model) -> None:
        n, p = np.shape(model.X)
        self.model, self.real = model, model.real
        real = model.real
        self.family = SAME_SLOPES.get(model.family, model.family)
        weight = filled(model.sample_weight, 1.0, n, real)
        here = weight > 0
        self.weight = weight[here] / weight.max()
        self.weight /= self.weight.sum()
        self.y = np.asarray(model.y)[here].astype(real)
        self.offset = filled(model.offset, 0.0, n, real)[here]
        self.X = np.asarray(model.X)[here].astype(real)
        mean = self.weight @ self.X
        centred = self.X - mean
        sd = np.sqrt(self.weight @ centred**2)
        sd[sd <= CONSTANT * np.abs(mean)] = 0
        # Beside no intercept a constant column is a column like any other.
        size = np.where(sd > 0, sd, 0 if model.fit_intercept else np.abs(mean))
        says_nothing = size == 0
        self.size = np.where(says_nothing, 1, size)
        is_number = ((self.X != 0) & (self.X != 1)).any(axis=0)
        is_scaled = is_number if model.standardize == "numeric" else model.standardize
        # What a penalised coefficient is of one of columns of unit sd.
        self.share = np.where(is_scaled, 1, 1 / self.size)
        columns = (centred if model.fit_intercept else self.X) / self.size
        self.columns = np.where(says_nothing, 0, columns)
        # What a product with a raw column may lose, however it is centred after.
        raw = (np.abs(self.X) + np.abs(self.X - centred)) / self.size
        self.reach = np.where(says_nothing, 0, raw)
        factor = filled(model.penalty_factor, 1.0, p, real)
        is_out = np.isinf(factor)
        self.factor = np.where(is_out, 0, factor)
        lower = np.where(is_out, 0, filled(model.lower, -np.inf, p, real))
        upper = np.where(is_out, 0, filled(model.upper, np.inf, p, real))
        self.null_coef = np.clip(real(0), lower, upper)
        self.lower = np.where(says_nothing, self.null_coef, lower)
        self.upper = np.where(says_nothing, self.null_coef, upper)
        self.unit = self.null_slope()

    def gain(self, eta):
        """Return the factor of ``y - mu`` in the slope of the loss."""
        if self.family == "binomial" and self.model.link in RATES:
            up, down = RATES[self.model.link]
            return up(eta) + down(eta)
        mean, deriv, _ = LINKS[self.model.link]
        known = CANONICAL.get((self.family, self.model.link))
        if known:
            return np.full_like(eta, known)
        return deriv(eta) / VARIANCES[self.family](mean(eta), self.model.parameters)

    def pulls(self, eta):
        """Return what draws eta up and what draws it down; NaN outside."""
        y = self.y if eta.ndim == 1 else self.y[:, None]
        if self.family == "binomial" and self.model.link in RATES:
            # Not by y - mu, which has no digits where mu is all but 0 or 1.
            up, down = RATES[self.model.link]
            parts = (
                np.where(y > 0, y * up(eta), 0),
                np.where(y < 1, (1 - y) * down(eta), 0),
            )
        else:
            gain = self.gain(eta)
            parts = y * gain, LINKS[self.model.link][0](eta) * gain
        inside = self.is_inside(eta)
        return tuple(np.where(inside, part, np.nan) for part in parts)

    def slope(self, eta):
        """Return minus the derivative of the half-deviance in eta; NaN outside."""
        up, down = self.pulls(eta)
        return up - down

    def is_inside(self, eta):
        """Tell where the link has a mean for eta."""
        link = self.model.link
        return ((eta > 0) | (link not in POSITIVE)) & (
            (eta < 0) | (link not in NEGATIVE)
        )

    def noise(self, base, eta, coefs):
        """Return what double precision may lose of the weighted slopes of rows."""
        up, down = self.pulls(eta)
        bend = np.abs(LINKS[self.model.link][1](eta) * self.gain(eta))
        moved = (np.abs(base) + np.abs(self.X) @ np.abs(coefs)) * bend
        # Roundings of a sum of many terms partly cancel.
        lost = (4 + np.sqrt(self.y.size)) * (np.abs(up) + np.abs(down))
        # What is calculated in doubles here has roundings of its own.
        eps = EPS if self.real is REAL else 2 * EPS
        return eps * self.weight[:, None] * (moved + lost)

    def verdicts(self, alphas, intercepts, coefs) -> list[Verdict]:
        """Judge points at strengths (m,), with coefs (p, m) in the data's units."""
        coefs = np.asarray(coefs).astype(self.real)
        base = self.offset[:, None] + np.asarray(intercepts).astype(self.real)
        eta = base + self.X @ coefs
        score = self.weight[:, None] * self.slope(eta)
        slopes = self.columns.T @ score
        noise = self.noise(base, eta, coefs)
        noises = self.reach.T @ noise
        return [
            self.verdict(
                self.real(alpha), coefs[:, k], score[:, k].sum(), slopes[:, k],
                noise[:, k].sum(), noises[:, k],
            )
            for k, alpha in enumerate(alphas)
        ]  # fmt: skip

    def costs(self, alpha):
        """Return thresholds, curvatures and units of columns of unit sd (p,)."""
        mix = self.real(self.model.l1_ratio)
        cost = alpha * self.factor * self.share
        l1, pull = mix * cost, (1 - mix) * cost * self.share
        unit = np.where(pull > 0, np.clip(pull, FLOOR, 1), 1) * self.unit
        has_threshold = (l1 > 0) & (mix >= LEAST_MIX)
        return (
            l1,
            pull,
            np.where(has_threshold, np.maximum(l1, FLOOR * self.unit), unit),
        )

    def verdict(self, alpha, coef, beside, slope, noise, noises) -> Verdict:
        """Judge one point from its slopes and their rounding."""
        lower, upper = self.lower, self.upper
        if not alpha < np.inf:
            held = self.factor > 0
            lower = np.where(held, self.null_coef, lower)
            upper = np.where(held, self.null_coef, upper)
            alpha = self.real(0)
        b = coef * self.size
        l1, pull, unit = self.costs(alpha)
        low, high = np.where(b > 0, l1, -l1), np.where(b < 0, -l1, l1)
        # What stands at a limit may be pushed against it.
        low = np.where(coef <= lower, -np.inf, low)
        high = np.where(coef >= upper, np.inf, high)
        signal = slope - pull * b
        distance = np.maximum(np.maximum(low - signal, signal - high), 0)
        share, rounding = distance / unit, (noises / unit).max(initial=0)
        share[(coef < lower) | (coef > upper)] = np.inf
        worst = int(share.argmax()) if share.size else -1
        residual = share[worst] if share.size else self.real(0)
        if self.model.fit_intercept:
            rounding = max(rounding, noise / self.unit)
            if not np.abs(beside) / self.unit <= residual:
                residual, worst = np.abs(beside) / self.unit, -1
        residual = np.inf if np.isnan(residual) else float(residual)
        return Verdict(residual, float(rounding), worst)

    def null_slope(self):
        """Return the largest slope per sd of the intercept beside nothing else."""
        base = self.offset + self.X @ self.null_coef
        eta = base + (self.null_intercept(base) if self.model.fit_intercept else 0)
        largest = np.abs(self.columns.T @ (self.weight * self.slope(eta)))
        base, eta, none = base[:, None], eta[:, None], self.null_coef[:, None]
        least = ROUNDINGS * self.noise(base, eta, none).sum() / (4 + self.y.size**0.5)
        return max(largest.max(initial=0), least) or self.real(1)

    def null_intercept(self, base):
        """Return where the slope of the loss in the intercept changes its sign.

        Fisher's scoring first, then secants, no further than a reach that doubles,
        within a bracket that is halved where a step does not halve the slope.
        """
        _, deriv, to_eta = LINKS[self.model.link]
        last = LAST_DIGITS * np.finfo(self.real).eps
        lost = last * np.sqrt(self.y.size)
        now = to_eta(self.weight @ self.y) - self.weight @ base
        low, high = self.real(-np.inf), self.real(np.inf)
        if self.model.link in POSITIVE:
            low = -base.min()
            now = now if now > low else low + to_eta(self.weight @ self.y)
        if self.model.link in NEGATIVE:
            high = -base.max()
            now = now if now < high else high + to_eta(self.weight @ self.y)
        reach = np.abs(base + now).max() or self.real(1)
        (slope, size), secant = self.total(base + now), np.nan
        for _ in range(SEARCH_STEPS):
            if np.abs(slope) <= lost * size < np.inf or np.isnan(slope):
                break
            low, high = (now, high) if slope > 0 else (low, now)
            least = last * (np.abs(base).max() + np.abs(now))
            with np.errstate(all="ignore"):
                move = slope / secant
                # A secant across a jump of the slope says nothing.
                if not (secant > 0 and least < np.abs(move) < np.inf):
                    move = slope / (
                        self.weight @ (deriv(base + now) * self.gain(base + now))
                    )
            if np.abs(move) <= least:
                break
            if not np.abs(move) <= reach:
                move, reach = np.copysign(reach, slope), 2 * reach
            there, ahead = now + move, (np.nan, np.nan)
            if low < there < high:
                ahead = self.total(base + there)
            if not np.abs(ahead[0]) <= np.abs(slope) / 2 and np.isfinite(high - low):
                there = (low + high) / 2
                ahead = self.total(base + there)
            with np.errstate(all="ignore"):
                secant = (slope - ahead[0]) / (there - now)
            now, (slope, size) = there, ahead
        return now

    def total(self, eta):
        """Return the slope of the loss in the intercept, and the size of its parts."""
        up, down = self.pulls(eta)
        return self.weight @ (up - down), self.weight @ (np.abs(up) + np.abs(down))


def judged(model: Model, alpha: float, intercept: float, coef) -> float:
    """Return the KKT residual of one point."""
    coefs = np.asarray(coef, dtype=float)[:, None]
    (verdict,) = Judge(model).verdicts([alpha], [intercept], coefs)
    return verdict.residual
