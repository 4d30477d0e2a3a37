"""Model files of the present version, kept for ever with what they predict.

Claim: whatever penglm is installed, the files in ``tests/data/models`` load, predict
the numbers beside them to 1e-12 and hold on their rows (``tests/test_old_files.py``).

A file that is there is never written again: a new version of the format, or a new kind
of model, gets files of its own.

Run: python -m validation.stored_models    (about 10 s)
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import statsmodels.api as sm

import penglm as pg

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "data" / "models"
N_ROWS, N_REGIONS, SEED = 80, 120, 20261126
EVERYTHING = (
    "y ~ bs(x, df=4) + C(k) + center(z) + label:z + cr(z, df=3) + poly(x, 2) "
    "+ Q('two words') + standardize(t) + C(label, Sum):t"
)


def table(n_rows: int = N_ROWS) -> pd.DataFrame:
    """Return the rows that every model is fitted to."""
    rng = np.random.default_rng(SEED)
    data = pd.DataFrame(
        {
            "x": rng.normal(size=n_rows).round(4),
            "z": rng.uniform(1.0, 2.0, n_rows).round(4),
            "t": rng.uniform(0.5, 3.0, n_rows).round(4),
            "w": rng.integers(1, 4, n_rows),
            "k": np.resize([0, 1, 2], n_rows),
            "label": np.resize(["a", "b", "c", "d"], n_rows),
            "two words": rng.normal(size=n_rows).round(4),
            "region": [f"r{j:03d}" for j in rng.integers(0, N_REGIONS, n_rows)],
        }
    )
    eta = 0.3 + 0.5 * data.x - 0.4 * data.z + 0.3 * (data.label == "b")
    data["y"] = (eta + rng.normal(size=n_rows)).round(4)
    data["count"] = rng.poisson(data.t * np.exp(eta))
    data["spread"] = rng.negative_binomial(2, 2 / (2 + np.exp(1 + eta)))
    data["answer"] = np.where(eta + rng.logistic(size=n_rows) > 0, "yes", "no")
    return data


DATA, WIDE = table(), table(300)
COLUMNS = ["x", "z", "t"]

MODELS: dict[str, tuple[pd.DataFrame, Callable[[pd.DataFrame], Any]]] = {
    "arrays-gaussian": (
        DATA, lambda d: pg.PenalizedGLM(d.y, d[COLUMNS]).fit(0.05, 0.7),
    ),
    "arrays-unnamed-limits": (
        DATA[["x", "z", "t", "y"]].set_axis(["x1", "x2", "x3", "y"], axis=1),
        lambda d: pg.PenalizedGLM(
            d.y, d[["x1", "x2", "x3"]].to_numpy(), lower=-0.1, upper=0.2,
            penalty_factor=[1.0, 0.0, np.inf],
        ).fit(0.02),
    ),
    "formula-transforms": (DATA, lambda d: pg.glm(EVERYTHING, d).fit(0.02)),
    "formula-offset": (
        DATA, lambda d: pg.glm("y ~ x * label + offset(log(t))", d).fit(0.02),
    ),
    "binomial-labels": (
        DATA, lambda d: pg.glm("answer ~ x + z + label", d, "binomial").fit(0.01),
    ),
    "poisson-exposure": (
        DATA,
        lambda d: pg.glm(
            "count ~ x + label", d, "poisson", exposure="t", freq_weights="w"
        ).fit(0.01),
    ),
    "poisson-power-link": (
        DATA,
        lambda d: pg.glm(
            "count ~ x + t", d, pg.families.Poisson(pg.families.Power(0.4))
        ).fit(0.01),
    ),
    "budget": (
        DATA, lambda d: pg.glm("count ~ x + z + label", d, "poisson").fit(budget=0.5),
    ),
    "adaptive": (
        DATA,
        lambda d: pg.glm("count ~ x + z + label", d, "poisson").fit(
            0.01, penalty="adaptive"
        ),
    ),
    "cross-validated": (
        DATA,
        lambda d: pg.glm("y ~ x + z + label", d).fit_cv(
            5, select="min", progress=False
        ).best,
    ),
    "negative-binomial-theta": (
        DATA,
        lambda d: pg.glm(
            "spread ~ x + z", d, pg.families.NegativeBinomial(theta="estimate")
        ).fit(0.01),
    ),
    "negative-binomial-canonical": (
        DATA,
        lambda d: pg.glm(
            "spread ~ x + z", d,
            pg.families.NegativeBinomial(pg.families.NBinomial(2.0), theta=2.0),
        ).fit(0.05),
    ),
    "quasipoisson": (
        DATA, lambda d: pg.glm("spread ~ x + z", d, "quasipoisson").fit(0.01),
    ),
    "from-statsmodels": (
        DATA,
        lambda d: pg.PenalizedGLM.from_statsmodels(
            sm.GLM(d["count"], sm.add_constant(d[COLUMNS]), sm.families.Poisson())
        ).fit(0.0),
    ),
    "not-standardized": (
        DATA, lambda d: pg.glm("y ~ x + t + label", d, standardize=False).fit(0.02),
    ),
    "standardized-numeric": (
        DATA, lambda d: pg.glm("y ~ x + t + label", d, standardize="numeric").fit(0.02),
    ),
    "formula-splines": (
        DATA,
        lambda d: pg.glm(
            "count ~ te(cr(x, df=3), cr(z, df=3)) + cc(x, df=4) + scale(z, ddof=1) "
            "+ bs(z, knots=[1.4], degree=2, include_intercept=True) + I(x / z - 1)"
            "+ pmax(x, 0.5) + log1p(t) + C(k, Treatment(1)) + center(x):C(label, Sum) "
            "+ exposure(t)",
            d,
            "poisson",
        ).fit(0.01),
    ),
    "relaxed": (
        DATA, lambda d: pg.glm("count ~ x + z + label", d, "poisson").fit(0.1).relax(),
    ),
    "full-coding": (
        WIDE, lambda d: pg.glm("y ~ x + region", d, coding="full").fit(0.01),
    ),
}  # fmt: skip


def main() -> int:
    """Write what is not there yet."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, (data, fitted) in MODELS.items():
        if any(FOLDER.glob(f"[0-9]-{name}.json")):
            print(f"{name} is there already")
            continue
        fit = fitted(data)
        if not fit.converged:
            raise SystemExit(f"{name} did not converge")
        expected = {
            "penglm": pg.__version__,
            "table": {column: data[column].tolist() for column in data},
            "params": fit.params.to_dict(),
            "mean": fit.predict(data).tolist(),
            "linear": fit.predict(data, which="linear").tolist(),
            "summary": str(fit.summary()),
        }
        draft = FOLDER / "draft.json"
        fit.save(draft)
        version = json.loads(draft.read_text())["version"]
        path = draft.rename(FOLDER / f"{version}-{name}.json")
        beside = FOLDER / "expected" / path.name
        beside.parent.mkdir(exist_ok=True)
        beside.write_text(json.dumps(expected) + "\n")
        print(f"{path.name} written: {path.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
