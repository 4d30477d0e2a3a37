"""One fitted model: coefficients with names, predictions, residuals, criteria."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from penglm import checks
from penglm._typing import Index, Vector
from penglm.exceptions import (
    MissingPredictionWarning,
    NoInferenceError,
    PenglmInputError,
    warn,
)
from penglm.path import with_gap
from penglm.results.data import ModelData, ModelSpec, encode, means
from penglm.results.measures import Measures
from penglm.results.pictures import Pictures
from penglm.solver.null import Null
from penglm.solver.outcome import Options
from penglm.solver.problem import Problem
from penglm.solver.solution import Certificate, Solution, Status

if TYPE_CHECKING:
    import pandas as pd

    from penglm.results.frames import Summary2
    from penglm.results.relaxed import RelaxedFit
    from penglm.results.summary import Summary


@dataclass(frozen=True, eq=False)
class Solved:
    """A problem with what its solver needs to go on from a path."""

    problem: Problem
    null: Null
    options: Options


@dataclass(frozen=True, eq=False, repr=False)
class FitResults(Measures, Pictures):
    """A penalised generalised linear model at one strength.

    Attributes
    ----------
    solution : Solution
        Coefficients, status and certificate.
    data : ModelData
        The rows it was fitted to.
    spec : ModelSpec
        What was asked for.
    chosen_by : str
        How the strength was chosen, in words.
    solved : Solved or None
        What the duality gap is computed from when it is asked for.

    Notes
    -----
    A penalised fit has no standard errors. Those of maximum likelihood do not hold
    after selection and shrinkage, and penglm does not pretend that they do: ``bse``,
    ``pvalues``, ``conf_int`` and the like raise ``NoInferenceError``. Where ``alpha``
    is 0 they are statsmodels' (``to_statsmodels``).
    """

    solution: Solution
    data: ModelData
    spec: ModelSpec
    chosen_by: str = "given"
    solved: Solved | None = None

    @property
    def alpha(self) -> float:
        """Penalty strength."""
        return self.solution.alpha

    @property
    def l1_ratio(self) -> float:
        """Share of the L1 part."""
        return self.spec.l1_ratio

    @property
    def intercept(self) -> float:
        """Intercept; 0 where none was fitted."""
        return self.solution.intercept

    @property
    def coef(self) -> Vector:
        """Coefficients (p,) on the original scale of the columns; a new array."""
        return self.solution.coef

    @cached_property
    def params(self) -> "pd.Series[float]":
        """Intercept, if there is one, then coefficients, by name."""
        import pandas as pd

        names, values = list(self.data.names), self.coef
        if self.spec.fit_intercept:
            names, values = ["Intercept", *names], np.r_[self.intercept, values]
        return pd.Series(values, index=names, name="params")

    @property
    def support(self) -> Index:
        """Positions of the nonzero coefficients."""
        return self.solution.entries.places.copy()

    @property
    def status(self) -> Status:
        """How the solve ended."""
        return self.solution.status

    @property
    def converged(self) -> bool:
        """Whether the certificate meets the tolerance."""
        return self.status is Status.OPTIMAL

    @cached_property
    def certificate(self) -> Certificate:
        """Proof of optimality, with its duality gap."""
        if self.solved is None:
            return self.solution.certificate
        return with_gap(self.solved.problem, self.solution, self.solved.null)

    @property
    def verdict(self) -> str:
        """What the certificate proves, in words, or why it proves nothing."""
        if self.status in (Status.OPTIMAL, Status.OPTIMAL_INACCURATE):
            return str(self.certificate)
        residual = self.solution.certificate.kkt_residual
        return (
            f"not optimal ({self.status.value}), KKT residual {residual:.1e} of alpha"
        )

    def predict(
        self,
        data: Any = None,
        *,
        which: str = "mean",
        offset: Any = None,
        exposure: Any = None,
        unknown: str = "error",
    ) -> Any:
        """Predict for new rows, or for the rows fitted.

        Parameters
        ----------
        data : table or array (m, p), optional
            What the formula's variables, or the columns of ``exog``, are taken from.
        which : {"mean", "linear", "class"}, default "mean"
            ``"class"`` is for the binomial family.
        offset, exposure : array (m,), column name, or scalar, optional
            Required if the model was fitted with one, and both if with both, unless
            ``data`` has the columns that were named when fitting.
        unknown : {"error", "zero", "nan"}, default "error"
            What becomes of a row with a level that its factor did not have when
            fitting: an error; a prediction without any of the factor's columns, which
            under treatment coding is that of the reference level; or NaN.

        Returns
        -------
        ndarray (m,)
            NaN, with a warning, for rows that hold a missing value or, with
            ``unknown="nan"``, an unknown level.

        Raises
        ------
        PenglmInputError
            If a column, or an offset or exposure that the model had, is absent; if
            there is an exposure and the link is not the logarithm.
        FormulaError
            If a factor has a level that was not seen when fitting, and ``unknown``
            does not say what to do.

        Warns
        -----
        PredictionRangeWarning
            If the link gives no mean of the family for a row.
        """
        checks.choice(which, ("mean", "linear", "class"), "which")
        checks.choice(unknown, ("error", "zero", "nan"), "unknown")
        for name, given in (("offset", offset), ("exposure", exposure)):
            if given is not None and data is None:
                raise PenglmInputError(
                    f"{name} is given without data; pass the rows to predict as well.",
                    argument=name,
                )
        if exposure is not None:
            checks.log_link(self.spec.family.link.name)
        if data is None:
            eta, is_missing = self.linear_predictor, None
        else:
            rows = encode(self.data, data, offset, exposure, unknown)
            eta = rows.offset + self.intercept
            eta = eta + rows.design.linear_predictor(
                self.solution.entries.values, self.support
            )
            is_missing = rows.is_missing
        out = eta if which == "linear" else means(self.spec.family, eta, is_missing)
        if is_missing is not None and is_missing.any():
            warn_missing(int(is_missing.sum()), unknown)
            out = np.where(is_missing, np.nan, out)
        return self.classes(out) if which == "class" else out

    def classes(self, mu: Vector) -> Any:
        """Return the likelier label (m,) of each row."""
        if not self.spec.family.has_classes:
            raise PenglmInputError(
                f'which="class" is for the binomial family, not '
                f"'{self.spec.family.name}'.",
                argument="which",
            )
        levels = np.asarray(self.data.y_levels or (0, 1))
        labels = levels[(mu > 0.5).astype(int)]
        return np.where(np.isnan(mu), None, labels) if np.isnan(mu).any() else labels

    def relax(self, gamma: float = 0.0) -> "RelaxedFit":
        """Return the fit with its coefficients shrunk less, or not at all.

        Parameters
        ----------
        gamma : float, default 0.0
            Share of this fit in [0, 1]; the rest is the unpenalised refit of its
            support, within the same limits.

        Returns
        -------
        RelaxedFit
            Its ``penalised`` and ``unpenalised`` ends carry a certificate each.

        Raises
        ------
        PenglmInputError
            If ``gamma`` lies outside [0, 1], or the fit has no rows.

        Warns
        -----
        SeparationWarning, RankWarning, ConvergenceWarning
            As ``fit(0)`` does, about the refit.
        """
        from penglm.results.relaxed import relaxed

        return relaxed(self, gamma)

    def summary(self) -> "Summary":
        """Return a table in statsmodels' style, as text and as HTML."""
        from penglm.results.summary import Summary

        return Summary(self)

    def summary2(self, float_format: str = "%.4f") -> "Summary2":
        """Return the frames of ``summary_frame`` with facts of the fit, for printing.

        Parameters
        ----------
        float_format : str, default "%.4f"
            For coefficients.

        Returns
        -------
        Summary2
            ``tables`` are two data frames; text, HTML and LaTeX as in statsmodels.
        """
        from penglm.results.frames import Summary2

        return Summary2(self, float_format)

    def summary_frame(self) -> "pd.DataFrame":
        """Return one row for each parameter, in the order of ``params``.

        Returns
        -------
        DataFrame
            ``coef``; ``standardized``, for one standard deviation of the column (not
            there for a model file, which has no rows); ``penalty_factor``, 0 where
            free and inf where excluded; and ``case``: positive, negative, zero,
            unpenalised, at its lower or upper limit, constant, excluded, fixed, shrunk
            (by ridge alone), or intercept.

        See Also
        --------
        explain : why, with signals and thresholds; its ``frame()`` has the numbers.
        """
        from penglm.results.frames import coefficients

        return coefficients(self)

    def to_statsmodels(self) -> Any:
        """Return statsmodels' own results of this model, if nothing was penalised.

        Returns
        -------
        statsmodels GLMResults
            Of a ``GLM`` of the same rows with dense columns, the intercept called
            ``Intercept``, fitted from these coefficients. Parameters of the family
            that were estimated are taken as known.

        Raises
        ------
        PenglmInputError
            If ``alpha`` is not 0, a coefficient is limited or excluded, columns are
            dependent, or statsmodels has no such family.

        Examples
        --------
        >>> import numpy as np, penglm as pg
        >>> rng = np.random.default_rng(1)
        >>> X = rng.normal(size=(100, 2))
        >>> fit = pg.PenalizedGLM(X[:, 0] + rng.normal(size=100), X).fit(0)
        >>> [str(name) for name in fit.to_statsmodels().pvalues.index]
        ['Intercept', 'x1', 'x2']
        """
        from penglm.results.inference import as_statsmodels

        return as_statsmodels(self)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            from penglm.results import inference

            if name not in inference.NAMES:
                kind = type(self).__name__
                raise AttributeError(f"'{kind}' object has no attribute '{name}'")
            try:
                inferred = self.to_statsmodels()
            except PenglmInputError as error:
                raise NoInferenceError(f"there is no {name}: {error}") from None
            return getattr(inferred, name)

    def save(self, path: Any) -> None:
        """Write the model to a JSON file, atomically; ``pg.load`` reads it.

        Raises
        ------
        OSError
            If the file cannot be written; an older file is then left as it was.
        """
        from penglm.store import save

        save(self, path)

    def report(
        self, path: Any, *, title: str | None = None, note: str | None = None
    ) -> None:
        """Write a page of HTML about this fit, atomically; it needs nothing else.

        Parameters
        ----------
        path : path-like
            The file.
        title, note : str, optional
            The heading in place of penglm's, and a line below it.

        Raises
        ------
        FileWriteError
            If the file cannot be written; an older file is then left as it was.

        See Also
        --------
        PathResults.report : the same with a slider along the path.
        """
        from penglm.report.page import report

        report(self, None, path, title=title, note=note)

    def __repr__(self) -> str:
        family = self.spec.family
        return (
            f"<FitResults: {family.name}, {family.link.name} link, "
            f"alpha={self.alpha:.4g}, l1_ratio={self.l1_ratio:g}, "
            f"{self.n_nonzero} of {self.coef.size} nonzero, {self.verdict}>"
        )


def warn_missing(count: int, unknown: str) -> None:
    """Warn that some predictions are NaN."""
    what = " or an unknown level" if unknown == "nan" else ""
    warn(
        f"{count} rows hold a missing value{what}; their prediction is NaN.",
        MissingPredictionWarning,
    )
