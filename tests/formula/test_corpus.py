"""Equality with patsy, values and names, over a corpus of formulas."""

import numpy as np
import pandas as pd
import patsy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penglm import formula

N = 60
# Both sides do the same arithmetic; products may be taken in another order.
RTOL = 1e-12


def make_table():
    """Return a table with every kind of column that formulas meet."""
    rng = np.random.default_rng(20261124)
    table = pd.DataFrame(
        {
            "y": rng.poisson(3, N).astype(float),
            "x": rng.normal(size=N),
            "z": rng.uniform(1, 2, size=N),
            "k": np.resize(np.arange(4), N),
            "f": rng.random(N) > 0.5,
            "a": np.resize(list("abc"), N),
            "b": np.resize(["u", "u", "v", "v"], N),
            "d": np.resize(["p", "q", "r", "s", "s"], N),
        }
    )
    table["c"] = pd.Categorical(
        rng.permutation(np.resize(["lo", "mid", "hi"], N)),
        categories=["lo", "mid", "hi", "never"],
    )
    table["two words"] = rng.normal(size=N)
    table["o"] = table["a"].astype(object)
    return table


TABLE = make_table()

CORPUS = """
x
x + z
0 + x
x - 1
1
a
0 + a
a + b
a + x
x + a
a:b
a:b - 1
a*b
a*b*d
a + b:d
a:x
0 + a:x
a*x
a*b*x
a + a:x
(a + b + x)**2
(a + b + d)**3
a/b
a/x
x/a
(a + b):x
a + b - a
c
0 + c
c:x
c*f
f
0 + f
f:a
f:x
o
o:b
k
C(k)
0 + C(k)
C(k):a
C(k, Treatment(2))
C(k, Treatment(reference=1))
C(a, Treatment('b'))
C(a, Treatment(reference='c')):x
C(a, Sum)
C(a, Sum):b
0 + C(a, Sum)
C(a, Helmert)
C(a, Poly)
C(a, Diff):x
C(d, Sum):C(a, Sum)
C(a, levels=['c', 'b', 'a'])
C(a, Sum, levels=['c', 'b', 'a'])
np.log(z)
np.log(z) + x:z
I(x**2)
x + I(x**2) + I(x*z)
Q('two words')
Q("two words"):a
center(x)
standardize(z)
scale(x) + center(z):a
bs(x, df=4)
bs(x, df=5, degree=2)
bs(x, df=4):a
cr(x, df=3)
cc(x, df=3)
te(cr(x, df=3), cr(z, df=3))
center(np.log(z))
bs(center(x), df=4)
x:z
x:z:a
a:b:x + a:x
0 + a:b:d
a:b + b:d
abs(x)
(x > 0)
x > 0
a*C(k)
a + b + d + x + z + f + c
""".strip().splitlines()


def test_corpus_is_large_enough():
    assert len(set(CORPUS)) >= 60


def columns(built):
    """Return the whole matrix with its names, intercept first."""
    matrix = built.design.to_dense()
    names = list(built.encoder.names)
    if built.encoder.has_intercept:
        ones = np.ones((matrix.shape[0], 1))
        return np.hstack([ones, matrix]), ["Intercept", *names]
    return matrix, names


def assert_equal_to_patsy(text, table):
    expected = patsy.dmatrix(text, table)
    matrix, names = columns(formula.build(f"y ~ {text}", table))
    assert names == list(expected.design_info.column_names)
    scale = np.abs(np.asarray(expected)).max()
    np.testing.assert_allclose(matrix, expected, rtol=RTOL, atol=RTOL * scale)


@pytest.mark.parametrize("text", CORPUS)
def test_design_equals_patsy(text):
    assert_equal_to_patsy(text, TABLE)


@pytest.mark.parametrize("text", CORPUS)
def test_new_rows_are_coded_as_patsy_codes_them(text):
    first = patsy.dmatrix(text, TABLE)
    built = formula.build(f"y ~ {text}", TABLE)
    new = TABLE.iloc[[5, 17, 3, 42]]
    (expected,) = patsy.build_design_matrices([first.design_info], new)
    design, offset, is_missing = built.encoder.encode(new)
    matrix = design.to_dense()
    if built.encoder.has_intercept:
        matrix = np.hstack([np.ones((4, 1)), matrix])
    scale = np.abs(np.asarray(first)).max()
    np.testing.assert_allclose(matrix, expected, rtol=RTOL, atol=RTOL * scale)
    assert offset is None
    assert not is_missing.any()


FACTORS = st.sampled_from(
    ["x", "z", "a", "b", "c", "f", "C(k)", "C(a, Sum)", "center(x)", "bs(z, df=4)"]
)
TERMS = st.lists(FACTORS, min_size=1, max_size=3, unique=True).map(":".join)


@settings(max_examples=150)
@given(
    terms=st.lists(TERMS, min_size=1, max_size=4, unique=True),
    intercept=st.sampled_from(["", "0 + "]),
)
def test_any_sum_of_interactions_equals_patsy(terms, intercept):
    assert_equal_to_patsy(intercept + " + ".join(terms), TABLE)


@pytest.mark.parametrize("text", ["a", "a*b", "a:x", "c + d", "C(k):b"])
def test_term_slices_are_patsys_without_the_intercept(text):
    expected = patsy.dmatrix(text, TABLE).design_info.term_name_slices
    built = formula.build(f"y ~ {text}", TABLE)
    shifted = {
        name: slice(s.start - 1, s.stop - 1)
        for name, s in expected.items()
        if name != "Intercept"
    }
    assert built.encoder.term_slices == shifted


def test_missing_rows_are_those_that_patsy_drops():
    table = TABLE.copy()
    table.loc[3, "x"] = np.nan
    table.loc[7, "a"] = None
    table.loc[9, "y"] = np.nan
    y, expected = patsy.dmatrices("y ~ a + x", table)
    built = formula.build("y ~ a + x", table)
    matrix, _ = columns(built)
    np.testing.assert_allclose(matrix, expected, rtol=RTOL)
    np.testing.assert_array_equal(built.y, np.asarray(y)[:, 0])
    assert built.n_dropped == 3
    assert not {3, 7, 9} & set(built.rows.tolist())
