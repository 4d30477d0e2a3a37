"""What units decide: the warning, and the columns that standardising would choose."""

import warnings
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose
from scipy import sparse

import penglm as pg
from penglm.exceptions import PenglmInputError, ScalingWarning

N, P = 150, 8
UNITS = np.array([1e-2, 1.0, 1e2, 1e-2, 1.0, 1e2, 1.0, 1e-1])
FAMILIES = ["gaussian", "poisson", "binomial"]


def data(family="gaussian", seed=0):
    """Return a response and columns of very different units, all of them of use."""
    rng = np.random.default_rng(seed)
    plain = rng.normal(size=(N, P))
    eta = plain @ np.linspace(0.6, 0.1, P)
    y = {
        "gaussian": eta + 0.5 * rng.normal(size=N),
        "poisson": rng.poisson(np.exp(0.5 * eta)),
        "binomial": (rng.uniform(size=N) < 1.0 / (1.0 + np.exp(-eta))).astype(float),
    }[family]
    return y, plain * UNITS


def raw(family="gaussian", **others):
    y, X = data(family)
    return pg.PenalizedGLM(y, X, family, standardize=False, **others)


def warned(call):
    """Return the scaling warnings of a call, as text."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    return [str(one.message) for one in caught if one.category is ScalingWarning]


@pytest.fixture
def quiet():
    """Pass over the warning, for tests of what the method says."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ScalingWarning)
        yield


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
def test_other_columns_are_those_of_a_standardised_model(quiet, family, l1_ratio):
    y, X = data(family)
    fit = raw(family).fit(0.03, l1_ratio)
    assert 0 < fit.n_nonzero < P
    advice = fit.scaling_advice()
    other = pg.PenalizedGLM(y, X, family).fit(advice.alpha_standardized, l1_ratio)
    frame = advice.frame()
    assert frame.is_in_standardized.tolist() == (other.coef != 0.0).tolist()
    assert frame.is_in.tolist() == (fit.coef != 0.0).tolist()
    assert_allclose(frame.sd, X.std(axis=0), rtol=1e-12)
    assert other.n_nonzero == fit.n_nonzero
    assert [one.name for one in advice.changed] == frame.index[
        frame.is_in != frame.is_in_standardized
    ].tolist()
    assert advice.changed


def test_sizes_count_columns_that_the_penalty_decides_about(quiet):
    factor = np.ones(P)
    factor[1], factor[4] = 0.0, np.inf
    y, X = data()
    fit = raw(penalty_factor=factor).fit(0.05)
    advice = fit.scaling_advice()
    assert advice.frame().index.tolist() == [
        f"x{j + 1}" for j in range(P) if factor[j] == 1
    ]
    other = pg.PenalizedGLM(y, X, penalty_factor=factor).fit(advice.alpha_standardized)
    assert other.n_nonzero == fit.n_nonzero
    assert advice.frame().is_in_standardized.tolist() == [
        bool(other.coef[j] != 0.0) for j in range(P) if factor[j] == 1
    ]


def test_sentences_name_the_column_its_unit_and_the_number_chosen(quiet):
    X = [[1, 0.01], [2, 0.03], [3, 0.02], [4, 0.05], [5, 0.04]]
    fit = pg.PenalizedGLM([1, 3, 2, 5, 4], X, standardize=False).fit(0.5)
    said = fit.scaling_advice().sentences
    assert said[1:] == [
        "x2 (sd 0.01414) is zero; standardised it would be the only one chosen.",
        "x1 (sd 1.414) is the only one chosen; standardised it would be zero.",
    ]
    assert "from 0.01414 (x2) to 1.414 (x1)" in said[0]


def test_nothing_changes_where_units_are_one(quiet):
    y, X = data()
    unit = X / X.std(axis=0)
    fit = pg.PenalizedGLM(y, unit, standardize=False).fit(0.2)
    advice = fit.scaling_advice()
    assert not advice.changed
    assert advice.sentences[-1] == "standardised, the same columns would be chosen."
    scaled = pg.PenalizedGLM(y, X).fit(0.2).scaling_advice()
    assert scaled.is_standardized
    assert scaled.alpha_standardized == 0.2
    assert not scaled.changed


def test_nothing_chosen_and_everything_chosen_have_an_answer(quiet):
    model = raw()
    none = model.fit(2.0 * model.alpha_max()).scaling_advice()
    assert not none.frame().to_numpy()[:, 1:].any()
    everything = model.fit(1e-6).scaling_advice()
    assert everything.frame()[["is_in", "is_in_standardized"]].to_numpy().all()


def test_what_has_no_choice_to_compare_is_refused(quiet):
    with pytest.raises(PenglmInputError, match="without an L1 part") as caught:
        raw().fit(0.1, 0.0).scaling_advice()
    assert caught.value.argument == "l1_ratio"
    with pytest.raises(PenglmInputError, match="adaptive"):
        raw().fit(0.01, penalty="adaptive").scaling_advice()
    with pytest.raises(PenglmInputError, match=r"fit\.penalised"):
        raw().fit(0.1).relax().scaling_advice()


def test_warning_names_the_worst_columns_and_what_would_change():
    (said,) = warned(lambda: raw().fit(0.03))
    _, X = data()
    sd = X.std(axis=0)
    low, high = np.argmin(sd), np.argmax(sd)
    assert f"from {sd[low]:.4g} (x{low + 1}) to {sd[high]:.4g} (x{high + 1})" in said
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ScalingWarning)
        changes = raw().fit(0.03).scaling_advice().changes
    assert changes[0] in said


def test_a_model_warns_once_and_its_data_only_once():
    model = raw()
    assert len(warned(lambda: model.fit(0.03))) == 1
    assert not warned(lambda: (model.fit(0.1), model.fit_path(n_alphas=5)))


@pytest.mark.parametrize(
    "call",
    [
        lambda model: model.fit(0.03),
        lambda model: model.fit(budget=0.1),
        lambda model: model.fit_path(n_alphas=5),
        lambda model: model.fit_cv(3, n_alphas=10),
    ],
    ids=["fit", "budget", "path", "cv"],
)
def test_every_way_to_fit_warns(call):
    assert len(warned(lambda: call(raw()))) == 1


def test_large_data_are_told_the_units_only(monkeypatch):
    from penglm import fitting

    monkeypatch.setattr(fitting, "SMALL", N * P - 1)
    (said,) = warned(lambda: raw().fit(0.03))
    assert "x1" in said
    assert "standardised it would" not in said
    assert "scaling_advice()" in said


@pytest.mark.parametrize(
    "call",
    [
        lambda y, X: pg.PenalizedGLM(y, X).fit(0.1),
        lambda y, X: pg.PenalizedGLM(y, X, standardize="numeric").fit(0.1),
        lambda y, X: pg.PenalizedGLM(y, X, standardize=False).fit(0.0),
        lambda y, X: pg.PenalizedGLM(y, X, standardize=False).fit(0.1, 0.0),
        lambda y, X: pg.PenalizedGLM(y, X, standardize=False).fit(
            0.01, penalty="adaptive"
        ),
        lambda y, X: pg.PenalizedGLM(y, X / UNITS, standardize=False).fit(0.1),
        lambda y, X: pg.PenalizedGLM(
            y, X, standardize=False, penalty_factor=UNITS
        ).fit(0.1),
        lambda y, X: pg.PenalizedGLM(
            y, X / UNITS, standardize=False, penalty_factor=UNITS
        ).fit(0.1),
        lambda y, X: pg.PenalizedGLM(
            y, X, standardize=False,
            penalty_factor=np.where(UNITS == 1.0, 1.0, np.where(UNITS < 1, 0, np.inf)),
        ).fit(0.1),
        lambda y, X: pg.PenalizedGLM.from_statsmodels(
            sm.OLS(y, sm.add_constant(X)), standardize=False
        ).fit(0.1),
        lambda y, X: pg.PenalizedGLM(y, X).fit_regularized(alpha=0.1),
        lambda y, X: pg.PenalizedGLMRegressor(alpha=0.1, standardize=False).fit(X, y),
    ],
    ids=["standardised", "numeric", "no penalty", "ridge", "adaptive", "one unit",
         "scaled by factors", "factors that are meant", "free or excluded",
         "statsmodels", "fit_regularized", "estimator"],
)  # fmt: skip
def test_no_one_is_warned_without_a_reason(call):
    assert not warned(lambda: call(*data()))


def test_rare_levels_do_not_cry_wolf_but_numbers_beside_them_do():
    rng = np.random.default_rng(2)
    n = 40_000
    level = rng.choice(list("ab"), n)
    level[:2] = "c"
    x = rng.normal(size=n)
    y = x + rng.normal(size=n)
    table = pd.DataFrame({"y": y, "x": x, "far": 1e3 * x, "level": level})
    assert np.std(table.level == "c") < 0.01 * np.std(x)
    assert not warned(
        lambda: pg.glm("y ~ x + level", table, standardize=False).fit(0.1)
    )
    (said,) = warned(
        lambda: pg.glm("y ~ far + level", table, standardize=False).fit(0.1)
    )
    assert "(far)" in said


@pytest.mark.parametrize("make", [np.asarray, sparse.csr_array, np.float32])
def test_storage_does_not_matter(make):
    y, X = data()
    found = warned(lambda: pg.PenalizedGLM(y, make(X), standardize=False).fit(0.03))
    assert found == warned(lambda: pg.PenalizedGLM(y, X, standardize=False).fit(0.03))


def test_ratio_of_one_hundred_is_still_quiet():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(100, 2))
    X /= X.std(axis=0)
    y = X @ [1.0, 1.0] + rng.normal(size=100)
    for far, expected in ((99.0, 0), (101.0, 1)):
        model = pg.PenalizedGLM(y, X * [1.0, far], standardize=False)
        assert len(warned(lambda model=model: model.fit(0.1))) == expected


def test_size_found_is_the_first_down_the_path(quiet):
    y, X = data()
    fit = raw().fit(0.03)
    alpha = fit.scaling_advice().alpha_standardized
    counts = (
        pg.PenalizedGLM(y, X).fit_path(alpha * np.geomspace(4.0, 1.12, 12)).n_nonzero
    )
    assert all(count < fit.n_nonzero for count in counts)
    assert all(a <= b for a, b in pairwise(counts))


def test_units_as_far_apart_as_numbers_go_are_no_harm():
    y, X = data()
    far = X / UNITS * np.geomspace(1e-300, 1e300, P)
    model = pg.PenalizedGLM(y, far, standardize=False)
    (said,) = warned(lambda: model.fit(0.1))
    assert "(x1)" in said
    assert f"(x{P})" in said


@pytest.mark.parametrize("size", [2.0**-400, 2.0**400])
def test_strengths_whose_product_is_no_number_are_searched_to_an_end(quiet, size):
    # Powers of two that cancel in the objective, and not in a strength alone.
    y, X = data()
    fit = pg.PenalizedGLM(y, X, standardize=False).fit(0.03)
    far = pg.PenalizedGLM(
        y * size, X, standardize=False, penalty_factor=1.0 / size
    ).fit(0.03 * size**2)
    expected, found = fit.scaling_advice(), far.scaling_advice()
    assert found.columns == expected.columns
    assert found.alpha_standardized == expected.alpha_standardized * size**2
