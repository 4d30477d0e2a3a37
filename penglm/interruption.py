"""Ctrl-C for work on threads: only the main thread hears it, the others must ask."""

import threading

LOCAL = threading.local()


def obey(stop: threading.Event) -> None:
    """Let this thread's work end once ``stop`` is set."""
    LOCAL.stop = stop


def serve() -> None:
    """End this thread's work if it was told to; asked in every long loop.

    Raises
    ------
    KeyboardInterrupt
    """
    stop = getattr(LOCAL, "stop", None)
    if stop is not None and stop.is_set():
        raise KeyboardInterrupt
