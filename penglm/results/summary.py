"""The table people know from statsmodels, without the columns that would be untrue."""

from collections.abc import Callable
from html import escape
from typing import Any

from penglm.checks import NUMERIC
from penglm.results.fit import FitResults

NO_STANDARD_ERRORS = (
    "No standard errors: those of maximum likelihood do not hold after selection and "
    "shrinkage."
)

STANDARDIZED = {True: "yes", False: "no", NUMERIC: "but for 0 and 1"}


class Summary:
    """Text and HTML of one table; ``print`` it or let a notebook show it."""

    def __init__(self, results: FitResults) -> None:
        self.results = results

    def as_text(self) -> str:
        """Return plain text."""
        text: str = tables(self.results, str).as_text()
        return text

    def as_html(self) -> str:
        """Return an HTML fragment, names escaped."""
        fragment: str = tables(self.results, escape).as_html()
        return fragment

    def __str__(self) -> str:
        return self.as_text()

    def __repr__(self) -> str:
        return self.as_text()

    def _repr_html_(self) -> str:
        return self.as_html()


def tables(results: FitResults, show: Callable[[str], str]) -> Any:
    """Return statsmodels' tables of a fit, every name passed through ``show``."""
    from statsmodels.iolib.summary import Summary as Tables
    from statsmodels.iolib.table import SimpleTable
    from statsmodels.iolib.tableformatting import fmt_params

    left, right = header(results, show)
    out = Tables()
    facts = half(left, "Penalized Generalized Linear Model")
    facts.extend_right(half(right))
    out.tables.append(facts)
    names = [show(str(name)) for name in results.params.index]
    cells = [
        [f"{value: .4f}" if abs(value) >= 1e-3 or value == 0 else f"{value: .3e}"]
        for value in results.params
    ]
    out.tables.append(
        SimpleTable(cells, headers=["coef"], stubs=names, txt_fmt=fmt_params)
    )
    out.add_extra_txt([show(line) for line in notes(results)])
    return out


def half(rows: list[tuple[str, str]], title: str | None = None) -> Any:
    """Return one side of the facts as a table of its own."""
    from statsmodels.iolib.table import SimpleTable
    from statsmodels.iolib.tableformatting import fmt_2cols

    stubs = [name for name, _ in rows]
    cells = [[value] for _, value in rows]
    return SimpleTable(cells, stubs=stubs, title=title, txt_fmt=fmt_2cols)


def header(
    results: FitResults, show: Callable[[str], str]
) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Return the two columns of facts above the coefficients."""
    family = results.spec.family
    penalty = {1.0: "lasso", 0.0: "ridge"}.get(results.l1_ratio, "elastic net")
    if results.spec.penalty != "elastic_net":
        penalty = results.spec.penalty
    left = [
        ("Dep. Variable:", show(results.data.y_name)),
        ("Model Family:", family.name),
        ("Link Function:", family.link.name),
        ("Penalty:", f"{penalty} (l1_ratio {results.l1_ratio:g})"),
        ("alpha:", f"{results.alpha:.6g}"),
        ("alpha chosen by:", results.chosen_by),
        ("Standardized:", STANDARDIZED[results.spec.standardize]),
    ]
    right = [
        ("No. Observations:", f"{results.nobs:g}"),
        ("Nonzero / total:", f"{results.n_nonzero} / {results.coef.size}"),
        ("Deviance:", f"{results.deviance:.5g}"),
        ("Deviance ratio:", f"{results.deviance_ratio:.4f}"),
        *likelihood(results),
        ("Status:", results.status.value),
    ]
    return left, right


def likelihood(results: FitResults) -> list[tuple[str, str]]:
    """Return how well the response fits its distribution, where there is one."""
    if not results.spec.family.has_likelihood:
        return [("Dispersion:", f"{results.scale:.5g}"), ("Log-Likelihood:", "none")]
    return [
        ("Log-Likelihood:", f"{results.llf:.5g}"),
        ("BIC:", f"{results.bic:.5g}"),
    ]


def notes(results: FitResults) -> list[str]:
    """Return the lines below the table."""
    lines = [f"Certificate: {results.verdict}.", NO_STANDARD_ERRORS]
    known = "estimated with the fit" if results.spec.n_estimated else "given"
    for name, value in results.spec.family.parameters.items():
        lines.append(f"Family's {name}: {value:.6g} ({known}).")
    if results.data.formula is not None:
        lines.append(f"Formula: {results.data.formula} ({results.spec.coding} coding)")
    if results.spec.dropped:
        lines.append(f"Constant columns: {', '.join(results.spec.dropped)}.")
    return lines
