"""The page without its script: its numbers, its markup, its size, its file."""

import base64
import hashlib
import json
import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import penglm as pg
from penglm.exceptions import FileWriteError, PenglmInputError
from penglm.report.page import rendered
from tests.report.reading import HOSTILE, cells, columns, read, rides, unpacked_path

NONE = "\u2013"
LIMIT = 300_000
# Half a unit of the last of so many digits.
FOUR, FIVE, TWO = 5e-4, 5e-5, 5e-2
# Per sd is from the estimate's five digits, then shown to four.
SCALED = 1.1 * (FOUR + FIVE)


def numbers(texts):
    """Return texts of cells as numbers, NaN where there is a dash."""
    return [np.nan if text == NONE else float(text) for text in texts]


@pytest.fixture(scope="module")
def page(cv):
    """Return the page of a cross-validated model, taken apart."""
    return read(rendered(cv.best, cv))


def test_estimates_are_those_of_the_fit(cv, page):
    shown = columns(page.one("table", id="coefficients"))
    assert list(shown["Column"]) == list(cv.best.params.index)
    assert_allclose(numbers(shown["Estimate"]), cv.best.params, rtol=FIVE)
    assert any(text == "0" for text in shown["Estimate"])


def test_estimates_per_sd_are_those_times_the_spread_of_their_columns(cv, page):
    table = rides()
    spread = table[list("abcde")].std(ddof=0)
    shown = columns(page.one("table", id="coefficients"))
    by_name = dict(zip(shown["Column"], numbers(shown["Per sd"]), strict=True))
    for name in spread.index:
        expected = cv.best.params[name] * spread[name]
        assert_allclose(by_name[name], expected, rtol=SCALED)


def test_signals_and_thresholds_are_those_that_explain_gives(cv, page):
    shown = columns(page.one("table", id="coefficients"))
    frame = cv.best.explain(refit=False).frame()
    assert_allclose(numbers(shown["Signal"])[1:], frame.signal, rtol=FOUR)
    assert_allclose(numbers(shown["Threshold"])[1:], frame.threshold, rtol=FOUR)
    for why, case in zip(shown["Why"][1:], frame.case, strict=True):
        assert why == ("within threshold" if case == "zero" else "above threshold")


# Units lie apart on purpose: signals would not tell them apart otherwise.
@pytest.mark.filterwarnings("ignore::penglm.exceptions.ScalingWarning")
@pytest.mark.parametrize("standardize", [False, "numeric"])
def test_signals_are_in_the_units_that_the_page_says(standardize):
    table = rides()
    table["a"] *= 100.0
    model = pg.glm("claims ~ a + b + d + C(g)", table, standardize=standardize)
    path = model.fit_path(n_alphas=10)
    page = read(rendered(path[4], path))
    frame = path[4].explain(refit=False).frame()
    shown = columns(page.one("table", id="coefficients"))
    assert_allclose(numbers(shown["Signal"])[1:], frame.signal, rtol=FOUR)
    legend = page.one("p", id="coefficients-legend").text
    assert "has to say per unit" in legend or "of 0 and 1 per unit" in legend


def test_a_column_enters_where_the_path_first_has_it(cv, page):
    shown = columns(page.one("table", id="coefficients"))
    for name, text in zip(shown["Column"][1:], shown["Enters at"][1:], strict=True):
        is_in = cv.coef.loc[name].to_numpy() != 0.0
        expected = cv.alphas[is_in].max() if is_in.any() else np.nan
        assert_allclose(numbers([text]), [expected], rtol=FOUR)


def test_reasons_are_the_sentences_of_explain(cv, page):
    reasons = [r for r in cv.best.explain(refit=False).reasons if r.coef == 0.0]
    shown = [item.text for item in page.one("section", id="zeros").all("li")]
    for reason, text in zip(reasons, shown, strict=True):
        assert text.startswith(f"{reason.sentence} On this path it ")


def test_sentences_say_what_the_path_does_with_a_zero(cv, page):
    below = cv.alphas < cv.alpha_best
    kinds = set()
    for item in page.one("section", id="zeros").all("li"):
        name = item.text.split(" is zero: ")[0]
        coef = cv.coef.loc[name].to_numpy()
        is_in = below & (coef != 0.0)
        kinds.add(bool(is_in.any()))
        said = item.text.split(" On this path it ")[1].rstrip(".")
        start, alpha = said.rsplit(" ", 1)
        expected = cv.alphas[is_in].max() if is_in.any() else cv.alphas.min()
        assert_allclose(float(alpha), expected, rtol=FOUR)
        assert start == ("is in at alpha" if is_in.any()
                         else "does not, down to alpha")  # fmt: skip
    assert any(kinds)


def test_rivals_are_those_of_the_fit(cv, page):
    frame = cv.best.rivals(refit=False).frame()
    rows = cells(page.one("table", id="rival-sums"))
    assert {row[0] for row in rows} == set(frame.column)
    for name, alone, said, remaining, threshold, vif in rows:
        of = frame[frame.column == name]
        first = of.iloc[0]
        assert_allclose(
            numbers([alone, remaining, threshold]),
            [first.null_signal, first.signal, first.threshold], rtol=FOUR,
        )  # fmt: skip
        assert_allclose(float(vif), first.vif, rtol=10 * FOUR)
        largest = of.loc[of.claim.abs().idxmax()]
        who, claim = said.split(", ")[0].split("\xa0")
        assert who == largest.rival
        assert_allclose(float(claim), largest.claim, rtol=10 * FOUR)


def test_the_main_rival_is_the_largest_claim_in_the_same_direction(cv, page):
    frame = cv.best.rivals(refit=False).frame()
    frame["ahead"] = frame.claim * np.sign(frame.null_signal)
    shown = columns(page.one("table", id="coefficients"))
    told = dict(zip(shown["Column"], shown["Main rival"], strict=True))
    assert frame.column.nunique() > 0
    for name, of in frame.groupby("column"):
        largest = of.loc[of.ahead.idxmax()]
        who, claim = told[name].rsplit(" (", 1)
        assert who == largest.rival
        assert_allclose(float(claim.rstrip(")")), largest.claim, rtol=FOUR)


def test_the_path_is_the_one_that_was_validated(cv, page):
    shown = columns(page.one("table", id="path"))
    assert_allclose(numbers(shown["alpha"]), cv.alphas, rtol=FOUR)
    assert [int(text) for text in shown["coefficients"]] == cv.n_nonzero.tolist()
    assert_allclose(np.round(100 * cv.deviance_ratio, 2),
                    numbers(shown["% explained"]), rtol=FOUR)  # fmt: skip
    assert_allclose(numbers(shown["held-out deviance"]), cv.mean_score, rtol=FOUR)
    assert_allclose(numbers(shown["standard error"]), cv.std_score, rtol=FOUR)
    assert_allclose(numbers(shown["KKT residual"]), cv.kkt_residual, rtol=TWO)


def test_tenths_are_means_of_rows_left_out(cv, page):
    shown = columns(page.one("table", id="tenths"))
    weight = cv.data.sample_weight
    assert_allclose(sum(numbers(shown["Weight"])), weight.sum(), rtol=FOUR)
    for mean, value in (("Mean fitted", cv.out_of_fold), ("Mean response", cv.data.y)):
        total = np.dot(numbers(shown["Weight"]), numbers(shown[mean]))
        assert_allclose(total, weight @ value, rtol=2 * FOUR)
    fitted = numbers(shown["Mean fitted"])
    assert fitted == sorted(fitted)


def test_the_script_is_given_the_whole_path(cv, page):
    data = json.loads(page.one("script", id="data").text)
    found = unpacked_path(data)
    assert data["alphas"] == cv.alphas.tolist()
    assert cv.alphas[data["chosen"]] == cv.alpha_best
    assert_allclose(found["coef"][0], cv.intercepts, rtol=FIVE)
    assert_allclose(found["coef"][1:], cv.coef.to_numpy(), rtol=FIVE)
    for k in (0, len(cv) // 3, len(cv) - 1):
        frame = cv[k].explain(refit=False).frame()
        assert_allclose(found["signal"][:, k], frame.signal, rtol=FOUR)
        assert_allclose(np.multiply(data["unit"], data["alphas"][k]),
                        frame.threshold, rtol=1e-12)  # fmt: skip


def test_the_words_say_what_was_fitted_and_how_it_was_chosen(cv, page):
    said = page.text
    assert "Poisson lasso for claims" in page.one("head").one("title").text
    assert cv.data.formula in page.one("section", id="model").text
    assert "column years" in page.one("section", id="model").text
    assert "Certified optimal." in said
    choice = page.one("section", id="choice").text
    assert "divided into 5 folds" in choice
    assert "the one-standard-error rule" in choice
    assert "No standard errors" in page.one("section", id="limits").text
    assert f"penglm {pg.__version__}" in page.one("footer").text


def test_factors_and_limits_are_told():
    table = rides()
    model = pg.PenalizedGLM(
        table.claims, table[list("abcde")],
        penalty_factor={"a": 0, "b": np.inf, "c": 2.5}, upper=[9, 9, 9, 9, np.inf],
        lower=-np.inf,
    )  # fmt: skip
    said = read(rendered(model.fit(0.01))).one("section", id="model").text
    assert (
        "1.000 to 2.500 for 3 columns; 0, unpenalised, for 1 column; "
        "\u221e, excluded, for 1 column"
    ) in said
    assert "on the coefficients of 4 columns" in said
    assert "rescales penalty factors" in said


def pages(cv, wide, hostile):
    """Return pages of several kinds by name."""
    table = rides()
    single = pg.glm("claims ~ a + b + C(g)", table, "poisson").fit(0.05)
    free = pg.PenalizedGLM(
        table.claims, table[list("abcde")], penalty_factor={"a": 0, "b": np.inf},
        lower=[-1, -1, 0, 0, 0], upper=[9, 9, 0, 0.001, 9], fit_intercept=False,
        standardize=False,
    )  # fmt: skip
    ridge = free.fit_path(l1_ratio=0.0, n_alphas=5)
    return {
        "cv": rendered(cv.best, cv),
        "wide": rendered(wide.opened_with, wide),
        "hostile": rendered(hostile.opened_with, hostile, title="</title>", note="<i>"),
        "single": rendered(single),
        "empty": rendered(pg.PenalizedGLM(table.claims, table[["a"]]).fit(1e3)),
        "odd": rendered(ridge[-1], ridge),
    }


def test_every_page_is_well_formed_and_says_what_its_parts_are(cv, wide, hostile):
    for page in map(read, pages(cv, wide, hostile).values()):
        found = [each.attributes["id"] for each in page.all()
                 if "id" in each.attributes]  # fmt: skip
        assert len(found) == len(set(found))
        for each in page.all():
            for key in ("aria-labelledby", "aria-describedby", "for"):
                assert set(each.attributes.get(key, "").split()) <= set(found)
            if each.attributes.get("href", "#")[1:]:
                assert each.attributes["href"][1:] in found
            assert not any(key.startswith("on") for key in each.attributes)
            assert "style" not in each.attributes
            assert "src" not in each.attributes
        for table in page.all("table"):
            assert table.one("caption").text
            assert all(each.attributes["scope"] in ("col", "row")
                       for each in table.all("th"))  # fmt: skip
        for picture in page.all("svg"):
            assert picture.attributes["role"] == "img"
            assert picture.one("title").text
        headings = [int(each.kind[1]) for each in page.all()
                    if re.fullmatch("h[1-6]", each.kind)]  # fmt: skip
        assert headings[0] == 1
        assert set(headings[1:]) == {2}


def test_no_page_holds_a_number_that_is_none(cv, wide, hostile):
    for page in map(read, pages(cv, wide, hostile).values()):
        words = re.findall(r"\w+", page.one("main").text.lower())
        assert not {"nan", "none", "inf", "undefined"} & set(words)
        for picture in page.all("svg"):
            for each in picture.all():
                assert "nan" not in "".join(map(str, each.attributes.values()))


def test_the_policy_admits_this_style_and_this_script_alone(page):
    (policy,) = [each.attributes["content"] for each in page.all("meta")
                 if "http-equiv" in each.attributes]  # fmt: skip
    rules = dict(each.strip().split(" ", 1) for each in policy.split(";"))
    assert rules["default-src"] == "'none'"
    for kind, element in (
        ("style", page.one("style")),
        ("script", page.all("script")[1]),
    ):
        digest = hashlib.sha256(element.text.encode()).digest()
        assert rules[f"{kind}-src"] == f"'sha256-{base64.b64encode(digest).decode()}'"


def test_names_change_the_text_of_a_page_and_nothing_else(hostile):
    X = pd.DataFrame(hostile.data.design.X,
                     columns=[f"tame {j}" for j in range(len(HOSTILE))])  # fmt: skip
    y = pd.Series(hostile.data.y, name="tame")
    tame = pg.PenalizedGLM(y, X).fit_path(n_alphas=20)
    ours = read(rendered(hostile.opened_with, hostile))
    assert ours.shape == read(rendered(tame.opened_with, tame)).shape
    shown = columns(ours.one("table", id="coefficients"))["Column"][1:]
    for name, text in zip(HOSTILE, shown, strict=True):
        if len(name) < 120 and name.isprintable():
            assert text == name


def test_levels_and_formulas_are_data_too():
    table = rides()
    names = dict(zip(["one", "two", "three"], HOSTILE, strict=False))
    table["<g>"] = table.g.map(names)
    path = pg.glm("claims ~ a + C(Q('<g>'))", table, "poisson").fit_path(n_alphas=9)
    page = read(rendered(path[-1], path))
    assert len(page.all("script")) == 2
    assert not page.all("img")
    shown = columns(page.one("table", id="coefficients"))["Column"]
    assert list(shown[1:]) == list(path.data.names)
    assert page.one("code").text == path.data.formula


def test_two_hundred_columns_at_a_hundred_strengths_are_shown_whole(wide):
    said = rendered(wide.opened_with, wide)
    assert len(said.encode()) <= LIMIT
    page = read(said)
    assert len(cells(page.one("table", id="coefficients"))) == 201
    assert len(cells(page.one("table", id="path"))) == 100
    assert "not shown" not in page.text
    found = unpacked_path(json.loads(page.one("script", id="data").text))
    assert_allclose(found["coef"][1:], wide.coef.to_numpy(), rtol=FIVE)


def test_what_is_too_much_for_a_page_is_left_out_and_said():
    rng = np.random.default_rng(1)
    names = [f"{j} " + "a name that takes its time " * 3 for j in range(3000)]
    X = pd.DataFrame(rng.normal(size=(100, 3000)), columns=names)
    y = X.iloc[:, 5] - X.iloc[:, 2999] + rng.normal(size=100)
    path = pg.PenalizedGLM(y, X).fit_path(n_alphas=60)
    said = rendered(path.opened_with, path)
    assert len(said.encode()) <= LIMIT
    page = read(said)
    n_shown = len(cells(page.one("table", id="coefficients"))) - 1
    assert f"{3000 - n_shown} of 3000 columns are not shown" in page.text
    shown = columns(page.one("table", id="coefficients"))["Column"]
    assert {path.data.names[j] for j in path.opened_with.support} <= set(shown)


def test_more_strengths_than_a_page_holds_are_thinned_out_around_the_chosen():
    table = rides()
    model = pg.PenalizedGLM(table.claims, table[list("abcde")])
    path = model.fit_path(model.alpha_max() * np.logspace(0, -2, 300))
    page = read(rendered(path[101], path))
    alphas = numbers(columns(page.one("table", id="path"))["alpha"])
    assert f"{len(alphas)} of the 300 strengths" in page.text
    data = json.loads(page.one("script", id="data").text)
    assert data["alphas"][data["chosen"]] == path.alphas[101]


def test_a_strength_between_two_of_the_path_is_solved_and_shown(cv):
    alpha = float(np.sqrt(cv.alphas[3] * cv.alphas[4]))
    page = read(rendered(cv.at(alpha), cv))
    assert len(cells(page.one("table", id="path"))) == len(cv) + 1
    data = json.loads(page.one("script", id="data").text)
    assert data["alphas"][data["chosen"]] == alpha
    assert cells(page.one("table", id="path"))[4][3] == NONE


def test_the_same_fit_gives_the_same_bytes(cv):
    assert rendered(cv.best, cv) == rendered(cv.best, cv)


def test_what_is_not_optimal_says_so():
    table = rides()
    model = pg.PenalizedGLM(table.claims, table[list("abcde")], "poisson")
    with pytest.warns(pg.exceptions.ConvergenceWarning):
        fit = model.fit(1e-3, max_iter=1)
    page = read(rendered(fit))
    assert page.one("p", **{"class": "verdict bad"}).text.startswith("Not certified.")


def test_counts_that_vary_more_are_told():
    rng = np.random.default_rng(0)
    table = rides()
    table["claims"] = table.claims * rng.gamma(1.0, 4.0, len(table)).round()
    fit = pg.glm("claims ~ a + b", table, "poisson").fit(0.1)
    assert fit.dispersion() > 2
    assert "times as much as the Poisson family" in rendered(fit)


def test_a_model_file_has_a_page_without_reasons(tmp_path):
    fit = pg.glm("claims ~ a + b + C(g)", rides(), "poisson").fit(0.2)
    fit.save(tmp_path / "model.json")
    pg.load(tmp_path / "model.json").report(tmp_path / "page.html")
    page = read((tmp_path / "page.html").read_text())
    shown = columns(page.one("table", id="coefficients"))
    assert_allclose(numbers(shown["Estimate"]), fit.params, rtol=FIVE)
    assert list(shown) == ["Column", "Estimate"]
    assert "read from a file" in page.text


def test_a_page_for_a_folder_that_is_not_there_is_a_named_error(cv, tmp_path):
    with pytest.raises(FileWriteError, match=r"could not write page\.html: no such"):
        cv.report(tmp_path / "nowhere" / "page.html")


def test_a_page_appears_wholly_or_not_at_all(cv, tmp_path, monkeypatch):
    target = tmp_path / "page.html"
    target.write_text("old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("penglm.writing.os.fsync", full)
    with pytest.raises(FileWriteError, match=r"could not write page\.html: no space"):
        cv.report(target)
    assert target.read_text() == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["page.html"]


def test_reports_of_fit_path_and_folds_open_with_what_they_say(cv, tmp_path):
    path = cv[:]
    for about, alpha in (
        (cv, cv.alpha_best),
        (cv.best, cv.alpha_best),
        (path, path.select("bic").alpha),
    ):
        about.report(tmp_path / "page.html", title="Our claims", note="For the board")
        page = read((tmp_path / "page.html").read_text())
        data = json.loads(page.one("script", id="data").text)
        assert data["alphas"][data["chosen"]] == alpha
        assert page.one("h1").text == "Our claims"
        assert page.one("p", **{"class": "note"}).text == "For the board"
    cv.report(tmp_path / "page.html", alpha=cv.alphas[2])
    data = json.loads(read((tmp_path / "page.html").read_text())
                      .one("script", id="data").text)  # fmt: skip
    assert data["chosen"] == 2


def test_a_title_as_long_as_a_book_is_refused(cv, tmp_path):
    with pytest.raises(PenglmInputError, match="title has 3000 letters"):
        cv.report(tmp_path / "page.html", title="x" * 3000)
