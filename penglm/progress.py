"""A progress bar for long work: on a terminal and in a notebook, silent elsewhere."""

import sys
import time
from types import TracebackType
from typing import Any

from penglm.exceptions import PenglmInputError

# Work shorter than this many seconds shows nothing.
PATIENCE = 1.0
INTERVAL = 0.1
WIDTH = 30


class Progress:
    """Counts steps; draws only when the work takes long and somebody can see it.

    Parameters
    ----------
    total : int
    label : str
    show : {"auto", True, False}
        ``"auto"`` draws on a terminal or in a notebook.
    """

    def __init__(self, total: int, label: str, show: str | bool = "auto") -> None:
        if show not in ("auto", True, False):
            raise PenglmInputError(
                f"progress = {show!r}; use 'auto', True or False.", argument="progress"
            )
        self.total = max(total, 1)
        self.label = label
        self.done = 0
        self.started = self.drawn = time.monotonic()
        self.notebook = notebook_display() if show == "auto" else None
        self.visible = bool(show) if show != "auto" else self.can_be_seen()
        self.has_drawn = False

    def can_be_seen(self) -> bool:
        """Tell whether a person watches standard error."""
        return self.notebook is not None or sys.stderr.isatty()

    def step(self, done: int | None = None) -> None:
        """Count one more step, or set the count."""
        self.done = self.done + 1 if done is None else done
        now = time.monotonic()
        if not self.visible or now - self.started < PATIENCE:
            return
        if now - self.drawn >= INTERVAL:
            self.drawn = now
            self.draw()

    def draw(self) -> None:
        """Write the bar over the last one."""
        self.has_drawn = True
        share = min(self.done / self.total, 1.0)
        filled = int(share * WIDTH)
        bar = "#" * filled + "." * (WIDTH - filled)
        seconds = time.monotonic() - self.started
        line = f"{self.label} [{bar}] {self.done}/{self.total} {seconds:.0f} s"
        if self.notebook is not None:
            self.notebook.update({"text/plain": line}, raw=True)
        else:
            sys.stderr.write("\r" + line)
            sys.stderr.flush()

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.has_drawn and self.notebook is None:
            sys.stderr.write("\r" + " " * (len(self.label) + WIDTH + 30) + "\r")
            sys.stderr.flush()


def notebook_display() -> Any:
    """Return a display handle if this runs in a notebook kernel, else None."""
    if "IPython" not in sys.modules:
        return None
    from IPython.core.getipython import get_ipython
    from IPython.display import DisplayHandle

    shell = get_ipython()
    if shell is None or not hasattr(shell, "kernel"):
        return None
    handle = DisplayHandle()
    handle.display({"text/plain": ""}, raw=True)
    return handle
