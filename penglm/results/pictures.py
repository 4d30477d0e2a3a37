"""Pictures of one penalised fit: the shape of its penalty and its thresholds."""

from typing import Any

from penglm import checks
from penglm.exceptions import PenglmInputError
from penglm.results.explained import Explained, refits_of, terms_of
from penglm.solver.solution import Status


class Pictures(Explained):
    """What the optimality conditions look like."""

    def plot_geometry(
        self, first: str | None = None, second: str | None = None, *, ax: Any = None
    ) -> Any:
        """Draw the loss of two coefficients against the body of their penalty.

        Parameters
        ----------
        first, second : str, optional
            Two columns, as ``params`` names them; the two largest coefficients, as they
            are penalised, if not given.
        ax : matplotlib axes, optional

        Returns
        -------
        matplotlib axes
            In the units of the penalised coefficients: per standard deviation of their
            columns where the model standardises. The loss is a profile: at each pair
            the intercept is refitted and all other coefficients are held at the fit.
            The grey body holds the pairs that cost no more than the fit's: a diamond
            for the lasso, an ellipse for ridge, between the two for the elastic net.

        Raises
        ------
        PenglmInputError
            If the names are not those of two columns that may have a coefficient; if
            both are zero or unpenalised; if the fit has no rows, as that of a model
            file.

        Notes
        -----
        Given the others, the fit minimises the loss plus the penalty of the pair. So no
        pair of the body has less loss, whatever the family, and the contour through the
        fit touches the body there. The body is that of decision 0029, for two columns:
        ``sum_j f_j (l1_ratio |b_j| + (1 - l1_ratio) / 2 b_j^2)`` at most its value at
        the fit. Limits of coefficients are not drawn; a fit at a limit need not touch.
        """
        from penglm.explanation.geometry import geometry, largest
        from penglm.plots import geometry as picture

        refits, terms = refits_of(self), terms_of(self)
        if (first is None) != (second is None):
            raise PenglmInputError(
                "two columns make a picture: name both, or none for the two largest.",
                argument="second" if second is None else "first",
            )
        if first is None or second is None:
            first, second = (terms.names[j] for j in largest(refits))
        found = geometry(refits, terms, (first, second))
        sizes = refits.problem.penalty_scale
        units = [
            unit_of(self.spec.standardize, sizes[terms.places(name)[0]])
            for name in (first, second)
        ]
        doubt = "" if self.solution.status is Status.OPTIMAL else " (not optimal)"
        kept = ", intercept refitted" if self.spec.fit_intercept else ""
        return picture.geometry(
            found.x, found.y, found.loss, fit=found.fit, fit_loss=found.fit_loss,
            least=found.least, l1_ratio=found.l1_ratio, factor=found.factor,
            budget=found.budget, names=(first, second), units=units,
            note=f"loss with all other coefficients held at the fit{kept}{doubt}",
            ax=ax,
        )  # fmt: skip

    def plot_soft_threshold(self, *, most_names: int = 10, ax: Any = None) -> Any:
        """Draw the columns on the curve of soft thresholding.

        Parameters
        ----------
        most_names : int, default 10
            Columns that carry their name: those whose signal is nearest to their
            threshold, on either side.
        ax : matplotlib axes, optional

        Returns
        -------
        matplotlib axes
            Across, the signal of each column (``explain().frame().signal``) over its
            threshold ``alpha * l1_ratio * f_j``; up, what the coefficient takes up of
            it. Columns without a threshold are left out; signals of more than six
            thresholds are named above the axes.

        Raises
        ------
        PenglmInputError
            If no column has a threshold; if the fit has no rows, as that of a model
            file.

        Notes
        -----
        A column whose second derivative is ``h_j`` takes up ``h_j b_j = h_j / (h_j +
        l2_j) * sign(z_j) max(|z_j| - threshold_j, 0)``, with ``l2_j`` the ridge part
        ``alpha (1 - l1_ratio) f_j``. The slope is one for the lasso. Of an elastic net
        whose slopes differ, the curve is drawn as a band.

        References
        ----------
        Friedman, Hastie and Tibshirani (2010), J. Stat. Softw. 33(1), eq. 5 and 10.
        """
        from penglm.explanation.thresholds import thresholded
        from penglm.plots import threshold

        found = thresholded(refits_of(self))
        return threshold.soft_threshold(
            found.signal, found.own, found.slope, found.is_limited,
            [self.data.names[j] for j in found.columns],
            most_names=most_names, ax=ax,
        )  # fmt: skip


def unit_of(standardize: bool | str, size: float) -> str:
    """Return the unit in which a coefficient is penalised."""
    is_raw = not standardize or (standardize == checks.NUMERIC and size == 1.0)
    return "raw" if is_raw else "per sd"
