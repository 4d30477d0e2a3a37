"""statsmodels ``GLM.fit_regularized``, restarted until its answer is optimal.

Its objective is minus the log-likelihood over the *rows* plus ``alpha_j`` for every
column, the constant included. So ``alpha`` is a vector here, 0 for the constant and
``alpha * factor * sum(weights) / rows`` elsewhere. Columns are divided by what the
penalty multiplies them by, and centred beside a constant, which changes the constant
only and helps coordinate descent.

A coefficient that becomes zero after the first sweep is not tried again in the same
call. Called again from its own answer it tries all of them once more, so a few restarts
reach the optimum. How many were needed, and how often the first answer said that it had
converged and was not optimal, is part of the answer.
"""

import warnings
from dataclasses import dataclass

import numpy as np

from validation.objective import judge, null_slope
from validation.problem import Answer, Problem, RefusedError

# An answer is optimal below this share of alpha: the claim made for penglm, too.
OPTIMAL = 1e-4
MAX_ITER = 1000
MOST_RESTARTS = 10
STRENGTHS = 3
# It builds a model for each coefficient of each sweep; beyond these, minutes a fit.
MOST_FEATURES = 60
MOST_CELLS = 100_000
# With L1_wt = 0 it takes another road, with the likelihood at an estimated scale.
NEARLY_RIDGE = 1e-8


@dataclass(frozen=True, eq=False)
class Restarted(Answer):
    """An answer with the story of how it was reached.

    Attributes
    ----------
    restarts : tuple of int (k,)
        Calls after the first, at each strength.
    first_residual : tuple of float (k,)
        KKT residual of the first answer.
    first_excess : tuple of float (k,)
        Its objective above that of the last answer, relative.
    first_converged : tuple of bool (k,)
        What the first answer said of itself.
    """

    restarts: tuple[int, ...] = ()
    first_residual: tuple[float, ...] = ()
    first_excess: tuple[float, ...] = ()
    first_converged: tuple[bool, ...] = ()

    @property
    def wrongly_converged(self) -> int:
        """How many first answers said converged and were not optimal."""
        told = zip(self.first_converged, self.first_residual, strict=True)
        return sum(converged and residual > OPTIMAL for converged, residual in told)


def glm_of(problem: Problem):
    """Return the statsmodels model, with the factor that turns alpha into its units."""
    import statsmodels.api as sm

    families = {
        "identity": sm.families.Gaussian,
        "logit": sm.families.Binomial,
        "probit": lambda: sm.families.Binomial(sm.families.links.Probit()),
        "log": sm.families.Poisson,
    }
    Z = problem.X / size_of(problem)
    if problem.fit_intercept:
        Z = np.column_stack(
            [np.ones(problem.n_obs), Z - problem.mean / size_of(problem)]
        )
    model = sm.GLM(
        problem.y, Z, families[problem.link](), offset=problem.offset,
        var_weights=problem.sample_weight,
    )  # fmt: skip
    return model, problem.weight_total / problem.n_obs


class Statsmodels:
    """Coordinate descent, called again from its own answer."""

    name = "statsmodels"

    def solve(self, problem: Problem) -> Restarted:
        """Return a few strengths, the weakest included."""
        if problem.has_limits:
            raise RefusedError("no limits")
        if not isinstance(problem.X, np.ndarray):
            raise RefusedError("no sparse columns")
        if problem.n_features > MOST_FEATURES or problem.X.size > MOST_CELLS:
            raise RefusedError("too slow for this table")
        at, unit = problem.few(STRENGTHS), null_slope(problem)
        told = [self.solve_one(problem, problem.alphas[k], unit) for k in at]
        first, last, restarts, converged = zip(*told, strict=True)
        verdicts = [
            [judge(problem, problem.alphas[k], *point, unit) for point in pair]
            for k, pair in zip(at, zip(first, last, strict=True), strict=True)
        ]
        residuals = [pair[0].kkt_residual for pair in verdicts]
        excess = [pair[0].objective / pair[1].objective - 1.0 for pair in verdicts]
        return Restarted(
            at,
            np.array([point[0] for point in last]),
            np.column_stack([point[1] for point in last]),
            f"restarts {' '.join(map(str, restarts))}",
            restarts=restarts,
            first_residual=tuple(residuals),
            first_excess=tuple(excess),
            first_converged=converged,
        )

    def solve_one(self, problem: Problem, alpha: float, unit: float):
        """Return first point, last point, restarts and the first call's own verdict."""
        model, per_row = glm_of(problem)
        factor = problem.penalty_factor * alpha * per_row
        strength = np.r_[0.0, factor] if problem.fit_intercept else factor
        options = {"L1_wt": problem.l1_ratio or NEARLY_RIDGE, "maxiter": MAX_ITER}
        start, first, converged, best, calls = None, None, False, np.inf, 0
        for _ in range(MOST_RESTARTS + 1):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                fit = model.fit_regularized(
                    alpha=strength, start_params=start, **options
                )
            start, calls = np.asarray(fit.params), calls + 1
            point = split(problem, start)
            if first is None:
                first, converged = point, bool(fit.converged)
            verdict = judge(problem, alpha, *point, unit)
            stuck = not verdict.objective < best
            best = min(best, verdict.objective)
            if verdict.kkt_residual <= OPTIMAL or stuck:
                break
        return first, point, calls - 1, converged


def split(problem: Problem, params: np.ndarray):
    """Return intercept and coefficients (p,) in the units of the problem's columns."""
    if not problem.fit_intercept:
        return 0.0, params / size_of(problem)
    coef = params[1:] / size_of(problem)
    return float(params[0] - problem.mean @ coef), coef


def size_of(problem: Problem) -> np.ndarray:
    """Return what columns are divided by (p,); 1 where they are constant."""
    return np.where(problem.size > 0, problem.size, 1.0)
