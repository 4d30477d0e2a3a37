"""Functions that a formula knows without an import, beside patsy's own."""

from typing import Any

import numpy as np
from patsy import (
    Diff,
    Helmert,
    Poly,
    Sum,
    Treatment,
    bs,
    cc,
    center,
    cr,
    stateful_transform,
    te,
)
from patsy.builtins import C, I, Q
from patsy.state import Standardize

from penglm.formula.polynomial import OrthogonalPolynomial


class Standardized(Standardize):  # type: ignore[misc]  # patsy has no types
    """patsy's ``standardize``, which rounds a pandas column otherwise than an array."""

    def transform(self, x: Any, *options: Any, **named: Any) -> Any:
        return super().transform(np.asarray(x, dtype=float), *options, **named)


poly = stateful_transform(OrthogonalPolynomial)
standardize = scale = stateful_transform(Standardized)

NAMESPACE: dict[str, Any] = {
    "log": np.log,
    "log1p": np.log1p,
    "log2": np.log2,
    "log10": np.log10,
    "exp": np.exp,
    "expm1": np.expm1,
    "sqrt": np.sqrt,
    "abs": np.abs,
    "pmin": np.minimum,
    "pmax": np.maximum,
    "poly": poly,
    "bs": bs,
    "cr": cr,
    "cc": cc,
    "te": te,
    "scale": scale,
    "center": center,
    "standardize": standardize,
    "C": C,
    "I": I,
    "Q": Q,
    "Treatment": Treatment,
    "Sum": Sum,
    "Poly": Poly,
    "Helmert": Helmert,
    "Diff": Diff,
}
"""What bare names stand for unless the data or the caller's scope has them."""
