"""Ctrl-C ends long work soon, and what comes after it in the process is sound."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import penglm
from penglm.cli import main

ROOT = Path(__file__).resolve().parent.parent
# Longest time from the signal to the exception, in seconds.
LIMIT = 2.0
# Long enough to be deep in the solver, in seconds.
INTO_THE_WORK = 0.7
# After so many seconds the shell has read its data and fits.
STARTED = 5.0

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals are posix's")

# A single strength of this problem takes ten times the limit.
SCRIPT = """
import sys
import numpy as np
import penglm as pg
from functools import partial
from penglm.selection.cross_validation import score_path
from penglm.solver.outcome import Options

rng = np.random.default_rng(0)
X = rng.normal(size=(1200, 1600)) + rng.normal(size=(1200, 1))
y = rng.poisson(np.exp(np.clip(0.1 * X[:, :50].sum(axis=1), -3.0, 3.0))).astype(float)
model, small = (pg.PenalizedGLM(y[:n], X[:n, :p], "poisson")
                for n, p in ((1200, 1600), (60, 4)))
expected = small.fit(0.05).params
low = 0.005 * model.alpha_max()


def folds(n_jobs):
    score_path(
        model.statement.engine.blocks[0], np.arange(y.size) % 4,
        partial(model.statement.problem, 1.0), np.array([low]), Options(),
        moments=None, metric="deviance", n_jobs=n_jobs, progress=False,
    )


print("ready", flush=True)
try:
    {work}
    print("finished", flush=True)
except KeyboardInterrupt:
    print("interrupted", flush=True)
    assert small.fit(0.05).params.equals(expected)
    assert small.fit_cv(3, n_jobs=2, n_alphas=5).best.converged
    print("sound", flush=True)
"""

WORK = {
    "a path": "model.fit_path([low])",
    "cross-validation": "model.fit_cv(4, alphas=[low])",
    "folds one by one": "folds(n_jobs=1)",
    "folds on threads": "folds(n_jobs=2)",
}


@contextmanager
def running(*arguments):
    """Run Python with one BLAS thread; end it whatever happens."""
    process = subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    with process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("work", WORK)
def test_work_is_interrupted_soon_and_the_next_fit_is_sound(work):
    script = textwrap.dedent(SCRIPT).replace("{work}", WORK[work])
    with running("-c", script) as process:
        assert process.stdout.readline() == "ready\n"
        time.sleep(INTO_THE_WORK)
        process.send_signal(signal.SIGINT)
        # Reading has no time limit of its own: what is too late finds nobody there.
        late = threading.Timer(LIMIT, process.kill)
        late.start()
        assert process.stdout.readline() == "interrupted\n"
        late.cancel()
        out, err = process.communicate(timeout=60.0)
    assert out == "sound\n", err
    assert process.returncode == 0


def test_shell_with_threads_leaves_soon_with_its_code_and_no_traceback(tmp_path):
    rng = np.random.default_rng(1)
    table = pd.DataFrame(rng.normal(size=(2000, 400)))
    table = table.add(rng.normal(size=2000), axis=0).add_prefix("x")
    table["y"] = rng.poisson(1.0, 2000)
    table.to_parquet(tmp_path / "data.parquet")
    table.head(150).to_parquet(tmp_path / "few.parquet")

    def fit(file, n_folds):
        return running(
            "-m", "penglm.cli", "fit", str(tmp_path / file), "y ~ .",
            "--family", "poisson", "--cv", str(n_folds), "--jobs", "2",
        )  # fmt: skip

    # Nobody can interrupt the compiler, so what it has to do is done before.
    with fit("few.parquet", 2) as process:
        _, err = process.communicate(timeout=300.0)
        assert process.returncode == 0, err
    with fit("data.parquet", 200) as process:
        time.sleep(STARTED)
        assert process.poll() is None, "the command was meant to take longer"
        process.send_signal(signal.SIGINT)
        begun = time.monotonic()
        _, err = process.communicate(timeout=60.0)
        assert time.monotonic() - begun <= LIMIT
    assert process.returncode == 130
    assert err == "penglm: interrupted.\n"


class Interrupted:
    """An import of the shell's commands during which somebody presses Ctrl-C."""

    def find_spec(self, name, path=None, target=None):
        if name == "penglm.commands":
            raise KeyboardInterrupt


def test_shell_interrupted_while_it_loads_leaves_no_traceback(monkeypatch, capsys):
    # Loading takes a second, which is when a typing error is noticed.
    monkeypatch.delitem(sys.modules, "penglm.commands", raising=False)
    monkeypatch.delattr(penglm, "commands", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Interrupted(), *sys.meta_path])
    try:
        code = main(["doctor"])
    except KeyboardInterrupt:
        # Not left to pytest, which would end the whole run.
        pytest.fail("the interrupt passed through the shell")
    assert code == 130
    assert capsys.readouterr().err == "penglm: interrupted.\n"
