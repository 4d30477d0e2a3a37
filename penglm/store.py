"""Models on disk: versioned JSON with a checksum, written atomically, never code."""

import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import penglm
from penglm import schema
from penglm._typing import Vector
from penglm.design import Dense
from penglm.exceptions import FormulaError, ModelFileError, PenglmInputError
from penglm.families import FAMILIES, LINKS
from penglm.families.quasi import no_likelihood
from penglm.penalties import PENALTIES
from penglm.results.data import ModelData, ModelSpec
from penglm.results.explained import explain_kept, signal_of
from penglm.results.fit import FitResults
from penglm.results.relaxed import Mixed
from penglm.solver.solution import Certificate, Solution, SparseVector, Status
from penglm.writing import write

if TYPE_CHECKING:
    from penglm.explanation.coefficients import Explanation

FORMAT = "penglm model"
# Each file carries the least version that can read it; relaxed fits need the second.
VERSION = 2


@dataclass(frozen=True, eq=False, repr=False)
class LoadedFit(FitResults):
    """A fit read from a file: it predicts and reports, but has no rows.

    Attributes
    ----------
    kept_llf, kept_nobs, kept_chi2 : float
        What the rows said when the model was saved; no likelihood is None.
    kept_signal : Vector (p,) or None
        What each column had to say, for ``explain``; None in older files, and where
        there was nothing to explain.
    """

    kept_llf: float | None = None
    kept_nobs: float = 0.0
    kept_chi2: float = 0.0
    kept_signal: Vector | None = None

    def explain(self, name: str | None = None, *, refit: bool = False) -> "Explanation":
        """Say why each coefficient is what it is, as far as the file goes.

        Parameters
        ----------
        name : str, optional
            As ``FitResults.explain`` takes it.
        refit : bool, default False
            Nothing can be solved again without rows: True is refused.

        Raises
        ------
        PenglmInputError
            If there is no such column or term; if strengths of entry are asked for; if
            the file holds no signals.
        """
        way_out = "penglm.judging.with_rows(fit, data) gives it its rows back"
        if refit:
            raise PenglmInputError(
                "a model file holds no rows to fit again, and so no strengths at which "
                f"coefficients enter or leave; {way_out}.",
                argument="refit",
            )
        if self.kept_signal is None:
            raise PenglmInputError(
                "this model file does not hold what its columns have to say, as it was "
                "written by an earlier penglm or there was nothing to explain; "
                f"{way_out}."
            )
        return explain_kept(self, self.kept_signal, name)

    @property
    def nobs(self) -> float:
        return self.kept_nobs

    @property
    def llf(self) -> float:
        if self.kept_llf is None:
            raise no_likelihood(self.spec.family)
        return self.kept_llf

    @property
    def pearson_chi2(self) -> float:
        return self.kept_chi2

    @property
    def linear_predictor(self) -> Vector:
        raise PenglmInputError(
            "a model read from a file has no rows of its own; pass the data to "
            "predict().",
            argument="data",
        )


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class LoadedRelaxed(Mixed, LoadedFit):
    """A relaxed fit read from a file, with both of its ends."""

    gamma: float
    penalised: LoadedFit
    unpenalised: LoadedFit

    def relax(self, gamma: float = 0.0) -> Any:
        raise PenglmInputError(
            "a relaxed fit read from a file has no rows to measure another mix on; "
            "fit the model again."
        )


def save(results: FitResults, path: Any) -> None:
    """Write a fit to ``path``; an older file is replaced in one step or not at all.

    Raises
    ------
    ModelFileError
        If the model holds something that a file may not, such as a formula with
        functions of the caller's own.
    FileWriteError
        If the file could not be written; an older one is then unchanged.
    """
    model = described(results)
    document = {
        "format": FORMAT,
        "version": 2 if isinstance(results, Mixed) else 1,
        "penglm": penglm.__version__,
        "sha256": checksum(model),
        "model": model,
    }
    text = json.dumps(document, indent=1, allow_nan=False)
    write(text.encode(), Path(path))


def load(path: Any) -> LoadedFit:
    """Read a fit that ``save`` wrote.

    Raises
    ------
    ModelFileError
        If it is not a model file, is damaged, or was written by a newer penglm.
    OSError
        If it cannot be opened.
    """
    name = Path(path).name
    text = Path(path).read_bytes()
    if text[:1] in (b"\x80", b"("):
        raise ModelFileError(
            f"{name} is not a penglm model; it looks like a pickle, which penglm never "
            "opens."
        )
    try:
        document = json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError):
        raise ModelFileError(
            f"{name} is damaged or not a penglm model (not JSON); it cannot be loaded."
        ) from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ModelFileError(f"{name} is not a penglm model; it cannot be loaded.")
    version = document.get("version")
    if not isinstance(version, int) or not 1 <= version <= VERSION:
        raise ModelFileError(
            f"{name} has file version {version!r}; this penglm reads up to {VERSION}. "
            "Update penglm."
        )
    model: Any = document.get("model")
    if checksum(model) != document.get("sha256"):
        raise ModelFileError(
            f"{name} is damaged (checksum mismatch); it cannot be loaded."
        )
    try:
        schema.check(model, schema.MODEL)
        return restored(model)
    except FormulaError:
        # Its words say what of the formula is not allowed, and where it stands.
        raise
    except ModelFileError as error:
        raise ModelFileError(f"{name} is damaged: {error}") from None
    except (ValueError, KeyError, TypeError, IndexError, OverflowError) as error:
        raise ModelFileError(
            f"{name} is damaged ({error!r}); it cannot be loaded."
        ) from None


def checksum(model: Any) -> str:
    """Return the SHA-256 of a model's canonical JSON."""
    text = json.dumps(model, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def described(results: FitResults) -> dict[str, Any]:
    """Return a fit as values that JSON can hold."""
    data, spec, solution = results.data, results.spec, results.solution
    refuse_unregistered(spec)
    encoder, ends = None, None
    if isinstance(results, Mixed):
        ends = {
            "gamma": results.gamma,
            "penalised": described(results.penalised),
            "unpenalised": described(results.unpenalised),
        }
    if data.encoder is not None:
        from penglm.formula.memory import packed

        encoder = packed(data.encoder, data.columns)
    signal = None if isinstance(results, Mixed) else signal_of(results)
    if isinstance(results, LoadedFit):
        signal = results.kept_signal
    return {
        "family": spec.family.name,
        "link": spec.family.link.name,
        "family_parameters": spec.family.parameters,
        "exponent": spec.family.link.parameters.get("exponent"),
        "link_parameters": spec.family.link.parameters,
        "alpha": finite([solution.alpha])[0],
        "l1_ratio": spec.l1_ratio,
        "fit_intercept": spec.fit_intercept,
        "standardize": spec.standardize,
        "coding": spec.coding,
        "penalty": spec.penalty,
        "n_estimated": spec.n_estimated,
        "intercept": solution.intercept,
        "names": list(data.names),
        "coef": solution.coef.tolist(),
        "penalty_factor": finite(spec.penalty_factor),
        "lower": finite(spec.lower),
        "upper": finite(spec.upper),
        "dropped": list(spec.dropped),
        "null_deviance": spec.null_deviance,
        "deviance": solution.deviance,
        "status": solution.status.value,
        "n_iter": solution.n_iter,
        "certificate": {
            **vars(results.certificate),
            "kkt_residual": finite([results.certificate.kkt_residual])[0],
        },
        "chosen_by": results.chosen_by,
        "llf": finite([results.llf])[0] if spec.family.has_likelihood else None,
        "nobs": results.nobs,
        "pearson_chi2": results.pearson_chi2,
        "y_name": data.y_name,
        "y_levels": None if data.y_levels is None else list(data.y_levels),
        "has_offset": data.has_offset,
        "beside": data.beside,
        "terms": {name: [s.start, s.stop] for name, s in data.term_slices.items()},
        "formula": data.formula,
        "encoder": encoder,
        **({} if signal is None else {"signal": signal.tolist()}),
        **({} if ends is None else {"relaxed": ends}),
    }


def refuse_unregistered(spec: ModelSpec) -> None:
    """Raise if a name in the file would mean nothing, or another thing, to ``load``."""
    link = spec.family.link
    for what, name, known in (
        (
            "family",
            spec.family.name,
            FAMILIES.get(spec.family.name) is type(spec.family),
        ),
        ("link", link.name, LINKS.get(link.name) is type(link)),
        ("penalty", spec.penalty, spec.penalty in PENALTIES),
    ):
        if not known:
            raise ModelFileError(
                f"{what} '{name}' is not one of penglm's own, so the file could not be "
                "read again; keep the coefficients in params instead."
            )


def finite(values: Any) -> list[float | str]:
    """Return numbers as JSON knows them: an infinity becomes text."""
    return [x if math.isfinite(x) else str(x) for x in np.asarray(values).tolist()]


def restored(model: dict[str, Any]) -> LoadedFit:
    """Return the fit that ``described`` describes."""
    present = {key: rule for key, rule in schema.OPTIONAL.items() if key in model}
    schema.check(model, present)
    p = len(model["names"])
    columns = {
        key: np.array(model[key], dtype=float)
        for key in ("coef", "penalty_factor", "lower", "upper", "signal")
        if key in model
    }
    if any(values.shape != (p,) for values in columns.values()):
        raise ModelFileError("its columns do not fit its names.")
    # Older files know one parameter of one link, by a name of its own.
    older = {"exponent": model["exponent"]} if model["link"] == "power" else {}
    parameters = model.get("link_parameters", older)
    encoder = None
    if model["encoder"] is not None:
        from penglm.formula.memory import unpacked

        schema.check(model["encoder"], schema.ENCODER, "encoder")
        encoder = unpacked(model["encoder"])
        if list(encoder.names) != model["names"]:
            raise ModelFileError("its formula does not fit its names.")
    levels = model["y_levels"]
    nothing = np.zeros(0)
    data = ModelData(
        y=nothing,
        design=Dense(np.zeros((0, p))),
        sample_weight=nothing,
        offset=nothing,
        freq_weights=nothing,
        rows=np.zeros(0, dtype=np.int64),
        names=tuple(model["names"]),
        y_name=model["y_name"],
        has_offset=model["has_offset"],
        beside=dict(model["beside"]),
        y_levels=None if levels is None else (levels[0], levels[1]),
        term_slices={name: slice(*ends) for name, ends in model["terms"].items()},
        encoder=encoder,
        formula=model["formula"],
        columns=() if encoder is None else tuple(model["encoder"]["table"]),
    )
    spec = ModelSpec(
        family=FAMILIES[model["family"]](
            LINKS[model["link"]](**parameters), **model["family_parameters"]
        ),
        fit_intercept=model["fit_intercept"],
        standardize=model["standardize"],
        l1_ratio=model["l1_ratio"],
        penalty_factor=columns["penalty_factor"],
        lower=columns["lower"],
        upper=columns["upper"],
        dropped=tuple(model["dropped"]),
        null_deviance=model["null_deviance"],
        coding=model["coding"],
        penalty=model["penalty"],
        n_estimated=model["n_estimated"],
    )
    solution = Solution(
        alpha=float(model["alpha"]),
        intercept=model["intercept"],
        entries=SparseVector.of(columns["coef"]),
        status=Status(model["status"]),
        certificate=Certificate(
            **{
                **model["certificate"],
                "kkt_residual": float(model["certificate"]["kkt_residual"]),
            }
        ),
        deviance=model["deviance"],
        n_iter=model["n_iter"],
        history=(),
    )
    from_rows = {
        "kept_llf": None if model["llf"] is None else float(model["llf"]),
        "kept_nobs": model["nobs"],
        "kept_chi2": model["pearson_chi2"],
        "kept_signal": columns.get("signal"),
    }
    if "relaxed" in model:
        ends = model["relaxed"]
        return LoadedRelaxed(
            solution, data, spec, model["chosen_by"], **from_rows, gamma=ends["gamma"],
            penalised=restored(ends["penalised"]),
            unpenalised=restored(ends["unpenalised"]),
        )  # fmt: skip
    return LoadedFit(solution, data, spec, model["chosen_by"], **from_rows)
