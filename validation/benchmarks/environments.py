"""An environment a rival, made once and kept in a folder."""

import importlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from validation.benchmarks.rivals.protocol import Rival

# Order of the tables.
MODULES = (
    "penglm", "glmnet", "adelie", "celer", "skglm", "glum", "scikit_learn",
    "statsmodels", "h2o",
)  # fmt: skip
MINUTES = 20
R_MISSING = "Rscript with the package glmnet is not here (r-cran-glmnet)"
JAVA_MISSING = "java is not here"
THREADS = ("OMP", "OPENBLAS", "MKL", "NUMBA", "BLIS", "VECLIB_MAXIMUM")


class NotInstalledError(Exception):
    """A rival's environment could not be made; the message is the last line of why."""


def everyone() -> list[Rival]:
    """Return penglm and its rivals in the order of the tables."""
    package = "validation.benchmarks.rivals"
    modules = [importlib.import_module(f"{package}.{name}") for name in MODULES]
    return [rival for module in modules for rival in module.RIVALS]


def default_folder() -> Path:
    """Return where environments are kept if nothing is said."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "penglm-benchmarks"


def single_threaded(folder: Path) -> dict[str, str]:
    """Return the variables of a worker: one thread, this repository's modules."""
    root = Path(__file__).resolve().parents[2]
    variables = {
        name: value for name, value in os.environ.items() if name != "OPENBLAS_CORETYPE"
    }
    variables |= {f"{name}_NUM_THREADS": "1" for name in THREADS}
    variables["PYTHONPATH"] = str(root)
    variables["PYTHONWARNINGS"] = "ignore"
    # Compiled code is kept here, so that a cold start finds it.
    variables["NUMBA_CACHE_DIR"] = str(folder / "numba")
    return variables


def last_line(text: str) -> str:
    """Return the last line that says something."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no message"


class Environments:
    """The folder of environments.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.commands: dict[str, list[str]] = {}
        self.failures: dict[str, str] = {}

    def command(self, rival: Rival) -> list[str]:
        """Return what starts the rival's worker, but for the problem's folder.

        Raises
        ------
        NotInstalledError
            If its environment cannot be made.
        """
        if rival.module in self.failures:
            raise NotInstalledError(self.failures[rival.module])
        try:
            if rival.name not in self.commands:
                self.commands[rival.name] = self.made(rival)
            return self.commands[rival.name]
        except NotInstalledError as reason:
            self.failures[rival.module] = str(reason)
            raise

    def made(self, rival: Rival) -> list[str]:
        """Return the command, the environment made if it was not."""
        if rival.solver is None:
            return self.of_r(rival)
        if rival.module == "h2o" and shutil.which("java") is None:
            raise NotInstalledError(JAVA_MISSING)
        python = Path(sys.executable)
        if rival.packages:
            python = self.of_python(rival)
        worker = "validation.benchmarks.rivals.worker"
        return [str(python), "-m", worker, rival.module, rival.name]

    def of_r(self, rival: Rival) -> list[str]:
        """Return the command of a worker in R."""
        found = shutil.which("Rscript")
        if found is None:
            raise NotInstalledError(R_MISSING)
        asked = [found, "-e", "library(glmnet)"]
        if subprocess.run(asked, capture_output=True, check=False).returncode:
            raise NotInstalledError(R_MISSING)
        script = Path(__file__).parent / "rivals" / f"{rival.module}.R"
        return [found, str(script)]

    def of_python(self, rival: Rival) -> Path:
        """Return the rival's interpreter, with its packages installed."""
        home = self.folder / rival.module
        python, receipt = home / "bin" / "python", home / "installed.json"
        wanted = [sys.version.split()[0], *rival.packages]
        if receipt.is_file() and json.loads(receipt.read_text()) == wanted:
            return python
        shutil.rmtree(home, ignore_errors=True)
        home.parent.mkdir(parents=True, exist_ok=True)
        self.run([sys.executable, "-m", "venv", str(home)])
        pip = [str(python), "-m", "pip", "install", "--quiet", "--only-binary=:all:"]
        if rival.module == "h2o":
            # A source archive is all there is of it.
            pip.pop()
        self.run([*pip, *rival.packages])
        receipt.write_text(json.dumps(wanted))
        return python

    @staticmethod
    def run(command: list[str]) -> None:
        """Run one step of an installation."""
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, check=False,
                timeout=60 * MINUTES,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise NotInstalledError(f"took over {MINUTES} minutes") from None
        if done.returncode:
            errors = [line for line in done.stderr.splitlines() if "ERROR" in line]
            raise NotInstalledError(last_line("\n".join(errors) or done.stderr))
