"""A bar for long work that somebody watches, and silence everywhere else."""

import io
import re
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

import penglm as pg
from penglm import progress
from penglm.exceptions import PenglmInputError
from penglm.progress import INTERVAL, PATIENCE, Progress


class Screen(io.StringIO):
    """A standard error that may be a terminal, and remembers how often it was shown."""

    def __init__(self, is_terminal):
        super().__init__()
        self.is_terminal = is_terminal
        self.shown = 0

    def isatty(self):
        return self.is_terminal

    def flush(self):
        self.shown += 1


class Clock:
    """A clock that is told how late it is."""

    def __init__(self):
        self.now = 100.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    return clock


def screen(monkeypatch, *, is_terminal):
    shown = Screen(is_terminal)
    monkeypatch.setattr(sys, "stderr", shown)
    return shown


def work(clock, seconds, *, steps=20, show="auto"):
    """Take some steps, evenly spread over some seconds."""
    with Progress(steps, "path", show) as bar:
        for _ in range(steps):
            clock.now += seconds / steps
            bar.step()
    return bar


def test_nothing_is_drawn_where_nobody_watches(monkeypatch, clock):
    shown = screen(monkeypatch, is_terminal=False)
    work(clock, 60.0)
    assert shown.getvalue() == ""


def test_bar_is_drawn_on_a_terminal(monkeypatch, clock):
    shown = screen(monkeypatch, is_terminal=True)
    work(clock, 60.0)
    assert "path [" in shown.getvalue()


@pytest.mark.parametrize("show", ["auto", True])
def test_short_work_shows_nothing(monkeypatch, clock, show):
    shown = screen(monkeypatch, is_terminal=True)
    work(clock, 0.99 * PATIENCE, show=show)
    assert shown.getvalue() == ""


def test_false_silences_a_terminal(monkeypatch, clock):
    shown = screen(monkeypatch, is_terminal=True)
    work(clock, 60.0, show=False)
    assert shown.getvalue() == ""


def test_true_draws_where_there_is_no_terminal(monkeypatch, clock):
    shown = screen(monkeypatch, is_terminal=False)
    work(clock, 60.0, show=True)
    assert "path [" in shown.getvalue()


def test_bar_says_how_far_and_how_long(monkeypatch, clock):
    shown = screen(monkeypatch, is_terminal=True)
    work(clock, 10.0, steps=10)
    bars = re.findall(r"path \[([#.]+)\] (\d+)/10 (\d+) s", shown.getvalue())
    assert [int(done) for _, done, _ in bars] == list(range(1, 11))
    assert [int(seconds) for _, _, seconds in bars] == list(range(1, 11))
    assert [bar.count("#") for bar, _, _ in bars] == list(range(3, 31, 3))
    assert {len(bar) for bar, _, _ in bars} == {progress.WIDTH}


def test_bar_is_drawn_no_more_often_than_can_be_seen(monkeypatch, clock):
    shown = screen(monkeypatch, is_terminal=True)
    work(clock, 3.0, steps=30_000)
    drawn = shown.getvalue().count("[")
    assert 1 <= drawn <= (3.0 - PATIENCE) / INTERVAL + 1


def test_every_bar_is_flushed_and_the_last_one_wiped(monkeypatch, clock):
    shown = screen(monkeypatch, is_terminal=True)
    work(clock, 10.0, steps=10)
    assert shown.shown == shown.getvalue().count("[") + 1
    *_, wiped, end = shown.getvalue().split("\r")
    assert end == ""
    assert wiped.strip() == ""
    longest = max(len(line) for line in shown.getvalue().split("\r"))
    assert len(wiped) >= longest


def test_bar_of_a_long_run_is_wiped_whole(monkeypatch, clock):
    # A million steps over a day: the longest line there may be.
    shown = screen(monkeypatch, is_terminal=True)
    with Progress(10**6, "cross-validation", True) as bar:
        clock.now += 86_400.0
        bar.step(10**6)
    _, line, wiped, _ = shown.getvalue().split("\r")
    assert len(wiped) >= len(line)


def test_bar_is_wiped_when_the_work_is_interrupted(monkeypatch, clock):
    shown = screen(monkeypatch, is_terminal=True)
    with pytest.raises(KeyboardInterrupt), Progress(3, "path") as bar:
        clock.now += 5.0
        bar.step()
        raise KeyboardInterrupt
    assert shown.getvalue().endswith(" \r")


def test_count_may_be_set_instead_of_raised(monkeypatch, clock):
    screen(monkeypatch, is_terminal=False)
    bar = Progress(10, "path")
    bar.step(7)
    bar.step()
    assert bar.done == 8


def test_more_steps_than_announced_fill_the_bar_and_no_more(monkeypatch, clock):
    shown = screen(monkeypatch, is_terminal=True)
    with Progress(0, "path") as bar:
        clock.now += 5.0
        bar.step()
        clock.now += 5.0
        bar.step()
    assert f"[{'#' * progress.WIDTH}]" in shown.getvalue()


@pytest.mark.parametrize("show", ["always", None, 2, "False"])
def test_unknown_wish_is_refused_by_name(show):
    text = f"progress = {show!r}; use 'auto', True or False."
    with pytest.raises(PenglmInputError, match=f"^{re.escape(text)}$") as caught:
        Progress(1, "path", show)
    assert caught.value.argument == "progress"


class Handle:
    """What a notebook gives to draw into; keeps what was drawn."""

    made = ()

    def __init__(self):
        Handle.made = (*Handle.made, self)
        self.lines = []

    def display(self, data, raw):
        assert raw
        self.lines.append(data["text/plain"])

    update = display


@pytest.fixture
def notebook(monkeypatch, clock):
    """Put a fake IPython in place; return a function that sets its shell."""
    package, core, display, get = (
        ModuleType(name)
        for name in ("IPython", "IPython.core", "IPython.display", "getipython")
    )
    monkeypatch.setattr(Handle, "made", ())
    display.DisplayHandle = Handle
    get.get_ipython = lambda: SimpleNamespace(kernel=object())
    parts = {
        "IPython": package,
        "IPython.core": core,
        "IPython.core.getipython": get,
        "IPython.display": display,
    }
    for name, module in parts.items():
        monkeypatch.setitem(sys.modules, name, module)
    return get


def test_notebook_draws_into_one_place(monkeypatch, clock, notebook):
    shown = screen(monkeypatch, is_terminal=False)
    work(clock, 10.0, steps=10)
    (handle,) = Handle.made
    assert sum("path [" in line for line in handle.lines) == 10
    assert shown.getvalue() == ""


def test_notebook_shows_nothing_for_short_work(monkeypatch, clock, notebook):
    screen(monkeypatch, is_terminal=False)
    work(clock, 0.5 * PATIENCE)
    assert not any(line for handle in Handle.made for line in handle.lines)


def test_notebook_is_left_alone_when_told_so(monkeypatch, clock, notebook):
    screen(monkeypatch, is_terminal=False)
    work(clock, 60.0, show=False)
    assert not Handle.made


@pytest.mark.parametrize("shell", [None, SimpleNamespace()])
def test_shell_without_a_kernel_is_no_notebook(monkeypatch, clock, notebook, shell):
    notebook.get_ipython = lambda: shell
    shown = screen(monkeypatch, is_terminal=True)
    work(clock, 10.0)
    assert not Handle.made
    assert "path [" in shown.getvalue()


def test_fits_report_their_steps_and_no_more(monkeypatch):
    counted = []

    class Counting(Progress):
        def __exit__(self, *error):
            counted.append((self.label, self.done, self.total))
            return super().__exit__(*error)

    monkeypatch.setattr("penglm.statement.Progress", Counting)
    monkeypatch.setattr("penglm.selection.cross_validation.Progress", Counting)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3))
    model = pg.PenalizedGLM(X[:, 0] + rng.normal(size=40), X)
    model.fit_cv(3, alphas=[0.3, 0.2, 0.1], progress=False)
    assert counted == [("path", 3, 3), ("cross-validation", 9, 9)]
