"""Fits to write pages about, and a browser to open them in."""

import numpy as np
import pandas as pd
import pytest

import penglm as pg
from tests.report.browser import Browser, found
from tests.report.reading import HOSTILE, rides


@pytest.fixture(scope="session")
def cv():
    """Return a Poisson lasso with a factor, an exposure and folds."""
    model = pg.glm(
        "claims ~ a + b + c + d + e + C(g)", rides(), "poisson", exposure="years"
    )
    return model.fit_cv(5)


@pytest.fixture(scope="session")
def wide():
    """Return a path of 200 columns at 100 strengths, most of them in at its end."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1000, 200)) + 0.6 * rng.normal(size=(1000, 1))
    coef = rng.normal(size=200) * (rng.random(200) < 0.3)
    y = 0.3 * X @ coef + 2.0 * rng.normal(size=1000)
    table = pd.DataFrame(X, columns=[f"column {j}" for j in range(200)])
    model = pg.PenalizedGLM(y, table)
    alphas = model.alpha_max() * np.logspace(0, -4, 100)
    return model.fit_path(alphas)


@pytest.fixture(scope="session")
def hostile():
    """Return a fit whose names and levels would like to be code."""
    rng = np.random.default_rng(7)
    X = pd.DataFrame(rng.normal(size=(200, len(HOSTILE))), columns=HOSTILE)
    y = pd.Series(X.to_numpy()[:, :6].sum(axis=1) + rng.normal(size=200),
                  name="<b>y</b>")  # fmt: skip
    return pg.PenalizedGLM(y, X).fit_path(n_alphas=20)


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """Return a browser without a window."""
    program = found()
    if program is None:
        pytest.skip("there is no Chromium on this machine")
    tab = Browser(program, tmp_path_factory.mktemp("profile"))
    yield tab
    tab.close()
