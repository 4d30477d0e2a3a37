"""The shell: what it prints, what it returns, and that it never shows a traceback."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import penglm as pg
from penglm.cli import main
from penglm.reading import exact

ROOT = Path(__file__).resolve().parent.parent
# As exact as the shell reads; some versions of pandas are not by default.
read_csv = partial(pd.read_csv, **exact())


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a folder with a small table, and stand in it."""
    rng = np.random.default_rng(5)
    n = 80
    table = pd.DataFrame({"x": rng.normal(size=n), "z": rng.uniform(1, 2, size=n)})
    table["a"] = np.resize(list("abc"), n)
    table["y"] = rng.poisson(np.exp(0.5 * table.x + 0.3 * (table.a == "b")))
    table["t"] = rng.uniform(1, 2, size=n)
    table.to_csv(tmp_path / "data.csv", index=False)
    table.to_csv(tmp_path / "data.csv.gz", index=False)
    table.to_parquet(tmp_path / "data.parquet")
    table.to_feather(tmp_path / "data.feather")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capsys, *arguments):
    """Return exit code, standard output and standard error of a command."""
    try:
        code = main(list(arguments))
    except SystemExit as stop:
        code = stop.code
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return code, out, err


FIT = ("fit", "data.csv", "y ~ x + a", "--family", "poisson")


def test_fit_at_one_strength_is_the_librarys_fit(capsys, folder):
    code, out, _ = run(capsys, *FIT, "--alpha", "0.05", "--json")
    expected = pg.glm("y ~ x + a", read_csv("data.csv"), "poisson").fit(0.05)
    assert code == 0
    assert json.loads(out)["fit"]["params"] == expected.params.to_dict()


def test_formula_before_the_table_is_told_the_order(capsys, folder):
    code, _, err = run(capsys, "fit", "y ~ x", "data.csv")
    assert code == 2
    assert "the table comes first" in err


@pytest.mark.parametrize("name", ["data.csv.gz", "data.parquet", "data.feather"])
def test_every_kind_of_file_gives_the_same_fit(capsys, folder, name):
    _, expected, _ = run(capsys, *FIT, "--alpha", "0.05", "--json")
    _, out, _ = run(capsys, "fit", name, *FIT[2:], "--alpha", "0.05", "--json")
    assert json.loads(out) == json.loads(expected)


def test_standard_input_is_a_file_too(capsys, folder, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO(Path("data.csv").read_text()))
    code, out, _ = run(capsys, "fit", "-", *FIT[2:], "--alpha", "0.05")
    assert code == 0
    assert "Penalized Generalized Linear Model" in out


def test_cross_validation_is_the_default_and_says_so(capsys, folder):
    code, out, _ = run(capsys, *FIT, "--cv", "4", "--select", "min")
    assert code == 0
    assert "4-fold cross-validation" in out
    assert "4-fold CV (min)" in out
    code, out, _ = run(capsys, *FIT, "--json")
    assert json.loads(out)["fit"]["chosen_by"] == "10-fold CV (1se)"


def test_path_prints_the_table(capsys, folder):
    code, out, _ = run(capsys, *FIT, "--path")
    assert code == 0
    assert out.splitlines()[0].split() == ["Df", "%Dev", "alpha"]


def test_exposure_weights_and_coding_reach_the_model(capsys, folder):
    options = ("--exposure", "t", "--weights", "z", "--coding", "full")
    _, out, _ = run(capsys, *FIT, *options, "--alpha", "0.05", "--json")
    expected = pg.glm(
        "y ~ x + a", read_csv("data.csv"), "poisson",
        exposure="t", freq_weights="z", coding="full",
    ).fit(0.05)  # fmt: skip
    assert json.loads(out)["fit"]["params"] == expected.params.to_dict()


def test_save_verify_and_predict_go_together(capsys, folder):
    assert run(capsys, *FIT, "--alpha", "0.05", "--save", "m.json")[0] == 0
    code, out, _ = run(capsys, "verify", "m.json")
    assert (code, "intact" in out) == (0, True)
    code, out, _ = run(capsys, "verify", "m.json", "data.csv", "--json")
    assert code == 0
    assert json.loads(out)["certified"] is True
    assert run(capsys, "predict", "m.json", "data.csv", "-o", "p.csv")[0] == 0
    fit = pg.load("m.json")
    expected = fit.predict(read_csv("data.csv"))
    np.testing.assert_array_equal(read_csv("p.csv")["mean"], expected)
    run(capsys, "predict", "m.json", "data.csv", "-o", "p.parquet", "--which", "linear")
    linear = pd.read_parquet("p.parquet")["linear"]
    np.testing.assert_allclose(np.exp(linear), expected, rtol=1e-12)
    _, out, _ = run(capsys, "predict", "m.json", "data.csv")
    assert len(out.splitlines()) == 81


def test_verify_refuses_other_data(capsys, folder):
    run(capsys, *FIT, "--alpha", "0.05", "--save", "m.json")
    table = read_csv("data.csv")
    table["y"] = table.y[::-1].to_numpy()
    table.to_csv("other.csv", index=False)
    code, out, _ = run(capsys, "verify", "m.json", "other.csv")
    assert code == 5
    assert "not optimal for this data" in out


@pytest.fixture
def model(capsys, folder):
    """Save a model in the folder and return the fit of the library."""
    run(capsys, "fit", "data.csv", "y ~ x + z + a", *FIT[3:], "--alpha", "0.15",
        "--save", "m.json")  # fmt: skip
    return pg.glm("y ~ x + z + a", read_csv("data.csv"), "poisson").fit(0.15)


def test_explain_says_what_the_library_says(capsys, model):
    code, out, err = run(capsys, "explain", "m.json")
    assert (code, err) == (0, "")
    assert out.startswith(f"{model.explain(refit=False)}\n")
    assert out.endswith("--data DATA finds where coefficients enter and leave)\n")
    code, out, _ = run(capsys, "explain", "m.json", "--data", "data.csv")
    assert (code, out) == (0, f"{model.explain()}\n")
    code, out, _ = run(capsys, "explain", "m.json", "a", "--data", "data.csv")
    assert (code, out) == (0, f"{model.explain('a')}\n")


@pytest.mark.parametrize("rows", [(), ("--data", "data.csv")], ids=["alone", "rows"])
def test_explain_speaks_to_machines(capsys, model, rows):
    code, out, _ = run(capsys, "explain", "m.json", "x", *rows, "--json")
    document = json.loads(out)
    (reason,) = document["reasons"]
    expected = model.explain("x", refit=bool(rows))["x"]
    assert code == 0
    assert document["source"] == ("computed from data.csv" if rows else "as saved")
    assert reason["sentence"] == expected.sentence
    assert reason["case"] == expected.case.value
    assert reason["signal"] == pytest.approx(expected.signal, rel=1e-11)
    assert (reason["leaves_at"] is None) == (not rows)


def test_explain_names_what_was_meant(capsys, model):
    code, out, err = run(capsys, "explain", "m.json", "a[T.d]")
    assert (code, out) == (2, "")
    assert "did you mean 'a[T.c]' or 'a[T.b]'?" in err


def test_explain_refuses_other_rows(capsys, model):
    table = read_csv("data.csv")
    table.assign(y=table.y[::-1].to_numpy()).to_csv("other.csv", index=False)
    code, out, err = run(capsys, "explain", "m.json", "--data", "other.csv")
    assert (code, out) == (5, "")
    assert err == "penglm: error: m.json is not optimal for other.csv.\n"


def test_explain_of_an_older_file_asks_for_its_rows(capsys, folder):
    name = str(ROOT / "tests" / "data" / "models" / "1-not-standardized.json")
    code, _, err = run(capsys, "explain", name)
    assert code == 2
    assert "--data DATA" in err
    known = json.loads((Path(name).parent / "expected" / Path(name).name).read_text())
    pd.DataFrame(known["table"]).to_csv("rows.csv", index=False)
    code, out, _ = run(capsys, "explain", name, "--data", "rows.csv")
    assert code == 0
    assert len(out.splitlines()) == 1 + len(pg.load(name).data.names)


def test_explain_of_a_relaxed_fit_is_that_of_its_penalised_end(capsys, model):
    model.relax(0.5).save("m.json")
    code, out, _ = run(capsys, "explain", "m.json")
    first, rest = out.split("\n", 1)
    assert (code, first) == (0, "A relaxed fit; its penalised end chose the columns:")
    assert rest.startswith(str(model.explain(refit=False)))
    _, out, _ = run(capsys, "explain", "m.json", "--data", "data.csv", "--json")
    assert json.loads(out)["is_relaxed"] is True


def test_explain_of_what_ended_nowhere_has_code_5(capsys, folder):
    table = read_csv("data.csv")
    table.assign(y=(table.x > 0) * 1.0).to_csv("data.csv", index=False)
    run(capsys, *FIT[:3], "--family", "binomial", "--alpha", "0", "--save", "m.json")
    for rows in ((), ("--data", "data.csv")):
        code, out, err = run(capsys, "explain", "m.json", *rows)
        assert (code, out) == (5, "")
        assert "nothing to explain" in err


MISTAKES = {
    2: [
        (*FIT, "--alpha", "-1"),
        (*FIT, "--alpha", "1", "--path"),
        ("fit", "data.csv", "y ~ x", "--family", "gaussain", "--alpha", "1"),
        (*FIT, "--cv", "1"),
        (*FIT, "--alpha", "1", "--l1-ratio", "2"),
        (*FIT, "--alpha", "1", "--l1-ratio", "1", "0.5"),
        (*FIT, "--path", "--save", "m.json"),
        ("fit",),
        (),
        ("nonsense",),
    ],
    3: [
        ("fit", "absent.csv", "y ~ x"),
        ("fit", "data.txt", "y ~ x"),
        ("fit", "long.csv", "y ~ x"),
        ("fit", "short.csv", "y ~ x"),
        ("fit", "empty.csv", "y ~ x"),
        ("fit", "binary.csv", "y ~ x"),
        ("fit", "broken.parquet", "y ~ x"),
        ("fit", "broken.csv.gz", "y ~ x"),
        ("fit", "data.csv", "x ~ z", "--family", "poisson", "--alpha", "1"),
        (*FIT, "--weights", "absent", "--alpha", "1"),
    ],
    4: [
        ("fit", "data.csv", "y ~ w", "--alpha", "1"),
        ("fit", "data.csv", "y ~ (x", "--alpha", "1"),
        ("fit", "data.csv", "y ~ __import__('os').getcwd()", "--alpha", "1"),
        ("predict", "absent.json", "data.csv"),
        ("verify", "data.csv"),
        ("explain", "absent.json"),
        ("explain", "data.csv"),
    ],
    6: [(*FIT, "--alpha", "1", "--save", "absent/m.json")],
}


@pytest.mark.parametrize(
    ("code", "arguments"),
    [(code, arguments) for code, each in MISTAKES.items() for arguments in each],
    ids=str,
)
def test_each_mistake_has_its_code_and_one_line(capsys, folder, code, arguments):
    text = Path("data.csv").read_text().splitlines()
    long, short = list(text), list(text)
    long[4] += ",1,2"
    short[6] = short[6].rsplit(",", 1)[0]
    Path("long.csv").write_text("\n".join(long))
    Path("short.csv").write_text("\n".join(short))
    Path("empty.csv").write_text("")
    Path("binary.csv").write_bytes(bytes(range(128, 256)))
    Path("broken.parquet").write_bytes(b"PAR1 nothing")
    Path("broken.csv.gz").write_bytes(Path("data.csv.gz").read_bytes()[:80])
    found, _, err = run(capsys, *arguments)
    assert found == code
    assert err


def test_malformed_lines_are_named(capsys, folder):
    text = Path("data.csv").read_text().splitlines()
    text[4] += ",1,2"
    Path("long.csv").write_text("\n".join(text))
    _, _, err = run(capsys, "fit", "long.csv", "y ~ x")
    assert "long.csv:5: 7 fields, expected 5." in err
    text[4] = text[4].removesuffix(",1,2").rsplit(",", 1)[0]
    Path("short.csv").write_text("\n".join(text))
    _, _, err = run(capsys, "fit", "short.csv", "y ~ x")
    assert "short.csv:5: 4 fields, expected 5." in err


def test_a_result_is_shown_before_a_disk_can_fail(capsys, folder):
    _, out, _ = run(capsys, *MISTAKES[6][0])
    assert "Penalized Generalized Linear Model" in out


def test_what_did_not_converge_is_written_with_code_5(capsys, folder):
    table = read_csv("data.csv")
    table["y"] = (table.x > 0).astype(float)
    table.to_csv("separated.csv", index=False)
    code, out, err = run(
        capsys, "fit", "separated.csv", "y ~ x", "--family", "binomial", "--alpha",
        "0", "--save", "m.json",
    )  # fmt: skip
    assert code == 5
    assert "no_finite_solution" in out
    assert "warning: the likelihood rises without limit" in err
    assert pg.load("m.json").converged is False


def test_warnings_are_lines_without_code(capsys, folder):
    table = read_csv("data.csv")
    table.loc[3, "x"] = np.nan
    table.to_csv("gap.csv", index=False)
    _, _, err = run(capsys, "fit", "gap.csv", *FIT[2:], "--alpha", "1")
    text = "1 of 80 rows with missing values were dropped (most missing: 'x', 1)."
    assert err == f"penglm: warning: {text}\n"


def test_doctor_looks_and_version_speaks(capsys):
    code, out, _ = run(capsys, "doctor", "--json")
    assert code == 0
    assert json.loads(out)["trial status"] == "optimal"
    assert run(capsys, "--version")[1] == f"penglm {pg.__version__}\n"


@pytest.mark.parametrize("how", [("--alpha", "0.05"), ("--path",), ("--cv", "3")])
def test_report_writes_a_page_beside_the_result(capsys, folder, how):
    code, out, _ = run(capsys, *FIT, *how, "--report", "page.html")
    assert code == 0
    assert out.endswith("\nA page about it: page.html\n")
    page = (folder / "page.html").read_text()
    assert "Poisson lasso for y" in page
    assert ('id="slider"' in page) == (how[0] != "--alpha")
    code, out, _ = run(capsys, *FIT, *how, "--json", "--report", "again.html")
    assert json.loads(out)["penglm"] == pg.__version__
    assert (folder / "again.html").read_text() == page


def test_a_page_that_cannot_be_written_costs_the_page_not_the_result(capsys, folder):
    code, out, err = run(
        capsys, *FIT, "--alpha", "0.05", "--report", "nowhere/page.html"
    )
    assert code == 6
    assert "Certificate: optimal" in out
    assert "could not write page.html" in err


def test_the_demo_does_the_main_job(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, "demo")
    assert code == 0
    assert err == ""
    assert "10-fold CV (1se)" in out
    assert "coefficients are exactly zero" in out
    assert "A page about it: penglm-demo.html" in out
    assert "Poisson lasso for bikers" in (tmp_path / "penglm-demo.html").read_text()


def test_a_reader_that_goes_away_is_no_error(folder):
    command = [sys.executable, "-m", "penglm.cli", *FIT, "--path"]
    line = " ".join(f"'{word}'" for word in command) + " | head -n 1"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {line}"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0
    assert done.stderr == ""


def test_ctrl_c_ends_a_long_command_within_a_second(folder):
    rng = np.random.default_rng(0)
    wide = pd.DataFrame(rng.normal(size=(3000, 150))).add_prefix("v")
    wide["y"] = rng.poisson(np.exp(0.3 * wide.v0))
    wide.to_parquet("wide.parquet")
    command = [
        sys.executable, "-m", "penglm.cli", "fit", "wide.parquet", "y ~ .",
        "--family", "poisson", "--cv", "200",
    ]  # fmt: skip
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as process:
        time.sleep(8)
        assert process.poll() is None, "the command was meant to take longer"
        process.send_signal(signal.SIGINT)
        start = time.monotonic()
        _, err = process.communicate(timeout=30)
        waited = time.monotonic() - start
    assert process.returncode == 130
    assert err.splitlines()[-1] == "penglm: interrupted."
    assert waited < 2.0, "the promise is one second; two allow for a busy machine"


def test_help_names_every_family_and_link():
    from penglm import cli, families

    assert tuple(families.FAMILIES) == cli.FAMILIES
    assert tuple(families.LINKS) == cli.LINKS
