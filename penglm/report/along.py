"""Coefficients along a path with their reasons, as plain arrays: what a page shows.

Everything follows from the optimality conditions at the path's own points: signals and
claims cost a few passes over the rows for each strength, and nothing is fitted again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from penglm._typing import Index, Matrix, Vector
from penglm.explanation.attribution import attribute
from penglm.explanation.coefficients import case_of
from penglm.explanation.reason import Case, Reason
from penglm.explanation.signal import signals
from penglm.explanation.terms import Terms
from penglm.relaxation import refits
from penglm.results.explained import NOWHERE, refits_of, terms_of
from penglm.results.fit import FitResults
from penglm.results.path import PathResults
from penglm.results.relaxed import Mixed, RelaxedCV, mix, refitted
from penglm.solver.problem import Problem
from penglm.solver.solution import Solution

# More strengths than this are thinned out, more columns left out.
MOST_STRENGTHS, LEAST_STRENGTHS = 120, 20
MOST_COLUMNS = 400
# Signals take a few passes over the rows for each strength: so many numbers are looked
# at a few times, some seconds of work, before strengths are thinned out further.
MOST_NUMBERS = 2e9
# Claims along the path cost a product of columns for each strength: rows times columns
# shown times columns in the model, summed over strengths.
MOST_PRODUCTS = 1e10
NOBODY = -1


@dataclass(frozen=True, eq=False)
class Along:
    """Some columns of a model at some strengths, strongest first.

    Attributes
    ----------
    solutions : tuple of Solution (m,)
    chosen : int
        Which of them the page is about.
    columns : Index (k,)
        Positions, in the order of the model.
    names : tuple of str (k,)
    coef : Matrix (k, m)
        On the original scale.
    sd, size : Vector (k,)
        What ``coef`` is multiplied by to be per standard deviation, and to be as it
        is penalised.
    signal : Matrix (k, m)
        As ``penglm.explanation.signal`` has it; NaN where a column has none.
    unit_threshold : Vector (k,)
        Threshold at strength one.
    lower, upper : Vector (k,)
        Limits.
    cases : tuple of tuple of Case (k, m)
        Empty where the fit has no rows.
    variables : tuple of str
        Who may say something in place of a column.
    rival : Index (k, m)
        Which of them says most in place of a zero coefficient, -1 for none.
    claim : Matrix (k, m)
        How much that is.
    n_features, n_in_models, n_strengths, n_failed : int
        Columns, those that are in any model of the path, and strengths, shown or not;
        points without finite solution.
    has_rivals : bool
        Whether claims were computed at every strength, not at the chosen one alone.
    """

    solutions: tuple[Solution, ...]
    chosen: int
    columns: Index
    names: tuple[str, ...]
    coef: Matrix
    sd: Vector
    size: Vector
    signal: Matrix
    unit_threshold: Vector
    lower: Vector
    upper: Vector
    cases: tuple[tuple[Case, ...], ...]
    variables: tuple[str, ...]
    rival: Index
    claim: Matrix
    n_features: int
    n_in_models: int
    n_strengths: int
    n_failed: int
    has_rivals: bool

    @cached_property
    def alphas(self) -> Vector:
        """Strengths (m,)."""
        return np.array([solution.alpha for solution in self.solutions])

    @cached_property
    def enters(self) -> Index:
        """First strength (k,) at which a coefficient is not zero; -1 for none."""
        is_in = self.coef != 0.0
        return np.where(is_in.any(axis=1), is_in.argmax(axis=1), NOBODY)

    @cached_property
    def reasons(self) -> list[Reason]:
        """Why the coefficients (k,) are what they are at the chosen strength."""
        at, out = self.chosen, []
        for j, cases in enumerate(self.cases):
            signal, unit = float(self.signal[j, at]), float(self.unit_threshold[j])
            is_held = cases[at] in (Case.ZERO, Case.POSITIVE, Case.NEGATIVE)
            is_held = is_held and unit > 0.0 and self.is_open(j, at)
            alone = abs(signal) / unit if is_held else None
            threshold = float(self.alphas[at]) * unit if unit > 0.0 else 0.0
            out.append(
                Reason(self.names[j], float(self.coef[j, at]), signal, threshold,
                       cases[at], alpha_alone=alone)
            )  # fmt: skip
        return out

    def is_open(self, j: int, k: int) -> bool:
        """Return whether limits let a column move the way its signal points."""
        signal = self.signal[j, k]
        return bool(self.upper[j] > 0.0 if signal > 0.0 else self.lower[j] < 0.0)

    @property
    def order(self) -> Index:
        """Columns (k,) by how much the page would miss them, most missed first.

        Those in the chosen model, then those that ever enter, then all others; each
        by the largest coefficient or signal.
        """
        size = np.abs(self.coef) * self.size[:, None]
        said = np.nan_to_num(np.abs(self.signal[:, self.chosen]))
        rank = np.lexsort(
            (-said, -size.max(axis=1), -(size[:, self.chosen] > 0.0).astype(int))
        )
        return np.asarray(rank)

    def narrowed(self, k: int) -> "Along":
        """Return the ``k`` columns that the page would miss most."""
        kept = np.sort(self.order[:k])
        return replace(
            self,
            columns=self.columns[kept],
            names=tuple(self.names[j] for j in kept),
            coef=self.coef[kept],
            sd=self.sd[kept],
            size=self.size[kept],
            signal=self.signal[kept],
            unit_threshold=self.unit_threshold[kept],
            lower=self.lower[kept],
            upper=self.upper[kept],
            cases=tuple(self.cases[j] for j in kept) if self.cases else (),
            rival=self.rival[kept],
            claim=self.claim[kept],
        )


def gather(fit: FitResults, path: PathResults | None) -> Along:
    """Return what a page says about coefficients.

    Parameters
    ----------
    fit : FitResults
        The model the page is about.
    path : PathResults, optional
        Its path; ``fit`` is put among its points if it is none of them.
    """
    solutions, n_failed = points(fit, path)
    n_strengths = len(solutions)
    places = np.concatenate([one.entries.places for one in solutions])
    most = MOST_STRENGTHS
    if fit.solved is not None:
        affordable = int(MOST_NUMBERS / max(fit.solved.problem.n_stored, 1))
        most = min(max(affordable, LEAST_STRENGTHS), MOST_STRENGTHS)
    solutions = thinned(solutions, fit.solution, most)
    chosen = next(k for k, one in enumerate(solutions) if one is fit.solution)
    columns = worth_showing(fit, solutions)
    coef = np.column_stack([one.coef[columns] for one in solutions])
    k, m = coef.shape
    bare = Along(
        tuple(solutions), chosen, columns,
        tuple(str(fit.data.names[j]) for j in columns), coef, np.ones(k), np.ones(k),
        np.full((k, m), np.nan), np.zeros(k), fit.spec.lower[columns],
        fit.spec.upper[columns], (), (), np.full((k, m), NOBODY),
        np.zeros((k, m)), len(fit.data.names), np.unique(places).size,
        n_strengths, n_failed,
        has_rivals=False,
    )  # fmt: skip
    if fit.solved is None:
        return bare
    problem = fit.solved.problem
    bare = replace(bare, sd=problem.scale[columns], size=problem.penalty_scale[columns])
    has_conditions = not isinstance(fit, Mixed) and fit.status not in NOWHERE
    return reasoned(fit, bare) if has_conditions else bare


def points(fit: FitResults, path: PathResults | None) -> tuple[list[Solution], int]:
    """Return the finite points of a path, strongest first, and how many are not."""
    if path is None:
        return [fit.solution], 0
    kept, n_failed = {fit.alpha: fit.solution}, 0
    for one in mixes(path) if isinstance(path, RelaxedCV) else path.solutions:
        if one.status in NOWHERE:
            n_failed += 1
        else:
            kept.setdefault(one.alpha, one)
    return [kept[alpha] for alpha in sorted(kept, reverse=True)], n_failed


def mixes(cv: RelaxedCV) -> list[Solution]:
    """Return the relaxed fits of the chosen mix, at the strengths of a path.

    Where a refit has no finite optimum the page says so, so nobody is warned.
    """
    plain = PathResults(cv.solutions, cv.data, cv.spec, cv.solved)
    others = refits(cv.solved.problem, cv.solutions, cv.solved.options)
    fits = [plain[k] for k in range(len(plain))]
    return [
        mix(fit, refitted(fit, other), cv.gamma_best).solution
        for fit, other in zip(fits, others, strict=True)
    ]


def thinned(solutions: list[Solution], chosen: Solution, most: int) -> list[Solution]:
    """Return at most so many strengths, evenly spaced, the chosen one among them."""
    if len(solutions) <= most:
        return solutions
    spaced = np.linspace(0, len(solutions) - 1, most - 1).astype(int)
    kept = {*spaced.tolist(), solutions.index(chosen)}
    return [solutions[k] for k in sorted(kept)]


def worth_showing(fit: FitResults, solutions: Sequence[Solution]) -> Index:
    """Return positions of as many columns as a page may hold, those in models first."""
    p = len(fit.data.names)
    if p <= MOST_COLUMNS:
        return np.arange(p)
    scale = np.ones(p) if fit.solved is None else fit.solved.problem.penalty_scale
    size = np.zeros(p)
    for one in solutions:
        places = one.entries.places
        here = np.abs(one.entries.values) * scale[places]
        size[places] = np.maximum(size[places], here)
    is_in = fit.coef != 0.0
    signal = np.zeros(p)
    is_explained = not isinstance(fit, Mixed) and fit.status not in NOWHERE
    if fit.solved is not None and is_explained:
        unit = refits_of(fit).unit
        signal = np.abs(signals(fit.solved.problem, fit.solution, unit).signal)
    order = np.lexsort((-signal, -size, -is_in.astype(int)))
    return np.sort(order[:MOST_COLUMNS])


def reasoned(fit: FitResults, bare: Along) -> Along:
    """Return coefficients with signals, cases and claims."""
    refits, terms = refits_of(fit), terms_of(fit)
    problem, columns = refits.problem, bare.columns
    signal = np.empty_like(bare.coef)
    unit_threshold = np.zeros(columns.size)
    for k, one in enumerate(bare.solutions):
        at = signals(problem, one, refits.unit)
        signal[:, k] = at.signal[columns]
        unit_threshold = at.unit_threshold[columns]
    can_vary = ~(terms.is_excluded | terms.is_constant)[columns]
    signal[~can_vary] = np.nan
    unit_threshold = np.where(np.isfinite(unit_threshold), unit_threshold, 0.0)
    known = replace(
        bare, signal=signal, unit_threshold=unit_threshold,
        cases=cases_of(bare, problem, terms),
    )  # fmt: skip
    return attributed(known, problem, terms, refits.unit)


def cases_of(
    along: Along, problem: Problem, terms: Terms
) -> tuple[tuple[Case, ...], ...]:
    """Return which condition holds each coefficient (k, m) where it is.

    It depends on the coefficient alone, and there only on its sign and its limits.
    """
    lower, upper = problem.penalty.lower, problem.penalty.upper
    out = []
    for row, j in zip(along.coef, along.columns.tolist(), strict=True):
        known: dict[tuple[float, bool, bool], Case] = {}
        cases = []
        for value, one in zip(row.tolist(), along.solutions, strict=True):
            key = (float(np.sign(value)), value <= lower[j], value >= upper[j])
            if key not in known:
                known[key] = case_of(j, problem.penalty, one, terms)
            cases.append(known[key])
        out.append(tuple(cases))
    return tuple(out)


def attributed(along: Along, problem: Problem, terms: Terms, unit: Vector) -> Along:
    """Return the same with who says most in place of each zero coefficient."""
    owner = {
        j: place
        for place, members in enumerate(terms.variables.values())
        for j in members.tolist()
    }
    n_rows = problem.engine.n_obs
    cost = sum(n_rows * along.columns.size * one.n_nonzero for one in along.solutions)
    has_rivals = cost <= MOST_PRODUCTS
    rival, claim = along.rival.copy(), along.claim.copy()
    for k, one in enumerate(along.solutions):
        is_zero = [cases[k] is Case.ZERO for cases in along.cases]
        rows = np.flatnonzero(is_zero)
        if not (has_rivals or k == along.chosen) or not (rows.size and one.n_nonzero):
            continue
        found = attribute(problem, one, along.columns[rows], unit)
        owners, group = np.unique(
            [owner[j] for j in found.active.tolist()], return_inverse=True
        )
        said = np.zeros((rows.size, owners.size))
        np.add.at(said.T, group, found.claims.T)
        ahead = said * np.sign(found.null_signal)[:, None]
        most = ahead.argmax(axis=1)
        picked = said[np.arange(rows.size), most]
        is_ahead = ahead[np.arange(rows.size), most] > 0.0
        rival[rows, k] = np.where(is_ahead, owners[most], NOBODY)
        claim[rows, k] = np.where(is_ahead, picked, 0.0)
    return replace(
        along, variables=tuple(terms.variables), rival=rival, claim=claim,
        has_rivals=has_rivals,
    )  # fmt: skip
