"""Names are data, whatever they look like."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penglm.report import markup
from penglm.report.page import as_data


def test_text_and_attributes_are_escaped():
    said = markup.tag("p", markup.text("<b> & \"q\" 'a'"), title='"><script>')
    assert said == (
        '<p title="&quot;&gt;&lt;script&gt;">'
        "&lt;b&gt; &amp; &quot;q&quot; &#x27;a&#x27;</p>"
    )


@pytest.mark.parametrize("letter", ["\x00", "\x1b", "\x85", "\ufffe", "\ud800"])
def test_what_no_page_may_hold_is_replaced(letter):
    said = markup.text(f"a{letter}b")
    assert letter not in said
    assert said.startswith("a")
    assert said.endswith("b")
    said.encode()


def test_a_long_name_keeps_its_beginning_its_end_and_its_length():
    said = markup.shortened("C(region)" + "x" * 500 + "[T.north]", 40)
    assert len(said) == 40
    assert said.startswith("C(region)")
    assert said.endswith("[T.north]")


@given(st.text())
def test_data_holds_nothing_that_ends_its_element(text):
    said = as_data({text: [text]})
    assert not set("<>&\u2028\u2029") & set(said)
