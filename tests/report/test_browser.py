"""The page in a browser: its slider, its tables, its looks, and what it refuses."""

import dataclasses
import json

import numpy as np
import pytest
from numpy.testing import assert_allclose

import penglm as pg
from penglm.report import tables
from penglm.report.along import gather
from penglm.report.page import rendered
from tests.report.reading import HOSTILE, cells, read, rides

FIVE = 5e-5
# The least contrast of text of WCAG 2.2, level AA (success criterion 1.4.3).
CONTRAST = 4.5
# What is seen of a table, row by row.
SEEN = """[...document.querySelectorAll('#{} tbody tr')]
  .filter(row => !row.hidden)
  .map(row => [...row.cells].map(cell => cell.textContent))"""


@pytest.fixture
def opened(browser, tmp_path):
    """Return a function that opens a page and returns the browser."""

    def open_page(fit, path=None, **words):
        file = tmp_path / "page.html"
        file.write_text(rendered(fit, path, **words), encoding="utf-8")
        browser.ask("Emulation.setScriptExecutionDisabled", value=False)
        browser.resize(1100)
        browser.colours("light")
        browser.open(file)
        return browser

    return open_page


def seen(browser, table):
    """Return the texts of the rows of a table that are not hidden."""
    return browser.run(SEEN.format(table))


def static(fit, path, k):
    """Return the rows that a page without a script has at a strength."""
    along = gather(fit, path)
    there = dataclasses.replace(along, chosen=k)
    at = dataclasses.replace(fit, solution=along.solutions[k])
    table = read(tables.coefficients(there, at)).one("table")
    return cells(table)


def test_opening_asks_for_nothing_and_complains_of_nothing(opened, cv):
    browser = opened(cv.best, cv)
    assert len(browser.requests) == 1
    assert browser.requests[0].startswith("file:")
    assert browser.complaints == []


def test_the_script_leaves_the_page_as_it_was_written(opened, cv):
    browser = opened(cv.best, cv)
    written = read(rendered(cv.best, cv))
    for table in ("coefficients", "path"):
        assert seen(browser, table) == cells(written.one("table", id=table))


def test_keys_move_the_slider_and_the_table_follows(opened, cv):
    browser = opened(cv.best, cv)
    start = int(np.flatnonzero(cv.alphas == cv.alpha_best)[0])
    browser.run("document.getElementById('slider').focus()")
    for key, times, k in (
        ("ArrowRight", 7, start + 7), ("End", 1, len(cv) - 1),
        ("ArrowLeft", 3, len(cv) - 4), ("Home", 1, 0),
    ):  # fmt: skip
        browser.press(key, times)
        rows = seen(browser, "coefficients")
        assert rows == static(cv.best, cv, k)
        assert_allclose([float(row[1]) for row in rows], cv[k].params, rtol=FIVE)
        readout = browser.run("document.getElementById('readout').textContent")
        assert f"alpha {rows[1][4]}" in readout
        spoken = browser.run(
            "document.getElementById('slider').getAttribute('aria-valuetext')"
        )
        assert spoken == f"alpha {rows[1][4]}, coefficients {cv.n_nonzero[k]}"
    browser.run("document.getElementById('back').click()")
    assert seen(browser, "coefficients") == static(cv.best, cv, start)


# Units from 1e-7 to 1e150 make the large and tiny numbers.
@pytest.mark.filterwarnings("ignore::penglm.exceptions.ScalingWarning")
def test_large_and_tiny_numbers_are_the_same_with_and_without_a_script(opened):
    table = rides()
    X = table[list("abcde")] * [1e-7, 1e9, 12345.678, 1.0, 1e150]
    path = pg.PenalizedGLM(1e5 * table.claims, X, standardize=False).fit_path(
        l1_ratio=0.5, n_alphas=8
    )
    browser = opened(path[-1], path)
    slider = "document.getElementById('slider')"
    for k in range(len(path)):
        browser.run(f"{slider}.value = {k}; {slider}.dispatchEvent(new Event('input'))")
        assert seen(browser, "coefficients") == static(path[-1], path, k)


def test_the_readout_has_the_score_of_every_strength(opened, cv):
    browser = opened(cv.best, cv)
    browser.run("document.getElementById('slider').focus()")
    browser.press("End")
    said = browser.run(
        "[...document.querySelectorAll('#readout b')].map(each => each.textContent)"
    )
    assert_allclose(
        [float(each) for each in said[:5]],
        [cv.alphas[-1], cv.n_nonzero[-1], 100 * cv.deviance_ratio[-1],
         cv.mean_score[-1], cv.std_score[-1]], rtol=1e-3,
    )  # fmt: skip
    live = browser.run("document.getElementById('readout').getAttribute('aria-live')")
    assert live == "polite"


def test_the_line_in_the_pictures_stands_at_the_strength_shown(opened, cv):
    browser = opened(cv.best, cv)
    browser.run("document.getElementById('slider').focus()")
    lines = "[...document.querySelectorAll('.cursor')].map(l => l.getAttribute('x1'))"
    browser.press("Home")
    first = browser.run(lines)
    browser.press("End")
    last = browser.run(lines)
    assert len(first) == len(last) == 2
    assert len({*first}) == len({*last}) == 1
    assert float(first[0]) < float(last[0])


def test_a_click_in_a_picture_goes_to_the_strength_there(opened, cv):
    browser = opened(cv.best, cv)
    browser.run("document.getElementById('path-picture').scrollIntoView()")
    place = json.loads(browser.run(
        "(() => { const b = document.querySelector('#path-picture .axis')"
        ".getBoundingClientRect(); return JSON.stringify([b.right, b.top]); })()"
    ))  # fmt: skip
    where = {"x": place[0], "y": place[1] - 60, "button": "left", "clickCount": 1}
    for kind in ("mousePressed", "mouseReleased"):
        browser.ask("Input.dispatchMouseEvent", type=kind, **where)
    assert seen(browser, "coefficients") == static(cv.best, cv, len(cv) - 1)


def test_headings_sort_by_value_and_say_so(opened, cv):
    browser = opened(cv.best, cv)
    heading = "document.querySelector('#coefficients th[data-kind=coef]')"
    for direction, sign in (("ascending", 1), ("descending", -1)):
        browser.run(f"{heading}.firstChild.focus()")
        browser.press("Enter")
        assert browser.run(f"{heading}.getAttribute('aria-sort')") == direction
        values = [sign * float(row[1]) for row in seen(browser, "coefficients")]
        assert values == sorted(values)
    # What has no value comes last, whichever way.
    browser.run(
        "document.querySelector('#coefficients th[data-kind=sd]').firstChild.click()"
    )
    assert seen(browser, "coefficients")[-1][0] == "Intercept"


def test_a_sorted_table_still_follows_the_slider(opened, cv):
    browser = opened(cv.best, cv)
    browser.run(
        "document.querySelector('#coefficients th[data-kind=coef]').firstChild.click()"
    )
    browser.run("document.getElementById('slider').focus()")
    browser.press("End")
    rows = {row[0]: row for row in seen(browser, "coefficients")}
    assert rows == {row[0]: row for row in static(cv.best, cv, len(cv) - 1)}


def test_columns_are_found_by_name_and_by_being_in_the_model(opened, cv):
    browser = opened(cv.best, cv)
    browser.run(
        "(() => { const s = document.getElementById('search'); s.value = 'c(G)';"
        " s.dispatchEvent(new Event('input')); })()"
    )
    assert {row[0] for row in seen(browser, "coefficients")} == {
        name for name in cv.data.names if name.startswith("C(g)")
    }
    browser.run(
        "(() => { const s = document.getElementById('search'); s.value = '';"
        " document.getElementById('only').click(); })()"
    )
    shown = {row[0] for row in seen(browser, "coefficients")}
    assert shown == set(cv.best.params.index[cv.best.params != 0.0])
    assert browser.run("document.getElementById('found').textContent") == (
        f"{len(shown)} of {len(cv.best.params)} rows"
    )


def test_names_that_would_be_code_are_text(opened, hostile):
    browser = opened(hostile.opened_with, hostile, title=HOSTILE[2], note=HOSTILE[1])
    browser.run("document.getElementById('slider').focus()")
    browser.press("End")
    browser.press("Home")
    assert browser.run("typeof window.hit") == "undefined"
    assert browser.run("document.querySelectorAll('script').length") == 2
    assert browser.run("document.querySelectorAll('img, iframe, object').length") == 0
    assert browser.run("document.querySelector('h1').textContent") == HOSTILE[2]
    assert len(browser.requests) == 1
    assert browser.complaints == []


def test_code_that_got_in_all_the_same_would_not_run(opened, cv):
    browser = opened(cv.best, cv)
    browser.run(
        "(() => { const s = document.createElement('script');"
        " s.textContent = 'window.hit = 1'; document.body.append(s);"
        " const d = document.createElement('div');"
        " d.innerHTML = '<img src=x onerror=\"window.hit = 1\">';"
        " document.body.append(d); })()"
    )
    browser.run("new Promise(done => setTimeout(done, 50))")
    assert browser.run("typeof window.hit") == "undefined"
    assert any("Content Security Policy" in each for each in browser.complaints)


def test_without_a_script_there_are_tables_and_no_slider(browser, cv, tmp_path):
    file = tmp_path / "page.html"
    cv.report(file)
    browser.resize(1100)
    browser.ask("Emulation.setScriptExecutionDisabled", value=True)
    browser.open(file)
    rows = seen(browser, "coefficients")
    shown = browser.run("document.getElementById('strength').checkVisibility()")
    browser.ask("Emulation.setScriptExecutionDisabled", value=False)
    assert rows == static(cv.best, cv, int(np.argmax(cv.alphas == cv.alpha_best)))
    assert shown is False


@pytest.mark.parametrize("name", ["cv", "hostile"])
@pytest.mark.parametrize("width", [320, 400])
def test_a_phone_scrolls_down_only(opened, request, name, width):
    path = request.getfixturevalue(name)
    browser = opened(path.opened_with, path)
    browser.resize(width)
    assert browser.run("document.documentElement.scrollWidth") <= width


CONTRASTS = """(() => {
  const light = c => { const [r, g, b] = c.match(/[\\d.]+/g).slice(0, 3).map(v => {
      v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const paper = light(getComputedStyle(document.body).backgroundColor);
  const out = {};
  for (const at of ['body', '.lede', '.legend', '.verdict b', 'nav a', 'dt', 'caption',
      'figcaption', 'tr.out td', 'summary', 'footer p', '#readout',
      '.strength label']) {
    const ink = light(getComputedStyle(document.querySelector(at)).color);
    out[at] = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
  }
  for (const at of document.querySelectorAll('svg text')) {
    const ink = light(getComputedStyle(at).fill);
    out[at.getAttribute('class')] =
      (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
  }
  return out; })()"""


def test_text_can_be_read_by_day_and_by_night(opened, cv):
    browser = opened(cv.best, cv)
    papers = []
    for scheme in ("light", "dark"):
        browser.colours(scheme)
        papers.append(browser.run("getComputedStyle(document.body).backgroundColor"))
        for where, contrast in browser.run(CONTRASTS).items():
            assert contrast >= CONTRAST, (scheme, where)
    assert papers[0] != papers[1]


def test_what_the_keyboard_is_at_can_be_seen(opened, cv):
    browser = opened(cv.best, cv)
    reached = set()
    for _ in range(40):
        browser.press("Tab")
        at = browser.run(
            "[document.activeElement.id || document.activeElement.tagName,"
            " getComputedStyle(document.activeElement).outlineStyle]"
        )
        reached.add(at[0])
        assert at[1] != "none" or at[0] == "BODY"
    assert {"slider", "search", "only", "A", "BUTTON", "SUMMARY"} <= reached


def test_every_line_carries_its_name_so_that_colour_is_not_needed(opened, cv):
    browser = opened(cv.best, cv)
    names = browser.run(
        "[...document.querySelectorAll('#path-picture .end-name')]"
        ".map(each => each.textContent)"
    )
    moves = np.any(cv.coef.to_numpy() != 0.0, axis=1)
    assert sorted(names) == sorted(np.array(cv.data.names)[moves])
    assert browser.run("document.querySelectorAll('#path-picture .leader').length") == (
        len(names)
    )
