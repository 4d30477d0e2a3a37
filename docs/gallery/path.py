"""
A path with names
=================

Hourly counts of rented bicycles. Coefficients enter as the penalty falls; they are
drawn as they are penalised, per standard deviation of their columns, and the ten that
reach farthest carry their names. The dashed line is the strength that cross-validation
chose.
"""

import penglm as pg
from penglm import datasets

rides = datasets.bikeshare()
rides = rides[rides.hr.between(7, 20)]
model = pg.glm(
    "bikers ~ C(hr) + C(mnth) + temp + hum + windspeed + C(weathersit)",
    rides,
    family="poisson",
    coding="full",
)
cv = model.fit_cv(5, progress=False)
cv.plot(chosen=cv.alpha_best)
