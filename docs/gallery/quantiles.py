"""
Residuals that show a wrong family
==================================

Quantile residuals are standard normal if the model is right, of counts as well. The
Poisson model on the left has the means about right, but its residuals go far beyond
three standard deviations: the counts vary more. Those of the negative binomial on the
right, its ``theta`` estimated, vary about as they should.
"""

from matplotlib import pyplot as plt

import penglm as pg
from penglm import datasets
from penglm.families import NegativeBinomial

rides = datasets.bikeshare()
formula = "bikers ~ C(hr) + C(mnth) + temp + hum + windspeed + C(weathersit)"
figure, axes = plt.subplots(1, 2, figsize=(11.0, 4.4), layout="constrained")
for ax, family, alpha in zip(
    axes, ("poisson", NegativeBinomial(theta="estimate")), (1.0, 0.01), strict=True
):
    fit = pg.glm(formula, rides, family=family).fit(alpha)
    fit.plot_residuals("quantile", ax=ax)
    ax.set_title(fit.spec.family.name.replace("_", " "))
plt.show()
