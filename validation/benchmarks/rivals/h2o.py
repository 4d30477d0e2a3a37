"""H2O: IRLS in Java, on a server of one thread that this process starts."""

import csv
import os
import subprocess
import time
from pathlib import Path

import numpy as np

from validation.benchmarks.rivals.protocol import (
    CV,
    SPARSE,
    SPLIT,
    Facts,
    Given,
    Rival,
    Solver,
)

MEMORY = "-Xmx4g"
START_SECONDS = 60.0
# Cells of the table that is read in, off the clock, and columns of a Gram matrix.
MOST_CELLS = 10_000_000
MOST_COLUMNS = 500
FAMILIES = {"gaussian": "gaussian", "binomial": "binomial", "poisson": "poisson"}


class H2O(Solver):
    """``H2OGeneralizedLinearEstimator``; factors stay factors, every level kept."""

    def __init__(self, given: Given) -> None:
        super().__init__(given)
        self.java = self.start()
        self.frame, self.names = self.table()

    def start(self):
        """Start the server in the process group of this worker."""
        import h2o

        jar = Path(h2o.__file__).parent / "backend" / "bin" / "h2o.jar"
        port = 50_000 + os.getpid() % 10_000
        folder = str(self.given.folder)
        command = [
            "java", MEMORY, f"-Djava.io.tmpdir={folder}", "-jar", str(jar),
            "-ip", "127.0.0.1", "-port", str(port), "-name", f"rival-{os.getpid()}",
            "-nthreads", "1", "-log_level", "ERRR", "-ice_root", folder,
        ]  # fmt: skip
        java = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                h2o.connect(
                    url=f"http://127.0.0.1:{port}", verbose=False,
                    strict_version_check=False,
                )  # fmt: skip
                break
            except Exception:
                if time.monotonic() > deadline or java.poll() is not None:
                    java.kill()
                    raise
                time.sleep(0.5)
        h2o.no_progress()
        return java

    def table(self):
        """Return the frame and the names of its coefficients, in column order."""
        import h2o

        given = self.given
        if given.facts.storage == SPLIT:
            numeric, codes, levels = given.parts()
        else:
            numeric = given.X()
            codes, levels = np.empty((given.facts.n_obs, 0), int), []
        head = [f"x{j}" for j in range(numeric.shape[1])]
        names = list(head)
        for k, count in enumerate(levels):
            names += [f"f{k}.v{level}" for level in range(int(count))]
            head.append(f"f{k}")
        kinds = ["numeric"] * numeric.shape[1] + ["enum"] * len(levels)
        kind = "enum" if given.facts.family == "binomial" else "numeric"
        extra = [given.y] + ([given.offset] if given.facts.has_offset else [])
        path = given.folder / "h2o.csv"
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow([*head, "y", "offset"][: len(head) + len(extra)])
            for i in range(given.facts.n_obs):
                row = [repr(float(value)) for value in numeric[i]]
                row += [f"v{code}" for code in codes[i]]
                y = int(given.y[i]) if kind == "enum" else repr(float(given.y[i]))
                row += [y, *(repr(float(values[i])) for values in extra[1:])]
                writer.writerow(row)
        types = [*kinds, kind, "numeric"][: len(head) + len(extra)]
        frame = h2o.import_file(str(path), col_types=types, header=1)
        path.unlink()
        return frame, names

    def fit(self, alphas, tol):
        from h2o.estimators import H2OGeneralizedLinearEstimator

        is_path = len(alphas) > 1
        options = {"offset_column": "offset"} if self.given.facts.has_offset else {}
        if is_path:
            options |= {"lambda_search": True, "early_stopping": False}
        if tol is not None:
            options |= {
                "beta_epsilon": tol,
                "objective_epsilon": tol,
                "gradient_epsilon": tol,
                "max_iterations": 1000 * len(alphas),
            }
        model = H2OGeneralizedLinearEstimator(
            family=FAMILIES[self.given.facts.family],
            alpha=self.given.facts.l1_ratio,
            lambda_=[float(alpha) for alpha in alphas], standardize=False,
            **options,
        )  # fmt: skip
        predictors = [
            name for name in self.frame.columns if name not in ("y", "offset")
        ]
        model.train(x=predictors, y="y", training_frame=self.frame)
        return model, is_path

    def read(self, answer):
        model, is_path = answer
        points = [model.coef()]
        if is_path:
            points = model.getGLMRegularizationPath(model)["coefficients"]
        coefs = [[point.get(name, 0.0) for name in self.names] for point in points]
        intercepts = np.array([point["Intercept"] for point in points])
        return intercepts, np.array(coefs).T

    def cpu_seconds(self):
        with open(f"/proc/{self.java.pid}/stat") as file:
            words = file.read().rsplit(")", 1)[1].split()
        ticks = int(words[11]) + int(words[12])
        return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")

    def close(self):
        self.java.kill()
        self.java.wait()

    @staticmethod
    def version() -> str:
        import h2o

        return f"h2o {h2o.__version__}"


def refuse(facts: Facts) -> str:
    """Return why it does not state a problem."""
    if facts.task == CV:
        return "its folds fit paths of their own"
    if facts.storage == SPARSE or facts.n_features > MOST_COLUMNS:
        return f"not tried above {MOST_COLUMNS} columns"
    if facts.storage != SPLIT and facts.n_obs * facts.n_features > MOST_CELLS:
        return "the table as text is too large"
    return ""


RIVALS = (
    Rival("H2O", "h2o", H2O, refuse, ("h2o", "numpy"), default_tol=1e-4, loosest=1e-2),
)
