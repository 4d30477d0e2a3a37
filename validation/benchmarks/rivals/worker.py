"""The process of one contender: reads requests, fits, replies.

    python -m validation.benchmarks.rivals.worker MODULE RIVAL FOLDER

Requests, one a line: ``fit TOL REPEAT N_ALPHAS FILE``, ``cv TOL REPEAT N_ALPHAS FILE``
and ``pass``, with ``default`` for the package's own tolerance. Replies: ``@@ ready
VERSION``, ``@@ done WALL CPU BYTES`` (seconds of one repetition, and peak memory above
what was resident before) and then ``@@ stored``, or ``@@ failed REASON``. FILE holds
float64: intercepts and coefficients (1 + p, m) in column order, or the curve (m,).

With ``cold`` as a fourth argument it fits once and leaves.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import sys
import time
import warnings
from contextlib import suppress

import numpy as np

from validation.benchmarks.rivals.protocol import CV, MARK, STORED, Given, Solver

PASSES = 7
RESET_PEAK = "5"


def private_stdout():
    """Return a stream to the harness; anybody's print goes to stderr from now on."""
    channel = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    return channel


def memory(what: str) -> int:
    """Return bytes of this process, ``VmRSS`` or ``VmHWM``; 0 where not told."""
    try:
        with open("/proc/self/status") as status:
            for line in status:
                if line.startswith(what):
                    return 1024 * int(line.split()[1])
    except OSError:
        pass
    return 0


def forget_peak() -> None:
    """Let the peak of memory start from now, nothing freed counting as held."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    try:
        with open("/proc/self/clear_refs", "w") as switch:
            switch.write(RESET_PEAK)
    except OSError:
        pass


def store(solver: Solver, answer, task: str, file: str) -> None:
    """Write an answer for the harness."""
    if task == CV:
        np.asarray(answer, float).tofile(file)
        return
    intercepts, coefs = solver.read(answer)
    rows = [np.asarray(intercepts, float)[None, :], np.asarray(coefs, float)]
    np.vstack(rows).T.tofile(file)


def timed(solver: Solver, request: list[str], reply) -> None:
    """Carry out a request."""
    task, asked, repeat, n_alphas, file = request
    tol = None if asked == "default" else float(asked)
    alphas = solver.given.alphas[: int(n_alphas)]
    work = solver.cross_validate if task == CV else solver.fit
    forget_peak()
    before = memory("VmRSS")
    cpu, wall = solver.cpu_seconds(), time.perf_counter()
    for _ in range(int(repeat)):
        answer = work(alphas, tol)
    wall = (time.perf_counter() - wall) / int(repeat)
    cpu = (solver.cpu_seconds() - cpu) / int(repeat)
    grown = max(memory("VmHWM") - before, 0)
    reply(f"done {wall!r} {cpu!r} {grown}")
    store(solver, answer, task, file)


def one_pass(given: Given) -> str:
    """Return the time of one product of all columns with a vector of rows."""
    vector = np.random.default_rng(0).normal(size=given.facts.n_obs)
    X = given.X()
    wall, cpu = [], []
    for _ in range(PASSES):
        c, w = time.process_time(), time.perf_counter()
        X.T @ vector
        wall.append(time.perf_counter() - w)
        cpu.append(time.process_time() - c)
    return f"done {float(np.median(wall))!r} {float(np.median(cpu))!r} 0"


def main(arguments: list[str]) -> int:
    """Serve until the requests end."""
    module, name, folder = arguments[:3]
    channel = private_stdout()
    warnings.simplefilter("ignore")

    def reply(text: str) -> None:
        channel.write(f"{MARK} {text}\n")

    try:
        rivals = importlib.import_module(f"validation.benchmarks.rivals.{module}")
        rival = next(rival for rival in rivals.RIVALS if rival.name == name)
        given = Given(folder)
        solver = rival.solver(given)
        if arguments[3:]:
            store(solver, solver.fit(given.alphas, None), "fit", f"{folder}/cold")
            solver.close()
            return 0
        reply(f"ready {solver.version()}")
    except Exception as error:
        reply(f"failed {told(error)}")
        return 1
    for line in sys.stdin:
        try:
            words = line.split()
            if words == ["pass"]:
                reply(one_pass(given))
            else:
                timed(solver, words, reply)
            reply(STORED)
        except Exception as error:
            reply(f"failed {told(error)}")
    solver.close()
    return 0


def told(error: Exception) -> str:
    """Return an error on one line."""
    first = (str(error).strip() or "no message").splitlines()[0]
    return f"{type(error).__name__}: {first}"[:200]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
