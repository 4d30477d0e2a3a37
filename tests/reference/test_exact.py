"""Small problems of every family, held against their solutions in 80 digits.

How far an answer may be from the minimum follows from its certificate. Every slope that
should be zero is below ``r u``, the residual times its unit, so for a convex objective
``F(b) - F(b*) <= sum_j r u_j |b_j - b*_j|``. The distance itself is at most ``2 r |u|``
over the least curvature: half of that at the minimum holds all the way, since distances
are small. To ``r`` comes what double precision loses of a slope, which the judge in
extended precision knows. The references were made by ``python -m validation.exact``.
"""

import json
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import penglm as pg
from penglm.exceptions import ConvergenceWarning
from penglm.families import FAMILIES, as_link
from tests.robustness.judge import REAL, Judge, Model
from tests.robustness.objective import objective, sizes

FILES = sorted((Path(__file__).parent / "exact").glob("*.json"))
# What is asked for where as many digits are wanted as there are.
TIGHT = 1e-10
# Share of the explained objective, and of the coefficients, that may then be missing.
AGREE = 1e-9
# The bound above says so much where the problem is well conditioned.
WELL = 1e-3
# Columns whose mean is 1e5 times their sd: the solver's sums over raw columns lose that
# many digits, and it says so rather than claim a tight tolerance.
FAR = "far from zero"
# Roundings of sums of some thirty terms.
LAST, LAST_EXTENDED = 64 * np.finfo(float).eps, 64 * np.finfo(REAL).eps


@dataclass(frozen=True)
class Case:
    """A problem and its minimum."""

    name: str
    model: Model
    alpha: float
    intercept: np.longdouble
    coef: np.ndarray
    objective: np.longdouble
    null_objective: np.longdouble
    least_curvature: float

    def fit(self, **options):
        """Fit with penglm."""
        known = self.model
        family = FAMILIES[known.family](as_link(known.link), **known.parameters)
        return pg.PenalizedGLM(
            known.y, known.X, family,
            var_weights=known.sample_weight, offset=known.offset,
            penalty_factor=known.penalty_factor, lower=known.lower, upper=known.upper,
            fit_intercept=known.fit_intercept, standardize=known.standardize,
        ).fit(self.alpha, known.l1_ratio, **options)  # fmt: skip


def cases():
    """Yield every problem of every file."""
    for file in FILES:
        stored = json.loads(file.read_text())
        for problem in stored["problems"]:
            given = problem["input"]
            arrays = {
                key: np.array(given[key], dtype=float)
                for key in ("X", "y", "offset", "penalty_factor", "lower", "upper")
            }
            for answer in problem["expected"]:
                model = Model(
                    **arrays,
                    family=stored["family"],
                    link=stored["link"],
                    sample_weight=np.array(given["weight"]),
                    l1_ratio=answer["l1_ratio"],
                    fit_intercept=given["fit_intercept"],
                    standardize=given["standardize"],
                    parameters=stored["parameters"],
                )
                yield pytest.param(
                    Case(
                        problem["name"], model, answer["alpha"],
                        REAL(answer["intercept"]),
                        np.array([REAL(b) for b in answer["coef"]]),
                        REAL(answer["objective"]), REAL(answer["null_objective"]),
                        answer["least_curvature"],
                    ),
                    id=f"{file.stem}-{problem['name']}-{answer['l1_ratio']}",
                )  # fmt: skip


every_case = pytest.mark.parametrize("case", list(cases()))


def missed(case, fit, residual):
    """Return what the objective misses, and how much of it a residual allows.

    The third number is the largest distance of a coefficient times the standard
    deviation of its column, the fourth how large it may be.
    """
    judge = Judge(case.model)
    coef = np.asarray(fit.coef).astype(REAL)
    apart = (coef - case.coef) * judge.size
    unit = judge.costs(REAL(case.alpha))[2]
    moved = np.abs(apart)
    center = judge.weight @ judge.X
    beside = REAL(fit.intercept) - case.intercept + center @ (coef - case.coef)
    if case.model.fit_intercept:
        moved, unit = np.r_[moved, np.abs(beside)], np.r_[unit, judge.unit]
    excess = objective(judge, case.alpha, fit.intercept, coef) - case.objective
    allowed = residual * (unit @ moved)
    reach = 2 * residual * np.linalg.norm(unit.astype(float)) / case.least_curvature
    return excess, allowed, np.abs(apart).max(), reach


def residual_of(case, fit):
    """Return the certified residual with what double precision may have lost of it."""
    coefs = np.asarray(fit.coef)[:, None]
    (verdict,) = Judge(case.model).verdicts([case.alpha], [fit.intercept], coefs)
    return fit.certificate.kkt_residual * (1 + 1e-5) + verdict.rounding


@every_case
def test_answer_is_as_near_to_the_minimum_as_its_certificate_says(case):
    fit = case.fit()
    assert fit.status.value == "optimal"
    excess, allowed, apart, reach = missed(case, fit, residual_of(case, fit))
    parts = sizes(Judge(case.model), fit.intercept, fit.coef) + case.null_objective
    rounding = LAST_EXTENDED * parts
    assert -rounding <= excess <= allowed + rounding
    assert apart <= reach
    gap = fit.certificate.duality_gap
    if gap is not None:
        assert excess <= gap + LAST * parts


@every_case
def test_certified_objective_is_the_objective(case):
    fit, judge = case.fit(), Judge(case.model)
    value = objective(judge, case.alpha, fit.intercept, fit.coef)
    parts = sizes(judge, fit.intercept, fit.coef) + case.null_objective
    assert abs(fit.certificate.objective - value) <= LAST * parts


@every_case
def test_tight_tolerance_gives_nine_digits(case):
    with warnings.catch_warnings():
        if case.name == FAR:
            warnings.simplefilter("ignore", ConvergenceWarning)
        fit = case.fit(tol=TIGHT)
    assert fit.status.value == "optimal" or case.name == FAR
    excess, _, apart, reach = missed(case, fit, residual_of(case, fit))
    explained = case.null_objective - case.objective
    parts = sizes(Judge(case.model), fit.intercept, fit.coef) + case.null_objective
    assert excess <= AGREE * explained + LAST_EXTENDED * parts
    assert apart <= reach
    if case.least_curvature >= WELL and fit.converged:
        judge = Judge(case.model)
        assert apart <= AGREE * (np.abs(case.coef) * judge.size).max()


@every_case
def test_reference_itself_passes_the_judge(case):
    coefs = case.coef.astype(float)[:, None]
    judge = Judge(case.model)
    (verdict,) = judge.verdicts([case.alpha], [float(case.intercept)], coefs)
    assert verdict.residual <= verdict.rounding
