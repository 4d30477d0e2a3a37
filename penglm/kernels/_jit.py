"""The one place that touches the compiler."""

import logging
import time
from collections.abc import Callable
from typing import Any

import numba
from numba.core import event

# What vector units need to sum in parallel, and no more: NaN and infinity keep meaning.
RELAXED = {"reassoc", "contract", "arcp", "nsz"}
# Seconds of compiling before somebody who waits is told.
PATIENCE = 2.0


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


class Patience(event.Listener):
    """Says once that compiling is what takes so long.

    The compiler tells of functions that it did not find on disk, and only of those.
    """

    def __init__(self) -> None:
        self.depth, self.spent, self.since, self.was_told = 0, 0.0, 0.0, False

    def on_start(self, event: Any) -> None:
        """Start the clock; tell if earlier functions took long already."""
        if self.depth == 0:
            self.since = time.monotonic()
            if self.spent > PATIENCE and not self.was_told:
                self.was_told = True
                logging.getLogger("penglm").warning(
                    "compiling; what is compiled is kept on disk, so that this happens "
                    "once for each kind of data"
                )
        self.depth += 1

    def on_end(self, event: Any) -> None:
        """Stop the clock."""
        self.depth -= 1
        if self.depth == 0:
            self.spent += time.monotonic() - self.since


event.register("numba:compile", Patience())
