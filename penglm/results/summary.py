"""The table people know from statsmodels, without the columns that would be untrue."""

from typing import Any

from penglm.results.fit import FitResults

NO_STANDARD_ERRORS = (
    "No standard errors: those of maximum likelihood do not hold after selection and "
    "shrinkage."
)


class Summary:
    """Text and HTML of one table; ``print`` it or let a notebook show it."""

    def __init__(self, tables: Any) -> None:
        self.tables = tables

    def as_text(self) -> str:
        """Return plain text."""
        text: str = self.tables.as_text()
        return text

    def as_html(self) -> str:
        """Return an HTML fragment, names escaped."""
        html: str = self.tables.as_html()
        return html

    def __str__(self) -> str:
        return self.as_text()

    def __repr__(self) -> str:
        return self.as_text()

    def _repr_html_(self) -> str:
        return self.as_html()


def summarise(results: FitResults) -> Summary:
    """Build the summary of a fit."""
    from statsmodels.iolib.summary import Summary as Tables
    from statsmodels.iolib.table import SimpleTable
    from statsmodels.iolib.tableformatting import fmt_2cols, fmt_params

    left, right = header(results)
    rows = [[*a, *b] for a, b in zip(left, right, strict=True)]
    tables = Tables()
    title = "Penalised Generalized Linear Model"
    tables.tables.append(SimpleTable(rows, title=title, txt_fmt=fmt_2cols))
    names = [escape(name) for name in results.params.index]
    cells = [
        [f"{value: .4f}" if abs(value) >= 1e-3 or value == 0 else f"{value: .3e}"]
        for value in results.params
    ]
    tables.tables.append(
        SimpleTable(cells, headers=["coef"], stubs=names, txt_fmt=fmt_params)
    )
    tables.add_extra_txt(notes(results))
    return Summary(tables)


def header(results: FitResults) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Return the two columns of facts above the coefficients."""
    family = results.spec.family
    penalty = {1.0: "lasso", 0.0: "ridge"}.get(results.l1_ratio, "elastic net")
    left = [
        ("Dep. Variable:", results.data.y_name),
        ("Model Family:", family.name),
        ("Link Function:", family.link.name),
        ("Penalty:", f"{penalty} (l1_ratio {results.l1_ratio:g})"),
        ("alpha:", f"{results.alpha:.6g}"),
        ("alpha chosen by:", results.chosen_by),
        ("Standardized:", "yes" if results.spec.standardize else "no"),
    ]
    right = [
        ("No. Observations:", f"{results.nobs:g}"),
        ("Nonzero / total:", f"{results.n_nonzero} / {results.coef.size}"),
        ("Deviance:", f"{results.deviance:.5g}"),
        ("Deviance ratio:", f"{results.deviance_ratio:.4f}"),
        ("Log-Likelihood:", f"{results.llf:.5g}"),
        ("BIC:", f"{results.bic:.5g}"),
        ("Status:", results.status.value),
    ]
    return left, right


def notes(results: FitResults) -> list[str]:
    """Return the lines below the table."""
    lines = [f"Certificate: {results.certificate}.", NO_STANDARD_ERRORS]
    if results.data.formula is not None:
        lines.append(f"Formula: {results.data.formula} ({results.spec.coding} coding)")
    if results.spec.dropped:
        lines.append(f"Constant columns: {', '.join(results.spec.dropped)}.")
    return lines


def escape(name: str) -> str:
    """Escape what HTML would read as markup; plain text shows names unchanged."""
    return name.replace("&", "&amp;").replace("<", "&lt;")
