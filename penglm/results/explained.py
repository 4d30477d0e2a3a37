"""What a fit says about its coefficients: why some are zero, others not."""

from typing import TYPE_CHECKING, Any

import numpy as np

from penglm._typing import Vector
from penglm.exceptions import PenglmInputError
from penglm.results.data import ModelData, ModelSpec
from penglm.solver.solution import Solution, Status

if TYPE_CHECKING:
    import pandas as pd

    from penglm.explanation.coefficients import Explanation
    from penglm.explanation.refits import Refits
    from penglm.explanation.rivals import Rivals
    from penglm.explanation.scaling import ScalingAdvice
    from penglm.explanation.scan import Scan
    from penglm.explanation.terms import Terms

# Ends without coefficients that a condition could hold for.
NOWHERE = Status.NO_FINITE_SOLUTION, Status.NUMERICAL_ERROR


class Explained:
    """Reasons that follow from the optimality conditions, confirmed by solving again.

    Attributes
    ----------
    solution : Solution
    data : ModelData
    spec : ModelSpec
    solved : Solved or None
        The problem; without it there is nothing to explain from.
    """

    solution: Solution
    data: ModelData
    spec: ModelSpec
    solved: Any

    def explain(self, name: str | None = None, *, refit: bool = True) -> "Explanation":
        """Say why each coefficient is what it is, and where that would change.

        Parameters
        ----------
        name : str, optional
            A column or a term of the formula; all columns if not given.
        refit : bool, default True
            Solve along the path for the strengths at which zero coefficients enter and
            others leave. Without it only the strengths at which they would if nothing
            else moved are given, in two passes over the rows.

        Returns
        -------
        Explanation
            One sentence a coefficient when printed; ``frame()`` has the numbers.

        Raises
        ------
        PenglmInputError
            If there is no such column or term; if the fit has no finite solution. A
            model file remembers what ``refit=False`` says.

        Examples
        --------
        >>> import penglm as pg
        >>> X, y = [[1, 1], [2, 3], [3, 2], [4, 4], [5, 5]], [1, 2, 3, 4, 5]
        >>> fit = pg.PenalizedGLM(y, X).fit(0.5)
        >>> print(fit.explain("x2"))
        At alpha 0.5, l1_ratio 1:
        x2 is zero: its remaining signal 0.45 is below the threshold 0.5; ...
        """
        from penglm.explanation.coefficients import explain

        return explain(
            refits_of(self), terms_of(self), self.spec.l1_ratio, name, refit=refit
        )

    def rivals(self, name: str | None = None, *, refit: bool = True) -> "Rivals":
        """Say which variables speak for a column, and who comes back without them.

        What a column would have to say alone is the sum of what the variables in the
        model say in its place and what remains, exactly. Then each of these variables
        is left out in turn and the rest fitted again.

        Parameters
        ----------
        name : str, optional
            A column or a term of the formula; all columns whose coefficient is zero if
            not given.
        refit : bool, default True
            Fit without each variable of the model, one warm fit each; without it only
            the sums are given.

        Returns
        -------
        Rivals
            Sentences when printed; ``frame()`` has the numbers. Where the sums foresee
            something else than the fits bring, it says so.

        Raises
        ------
        PenglmInputError
            If there is no such column or term; if the fit has no rows, as that of a
            model file, or no finite solution.

        See Also
        --------
        vif : how far a variable is a linear function of the others.

        Examples
        --------
        >>> import penglm as pg
        >>> X, y = [[1, 1], [2, 3], [3, 2], [4, 4], [5, 5]], [1, 2, 3, 4, 5]
        >>> fit = pg.PenalizedGLM(y, X).fit(0.5)
        >>> print(fit.rivals())
        At alpha 0.5, l1_ratio 1:
        x2 (VIF 5.26): 1.273 = 0.8228 (x1) + 0.45 (remaining); threshold 0.5.
        Without x1 (VIF 5.26) x2 comes back (0.5464); the deviance rises by 1.9.
        """
        from penglm.explanation.rivals import rivals

        return rivals(
            refits_of(self), terms_of(self), self.spec.l1_ratio, name, refit=refit
        )

    def vif(self) -> "pd.DataFrame":
        """Return the variance inflation factor of each variable.

        Terms of a formula are one variable each and get the generalised factor of Fox
        and Monette (1992). It says how far a variable is a linear function of the
        others; whether others say the same about the response, ``rivals`` tells.

        Returns
        -------
        DataFrame
            One row a variable: ``df``, its columns; ``vif``; and ``per_column``,
            ``vif ** (1 / df)``, on the scale of a single column's (R's ``car`` prints
            the square root of it). Under the sample weights, of every variable that may
            have a coefficient, in the model or not; inf where one is a linear function
            of others.

        Raises
        ------
        PenglmInputError
            If there are more than 5000 columns, or the fit has no rows.

        Examples
        --------
        >>> import penglm as pg
        >>> X, y = [[1, 1], [2, 3], [3, 2], [4, 4], [5, 5]], [1, 2, 3, 4, 5]
        >>> print(pg.PenalizedGLM(y, X).fit(0.5).vif().round(3))
            df    vif  per_column
        x1   1  5.263       5.263
        x2   1  5.263       5.263
        """
        import pandas as pd

        from penglm.explanation.inflation import inflation

        found = inflation(solved_of(self).problem, terms_of(self))
        rows = [(one.df, one.vif, one.per_column) for one in found.values()]
        return pd.DataFrame(rows, index=[*found], columns=["df", "vif", "per_column"])

    def scan(self) -> "Scan":
        """Look for what the model misses: squares, logs, hinges, curves, products.

        Each column that takes more than two values is tried as a square (about its
        mean), a logarithm (where positive), hinges at its quartiles, and any curve of a
        natural cubic spline with five knots; the columns of largest signal also as
        products of two, about their means. Nothing is fitted: a column enters exactly
        where its slope at the solution exceeds its threshold. Of those that enter, the
        strongest of each variable or pair is told, unless it enters only because it
        resembles the variable, whose coefficient is shrunk.

        Returns
        -------
        Scan
            Sentences when printed; ``frame()`` has everything that was tried.

        Raises
        ------
        PenglmInputError
            If there is no L1 part, so no threshold; if the fit has no rows, as that of
            a model file, or no finite solution.

        Notes
        -----
        This is a search for ideas, not a test. Among thousands of columns tried some
        are strong by chance, curves above all, as each is the best of its kind.
        """
        from penglm.explanation.scan import scan

        return scan(refits_of(self), terms_of(self), self.spec.l1_ratio)

    def scaling_advice(self) -> "ScalingAdvice":
        """Say which columns would be chosen if the columns were standardised.

        The fit is compared with the first one down the standardised path that chooses
        as many columns, among those that the penalty decides about.

        Returns
        -------
        ScalingAdvice
            Sentences when printed; ``frame()`` has each column's standard deviation and
            whether it is in either fit.

        Raises
        ------
        PenglmInputError
            If there is no L1 part, so that nothing is chosen; if the penalty is
            adaptive, its factors being in the units of its pilot; if the fit has no
            rows, as that of a model file, or no finite solution.

        Examples
        --------
        >>> import penglm as pg
        >>> X = [[1, 0.02], [2, 0.06], [3, 0.04], [4, 0.1], [5, 0.08]]
        >>> fit = pg.PenalizedGLM([1, 3, 2, 5, 4], X, standardize=False).fit(0.5)
        >>> for said in fit.scaling_advice().changes:
        ...     print(said)
        x2 (sd 0.02828) is zero; standardised it would be the only one chosen.
        x1 (sd 1.414) is the only one chosen; standardised it would be zero.
        """
        from penglm.explanation.scaling import advise

        return advise(
            refits_of(self),
            terms_of(self),
            self.spec.l1_ratio,
            self.spec.penalty_factor,
        )


def refits_of(fit: Explained) -> "Refits":
    """Return a fit's solution with the means to solve the same problem elsewhere.

    Raises
    ------
    PenglmInputError
        If the fit has no rows, or no finite solution.
    """
    from penglm.explanation.refits import Refits

    solved = solved_of(fit)
    status = fit.solution.status
    if status in NOWHERE:
        raise PenglmInputError(
            f"there is nothing to explain: the fit ended as {status.value}; choose a "
            "larger alpha.",
            argument="alpha",
        )
    return Refits(
        solved.problem, fit.solution, solved.null, solved.options,
        is_estimated=fit.spec.n_estimated > 0,
    )  # fmt: skip


def signal_of(fit: Explained) -> Vector | None:
    """Return the signals (p,) of a fit; None without rows or a finite solution."""
    if fit.solved is None or fit.solution.status in NOWHERE:
        return None
    refits = refits_of(fit)
    signal = refits.signals(fit.solution.alpha).signal
    return signal if np.isfinite(signal).all() else None


def explain_kept(
    fit: Explained, signal: Vector, name: str | None = None
) -> "Explanation":
    """Return what is said of a fit whose rows are gone but whose signals were kept."""
    from penglm.explanation.coefficients import explain_kept as explained
    from penglm.penalties import as_penalty

    spec, coef, terms = fit.spec, fit.solution.coef, terms_of(fit)
    # Beside an intercept a constant column is fixed; without one an empty column is,
    # which has no signal at all.
    is_fixed = terms.is_constant
    if not spec.fit_intercept:
        is_fixed = is_fixed & (signal == 0.0) & (coef == 0.0)
    null = np.clip(0.0, spec.lower, spec.upper)
    penalty = as_penalty(spec.penalty).build(
        spec.l1_ratio,
        spec.penalty_factor,
        np.ones_like(null),
        np.where(is_fixed, null, spec.lower),
        np.where(is_fixed, null, spec.upper),
    )
    return explained(
        signal, penalty, fit.solution, terms, spec.l1_ratio, name,
        is_estimated=spec.n_estimated > 0,
    )  # fmt: skip


def solved_of(fit: Explained) -> Any:
    """Return the problem of a fit with what solving goes on from.

    Raises
    ------
    PenglmInputError
        If the fit has no rows.
    """
    if fit.solved is None:
        raise PenglmInputError(
            "this fit holds no rows to explain it from, as a model file or "
            "fit_regularized leaves it; fit the model again, or give a saved one its "
            "rows by penglm.judging.with_rows(fit, data)."
        )
    return fit.solved


def terms_of(fit: Explained) -> "Terms":
    """Return the names of columns and terms, and which were left out beforehand."""
    from penglm.explanation.terms import Terms

    is_excluded = np.isinf(fit.spec.penalty_factor)
    is_constant = np.isin(fit.data.names, fit.spec.dropped)
    return Terms(fit.data.names, is_excluded, is_constant, fit.data.term_slices)
