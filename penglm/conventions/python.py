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


LEAST_SQUARES: Any = {"families": ("gaussian",), "links": ("identity",)}
LOGISTIC: Any = {"families": ("binomial",), "links": ("logit",)}

SYSTEMS = (
    Convention("sklearn.Lasso", mix=None, parts="lasso", **LEAST_SQUARES),
    Convention("sklearn.ElasticNet", mix_default=0.5, **LEAST_SQUARES),
    Convention("sklearn.Ridge", mix=None, parts="ridge", loss="sum", **LEAST_SQUARES),
    Convention(
        "sklearn.LogisticRegression", "C", mix_default=0.0, loss="sum", inverse=True,
        note="saga is its solver for an L1 part.", **LOGISTIC,
    ),
    Convention(
        "sklearn.liblinear", "C", mix_default=0.0, parts="either", loss="sum",
        inverse=True, penalises_intercept=True,
        note='LogisticRegression(solver="liblinear").', **LOGISTIC,
    ),
    Convention(
        "sklearn.PoissonRegressor", mix=None, parts="ridge", families=("poisson",),
        links=("log",),
    ),
    Convention(
        "sklearn.GammaRegressor", mix=None, parts="ridge", families=("gamma",),
        links=("log",),
    ),
    Convention(
        "sklearn.TweedieRegressor", mix=None, parts="ridge",
        families=("tweedie", "gaussian", "poisson", "gamma", "inverse_gaussian"),
        links=("identity", "log"),
    ),
    TwoFactors(
        "glum", mix_default=0.0, factors="P1", standardizes="optional",
        flag="scale_predictors", flag_needs_intercept=True,
    ),
    Convention(
        "skglm", mix_default=None, weighted=False,
        families=("gaussian", "binomial", "poisson", "gamma"),
        links=("identity", "logit", "log"),
    ),
    Convention(
        "celer.Lasso", mix=None, parts="lasso", weighted=False, **LEAST_SQUARES
    ),
    Convention(
        "celer.LogisticRegression", "C", mix=None, parts="lasso", loss="sum",
        inverse=True, weighted=False, fits_intercept=False, **LOGISTIC,
    ),
    Convention(
        "adelie", "lmda_path", "alpha", factors="penalty",
        families=("gaussian", "binomial", "poisson"),
        links=("identity", "logit", "probit", "log"),
    ),
    Convention("skein", "lambda_", "alpha", mix_default=None, weighted=False),
    Convention(
        "rustystats", mix_default=None, loss="sum", note="With standardize=False."
    ),
    Convention(
        "pyglmnet", "reg_lambda", "alpha", mix_default=None, weighted=False,
        verified=False,
    ),
)  # fmt: skip
