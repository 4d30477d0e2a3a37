"""The same problem solved at other strengths: where coefficients enter and leave."""

from collections.abc import Sequence

import numpy as np
from scipy import optimize

from penglm._typing import Index, Vector
from penglm.budget import start_below
from penglm.explanation.signal import Signals, signals
from penglm.path import alpha_max, solve_path
from penglm.solver.null import Null
from penglm.solver.outcome import Options
from penglm.solver.problem import Problem
from penglm.solver.solution import Solution, Status

# Each strength looked at is this share of the one before, the larger share where more
# than so many coefficients are looked for. The last is a share of alpha_max that
# depends, as that of a path, on whether rows or columns are more.
STEP, SMALL_STEP = 0.9, 0.995
MANY = 50
LEAST_SHARE = {True: 1e-2, False: 1e-4}
# Large steps solved before asking again who is still missing.
AT_A_TIME = 8
# How well a strength at which something changes is known.
SHARPNESS = 1e-4


class Refits:
    """A solution, and whatever else was solved to explain it.

    Parameters
    ----------
    problem : Problem
    solution : Solution
        What is explained.
    null : Null
    options : Options
    is_estimated : bool
        Whether parameters of the family were estimated; refits hold them.

    Attributes
    ----------
    known : dict of float to Solution
        By strength.
    """

    def __init__(
        self,
        problem: Problem,
        solution: Solution,
        null: Null,
        options: Options,
        *,
        is_estimated: bool,
    ) -> None:
        self.is_estimated = is_estimated
        self.problem, self.solution = problem, solution
        self.null, self.options = null, options
        self.unit = problem.scale / problem.penalty_scale
        self.top = alpha_max(problem, null)
        self.floor = self.top * LEAST_SHARE[problem.engine.n_obs < problem.n_features]
        self.known = {solution.alpha: solution}
        self.signals_at: dict[float, Signals] = {}

    def at(self, alpha: float) -> Solution:
        """Return the solution at a strength, from the nearest stronger one known."""
        if alpha not in self.known:
            self.solve([alpha])
        return self.known[alpha]

    def solve(self, alphas: Sequence[float]) -> list[Solution]:
        """Solve at descending strengths that are not known yet."""
        start = start_below(self.problem, self.finite(), alphas[0])
        found = solve_path(self.problem, alphas, self.null, self.options, start=start)
        self.known.update({solution.alpha: solution for solution in found})
        return found

    def finite(self) -> list[Solution]:
        """Return solutions that another may start from."""
        return [
            solution
            for solution in self.known.values()
            if solution.alpha < np.inf
            and solution.status is not Status.NO_FINITE_SOLUTION
        ]

    def signals(self, alpha: float) -> Signals:
        """Return the signals at a strength."""
        if alpha not in self.signals_at:
            self.signals_at[alpha] = signals(self.problem, self.at(alpha), self.unit)
        return self.signals_at[alpha]

    def entries(self, columns: Sequence[int]) -> tuple[dict[int, float], float]:
        """Follow the path down until columns that are zero have entered.

        Returns
        -------
        dict of int to float
            Strength at which each column enters; those that never do are absent.
        float
            How far down the path was followed.
        """
        search = Search(self, len(columns))
        missing = set(columns)
        above = self.at(min(self.solution.alpha, self.top))
        while missing and above.alpha > self.floor:
            alphas = above.alpha * search.step ** np.arange(1, search.at_a_time + 1)
            alphas = np.unique(np.maximum(alphas, self.floor))[::-1]
            for below in self.solve(alphas.tolist()):
                if below.status is Status.NO_FINITE_SOLUTION:
                    return search.found, above.alpha
                entered = set(below.entries.places.tolist()) & missing
                search.between(sorted(entered), below, above)
                missing -= entered
                above = below
        return search.found, above.alpha

    def exits(self, columns: Sequence[int]) -> dict[int, float]:
        """Follow the path up until columns that are not zero have left.

        Returns
        -------
        dict of int to float
            Strength at which each column leaves; those that never do are absent.
        """
        here, missing = self.solution, set(columns)
        search = Search(self, len(columns))
        if not missing or here.alpha >= self.top:
            return search.found
        bottom = max(here.alpha, self.floor)
        n_steps = int(np.log(bottom / self.top) / np.log(search.step)) + 1
        alphas = self.top * search.step ** np.arange(n_steps)
        self.solve(alphas[alphas > here.alpha].tolist())
        below = here
        for alpha in sorted(alpha for alpha in self.known if alpha > here.alpha):
            above = self.known[alpha]
            is_other = np.sign(above.coef) != np.sign(below.coef)
            left = [j for j in sorted(missing) if is_other[j]]
            search.between(left, below, above)
            missing.difference_update(left)
            below = above
        return search.found


class Search:
    """Where coefficients become zero between neighbours of a path.

    A few are looked for one by one between strengths far apart. Many share a path of
    small steps, and between two of them what a signal exceeds its threshold by is taken
    to be straight.

    Parameters
    ----------
    refits : Refits
    n_columns : int
        How many coefficients are looked for.

    Attributes
    ----------
    step : float
        Share of a strength that the next is.
    at_a_time : int
        Strengths solved before asking again who is still missing.
    found : dict of int to float
    """

    def __init__(self, refits: Refits, n_columns: int) -> None:
        self.refits, self.found = refits, dict[int, float]()
        self.is_shared = n_columns > MANY
        self.step = SMALL_STEP if self.is_shared else STEP
        self.at_a_time = int(AT_A_TIME * np.log(STEP) / np.log(self.step))

    def between(self, columns: Sequence[int], below: Solution, above: Solution) -> None:
        """Note where coefficients change between two strengths.

        They are not zero at the weaker one.
        """
        places = np.array(columns, dtype=np.int64)
        if not places.size:
            return
        low = self.excess(places, below, below)
        high = self.excess(places, below, above)
        for j, under, over in zip(places.tolist(), low, high, strict=True):
            if over >= 0.0 or under <= 0.0:
                self.found[j] = above.alpha if over >= 0.0 else below.alpha
            elif self.is_shared:
                share = float(under / (under - over))
                self.found[j] = below.alpha + share * (above.alpha - below.alpha)
            else:
                self.found[j] = self.root(j, below, above)

    def root(self, column: int, below: Solution, above: Solution) -> float:
        """Return where excess is zero between two strengths, by solving there."""
        place = np.array([column])

        def excess(alpha: float) -> float:
            return float(self.excess(place, below, self.refits.at(alpha))[0])

        root = optimize.brentq(
            excess, below.alpha, above.alpha,
            xtol=SHARPNESS * above.alpha, rtol=SHARPNESS,
        )  # fmt: skip
        return float(root)

    def excess(self, columns: Index, below: Solution, at: Solution) -> Vector:
        """Return what signals exceed their thresholds by (k,), on the side they go.

        It changes sign where a coefficient becomes zero and, unlike the coefficient, is
        flat on neither side.
        """
        found = signals(self.refits.problem, at, self.refits.unit, columns)
        excess: Vector = np.sign(below.coef[columns]) * found.signal - found.threshold
        return excess
