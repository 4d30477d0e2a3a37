"""Pages taken apart, and rows to write pages about."""

from html.parser import HTMLParser

import numpy as np
import pandas as pd

from penglm.report.digits import COEFFICIENTS, LETTERS, SIGNALS

VOID = {"meta", "input", "br", "link", "img", "hr"}
HOSTILE = [
    "<script>window.hit = 1</script>",
    '"><img src=x onerror="window.hit = 1">',
    "</script><script>window.hit = 1</script>",
    "<!-- <script> ]]>",
    "a\u2028b\u2029c",
    "{{constructor.constructor('window.hit = 1')()}} ${window.hit = 1} $data",
    "' onmouseover='window.hit = 1",
    "\u202egnp.exe\u202c \u05e9\u05dc\u05d5\u05dd",
    "&lt;b&gt; &amp; \\u003c",
    "long " * 200,
    "tab\tnul\x00esc\x1b",
]


class Element:
    """An element of a page that was read."""

    def __init__(self, kind, attributes):
        self.kind, self.attributes, self.inside = kind, dict(attributes), []

    def all(self, kind=None, **wanted):
        """Return the elements within, in order."""
        out = []
        for each in self.inside:
            if isinstance(each, Element):
                fits = kind in (None, each.kind)
                if fits and wanted.items() <= each.attributes.items():
                    out.append(each)
                out += each.all(kind, **wanted)
        return out

    def one(self, kind=None, **wanted):
        """Return the only one of them."""
        (found,) = self.all(kind, **wanted)
        return found

    @property
    def text(self):
        """All text within."""
        return "".join(each if isinstance(each, str) else each.text
                       for each in self.inside)  # fmt: skip

    @property
    def shape(self):
        """Kinds and names of attributes, all the way down."""
        inside = [each.shape for each in self.inside if isinstance(each, Element)]
        return self.kind, sorted(self.attributes), inside


class Reader(HTMLParser):
    """A page as elements; it raises where one does not end where it should."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.open = [Element("document", [])]
        self.feed(page)
        self.close()
        assert len(self.open) == 1, f"<{self.open[-1].kind}> has no end"

    def handle_starttag(self, tag, attrs):
        names = [key for key, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> has an attribute twice"
        element = Element(tag, attrs)
        self.open[-1].inside.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag):
        assert self.open.pop().kind == tag

    def handle_data(self, data):
        self.open[-1].inside.append(data)


def read(page):
    """Return a page taken apart."""
    return Reader(page).open[0]


def cells(table):
    """Return the texts of a table's body, row by row."""
    (body,) = table.all("tbody")
    return [
        [each.text for each in row.inside if isinstance(each, Element)]
        for row in body.all("tr")
    ]


def columns(table):
    """Return the texts of a table's body by heading."""
    headings = [each.text for each in table.one("thead").all("th")]
    return dict(zip(headings, zip(*cells(table), strict=True), strict=True))


def unpacked(packing, top, letters):
    """Return packed numbers, read as the format is documented."""
    out = []
    for k in range(0, len(letters), packing.width):
        code = 0
        for letter in letters[k : k + packing.width]:
            code = 64 * code + LETTERS.index(letter)
        if code == 0:
            out.append(0.0)
            continue
        drop_and_sign, mantissa = divmod(code - 1, packing.span)
        drop, is_negative = divmod(drop_and_sign, 2)
        digits = mantissa + 10 ** (packing.digits - 1)
        exponent = top - drop - packing.digits + 1
        out.append(float(f"{'-' if is_negative else ''}{digits}e{exponent}"))
    return out


def unpacked_path(data):
    """Return coefficients and signals that a page has for its script."""
    m = len(data["alphas"])
    coef = np.zeros((len(data["coef"]), m))
    for row, (start, top, letters) in zip(coef, data["coef"], strict=True):
        values = unpacked(COEFFICIENTS, top, letters)
        row[start : start + len(values)] = values
    signal = [np.full(m, np.nan) if each is None else unpacked(SIGNALS, *each)
              for each in data["signal"]]  # fmt: skip
    return {"coef": coef, "signal": np.array(signal)}


def rides(n=400):
    """Return counts that some columns and one factor speak for."""
    rng = np.random.default_rng(42)
    table = pd.DataFrame(rng.normal(size=(n, 5)), columns=["a", "b", "c", "d", "e"])
    table["b"] = 0.7 * table.a + 0.7 * table.b
    table["g"] = np.resize(["one", "two", "three"], n)
    table["years"] = rng.uniform(1, 2, n)
    eta = 0.6 * table.a - 0.3 * table.c + 0.4 * (table.g == "two")
    table["claims"] = rng.poisson(table.years * np.exp(eta))
    return table
