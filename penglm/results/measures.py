"""What a fit says about its rows: dispersion, likelihood, criteria, residuals."""

from functools import cached_property
from typing import Any

import numpy as np

from penglm import checks
from penglm._typing import Vector
from penglm.exceptions import PenglmInputError
from penglm.likelihood import likeliest
from penglm.results import residuals
from penglm.results.data import ModelData, ModelSpec
from penglm.selection.criteria import criterion
from penglm.solver.solution import Solution

KINDS = ("deviance", "pearson", "response", "working", "quantile")


class Measures:
    """Numbers that follow from the means of the rows fitted.

    Attributes
    ----------
    solution : Solution
    data : ModelData
    spec : ModelSpec
    """

    solution: Solution
    data: ModelData
    spec: ModelSpec

    @property
    def n_nonzero(self) -> int:
        """Number of nonzero coefficients."""
        return self.solution.n_nonzero

    @cached_property
    def linear_predictor(self) -> Vector:
        """Linear predictor (n,) of the rows fitted, offset included."""
        product = self.data.design.linear_predictor(
            self.solution.entries.values, self.solution.entries.places
        )
        return self.data.offset + self.solution.intercept + product

    @cached_property
    def fittedvalues(self) -> Vector:
        """Mean (n,) of the rows fitted."""
        return self.spec.family.link.inverse(self.linear_predictor)

    @property
    def nobs(self) -> float:
        """Number of observations."""
        return self.data.n_obs

    @property
    def df_model(self) -> int:
        """Nonzero coefficients."""
        return self.n_nonzero

    @property
    def df_resid(self) -> float:
        """Observations left after the nonzero coefficients and the intercept."""
        return self.nobs - self.df_model - int(self.spec.fit_intercept)

    @property
    def deviance(self) -> float:
        """Weighted deviance."""
        return self.solution.deviance

    @property
    def null_deviance(self) -> float:
        """Weighted deviance of the intercept (and offset) alone."""
        return self.spec.null_deviance

    @property
    def deviance_ratio(self) -> float:
        """Share of the null deviance explained; 0 where there is none to explain."""
        return explained(self.deviance, self.null_deviance)

    @cached_property
    def pearson_chi2(self) -> float:
        """Sum of squared Pearson residuals, one for each observation."""
        return float(self.data.freq_weights @ self.resid_pearson**2)

    @property
    def scale(self) -> float:
        """Dispersion: fixed by the family, or Pearson's estimate."""
        fixed = self.spec.family.fixed_dispersion
        return self.dispersion() if fixed is None else fixed

    def dispersion(self, method: str = "pearson") -> float:
        """Estimate how much the response varies, in units of its variance function.

        Parameters
        ----------
        method : {"pearson", "deviance", "likelihood"}
            Pearson's statistic or the deviance over ``df_resid``, or the dispersion
            that maximises the likelihood of the fitted means.

        Returns
        -------
        float
            Infinite where no degree of freedom is left. Of a family whose dispersion
            is known ``"likelihood"`` gives that; the others tell whether the response
            varies more.

        Raises
        ------
        PenglmInputError
            If a quasi-likelihood is asked for its likelihood.

        Notes
        -----
        The Pearson estimate needs the variance function alone to be right; the others
        depend on the distribution. The likelihood's takes nothing off for the
        coefficients: of least squares it is ``deviance / nobs``.

        References
        ----------
        McCullagh and Nelder (1989), Generalized Linear Models, 2nd ed., sections 4.5
        and 8.3.6.
        """
        checks.choice(method, ("pearson", "deviance", "likelihood"), "method")
        fixed = self.spec.family.fixed_dispersion
        if method == "likelihood" and fixed is not None:
            return fixed
        if method == "likelihood":
            start = self.deviance / self.nobs
            return likeliest(self.log_likelihood, start) if start > 0.0 else 0.0
        if self.df_resid <= 0.0:
            return float("inf")
        lost = self.pearson_chi2 if method == "pearson" else self.deviance
        return lost / self.df_resid

    def log_likelihood(self, dispersion: float) -> float:
        """Return the log-likelihood of the rows fitted at any dispersion.

        Raises
        ------
        PenglmInputError
            If the family is a quasi-likelihood.
        """
        data, family = self.data, self.spec.family
        used = data.sample_weight > 0
        y, weight, counts = (
            each[used] for each in (data.y, data.sample_weight, data.freq_weights)
        )

        def at(mu: Vector) -> float:
            return family.log_likelihood(y, mu, weight, dispersion, counts)

        found = at(self.fittedvalues[used])
        if np.isfinite(found) or family.fixed_dispersion is None:
            return found
        # A mean rounds to the end of its range; the deviance, from the linear
        # predictor, knows how far off it is.
        return at(y) - 0.5 * self.deviance / dispersion

    @cached_property
    def llf(self) -> float:
        """Log-likelihood at ``scale``, of least squares at its largest over scales.

        As statsmodels has it. A quasi-likelihood has none, which is an error.
        """
        family = self.spec.family
        is_squares = family.name == "gaussian" and family.is_canonical
        dispersion = self.deviance / self.nobs if is_squares else self.scale
        if dispersion == 0.0 and family.has_likelihood:
            return float("inf")
        return self.log_likelihood(dispersion)

    def criterion(self, name: str) -> float:
        """Return ``"aic"``, ``"bic"`` or ``"ebic"``."""
        n_params = self.df_model + int(self.spec.fit_intercept) + self.spec.n_estimated
        return criterion(
            name, self.llf, n_params, self.n_nonzero, len(self.data.names), self.nobs
        )

    @property
    def aic(self) -> float:
        """Akaike's criterion."""
        return self.criterion("aic")

    @property
    def bic(self) -> float:
        """Schwarz's criterion, from the log-likelihood."""
        return self.criterion("bic")

    @property
    def ebic(self) -> float:
        """Extended BIC of Chen and Chen, gamma = 1."""
        return self.criterion("ebic")

    @property
    def resid_response(self) -> Vector:
        """``y - mu`` (n,)."""
        return residuals.response(self.data.y, self.fittedvalues)

    @property
    def resid_pearson(self) -> Vector:
        """Pearson residuals (n,)."""
        return residuals.pearson(
            self.spec.family, self.data.y, self.fittedvalues, self.data.precision
        )

    @property
    def resid_deviance(self) -> Vector:
        """Deviance residuals (n,)."""
        return residuals.deviance(
            self.spec.family, self.data.y, self.fittedvalues, self.data.precision
        )

    @property
    def resid_working(self) -> Vector:
        """Working residuals (n,)."""
        return residuals.working(self.spec.family, self.data.y, self.linear_predictor)

    def resid_quantile(self, seed: int = 0) -> Vector:
        """Return randomised quantile residuals (n,): standard normal if all is right.

        Parameters
        ----------
        seed : int, default 0
            Of the draws that spread discrete responses over their probability.

        Returns
        -------
        Vector (n,)
            Of a row that stands for several observations, that of one of them; 0 where
            the weight is. At most 37.5 in size, where probabilities underflow.

        Raises
        ------
        PenglmInputError
            If the family is a quasi-likelihood; if a response of a discrete family is
            no whole count; if the dispersion is zero or cannot be estimated.

        Notes
        -----
        ``Phi^-1(u)``, with ``u`` uniform between ``P(Y < y)`` and ``P(Y <= y)`` at the
        fitted mean and ``scale``, which weights divide. Counts at a weight of ``w``
        are means of ``w`` of them, or of ``w`` trials. Coefficients that are shrunk
        leave something over: look at the pattern, not at the variance alone.

        References
        ----------
        Dunn and Smyth (1996), J. Comput. Graph. Stat. 5(3), 236.

        Examples
        --------
        >>> import numpy as np, penglm as pg
        >>> rng = np.random.default_rng(0)
        >>> X = rng.normal(size=(500, 2))
        >>> y = rng.poisson(np.exp(0.3 * X[:, 0]))
        >>> residual = pg.PenalizedGLM(y, X, "poisson").fit(0).resid_quantile()
        >>> bool(abs(residual.mean()) < 0.1), bool(abs(residual.std() - 1) < 0.1)
        (True, True)
        """
        if not 0.0 < self.scale < np.inf:
            raise PenglmInputError(
                f"the dispersion of this fit is {self.scale:g}, which leaves no "
                "distribution to compare responses with; choose a larger alpha."
            )
        data = self.data
        return residuals.quantile(
            self.spec.family, data.y, self.fittedvalues, data.precision, self.scale,
            seed,
        )  # fmt: skip

    def plot_residuals(
        self, kind: str = "deviance", ax: Any = None, *, seed: int = 0
    ) -> Any:
        """Draw residuals against fitted means.

        Parameters
        ----------
        kind : {"deviance", "pearson", "response", "working", "quantile"}
        ax : matplotlib axes, optional
        seed : int, default 0
            Of quantile residuals.

        Returns
        -------
        matplotlib axes
        """
        from penglm.plots import rows

        checks.choice(kind, KINDS, "kind")
        if kind == "quantile":
            residual = self.resid_quantile(seed)
        else:
            residual = getattr(self, f"resid_{kind}")
        weight = self.data.sample_weight
        return rows.residuals(self.fittedvalues, residual, weight, kind=kind, ax=ax)

    def plot_calibration(self, ax: Any = None) -> Any:
        """Draw the mean response of each tenth of the weight, by rising fitted mean."""
        from penglm.plots import rows

        data = self.data
        return rows.calibration(self.fittedvalues, data.y, data.sample_weight, ax)

    def plot_lift(self, ax: Any = None) -> Any:
        """Draw how much of the response the rows of largest fitted mean hold.

        Raises
        ------
        PenglmInputError
            If a response is negative, or all are zero: there is nothing to share.
        """
        from penglm.plots import rows

        data = self.data
        used = data.sample_weight > 0.0
        if np.any(data.y[used] < 0.0) or not np.any(data.y[used] > 0.0):
            raise PenglmInputError(
                "a lift curve shares the response among rows, so responses must be "
                ">= 0 and not all 0; use plot_calibration().",
                argument="endog",
            )
        return rows.lift(self.fittedvalues, data.y, data.sample_weight, ax)


def explained(deviance: float, null_deviance: float) -> float:
    """Return the share of the null deviance explained."""
    return 1.0 - deviance / null_deviance if null_deviance > 0.0 else 0.0
