"""The tables of a page, as markup; those along the path also as the script's data."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from penglm.explanation.reason import Case
from penglm.explanation.rivals import Claimed
from penglm.report import words
from penglm.report.along import NOBODY, Along
from penglm.report.digits import COEFFICIENTS, rounded, shown
from penglm.report.markup import name, printable, shortened, tag, text
from penglm.report.pictures import Tenths
from penglm.results.cross_validation import CVResults
from penglm.results.fit import FitResults
from penglm.results.measures import explained
from penglm.results.path import PathResults

NONE = "\u2013"
Heading = tuple[str, str | None, str | None]
"""Words, look and kind of a heading."""
INTERCEPT = "Intercept"
# Variables named beside a column; the others are added up.
MOST_CLAIMS = 3


@dataclass(frozen=True)
class Column:
    """One column of the table of coefficients.

    Attributes
    ----------
    kind : str
        What the script calls it.
    heading : str
    look : str or None
        None for numbers, ``"t"`` for text, ``"w"`` for words that stay on one line.
    cells : list of str
        Of every row, the intercept first.
    """

    kind: str
    heading: str
    look: str | None
    cells: list[str]


def coefficients(along: Along, fit: FitResults) -> str:
    """Return the table of coefficients at the chosen strength."""
    at = along.chosen
    values = np.r_[fit.intercept, along.coef[:, at]]
    estimates = [rounded(value, COEFFICIENTS.digits) for value in values]
    # From the digits shown, so that the script can say the same.
    scaled = [
        shown(b.value * sd) for b, sd in zip(estimates[1:], along.sd, strict=True)
    ]
    columns = [Column("coef", "Estimate", None, [str(each) for each in estimates])]
    if fit.solved is not None:
        columns.append(Column("sd", "Per sd", None, [NONE, *scaled]))
    columns += reasons(along)
    if len(along.solutions) > 1:
        enters = [
            NONE if k == NOBODY else shown(along.alphas[k])
            for k in along.enters.tolist()
        ]
        columns.append(Column("enters", "Enters at", None, [NONE, *enters]))
    first = 0 if fit.spec.fit_intercept else 1
    names = [INTERCEPT, *along.names]
    body = [
        tag(
            "tr",
            tag("th", name(names[j]), scope="row"),
            *(tag("td", text(each.cells[j]), class_=each.look) for each in columns),
            class_="out" if estimates[j].sign == 0 else None,
        )
        for j in range(first, len(names))
    ]
    head: list[Heading] = [("Column", "t", "name")]
    head += [(each.heading, each.look, each.kind) for each in columns]
    where = tag("span", f"alpha {text(shown(fit.alpha))}", id="at-strength")
    return table(
        "coefficients", f"Coefficients at {where}", about(along, fit), head, body,
        is_sorted=True,
    )  # fmt: skip


def reasons(along: Along) -> list[Column]:
    """Return the columns that say why a coefficient is what it is."""
    if not along.cases:
        return []
    at = along.chosen
    signal = [finite(one.signal) for one in along.reasons]
    threshold = [positive(one.threshold) for one in along.reasons]
    why = [words.why(along, j, at) for j in range(len(along.names))]
    columns = [
        Column("signal", "Signal", None, [NONE, *signal]),
        Column("threshold", "Threshold", None, [NONE, *threshold]),
        Column("why", "Why", "w", [words.WHY[Case.FREE], *why]),
    ]
    if along.variables:
        rivals = [
            NONE if who == NOBODY
            else f"{printable(shortened(along.variables[who]))} ({shown(claim)})"
            for who, claim in zip(along.rival[:, at], along.claim[:, at], strict=True)
        ]  # fmt: skip
        columns.append(Column("rival", "Main rival", "t", [NONE, *rivals]))
    return columns


def about(along: Along, fit: FitResults) -> str:
    """Say what the numbers of the table of coefficients are."""
    said = "Estimates are on the original scale of their columns"
    if fit.solved is not None:
        said += ", <i>per sd</i> times the standard deviation of the column"
    said += "."
    if along.cases:
        said += (
            " A coefficient is zero as long as its <i>signal</i>, what the column "
            f"still has to say {words.UNITS[fit.spec.standardize]}, stays within its "
            "<i>threshold</i>."
        )
    if along.cases and along.variables:
        said += (
            " <i>Main rival</i>: the variable in the model that says most of it "
            "instead, and how much."
        )
    if len(along.solutions) > 1:
        said += (
            " <i>Enters at</i>: the strongest penalty of the path at which it is not "
            "zero."
        )
    return said


def path(along: Along, fit: FitResults, results: PathResults | None) -> str:
    """Return the table of the path; the script reads the slider's words from it."""
    scores = dict[float, tuple[float, float]]()
    if isinstance(results, CVResults):
        pairs = zip(results.mean_score, results.std_score, strict=True)
        scores = dict(zip(results.alphas.tolist(), pairs, strict=True))
    null = fit.null_deviance
    body = []
    for one in along.solutions:
        share = explained(one.deviance, null)
        said = [shown(one.alpha), str(one.n_nonzero), f"{100.0 * share:.2f}"]
        if scores:
            said += [finite(value) for value in scores.get(one.alpha, (np.nan, np.nan))]
        said.append(finite(one.certificate.kkt_residual, 2))
        status = one.status.value.replace("_", " ")
        cells = "".join(tag("td", text(each)) for each in said)
        body.append(tag("tr", cells, tag("td", text(status), class_="t")))
    head = ["alpha", "coefficients", "% explained"]
    if isinstance(results, CVResults):
        head += [f"held-out {results.metric}", "standard error"]
    head.append("KKT residual")
    return table(
        "path", "The path, strongest penalty first",
        "Nonzero coefficients; share of the null deviance explained; KKT residual, by "
        "how much of their thresholds the optimality conditions are missed.",
        [*((each, None, None) for each in head), ("status", "t", None)], body,
    )  # fmt: skip


def rivals(claimed: Sequence[Claimed], alpha: float) -> str:
    """Return who says what in place of columns that are zero."""
    body = []
    for one in claimed:
        order = sorted(one.claims, key=lambda rival: -abs(one.claims[rival]))
        parts = [
            f"{name(rival)}&nbsp;{text(shown(one.claims[rival], 3))}"
            for rival in order[:MOST_CLAIMS]
        ]
        if order[MOST_CLAIMS:]:
            rest = sum(one.claims[rival] for rival in order[MOST_CLAIMS:])
            n_more = len(order) - MOST_CLAIMS
            parts.append(f"{n_more}&nbsp;more&nbsp;{text(shown(rest, 3))}")
        vif = NONE if one.vif is None else shown(one.vif, 3)
        body.append(
            tag("tr", tag("th", name(one.name), scope="row"),
                number(shown(one.null_signal)), tag("td", ", ".join(parts), class_="t"),
                number(shown(one.signal)), number(shown(one.threshold)), number(vif))
        )  # fmt: skip
    looks = {"Column": "t", "Alone": None, "Said by": "t", "Remaining": None,
             "Threshold": None, "VIF": None}  # fmt: skip
    head = [(words, look, None) for words, look in looks.items()]
    return table(
        "rival-sums", f"Signals of zero coefficients at alpha {shown(alpha)}",
        "What a column would have to say alone is the sum, exactly, of what variables "
        "in the model say in its place and of what remains. VIF is the variance "
        "inflation factor of its variable, \u221e where others determine it.",
        head, body, is_sorted=True,
    )  # fmt: skip


def tenths(found: Tenths, where: str) -> str:
    """Return the numbers behind the picture of calibration."""
    body = [
        tag("tr", *(number(shown(value)) for value in values))
        for values in zip(found.weight, found.fitted, found.observed, strict=True)
    ]
    head = [(each, None, None) for each in ("Weight", "Mean fitted", "Mean response")]
    return table(
        "tenths", f"Calibration {where}",
        "Tenths of the weight, by rising fitted mean. Rows of one mean stay together.",
        head, body,
    )  # fmt: skip


def table(
    key: str,
    caption: str,
    legend: str,
    head: Sequence[Heading],
    body: Sequence[str],
    *,
    is_sorted: bool = False,
) -> str:
    """Return a table under its legend; it scrolls by itself where a page is narrow.

    Parameters
    ----------
    key : str
    caption, legend : str
        Markup: what the table is, and what its columns mean.
    head : sequence of Heading
    body : sequence of str
        Rows, as markup.
    is_sorted : bool
        Whether the script makes its headings sort.
    """
    headings = (
        tag("th", text(words), scope="col", class_=look or "n", data_kind=kind)
        for words, look, kind in head
    )
    inside = tag(
        "table",
        tag("caption", caption, id=f"{key}-caption"),
        tag("thead", tag("tr", *headings)),
        tag("tbody", "\n".join(body)),
        id=key, class_="sorts" if is_sorted else None, aria_describedby=f"{key}-legend",
    )  # fmt: skip
    return tag("p", legend, class_="legend", id=f"{key}-legend") + tag(
        "div", inside, class_="scroll", tabindex="0", role="region",
        aria_labelledby=f"{key}-caption",
    )  # fmt: skip


def number(words: str) -> str:
    """Return a cell of a number."""
    return tag("td", text(words))


def finite(value: float, n: int = 4) -> str:
    """Return a number, or a dash for one that is not there."""
    return NONE if np.isnan(value) else shown(value, n)


def positive(value: float) -> str:
    """Return a threshold, or a dash where there is none."""
    return shown(value) if value > 0.0 else NONE
