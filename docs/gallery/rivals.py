"""
Who says it instead?
====================

Each row is a column whose coefficient is zero. What it would have to say alone is split
among the variables in the model: the area of a square is the share, filled where they
say it in its place, hollow where they add to it. The last column is what remains, and
every row adds up to one.
"""

import penglm as pg
from penglm import datasets

rides = datasets.bikeshare()
model = pg.glm(
    "bikers ~ C(mnth) + temp + atemp + hum + windspeed + workingday + C(weathersit)",
    rides,
    family="poisson",
    coding="full",
)
model.fit(alpha=4).rivals(refit=False).plot()
