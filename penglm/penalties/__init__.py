"""What coefficients cost."""

from typing import Any

from penglm.exceptions import PenglmInputError
from penglm.penalties.base import Penalty, PenaltyTerms
from penglm.penalties.elastic_net import (
    LEAST_L1_RATIO,
    AdaptiveElasticNet,
    ElasticNet,
    distance,
)

PENALTIES: dict[str, type[Penalty]] = {
    penalty.name: penalty for penalty in (ElasticNet, AdaptiveElasticNet)
}
"""Every penalty by the name that ``fit(penalty=...)`` takes."""


def as_penalty(penalty: Any) -> type[Penalty]:
    """Return a penalty from its name or class, the elastic net for None.

    Raises
    ------
    PenglmInputError
        If there is no such penalty.
    """
    if penalty is None:
        return ElasticNet
    if isinstance(penalty, type) and issubclass(penalty, Penalty):
        return penalty
    if isinstance(penalty, str) and penalty in PENALTIES:
        return PENALTIES[penalty]
    raise PenglmInputError(
        f"penalty = {penalty!r} is not known; use one of {', '.join(PENALTIES)}.",
        argument="penalty",
    )


__all__ = [
    "LEAST_L1_RATIO",
    "PENALTIES",
    "AdaptiveElasticNet",
    "ElasticNet",
    "Penalty",
    "PenaltyTerms",
    "as_penalty",
    "distance",
]
