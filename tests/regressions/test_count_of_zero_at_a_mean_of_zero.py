"""A Poisson mean of 0 explains a count of 0: its deviance used to be NaN."""

import numpy as np

from penglm.families import Poisson


def test_it_costs_nothing_and_a_count_costs_everything():
    found = Poisson().unit_deviance(
        np.array([0.0, 0.0, 2.0]), np.array([0.0, 1.5, 0.0])
    )
    np.testing.assert_array_equal(found, [0.0, 3.0, np.inf])
