"""Systems outside Python: R, H2O, Stata, Spark, MATLAB, Julia, TensorFlow."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from penglm._typing import Vector
from penglm.conventions.base import Convention
from penglm.conventions.values import Facts, Penalty, positive
from penglm.exceptions import PenglmInputError


@dataclass(frozen=True)
class TwoStrengths(Convention):
    """A system with a strength for each part and no mix.

    Attributes
    ----------
    lasso : str
        Name of the strength of the L1 part; ``strength`` is that of the ridge part.
    """

    lasso: str = "gamma"

    def read(self, given: Mapping[str, Any], facts: Facts) -> Penalty:
        """Return the penalty of both strengths."""
        self.check(facts)
        if set(given) != {self.strength, self.lasso}:
            raise PenglmInputError(
                f"{self.name} has two strengths; pass both by name, "
                f"{{'{self.strength}': ..., '{self.lasso}': ...}}.",
                argument=self.strength,
            )
        l2, l1 = (positive(given[k], k) for k in (self.strength, self.lasso))
        ones = np.ones(facts.width)
        return Penalty(l1 * ones, l2 * ones, ones, ones)

    def express(
        self, l1: Vector, l2: Vector, factor: Vector, facts: Facts
    ) -> dict[str, Any]:
        """Return both strengths."""
        return {self.strength: self.one_strength(l2), self.lasso: self.one_strength(l1)}


CONFIRM = (
    "what it divides its loss by is documented in one way and seen in another; nothing "
    "is translated before a run has settled it. Fit once, and let pg.certify judge its "
    "coefficients at the strength you believe."
)

SYSTEMS = (
    Convention(
        "glmnet", "lambda", "alpha", factors="penalty.factor", rescales=True,
        standardizes="optional", flag="standardize", flag_default=True,
        ridge_by_response=True, drops_constant=True,
        note='family as a word; a family object such as gaussian() is "glmnet.object".',
    ),
    Convention(
        "glmnet.object", "lambda", "alpha", factors="penalty.factor", rescales=True,
        standardizes="optional", flag="standardize", flag_default=True,
        drops_constant=True, note="family as an object, such as gaussian().",
    ),
    Convention(
        "lasso2", "Lagrangian", None, loss="sum", parts="lasso",
        note="gl1ce takes a bound and reports this; fit(alpha).budget is the bound.",
    ),
    Convention(
        "h2o", "lambda_", "alpha", mix_default=None, standardizes="optional",
        flag="standardize", flag_default=True, sample_sd=True, drops_constant=True,
        note="Where it standardises, dummies of its own factor columns are spared.",
    ),
    Convention(
        "stata", "lambda", "alpha", mix_default=None, standardizes="always",
        weighted=False, drops_constant=True, verified=False,
    ),
    Convention(
        "spark.LinearRegression", "regParam", "elasticNetParam", mix_default=0.0,
        sample_sd=True, standardizes="optional", flag="standardization",
        flag_default=True, ridge_by_response=True, drops_constant=True,
        families=("gaussian",), verified=False,
    ),
    Convention(
        "spark.LogisticRegression", "regParam", "elasticNetParam", mix_default=0.0,
        sample_sd=True, standardizes="optional", flag="standardization",
        flag_default=True, drops_constant=True, families=("binomial",), verified=False,
    ),
    Convention(
        "matlab.lasso", "Lambda", "Alpha", families=("gaussian",), verified=False,
        weighted=False, note="With Standardize=false.",
    ),
    Convention(
        "matlab.lassoglm", "Lambda", "Alpha", loss="double", verified=False,
        weighted=False, note="With Standardize=false.",
    ),
    Convention("ncvreg", "lambda", verified=False, refusal=CONFIRM),
    Convention(
        "selectiveInference", "lambda", None, loss="sum", parts="lasso",
        families=("gaussian",), weighted=False, verified=False,
    ),
    Convention("tfp", "l1_regularizer", None, verified=False, refusal=CONFIRM),
    TwoStrengths(
        "mlj", "lambda", None, weighted=False, verified=False,
        note="scale_penalty_with_samples=true; lambda is the ridge part, gamma the L1.",
    ),
)  # fmt: skip
