"""
A kink defeats Newton
=====================

The lasso objective of one column whose signal is half its threshold; the minimum is
zero. On either side of the kink it is a piece of a parabola. Newton's method goes to
the lowest point of the parabola of its own side, which lies on the other side, and
back.
"""

import numpy as np
from matplotlib import pyplot as plt

b = np.linspace(-1.6, 2.4, 401)


def objective(b, sign):
    """Return the objective as it is where ``b`` has that sign."""
    return b**2 / 2 - 0.5 * b + sign * b


_, ax = plt.subplots(figsize=(6.4, 4.2), layout="constrained")
ax.plot(b, objective(b, 1), color="0.5", linestyle=":", label="as seen from the right")
ax.plot(b, objective(b, -1), color="0.5", linestyle="--", label="as seen from the left")
ax.plot(
    b, objective(b, np.sign(b)), color="black", linewidth=1.8, label="the objective"
)
for start, sign in ((1.5, 1), (-0.5, -1)):
    end = 0.5 - sign
    ax.annotate(
        "",
        xy=(end, objective(end, sign)),
        xytext=(start, objective(start, sign)),
        arrowprops={"arrowstyle": "->", "connectionstyle": f"arc3,rad={0.25 * sign}"},
    )
    ax.plot(start, objective(start, sign), "o", color="black", markersize=5)
ax.plot(0, 0, "s", color="black", markersize=6, label="the minimum")
ax.set_xlabel("coefficient")
ax.set_ylabel("objective")
ax.set_ylim(-1.4, 3.2)
ax.spines[["top", "right"]].set_visible(False)
ax.legend(frameon=False)
plt.show()
