"""scikit-learn's door: a regressor and a classifier, and both with cross-validation.

Arrays are checked by scikit-learn, so that errors read as its users expect; everything
after that is ``PenalizedGLM``. Only these modules import scikit-learn.
"""

from penglm.estimators.classifier import (
    PenalizedLogisticClassifier,
    PenalizedLogisticClassifierCV,
)
from penglm.estimators.regressor import (
    PenalizedGLMRegressor,
    PenalizedGLMRegressorCV,
)

__all__ = [
    "PenalizedGLMRegressor",
    "PenalizedGLMRegressorCV",
    "PenalizedLogisticClassifier",
    "PenalizedLogisticClassifierCV",
]
