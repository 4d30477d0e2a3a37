"""Every fit that a test makes, judged from the rows that the test passed.

The watch sits at the doors: it notes what ``PenalizedGLM`` was given, reads it by
itself, and hands each result to the judge in extended precision. It shares no code with
the package's frame, solver or certificate. What a formula made of a table is taken as
the formula left it; ``tests/formula`` holds that against patsy.

A path is judged at its first, middle and last point, a large problem at its last one
and in doubles.
"""

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

import numpy as np
import pandas as pd
from scipy import sparse

from penglm import frame
from penglm.design import Design
from penglm.families import FAMILIES, LINKS
from penglm.results.cross_validation import CVResults
from penglm.results.fit import FitResults
from penglm.results.path import PathResults
from tests.robustness.judge import Judge, Model, knows

# Numbers of a design above which one point of a path is judged, in doubles, and none.
LARGE, TOO_LARGE = 30_000, 1_500_000
# Families of which two columns of counts are one response.
WITH_TRIALS = ("binomial", "quasibinomial")
# What the judge knows the cost of.
PENALTIES = ("elastic_net", "adaptive")
# The unit of what has no threshold is the largest slope of the null model, and the
# package stops its search for that model at this share of it.
UNIT = 1e-5


@dataclass(frozen=True, eq=False)
class Given:
    """What a door was given, by reference."""

    endog: Any
    exog: Any
    extra: dict[str, Any]
    has_trials: bool


@dataclass
class Watch:
    """What was given, what has been judged, and what was found wrong.

    Attributes
    ----------
    wrong : list of str
        A line for each false claim since the last look.
    counts : Counter
        Points judged, and points that were not, by reason.
    """

    given: WeakKeyDictionary = field(default_factory=WeakKeyDictionary)
    seen: WeakSet = field(default_factory=WeakSet)
    judges: WeakKeyDictionary = field(default_factory=WeakKeyDictionary)
    wrong: list[str] = field(default_factory=list)
    counts: Counter = field(default_factory=Counter)

    def install(self) -> None:
        """Stand at the doors for the rest of the process."""
        read = frame.from_arrays

        @wraps(read)
        def from_arrays(endog, exog, family, extra, missing):
            data = read(endog, exog, family, extra, missing)
            given = Given(endog, exog, dict(extra), family.name in WITH_TRIALS)
            self.given[data] = given
            return data

        frame.from_arrays = from_arrays
        for kind in (FitResults, PathResults, CVResults):
            after(kind, self.look)

    def look(self, results: Any) -> None:
        """Judge what has just been made."""
        is_path = isinstance(results, PathResults)
        whole = results.solutions if is_path else (results.solution,)
        new = [solution for solution in whole if solution not in self.seen]
        self.seen.update(new)
        for solution in new:
            # An infinite strength is a model without the penalised columns.
            known = [solution.intercept, *solution.entries.values]
            if not np.isfinite(known).all() or np.isnan(solution.alpha):
                self.wrong.append(f"{results.spec.family!r}: a number is not finite")
        some = sorted({0, len(new) // 2, len(new) - 1}) if new else []
        reason, judge = self.judge_of(results)
        if judge is None:
            self.counts[reason] += len(some)
            return
        some = (
            some
            if results.data.design.shape[0] * results.data.design.shape[1] <= (LARGE)
            else some[-1:]
        )
        with np.errstate(all="ignore"):
            self.compare(judge, results, [new[k] for k in some])

    def compare(self, judge: Judge, results: Any, solutions: list[Any]) -> None:
        """Hold claims against verdicts."""
        if not solutions:
            return
        tol = results.solved.options.tol
        verdicts = judge.verdicts(
            [solution.alpha for solution in solutions],
            [solution.intercept for solution in solutions],
            np.column_stack([solution.coef for solution in solutions]),
        )
        for solution, verdict in zip(solutions, verdicts, strict=True):
            is_optimal = solution.status.value == "optimal"
            # At the very end of a link's range no slope has a digit in doubles.
            if not is_optimal and verdict.rounding > 1:
                self.counts["no digit of the slopes is left"] += 1
                continue
            self.counts["judged"] += 1
            where = (
                f"{results.spec.family!r} at alpha = {solution.alpha:g}, l1_ratio = "
                f"{results.spec.l1_ratio:g}: residual {verdict.residual:.3e} in column "
                f"{verdict.worst}, give or take {verdict.rounding:.1e}"
            )
            claimed = solution.certificate.kkt_residual
            if np.isnan(claimed):
                self.wrong.append(f"{where}; the certificate is NaN")
            most = tol * (1 + UNIT) + verdict.rounding
            if is_optimal and not verdict.residual <= most:
                self.wrong.append(f"{where}, claimed optimal to {tol:g}")
            if verdict.residual > claimed * (1 + UNIT) + verdict.rounding:
                self.wrong.append(f"{where}, certified as {claimed:.3e}")

    def judge_of(self, results: Any) -> tuple[str, Judge | None]:
        """Return the judge of a problem, or why there is none."""
        data, spec = results.data, results.spec
        if results.solved is None:
            return "loaded, or of fit_regularized", None
        # A class derived from another has its name, but may be another function.
        own = type(spec.family) in FAMILIES.values()
        own = own and type(spec.family.link) in LINKS.values()
        if not own or not knows(spec.family.name, spec.family.link.name):
            return "family or link unknown to the judge", None
        if spec.penalty not in PENALTIES:
            return "penalty unknown to the judge", None
        if np.prod(data.design.shape) > TOO_LARGE:
            return "too large", None
        key = (
            repr(spec.family),
            spec.l1_ratio,
            spec.fit_intercept,
            spec.standardize,
            spec.penalty_factor.tobytes(),
            spec.lower.tobytes(),
            spec.upper.tobytes(),
        )
        known = self.judges.setdefault(data, {})
        if key not in known:
            with np.errstate(all="ignore"):
                known[key] = Judge(self.model(data, spec))
        return "", known[key]

    def model(self, data: Any, spec: Any) -> Model:
        """Return what was asked for as the judge reads it."""
        if data in self.given:
            y, X, weight, offset = rows(self.given[data], data)
        else:
            y, X = data.y, data.design.to_dense()
            weight, offset = data.sample_weight, data.offset
        return Model(
            y, X, spec.family.name, spec.family.link.name, weight, offset,
            spec.penalty_factor, spec.lower, spec.upper, spec.l1_ratio,
            spec.fit_intercept, spec.standardize, spec.family.parameters,
            np.longdouble if np.prod(data.design.shape) <= LARGE else np.float64,
        )  # fmt: skip

    @contextmanager
    def apart(self):
        """Collect what is wrong in a list of its own."""
        kept, self.wrong = self.wrong, []
        try:
            yield self.wrong
        finally:
            self.wrong = kept

    @contextmanager
    def over(self, excuse: str | None = None):
        """Watch one test; raise at its end if a claim was false and not excused."""
        with self.apart() as wrong:
            yield wrong
        self.judges.clear()
        if wrong and excuse is None:
            raise AssertionError("\n".join(wrong))


def after(kind: type, look: Any) -> None:
    """Call ``look`` on each object of a class once it is made."""
    build = kind.__init__

    @wraps(build)
    def init(self, *args, **kwargs):
        build(self, *args, **kwargs)
        look(self)

    kind.__init__ = init


def numbers(values: Any) -> np.ndarray:
    """Return anybody's column or table as floats, NaN where a cell is missing."""
    if hasattr(values, "to_pandas"):
        values = values.to_pandas()
    if isinstance(values, pd.DataFrame | pd.Series):
        return values.to_numpy(dtype=float, na_value=np.nan)
    return np.asarray(values, dtype=float)


def rows(given: Given, data: Any) -> tuple[np.ndarray, ...]:
    """Return response, columns, weight and offset of the rows that count.

    Only what labels stand for is taken from the model.
    """
    if sparse.issparse(given.exog):
        X = given.exog.toarray().astype(float)
    elif isinstance(given.exog, Design):
        X = given.exog.to_dense()
    else:
        X = numbers(given.exog)
    n = X.shape[0]
    weight, offset = np.ones(n), np.zeros(n)
    for name, value in given.extra.items():
        if value is None:
            continue
        part = np.broadcast_to(numbers(value).reshape(-1), n)
        if name.endswith("weights"):
            weight = weight * part
        else:
            offset = offset + (np.log(part) if name == "exposure" else part)
    shape = np.shape(given.endog)
    if given.has_trials and len(shape) == 2 and shape[1] == 2:
        pair = numbers(given.endog)
        trials = pair.sum(axis=1)
        y, weight = pair[:, 0] / np.where(trials > 0, trials, 1), weight * trials
    elif data.y_levels is not None and data.y_levels != (False, True):
        cells = np.asarray(given.endog, dtype=object).reshape(-1)
        gone = pd.isna(pd.Series(cells)).to_numpy()
        y = np.where(gone, np.nan, (cells == data.y_levels[1]).astype(float))
    else:
        y = numbers(given.endog).reshape(-1)
    counts = weight > 0
    counts &= ~(np.isnan(X).any(axis=1) | np.isnan(y) | np.isnan(offset))
    return y[counts], X[counts], weight[counts], offset[counts]
