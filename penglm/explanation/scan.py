"""What the model misses, on the scale of alpha.

A column that is not in the model enters it exactly where its slope at the solution
exceeds its threshold. So columns that nobody wrote into the model, squares, logarithms,
hinges, curves and products, can be judged without fitting any of them.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from penglm._typing import Index, Mask, Matrix, Vector
from penglm.exceptions import PenglmInputError
from penglm.explanation.account import Account
from penglm.explanation.refits import Refits
from penglm.explanation.shapes import (
    KNOTS,
    QUARTILES,
    Scores,
    natural_curves,
    quantiles,
)
from penglm.explanation.terms import Terms

if TYPE_CHECKING:
    import pandas as pd

# Columns are made dense so many numbers at a time.
AT_A_TIME = 1 << 20
# Columns of which products are tried: those with the largest signals.
MOST_PARTNERS = 20
# Lines printed; the frame has all that was tried.
MOST_SAID = 10


@dataclass(frozen=True)
class Candidate:
    """A column that could be added.

    Attributes
    ----------
    name, shape : str
    columns : tuple of str
        What it is made of.
    alpha : float
        Strength at which it enters if nothing else moves, with a penalty factor of one.
    alpha_bent : float
        The same for what of it is no straight line in the column it is made of. That
        column, shrunk as it is, lets every other column like it enter.
    """

    name: str
    shape: str
    columns: tuple[str, ...]
    alpha: float
    alpha_bent: float


@dataclass(frozen=True, repr=False)
class Scan(Account):
    """Columns that could be added, strongest first.

    Attributes
    ----------
    candidates : tuple of Candidate
    inside : tuple of float
        Strengths at which columns in the model leave if nothing else moves, descending.
    """

    candidates: tuple[Candidate, ...]
    inside: tuple[float, ...]

    @property
    def missed(self) -> tuple[Candidate, ...]:
        """Candidates that enter at the fit's own strength, by their bend alone too."""
        return tuple(
            one
            for one in self.candidates
            if min(one.alpha, one.alpha_bent) > self.alpha
        )

    @property
    def sentences(self) -> list[str]:
        """The strongest of each variable, or pair, that enters."""
        best: dict[tuple[str, ...], Candidate] = {}
        for one in self.missed:
            best.setdefault(one.columns, one)
        said = [self.sentence(one) for one in list(best.values())[:MOST_SAID]]
        if len(best) > MOST_SAID:
            said.append(f"{len(best) - MOST_SAID} more variables or pairs would enter.")
        if said:
            return said
        return [f"nothing is missed among {len(self.candidates)} columns tried."]

    def sentence(self, one: Candidate) -> str:
        """Say where a candidate enters, and how that compares with the model."""
        said = f"{one.name} would enter at alpha {one.alpha:.4g} if nothing else moved"
        weaker = sum(strength < one.alpha for strength in self.inside)
        if not self.inside:
            return f"{said}."
        if weaker == len(self.inside):
            return f"{said}: stronger than anything now in the model."
        return f"{said}: stronger than {weaker} of {len(self.inside)} in the model."

    def frame(self) -> "pd.DataFrame":
        """Return everything that was tried, strongest first.

        Returns
        -------
        DataFrame
            Columns ``shape``, ``columns``, ``alpha``, ``alpha_bent`` (of what is no
            straight line) and ``enters``, by name.
        """
        import pandas as pd

        rows = [
            (one.shape, one.columns, one.alpha, one.alpha_bent, one.alpha > self.alpha)
            for one in self.candidates
        ]
        names = [one.name for one in self.candidates]
        columns = ["shape", "columns", "alpha", "alpha_bent", "enters"]
        return pd.DataFrame(rows, columns=columns, index=names)


def scan(refits: Refits, terms: Terms, l1_ratio: float) -> Scan:
    """Judge columns that could be made of those of the model.

    Parameters
    ----------
    refits : Refits
    terms : Terms
    l1_ratio : float

    Raises
    ------
    PenglmInputError
        If there is no L1 part: without a threshold everything enters.

    Notes
    -----
    A candidate is standardised as the column it is made of. If that is not, it is taken
    as spread out as the column, a product as the geometric mean of two.
    """
    problem, solution = refits.problem, refits.solution
    at = refits.signals(solution.alpha)
    block = problem.engine.whole()
    if block is None:
        raise ValueError("a scan makes columns, so it needs all rows in one block")
    if not problem.penalty.threshold(1.0).any():
        raise PenglmInputError(
            "scan compares slopes with the threshold of the L1 part, and this fit has "
            "none; use an l1_ratio above 0.",
            argument="l1_ratio",
        )
    point = problem.point(solution.intercept, solution.coef)
    rows = problem.linearise(block, point)
    scores = Scores(
        block.sample_weight * rows.score_factor,
        block.sample_weight / problem.weight_total,
        problem.weight_total,
        problem.fit_intercept,
    )
    spread = problem.scale / problem.penalty_scale
    found: list[Candidate] = []
    usable = np.flatnonzero(~terms.is_constant)
    size = max(AT_A_TIME // max(block.y.size, 1), 1)
    for first in range(0, usable.size, size):
        places = usable[first : first + size]
        dense = block.design.select(places).to_dense()
        names = [terms.names[j] for j in places.tolist()]
        found += of_one(scores, names, dense, spread[places] / l1_ratio)
    strongest = np.argsort(-np.abs(at.signal[usable] / spread[usable]), kind="stable")
    partners = np.sort(usable[strongest[:MOST_PARTNERS]])
    dense = block.design.select(partners).to_dense()
    found += products(scores, terms, partners, dense, spread[partners], l1_ratio)
    found.sort(key=lambda one: -one.alpha)
    inside = [at.alone(j) for j in point.support.tolist() if at.unit_threshold[j] > 0.0]
    return Scan(
        solution.alpha, l1_ratio, solution.status, refits.is_estimated, tuple(found),
        tuple(sorted(inside, reverse=True)),
    )  # fmt: skip


def of_one(
    scores: Scores, names: list[str], dense: Matrix, factor: Vector
) -> list[Candidate]:
    """Return candidates made of one column each, of those with more than two values."""
    between = (dense != dense.min(axis=0)) & (dense != dense.max(axis=0))
    many = np.flatnonzero(between.any(axis=0))
    if not many.size:
        return []
    dense, factor = dense[:, many], factor[many]
    names = [names[j] for j in many.tolist()]
    marks = quantiles(dense, scores.weight, (*QUARTILES, *KNOTS))
    bends, knots = marks[: len(QUARTILES)], marks[len(QUARTILES) :]
    positive = dense.min(axis=0) > 0.0
    everyone = np.ones(len(names), dtype=bool)
    made: list[tuple[str, list[str], Matrix, Mask]] = [
        ("square", [f"{name}^2" for name in names],
         (dense - scores.weight @ dense) ** 2, everyone),
        ("log", [f"log({name})" for name in names],
         np.log(np.where(positive, dense, 1.0)), positive),
    ]  # fmt: skip
    before = dense.min(axis=0)
    for bend in bends:
        called = [f"max({less(n, b)}, 0)" for n, b in zip(names, bend, strict=True)]
        # A hinge at the least value is the column itself.
        is_new = bend > before
        made.append(("hinge", called, np.maximum(dense - bend, 0.0), is_new))
        before = bend
    found = []
    for shape, called, columns, is_tried in made:
        alpha = scores.of(columns) * factor
        bent = scores.of(scores.bent(dense, columns)) * factor
        found += [
            Candidate(called[j], shape, (names[j],), float(alpha[j]), float(bent[j]))
            for j in np.flatnonzero(is_tried).tolist()
        ]
    curve = scores.of_curves(dense, natural_curves(dense, knots)) * factor
    for name, strength in zip(names, curve.tolist(), strict=True):
        found.append(Candidate(f"curve({name})", "curve", (name,), strength, strength))
    return found


def less(name: str, value: float) -> str:
    """Return a name minus a number, as people write it."""
    return f"{name} {'+' if value < 0.0 else '-'} {abs(value):.4g}"


def products(
    scores: Scores,
    terms: Terms,
    partners: Index,
    dense: Matrix,
    spread: Vector,
    l1_ratio: float,
) -> list[Candidate]:
    """Return products of two columns, of different terms."""
    owner = {
        j: name for name, places in terms.variables.items() for j in places.tolist()
    }
    dense = dense - scores.weight @ dense
    found = []
    for a in range(partners.size - 1):
        later = np.arange(a + 1, partners.size)
        slope = scores.of(dense[:, [a]] * dense[:, later])
        slope = slope * np.sqrt(spread[a] * spread[later]) / l1_ratio
        for b, alpha in zip(later.tolist(), slope.tolist(), strict=True):
            one, other = int(partners[a]), int(partners[b])
            if owner.get(one, one) != owner.get(other, other):
                names = terms.names[one], terms.names[other]
                found.append(Candidate("*".join(names), "product", names, alpha, alpha))
    return found
