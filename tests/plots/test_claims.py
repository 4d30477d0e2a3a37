"""The matrix of rivals draws the numbers of the sums."""

import matplotlib
import numpy as np
import pytest

import penglm as pg
from penglm.exceptions import PenglmInputError
from penglm.explanation.rivals import Claimed
from penglm.explanation.shares import shares_of

matplotlib.use("Agg")
from matplotlib.patches import Rectangle


@pytest.fixture(scope="module")
def found():
    rng = np.random.default_rng(2)
    common = rng.normal(size=(200, 1))
    X = rng.normal(size=(200, 9)) + common * [1, 1, 1, 1, 0, 0, -1, -1, -1]
    y = rng.poisson(np.exp(0.4 * X[:, 0] - 0.3 * X[:, 4] - 0.3 * X[:, 6]))
    return pg.PenalizedGLM(y, X, "poisson").fit(0.25).rivals(refit=False)


def test_every_row_adds_up_to_one(found):
    for most in (1, 2, 12):
        shares = shares_of(found.columns, most)
        np.testing.assert_allclose(shares.sum(axis=1), 1.0, rtol=1e-10)
        assert len(shares) <= most


def test_shares_are_claims_over_null_signals(found):
    frame = found.frame()
    shares = shares_of(found.columns, 12)
    wanted = (
        (frame.claim / frame.null_signal).groupby([frame.column, frame.rival]).sum()
    )
    for (column, rival), value in wanted.items():
        assert shares.loc[column, rival] == pytest.approx(value, rel=1e-12)


def test_the_largest_are_kept_and_the_others_summed(found):
    shares, few = shares_of(found.columns, 12), shares_of(found.columns, 2)
    of_these = shares.loc[few.index].drop(columns="remaining").abs().max()
    wanted = of_these.sort_values(ascending=False).index[:2]
    assert [*few.columns] == [*wanted, "others", "remaining"]
    assert [*few.index] == [*shares.index[:2]]
    alone = {one.name: abs(one.null_signal) / one.threshold for one in found.columns}
    sizes = [alone[name] for name in shares.index]
    assert sizes == sorted(sizes, reverse=True)


def test_area_is_size_and_fill_is_sign(found):
    ax = found.plot()
    shares = shares_of(found.columns, 12).to_numpy()
    squares = [one for one in ax.patches if isinstance(one, Rectangle)]
    told = np.abs(shares) >= 0.005
    assert len(squares) == told.sum()
    area = np.array([one.get_width() * one.get_height() for one in squares])
    size = np.abs(shares[told])
    np.testing.assert_allclose(area / area.max(), size / size.max(), rtol=1e-10)
    is_filled = [one.get_facecolor()[0] < 0.5 for one in squares]
    np.testing.assert_array_equal(is_filled, shares[told] > 0.0)
    numbers = [float(text.get_text()) for text in ax.texts]
    np.testing.assert_allclose(numbers, shares[told], atol=0.0051, rtol=0)
    ax.figure.canvas.draw()


def test_nothing_to_draw_is_refused():
    X = np.random.default_rng(0).normal(size=(50, 2))
    fit = pg.PenalizedGLM(X @ [1.0, 2.0], X).fit(0.01)
    with pytest.raises(PenglmInputError, match="no coefficient is zero"):
        fit.rivals().plot()


def test_names_are_no_mathematics():
    import pandas as pd

    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(60, 3)), columns=["$a", "b$_", "c"])
    y = X["$a"] + 0.1 * rng.normal(size=60)
    pg.PenalizedGLM(y, X).fit(0.3).rivals().plot().figure.canvas.draw()


def test_others_keep_their_signs():
    claims = {"a": 5.0, "b": -2.0, "c": 1.5, "d": -1.0}
    one = Claimed("x", "x", None, 0.0, 4.0, claims, 0.5, 1.0)
    shares = shares_of([one], 2)
    assert [*shares.columns] == ["a", "b", "others", "remaining"]
    np.testing.assert_allclose(shares.loc["x"], [1.25, -0.5, 0.125, 0.125], rtol=1e-15)
