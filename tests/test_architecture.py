"""The house rules that a machine can check."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LONGEST_FILE = 400
HEAVY = ("pandas", "patsy", "statsmodels", "sklearn", "numba", "matplotlib", "pyarrow")


@pytest.mark.parametrize(
    "path", sorted((ROOT / "penglm").rglob("*.py")), ids=lambda path: path.stem
)
def test_no_file_is_longer_than_a_reader_can_hold(path):
    assert len(path.read_text().splitlines()) <= LONGEST_FILE


def loaded_by(statement):
    """Return which heavy packages a fresh interpreter has after a statement."""
    code = (
        f"{statement}\nimport sys\nprint(*[m for m in {HEAVY!r} if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    return done.stdout.split()


def test_import_loads_nothing_heavy():
    assert loaded_by("import penglm") == []


def test_help_of_the_shell_loads_nothing_heavy():
    statement = (
        "import contextlib, io, penglm.cli\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n"
        "    try: penglm.cli.main(['--help'])\n"
        "    except SystemExit: pass"
    )
    assert loaded_by(statement) == []


def test_importing_the_doors_loads_no_compiler():
    assert "numba" not in loaded_by("import penglm.model, penglm.families")


def test_readme_has_the_two_commands():
    readme = (ROOT / "README.md").read_text()
    assert "python -m pip install . && penglm demo" in readme
    assert "python -m pip install '.[test]' && python -m pytest" in readme


def test_public_names_exist():
    import penglm as pg

    for name in pg.__all__:
        assert getattr(pg, name) is not None
    assert set(pg.__all__) <= set(dir(pg))


def test_unknown_name_of_the_package_is_an_attribute_error():
    import penglm as pg

    with pytest.raises(AttributeError, match="no attribute 'lasso'"):
        pg.lasso  # noqa: B018, the access is the test
