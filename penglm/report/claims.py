"""Who says what in place of zero coefficients, at the strength a page is about."""

import numpy as np

from penglm.explanation.attribution import attribute
from penglm.explanation.reason import Case
from penglm.explanation.rivals import Claimed, claims_of, inflated
from penglm.report.along import MOST_PRODUCTS, Along
from penglm.results.explained import refits_of, terms_of
from penglm.results.fit import FitResults

MOST_ROWS = 40
# Variance inflation takes the correlations of all columns, and their eigenvalues.
MOST_INFLATED = 600


def claimed(fit: FitResults, along: Along) -> tuple[list[Claimed], int]:
    """Return sums for the zero coefficients that would have most to say alone.

    Returns
    -------
    list of Claimed
        At most 40, those of largest signal alone first.
    int
        How many there are beyond these.
    """
    if not along.cases or fit.n_nonzero == 0:
        return [], 0
    is_zero = [cases[along.chosen] is Case.ZERO for cases in along.cases]
    columns = along.columns[np.array(is_zero, dtype=bool)]
    if not columns.size:
        return [], 0
    refits, terms = refits_of(fit), terms_of(fit)
    owner = {j: one for one, places in terms.variables.items() for j in places.tolist()}
    p, problem = along.n_features, refits.problem
    has_vifs = p <= MOST_INFLATED and problem.n_stored * p <= MOST_PRODUCTS
    vifs = inflated(problem, terms) if has_vifs else {}
    found = attribute(problem, fit.solution, columns, refits.unit)
    sums = claims_of(refits, terms, found, owner, vifs)
    sums.sort(key=lambda one: -abs(one.null_signal))
    return sums[:MOST_ROWS], max(len(sums) - MOST_ROWS, 0)
