"""A fit as data frames, and as the second of statsmodels' summaries made of them."""

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from penglm.explanation.reason import Case, case_at
from penglm.results.data import ModelSpec

if TYPE_CHECKING:
    import pandas as pd

    from penglm.results.fit import FitResults


def coefficients(results: "FitResults") -> "pd.DataFrame":
    """Return what ``FitResults.summary_frame`` says."""
    import pandas as pd

    data, spec, coef = results.data, results.spec, results.coef
    columns: dict[str, Any] = {"coef": coef}
    if data.y.size:
        columns["standardized"] = coef * data.design.moments(data.sample_weight)[1]
    columns["penalty_factor"] = spec.penalty_factor
    columns["case"] = [
        case_of(j, results.alpha, coef[j], spec, name).value
        for j, name in enumerate(data.names)
    ]
    frame = pd.DataFrame(columns, index=list(data.names))
    if spec.fit_intercept:
        first = {"coef": results.intercept, "penalty_factor": 0.0, "case": "intercept"}
        first |= {"standardized": np.nan} if "standardized" in columns else {}
        frame = pd.concat([pd.DataFrame(first, index=["Intercept"]), frame])
    return frame[list(columns)]


def case_of(
    column: int, alpha: float, value: float, spec: ModelSpec, name: str
) -> Case:
    """Return which condition holds a coefficient where it is."""
    factor = spec.penalty_factor[column]
    is_excluded, is_constant = bool(np.isinf(factor)), name in spec.dropped
    low, high = float(spec.lower[column]), float(spec.upper[column])
    if is_excluded or is_constant:
        low = high = 0.0
    return case_at(
        float(value), low, high, is_excluded=is_excluded, is_constant=is_constant,
        is_free=factor == 0.0 or alpha == 0.0, has_threshold=spec.l1_ratio > 0.0,
    )  # fmt: skip


class Summary2:
    """Frames of a fit with their text, HTML and LaTeX, as statsmodels' ``summary2``.

    Attributes
    ----------
    tables : list of DataFrame
        What is known of the fit, two columns of name and value side by side, and its
        coefficients as ``summary_frame`` gives them.
    """

    def __init__(self, results: "FitResults", float_format: str = "%.4f") -> None:
        self.results = results
        self.float_format = float_format
        self.tables = [facts(results), coefficients(results)]

    def as_text(self) -> str:
        """Return plain text."""
        text: str = self.printed(str).as_text()
        return text

    def as_html(self) -> str:
        """Return an HTML fragment, names escaped."""
        fragment: str = self.printed(escape).as_html()
        return fragment

    def as_latex(self, label: str = "") -> str:
        """Return a table for LaTeX; names are left as they are."""
        text: str = self.printed(str).as_latex(label)
        return text

    def printed(self, show: Any) -> Any:
        """Return statsmodels' summary, every text passed through ``show``."""
        from statsmodels.iolib.summary2 import Summary

        from penglm.results.summary import notes

        known, frame = self.tables
        out = Summary()
        out.add_title("Results: Penalized generalized linear model")
        out.add_df(known.map(show), index=False, header=False, align="l")
        out.add_df(frame.rename(index=lambda name: show(str(name))).map(self.cell))
        for line in notes(self.results):
            out.add_text(show(line))
        return out

    def cell(self, value: Any) -> str:
        """Return one cell as text, nothing for NaN."""
        if isinstance(value, str):
            return value
        return "" if np.isnan(value) else self.float_format % value

    def __str__(self) -> str:
        return self.as_text()

    def __repr__(self) -> str:
        return self.as_text()

    def _repr_html_(self) -> str:
        return self.as_html()


def facts(results: "FitResults") -> "pd.DataFrame":
    """Return what is known of a fit: four columns, names and values side by side."""
    import pandas as pd

    from penglm.results.summary import header

    left, right = header(results, str)
    rows = [(*a, *b) for a, b in zip(left, right, strict=False)]
    rows += [(*a, "", "") for a in left[len(right) :]]
    rows += [("", "", *b) for b in right[len(left) :]]
    return pd.DataFrame(rows)
