"""A matrix of who claims what: squares by size, filled or hollow by sign."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from penglm._typing import Matrix
from penglm.plots import canvas

# Inches of a cell and around them; side of the largest square, as a share of a cell.
CELL, AROUND = 0.62, 2.1
LARGEST = 0.62
# Shares that print as nothing.
NOTHING = 0.005


def matrix(
    shares: Matrix, rows: Sequence[str], columns: Sequence[str], *, note: str,
    ax: Any = None,
) -> Any:  # fmt: skip
    """Draw signed shares, each a square whose area is its size, with its number.

    Parameters
    ----------
    shares : Matrix (k, m)
    rows, columns : sequence of str (k,), (m,)
        The last column is set apart: what is left.
    note : str
        Above the axes.
    ax : matplotlib axes, optional

    Returns
    -------
    matplotlib axes
    """
    from matplotlib.patches import Rectangle

    height, width = shares.shape
    ax = canvas.axes_of(ax, size=(AROUND + CELL * width, AROUND + CELL * height))
    side = LARGEST * np.sqrt(np.abs(shares) / max(np.abs(shares).max(initial=0.0), 1.0))
    for (i, j), value in np.ndenumerate(shares):
        if abs(value) < NOTHING:
            continue
        half = side[i, j] / 2.0
        ax.add_patch(
            Rectangle(
                (j - half, i - 0.12 - half), 2.0 * half, 2.0 * half,
                facecolor="0.35" if value > 0.0 else "white", edgecolor="black",
                linewidth=0.8,
            )
        )  # fmt: skip
        ax.text(j, i + 0.36, f"{value:+.2f}", ha="center", va="center", fontsize=7)
    ax.set_xlim(-0.5, width - 0.5)
    ax.set_ylim(height - 0.5, -0.5)
    ax.axvline(width - 1.5, color="black", linewidth=0.8)
    for at in range(1, height):
        ax.axhline(at - 0.5, color="0.9", linewidth=0.6, zorder=0)
    ax.set_xticks(range(width), [canvas.escaped(name) for name in columns],
                  rotation=45, ha="right", rotation_mode="anchor")  # fmt: skip
    ax.set_yticks(range(height), [canvas.escaped(name) for name in rows])
    ax.tick_params(length=0, labelsize=8)
    ax.set_aspect("equal", adjustable="box")
    ax.set_title(note, fontsize=8, color="0.35")
    return ax
