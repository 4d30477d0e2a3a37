"""The one place that touches the compiler."""

from collections.abc import Callable
from typing import Any

import numba

# What vector units need to sum in parallel, and no more: NaN and infinity keep meaning.
RELAXED = {"reassoc", "contract", "arcp", "nsz"}


def jit(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile at first call, releasing the GIL and keeping the code on disk."""
    options: dict[str, Any] = {
        "nogil": True,
        "error_model": "numpy",
        "fastmath": RELAXED,
    }
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:
        # No folder that the cache could be written to: compile in every process.
        return numba.njit(**options)(function)
