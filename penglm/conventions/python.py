"""Python's other systems: scikit-learn, glum, skglm, celer, adelie and others."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from penglm._typing import Vector
from penglm.conventions.base import Convention
from penglm.conventions.values import Facts, Penalty, multipliers
from penglm.exceptions import PenglmInputError


@dataclass(frozen=True)
class TwoFactors(Convention):
    """A system with multipliers of the L1 part and others of the ridge part."""

    second: str = "P2"

    def read(self, given: Mapping[str, Any], facts: Facts) -> Penalty:
        """Return the penalty; each part has its own multipliers."""
        given = dict(given)
        other = given.pop(self.second, None)
        first = super().read(given, facts)
        if other is None:
            return first
        factor = multipliers(other, facts.width)
        plain = super().read(
            {k: v for k, v in given.items() if k != self.factors}, facts
        )
        return Penalty(first.l1, plain.l2 * factor, first.factor, first.scale)

    def express(
        self, l1: Vector, l2: Vector, factor: Vector, facts: Facts
    ) -> dict[str, Any]:
        """Return one strength and mix, and multipliers of both parts."""
        if np.isinf(l1).any():
            raise PenglmInputError(
                f"{self.name} cannot exclude column {np.argmax(np.isinf(l1))}; leave "
                "it out of the data."
            )
        parts = [self.split(part, factor) for part in (l1, l2)]
        total = parts[0][0] + parts[1][0]
        told: dict[str, Any] = {
            self.strength: total,
            str(self.mix): parts[0][0] / total if total > 0.0 else 1.0,
        }
        if any(np.any(spread != 1.0) for _, spread in parts):
            told |= {str(self.factors): parts[0][1], self.second: parts[1][1]}
        return told


SYSTEMS = (
    Convention("sklearn.Lasso", mix=None, parts="lasso", families=("gaussian",)),
    Convention("sklearn.ElasticNet", families=("gaussian",)),
    Convention(
        "sklearn.Ridge", mix=None, parts="ridge", loss="sum", families=("gaussian",)
    ),
    Convention(
        "sklearn.LogisticRegression", "C", loss="sum", inverse=True,
        families=("binomial",), note="saga is its solver for an L1 part.",
    ),
    Convention(
        "sklearn.liblinear", "C", loss="sum", inverse=True, families=("binomial",),
        penalises_intercept=True,
        note='LogisticRegression(solver="liblinear"); l1_ratio 0 or 1.',
    ),
    Convention(
        "sklearn.PoissonRegressor", mix=None, parts="ridge", families=("poisson",)
    ),
    Convention("sklearn.GammaRegressor", mix=None, parts="ridge", families=("gamma",)),
    Convention(
        "sklearn.TweedieRegressor", mix=None, parts="ridge",
        families=("tweedie", "gaussian", "poisson", "gamma", "inverse_gaussian"),
    ),
    TwoFactors(
        "glum", factors="P1", standardizes="optional", flag="scale_predictors",
        flag_needs_intercept=True,
    ),
    Convention("skglm", weighted=False),
    Convention(
        "celer.Lasso", mix=None, parts="lasso", families=("gaussian",), weighted=False
    ),
    Convention(
        "celer.LogisticRegression", "C", mix=None, parts="lasso", loss="sum",
        inverse=True, families=("binomial",), weighted=False,
        fits_intercept=False,
    ),
    Convention("adelie", "lmda_path", "alpha", factors="penalty"),
    Convention("skein", "lambda_", "alpha", weighted=False),
    Convention("rustystats", loss="sum", note="With standardize=False."),
    Convention(
        "pyglmnet", "reg_lambda", "alpha", weighted=False, verified=False
    ),
)  # fmt: skip
