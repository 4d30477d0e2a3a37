"""What a family and a link are; every contract of the floor is written here, once."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, TypeAlias

import numpy as np

from penglm._typing import Vector
from penglm.exceptions import PenglmInputError
from penglm.families.conjugate import conjugate
from penglm.families.derived import keeps_terms
from penglm.families.interval import Interval

ESTIMATE = "estimate"
"""What stands in the place of a parameter that a fit shall find."""


Shares: TypeAlias = tuple[Vector, Vector, Vector]
"""Probabilities (n,) of a smaller, an equal and a larger response."""


class Link(ABC):
    """A monotone map from the mean to the linear predictor.

    Attributes
    ----------
    name : str
    domain : Interval
        Means the link is defined for.
    eta_range : Interval
        Linear predictors that have a mean.
    """

    name: ClassVar[str]
    domain: Interval = Interval(-np.inf, np.inf)
    eta_range: Interval = Interval(-np.inf, np.inf)

    @abstractmethod
    def __call__(self, mu: Vector) -> Vector:
        """Return ``eta`` (n,) of means (n,)."""

    @abstractmethod
    def inverse(self, eta: Vector) -> Vector:
        """Return means (n,) of linear predictors (n,)."""

    @abstractmethod
    def inverse_deriv(self, eta: Vector) -> Vector:
        """Return ``d mu / d eta`` (n,)."""

    @property
    def parameters(self) -> dict[str, float]:
        """What is passed to make this link again, by name."""
        return {}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Link) and repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash(repr(self))

    def __repr__(self) -> str:
        values = (repr(value).removesuffix(".0") for value in self.parameters.values())
        return f"{type(self).__name__}({', '.join(values)})"


class ProbabilityLink(Link):
    """A link to probabilities that knows their logarithms.

    Near one a probability has no digits left to tell how near, so the family asks for
    ``log mu`` and ``log(1 - mu)`` instead.

    Attributes
    ----------
    falls : bool
        Whether ``mu`` falls in ``eta``; where it rises over the whole line it is a
        distribution function.
    """

    domain = Interval(0.0, 1.0)
    falls: ClassVar[bool] = False

    @abstractmethod
    def log_inverse(self, eta: Vector) -> Vector:
        """Return ``log mu`` (n,)."""

    @abstractmethod
    def log_complement(self, eta: Vector) -> Vector:
        """Return ``log(1 - mu)`` (n,)."""

    @abstractmethod
    def log_inverse_deriv(self, eta: Vector) -> Vector:
        """Return ``log |d mu / d eta|`` (n,)."""

    def inverse(self, eta: Vector) -> Vector:
        return np.exp(self.log_inverse(eta))

    def inverse_deriv(self, eta: Vector) -> Vector:
        slope = np.exp(self.log_inverse_deriv(eta))
        return -slope if self.falls else slope


# So many rows are worth a compiled kernel.
MANY_ROWS = 400
# Observed second derivatives below this share of the expected ones are none.
LEAST_CURVATURE = 1e-6
# A central difference is then as exact as it can be.
DIFFERENCE = float(np.cbrt(np.finfo(float).eps))


class Family(ABC):
    """The distribution of the response around its mean, with a link.

    Parameters
    ----------
    link : Link or None
        ``default_link`` if None.

    Attributes
    ----------
    name : str
    default_link : type of Link
    canonical_link : type of Link or None
        The one with ``dmu/deta = V(mu)`` up to a factor, None if there is none here.
    y_range, mu_range : Interval
        Responses that can occur, and means a model may have.
    fixed_dispersion : float or None
        None if the dispersion is estimated.

    Raises
    ------
    PenglmInputError
        If the link maps no linear predictor to a mean of this family.
    """

    name: ClassVar[str]
    default_link: ClassVar[type[Link]]
    canonical_link: ClassVar[type[Link] | None] = None
    y_range: ClassVar[Interval]
    mu_range: ClassVar[Interval]
    fixed_dispersion: ClassVar[float | None]
    convex_links: ClassVar[frozenset[str]] = frozenset()
    """Names of links for which the half-deviance is convex in ``eta``."""
    has_likelihood: ClassVar[bool] = True
    """Whether there is a distribution behind mean and variance."""
    has_classes: ClassVar[bool] = False
    """Whether a response may be two labels, and a prediction one of them."""
    has_trials: ClassVar[bool] = False
    """Whether a response may be counts of successes and failures."""
    unknown: str | None = None
    """Name of a parameter that is estimated along with a fit."""

    def __init__(self, link: Link | None = None) -> None:
        self.link = self.default_link() if link is None else link
        if not self.accepts(self.link):
            raise PenglmInputError(
                f"link '{self.link.name}' gives means in {self.link.domain}, but the "
                f"{self.name} family needs mu in {self.mu_range}. Its default link "
                f"is '{self.default_link.name}'.",
                argument="link",
            )

    def accepts(self, link: Link) -> bool:
        """Tell whether the link reaches the whole range of means."""
        reach, need = link.domain, self.mu_range
        return need in reach or (reach in need and reach.high == need.high)

    @property
    def is_canonical(self) -> bool:
        """Whether expected and observed information coincide."""
        # A link or a family derived from one may be another function.
        same_link = type(self.link) is self.canonical_link
        return same_link and keeps_terms(type(self))

    @property
    def parameters(self) -> dict[str, float]:
        """What beside the link is passed to make this family again, by name."""
        return {}

    def known(
        self,
        y: Vector,
        mu: Vector,
        sample_weight: Vector,
        freq_weights: Vector | None = None,
    ) -> "Family":
        """Return this family with what is unknown at its likeliest, given the means.

        The arguments are those of ``log_likelihood``; a dispersion that is not fixed
        is at its likeliest as well.

        Raises
        ------
        NoFiniteSolutionError
            If the likelihood rises for ever.
        """
        return self

    @property
    def row_kind(self) -> int | None:
        """Which branch of ``penglm.kernels.terms`` has its terms; None for none."""
        return None

    @property
    def is_convex(self) -> bool:
        """Whether the half-deviance is convex in ``eta``."""
        # A derived link without a name of its own is not the one that is meant.
        return "name" in vars(type(self.link)) and self.link.name in self.convex_links

    def admits(self, eta: Vector) -> Any:
        """Return a boolean (n,): linear predictors with a mean in ``mu_range``."""
        inside = self.link.eta_range.contains(eta)
        mu = self.link.inverse(np.where(inside, eta, np.nan))
        # Far out a mean rounds to the end of its range; that is rounding, not breach.
        return inside & (mu >= self.mu_range.low) & (mu <= self.mu_range.high)

    @abstractmethod
    def variance(self, mu: Vector) -> Vector:
        """Return the variance function ``V(mu)`` (n,)."""

    @abstractmethod
    def unit_deviance(self, y: Vector, mu: Vector) -> Vector:
        """Return ``d(y, mu)`` (n,): twice the log-likelihood lost to ``mu = y``."""

    @abstractmethod
    def starting_mu(self, y: Vector, sample_weight: Vector) -> Vector:
        """Return means (n,) inside ``mu_range`` to start from."""

    def eta_near(self, mean: float) -> float:
        """Return the predictor of a mean response, moved inside where it has none.

        The mean response is the fitted mean of an intercept without an offset.
        """
        mu = np.array([mean])
        if not (self.mu_range.contains(mu) & self.link.domain.contains(mu)).all():
            mu = self.starting_mu(mu, np.ones(1))
        return float(self.link(mu)[0])

    def working_terms(self, y: Vector, eta: Vector) -> tuple[Vector, Vector, Vector]:
        """Return what one IRLS step needs to know about the rows.

        Parameters
        ----------
        y, eta : Vector (n,)

        Returns
        -------
        loss : Vector (n,)
            Half the unit deviance; inf where ``eta`` has no valid mean.
        score_factor : Vector (n,)
            Minus its derivative in ``eta``, ``(y - mu) / V(mu) * dmu/deta``.
        working_weight : Vector (n,)
            Expected second derivative, ``(dmu/deta)^2 / V(mu)``.

        Notes
        -----
        The default composes variance, deviance and link; canonical pairs override it
        with one expression, free of cancellation. See McCullagh and Nelder (1989),
        section 2.5.
        """
        valid = self.admits(eta)
        inside = np.where(valid, eta, self.link(self.starting_mu(y, np.ones_like(y))))
        with np.errstate(all="ignore"):
            mu = self.link.inverse(inside)
            deriv = self.link.inverse_deriv(inside)
            ratio = deriv / self.variance(mu)
            loss = np.maximum(0.5 * self.unit_deviance(y, mu), 0.0)
            score_factor = (y - mu) * ratio
            working_weight = deriv * ratio
        valid = valid & np.isfinite(score_factor) & np.isfinite(working_weight)
        return (
            np.where(valid & ~np.isnan(loss), loss, np.inf),
            np.where(valid, score_factor, 0.0),
            np.where(valid, working_weight, 0.0),
        )

    def curvature(self, y: Vector, eta: Vector) -> Vector:
        """Return the second derivatives (n,) of the loss that steps are made with.

        The observed ones where the loss bends upwards, so that steps converge as fast
        as Newton's, and the expected ones elsewhere, which are never negative. Both
        are the working weights for a canonical link.

        Notes
        -----
        Observed ones are central differences of the score factor. Steps with expected
        ones alone can be slow without end where the model is far from the truth, as it
        is at the strong end of every path.
        """
        _, _, expected = self.working_terms(y, eta)
        if self.is_canonical:
            return expected
        ends = self.link.eta_range
        room = np.minimum(np.abs(eta - ends.low), np.abs(ends.high - eta))
        step = DIFFERENCE * np.minimum(1.0 + np.abs(eta), room)
        above, below = (self.working_terms(y, eta + s) for s in (step, -step))
        with np.errstate(divide="ignore", invalid="ignore"):
            observed = (below[1] - above[1]) / (2.0 * step)
        inside = np.isfinite(above[0]) & np.isfinite(below[0])
        bends = observed > LEAST_CURVATURE * expected
        return np.where(inside & bends, observed, expected)

    def compiled_terms(
        self, y: Vector, eta: Vector
    ) -> tuple[Vector, Vector, Vector] | None:
        """Return ``working_terms`` of many rows by a kernel, None if there is none."""
        kind = self.row_kind
        if kind is None or y.size < MANY_ROWS:
            return None
        from penglm.kernels.terms import response_terms, terms_of_rows

        own, loss, score_factor, working_weight = np.empty((4, y.size))
        response_terms(kind, y, own)
        terms_of_rows(kind, y, own, eta, loss, score_factor, working_weight)
        return loss, score_factor, working_weight

    def conjugate(
        self, y: Vector, dual: Vector, near: Vector | None = None
    ) -> Vector | None:
        """Return ``sup_eta dual * eta - loss(y, eta)`` (n,), inf outside its domain.

        None where the loss is not convex: then no duality gap is given. ``near`` (n,)
        says about where the supremum is reached, which helps where there is no closed
        form.
        """
        if not self.is_convex:
            return None
        if near is None:
            near = self.link(self.starting_mu(y, np.ones_like(y)))
        return conjugate(self.working_terms, y, dual, near)

    def cumulative(
        self, y: Vector, mu: Vector, precision: Vector, dispersion: float
    ) -> Shares:
        """Return the probabilities of a smaller, an equal and a larger response.

        Parameters
        ----------
        y, mu : Vector (n,)
        precision : Vector (n,)
            Positive weight of each observation: it divides the dispersion, and counts
            the trials or units whose mean ``y`` is where the family has counts.
        dispersion : float
            Positive.

        Returns
        -------
        tuple of Vector (n,)
            ``P(Y < y)``, ``P(Y = y)`` and ``P(Y > y)``, each with its own digits: of a
            far tail one minus the other has none. The middle is zero where the
            distribution has no mass at a point.

        Raises
        ------
        PenglmInputError
            If the family has no distribution, or this one cannot give such a response.
        """
        raise PenglmInputError(
            f"family '{self.name}' does not say what its distribution function is, "
            "which quantile residuals need; use resid_deviance.",
            argument="family",
        )

    @abstractmethod
    def log_likelihood(
        self,
        y: Vector,
        mu: Vector,
        sample_weight: Vector,
        dispersion: float,
        freq_weights: Vector | None = None,
    ) -> float:
        """Return the log-likelihood summed over rows.

        Parameters
        ----------
        y, mu, sample_weight : Vector (n,)
        dispersion : float
        freq_weights : Vector (n,), optional
            How many observations each row stands for; ``sample_weight`` over it is the
            precision, or the number of trials, of each. ``sample_weight`` if None.
        """

    def __repr__(self) -> str:
        others = "".join(f", {k}={v!r}" for k, v in self.parameters.items())
        return f"{type(self).__name__}(link={self.link!r}{others})"
