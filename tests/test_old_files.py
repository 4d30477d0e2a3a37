"""Model files of every version, for ever: they load, predict and hold as they did.

Made by ``python -m validation.stored_models``; a file is never written again.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import penglm as pg
from penglm.formula.recall import TRANSFORMS
from penglm.judging import verify

FOLDER = Path(__file__).parent / "data" / "models"
BESIDE = FOLDER / "expected"
FILES = sorted(path.name for path in FOLDER.glob("*.json"))
EXPECTED = {name: json.loads((BESIDE / name).read_text()) for name in FILES}
every_file = pytest.mark.parametrize("name", FILES)
# Another machine may add up in another order, and take other exponentials.
ROUNDING = 1e-12
# What every one of these models was solved to.
TOL = 1e-5


def table(name):
    return pd.DataFrame(EXPECTED[name]["table"])


def test_no_file_was_lost():
    assert len(FILES) >= 18
    assert {path.name for path in BESIDE.iterdir()} == set(FILES)


@every_file
def test_file_predicts_what_it_did(name):
    fit, expected = pg.load(FOLDER / name), EXPECTED[name]
    assert fit.params.to_dict() == expected["params"]
    for which in ("mean", "linear"):
        found = fit.predict(table(name), which=which)
        assert_allclose(found, expected[which], rtol=ROUNDING)


@every_file
def test_file_says_what_it_did(name):
    assert str(pg.load(FOLDER / name).summary()) == EXPECTED[name]["summary"]


@every_file
def test_certificate_holds_on_the_rows_of_the_fit(name):
    fit = pg.load(FOLDER / name)
    assert fit.certificate.kkt_residual <= TOL
    found = verify(fit, table(name))
    assert found.kkt_residual <= TOL
    if "relaxed" not in name:
        # A mix of two fits carries the certificate of the worse of them.
        assert_allclose(found.objective, fit.certificate.objective, rtol=1e-9)


@every_file
def test_certificate_misses_on_other_rows(name):
    data, fit = table(name), pg.load(FOLDER / name)
    y = fit.data.y_name
    other = data.assign(**{y: data[y].to_numpy()[::-1]})
    assert verify(fit, other).kkt_residual > 100 * TOL


@every_file
def test_file_saved_again_is_the_same_model(name, tmp_path):
    pg.load(FOLDER / name).save(tmp_path / "again.json")
    old, new = (
        json.loads(path.read_text())
        for path in (FOLDER / name, tmp_path / "again.json")
    )
    assert holds(new["model"], old["model"])


def holds(new, old):
    """Tell whether all of the old is in the new; a later version may add to it."""
    if isinstance(old, dict):
        return all(key in new and holds(new[key], old[key]) for key in old)
    if isinstance(old, list):
        return len(new) == len(old) and all(map(holds, new, old))
    return new == old


def test_together_they_use_every_transform_that_learns():
    used = " ".join(pg.load(FOLDER / name).data.formula or "" for name in FILES)
    assert all(f"{name}(" in used for name in (*TRANSFORMS, "C", "Q", "exposure"))


WITHOUT_PATSY = """
import json, sys
sys.modules["patsy"] = None
import pandas as pd
import penglm as pg
found = {}
for path, beside in zip(sys.argv[1::2], sys.argv[2::2]):
    table = pd.DataFrame(json.load(open(beside))["table"])
    found[path] = pg.load(path).predict(table).tolist()
print(json.dumps(found))
"""


def test_files_predict_without_patsy():
    paths = [str(folder / name) for name in FILES for folder in (FOLDER, BESIDE)]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_PATSY, *paths],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    found = json.loads(done.stdout)
    for name in FILES:
        known = EXPECTED[name]["mean"]
        assert_allclose(found[str(FOLDER / name)], known, rtol=ROUNDING, err_msg=name)


@pytest.mark.parametrize("name", [name for name in FILES if "labels" in name])
def test_classes_are_labels(name):
    fit = pg.load(FOLDER / name)
    found = fit.predict(table(name), which="class")
    likely = np.array(EXPECTED[name]["mean"]) > 0.5
    assert list(found) == np.where(likely, "yes", "no").tolist()
