"""Shared by all tests: where the real data is, and a cache that knows the kernels."""

import hashlib
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent

# numba keys its cache on the caller's file and misses edits of a compiled callee, so
# the folder is named after what the kernels say.
_kernels = sorted((ROOT / "penglm" / "kernels").glob("*.py"))
_digest = hashlib.sha256(b"".join(path.read_bytes() for path in _kernels)).hexdigest()
os.environ.setdefault(
    "NUMBA_CACHE_DIR", str(Path(tempfile.gettempdir()) / f"penglm-{_digest[:16]}")
)

from tests.robustness.watch import Watch  # noqa: E402  (after the cache has its name)

WATCH = Watch()
WATCH.install()

settings.register_profile(
    "penglm",
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("penglm")


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of real data and reference solutions; tests skip where it is absent."""
    folder = ROOT.parent / "shared"
    if not (folder / "reference").is_dir():
        pytest.skip("the folder shared/ with reference solutions is not here")
    return folder


@pytest.fixture(scope="session")
def watch() -> Watch:
    """Stand at the doors, for the tests of the watch itself."""
    return WATCH


@pytest.fixture(autouse=True)
def every_fit_is_certified(request):
    """Judge each fit of each test, from the rows that the test passed.

    A test that breaks the solver on purpose says so:
    ``@pytest.mark.uncertified("why")``.
    """
    mark = request.node.get_closest_marker("uncertified")
    with WATCH.over(None if mark is None else mark.args[0]):
        yield


def pytest_terminal_summary(terminalreporter):
    if WATCH.counts:
        terminalreporter.section("certificates judged")
        for reason, count in WATCH.counts.most_common():
            terminalreporter.line(f"{count:8d} {reason}")
