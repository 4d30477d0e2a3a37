"""A mean and a variance without a distribution: counts and shares that vary more."""

from penglm._typing import Vector
from penglm.exceptions import PenglmInputError
from penglm.families.base import Family, Shares
from penglm.families.binomial import Binomial
from penglm.families.poisson import Poisson


def no_likelihood(family: Family) -> PenglmInputError:
    """Return the error of whoever asks a quasi-likelihood for a likelihood."""
    distribution = family.name.removeprefix("quasi")
    return PenglmInputError(
        f"family '{family.name}' says how mean and variance go together and nothing "
        "about a distribution, so there is no log-likelihood, AIC or BIC. Choose by "
        f"fit_cv(), or state a distribution: family='{distribution}'.",
        argument="family",
    )


class QuasiLikelihood(Family):
    """A family that is known up to its dispersion, and has no likelihood.

    Notes
    -----
    The quasi-likelihood of Wedderburn has the score of the distribution it is named
    after, so coefficients and deviance are the same; the variance is that
    distribution's times a dispersion, which Pearson's statistic estimates.

    References
    ----------
    Wedderburn (1974), Biometrika 61(3). McCullagh and Nelder (1989), Generalized Linear
    Models, 2nd ed., chapter 9.
    """

    has_likelihood = False

    def log_likelihood(
        self,
        y: Vector,
        mu: Vector,
        sample_weight: Vector,
        dispersion: float,
        freq_weights: Vector | None = None,
    ) -> float:
        """Raise: there is none.

        Raises
        ------
        PenglmInputError
        """
        raise no_likelihood(self)

    def cumulative(
        self, y: Vector, mu: Vector, precision: Vector, dispersion: float
    ) -> Shares:
        """Raise: there is none.

        Raises
        ------
        PenglmInputError
        """
        raise PenglmInputError(
            f"family '{self.name}' says how mean and variance go together and nothing "
            "about a distribution, so there are no quantile residuals; use "
            "resid_pearson or resid_deviance.",
            argument="family",
        )


class QuasiPoisson(QuasiLikelihood, Poisson):
    """Amounts >= 0 whose variance is a multiple of their mean, ``V(mu) = mu``.

    Parameters
    ----------
    link : Link, default Log()
    """

    name = "quasipoisson"
    fixed_dispersion = None


class QuasiBinomial(QuasiLikelihood, Binomial):
    """Shares in [0, 1] whose variance is a multiple of ``V(mu) = mu (1 - mu)``.

    Parameters
    ----------
    link : Link, default Logit()

    Notes
    -----
    Shares of any kind, or counts of successes and failures. There are no classes.
    """

    name = "quasibinomial"
    fixed_dispersion = None
    has_classes = False
