"""statsmodels: one strength for each parameter, the constant first."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from penglm._typing import Vector
from penglm.conventions.base import Convention
from penglm.conventions.values import Facts, Penalty, numbers, positive
from penglm.exceptions import PenglmInputError


@dataclass(frozen=True)
class PerParameter(Convention):
    """A system whose strength is a vector with the constant in it.

    Attributes
    ----------
    profiles : bool
        At ``L1_wt = 0`` the likelihood is that at the estimated scale.
    """

    profiles: bool = False

    def read(self, given: Mapping[str, Any], facts: Facts) -> Penalty:
        """Return the penalty; its constant must be free."""
        if self.strength not in given:
            return super().read(given, facts)
        extra, p = int(facts.fit_intercept), facts.need("n_features", self.name)
        each = numbers(given[self.strength], self.strength)
        if each.shape != (p + extra,) or (extra and each[0] != 0.0):
            first = f" {p + extra}: 0 for the constant, then" if extra else ""
            raise PenglmInputError(
                f"{self.name} penalises the constant, too, unless told otherwise, "
                f"which penglm never does; {self.strength} must be an array of{first} "
                f"one for each of the {p} columns.",
                argument=self.strength,
            )
        own = each[extra:]
        for value in own.tolist():
            positive(value, self.strength)
        shared = float(own.max(initial=0.0))
        factor = own / shared if shared > 0.0 else np.ones(p)
        plain = super().read({**given, self.strength: shared}, facts)
        share = self.scale_of(plain.l1, facts)
        return Penalty(
            plain.l1 * factor, plain.l2 * factor * share, factor, plain.scale
        )

    def scale_of(self, l1: Vector, facts: Facts) -> float:
        """Return the dispersion by which a ridge without L1 part is multiplied."""
        if not self.profiles or np.any(l1 > 0.0):
            return 1.0
        if facts.estimates_dispersion is None:
            facts.need("family", f"{self.name} with L1_wt = 0")
        if not facts.estimates_dispersion:
            return 1.0
        if facts.dispersion is None:
            raise PenglmInputError(
                f"{self.name} with L1_wt = 0 weighs the likelihood by the scale it "
                "estimates, so its strength depends on its own answer. Use "
                "l1_ratio=1e-8, or pass dispersion=, the scale it arrives at.",
                argument="l1_ratio",
            )
        return facts.dispersion

    def express(
        self, l1: Vector, l2: Vector, factor: Vector, facts: Facts
    ) -> dict[str, Any]:
        """Return a strength for each parameter."""
        facts.need("n_features", self.name)
        strengths, mix = self.one_mix(l1, l2)
        excluded = np.flatnonzero(np.isinf(strengths))
        if excluded.size:
            raise PenglmInputError(
                f"{self.name} cannot exclude column {excluded[0]}; leave it out of "
                "the data."
            )
        if mix < 1.0:
            strengths = strengths / self.scale_of(l1, facts)
        told: dict[str, Any] = {
            self.strength: np.r_[np.zeros(int(facts.fit_intercept)), strengths]
        }
        if self.mix is not None:
            told[self.mix] = mix
        return told


SYSTEMS = (
    PerParameter(
        "statsmodels", mix="L1_wt", loss="rows", profiles=True,
        note="fit_regularized reaches the optimum by restarts from its own answer.",
    ),
    PerParameter("statsmodels.OLS", mix="L1_wt", families=("gaussian",),
        links=("identity",), weighted=False),
    PerParameter(
        "statsmodels.discrete", mix=None, loss="sum", parts="lasso", weighted=False,
        families=("binomial", "poisson"), links=("logit", "probit", "log"),
        note='method="l1" of Logit, Probit, Poisson.',
    ),
)  # fmt: skip
