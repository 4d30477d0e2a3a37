"""The formula door: patsy's language in, a design of our own out.

patsy parses the text, evaluates the expressions and remembers its stateful transforms.
The columns are built here, so that a factor with many levels never becomes dense. What
a formula learnt is kept and used again without patsy (``recall``).
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from penglm.formula.building import CODINGS, Built, build
    from penglm.formula.encoder import Encoder

HOMES = {"CODINGS": "building", "Built": "building", "build": "building",
         "Encoder": "encoder"}  # fmt: skip

__all__ = ["CODINGS", "Built", "Encoder", "build"]


def __getattr__(name: str) -> Any:
    # Loaded when asked for: a model that was read from a file needs no patsy.
    if name not in HOMES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(import_module(f"{__name__}.{HOMES[name]}"), name)
