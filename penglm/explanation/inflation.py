"""Variance inflation: how far a variable is a linear function of the others.

It knows predictors only. Whether a variable adds to what others say about the response
is another matter, and neither follows from the other.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from penglm._typing import Index, Matrix
from penglm.engines import Block
from penglm.exceptions import PenglmInputError
from penglm.explanation.terms import Terms
from penglm.solver.problem import Problem

# A correlation matrix of more columns would take more memory than most designs.
MOST_COLUMNS = 5000
# Part of a variable that a direction without variance may hold by rounding alone.
INVOLVED = 1e-6


@dataclass(frozen=True)
class Inflation:
    """Generalised variance inflation factor of one variable.

    Attributes
    ----------
    df : int
        Columns of the variable.
    vif : float
        For one column ``1 / (1 - R^2)``; inf where the variable is a linear function
        of others, or its columns of each other.
    """

    df: int
    vif: float

    @property
    def per_column(self) -> float:
        """``vif ** (1 / df)``, on the scale of the factor of a single column."""
        return float(self.vif ** (1.0 / self.df))


def inflation(problem: Problem, terms: Terms) -> dict[str, Inflation]:
    """Return the variance inflation factor of every variable.

    Parameters
    ----------
    problem : Problem
    terms : Terms

    Raises
    ------
    PenglmInputError
        If there are more than 5000 columns.

    Notes
    -----
    ``det(R11) det(R22) / det(R)``, ``R`` the correlations of all columns under the
    sample weights, ``R11`` those of the variable and ``R22`` those of the others. As
    ``det(R) = det(R22) / det((R^-1)_11)``, one inverse serves all. Without an intercept
    the columns are not centred.

    References
    ----------
    Fox and Monette (1992), Generalized collinearity diagnostics, J. Am. Stat. Assoc.
    87(417), 178-183.
    """
    variables = terms.variables
    if not variables:
        return {}
    columns = np.concatenate(list(variables.values()))
    if columns.size > MOST_COLUMNS:
        raise PenglmInputError(
            f"variance inflation takes the correlations of all {columns.size} columns; "
            f"it is computed for up to {MOST_COLUMNS}."
        )
    correlation = correlations(problem, columns)
    position = np.zeros(len(terms.names), dtype=np.intp)
    position[columns] = np.arange(columns.size)
    within = {name: position[places] for name, places in variables.items()}
    return factors(correlation, within)


def factors(correlation: Matrix, within: Mapping[str, Index]) -> dict[str, Inflation]:
    """Return the factors that follow from a correlation matrix."""
    values, vectors = np.linalg.eigh(correlation)
    floor = len(values) * np.finfo(float).eps * float(values[-1])
    flat = values <= floor
    involved = np.sum(vectors[:, flat] ** 2, axis=1)
    bent = vectors[:, ~flat]
    inverse = (bent / values[~flat]) @ bent.T
    found = {}
    for name, places in within.items():
        part = np.ix_(places, places)
        ratio = float("inf")
        if not np.any(involved[places] > INVOLVED):
            sizes = [np.linalg.slogdet(m[part])[1] for m in (correlation, inverse)]
            ratio = float(np.exp(sum(sizes)))
        found[name] = Inflation(places.size, ratio)
    return found


def correlations(problem: Problem, columns: Index) -> Matrix:
    """Return the correlations (k, k) of columns under the sample weights."""

    def products(block: Block) -> tuple[Matrix]:
        return (problem.columns_of(block).gram(block.sample_weight, columns),)

    (gram,) = problem.engine.sum(products)
    size = np.sqrt(np.diag(gram))
    return np.asarray(gram / np.outer(size, size))
