"""
Which strength?
===============

Mean deviance of the rows left out, with its standard error. Two strengths are marked:
the best, and the strongest within one standard error of it. Above the axes stands the
number of nonzero coefficients.
"""

import numpy as np

import penglm as pg

rng = np.random.default_rng(5)
X = rng.normal(size=(150, 40))
y = rng.binomial(1, 1.0 / (1.0 + np.exp(-(X[:, 0] - X[:, 1] + 0.5 * X[:, 2]))))
cv = pg.PenalizedGLM(y, X, family="binomial").fit_cv(10, progress=False)
cv.plot_scores()
