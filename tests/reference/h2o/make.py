"""Solutions of H2O in its own convention, with the data they were fitted to.

    python make.py > problems.json

Needs ``pip install h2o`` and Java. Columns standardised by H2O or not, weights, offset.
"""

import io
import json
import sys
from contextlib import redirect_stdout

import numpy as np

rng = np.random.default_rng(36)
N, P = 40, 4
X = np.round(rng.normal(size=(N, P)) * [1.0, 3.0, 0.5, 2.0], 4)
offset = np.round(rng.uniform(-0.5, 0.5, N), 4)
weights = np.round(rng.uniform(0.5, 3.0, N), 4)
eta = X @ [0.6, -0.1, 0.8, 0.2]
y = {
    "gaussian": np.round(5.0 * (eta + rng.normal(size=N)), 4),
    "binomial": (rng.uniform(size=N) < 1.0 / (1.0 + np.exp(-eta))).astype(float),
}
names = [f"x{j}" for j in range(P)]


def fit(family, mix, standardize, weighted):
    """Return one solution with its arguments."""
    import h2o
    from h2o.estimators import H2OGeneralizedLinearEstimator

    columns = np.column_stack([X, y[family], weights, offset])
    frame = h2o.H2OFrame(columns, column_names=[*names, "y", "w", "o"])
    if family == "binomial":
        frame["y"] = frame["y"].asfactor()
    beside = {"weights_column": "w"} if weighted else {}
    if weighted and family == "gaussian":
        beside["offset_column"] = "o"
    strength = 0.4 if family == "gaussian" else 0.05
    given = {"lambda_": strength, "alpha": mix, "standardize": standardize}
    model = H2OGeneralizedLinearEstimator(
        family=family, solver="COORDINATE_DESCENT", max_iterations=10_000,
        beta_epsilon=1e-14, objective_epsilon=1e-14, gradient_epsilon=1e-14,
        seed=1, **given, **beside,
    )  # fmt: skip
    model.train(x=names, y="y", training_frame=frame)
    coef = model.coef()
    return {
        "family": family,
        **given,
        "weighted": weighted,
        "offset": "offset_column" in beside,
        "coef": [coef["Intercept"], *(coef[name] for name in names)],
    }


def main():
    """Write all solutions to standard output."""
    import h2o

    with redirect_stdout(io.StringIO()):
        h2o.init(nthreads=1, max_mem_size="1G", port=54871)
        h2o.no_progress()
        try:
            fits = [
                fit(family, mix, standardize, weighted)
                for family in y
                for mix in (1.0, 0.4, 0.0)
                for standardize in (True, False)
                for weighted in (True, False)
            ]
        finally:
            h2o.cluster().shutdown()
    problems = {
        "made_by": f"h2o {h2o.__version__}",
        "X": X.tolist(),
        "offset": offset.tolist(),
        "weights": weights.tolist(),
        "y": {family: values.tolist() for family, values in y.items()},
    }
    head = json.dumps(problems)[:-1]
    body = ",\n    ".join(json.dumps(each) for each in fits)
    sys.stdout.write(head + ',\n  "fits": [\n    ' + body + "\n  ]\n}\n")


if __name__ == "__main__":
    main()
