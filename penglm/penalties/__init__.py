"""What coefficients cost."""

from penglm.penalties.base import Penalty, PenaltyTerms
from penglm.penalties.elastic_net import LEAST_L1_RATIO, ElasticNet, distance

PENALTIES: dict[str, type[Penalty]] = {"elastic_net": ElasticNet}
"""Every penalty by the name that ``fit(penalty=...)`` takes."""

__all__ = [
    "LEAST_L1_RATIO",
    "PENALTIES",
    "ElasticNet",
    "Penalty",
    "PenaltyTerms",
    "distance",
]
