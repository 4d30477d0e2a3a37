"""Work on several threads, with the same bits however many there are.

A sum over rows is cut into pieces by its shape alone. Each piece is summed by itself,
and the pieces are added in their order, by one thread as by many. What is done on
threads are kernels, which let each other run.

Only the main thread starts others, so that work that is on a thread already, a fold of
cross-validation or somebody's own, stays on it.
"""

import os
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache
from typing import Any

# Fewer numbers than this are done before another thread is awake.
LEAST_NUMBERS = 500_000
# Enough that no thread waits long for the last one, few enough to cost nothing.
MOST_PIECES = 24
# A piece has so many times the numbers that it is summed up to.
LEAST_SHARE = 4
LIMITS = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS")


def allowed() -> int:
    """Return how many threads may run: of cores this process may use, and as asked."""
    if hasattr(os, "sched_getaffinity"):
        n_cores = len(os.sched_getaffinity(0))
    else:
        n_cores = os.cpu_count() or 1
    asked = [os.environ.get(name, "").split(",")[0].strip() for name in LIMITS]
    return max(min([n_cores, *(int(n) for n in asked if n.isdigit())]), 1)


def cut(n_rows: int, n_columns: int, n_results: int) -> list[slice]:
    """Return pieces of rows to be summed by themselves; they depend on nothing else.

    Parameters
    ----------
    n_rows, n_columns : int
        What is read.
    n_results : int
        Numbers that each piece is summed up to.
    """
    least = max(LEAST_NUMBERS, LEAST_SHARE * n_results)
    n_pieces = max(min(n_rows * n_columns // least, MOST_PIECES), 1)
    step = max(-(-n_rows // n_pieces), 1)
    return [
        slice(first, min(first + step, n_rows))
        for first in range(0, max(n_rows, 1), step)
    ]


def total(
    function: Callable[[slice], tuple[Any, ...]], pieces: list[slice]
) -> tuple[Any, ...]:
    """Return what a function returns for pieces of rows, added up in their order."""
    found: list[tuple[Any, ...]] = [()] * len(pieces)

    def work(k: int) -> None:
        found[k] = function(pieces[k])

    spread(work, len(pieces))
    together = found[0]
    for part in found[1:]:
        together = tuple(a + b for a, b in zip(together, part, strict=True))
    return together


def spread(work: Callable[[int], None], n_pieces: int) -> None:
    """Do the pieces of some work, on several threads where they may be used.

    The calling thread takes its share, so Ctrl-C ends the work between two pieces.
    """
    is_main = threading.current_thread() is threading.main_thread()
    n_others = min(allowed(), n_pieces) - 1 if is_main and n_pieces > 1 else 0
    left = deque(range(n_pieces))

    def take() -> None:
        while True:
            try:
                k = left.popleft()
            except IndexError:
                return
            work(k)

    others = [pool().submit(take) for _ in range(n_others)]
    try:
        take()
    finally:
        left.clear()
        wait(others)
    for other in others:
        other.result()


@cache
def pool() -> ThreadPoolExecutor:
    """Return the threads beside the calling one, started when first needed."""
    return ThreadPoolExecutor(max(allowed() - 1, 1), thread_name_prefix="penglm")


if hasattr(os, "register_at_fork"):
    # A forked process has none of its parent's threads.
    os.register_at_fork(after_in_child=pool.cache_clear)
