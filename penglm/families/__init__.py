"""What y is: families, links, and the names they go by."""

from typing import Any

from penglm.exceptions import PenglmInputError
from penglm.families.base import Family, Link, ProbabilityLink
from penglm.families.binomial import Binomial
from penglm.families.gamma import Gamma
from penglm.families.gaussian import Gaussian
from penglm.families.interval import Interval
from penglm.families.inverse_gaussian import InverseGaussian
from penglm.families.links import (
    Cauchy,
    CLogLog,
    Identity,
    Inverse,
    InverseSquared,
    Log,
    LogC,
    Logit,
    LogLog,
    NBinomial,
    Power,
    Probit,
    Sqrt,
)
from penglm.families.negative_binomial import NegativeBinomial
from penglm.families.poisson import Poisson
from penglm.families.quasi import QuasiBinomial, QuasiPoisson
from penglm.families.tweedie import Tweedie

FAMILIES: dict[str, type[Family]] = {
    family.name: family
    for family in (
        Gaussian,
        Binomial,
        Poisson,
        Gamma,
        InverseGaussian,
        NegativeBinomial,
        Tweedie,
        QuasiPoisson,
        QuasiBinomial,
    )
}
"""Every family by the name that ``family=`` takes."""

LINKS: dict[str, type[Link]] = {
    link.name: link
    for link in (
        Identity, Log, LogC, Logit, Probit, CLogLog, LogLog, Cauchy, Inverse,
        InverseSquared, Sqrt, Power, NBinomial,
    )
}  # fmt: skip
"""Every link by the name that ``link=`` takes."""

STATSMODELS_LINKS = {
    "Identity": "identity",
    "Log": "log",
    "LogC": "logc",
    "Logit": "logit",
    "Probit": "probit",
    "CLogLog": "cloglog",
    "LogLog": "loglog",
    "Cauchy": "cauchy",
    "InversePower": "inverse",
    "InverseSquared": "inverse_squared",
    "Sqrt": "sqrt",
    "NegativeBinomial": "nbinomial",
}


def as_link(link: Any) -> Link:
    """Return a link from a name, a penglm link, or a statsmodels link object.

    Raises
    ------
    PenglmInputError
        If there is no such link.
    """
    if isinstance(link, Link):
        return link
    if isinstance(link, type) and issubclass(link, Link):
        return link()
    kind = type(link).__name__
    if type(link).__module__.startswith("statsmodels."):
        # There the identity, the inverse and the root are powers with a class of
        # their own; a plain power tells only by its exponent.
        if kind == "NegativeBinomial":
            return NBinomial(**foreign_parameters(link))
        if kind in STATSMODELS_LINKS:
            return LINKS[STATSMODELS_LINKS[kind]]()
        if kind == "Power":
            power = float(link.power)
            named: dict[float, type[Link]] = {
                1.0: Identity, 0.5: Sqrt, 0.0: Log, -1.0: Inverse, -2.0: InverseSquared,
            }  # fmt: skip
            return named[power]() if power in named else Power(power)
    elif isinstance(link, str) and link in LINKS:
        return LINKS[link]()
    raise PenglmInputError(
        f"link = {link!r} is not known; use one of {', '.join(LINKS)}.",
        argument="link",
    )


def as_family(family: Any, link: Any = None) -> Family:
    """Return a family from a name, a penglm family, or a statsmodels family object.

    Parameters
    ----------
    family : str, Family, type of Family, or statsmodels family
    link : str, Link or statsmodels link, optional
        Only beside a name or a class; an object brings its own.

    Raises
    ------
    PenglmInputError
        If there is no such family, or a second link is given.
    """
    if isinstance(family, Family):
        refuse_second_link(family.link, link)
        return family
    chosen = None if link is None else as_link(link)
    if isinstance(family, type) and issubclass(family, Family):
        return family(chosen)
    if isinstance(family, str) and family.lower() in FAMILIES:
        return FAMILIES[family.lower()](chosen)
    name = family.__name__ if isinstance(family, type) else type(family).__name__
    foreign = type(family).__module__.startswith("statsmodels.")
    known = {key.replace("_", ""): kind for key, kind in FAMILIES.items()}
    if foreign and name.lower() in known:
        own = as_link(family.link)
        refuse_second_link(own, link)
        return known[name.lower()](own, **foreign_parameters(family))
    shown = name if foreign else repr(family)
    raise PenglmInputError(
        f"family = {shown} is not known; use one of {', '.join(FAMILIES)}, or an "
        "object of theirs.",
        argument="family",
    )


def foreign_parameters(foreign: Any) -> dict[str, float]:
    """Return what penglm calls the parameters of a statsmodels family or link."""
    kind = type(foreign).__name__
    if kind == "NegativeBinomial":
        alpha = float(foreign.alpha)
        return {"theta": 1.0 / alpha if alpha > 0.0 else float("inf")}
    return {"power": float(foreign.var_power)} if kind == "Tweedie" else {}


def refuse_second_link(own: Link, link: Any) -> None:
    """Raise if ``link=`` contradicts the link of a family object."""
    if link is not None and as_link(link) != own:
        raise PenglmInputError(
            f"link = {link!r} contradicts the family's own link '{own.name}'; pass the "
            "link inside the family object only.",
            argument="link",
        )


__all__ = [
    "FAMILIES",
    "LINKS",
    "Binomial",
    "CLogLog",
    "Cauchy",
    "Family",
    "Gamma",
    "Gaussian",
    "Identity",
    "Interval",
    "Inverse",
    "InverseGaussian",
    "InverseSquared",
    "Link",
    "Log",
    "LogC",
    "LogLog",
    "Logit",
    "NBinomial",
    "NegativeBinomial",
    "Poisson",
    "Power",
    "ProbabilityLink",
    "Probit",
    "QuasiBinomial",
    "QuasiPoisson",
    "Sqrt",
    "Tweedie",
    "as_family",
    "as_link",
]
