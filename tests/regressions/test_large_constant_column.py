"""A constant column of 1e150 made every slope beside it look like nothing.

Centred, it left rounding of size 1e134, which became the unit of optimality: the model
without any coefficient was called optimal.
"""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose

import penglm as pg


@pytest.mark.parametrize("family", ["gaussian", "binomial", "poisson"])
@pytest.mark.parametrize("value", [1e6, 1e150, -1e300])
def test_constant_column_of_any_size_leaves_the_others_their_coefficients(
    family, value
):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(60, 4))
    y = (X[:, 0] + rng.normal(size=60) > 0).astype(float)
    beside = np.insert(X, 2, value, axis=1)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pg.exceptions.ConstantColumnWarning)
        fit = pg.PenalizedGLM(y, beside, family).fit(0.02, tol=1e-9)
    expected = pg.PenalizedGLM(y, X, family).fit(0.02, tol=1e-9)

    assert expected.n_nonzero > 0
    assert_allclose(np.delete(fit.coef, 2), expected.coef, rtol=1e-6)
    assert fit.coef[2] == 0.0
