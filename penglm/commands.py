"""What the shell's commands do; each returns its exit code."""

import json
import math
import platform
import sys
from argparse import Namespace
from importlib import metadata
from typing import Any

import numpy as np

from penglm import __version__
from penglm.cli import NOT_CONVERGED, OK, USAGE, say
from penglm.datasets import bikeshare
from penglm.exceptions import ModelFileError
from penglm.explanation.coefficients import Explanation
from penglm.judging import CERTIFIED, with_rows
from penglm.judging import verify as judge_saved
from penglm.model import PenalizedGLM
from penglm.reading import read
from penglm.results.cross_validation import CVResults
from penglm.results.explained import NOWHERE
from penglm.results.fit import FitResults
from penglm.results.path import PathResults
from penglm.store import LoadedFit, LoadedRelaxed, load
from penglm.writing import write_table

DEMO_FORMULA = (
    "bikers ~ C(hr) + C(mnth) + C(weekday) + holiday + workingday + C(weathersit) "
    "+ temp + atemp + hum + windspeed + temp:hum"
)


def fit(chosen: Namespace) -> int:
    """Fit a model to a table and report it."""
    ratios = chosen.l1_ratio
    by_cv = chosen.alpha is None and not chosen.path
    if len(ratios) > 1 and not by_cv:
        say("error: several --l1-ratio need --cv; one is fitted otherwise.")
        return USAGE
    if chosen.path and chosen.save:
        say("error: --save keeps one model; use --alpha or --cv with it.")
        return USAGE
    if "~" in chosen.data and "~" not in chosen.formula:
        say("error: the table comes first, then the formula: penglm fit DATA FORMULA.")
        return USAGE
    model = PenalizedGLM.from_formula(
        chosen.formula,
        read(chosen.data),
        chosen.family,
        link=chosen.link,
        freq_weights=chosen.weights,
        exposure=chosen.exposure,
        standardize=chosen.standardize,
        coding=chosen.coding,
        trusted=False,
    )
    path: PathResults | None = None
    best: FitResults | None = None
    if by_cv:
        folds = 10 if chosen.cv is None else chosen.cv
        path = model.fit_cv(
            folds, l1_ratio=ratios, select=chosen.select, seed=chosen.seed,
            n_jobs=chosen.jobs,
        )  # fmt: skip
        best = path.best
    elif chosen.path:
        path = model.fit_path(l1_ratio=ratios[0])
    else:
        best = model.fit(chosen.alpha, ratios[0])
    # Shown first: a disk that is full costs the file, not the result.
    if chosen.json:
        show_json(facts(best, path))
    else:
        show_text(best, path)
    if chosen.save and best is not None:
        best.save(chosen.save)
    if chosen.report:
        write_page(best, path, chosen)
    is_fine = (best is None or best.converged) and (path is None or path.converged)
    return OK if is_fine else NOT_CONVERGED


def predict(chosen: Namespace) -> int:
    """Predict rows of a table from a saved model."""
    import pandas as pd

    model = opened(chosen.model)
    values = model.predict(
        read(chosen.data), which=chosen.which, unknown=chosen.unknown
    )
    if chosen.json:
        show_json({"which": chosen.which, "prediction": list(values)})
    if chosen.output:
        write_table(pd.DataFrame({chosen.which: values}), chosen.output)
    elif not chosen.json:
        pd.DataFrame({chosen.which: values}).to_csv(sys.stdout, index=False)
    return OK


def verify(chosen: Namespace) -> int:
    """Check a saved model's certificate, afresh where the data is given."""
    model = opened(chosen.model)
    certificate = model.certificate
    source = "as saved"
    if chosen.data is not None:
        certificate = judge_saved(model, read(chosen.data))
        source = f"computed from {chosen.data}"
    holds = certificate.kkt_residual <= CERTIFIED and model.converged
    if chosen.json:
        show_json(
            {"certificate": vars(certificate), "source": source, "certified": holds}
        )
        return OK if holds else NOT_CONVERGED
    print(f"{chosen.model}: intact.")
    found = certificate if model.converged else model.verdict
    print(f"alpha {model.alpha:.6g}, l1_ratio {model.l1_ratio:g}: {found}")
    print(f"({source}; objective {certificate.objective:.10g})")
    if not holds:
        print("These coefficients are not optimal for this data.")
    return OK if holds else NOT_CONVERGED


def explain(chosen: Namespace) -> int:
    """Say why coefficients of a saved model are what they are, given rows by refits."""
    model = opened(chosen.model)
    is_relaxed = isinstance(model, LoadedRelaxed)
    if isinstance(model, LoadedRelaxed):
        model = model.penalised
    if model.status in NOWHERE:
        say(f"error: nothing to explain: the fit ended as {model.status.value}.")
        return NOT_CONVERGED
    if chosen.data is None and model.kept_signal is None:
        say(
            f"error: {chosen.model} does not hold what its columns have to say; pass "
            "the rows of the fit: --data DATA."
        )
        return USAGE
    about: FitResults = model
    if chosen.data is not None:
        about = with_rows(model, read(chosen.data))
        if model.converged and not about.converged:
            say(f"error: {chosen.model} is not optimal for {chosen.data}.")
            return NOT_CONVERGED
    told = about.explain(chosen.term)
    source = "as saved" if chosen.data is None else f"computed from {chosen.data}"
    if chosen.json:
        show_json(explained(told, source, is_relaxed=is_relaxed))
    else:
        if is_relaxed:
            print("A relaxed fit; its penalised end chose the columns:")
        print(told)
        if chosen.data is None:
            print("(as saved; --data DATA finds where coefficients enter and leave)")
    return OK if model.converged else NOT_CONVERGED


def explained(told: Explanation, source: str, *, is_relaxed: bool) -> dict[str, Any]:
    """Return an explanation for machines."""
    return {
        "penglm": __version__,
        "alpha": told.alpha,
        "l1_ratio": told.l1_ratio,
        "status": told.status.value,
        "source": source,
        "is_relaxed": is_relaxed,
        "reasons": [
            {
                **vars(reason),
                "case": reason.case.value,
                "margin": reason.margin,
                "sentence": reason.sentence,
            }
            for reason in told.reasons
        ],
    }


def demo(chosen: Namespace) -> int:
    """Cross-validate a Poisson lasso on hourly bicycle rentals."""
    data = bikeshare()
    if not chosen.json:
        print(f"Hourly bicycle rentals in Washington, D.C.: {len(data)} hours.")
        print(f"Formula: {DEMO_FORMULA}\n")
    model = PenalizedGLM.from_formula(DEMO_FORMULA, data, "poisson", coding="full")
    chosen_by_cv = model.fit_cv(10)
    best = chosen_by_cv.best
    if chosen.json:
        show_json(facts(best, chosen_by_cv))
    else:
        show_text(best, chosen_by_cv)
    write_page(best, chosen_by_cv, chosen)
    return OK if chosen_by_cv.converged else NOT_CONVERGED


def doctor(chosen: Namespace) -> int:
    """Look at the installation and fit one small model."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 5))
    trial = PenalizedGLM(X[:, 0] + rng.normal(size=100), X).fit(0.1)
    needed = ("numpy", "scipy", "pandas", "patsy", "statsmodels", "narwhals", "numba")
    report = {
        "penglm": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        **{name: version_of(name) for name in (*needed, "pyarrow", "matplotlib")},
        "trial fit": str(trial.certificate),
        "trial status": trial.status.value,
    }
    if chosen.json:
        show_json(report)
    else:
        for name, value in report.items():
            print(f"{name:14s}{value}")
    return OK if trial.converged else NOT_CONVERGED


def version_of(name: str) -> str:
    """Return the version of an installed distribution."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def opened(path: str) -> LoadedFit:
    """Read a model; a file that cannot be opened is a fault of the model argument."""
    try:
        return load(path)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ModelFileError(f"could not read {path}: {reason}.") from None


def show_text(best: FitResults | None, path: PathResults | None) -> None:
    """Print path, choice and summary."""
    if path is not None:
        print(path.table_text())
    if isinstance(path, CVResults):
        print(f"\n{path!r}\n")
    if best is not None:
        print(best.summary())
        zeros = [str(name) for name, value in best.params.items() if value == 0.0]
        if zeros:
            print(f"\n{len(zeros)} coefficients are exactly zero: {', '.join(zeros)}")


def write_page(
    best: FitResults | None, path: PathResults | None, chosen: Namespace
) -> None:
    """Write a page of HTML, with a slider if there is a path, and say where it is."""
    about = best if path is None else path
    if about is not None:
        about.report(chosen.report)
        if not chosen.json:
            print(f"\nA page about it: {chosen.report}")


def facts(best: FitResults | None, path: PathResults | None) -> dict[str, Any]:
    """Return what the text says, for machines."""
    document: dict[str, Any] = {"penglm": __version__}
    if path is not None:
        document["path"] = [
            {
                "alpha": solution.alpha,
                "n_nonzero": int(count),
                "deviance_ratio": float(share),
                "kkt_residual": solution.certificate.kkt_residual,
                "status": solution.status.value,
            }
            for solution, count, share in zip(
                path.solutions, path.n_nonzero, path.deviance_ratio, strict=True
            )
        ]
    if isinstance(path, CVResults):
        document["cross_validation"] = {
            "metric": path.metric,
            "select": path.selected_by,
            "mean_score": path.mean_score.tolist(),
            "std_score": path.std_score.tolist(),
            "alpha_min": path.alpha_min,
            "alpha_1se": path.alpha_1se,
        }
    if best is not None:
        document["fit"] = {
            "formula": best.data.formula,
            "family": best.spec.family.name,
            "link": best.spec.family.link.name,
            "alpha": best.alpha,
            "l1_ratio": best.l1_ratio,
            "chosen_by": best.chosen_by,
            "status": best.status.value,
            "certificate": vars(best.certificate),
            "n_obs": best.nobs,
            "deviance": best.deviance,
            "deviance_ratio": best.deviance_ratio,
            "params": {str(name): float(v) for name, v in best.params.items()},
        }
    return document


def show_json(document: Any) -> None:
    """Print one JSON document; what is not a finite number becomes null."""
    print(json.dumps(plain(document), indent=1, allow_nan=False))


def plain(value: Any) -> Any:
    """Return a value with Python numbers only, None for NaN and infinity."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
