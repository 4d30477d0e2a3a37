"""Which variables speak for a column, and what happens without them.

Attribution is read off the solution and adds up exactly. It holds the other
coefficients still, and they would not hold still; so each variable in the model is also
left out and the rest fitted again. Where the two disagree, that is said.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from penglm._typing import Index
from penglm.explanation.account import Account
from penglm.explanation.attribution import Attribution, attribute
from penglm.explanation.coefficients import case_of
from penglm.explanation.inflation import MOST_COLUMNS, inflation
from penglm.explanation.reason import Case
from penglm.explanation.refits import Refits
from penglm.explanation.shares import shares_of
from penglm.explanation.terms import Terms
from penglm.path import solve_at
from penglm.solver import quadratic
from penglm.solver.problem import Problem
from penglm.solver.solution import Solution, Status
from penglm.solver.working_set import Warm

if TYPE_CHECKING:
    import pandas as pd

# Claims spelled out in a sentence; the frame has them all.
MOST_CLAIMS = 5
# Rows and columns of the picture.
MOST_DRAWN = 12


@dataclass(frozen=True)
class Claimed:
    """What variables say in place of one column.

    Attributes
    ----------
    name, variable : str
        The column, and the term it belongs to or itself.
    vif : float or None
        Of the variable; None where it was not computed.
    coef : float
        On the original scale.
    null_signal : float
        What the column would have to say with all coefficients at zero, in the working
        model at the solution.
    claims : mapping of str to float
        What each variable in the model says of it. The column's own part is left out;
        that of the other columns of its term is in.
    signal : float
        What remains: ``null_signal`` minus all claims.
    threshold : float
    """

    name: str
    variable: str
    vif: float | None
    coef: float
    null_signal: float
    claims: Mapping[str, float]
    signal: float
    threshold: float

    @property
    def sentence(self) -> str:
        """Say the sum."""
        order = sorted(self.claims, key=lambda rival: -abs(self.claims[rival]))
        parts = [
            (
                self.claims[rival],
                f"rest of {rival}" if rival == self.variable else rival,
            )
            for rival in order[:MOST_CLAIMS]
        ]
        if order[MOST_CLAIMS:]:
            rest = sum(self.claims[rival] for rival in order[MOST_CLAIMS:])
            parts.append((rest, f"{len(order) - MOST_CLAIMS} more"))
        left = "remaining" if self.coef == 0.0 else "its own"
        said = f"{shown(self.name, self.vif)}: {self.null_signal:.4g} ="
        for number, (value, who) in enumerate([*parts, (self.signal, left)]):
            plus = "+ " if number else ""
            said += f" {'- ' if value < 0.0 else plus}{abs(value):.4g} ({who})"
        return f"{said}; threshold {self.threshold:.4g}."


@dataclass(frozen=True)
class Removal:
    """The fit without one variable.

    Attributes
    ----------
    name : str
    vif : float or None
    before, coefs : mapping of str to float
        Coefficients of the columns asked about, with the variable and without it. Its
        own columns are not among them.
    foreseen : frozenset of str
        Columns, zero in the fit, that attribution alone brings back.
    returned : frozenset of str
        Those that do come back.
    deviance_rise : float
    status : Status
    """

    name: str
    vif: float | None
    before: Mapping[str, float]
    coefs: Mapping[str, float]
    foreseen: frozenset[str]
    returned: frozenset[str]
    deviance_rise: float
    status: Status

    @property
    def agrees(self) -> bool:
        """Whether attribution foresaw what came back."""
        return self.foreseen == self.returned

    @property
    def sentence(self) -> str:
        """Say who comes back, at what loss, and what attribution had wrong."""
        changes = []
        for name, value in self.coefs.items():
            if name in self.returned:
                changes.append(f"{name} comes back ({value:.4g})")
            elif self.before[name] != 0.0:
                changes.append(f"{name} is {value:.4g}, not {self.before[name]:.4g}")
        said = f"Without {shown(self.name, self.vif)} {enumerated(changes)}"
        said += f"; the deviance rises by {self.deviance_rise:.4g}."
        missed = [name for name in self.coefs if name in self.returned - self.foreseen]
        false = [name for name in self.coefs if name in self.foreseen - self.returned]
        if missed:
            said += f" Attribution did not foresee {', '.join(missed)}: others moved."
        if false:
            said += f" Attribution foresaw {', '.join(false)}, but others step in."
        if self.status is not Status.OPTIMAL:
            said += f" (That fit is not optimal: {self.status.value}.)"
        return said


@dataclass(frozen=True, repr=False)
class Rivals(Account):
    """Who speaks for columns, and who comes back without whom.

    Attributes
    ----------
    columns : tuple of Claimed
    removals : tuple of Removal
        Empty where refits were not asked for.
    """

    columns: tuple[Claimed, ...]
    removals: tuple[Removal, ...]

    @property
    def sentences(self) -> list[str]:
        """The sums, then the fits without each variable."""
        sums = [one.sentence for one in self.columns]
        fits = [one.sentence for one in self.removals]
        return [*sums, *fits] or ["no coefficient is zero."]

    def frame(self) -> "pd.DataFrame":
        """Return the numbers, one row for each column and each variable in the model.

        Returns
        -------
        DataFrame
            Columns ``column``, ``rival``, ``null_signal``, ``claim``, ``signal``,
            ``threshold``, ``vif`` (of the column's variable), ``rival_vif``; and of the
            fit without the rival ``foreseen``, ``coef_without`` and ``deviance_rise``,
            missing where there is none.
        """
        import pandas as pd

        without = {removal.name: removal for removal in self.removals}
        rows = []
        for one in self.columns:
            for rival, claim in one.claims.items():
                row = {"column": one.name, "rival": rival,
                       "null_signal": one.null_signal, "claim": claim,
                       "signal": one.signal, "threshold": one.threshold,
                       "vif": one.vif}  # fmt: skip
                removal = without.get(rival)
                if removal is not None and one.name in removal.coefs:
                    row |= {"rival_vif": removal.vif,
                            "foreseen": one.name in removal.foreseen,
                            "coef_without": removal.coefs[one.name],
                            "deviance_rise": removal.deviance_rise}  # fmt: skip
                rows.append(row)
        return pd.DataFrame(rows)

    def plot(self, *, most: int = MOST_DRAWN, ax: Any = None) -> Any:
        """Draw who claims which share of each column's null signal, as a matrix.

        Parameters
        ----------
        most : int, default 12
            Columns drawn, those of largest signal beside their thresholds if nothing
            spoke for them; and rivals, those with the largest claim on any of them.
        ax : matplotlib axes, optional

        Returns
        -------
        matplotlib axes
            One row a column, one column a rival. The area of a square is the size of
            the share; filled squares claim, hollow ones add to the signal. Each row
            with ``others`` and what remains adds up to one.

        Raises
        ------
        PenglmInputError
            If no coefficient is zero, so nothing is claimed.
        """
        from penglm.plots import claims

        drawn = shares_of(self.columns, most)
        return claims.matrix(
            drawn.to_numpy(), [*drawn.index], [*drawn.columns],
            note="shares of what each column would say alone",
            ax=ax,
        )  # fmt: skip


def rivals(
    refits: Refits,
    terms: Terms,
    l1_ratio: float,
    name: str | None = None,
    *,
    refit: bool = True,
) -> Rivals:
    """Attribute the signals of zero columns, or of one variable, to those in the model.

    Parameters
    ----------
    refits : Refits
    terms : Terms
    l1_ratio : float
    name : str, optional
        A column or a term; all columns whose coefficient is zero if not given.
    refit : bool, default True
        Whether to fit without each variable of the model in turn.

    Raises
    ------
    PenglmInputError
        If there is no such column or term.
    """
    problem, solution = refits.problem, refits.solution
    columns = terms.places(name)
    cases = [case_of(j, problem.penalty, solution, terms) for j in columns.tolist()]
    settled = (Case.EXCLUDED, Case.CONSTANT, Case.FIXED)
    asked = [
        case is Case.ZERO if name is None else case not in settled for case in cases
    ]
    columns = columns[np.array(asked, dtype=bool)]
    variables, vifs = terms.variables, inflated(problem, terms)
    found = attribute(problem, solution, columns, refits.unit)
    owner = {j: one for one, places in variables.items() for j in places.tolist()}
    claimed = claims_of(refits, terms, found, owner, vifs)
    removals = []
    if refit and columns.size:
        active = dict.fromkeys(owner[j] for j in found.active.tolist())
        for rival in active:
            # What limits keep away from zero cannot be left out.
            can_go = np.all(problem.penalty.null_coef[variables[rival]] == 0.0)
            if can_go and any(one.variable != rival for one in claimed):
                other = without(refits, variables[rival])
                removals.append(
                    removal_of(rival, vifs.get(rival), other, refits, columns, claimed)
                )
    return Rivals(
        solution.alpha, l1_ratio, solution.status, refits.is_estimated,
        tuple(claimed), tuple(removals),
    )  # fmt: skip


def claims_of(
    refits: Refits,
    terms: Terms,
    found: Attribution,
    owner: Mapping[int, str],
    vifs: Mapping[str, float],
) -> list[Claimed]:
    """Return what each variable claims of each column."""
    coef, threshold = refits.solution.coef, refits.signals(refits.solution.alpha)
    claimed = []
    for row, j in enumerate(found.columns.tolist()):
        claims: dict[str, float] = {}
        signal = float(found.remaining[row])
        for place, k in enumerate(found.active.tolist()):
            claim = float(found.claims[row, place])
            if k == j:
                signal += claim
            else:
                claims[owner[k]] = claims.get(owner[k], 0.0) + claim
        claimed.append(
            Claimed(
                terms.names[j], owner[j], vifs.get(owner[j]), float(coef[j]),
                float(found.null_signal[row]), claims, signal,
                float(threshold.threshold[j]),
            )
        )  # fmt: skip
    return claimed


def removal_of(
    rival: str,
    vif: float | None,
    other: Solution,
    refits: Refits,
    columns: Index,
    claimed: list[Claimed],
) -> Removal:
    """Return what the fit without a variable says, beside what was foreseen."""
    penalty, coef = refits.problem.penalty, other.coef
    foreseen, returned = set(), set()
    before, coefs = {}, {}
    for j, one in zip(columns.tolist(), claimed, strict=True):
        if one.variable == rival:
            continue
        before[one.name] = one.coef
        coefs[one.name] = float(coef[j])
        if one.coef != 0.0:
            continue
        alone = one.signal + one.claims.get(rival, 0.0)
        is_open = penalty.upper[j] > 0.0 if alone > 0.0 else penalty.lower[j] < 0.0
        if is_open and abs(alone) > one.threshold:
            foreseen.add(one.name)
        if coef[j] != 0.0:
            returned.add(one.name)
    rise = other.deviance - refits.solution.deviance
    return Removal(
        rival, vif, before, coefs, frozenset(foreseen), frozenset(returned), rise,
        other.status,
    )  # fmt: skip


def without(refits: Refits, places: Index) -> Solution:
    """Return the solution at the same strength with some columns held at zero."""
    problem, solution = refits.problem, refits.solution
    is_held = problem.penalty.is_fixed
    is_held[places] = True
    held = replace(problem, penalty=problem.penalty.held(is_held))
    coef = solution.coef
    coef[places] = 0.0
    point = held.point(solution.intercept, coef)
    here = quadratic.expand(held, point)
    start = Warm(point, solution.alpha, here.score, here=here)
    return solve_at(held, solution.alpha, refits.null, refits.options, start=start)


def inflated(problem: Problem, terms: Terms) -> dict[str, float]:
    """Return variance inflation factors, none where columns are too many for them."""
    if len(terms.names) > MOST_COLUMNS:
        return {}
    return {name: one.vif for name, one in inflation(problem, terms).items()}


def shown(name: str, vif: float | None) -> str:
    """Return a name with its variance inflation factor, where there is one."""
    return name if vif is None else f"{name} (VIF {vif:.3g})"


def enumerated(parts: list[str]) -> str:
    """Return parts with commas and an "and"."""
    if not parts:
        return "nothing comes back"
    if len(parts) == 1:
        return parts[0]
    return f"{', '.join(parts[:-1])} and {parts[-1]}"
