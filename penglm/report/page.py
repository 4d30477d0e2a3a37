"""The page: everything gathered, drawn and said, joined and measured."""

import base64
import hashlib
import json
import platform
from dataclasses import dataclass, field, replace
from importlib import metadata, resources
from pathlib import Path
from string import Template
from typing import Any

import numpy as np

import penglm
from penglm._typing import Vector
from penglm.exceptions import PenglmInputError
from penglm.explanation.reason import Case, Reason
from penglm.explanation.rivals import Claimed
from penglm.report import pictures, script, tables, words
from penglm.report.along import Along, gather
from penglm.report.claims import claimed
from penglm.report.digits import shown
from penglm.report.markup import name, shortened, tag, text
from penglm.report.pictures import Axis, Tenths
from penglm.results.cross_validation import CVResults
from penglm.results.explained import NOWHERE
from penglm.results.fit import FitResults
from penglm.results.path import PathResults
from penglm.writing import write

LIMIT = 300_000
"""Bytes that a page never exceeds."""
# Columns of a page that was too large are reduced by this.
FEWER = 0.75
LONGEST_FORMULA = 2000
MOST_SENTENCES = 60
PACKAGES = ("numpy", "scipy")


def report(
    fit: FitResults,
    path: PathResults | None,
    file: Any,
    *,
    title: str | None = None,
    note: str | None = None,
) -> None:
    """Write a page about a fit; an older file is replaced in one step or not at all.

    Parameters
    ----------
    fit : FitResults
        The model the page opens with.
    path : PathResults, optional
        The path it is from, for a slider.
    file : path-like
    title, note : str, optional
        The heading in place of penglm's, and a line below it.

    Raises
    ------
    FileWriteError
        If the file could not be written; an older one is then unchanged.
    """
    write(rendered(fit, path, title=title, note=note).encode(), Path(file))


def rendered(
    fit: FitResults,
    path: PathResults | None = None,
    *,
    title: str | None = None,
    note: str | None = None,
) -> str:
    """Return the page as text, no longer than ``LIMIT`` bytes.

    The same fit gives the same text: there is no date in it but what a note says.
    """
    for argument, value in (("title", title), ("note", note)):
        if value is not None and len(value) > LONGEST_FORMULA:
            raise PenglmInputError(
                f"{argument} has {len(value)} letters; a page takes up to "
                f"{LONGEST_FORMULA}.",
                argument=argument,
            )
    along = gather(fit, path)
    sums, n_more = claimed(fit, along)
    page = Page(fit, path, along, title or words.title(fit), note, sums, n_more)
    said = page.markup
    while len(said.encode()) > LIMIT and len(page.along.names) > 1:
        page.along = page.along.narrowed(int(FEWER * len(page.along.names)))
        shown_names = set(page.along.names)
        sums = [one for one in page.sums if one.name in shown_names]
        page.n_more_sums += len(page.sums) - len(sums)
        page.sums = sums
        said = page.markup
    return said


@dataclass
class Page:
    """What a page is about.

    Attributes
    ----------
    fit : FitResults
    path : PathResults or None
    along : Along
    title : str
    note : str or None
    sums : list of Claimed
    n_more_sums : int
    """

    fit: FitResults
    path: PathResults | None
    along: Along
    title: str
    note: str | None
    sums: list[Claimed]
    n_more_sums: int
    contents: list[tuple[str, str]] = field(default_factory=list)

    @property
    def markup(self) -> str:
        """The whole document."""
        self.contents = []
        style, code = part("page.css"), part("page.js")
        axis = Axis.of(self.along.alphas)
        sections = [
            self.model(), self.choice(axis), self.coefficients(axis), self.zeros(),
            self.rivals(), self.rows(), self.remarks(),
        ]  # fmt: skip
        x: list[float | None] = [None] * self.along.alphas.size
        if axis is not None:
            x = axis.places(self.along.alphas)
        is_sound, verdict, said = words.certificate(self.fit)
        return Template(part("page.html")).substitute(
            policy=policy(style, code),
            version=text(penglm.__version__),
            style=style,
            script=code,
            title=text(shortened(self.title)),
            heading=tag("bdi", text(self.title)),
            note=tag("p", text(self.note), class_="note") if self.note else "",
            lede=text(words.lede(self.fit)),
            verdict=tag("p", tag("b", text(verdict)), " ", text(said),
                        class_="verdict" if is_sound else "verdict bad"),
            contents="".join(
                tag("li", tag("a", text(called), href=f"#{key}"))
                for key, called in self.contents
            ),
            sections="\n".join(each for each in sections if each),
            footer=tag("p", text(self.versions)),
            data=as_data(script.data(self.along, self.fit, x)),
        )  # fmt: skip

    def section(self, key: str, called: str, *inside: str) -> str:
        """Return a section and enter it in the contents."""
        self.contents.append((key, called))
        return tag(
            "section", tag("h2", text(called), id=f"{key}-heading"), *inside,
            id=key, aria_labelledby=f"{key}-heading",
        )  # fmt: skip

    def model(self) -> str:
        """Say what was fitted."""
        fit, spec, data = self.fit, self.fit.spec, self.fit.data
        facts = [("Response", name(data.y_name))]
        if data.y_levels is not None:
            low, high = data.y_levels
            facts[0] = (
                "Response",
                f"{name(data.y_name)}: 1 is {name(high)}, 0 is {name(low)}",
            )
        if data.formula is not None:
            formula = shortened(data.formula, LONGEST_FORMULA)
            facts.append(("Formula", tag("code", tag("bdi", text(formula)))))
            facts.append(("Coding of factors", text(spec.coding)))
        intercept = "no intercept"
        if spec.fit_intercept:
            intercept = "and an intercept that is not penalised"
        facts += [
            ("Family and link", text(f"{words.family(fit)}, {spec.family.link.name}")),
            ("Penalty", text(f"{words.penalty(fit)} (l1_ratio = {fit.l1_ratio:g})")),
            ("Minimised", text(words.objective(fit))),
            ("Standardised", words.STANDARDIZED[spec.standardize]),
            ("Observations", f"{fit.nobs:,.10g}"),
            ("Columns", f"{fit.coef.size:,}, {intercept}"),
        ]
        for called, said in (
            ("Penalty factors", words.factors(fit)),
            ("Limits", words.limits(fit)),
        ):
            if said is not None:
                facts.append((called, text(said)))
        for argument, column in data.beside.items():
            given = f"column {name(column)}" if column else "an array"
            facts.append((text(argument.replace("_", " ").capitalize()), given))
        known = "estimated with the fit" if spec.n_estimated else "given"
        for called, value in spec.family.parameters.items():
            facts.append((text(called), f"{shown(value, 6)} ({known})"))
        left, null = words.large(fit.deviance), words.large(fit.null_deviance)
        facts.append(("Deviance", f"{left}; {null} of the intercept alone"))
        facts.append(("In glmnet's words", text(words.elsewhere(fit))))
        items = "".join(tag("dt", key) + tag("dd", value) for key, value in facts)
        return self.section(
            "model", "What was fitted", tag("dl", items, class_="facts")
        )

    def choice(self, axis: Axis | None) -> str:
        """Say how the strength was chosen."""
        said = [tag("p", text(each)) for each in words.choice(self.fit, self.path)]
        if isinstance(self.path, CVResults) and axis is not None:
            said.append(figure(
                pictures.scores(self.path, self.along, axis),
                "Cross-validation. The band is one standard error either way; dashed "
                "lines are the two choices, the solid line is the strength shown.",
                "along wide-picture",
            ))  # fmt: skip
        return self.section("choice", "How alpha was chosen", *said)

    def coefficients(self, axis: Axis | None) -> str:
        """Show coefficients at the chosen strength and along the path."""
        along, said = self.along, []
        if len(along.solutions) > 1:
            said.append(slider(along))
        if axis is not None and np.any(along.coef != 0.0):
            unit = words.UNITS[self.fit.spec.standardize]
            picture, n_missing = pictures.coefficients(along, axis, unit)
            caption = (
                "Coefficients along the path, as they are penalised. Lines differ by "
                "dash and carry names; the solid upright line is the strength shown."
            )
            if n_missing:
                caption += f" {n_missing} that reach less far are not drawn."
            said.append(figure(picture, caption, "along wide-picture"))
        said += [tag("p", text(each)) for each in words.left_out(along)]
        said += [TOOLS, tables.coefficients(along, self.fit)]
        if len(along.solutions) > 1:
            path = tables.path(along, self.fit, self.path)
            said.append(tag("details", tag("summary", "The path in numbers"), path))
        return self.section("coefficients-section", "Coefficients", *said)

    def zeros(self) -> str:
        """Read the conditions of the zero coefficients aloud."""
        reasons = [(j, one) for j, one in enumerate(self.along.reasons)
                   if one.coef == 0.0]  # fmt: skip
        if not reasons:
            return ""
        reasons.sort(key=lambda each: each[1].case is not Case.ZERO)
        items = [
            tag("li", text(said_of(one) + words.further_down(self.along, j)))
            for j, one in reasons[:MOST_SENTENCES]
        ]
        said = [tag("ul", *items)]
        if reasons[MOST_SENTENCES:]:
            n = len(reasons) - MOST_SENTENCES
            said.append(tag("p", f"And {n} more, in the table above.", class_="quiet"))
        lead = f"At alpha = {shown(self.fit.alpha)}, by the optimality conditions:"
        if len(reasons) > 12:
            said = [tag("details", tag("summary", f"{len(reasons)} reasons"), *said)]
        return self.section("zeros", "Why coefficients are zero",
                            tag("p", text(lead)), *said)  # fmt: skip

    def rivals(self) -> str:
        """Show who says what in place of zero coefficients."""
        if not self.sums:
            return ""
        said = [tables.rivals(self.sums, self.fit.alpha)]
        if self.n_more_sums:
            said.append(tag(
                "p", f"{self.n_more_sums} columns with less to say are left out.",
                class_="quiet"))  # fmt: skip
        return self.section("rivals", "Who says it instead", *said)

    def rows(self) -> str:
        """Show how the model fits its rows."""
        fit, data = self.fit, self.fit.data
        if data.y.size == 0 or fit.status in NOWHERE:
            return ""
        fitted, where = fit.fittedvalues, "of the rows fitted"
        if isinstance(self.path, CVResults) and fit.alpha == self.path.alpha_best:
            fitted, where = self.path.out_of_fold, "of rows left out"
        if not all_finite(fitted, fit.fittedvalues, fit.resid_deviance):
            return ""
        tenths = Tenths.of(fitted, data.y, data.sample_weight)
        both = [
            figure(pictures.calibration(tenths),
                   f"Calibration {where}: each dot is a tenth of the weight; on the "
                   "dashed line response and fitted value are equal."),
            figure(pictures.residuals(fit.fittedvalues, fit.resid_deviance,
                                      data.sample_weight),
                   "Deviance residuals: their mean in groups of rows of like fitted "
                   "mean, the middle four fifths shaded."),
        ]  # fmt: skip
        numbers = tag("details", tag("summary", "The tenths in numbers"),
                      tables.tenths(tenths, where))  # fmt: skip
        return self.section("rows", "How well it fits",
                            tag("div", *both, class_="pair"), numbers)  # fmt: skip

    def remarks(self) -> str:
        """Say what to keep in mind."""
        said = words.remarks(self.fit, self.path)
        items = (tag("li", text(each)) for each in said)
        return self.section("limits", "What to keep in mind", tag("ul", *items))

    @property
    def versions(self) -> str:
        """What the page was made with."""
        others = [f"{each} {metadata.version(each)}" for each in PACKAGES]
        made = f"penglm {penglm.__version__}, Python {platform.python_version()}"
        return f"Made with {made}, {', '.join(others)}. This page loads nothing."


def said_of(reason: Reason) -> str:
    """Return a reason's sentence with its name short and printable."""
    return replace(reason, name=shortened(reason.name)).sentence


def all_finite(*values: Vector) -> bool:
    """Return whether there is a picture to draw."""
    return all(bool(np.isfinite(each).all()) for each in values)


def figure(picture: str, caption: str, look: str | None = None) -> str:
    """Return a picture with what it shows."""
    return tag("figure", picture, tag("figcaption", text(caption)), class_=look)


def slider(along: Along) -> str:
    """Return the slider, hidden until the script shows it."""
    return tag(
        "div",
        tag("div",
            tag("label", "Penalty strength", for_="slider"),
            f'<input type="range" id="slider" min="0" max="{len(along.solutions) - 1}" '
            f'step="1" value="{along.chosen}" aria-describedby="slider-words">',
            tag("button", "Back to the chosen", type="button", id="back"),
            class_="row"),
        tag("output", id="readout", for_="slider", aria_live="polite"),
        tag("span", "Left is the strongest penalty. Table and pictures follow.",
            id="slider-words", class_="unseen"),
        id="strength", class_="strength", hidden=True,
    )  # fmt: skip


TOOLS = (
    '<div class="tools" id="tools" hidden>'
    '<label>Find a column <input type="search" id="search"></label>'
    '<label><input type="checkbox" id="only"> Only those in the model</label>'
    '<span id="found" role="status"></span></div>'
)


def part(called: str) -> str:
    """Return a file that belongs to the page."""
    return resources.files("penglm.report").joinpath(called).read_text("utf-8")


def policy(style: str, script: str) -> str:
    """Return the content policy: this style, this script, and nothing else."""
    return (
        f"default-src 'none'; style-src {hash_of(style)}; "
        f"script-src {hash_of(script)}; base-uri 'none'; form-action 'none'"
    )


def hash_of(content: str) -> str:
    """Return a source that admits exactly one inline element."""
    digest = hashlib.sha256(content.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def as_data(document: Any) -> str:
    """Return JSON that cannot end its own element, nor be read as anything else."""
    said = json.dumps(document, separators=(",", ":"), allow_nan=False)
    for letter in "<>&":
        said = said.replace(letter, f"\\u{ord(letter):04x}")
    return said
