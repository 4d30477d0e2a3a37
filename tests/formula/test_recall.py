"""A formula read from a file: the same columns as patsy makes, to the last bit."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from penglm import formula
from penglm.exceptions import FormulaError
from penglm.formula.memory import packed, unpacked
from penglm.formula.recall import FUNCTIONS, TRANSFORMS
from penglm.formula.safety import CONTRASTS
from penglm.formula.safety import FUNCTIONS as ALLOWED

N = 60
RNG = np.random.default_rng(9)


def table(low, high, n_rows=N):
    """Return rows whose numbers lie between two ends."""
    return pd.DataFrame(
        {
            "y": RNG.normal(size=n_rows),
            "x": RNG.uniform(low, high, n_rows),
            "z": RNG.uniform(low, high, n_rows),
            "k": np.resize([1, 2, 3], n_rows),
            "g": np.resize(list("abcd"), n_rows),
            "b": RNG.random(n_rows) < 0.5,
            "two words": RNG.uniform(1.0, 2.0, n_rows),
        }
    )


SEEN, INSIDE, BEYOND = table(1.0, 3.0), table(1.3, 2.7), table(0.2, 5.0)
ANYWHERE = (
    "x", "center(x)", "center(k)", "standardize(x)", "scale(x, ddof=1)",
    "standardize(x, center=False)", "standardize(k, rescale=False)", "poly(x, 3)",
    "cr(x, df=4)", "cr(x, knots=[1.5, 2.5], constraints='center')", "cc(x, df=4)",
    "te(cr(x, df=3), cr(z, df=4))", "te(cc(x, df=3), z, constraints='center')",
    "center(log(x))", "poly(center(x), 2)", "I(x**2 - 3 * z / 2 + x // 1 % 2)", "I(-x)",
    "pmin(x, z)", "pmax(x, 2)", "log1p(x)", "log2(x)", "log10(x)", "expm1(x)", "exp(x)",
    "sqrt(x)", "abs(x - 2)", "Q('two words')", "g", "b", "C(k)", "C(C(k))",
    "C(g, Sum):x", "C(g, Treatment('b'))", "C(g, Helmert)", "C(g, Poly)", "C(g, Diff)",
    "C(g, levels=['d', 'c', 'b', 'a'])", "x:g + x", "C(I(k * 2))",
    "offset(log(x)) + z", "exposure(x) + offset(z) + g",
)  # fmt: skip
BETWEEN = (
    "bs(x, df=5)", "bs(x, knots=[1.8, 2.2], degree=2)", "bs(center(x), df=4)",
    "bs(x, df=5, include_intercept=True)", "bs(x, 4, None, 1)", "te(bs(x, df=4), z)",
)  # fmt: skip


def both(text):
    """Return what a formula learnt, live and as a file keeps it."""
    live = formula.build(f"y ~ {text}", SEEN).encoder
    return live, unpacked(packed(live, tuple(SEEN)))


def assert_same_columns(live, kept, rows):
    assert kept.names == live.names
    for data in (rows, rows.convert_dtypes(), pl.from_pandas(rows)):
        ours, theirs = kept.encode(data), live.encode(data)
        np.testing.assert_array_equal(ours[0].to_dense(), theirs[0].to_dense())
        np.testing.assert_array_equal(ours[2], theirs[2])
        if theirs[1] is None:
            assert ours[1] is None
        else:
            np.testing.assert_array_equal(ours[1], theirs[1])


@pytest.mark.parametrize("text", (*ANYWHERE, *BETWEEN))
def test_kept_formula_makes_the_columns_that_patsy_makes(text):
    live, kept = both(text)
    for rows in (SEEN, INSIDE, *([BEYOND] if text in ANYWHERE else [])):
        assert_same_columns(live, kept, rows)


@pytest.mark.parametrize("text", ["x + center(x)", "poly(x, 2) + g", "cr(x, df=3)"])
def test_kept_formula_knows_missing_rows(text):
    live, kept = both(text)
    rows = INSIDE.astype({"g": object}).copy()
    rows.loc[3, "x"], rows.loc[5, "g"] = np.nan, None
    assert_same_columns(live, kept, rows)


@pytest.mark.parametrize("text", (*ANYWHERE, *BETWEEN))
def test_kept_formula_is_kept_again_as_it_was(text):
    live, kept = both(text)
    assert packed(kept, tuple(SEEN)) == packed(live, tuple(SEEN))


def test_value_outside_the_knots_is_named_with_its_row():
    for encoder in both("bs(x, df=5)"):
        with pytest.raises(FormulaError, match=r"bs|outside"):
            encoder.encode(BEYOND)
    text = r"bs\(\) was fitted between 1.* and row \d+ has .*; give lower_bound"
    with pytest.raises(FormulaError, match=text):
        both("bs(x, df=5)")[1].encode(BEYOND)


def test_every_function_of_the_list_is_recalled():
    known = {*FUNCTIONS, *TRANSFORMS, "Q", "offset", "exposure"}
    assert set(ALLOWED) <= known
    assert known >= CONTRASTS


@pytest.mark.parametrize("text", ("standardize(x)", "center(x)", "cc(x, df=4)"))
def test_kept_formula_leaves_the_table_as_it_was(text):
    rows = BEYOND.copy(deep=True)
    both(text)[1].encode(rows)
    pd.testing.assert_frame_equal(rows, BEYOND, check_exact=True)
