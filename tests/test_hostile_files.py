"""Model files that were cut, flipped or made by hand: an error of ours, or no harm."""

import copy
import json
import random
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import penglm as pg
from penglm.cli import MODEL, main
from penglm.exceptions import FormulaError, ModelFileError, PenglmError
from penglm.judging import verify
from penglm.store import checksum

FOLDER = Path(__file__).parent / "data" / "models"
SMALL = FOLDER / "1-poisson-exposure.json"
LARGE = FOLDER / "1-formula-transforms.json"
NAMES = ("arrays-gaussian", "binomial-labels", "formula-offset", "formula-transforms",
         "negative-binomial-theta", "poisson-power-link")  # fmt: skip


def expected(path):
    return json.loads((FOLDER / "expected" / path.name).read_text())


def document(path=LARGE):
    return json.loads(path.read_text())


def written(model, path):
    """Write a model that a hand has changed, its checksum made to fit."""
    known = document() | {"model": model, "sha256": checksum(model)}
    path.write_text(json.dumps(known))
    return path


def test_file_that_ends_early_is_damaged_wherever_it_ends(tmp_path):
    whole, path = SMALL.read_bytes().rstrip(), tmp_path / "m.json"
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(ModelFileError, match=r"damaged|not a penglm model"):
            pg.load(path)


def test_flipped_bit_is_found_or_changes_nothing(tmp_path):
    whole, rng = SMALL.read_bytes(), np.random.default_rng(3)
    path, known = tmp_path / "m.json", pg.load(SMALL)
    for place in rng.integers(0, 8 * len(whole), 600):
        content = bytearray(whole)
        content[place // 8] ^= 1 << int(place % 8)
        path.write_bytes(content)
        try:
            found = pg.load(path)
        except ModelFileError:
            continue
        pd.testing.assert_series_equal(found.params, known.params, check_exact=True)


DEEP = "[" * 200_000 + "]" * 200_000
HEAD = '{"format": "penglm model", "version": 1, "sha256": "0", "model": '
NO_MODELS = {
    "nothing": b"",
    "a pickle": b"\x80\x04\x95",
    "an old pickle": b"(lp0\n",
    "an archive of a pickle": b"PK\x03\x04",
    "bytes": bytes(range(256)),
    "nesting": DEEP.encode(),
    "a nested model": f"{HEAD}{DEEP}}}".encode(),
    "a number too long": f"{HEAD}{'9' * 10_000}}}".encode(),
    "not a number": f"{HEAD}NaN}}".encode(),
    "another format": b'{"format": "other"}',
    "no version": b'{"format": "penglm model"}',
    "version as truth": b'{"format": "penglm model", "version": true, "model": {}}',
}


@pytest.mark.parametrize("case", NO_MODELS)
def test_what_is_no_model_is_refused(case, tmp_path, capsys):
    path = tmp_path / "m.json"
    path.write_bytes(NO_MODELS[case])
    with pytest.raises(ModelFileError, match=r"m\.json"):
        pg.load(path)
    assert main(["verify", str(path)]) == MODEL
    assert "Traceback" not in capsys.readouterr().err


UNREAD = "is not allowed|not a column|cannot be read"
FORMULAS = (
    "y ~ __import__('os').system('true')",
    "y ~ x.__class__",
    "y ~ [c for c in ().__class__.__base__.__subclasses__()]",
    "y ~ (lambda: 1)()",
    "y ~ open('f')",
    "y ~ I(9 ** 9 ** 9)",
    "y ~ offset(__import__('os').getpid())",
    "__import__('os') ~ x",
)


@pytest.mark.parametrize("key", ["formula", "encoder"])
@pytest.mark.parametrize("formula", FORMULAS)
def test_formula_of_a_file_is_read_and_not_trusted(formula, key, tmp_path):
    model = document()["model"]
    if key == "encoder":
        model["encoder"]["formula"] = formula
        response, _, expression = formula.partition(" ~ ")
        code = response if response != "y" else expression
        model["encoder"]["factors"][0].update(code=code, transforms={})
        with pytest.raises(FormulaError, match=UNREAD):
            pg.load(written(model, tmp_path / "m.json"))
        return
    # The text beside it is for the reader; only verify gives it to the parser.
    model["formula"] = formula
    path = written(model, tmp_path / "m.json")
    table = pd.DataFrame(expected(LARGE)["table"])
    with pytest.raises(FormulaError, match=UNREAD):
        verify(pg.load(path), table)


def transform(model, name):
    """Return what a transform of the model remembers."""
    for factor in model["encoder"]["factors"]:
        for key, state in factor["transforms"].items():
            if name in key:
                return state
    raise LookupError(name)


STATES = {
    "a method": ("center", "transform", "x"),
    "a class": ("center", "__class__", "x"),
    "an unknown kind": ("center", "_sum", {"pickle": "x"}),
    "text for a sum": ("center", "_sum", "x"),
    "a shape that does not fit": ("bs", "_all_knots", {"array": [1.0], "shape": [9]}),
    "a huge shape": ("bs", "_all_knots", {"array": [1.0], "shape": [10**15]}),
    "no knots": ("bs", "_all_knots", {"array": [], "shape": [0]}),
    "a huge degree": ("bs", "_degree", 10**9),
    "no degree": ("poly", "degree", 0),
    "a long number": ("standardize", "current_M2", {"long": ["1_0q"], "shape": [1]}),
}


@pytest.mark.parametrize("case", STATES)
def test_hostile_memory_of_a_transform_is_an_error_of_ours(case, tmp_path):
    name, key, value = STATES[case]
    model = document()["model"]
    transform(model, name)[key] = value
    path = written(model, tmp_path / "m.json")
    with pytest.raises((ModelFileError, FormulaError)):
        pg.load(path).predict(pd.DataFrame(expected(LARGE)["table"]))


MISFITS = {
    "coefficients": lambda m: m["coef"].append(0.0),
    "names": lambda m: m["names"].reverse(),
    "a level too many": lambda m: m["encoder"]["factors"][3]["levels"].append("q"),
    "a level that never was": lambda m: m["encoder"]["factors"][3]["absent"].append(9),
    "a reference out of range": lambda m: coding(m, "levels").update(drop=9),
    "another contrast": lambda m: coding(m, "contrast")["matrix"].update(shape=[16]),
    "an unknown coding": lambda m: coding(m, "levels").update(kind="eval"),
    "a term of other factors": lambda m: m["encoder"]["subterms"][0]["factors"].clear(),
    "a coefficient that is no number": lambda m: m["coef"].__setitem__(0, "nan"),
    "a negative strength": lambda m: m.update(alpha=-1.0),
    "a mix above one": lambda m: m.update(l1_ratio=2.0),
    "a negative factor": lambda m: m["penalty_factor"].__setitem__(0, -1.0),
    "a negative residual": lambda m: m["certificate"].update(kkt_residual=-1.0),
    "no intercept": lambda m: m.pop("intercept"),
    "a status of its own": lambda m: m.update(status="perfect"),
    "a family of its own": lambda m: m.update(family="os.system"),
    "a dispersion of its own": lambda m: m.update(family_parameters={"theta": 1.0}),
}


def coding(model, kind):
    """Return the first coding of a kind."""
    parts = (c for part in model["encoder"]["subterms"] for c in part["codings"])
    return next(part for part in parts if part["kind"] == kind)


@pytest.mark.parametrize("case", MISFITS)
def test_model_that_does_not_fit_itself_is_damaged(case, tmp_path):
    model = document()["model"]
    MISFITS[case](model)
    with pytest.raises(ModelFileError, match=r"^m\.json is damaged"):
        pg.load(written(model, tmp_path / "m.json"))


VALUES = (
    None, -1, 0, 1e308, 2**70, "", "x", [], {}, "nan", True, [[]], "inf", {"dict": {}},
    {"array": [1], "shape": [2]}, {"long": ["q"], "shape": [1]},
)  # fmt: skip


def places(value, before=()):
    """Yield the path to every value inside a value."""
    for key in value if isinstance(value, dict) else range(len(value)):
        yield (*before, key)
        if isinstance(value[key], dict | list):
            yield from places(value[key], (*before, key))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore")
def test_any_value_in_any_place_is_harmless(name, tmp_path):
    path, chance = FOLDER / f"1-{name}.json", random.Random(name)
    model, table = document(path)["model"], pd.DataFrame(expected(path)["table"])
    everywhere = list(places(model))
    for _ in range(120):
        changed, place = copy.deepcopy(model), chance.choice(everywhere)
        inside = changed
        for key in place[:-1]:
            inside = inside[key]
        if chance.random() < 0.25:
            del inside[place[-1]]
        else:
            inside[place[-1]] = chance.choice(VALUES)
        try:
            fit = pg.load(written(changed, tmp_path / "m.json"))
            fit.predict(table)
            str(fit.summary())
        except PenglmError:
            continue
