"""Whoever waits for the compiler is told so, once."""

import os
import subprocess
import sys

import pytest

numba = pytest.importorskip("numba")
from penglm.kernels import _jit  # noqa: E402


def test_it_is_told_once_and_only_after_a_while(caplog, monkeypatch):
    clock = iter([0.0, 1.5, 10.0, 11.5, 20.0, 21.0, 30.0, 31.0])
    monkeypatch.setattr(_jit.time, "monotonic", lambda: next(clock))
    patience = _jit.Patience()
    told = []
    for _ in range(4):
        patience.on_start(None)
        # A function compiled inside another one is part of it.
        patience.on_start(None)
        patience.on_end(None)
        patience.on_end(None)
        told.append(len(caplog.records))
    assert told == [0, 0, 1, 1]
    assert "compiling" in caplog.text


def test_a_process_that_finds_nothing_on_disk_says_so(tmp_path):
    code = (
        "from penglm.kernels import _jit, active_set, descent\n"
        "_jit.PATIENCE = 0.0\n"
        "descent.soft_threshold(1.0, 0.5)\n"
        "active_set.obstacle(1.0, -1.0, 1.0, 0.5, -9.0, 9.0)\n"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True,
            env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)},
        ).stderr
        for _ in range(2)
    ]  # fmt: skip
    if os.environ.get("NUMBA_DISABLE_JIT") == "1":
        assert not any("compiling" in run for run in runs)
        return
    assert runs[0].count("compiling") == 1
    assert "compiling" not in runs[1]
