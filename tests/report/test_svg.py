"""Scales, ticks and lines of the pictures."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from penglm.report.svg import FINE, Scale, between, run

ends = st.tuples(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
ROUNDING = 1e-9


@given(ends=ends)
def test_ticks_are_round_few_and_between_the_ends(ends):
    low, width = ends
    ticks = Scale(low, low + width, 0.0, 100.0).ticks
    assert 2 <= len(ticks) <= 8
    room = ROUNDING * (abs(low) + width)
    assert all(low - room <= at <= low + width + room for at in ticks)


@given(low=st.floats(1e-8, 1e3), ratio=st.floats(1.01, 1e8))
def test_ticks_of_a_log_axis_are_few_and_between_its_ends(low, ratio):
    ticks = Scale(low * ratio, low, 0.0, 100.0, is_log=True).ticks
    assert 2 <= len(ticks) <= 8
    assert all(low * (1 - ROUNDING) <= at <= low * ratio * (1 + ROUNDING)
               for at in ticks)  # fmt: skip


def test_a_log_scale_puts_equal_ratios_equally_far_apart():
    places = Scale(100.0, 1.0, 50.0, 250.0, is_log=True)([100.0, 10.0, 1.0])
    assert_allclose(places, [50.0, 150.0, 250.0], rtol=ROUNDING)


@pytest.mark.parametrize("values", [[3.0, 3.0], [0.0], [-2.0, 5.0]])
def test_an_axis_has_length_and_holds_its_values(values):
    low, high = between(np.array(values))
    assert low < min(values) <= max(values) < high


@given(st.lists(st.tuples(st.floats(0, 700), st.floats(0, 400)), min_size=2))
def test_a_line_ends_where_its_last_point_is(points):
    x, y = np.array(points).T
    said = run(x, y)
    start, steps = said.removeprefix("M").split("l")
    numbers = [int(each) for each in steps.replace("-", " -").split()]
    moved = np.array(numbers).reshape(-1, 2).sum(axis=0)
    end = np.array([int(each) for each in start.split()]) + moved
    assert end.tolist() == np.rint(FINE * np.array(points[-1])).tolist()
