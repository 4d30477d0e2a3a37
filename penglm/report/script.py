"""What the script of a page reads: the path in packed numbers and runs."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from penglm._typing import Vector
from penglm.explanation.reason import Case
from penglm.report import words
from penglm.report.along import NOBODY, Along
from penglm.report.digits import COEFFICIENTS, SIGNALS, Packing
from penglm.report.markup import printable, shortened
from penglm.results.fit import FitResults


def data(along: Along, fit: FitResults, x: list[float | None]) -> dict[str, Any]:
    """Return what the script needs to show any strength of the path.

    ``coef`` and ``why`` have a row for the intercept and for each column, all else for
    each column; ``first`` is the first row that the table has. A row of numbers is the
    strength it starts at, the exponent of its largest, and all of them packed; see
    ``penglm.report.digits``. ``why`` and ``rival`` are runs: a strength, what holds
    from there on, and so forth.
    """
    columns = range(len(along.names))
    strengths = range(len(along.solutions))
    said: list[list[str]] = [[words.WHY[Case.FREE]] * len(strengths)]
    if along.cases:
        said += [[words.why(along, j, k) for k in strengths] for j in columns]
    known = list(dict.fromkeys(each for one in said for each in one))
    intercepts = np.array([one.intercept for one in along.solutions])
    first = 0 if fit.spec.fit_intercept else 1
    rivals, place = np.unique(along.rival, return_inverse=True)
    # Those that nobody is spoken for by would only take room.
    heard = rivals[rivals != NOBODY]
    place = place.reshape(along.rival.shape) - int(NOBODY in rivals)
    has_signal: list[bool] = np.all(np.isfinite(along.signal), axis=1).tolist()
    return {
        "alphas": [float(a) if np.isfinite(a) else None for a in along.alphas],
        "chosen": along.chosen,
        "x": x,
        "first": first,
        "sd": along.sd.tolist(),
        "unit": along.unit_threshold.tolist(),
        "coef": [series(one, COEFFICIENTS) for one in (intercepts, *along.coef)],
        "signal": [
            SIGNALS.pack(along.signal[j]) if has_signal[j] else None for j in columns
        ],
        "words": known,
        "why": [runs([known.index(each) for each in one]) for one in said],
        "variables": [printable(shortened(along.variables[each])) for each in heard],
        "rival": [
            [runs(place[j].tolist()), *series(along.claim[j], SIGNALS)] for j in columns
        ],
    }


def series(values: Vector, packing: Packing) -> list[Any]:
    """Return a row from its first number that is not zero to its last."""
    some = np.flatnonzero(values)
    start, stop = (int(some[0]), int(some[-1]) + 1) if some.size else (0, 0)
    return [start, *packing.pack(values[start:stop])]


def runs(values: Sequence[int]) -> list[int]:
    """Return a sequence as starts and values of its runs."""
    starts = [0, *(k + 1 for k, (a, b) in enumerate(pairwise(values)) if a != b)]
    return [each for k in starts for each in (k, values[k])]
