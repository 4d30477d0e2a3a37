"""Model files: what is written comes back, and nothing else is believed."""

import json
import os
import pickle

import numpy as np
import pandas as pd
import pytest

import penglm as pg
from penglm import writing
from penglm.exceptions import FileWriteError, ModelFileError, PenglmInputError
from penglm.store import checksum

N = 60
EVERYTHING = (
    "y ~ a*x + bs(z, df=4) + C(k, Sum) + center(x):a + te(cr(x, df=3), cr(z, df=3)) "
    "+ poly(z, 2) + cc(x, df=3) + standardize(z) + Q('two words') + offset(log(t))"
)


@pytest.fixture
def table():
    rng = np.random.default_rng(11)
    return pd.DataFrame(
        {
            "y": rng.poisson(2, N).astype(float),
            "x": rng.normal(size=N),
            "z": rng.uniform(1, 2, size=N),
            "t": rng.uniform(1, 3, size=N),
            "k": np.resize(np.arange(3), N),
            "a": np.resize(list("abc"), N),
            "two words": rng.normal(size=N),
            "lab": np.resize(["no", "yes", "yes"], N),
        }
    )


@pytest.fixture
def saved(table, tmp_path):
    path = tmp_path / "model.json"
    fit = pg.glm("y ~ x + a", table, "poisson").fit(0.05)
    fit.save(path)
    return path


@pytest.mark.parametrize(
    ("text", "family"), [(EVERYTHING, "poisson"), ("lab ~ x + a:z", "binomial")]
)
def test_a_loaded_model_predicts_bit_for_bit(table, tmp_path, text, family):
    fit = pg.glm(text, table, family).fit(0.01)
    fit.save(tmp_path / "model.json")
    loaded = pg.load(tmp_path / "model.json")
    new = table.sample(frac=0.5, random_state=1)
    np.testing.assert_array_equal(loaded.predict(new), fit.predict(new))
    pd.testing.assert_series_equal(loaded.params, fit.params)
    assert str(loaded.summary()) == str(fit.summary())
    assert loaded.certificate == fit.certificate


def test_a_model_of_arrays_predicts_by_name(table, tmp_path):
    columns = table[["x", "z"]]
    fit = pg.PenalizedGLM(table.y, columns, family="poisson", lower=0).fit(0.01)
    fit.save(tmp_path / "model.json")
    loaded = pg.load(tmp_path / "model.json")
    shuffled = columns[["z", "x"]]
    np.testing.assert_array_equal(loaded.predict(shuffled), fit.predict(shuffled))
    np.testing.assert_array_equal(loaded.spec.upper, [np.inf, np.inf])


def test_a_power_link_keeps_its_exponent(table, tmp_path):
    family = pg.families.Poisson(pg.families.Power(0.3))
    fit = pg.glm("y ~ x", table, family).fit(0.05)
    fit.save(tmp_path / "model.json")
    loaded = pg.load(tmp_path / "model.json")
    np.testing.assert_array_equal(loaded.predict(table), fit.predict(table))


@pytest.mark.parametrize("name", ["older", "present"])
def test_a_link_keeps_its_parameter_also_in_files_that_knew_exponents_only(
    table, tmp_path, name
):
    family = pg.families.Poisson(pg.families.Power(0.3))
    if name == "present":
        family = pg.families.NegativeBinomial(pg.families.NBinomial(2.5), theta=2.5)
    fit = pg.glm("y ~ x", table, family).fit(0.05)
    path = tmp_path / "model.json"
    fit.save(path)
    document = json.loads(path.read_text())
    if name == "older":
        del document["model"]["link_parameters"]
        document["sha256"] = checksum(document["model"])
        path.write_text(json.dumps(document))
    loaded = pg.load(path)
    assert loaded.spec.family.link == family.link
    assert loaded.certificate == fit.certificate
    np.testing.assert_array_equal(loaded.predict(table), fit.predict(table))


def test_an_unseen_level_is_still_refused(table, saved):
    new = table.head(2).assign(a="zz")
    with pytest.raises(pg.exceptions.FormulaError, match="level 'zz'"):
        pg.load(saved).predict(new)


def test_a_loaded_model_has_no_rows_and_says_so(saved):
    with pytest.raises(PenglmInputError, match="has no rows of its own"):
        _ = pg.load(saved).fittedvalues


def test_the_file_is_plain_json(saved):
    def refuse(token):
        raise AssertionError(f"{token} is not JSON")

    document = json.loads(saved.read_text(), parse_constant=refuse)
    assert document["format"] == "penglm model"
    assert document["version"] == 1


def test_every_changed_number_is_noticed(saved):
    document = json.loads(saved.read_text())
    document["model"]["coef"][0] += 1e-12
    saved.write_text(json.dumps(document))
    with pytest.raises(ModelFileError, match="checksum mismatch"):
        pg.load(saved)


def test_a_truncated_file_is_an_error_at_every_length(saved):
    whole = saved.read_bytes()
    for length in range(0, len(whole) - 1, max(len(whole) // 200, 1)):
        saved.write_bytes(whole[:length])
        with pytest.raises(ModelFileError, match=r"damaged|not a penglm model"):
            pg.load(saved)


def test_flipped_bits_never_pass(saved):
    whole = bytearray(saved.read_bytes())
    rng = np.random.default_rng(0)
    for place in rng.integers(0, len(whole), 300):
        broken = bytearray(whole)
        broken[place] ^= 1 << int(rng.integers(0, 7))
        saved.write_bytes(bytes(broken))
        try:
            loaded = pg.load(saved)
        except ModelFileError:
            continue
        # Only what is outside the checksum may change: white space, penglm's version.
        saved.write_bytes(bytes(whole))
        pd.testing.assert_series_equal(loaded.params, pg.load(saved).params)


def test_a_pickle_is_refused_unread(tmp_path):
    class Trap:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "sprung"),))

    path = tmp_path / "model.json"
    path.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(ModelFileError, match="looks like a pickle"):
        pg.load(path)
    assert not (tmp_path / "sprung").exists()


def test_a_newer_version_is_named(saved):
    document = json.loads(saved.read_text()) | {"version": 3}
    saved.write_text(json.dumps(document))
    with pytest.raises(ModelFileError, match="file version 3; this penglm reads up to"):
        pg.load(saved)


def test_another_json_is_no_model(tmp_path):
    path = tmp_path / "other.json"
    path.write_text("[1, 2]")
    with pytest.raises(ModelFileError, match=r"other\.json is not a penglm model"):
        pg.load(path)


def test_a_formula_in_a_file_cannot_run_code(saved):
    from penglm.store import checksum

    document = json.loads(saved.read_text())
    document["model"]["encoder"]["formula"] = "y ~ x + __import__('os').getcwd()"
    document["sha256"] = checksum(document["model"])
    saved.write_text(json.dumps(document))
    with pytest.raises(pg.exceptions.FormulaError, match="is not allowed"):
        pg.load(saved)


def test_a_formula_with_the_callers_functions_cannot_be_saved(table, tmp_path):
    fit = pg.glm("y ~ np.log(z)", table, "poisson").fit(0.05)
    with pytest.raises(ModelFileError, match=r"'np\.log' at character 5"):
        fit.save(tmp_path / "model.json")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_failed_write_leaves_the_old_file(saved, table, monkeypatch, call):
    before = saved.read_bytes()

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing.os, call, fail)
    fit = pg.glm("y ~ z", table, "poisson").fit(0.05)
    with pytest.raises(FileWriteError, match="no space left on device; the previous"):
        fit.save(saved)
    assert saved.read_bytes() == before
    assert [path.name for path in saved.parent.iterdir()] == ["model.json"]


def test_an_interrupted_write_leaves_nothing(tmp_path, table, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(writing.os, "fsync", interrupt)
    fit = pg.glm("y ~ z", table, "poisson").fit(0.05)
    with pytest.raises(KeyboardInterrupt):
        fit.save(tmp_path / "model.json")
    assert list(tmp_path.iterdir()) == []


def test_verify_judges_the_saved_numbers_on_the_rows(table, saved):
    from penglm.judging import verify

    loaded = pg.load(saved)
    again = verify(loaded, table)
    assert again.kkt_residual <= 1e-5
    assert again.objective == pytest.approx(loaded.certificate.objective, rel=1e-12)
    other = table.assign(x=table.x + np.where(np.arange(N) % 2, 1.0, -1.0))
    assert verify(loaded, other).kkt_residual > 0.1


def test_verify_works_for_a_model_of_arrays(table, tmp_path):
    from penglm.judging import verify

    fit = pg.PenalizedGLM(table.y, table[["x", "z"]], family="poisson").fit(0.01)
    fit.save(tmp_path / "model.json")
    loaded = pg.load(tmp_path / "model.json")
    assert verify(loaded, table).kkt_residual <= 1e-5
    with pytest.raises(PenglmInputError, match="the data has no column 'z'"):
        verify(loaded, table.drop(columns="z"))
