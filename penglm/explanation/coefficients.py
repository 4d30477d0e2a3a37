"""Why each coefficient is what it is: the optimality conditions read aloud."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from penglm._typing import Index, Vector
from penglm.explanation.account import Account
from penglm.explanation.reason import Case, Reason, case_at
from penglm.explanation.refits import Refits
from penglm.explanation.signal import Conditions
from penglm.explanation.terms import Terms
from penglm.penalties import Penalty
from penglm.solver.solution import Solution

if TYPE_CHECKING:
    import pandas as pd

MOVED = (Case.POSITIVE, Case.NEGATIVE)


@dataclass(frozen=True, repr=False)
class Explanation(Account):
    """Why each coefficient is what it is.

    Attributes
    ----------
    reasons : tuple of Reason
    """

    reasons: tuple[Reason, ...]

    def __getitem__(self, name: str) -> Reason:
        for reason in self.reasons:
            if reason.name == name:
                return reason
        raise KeyError(name)

    def frame(self) -> "pd.DataFrame":
        """Return the numbers, one row a coefficient; NaN where there is none.

        Returns
        -------
        DataFrame
            Columns ``coef``, ``signal``, ``threshold``, ``margin``, ``case``,
            ``alpha_alone``, ``enters_at`` and ``leaves_at``.
        """
        import pandas as pd

        rows = [
            (r.coef, r.signal, r.threshold, r.margin, r.case.value, r.alpha_alone,
             r.enters_at, r.leaves_at)
            for r in self.reasons
        ]  # fmt: skip
        columns = ["coef", "signal", "threshold", "margin", "case", "alpha_alone",
                   "enters_at", "leaves_at"]  # fmt: skip
        frame = pd.DataFrame(
            rows, columns=columns, index=[r.name for r in self.reasons]
        )
        strengths = ["alpha_alone", "enters_at", "leaves_at"]
        return frame.astype(dict.fromkeys(strengths, float))

    @property
    def sentences(self) -> list[str]:
        """One for each coefficient."""
        return [reason.sentence for reason in self.reasons]


def explain(
    refits: Refits,
    terms: Terms,
    l1_ratio: float,
    name: str | None = None,
    *,
    refit: bool = True,
) -> Explanation:
    """Explain all coefficients, or those of one column or term.

    Parameters
    ----------
    refits : Refits
        The solution, and the means to solve elsewhere.
    terms : Terms
    l1_ratio : float
    name : str, optional
        A column, or a term of the formula.
    refit : bool, default True
        Whether to solve along the path for where coefficients enter and leave.

    Raises
    ------
    PenglmInputError
        If there is no such column or term.
    """
    solution, penalty = refits.solution, refits.problem.penalty
    cases = cases_of(terms.places(name), penalty, solution, terms)
    found = Found()
    if refit:
        leaves = refits.exits([j for j, case in cases.items() if case in MOVED])
        zero = [j for j, case in cases.items() if case is Case.ZERO]
        found = Found(*refits.entries(zero), leaves)
    at = refits.signals(solution.alpha)
    return Explanation(
        solution.alpha, l1_ratio, solution.status, refits.is_estimated,
        tuple(reasons(cases, at, penalty, solution, terms, found)),
    )  # fmt: skip


def explain_kept(
    signal: Vector,
    penalty: Penalty,
    solution: Solution,
    terms: Terms,
    l1_ratio: float,
    name: str | None = None,
    *,
    is_estimated: bool,
) -> Explanation:
    """Explain a solution whose rows are gone but whose signals (p,) were kept.

    Parameters
    ----------
    signal : Vector (p,)
        Per unit of the penalised coefficient.
    penalty : Penalty
        Built for columns that are as they are penalised.
    solution, terms, l1_ratio, name, is_estimated
        As ``explain`` takes them, or its ``Refits``.
    """
    cases = cases_of(terms.places(name), penalty, solution, terms)
    at = Conditions.of(signal, penalty, solution.alpha)
    return Explanation(
        solution.alpha, l1_ratio, solution.status, is_estimated,
        tuple(reasons(cases, at, penalty, solution, terms, Found())),
    )  # fmt: skip


@dataclass(frozen=True)
class Found:
    """What solving at other strengths found.

    Attributes
    ----------
    enters : dict of int to float
        Strength at which columns that are zero enter.
    searched_to : float or None
        How far down they were looked for; None where they were not.
    leaves : dict of int to float
        Strength at which other columns leave.
    """

    enters: dict[int, float] = field(default_factory=dict)
    searched_to: float | None = None
    leaves: dict[int, float] = field(default_factory=dict)


def reasons(
    cases: dict[int, Case],
    at: Conditions,
    penalty: Penalty,
    solution: Solution,
    terms: Terms,
    found: Found,
) -> Iterator[Reason]:
    """Yield the reason of each column, given which condition holds it."""
    for j, case in cases.items():
        signal = float(at.signal[j])
        is_open = penalty.upper[j] > 0.0 if signal > 0.0 else penalty.lower[j] < 0.0
        is_held = case in (Case.ZERO, *MOVED) and at.unit_threshold[j] > 0.0
        is_missing = case is Case.ZERO and j not in found.enters
        yield Reason(
            terms.names[j], float(solution.coef[j]), signal, float(at.threshold[j]),
            case,
            alpha_alone=at.alone(j) if is_held and is_open else None,
            enters_at=found.enters.get(j),
            leaves_at=found.leaves.get(j),
            searched_to=found.searched_to if is_missing else None,
        )  # fmt: skip


def cases_of(
    columns: Index, penalty: Penalty, solution: Solution, terms: Terms
) -> dict[int, Case]:
    """Return which condition holds each of some coefficients where it is."""
    return {j: case_of(j, penalty, solution, terms) for j in columns.tolist()}


def case_of(column: int, penalty: Penalty, solution: Solution, terms: Terms) -> Case:
    """Return which condition holds a coefficient where it is."""
    return case_at(
        float(solution.coef[column]),
        float(penalty.lower[column]),
        float(penalty.upper[column]),
        is_excluded=bool(terms.is_excluded[column]),
        is_constant=bool(terms.is_constant[column]),
        is_free=bool(penalty.is_free[column]),
        has_threshold=bool(penalty.threshold(1.0)[column] > 0.0),
    )
