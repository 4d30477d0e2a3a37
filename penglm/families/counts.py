"""Responses that are counts, or means of some: what quantile residuals ask of them."""

import numpy as np

from penglm._typing import Vector
from penglm.exceptions import PenglmInputError

# A mean times its number of trials is that near to a whole number.
ROUNDING = 1e-8


def whole(y: Vector, precision: Vector, name: str) -> Vector:
    """Return ``precision * y`` (n,) as whole numbers.

    Raises
    ------
    PenglmInputError
        If one is not whole.
    """
    found = precision * y
    near = np.rint(found)
    wrong = np.abs(found - near) > ROUNDING * np.maximum(1.0, np.abs(near))
    if wrong.any():
        i = int(wrong.argmax())
        raise PenglmInputError(
            f"the {name} distribution is one of whole counts, but row {i} of the fit "
            f"has y = {y[i]:g} at weight {precision[i]:g}, a count of {found[i]:g}. "
            "Use resid_deviance, or a quasi family for amounts.",
            argument="endog",
            index=i,
        )
    return near
