"""The picture: how much longer each rival takes, workload by workload.

A dot is a rival at the goal, a thick line goes from penglm at 1 to the best of them, a
bar across says what is required. It is made for grey print: rivals differ by the shape
of their mark.
"""

from pathlib import Path

from validation.benchmarks.page import standings
from validation.benchmarks.standing import Standing, of_default

MARKS = {
    "glmnet": "o", "adelie": "s", "adelie covariance": "D", "celer": "^", "skglm": "v",
    "glum": "P", "scikit-learn": "X", "scikit-learn saga": "<",
    "scikit-learn lbfgs": ">", "scikit-learn newton-cholesky": "p",
    "statsmodels": "*", "H2O": "h",
}  # fmt: skip
ROW_INCHES, WIDTH_INCHES = 0.34, 9.0


def ratios(one: Standing) -> dict[str, float]:
    """Return each rival's time over penglm's at the goal, where it is known."""
    found = {}
    for entry in one.rivals:
        goal = entry["matched"]
        if one.record["task"] == "cold" and entry["default"]:
            goal = of_default(entry)
        if goal and goal["ratio"]:
            found[entry["contender"]] = goal["ratio"]
    return found


def draw(latest: dict[str, dict], path: Path) -> None:
    """Draw all workloads with a measured rival and write the file."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    rows = [(one, ratios(one)) for one in standings(latest)]
    rows = [(one, found) for one, found in rows if found]
    height = 1.6 + ROW_INCHES * len(rows)
    figure, axes = plt.subplots(figsize=(WIDTH_INCHES, height), layout="constrained")
    seen = {}
    for k, (one, found) in enumerate(rows):
        chosen = one.best["contender"] if one.best else min(found, key=found.get)
        best = found[chosen]
        axes.plot([1, best], [k, k], color="0.25", lw=4, solid_capstyle="butt",
                  zorder=2)  # fmt: skip
        if one.workload.ratio:
            wanted = axes.plot([one.workload.ratio] * 2, [k - 0.38, k + 0.38],
                               color="black", lw=1.6, zorder=3)  # fmt: skip
            seen["required of the best"] = wanted[0]
        for name, ratio in sorted(found.items(), key=lambda item: -item[1]):
            is_best = name == chosen
            seen[name] = axes.scatter(
                ratio, k, marker=MARKS.get(name, "."), s=46, zorder=4,
                facecolor="black" if is_best else "white",
                edgecolor="black" if is_best else "0.35", linewidth=1.0,
            )  # fmt: skip
    axes.axvline(1.0, color="black", lw=1.0, zorder=1)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_yticks(range(len(rows)), [one.workload.title for one, _ in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color="0.88", zorder=0)
    for k in range(len(rows)):
        if k % 2:
            axes.axhspan(k - 0.5, k + 0.5, color="0.96", zorder=0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.set_xlabel(
        "time at equal accuracy over penglm's (right: slower; filled: the best)"
    )
    order = [name for name in ("required of the best", *MARKS) if name in seen]
    handles = [legend_mark(plt, name) for name in order]
    figure.legend(handles, order, loc="outside lower center", ncols=4, frameon=False,
                  fontsize=8)  # fmt: skip
    figure.savefig(path, dpi=150)
    plt.close(figure)


def legend_mark(plt, name: str):
    """Return the mark of a rival, or of the requirement, for the legend."""
    if name not in MARKS:
        return plt.Line2D([], [], color="black", marker="|", ls="", ms=10, mew=1.6)
    return plt.Line2D(
        [], [], marker=MARKS[name], ls="", ms=6, markerfacecolor="white",
        markeredgecolor="0.35",
    )  # fmt: skip
