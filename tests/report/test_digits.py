"""Numbers to a few digits: rounded once, and unpacked as they were packed."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penglm.report.digits import COEFFICIENTS, SIGNALS, rounded, shown
from tests.report.reading import unpacked

finite = st.floats(allow_nan=False, allow_infinity=False)
ordinary = st.floats(1e-3, 1e3) | st.floats(-1e3, -1e-3) | st.just(0.0)


@given(value=finite, n=st.integers(2, 6))
def test_a_rounded_number_is_the_nearest_of_so_many_digits(value, n):
    near = rounded(value, n)
    if value == 0.0:
        assert near.sign == 0
        return
    assert 10 ** (n - 1) <= near.mantissa < 10**n
    unit = Fraction(10) ** (near.exponent - n + 1)
    assert abs(near.sign * near.mantissa * unit - Fraction(value)) <= unit / 2


@given(value=ordinary, n=st.integers(2, 6))
def test_what_is_shown_reads_as_the_rounded_number(value, n):
    assert float(shown(value, n)) == rounded(value, n).value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"), (-0.0, "0"), (1.0, "1.000"), (-12.345, "-12.35"),
        (2.0625, "2.063"), (9999.5, "1.000e+4"), (1234.0, "1234"),
        (0.00012344, "0.0001234"), (0.000012344, "1.234e-5"),
        (99999999.0, "1.000e+8"), (float("inf"), "\u221e"), (5e-324, "4.941e-324"),
    ],
)  # fmt: skip
def test_numbers_are_shown_as_a_reader_expects(value, text):
    assert shown(value) == text


@pytest.mark.parametrize("packing", [COEFFICIENTS, SIGNALS])
@given(values=st.lists(ordinary, max_size=20))
def test_packed_numbers_come_back_to_the_last_digit_shown(packing, values):
    top, letters = packing.pack(values)
    assert len(letters) == packing.width * len(values)
    expected = [rounded(value, packing.digits).value for value in values]
    assert unpacked(packing, top, letters) == expected


@pytest.mark.parametrize("packing", [COEFFICIENTS, SIGNALS])
def test_a_number_too_small_for_its_series_keeps_its_sign(packing):
    top, letters = packing.pack([1.0, -1e-300, 1e-300, 0.0])
    largest, negative, positive, zero = unpacked(packing, top, letters)
    assert (largest, zero) == (1.0, 0.0)
    assert negative < 0.0 < positive < 1e-12


def test_signals_hold_fourteen_decades_and_coefficients_more():
    assert SIGNALS.n_exponents == 14
    assert COEFFICIENTS.n_exponents > 90
