"""Threads change the time of an answer and none of its bits."""

import os
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import penglm as pg
from penglm import threads
from penglm.design import Categorical, Dense, Split

ROOT = Path(__file__).resolve().parent.parent


def numbers(rng, order="C"):
    return np.array(rng.normal(size=(20_001, 23)) + 0.5, order=order)


def with_factors(rng):
    levels = [Categorical(rng.integers(0, k, 20_001), k, 0) for k in (30, 7)]
    return Split([Dense(np.ascontiguousarray(numbers(rng)[:, :4])), *levels])


SHAPES = {
    "by rows": numbers,
    "by columns": lambda rng: numbers(rng, "F"),
    "single precision": lambda rng: numbers(rng).astype(np.float32),
    "factors": with_factors,
}


@pytest.fixture
def pieces(monkeypatch):
    """Make many pieces of few numbers."""
    monkeypatch.setattr(threads, "LEAST_NUMBERS", 10_000)


def fits(shape, family):
    """Return all numbers of an unpenalised fit, a path and its certificates."""
    rng = np.random.default_rng(3)
    X = SHAPES[shape](rng)
    y = {
        "gaussian": rng.normal(size=20_001),
        "binomial": rng.integers(0, 2, 20_001) * 1.0,
        "poisson": rng.poisson(1.0, 20_001) * 1.0,
    }[family]
    model = pg.PenalizedGLM(y, X, family, var_weights=rng.uniform(0.5, 2.0, y.size))
    path = model.fit_path(n_alphas=12)
    one = model.fit(0.0)
    found = [one.solution.intercept, one.certificate.duality_gap, *one.solution.coef]
    for solution in path.solutions:
        certificate = solution.certificate
        found += [solution.intercept, certificate.kkt_residual, certificate.objective]
        found.extend(solution.coef)
    return np.array(found)


@pytest.mark.parametrize("family", ["gaussian", "binomial", "poisson"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.usefixtures("pieces")
def test_bits_are_the_same_for_any_number_of_threads(shape, family, monkeypatch):
    used = set()
    real = threads.spread

    def watched(work, n_pieces):
        is_main = threading.current_thread() is threading.main_thread()
        n_workers = min(threads.allowed(), n_pieces) if is_main else 1
        everyone, waited = threading.Barrier(n_workers), set()
        is_awaited = len(used) < n_workers

        def seen(k):
            name = threading.current_thread().name
            used.add(name)
            if is_awaited and name not in waited:
                # Work of no length would leave nothing to the others.
                waited.add(name)
                everyone.wait(timeout=60)
            work(k)

        real(seen, n_pieces)

    monkeypatch.setattr(threads, "spread", watched)
    found = {}
    for n_threads in (1, 2, 3):
        used.clear()
        threads.pool.cache_clear()
        monkeypatch.setattr(threads, "allowed", lambda n=n_threads: n)
        found[n_threads] = fits(shape, family)
        assert len(used) == n_threads
    threads.pool.cache_clear()
    assert_array_equal(found[2], found[1])
    assert_array_equal(found[3], found[1])


@pytest.fixture
def no_pool(monkeypatch):
    """Fail where threads would be started."""

    def refused():
        raise AssertionError("threads were started")

    monkeypatch.setattr(threads, "pool", refused)
    monkeypatch.setattr(threads, "allowed", lambda: 4)


@pytest.mark.usefixtures("no_pool")
def test_small_problems_start_no_threads():
    fits("by rows", "poisson")
    fits("factors", "binomial")


@pytest.mark.usefixtures("no_pool", "pieces")
def test_work_on_a_thread_stays_on_it():
    rng = np.random.default_rng(0)
    X, y = numbers(rng), rng.poisson(1.0, 20_001)
    model = pg.PenalizedGLM(y, X, "poisson")
    with pytest.raises(AssertionError, match="started"):
        model.fit(0.01)
    failed = []

    def fit():
        try:
            model.fit(0.01)
        except AssertionError as error:
            failed.append(error)

    other = threading.Thread(target=fit)
    other.start()
    other.join()
    assert not failed


@pytest.mark.parametrize(
    ("n_rows", "n_columns", "n_results"),
    [(0, 5, 5), (1, 5, 5), (10, 0, 0), (100_000, 200, 800), (9_999_999, 1, 1),
     (100_000, 200, 10**6), (3, 10**7, 10)],
)  # fmt: skip
def test_pieces_are_all_rows_once(n_rows, n_columns, n_results):
    found = threads.cut(n_rows, n_columns, n_results)
    rows = np.concatenate([np.arange(n_rows)[piece] for piece in found])
    assert_array_equal(rows, np.arange(n_rows))
    assert 1 <= len(found) <= threads.MOST_PIECES
    if len(found) > 1:
        assert n_results * threads.LEAST_SHARE * len(found) <= n_rows * n_columns


def test_cores_and_the_environment_say_how_many(monkeypatch):
    for name in threads.LIMITS:
        monkeypatch.delenv(name, raising=False)
    cores = {0, 1, 2, 3}
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: cores, raising=False)
    assert threads.allowed() == 4
    monkeypatch.setenv("OMP_NUM_THREADS", "3,2")
    assert threads.allowed() == 3
    monkeypatch.setenv("NUMBA_NUM_THREADS", "2")
    assert threads.allowed() == 2
    monkeypatch.setenv("NUMBA_NUM_THREADS", "0")
    assert threads.allowed() == 1
    monkeypatch.setenv("NUMBA_NUM_THREADS", "many")
    assert threads.allowed() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert threads.allowed() == 1


def test_an_error_on_a_thread_is_one_of_the_caller(monkeypatch):
    monkeypatch.setattr(threads, "allowed", lambda: 2)
    main = threading.current_thread()

    def work(k):
        time.sleep(1e-3)
        if threading.current_thread() is not main:
            raise MemoryError(k)

    with pytest.raises(MemoryError):
        threads.spread(work, 50)


def test_ctrl_c_ends_the_work_of_all_threads(monkeypatch):
    monkeypatch.setattr(threads, "allowed", lambda: 2)
    main, begun = threading.current_thread(), []

    def work(k):
        begun.append(k)
        time.sleep(1e-3)
        if threading.current_thread() is main:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        threads.spread(work, 1000)
    n_begun = len(begun)
    assert n_begun < 1000
    time.sleep(0.01)
    assert len(begun) == n_begun


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_process_starts_threads_of_its_own():
    script = """
    import os, time
    from penglm import threads
    threads.allowed = lambda: 2
    work = lambda k: time.sleep(0.001)
    threads.spread(work, 10)
    child = os.fork()
    threads.spread(work, 10)
    if child:
        assert os.waitpid(child, 0)[1] == 0
        print("both")
    """
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(script)],
        cwd=ROOT, capture_output=True, text=True, timeout=60.0, check=True,
    )  # fmt: skip
    assert done.stdout == "both\n", done.stderr
