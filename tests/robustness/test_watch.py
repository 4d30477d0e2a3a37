"""The watch over all tests has teeth: each lie that a fit could tell is noticed."""

from dataclasses import replace

import numpy as np
import pytest

import penglm as pg
from penglm import estimators, frame, path
from penglm.exceptions import ConvergenceWarning
from penglm.solver.solution import SparseVector, Status

N = 60
RNG = np.random.default_rng(20261127)
X = RNG.normal(size=(N, 4))
Y = RNG.poisson(np.exp(0.5 * X[:, 0] - 0.3 * X[:, 1])).astype(float)
WEIGHTS = RNG.uniform(0.5, 2.0, N)
ALPHA = 0.02
WRONG_BY = 1e-3

DOORS = {
    "fit": lambda model: model.fit(ALPHA),
    "fit_path": lambda model: model.fit_path(n_alphas=5),
    "at": lambda model: model.fit_path([0.1]).at(ALPHA),
    "fit_cv": lambda model: model.fit_cv(3, n_alphas=5).best,
    "budget": lambda model: model.fit(budget=0.3),
    "adaptive": lambda model: model.fit(ALPHA, penalty="adaptive"),
    "infinite alpha": lambda model: model.fit(np.inf),
    "regressor": lambda model: estimators.PenalizedGLMRegressor(
        "poisson", alpha=ALPHA
    ).fit(X, Y),
    "regressor with folds": lambda model: estimators.PenalizedGLMRegressorCV(
        "poisson", n_alphas=5
    ).fit(X, Y),
}
every_door = pytest.mark.parametrize("door", DOORS)


@pytest.fixture
def tampered(monkeypatch):
    """Let solutions be changed once they have their certificate."""

    def tamper(change):
        finish = path.finish
        monkeypatch.setattr(path, "finish", lambda *args: [
            change(solution) for solution in finish(*args)
        ])  # fmt: skip

    return tamper


def model(**options):
    return pg.PenalizedGLM(Y, X, "poisson", var_weights=WEIGHTS, **options)


def shifted(solution):
    """Return a solution with all its numbers wrong by a thousandth."""
    entries = solution.entries
    values = entries.values * (1.0 + WRONG_BY)
    moved = SparseVector(entries.size, entries.places, values)
    intercept = solution.intercept * (1.0 + WRONG_BY)
    return replace(solution, intercept=intercept, entries=moved)


@every_door
def test_right_answers_are_not_accused(door, watch):
    before = watch.counts["judged"]
    with watch.over() as wrong:
        DOORS[door](model())
    assert not wrong
    assert watch.counts["judged"] > before


@every_door
def test_coefficients_wrong_by_a_thousandth_fail_the_test(door, watch, tampered):
    tampered(shifted)
    with pytest.raises(AssertionError, match="claimed optimal to"), watch.over():
        DOORS[door](model())


def test_excused_tests_do_not_fail(watch, tampered):
    tampered(shifted)
    with watch.over("its solver is broken on purpose") as wrong:
        model().fit(ALPHA)
    assert wrong


def test_status_that_was_not_earned_fails_the_test(watch, tampered):
    tampered(lambda solution: replace(solution, status=Status.OPTIMAL))
    with pytest.raises(AssertionError, match="claimed optimal"), watch.over():
        model().fit(ALPHA, max_iter=1)


def test_certificate_that_flatters_fails_the_test(watch, tampered):
    def flattered(solution):
        known = solution.certificate
        better = replace(known, kkt_residual=known.kkt_residual / 2.0)
        return replace(solution, certificate=better)

    tampered(flattered)
    with (
        pytest.raises(AssertionError, match="certified as"),
        watch.over(),
        pytest.warns(ConvergenceWarning),
    ):
        model().fit(ALPHA, max_iter=1)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_number_that_is_none_fails_the_test(watch, tampered, value):
    tampered(lambda solution: replace(solution, intercept=value))
    with pytest.raises(AssertionError, match="not finite"), watch.over():
        model().fit(ALPHA)


# Here the package's own certificate sees nothing: it judges what the frame gave it.
@pytest.mark.parametrize("part", ["weights", "offset"])
def test_rows_that_the_frame_got_wrong_fail_the_test(watch, monkeypatch, part):
    if part == "weights":
        monkeypatch.setattr(
            frame, "product_of_weights", lambda *given: (np.ones(N), np.ones(N))
        )
    else:
        monkeypatch.setattr(frame, "total", lambda shifts, n_rows: np.zeros(n_rows))
    with pytest.raises(AssertionError, match="claimed optimal"), watch.over():
        model(offset=0.3 * X[:, 2]).fit(ALPHA)
