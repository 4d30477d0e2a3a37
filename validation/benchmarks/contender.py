"""The other end of a worker: requests with a time limit."""

import os
import select
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from validation.benchmarks.environments import last_line, single_threaded
from validation.benchmarks.rivals.protocol import MARK, STORED

# Loading a problem and importing a package, and writing an answer.
START_LIMIT = 150.0
ANSWER_LIMIT = 60.0
GRACE = 0.5
LEAVE_LIMIT = 5.0
# A process may get as little of a core as one part in this.
SHARED = 3.0
CHUNK = 65536


class OverLimitError(Exception):
    """A worker took longer than allowed; it is dead."""


class FailedError(Exception):
    """A worker crashed or said that it failed; the message says why."""


@dataclass(frozen=True, eq=False)
class Reply:
    """What a request came back with.

    Attributes
    ----------
    wall, cpu : float
        Seconds of one repetition.
    grown : int
        Peak memory above what was resident before, bytes.
    """

    wall: float
    cpu: float
    grown: int


class Worker:
    """A running contender.

    Parameters
    ----------
    command : list of str
        What to run; it speaks the protocol of ``rivals/worker.py``.
    folder : Path
        Where its answers go.
    cache : Path
        Where its compiled code is kept.
    start_limit : float
        Seconds until it must be ready.
    """

    def __init__(
        self,
        command: list[str],
        folder: Path,
        cache: Path,
        start_limit: float = START_LIMIT,
    ) -> None:
        self.file = folder / f"answer-{time.monotonic_ns()}"
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115, closed in close()
        self.buffer = b""
        self.is_dead = False
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors,
            env=single_threaded(cache), start_new_session=True,
            cwd=Path(__file__).resolve().parents[2],
        )  # fmt: skip
        try:
            self.version = self.line(start_limit).removeprefix("ready ")
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *unused) -> None:
        self.close()

    def close(self) -> None:
        """End the process and everything it started."""
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        deadline = time.monotonic() + LEAVE_LIMIT
        while not (self.is_dead or self.has_ended()) and time.monotonic() < deadline:
            time.sleep(0.01)
        self.kill()
        self.process.stdout.close()
        self.errors.close()
        self.file.unlink(missing_ok=True)

    def has_ended(self) -> bool:
        """Return whether the process is over; its number stays taken."""
        options = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self.process.pid, options) is not None

    def kill(self) -> None:
        """End the worker's process group at once."""
        if self.is_dead:
            return
        # The worker has not been waited for, so the number of its group is its own.
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.is_dead = True

    def line(self, limit: float) -> str:
        """Return the next reply, without its mark.

        The limit is on CPU seconds, and ``SHARED`` times as much on the clock.

        Raises
        ------
        OverLimitError, FailedError
        """
        deadline, last = time.monotonic() + limit, time.monotonic() + SHARED * limit
        before = cpu_seconds(self.process.pid)
        stream = self.process.stdout.fileno()
        while True:
            head, newline, rest = self.buffer.partition(b"\n")
            if newline:
                self.buffer = rest
                text = head.decode(errors="replace").strip()
                if not text.startswith(MARK):
                    continue
                text = text.removeprefix(MARK).strip()
                if text.startswith("failed"):
                    raise FailedError(text.removeprefix("failed").strip())
                return text
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([stream], [], [], left)[0]:
                spent = cpu_seconds(self.process.pid) - before
                if time.monotonic() < last and spent < limit:
                    # Others have the core as well: what counts is its own time.
                    deadline = min(time.monotonic() + limit - spent, last)
                    continue
                self.kill()
                raise OverLimitError
            chunk = os.read(stream, CHUNK)
            if not chunk:
                self.kill()
                raise FailedError(self.reason())
            self.buffer += chunk

    def reason(self) -> str:
        """Return why the process ended."""
        self.errors.seek(0)
        said = last_line(self.errors.read().decode(errors="replace"))
        return f"ended with code {self.process.returncode}: {said}"[:200]

    def ask(self, request: str, limit: float) -> Reply:
        """Send a request and wait for its reply.

        Raises
        ------
        OverLimitError, FailedError
        """
        if self.is_dead:
            raise FailedError(self.reason())
        with suppress(BrokenPipeError):
            self.process.stdin.write(f"{request}\n".encode())
            self.process.stdin.flush()
        _, wall, cpu, grown = self.line(limit).split()
        if self.line(ANSWER_LIMIT) != STORED:
            raise FailedError("an answer without an end")
        return Reply(float(wall), float(cpu), int(grown))

    def measure(
        self, task: str, tol: float | None, n_alphas: int, limit: float, repeat: int = 1
    ) -> Reply:
        """Fit, or cross-validate, and return what it took; a limit is for one fit."""
        asked = "default" if tol is None else repr(tol)
        request = f"{task} {asked} {repeat} {n_alphas} {self.file}"
        reply = self.ask(request, limit * repeat + GRACE)
        if reply.cpu > limit:
            raise OverLimitError
        return reply

    def answer(self, n_features: int) -> tuple[np.ndarray, np.ndarray]:
        """Return intercepts (m,) and coefs (p, m) of the last fit."""
        return coefficients(self.file, n_features)

    def curve(self) -> np.ndarray:
        """Return the curve (m,) of the last cross-validation."""
        return np.fromfile(self.file)


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process up to now; 0 where not told."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        return 0.0
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def coefficients(file: Path, n_features: int) -> tuple[np.ndarray, np.ndarray]:
    """Return intercepts (m,) and coefs (p, m) as a worker wrote them."""
    params = np.fromfile(file).reshape((n_features + 1, -1), order="F")
    return params[0], params[1:]


def cold_start(command: list[str], cache: Path, limit: float) -> float:
    """Run a process from its start to its first fit; return its CPU seconds."""
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=errors, env=single_threaded(cache), start_new_session=True,
            cwd=Path(__file__).resolve().parents[2],
        )  # fmt: skip
        deadline = time.monotonic() + SHARED * limit
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                process.returncode = os.waitstatus_to_exitcode(status)
                break
            if time.monotonic() > deadline:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                raise OverLimitError
            time.sleep(0.01)
        if process.returncode:
            errors.seek(0)
            raise FailedError(last_line(errors.read().decode(errors="replace")))
    return usage.ru_utime + usage.ru_stime
