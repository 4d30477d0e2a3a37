"""
Who is near the threshold?
==========================

Every column of a Poisson lasso by its signal, in units of its threshold. Within one
threshold a coefficient is zero; beyond it the coefficient takes up what is left, so it
is smaller than without a penalty by one threshold. The columns nearest to their
thresholds carry their names.
"""

import penglm as pg
from penglm import datasets

rides = datasets.bikeshare()
model = pg.glm(
    "bikers ~ C(hr) + temp + hum + windspeed", rides, family="poisson", coding="full"
)
model.fit(alpha=4).plot_soft_threshold()
