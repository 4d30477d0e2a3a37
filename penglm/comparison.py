"""The same problem solved by penglm and by another system, under one certificate."""

import time
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from penglm import checks
from penglm._typing import Vector
from penglm.conventions import Conversion
from penglm.judging import judge_at
from penglm.peers import PEERS, Task
from penglm.results.fit import FitResults
from penglm.solver.solution import Certificate
from penglm.translation import convert

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two answers to one problem, judged by the same code.

    Attributes
    ----------
    peer : str
    conversion : Conversion
        The penalty in the peer's words.
    fit : FitResults
        penglm's answer.
    intercept : float
    coef : Vector (p,)
        The peer's answer, in the units of the columns.
    certificate : Certificate
        Of the peer's answer, under penglm's convention.
    seconds : tuple of float
        penglm's and the peer's, imports and compilation included.
    messages : tuple of str
        What the peer warned of.
    """

    peer: str
    conversion: Conversion
    fit: FitResults
    intercept: float
    coef: Vector
    certificate: Certificate
    seconds: tuple[float, float]
    messages: tuple[str, ...]

    @property
    def largest_difference(self) -> float:
        """Largest difference of two coefficients, in the units of the columns."""
        return float(np.max(np.abs(self.fit.coef - self.coef), initial=0.0))

    def to_frame(self) -> "pd.DataFrame":
        """Return a row for each system."""
        import pandas as pd

        own = self.fit.certificate
        return pd.DataFrame(
            {
                "objective": [own.objective, self.certificate.objective],
                "kkt_residual": [own.kkt_residual, self.certificate.kkt_residual],
                "n_nonzero": [self.fit.n_nonzero, int(np.count_nonzero(self.coef))],
                "seconds": list(self.seconds),
            },
            index=["penglm", self.peer],
        )

    def __repr__(self) -> str:
        own, other = self.fit.certificate.objective, self.certificate.objective
        shown = self.to_frame().to_string(
            formatters={
                "objective": "{:.12g}".format,
                "kkt_residual": "{:.1e}".format,
                "seconds": "{:.3f}".format,
            }
        )
        return "\n".join(
            [
                shown,
                f"largest difference of a coefficient {self.largest_difference:.1e}, "
                f"objective of {self.peer} above penglm's {other - own:.1e}",
                repr(self.conversion),
                *(f"{self.peer} warned: {message}" for message in self.messages),
            ]
        )


def compare(model: Any, peer: str, alpha: float, l1_ratio: float, tol: float) -> Any:
    """Solve with both; ``Fitting.compare_with`` has the contract."""
    other = PEERS[checks.choice(peer, tuple(PEERS), "peer")]
    statement, data = model.statement, model.statement.data
    has_limits = np.isfinite(np.r_[statement.lower, statement.upper]).any()
    other.check(statement.family, bool(data.offset.any()), bool(has_limits))
    mix = max(checks.mix(l1_ratio), other.least_mix)
    conversion = convert(checks.strength(alpha), mix, to=peer, model=model)
    began = time.perf_counter()
    fit = model.fit(alpha, l1_ratio, tol=tol)
    own_seconds = time.perf_counter() - began
    size = conversion.column_scale
    size = np.ones(len(data.names)) if size is None else size
    task = Task(
        np.asfortranarray(data.design.to_dense() / size), data.y, data.sample_weight,
        data.offset, statement.family, statement.fit_intercept, conversion.system,
        conversion.arguments,
    )  # fmt: skip
    began = time.perf_counter()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        intercept, coef = other.solve(task)
    seconds = time.perf_counter() - began
    coef = coef / size
    if statement.fit_intercept:
        # What a constant column says is the intercept's here; peers leave rounding.
        constant, mean = statement.moments.sd == 0.0, statement.moments.mean
        intercept += float(mean[constant] @ coef[constant])
        coef = np.where(constant, 0.0, coef)
    problem = statement.problem(fit.spec.l1_ratio)
    return Comparison(
        peer,
        conversion,
        fit,
        intercept,
        coef,
        judge_at(statement, problem, fit.alpha, intercept, coef),
        (own_seconds, seconds),
        tuple(dict.fromkeys(str(each.message) for each in told)),
    )
