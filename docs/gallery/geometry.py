"""
Contours that touch a body
==========================

The same data under three penalties. The grey body holds the pairs of coefficients that
cost no more than the fit's; the heavy contour is that of the fit's own loss. It touches
the body at the fit: at a corner of the diamond, where the second coefficient is zero,
but not of the circle, which has none.
"""

import numpy as np
from matplotlib import pyplot as plt

import penglm as pg

rng = np.random.default_rng(1)
X = rng.normal(size=(300, 2))
X[:, 1] += 0.5 * X[:, 0]
y = rng.poisson(np.exp(0.2 + 0.6 * X[:, 0] + 0.1 * X[:, 1]))
model = pg.PenalizedGLM(y, X, family="poisson")

for l1_ratio, name in ((1.0, "lasso"), (0.5, "half of each"), (0.0, "ridge")):
    _, ax = plt.subplots(figsize=(4.4, 4.4), layout="constrained")
    model.fit(0.35, l1_ratio).plot_geometry("x1", "x2", ax=ax)
    ax.set_title(name, fontsize=11, color="black")
plt.show()
