"""Penalised generalised linear models, certified.

The floors of the house, top to bottom; a floor imports only from floors below it::

    cli, commands                    the shell
    estimators                       scikit-learn's door
    model                            the statistician's door
    fitting, foreign                 what a stated model can do; statsmodels' models
    comparison                       the same problem, solved by another system
    translation, judging, peers      strengths in other words; anyone's answer judged;
                                     how other systems are called
    adaptive                         penalty factors from a pilot fit
    nuisance                         a family's own parameter, estimated with the fit
    statement, frame                 what was asked for, checked; one mask over all rows
    reading                          tables from files
    results, store, report           what comes back, how it is kept and shown
    selection                        cross-validation and criteria
    diagnosis                        from statuses to warnings
    explanation                      why coefficients are zero
    budget                           a limit to the penalty instead of its strength
    path                             a grid of strengths, warm starts
    solver                           IRLS, coordinate descent, Newton, certificates
    engines                          where rows live
    response                         what y may look like
    families, penalties, formula     what y is, what coefficients cost, reading rows
    conventions                      how other systems count the strength of a penalty
    design                           how columns are stored
    kernels, checks, plots, arrays   compiled loops; clean arrays; pictures
    likelihood                       the number that makes a likelihood largest
    exceptions

Nothing heavy is imported until it is used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

HOMES = {
    "PenalizedGLM": "penglm.model",
    "glm": "penglm.model",
    "certify": "penglm.judging",
    "convert": "penglm.translation",
    "Conversion": "penglm.conventions",
    "Adaptive": "penglm.adaptive",
    "load": "penglm.store",
    "FitResults": "penglm.results.fit",
    "PathResults": "penglm.results.path",
    "CVResults": "penglm.results.cross_validation",
    "Certificate": "penglm.solver.solution",
    "Status": "penglm.solver.solution",
    "PenalizedGLMRegressor": "penglm.estimators",
    "PenalizedGLMRegressorCV": "penglm.estimators",
    "PenalizedLogisticClassifier": "penglm.estimators",
    "PenalizedLogisticClassifierCV": "penglm.estimators",
}
"""Where each public name lives."""

MODULES = ("families", "penalties", "design", "conventions", "exceptions", "datasets")

__all__ = ["__version__", *HOMES, *MODULES]  # noqa: PLE0604, all are strings


def __getattr__(name: str) -> Any:
    if name in HOMES:
        value = getattr(import_module(HOMES[name]), name)
        globals()[name] = value
        return value
    if name in MODULES:
        return import_module(f"penglm.{name}")
    raise AttributeError(f"module 'penglm' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)


if TYPE_CHECKING:
    from penglm.adaptive import Adaptive as Adaptive
    from penglm.conventions import Conversion as Conversion
    from penglm.judging import certify as certify
    from penglm.model import PenalizedGLM as PenalizedGLM
    from penglm.model import glm as glm
    from penglm.results.cross_validation import CVResults as CVResults
    from penglm.results.fit import FitResults as FitResults
    from penglm.results.path import PathResults as PathResults
    from penglm.solver.solution import Certificate as Certificate
    from penglm.solver.solution import Status as Status
    from penglm.store import load as load
    from penglm.translation import convert as convert
