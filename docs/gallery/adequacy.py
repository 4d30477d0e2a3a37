"""
Does it fit?
============

Three looks at the rows of one fit: residuals against fitted means, the response by
tenths of the fitted mean, and how much of the response the rows of largest fitted mean
hold.
"""

from matplotlib import pyplot as plt

import penglm as pg
from penglm import datasets

rides = datasets.bikeshare()
model = pg.glm("bikers ~ C(hr) + temp + hum + windspeed", rides, family="poisson")
fit = model.fit_path(progress=False).select("bic")

figure, (left, middle, right) = plt.subplots(
    1, 3, figsize=(13.0, 4.2), layout="constrained"
)
fit.plot_residuals(ax=left)
fit.plot_calibration(ax=middle)
fit.plot_lift(ax=right)
plt.show()
