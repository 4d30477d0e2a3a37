"""Everything penglm raises or warns about, one class per cause.

Errors derive from ``ValueError`` or ``TypeError``, so code written against scikit-learn
or statsmodels catches them without importing penglm. Warnings are classes, so a user
can turn one of them into an error without touching the others.
"""

import sys
import warnings
from pathlib import Path

PACKAGE = str(Path(__file__).parent)


class PenglmError(Exception):
    """Base of every exception raised on purpose."""


class PenglmInputError(PenglmError, ValueError):
    """An argument has a value that cannot be used.

    Attributes
    ----------
    argument : str or None
        Name of the argument as the caller typed it.
    index : int or None
        First offending position, counted from 0.
    """

    def __init__(
        self, message: str, *, argument: str | None = None, index: int | None = None
    ) -> None:
        super().__init__(message)
        self.argument = argument
        self.index = index


class PenglmTypeError(PenglmInputError, TypeError):
    """An argument has a type that cannot be used."""


class FormulaError(PenglmInputError):
    """A formula cannot be read, is not allowed here, or does not fit the data."""


class NoFiniteSolutionError(PenglmInputError):
    """The objective has no finite minimiser, and which direction it falls is known."""


class ConvergenceError(PenglmError, RuntimeError):
    """A certificate misses the tolerance, and the caller asked for an error then."""


class NoInferenceError(PenglmError, AttributeError):
    """Standard errors were asked of a fit that has none that hold."""


class ModelFileError(PenglmError, ValueError):
    """A saved model is damaged, foreign, or of a version this penglm cannot read."""


class DataFileError(PenglmError, ValueError):
    """A file of data cannot be opened or is malformed."""


class FileWriteError(PenglmError, OSError):
    """A file could not be written; an older one is unchanged."""


class PenglmWarning(UserWarning):
    """Base of every warning, so that one filter catches them all."""


class ConvergenceWarning(PenglmWarning):
    """The returned point is usable but its certificate misses the tolerance."""


class SeparationWarning(PenglmWarning):
    """The likelihood rises without limit along some direction."""


class RankWarning(PenglmWarning):
    """The unpenalised solution is not unique; the one of least norm is returned."""


class ConstantColumnWarning(PenglmWarning):
    """A column never varies, or a term has none, so that it says nothing."""


class ScalingWarning(PenglmWarning):
    """Columns that are not standardised have units that lie far apart."""


class DroppedRowsWarning(PenglmWarning):
    """Rows with missing values were left out."""


class MissingPredictionWarning(PenglmWarning):
    """Some rows to predict hold a missing value; their prediction is NaN."""


class PredictionRangeWarning(PenglmWarning):
    """Some rows to predict lie where the link gives no mean of the family."""


def warn(message: str, category: type[PenglmWarning]) -> None:
    """Warn at the line that called into the package, however deep this is."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(PACKAGE):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
