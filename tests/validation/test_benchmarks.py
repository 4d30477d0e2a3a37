"""The parts of the benchmark that are not measurements; nothing here asserts a time."""

import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse

from validation import objective
from validation.benchmarks import page, records, simulated
from validation.benchmarks.case import assemble, scaled, standardized
from validation.benchmarks.contender import (
    FailedError,
    OverLimitError,
    Worker,
    coefficients,
    cold_start,
)
from validation.benchmarks.contest import Contest
from validation.benchmarks.entry import Entry
from validation.benchmarks.environments import (
    Environments,
    NotInstalledError,
    everyone,
    single_threaded,
)
from validation.benchmarks.judging import Judge
from validation.benchmarks.ladder import Rung, bracket, climb, interpolate, matched
from validation.benchmarks.rivals.protocol import FIT, Facts, Given, Rival
from validation.benchmarks.simulated import INSURANCE, SCATTERED, Recipe
from validation.benchmarks.standing import standing
from validation.benchmarks.workloads import WORKLOADS

# Two ways to write one sum of a few hundred terms.
SAME = {"rtol": 1e-10, "atol": 1e-12}
RECIPES = {
    "dense": Recipe("gaussian", 40, 12),
    "binomial": Recipe("binomial", 60, 12),
    "sparse": Recipe("poisson", 300, 400, SCATTERED),
    "insurance": Recipe("poisson", 600, 310, INSURANCE, level=-1.0),
}


def case_of(recipe, **others):
    """Return a small built problem."""
    table = simulated.make(recipe, 1)
    options = {"n_alphas": 4, "smallest": 0.05} | others
    return assemble("small", recipe.family, "path", table, **options)


def record_of(entries, task="path"):
    """Return a stored record."""
    return {
        "key": {"workload": "tall_gaussian", "scale": "full", "seed": 0},
        "machine": {"cpu": "abacus", "cores": "1", "system": "Linux",
                    "python": "3.11", "versions": "numpy 2"},
        "size": "10 x 3", "n_alphas": 5, "task": task, "X_bytes": 240,
        "pass_seconds": 1e-3, "entries": [entry.plain() for entry in entries],
    }  # fmt: skip


def entry_of(name, *rungs):
    """Return a measured entry from (tol, sub, seconds) triples, penglm taking 1 s."""
    made = [Rung(tol, sub, 1e-4, [time], [1.0], wall=time) for tol, sub, time in rungs]
    return Entry(name, f"{name} 1.0", rungs=made)


# -- time at equal accuracy ---------------------------------------------------------


def test_time_at_the_goal_is_interpolated_in_logarithms():
    assert math.isclose(interpolate(1e-5, 1.0, 1e-7, 4.0), 2.0)


def test_goal_on_a_rung_is_that_rung():
    assert math.isclose(interpolate(1e-5, 1.0, 1e-6, 4.0), 4.0)


def test_perfect_rung_is_not_divided_by():
    assert 1.0 < interpolate(1e-5, 1.0, 0.0, 4.0) < 2.0


def test_ladder_tightens_until_the_goal_is_between_two_rungs():
    rungs = [Rung(1e-3, 1e-4, 0.0, [1.0], [1.0])]
    climb(
        lambda tol: rungs.append(Rung(tol, tol / 10, 0.0, [1.0], [1.0])),
        rungs, 1e-1, 1e-12,
    )  # fmt: skip
    below, above = bracket(rungs)
    assert (below.passes, above.passes) == (False, True)
    assert math.isclose(below.tol / above.tol, 10.0)


def test_ladder_loosens_where_the_first_rung_passes():
    rungs = [Rung(1e-7, 1e-9, 0.0, [4.0], [1.0])]
    climb(
        lambda tol: rungs.append(Rung(tol, tol / 100, 0.0, [1.0], [1.0])),
        rungs, 1e-1, 1e-12,
    )  # fmt: skip
    assert not rungs[-1].passes
    assert matched(rungs).seconds <= 4.0


def test_ladder_ends_where_tolerances_gain_nothing():
    rungs = [Rung(1e-3, 1e-2, 0.0, [1.0], [1.0])]
    climb(
        lambda tol: rungs.append(Rung(tol, 1e-2, 0.0, [1.0], [1.0])),
        rungs, 1e-1, 1e-15,
    )  # fmt: skip
    assert len(rungs) == 3
    assert matched(rungs) is None


# -- the judge ----------------------------------------------------------------------


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
@pytest.mark.parametrize("l1_ratio", [1.0, 0.4])
def test_judge_of_paths_agrees_with_the_judge_of_points(recipe, l1_ratio):
    case = case_of(recipe, l1_ratio=l1_ratio)
    rng = np.random.default_rng(0)
    p = case.problem.n_features
    coefs = rng.normal(size=(p, case.alphas.size)) * (rng.random((p, 1)) < 0.3) * 0.1
    intercepts = rng.normal(size=case.alphas.size)
    verdict = Judge(case.problem).judge(case.alphas, intercepts, coefs)
    unit = objective.null_slope(case.problem)
    for k, alpha in enumerate(case.alphas):
        point = objective.judge(case.problem, alpha, intercepts[k], coefs[:, k], unit)
        assert_allclose(verdict.objectives[k], point.objective, **SAME)
        assert_allclose(verdict.kkt[k], point.kkt_residual, **SAME)


def test_first_strength_is_the_least_that_empties_the_model():
    case = case_of(RECIPES["dense"])
    p, mean = case.problem.n_features, case.problem.y.mean()
    verdict = Judge(case.problem).judge(
        case.alphas[:1], np.array([mean]), np.zeros((p, 1))
    )
    assert verdict.kkt[0] < 1e-10


def test_answer_that_is_not_a_number_is_infinitely_bad():
    case = case_of(RECIPES["dense"])
    coefs = np.full((case.problem.n_features, 4), np.nan)
    verdict = Judge(case.problem).judge(case.alphas, np.zeros(4), coefs)
    assert np.isinf(verdict.kkt).all()
    assert np.isinf(verdict.sub(np.ones(4)))


# -- problems on disk ---------------------------------------------------------------


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_worker_reads_the_problem_that_was_written(recipe, tmp_path):
    case = case_of(recipe)
    case.write(tmp_path)
    given = Given(str(tmp_path))
    assert given.facts == case.facts
    X, stored = case.table.X, given.X()
    assert abs(X - stored).max() == 0.0
    assert_allclose(given.alphas, case.alphas, rtol=0)


def test_codes_and_indicator_columns_are_the_same_table():
    table = simulated.make(RECIPES["insurance"], 3)
    numeric, codes, levels = table.parts
    assert table.X.shape[1] == numeric.shape[1] + levels.sum()
    assert_allclose(np.asarray(table.X.sum(axis=1)).ravel(),
                    numeric.sum(axis=1) + levels.size)  # fmt: skip
    assert (codes < levels).all()


def test_columns_are_standardised_and_constant_ones_left_out():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(3, 2, 50), np.full(50, 7.0), rng.random(50)])
    done = standardized(X)
    assert done.shape == (50, 2)
    assert_allclose(done.mean(axis=0), 0, atol=1e-14)
    assert_allclose(scaled(sparse.csc_matrix(X[:, [0, 2]])).toarray().std(axis=0), 1)


def test_facts_survive_their_file(tmp_path):
    facts = Facts("a", FIT, "poisson", "split", 3, 2, 0.5, True, False)
    facts.write(tmp_path)
    assert Facts.read(tmp_path) == facts


# -- workers ------------------------------------------------------------------------

READY = "print('noise'); print('@@ ready fake 1', flush=True)\nimport sys, time\n"
SLEEPS = READY + "sys.stdin.readline(); time.sleep(600)"
DIES = READY + "sys.stdin.readline(); sys.exit('no such solver')"
REFUSES = READY + "sys.stdin.readline(); print('@@ failed singular', flush=True)"


def worker(code, folder):
    """Return a worker that runs a few lines of Python."""
    return Worker([sys.executable, "-c", code], folder, folder)


def test_sleeping_worker_is_killed_at_the_limit(tmp_path):
    with worker(SLEEPS, tmp_path) as asleep:
        with pytest.raises(OverLimitError):
            asleep.measure(FIT, None, 1, limit=0.05)
        assert asleep.is_dead


def test_worker_that_dies_says_why(tmp_path):
    with (
        worker(DIES, tmp_path) as dying,
        pytest.raises(FailedError, match="no such solver"),
    ):
        dying.measure(FIT, None, 1, limit=20.0)


def test_reply_of_failure_is_an_error_with_its_reason(tmp_path):
    with (
        worker(REFUSES, tmp_path) as refusing,
        pytest.raises(FailedError, match="singular"),
    ):
        refusing.measure(FIT, None, 1, limit=20.0)


def test_cold_start_that_fails_says_why(tmp_path):
    with pytest.raises(FailedError, match="bad start"):
        cold_start([sys.executable, "-c", "raise SystemExit('bad start')"],
                   tmp_path, 20.0)  # fmt: skip


def test_answers_are_read_in_column_order(tmp_path):
    path = tmp_path / "answer"
    np.array([1.0, 10.0, 11.0, 2.0, 20.0, 21.0]).tofile(path)
    intercepts, coefs = coefficients(path, 2)
    assert intercepts.tolist() == [1.0, 2.0]
    assert coefs.tolist() == [[10.0, 20.0], [11.0, 21.0]]


def test_workers_have_one_thread_and_choose_their_own_kernels(monkeypatch, tmp_path):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    variables = single_threaded(tmp_path)
    assert "OPENBLAS_CORETYPE" not in variables
    assert {variables[f"{name}_NUM_THREADS"] for name in ("OMP", "NUMBA")} == {"1"}


# -- failures are rows --------------------------------------------------------------


class Scripted(Environments):
    """Environments in which every rival is a few lines of Python."""

    def __init__(self, folder, code):
        super().__init__(folder)
        self.code = code

    def command(self, rival):
        if self.code is None:
            raise NotInstalledError("No matching distribution found")
        return [sys.executable, "-c", self.code]


@pytest.mark.parametrize(
    ("code", "outcome", "note"),
    [
        (SLEEPS, "over limit", "> 0 s"),
        (DIES, "failed", "no such solver"),
        (REFUSES, "failed", "singular"),
        ("raise SystemExit('cannot import')", "failed", "cannot import"),
        (None, "not installed", "could not be installed: No matching distribution"),
    ],
)
def test_failure_becomes_a_row_with_the_reason(tmp_path, code, outcome, note):
    case = case_of(RECIPES["dense"])
    limit = 0.05 if code == SLEEPS else 20.0
    contest = Contest(
        case, tmp_path, Scripted(tmp_path, code), limit=limit, budget=1.0, say=str
    )
    rival = Rival("fake", "fake", object, lambda facts: "")
    entry = contest.visit(rival)
    assert entry.outcome == outcome
    assert note in entry.note


def test_refusal_becomes_a_row_and_starts_no_process(tmp_path):
    contest = Contest(
        case_of(RECIPES["dense"]), tmp_path, Scripted(tmp_path, None), limit=1.0,
        budget=1.0, say=str,
    )  # fmt: skip
    entry = contest.visit(Rival("fake", "fake", object, lambda facts: "no offset"))
    assert (entry.outcome, entry.note) == ("refused", "no offset")


# -- the page -----------------------------------------------------------------------


def test_best_rival_is_the_quickest_at_the_goal_not_at_its_default():
    sloppy = entry_of("glmnet", (1e-7, 1e-4, 0.5), (1e-8, 9e-7, 8.0))
    exact = entry_of("adelie", (1e-7, 1e-7, 3.0), (1e-6, 1e-5, 3.0))
    record = record_of([entry_of("penglm", (1e-5, 0.0, 1.0)), sloppy, exact])
    one = standing(WORKLOADS[4], record)
    assert one.best["contender"] == "adelie"
    assert math.isclose(one.ratio, 3.0)
    assert one.quickest["contender"] == "glmnet"


def test_page_is_made_from_stored_results(tmp_path):
    entries = [
        entry_of("penglm", (1e-5, 0.0, 1.0)),
        entry_of("adelie", (1e-7, 1e-5, 1.0), (1e-8, 1e-7, 1.4)),
        Entry("glum", outcome="over limit", note="> 30 s"),
        Entry("celer", outcome="refused", note="no offset"),
    ]
    results = records.Records(tmp_path / "results.jsonl")
    results.add(record_of(entries))
    again = records.Records(tmp_path / "results.jsonl").latest("full")
    notes = "# Profiles\n\n## tall_gaussian\n\nThe Gram matrix is the limit.\n"
    text = page.page(again, "benchmarks.png", "full", notes)
    assert "1.2 (missed)" in text
    assert "1.2 times as fast as adelie, 1.5 required" in text
    assert "The Gram matrix is the limit." in text
    assert "> 30 s" in text
    assert "| celer | no offset | tall Gaussian |" in text


def test_page_has_no_missed_target_where_all_are_reached():
    entries = [
        entry_of("penglm", (1e-5, 0.0, 1.0)),
        entry_of("adelie", (1e-7, 1e-5, 5.0), (1e-8, 1e-7, 7.0)),
    ]
    text = page.page({"tall_gaussian": record_of(entries)}, "p.png", "full", "# none")
    assert "None: every required ratio is reached" in text


def test_inaccurate_penglm_is_a_missed_target():
    entries = [entry_of("penglm", (1e-5, 1e-3, 1.0)), entry_of("adelie", (1, 0, 9.0))]
    told = standing(WORKLOADS[4], record_of(entries)).missed()
    assert any("sub 1e-03" in line for line in told)


def test_results_are_found_by_everything_that_matters(tmp_path):
    results = records.Records(tmp_path / "r.jsonl")
    results.add({"key": {"workload": "a", "seed": 0}})
    assert results.find({"workload": "a", "seed": 0})
    assert results.find({"workload": "a", "seed": 1}) is None


def test_records_hold_no_numbers_that_json_lacks():
    entry = Entry("x", rungs=[Rung(1e-3, math.inf, math.nan, [1.0], [])])
    json.dumps(entry.plain(), allow_nan=False)


def test_every_rival_is_told_apart_by_name_and_workload_by_key():
    names = [rival.name for rival in everyone()]
    keys = [workload.key for workload in WORKLOADS]
    assert names[0] == "penglm"
    assert len(set(names)) == len(names)
    assert len(set(keys)) == len(keys)


def test_no_file_is_longer_than_a_reader_can_hold():
    folder = Path(page.__file__).parent
    for path in folder.rglob("*.py"):
        assert len(path.read_text().splitlines()) <= 400, path.name
