"""Random formulas, files and arguments: only the documented errors and exit codes."""

import contextlib
import io
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from penglm import cli, formula
from penglm.exceptions import DataFileError, PenglmError
from penglm.formula.safety import FUNCTIONS
from penglm.reading import read

DOCUMENTED = {
    cli.OK, cli.USAGE, cli.DATA, cli.MODEL, cli.NOT_CONVERGED, cli.NOT_WRITTEN,
}  # fmt: skip
N = 24
RNG = np.random.default_rng(12)
TABLE = pd.DataFrame(
    {
        "y": RNG.normal(size=N).round(2),
        "x": RNG.uniform(1.0, 2.0, N).round(2),
        "z": RNG.uniform(1.0, 2.0, N).round(2),
        "a": np.resize(list("abc"), N),
        "b": np.resize([True, False], N),
        "two words": RNG.normal(size=N).round(2),
    }
)
CSV = TABLE.to_csv(index=False).encode()

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with a table and a saved model."""
    place = tmp_path_factory.mktemp("fuzz")
    (place / "t.csv").write_bytes(CSV)
    order = ["fit", str(place / "t.csv"), "y ~ x + a", "--alpha", "0.1"]
    assert shell([*order, "--save", str(place / "m.json")])[0] == cli.OK
    return place


def shell(arguments):
    """Return exit code and standard error of a command; argparse exits by itself."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = cli.main(arguments)
        except SystemExit as end:
            code = end.code
    return code, err.getvalue()


def assert_documented(arguments):
    """Run a command and hold it to what its help promises."""
    code, err = shell(arguments)
    assert code in DOCUMENTED, err
    assert "Traceback" not in err
    assert code in (cli.OK, cli.NOT_CONVERGED) or err


# Formulas

NAMES = ["y", "x", "z", "a", "b", "w", "Q('two words')", "Q('x')", "1", "0", "2.5",
         "-1", "'text'", "None", "[1, 2]", ".", "os", "lambda"]  # fmt: skip
OPERATORS = ["+", "-", "*", "/", ":", "**", "//", "%", "~", "|", ",", "==", "&", " "]


def deeper(inner):
    """Return ways to put expressions together, most of them sensible."""
    call = st.builds(
        lambda name, parts: f"{name}({', '.join(parts)})",
        st.sampled_from([*FUNCTIONS, "eval", "np.log", "x"]),
        st.lists(inner, max_size=3),
    )
    option = st.builds(
        lambda name, part, key, value: f"{name}({part}, {key}={value})",
        st.sampled_from(FUNCTIONS),
        inner,
        st.sampled_from(["df", "degree", "knots", "levels", "contrast", "ddof"]),
        st.sampled_from(
            ["3", "0", "-1", "4.5", "[1.2, 1.6]", "['a', 'b']", "x", "Sum"]
        ),
    )
    pair = st.builds(
        lambda left, operator, right: f"{left} {operator} {right}",
        inner,
        st.sampled_from(OPERATORS),
        inner,
    )
    return st.one_of(pair, call, option, inner.map(lambda part: f"({part})"))


TERMS = st.recursive(st.sampled_from(NAMES), deeper, max_leaves=8)
CHARACTERS = st.text("yxzab01+-*/:~|()[]{}'\"\\.,=@#$%^&!? \n\t\0é", max_size=30)
TEXTS = st.one_of(
    TERMS.map(lambda term: f"y ~ {term}"),
    st.builds(lambda left, right: f"{left} ~ {right}", TERMS, TERMS),
    CHARACTERS.map(lambda text: f"y ~ x + {text}"),
    CHARACTERS,
)


@settings(max_examples=400)
@given(text=TEXTS)
@example(text="y ~ " + "(" * 3000 + "x" + ")" * 3000)
@example(text="y ~ " + "-" * 3000 + "x")
@example(text="y ~ x" + "[0]" * 3000)
@example(text="y ~ \ud800")
@example(text="~")
@example(text="")
def test_any_formula_is_a_model_or_an_error_of_ours(text):
    with contextlib.suppress(PenglmError):
        formula.build(text, TABLE, trusted=False)


@settings(max_examples=60)
@given(text=TEXTS)
@example(text="y ~ C(y, y)")
@example(text="y ~ y , 1")
def test_any_formula_ends_with_a_documented_code(folder, text):
    assert_documented(["fit", str(folder / "t.csv"), text, "--alpha", "0.1"])


# Files of data

PIECES = st.sampled_from(
    [b",", b'"', b"\n", b"\r", b"\0", b"NaN", b"inf", b"-", b"1e999", b"\xff", b"a,b",
     b'"\n"', b" ", b"9" * 400, "é".encode("utf-16"), b"True", b"2026-01-01"]
)  # fmt: skip


@st.composite
def tables(draw):
    """Return a csv with some of its bytes replaced, inserted or cut off."""
    content = bytearray(CSV)
    for _ in range(draw(st.integers(1, 6))):
        place = draw(st.integers(0, len(content)))
        content[place : place + draw(st.integers(0, 4))] = draw(PIECES)
    return bytes(content[: draw(st.integers(0, len(content)))] or content)


@settings(max_examples=150)
@given(content=st.one_of(tables(), st.binary(max_size=60)))
@example(content=b"")
@example(content=b"y,x\n1,2\n")
@example(content=b"y\n1\n2\n")
@example(content=b"\xef\xbb\xbf")
@example(content=b",\n,\n")
@example(content=CSV.replace(b"y,x", b"y,x,q\n" + b"9" * 400, 1))
@example(content=b"y,x,a\n" + b"9" * 400 + b",1,b\n1,2,a\n")
def test_any_table_is_read_or_an_error_of_ours(folder, content):
    path = folder / "fuzz.csv"
    path.write_bytes(content)
    with contextlib.suppress(DataFileError):
        read(str(path))
    assert_documented(["fit", str(path), "y ~ x + a", "--alpha", "0.1"])
    assert_documented(["predict", str(folder / "m.json"), str(path)])


# Arguments

WORDS = ["fit", "predict", "verify", "doctor", "--alpha", "--cv", "--path", "--family",
         "--link", "--weights", "--exposure", "--select", "--l1-ratio", "--coding",
         "--seed", "--jobs", "--save", "--json", "--which", "--unknown", "-o", "--",
         "--no-standardize", "y ~ x", "y ~ x + a", "a ~ x", "b ~ x", "poisson", "log",
         "binomial", "gamma", "power", "0", "-1", "2", "1e400", "nan", "0.1", "x",
         "w", "1se", "min", "full", "mean", "class", "", "é", "\udce9",
         "none.csv"]  # fmt: skip


@settings(max_examples=200)
@given(words=st.lists(st.sampled_from(WORDS), max_size=7), data=st.data())
def test_any_arguments_end_with_a_documented_code(folder, words, data):
    files = {"DATA": folder / "t.csv", "MODEL": folder / "m.json", "NEW": folder / "n"}
    start = data.draw(
        st.sampled_from(
            [[], ["fit", "DATA"], ["fit", "DATA", "y ~ x"], ["verify", "MODEL"],
             ["predict", "MODEL", "DATA"], ["fit", "DATA", "y ~ x", "--alpha"],
             ["fit", "DATA", "b ~ x", "--family", "binomial", "--alpha"],
             ["fit", "DATA", "y ~ x", "--save", "NEW", "--alpha"]]
        )
    )  # fmt: skip
    words = [str(files.get(word, word)) for word in (*start, *words)]
    assert_documented(words)


# No code from data

AUDITED = """
import contextlib, io, sys
from penglm import cli

def run(*words):
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        return cli.main(list(words))

table, model = sys.argv[1:3]
order = "fit", table, "y ~ x + C(a) + bs(z, df=4)", "--alpha", "0.1", "--save", model
# Once for what is imported and compiled late, and then under watch.
run(*order), run("predict", model, table), run("fit", table, "y ~ __import__('os')")
seen = []

def hook(event, arguments):
    if event in ("os.system", "subprocess.Popen", "os.exec", "os.posix_spawn", "import",
                 "os.fork", "socket.connect", "ctypes.dlopen"):
        seen.append((event, arguments[:1]))
    if event == "open" and str(arguments[0]) == "leak":
        seen.append((event, arguments))
    if event == "exec" and set(arguments[0].co_names) & {"__import__", "eval", "exec"}:
        seen.append((event, arguments[0].co_names))

sys.addaudithook(hook)
codes = [run(*order), run("predict", model, table)]
for text in sys.argv[3:]:
    codes.append(run("fit", table, "y ~ x + " + text, "--alpha", "0.1"))
    codes.append(run("fit", table, text + " ~ x", "--alpha", "0.1"))
print(codes, seen)
"""
ATTACKS = (
    "__import__('os').system('true')", "I(__import__('subprocess').run('true'))",
    "open('leak', 'w')", "I(exec('import os'))", "x.__class__.__mro__",
    "eval('__import__(\"os\")')", "bs(x, knots=open('leak', 'w'))",
    "Q(__import__('os').name)", "C(a, levels=eval('[1]'))",
)  # fmt: skip


def test_shell_imports_opens_and_starts_nothing_that_a_formula_asks_for(folder):
    done = subprocess.run(
        [sys.executable, "-c", AUDITED, str(folder / "t.csv"), str(folder / "x.json"),
         *ATTACKS],
        capture_output=True, text=True, check=True, cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    codes = [cli.OK, cli.OK, *[cli.MODEL] * (2 * len(ATTACKS))]
    assert done.stdout.strip() == f"{codes} []"
    assert not (folder / "leak").exists()
