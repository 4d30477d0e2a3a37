"""
Coordinate descent, step by step
================================

Two columns with a correlation of one half. Each step moves one coefficient to where
soft-thresholding puts it, given the other; the steps end where a contour of the loss
touches the body of the penalty.
"""

import numpy as np

import penglm as pg

x1 = np.array([1.0, 1, 1, 1, -1, -1, -1, -1])
x2 = np.array([1.0, 1, 1, -1, 1, -1, -1, -1])
y = 2 * x1 + 0.4 * x2 + [1, -1, 0, 0, 0, 0, 0, 0]
fit = pg.PenalizedGLM(y, np.column_stack([x1, x2])).fit(0.5)


def soft_threshold(z, t):
    """Return what is left of a signal beyond its threshold."""
    return np.sign(z) * np.maximum(np.abs(z) - t, 0)


steps = [(0.0, 2.0)]
for _ in range(6):
    _, b2 = steps[-1]
    b1 = soft_threshold(2.2 - 0.5 * b2, 0.5)
    steps += [(b1, b2), (b1, soft_threshold(1.4 - 0.5 * b1, 0.5))]

ax = fit.plot_geometry("x1", "x2")
ax.plot(*zip(*steps, strict=True), color="black", linestyle="--", marker=".")
ax.annotate("start", steps[0], xytext=(4, -12), textcoords="offset points")
ax.set_ylim(top=2.2)
