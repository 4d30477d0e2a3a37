"""The same problem solved at other strengths: where coefficients enter and leave."""

from collections.abc import Sequence

import numpy as np
from scipy import optimize

from penglm.budget import start_below
from penglm.explanation.signal import Signals, signals
from penglm.path import alpha_max, solve_path
from penglm.solver.null import Null
from penglm.solver.outcome import Options
from penglm.solver.problem import Problem
from penglm.solver.solution import Solution, Status

# Each strength looked at is this share of the one before, down to a share of alpha_max
# that depends, as that of a path, on whether rows or columns are more.
STEP = 0.9
LEAST_SHARE = {True: 1e-2, False: 1e-4}
# Strengths solved before asking again who is still missing.
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
        missing = set(columns)
        found: dict[int, float] = {}
        above = self.at(min(self.solution.alpha, self.top))
        while missing and above.alpha > self.floor:
            alphas = above.alpha * STEP ** np.arange(1, AT_A_TIME + 1)
            alphas = np.unique(np.maximum(alphas, self.floor))[::-1]
            for below in self.solve(alphas.tolist()):
                if below.status is Status.NO_FINITE_SOLUTION:
                    return found, above.alpha
                coef = below.coef
                for j in sorted(missing):
                    if coef[j] != 0.0:
                        found[j] = self.crossing(j, below, above)
                        missing.remove(j)
                above = below
        return found, above.alpha

    def exits(self, columns: Sequence[int]) -> dict[int, float]:
        """Follow the path up until columns that are not zero have left.

        Returns
        -------
        dict of int to float
            Strength at which each column leaves; those that never do are absent.
        """
        here, missing = self.solution, set(columns)
        found: dict[int, float] = {}
        if not missing or here.alpha >= self.top:
            return found
        bottom = max(here.alpha, self.floor)
        n_steps = int(np.log(bottom / self.top) / np.log(STEP)) + 1
        alphas = self.top * STEP ** np.arange(n_steps)
        self.solve(alphas[alphas > here.alpha].tolist())
        below = here
        for alpha in sorted(alpha for alpha in self.known if alpha > here.alpha):
            above = self.known[alpha]
            before, coef = below.coef, above.coef
            for j in sorted(missing):
                if np.sign(coef[j]) != np.sign(before[j]):
                    found[j] = self.crossing(j, below, above)
                    missing.remove(j)
            below = above
        return found

    def crossing(self, column: int, below: Solution, above: Solution) -> float:
        """Return the strength between two at which a coefficient becomes zero.

        It is not zero at the weaker one. What its signal exceeds its threshold by
        changes sign there and, unlike the coefficient, is not flat on either side.
        """
        sign = float(np.sign(below.coef[column]))

        def excess(alpha: float) -> float:
            at = self.signals(alpha)
            return sign * float(at.signal[column]) - float(at.threshold[column])

        if excess(above.alpha) >= 0.0:
            return above.alpha
        if excess(below.alpha) <= 0.0:
            return below.alpha
        root = optimize.brentq(
            excess, below.alpha, above.alpha,
            xtol=SHARPNESS * above.alpha, rtol=SHARPNESS,
        )  # fmt: skip
        return float(root)
