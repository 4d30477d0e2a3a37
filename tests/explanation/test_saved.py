"""What a model file can say of its coefficients, and with its rows what it cannot."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import penglm as pg
from penglm.exceptions import ModelFileError, PenglmInputError, PenglmWarning
from penglm.explanation.reason import Case
from penglm.judging import verify, with_rows
from penglm.store import checksum
from tests.test_old_files import EXPECTED, FILES, FOLDER

N = 120
# Thresholds are multiplied and divided by the scale of a column; sums go again.
ROUNDING = 1e-11


def table():
    rng = np.random.default_rng(4)
    data = pd.DataFrame(
        rng.normal(size=(N, 6)) * [1, 5, 0.2, 1, 1, 1], columns=[*"abcdef"]
    )
    data["g"] = np.resize(["one", "two", "three"], N)
    data["one"] = 1.0
    data["none"] = 0.0
    eta = 0.5 * data.a - 0.08 * data.b + 0.3 * (data.g == "two")
    data["y"] = eta + rng.normal(size=N)
    data["above"] = data.y + 1.0
    data["count"] = rng.poisson(np.exp(eta))
    return data


COLUMNS = ["a", "b", "c", "d", "e", "f"]
FITS = {
    "lasso": lambda d: pg.glm("y ~ a + b + c + d + g", d).fit(0.2),
    "elastic net": lambda d: pg.glm("y ~ a + b + c + d + g", d).fit(0.2, 0.5),
    "ridge": lambda d: pg.glm("y ~ a + b + c", d).fit(0.2, 0.0),
    "poisson, raw": lambda d: pg.glm(
        "count ~ a + b + c + d + g", d, "poisson", standardize=False
    ).fit(0.1),
    "numeric": lambda d: pg.glm(
        "count ~ a + b + c + d + g", d, "poisson", standardize="numeric"
    ).fit(0.1),
    "factors and limits": lambda d: pg.PenalizedGLM(
        d.y, d[COLUMNS], penalty_factor=[1, 0, np.inf, 2, 1, 1],
        lower=[-1, -1, -1, 0, 0.25, -1], upper=[0.1, 1, 1, 0, 1, 0],
    ).fit(0.05),
    "constants": lambda d: pg.PenalizedGLM(d.y, d[["a", "one", "none"]]).fit(0.1),
    "constants, no intercept": lambda d: pg.PenalizedGLM(
        d.above, d[["a", "one", "none"]], fit_intercept=False
    ).fit(0.1),
    "adaptive": lambda d: pg.PenalizedGLM(d.y, d[COLUMNS]).fit(
        0.02, penalty="adaptive"
    ),
    "no penalty": lambda d: pg.PenalizedGLM(d.y, d[COLUMNS]).fit(0.0),
    "all penalty": lambda d: pg.PenalizedGLM(
        d.y, d[COLUMNS], penalty_factor=[0, 1, 1, 1, 1, 1]
    ).fit(np.inf),
    "theta": lambda d: pg.glm(
        "count ~ a + b + c", d, pg.families.NegativeBinomial(theta="estimate")
    ).fit(0.05),
    "stopped": lambda d: pg.glm("count ~ a + b", d, "poisson").fit(0.01, max_iter=1),
    "end of a relaxed fit": lambda d: pg.glm("y ~ a + b + c + d", d).fit(0.2)
    .relax(0.5).penalised,
}  # fmt: skip
every_fit = pytest.mark.parametrize("name", FITS)


def fitted(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PenglmWarning)
        return FITS[name](table())


def loaded(fit, folder):
    fit.save(folder / "model.json")
    return pg.load(folder / "model.json")


@every_fit
def test_file_says_what_the_fit_does_without_refits(name, tmp_path):
    fit = fitted(name)
    expected, found = fit.explain(refit=False), loaded(fit, tmp_path).explain()
    assert_frame_equal(found.frame(), expected.frame(), rtol=ROUNDING, atol=0.0)
    assert found.sentences == expected.sentences
    assert found.title == expected.title
    # Saved once more it has forgotten nothing.
    again = loaded(loaded(fit, tmp_path), tmp_path).explain()
    assert_frame_equal(again.frame(), found.frame(), check_exact=True)


def test_the_cases_above_are_all_there_are():
    seen = {
        one.case for name in FITS for one in fitted(name).explain(refit=False).reasons
    }
    assert seen == set(Case)


@every_fit
def test_with_its_rows_it_says_all_that_the_fit_does(name, tmp_path):
    fit = fitted(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PenglmWarning)
        found = with_rows(loaded(fit, tmp_path), table())
        assert found.explain().sentences == fit.explain().sentences
    assert found.certificate.kkt_residual == pytest.approx(
        fit.certificate.kkt_residual, rel=1e-3, abs=1e-10
    )


def test_other_rows_are_told_by_the_certificate(tmp_path):
    data = table()
    model = loaded(fitted("lasso"), tmp_path)
    other = data.assign(y=data.y.to_numpy()[::-1])
    found = with_rows(model, other)
    residual = verify(model, other).kkt_residual
    assert found.solution.certificate.kkt_residual == residual > 0.01
    assert not found.converged
    assert "not optimal" in found.explain(refit=False).title


def test_strengths_of_entry_need_rows(tmp_path):
    model = loaded(fitted("lasso"), tmp_path)
    with pytest.raises(PenglmInputError, match="with_rows") as caught:
        model.explain(refit=True)
    assert caught.value.argument == "refit"
    assert all(one.enters_at is None for one in model.explain().reasons)


def test_one_term_or_column_can_be_asked_for(tmp_path):
    model = loaded(fitted("lasso"), tmp_path)
    assert [one.name for one in model.explain("g").reasons] == [
        name for name in model.data.names if name.startswith("g[")
    ]
    with pytest.raises(PenglmInputError, match="did you mean 'g"):
        model.explain("gg")


def test_relaxed_fit_sends_to_its_penalised_end(tmp_path):
    fit = pg.glm("y ~ a + b + c + d", table()).fit(0.2).relax(0.5)
    model = loaded(fit, tmp_path)
    with pytest.raises(PenglmInputError, match=r"fit\.penalised"):
        model.explain()
    expected = fit.penalised.explain(refit=False)
    assert model.penalised.explain().sentences == expected.sentences
    found = with_rows(model, table())
    assert found.explain().sentences == fit.penalised.explain().sentences


def test_what_ended_nowhere_keeps_no_signals(tmp_path):
    data = table().assign(won=lambda d: (d.a > 0).astype(float))
    with pytest.warns(PenglmWarning, match="rises without limit"):
        fit = pg.glm("won ~ a", data, "binomial").fit(0.0)
    with pytest.raises(PenglmInputError, match="nothing to explain"):
        loaded(fit, tmp_path).explain()


def has_signals(name):
    return "signal" in json.loads((FOLDER / name).read_text())["model"]


@pytest.mark.parametrize("name", [name for name in FILES if has_signals(name)])
def test_kept_files_explain_themselves_as_they_did(name):
    model = pg.load(FOLDER / name)
    rows = with_rows(model, pd.DataFrame(EXPECTED[name]["table"]))
    assert model.explain().sentences == rows.explain(refit=False).sentences


@pytest.mark.parametrize("name", [name for name in FILES if not has_signals(name)])
def test_older_files_say_that_they_need_their_rows(name):
    model = pg.load(FOLDER / name)
    # A relaxed fit is explained by its penalised end, and so are its rows.
    model = getattr(model, "penalised", model)
    with pytest.raises(PenglmInputError, match="an earlier penglm"):
        model.explain()
    found = with_rows(model, pd.DataFrame(EXPECTED[name]["table"]))
    explained = found.explain(refit=False)
    assert len(explained.reasons) == len(model.data.names)
    for reason in explained.reasons:
        if reason.case is Case.ZERO:
            assert abs(reason.signal) <= reason.threshold * (1.0 + 1e-5)
        elif reason.case in (Case.POSITIVE, Case.NEGATIVE):
            assert abs(reason.signal) >= reason.threshold * (1.0 - 1e-5)


@pytest.mark.parametrize(
    "signal", [None, "much", [1.0], ["1", "2"], {"a": 1.0}, [True, False], ["inf", 1.0]]
)
def test_signals_made_by_hand_are_not_believed(signal, tmp_path):
    path = tmp_path / "model.json"
    pg.glm("y ~ a + b", table()).fit(0.2).save(path)
    document = json.loads(path.read_text())
    document["model"]["signal"] = signal
    document["sha256"] = checksum(document["model"])
    path.write_text(json.dumps(document))
    with pytest.raises(ModelFileError):
        pg.load(path)
