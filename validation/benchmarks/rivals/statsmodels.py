"""statsmodels: ``fit_regularized``, and ``fit`` where nothing is penalised."""

import numpy as np

from validation.benchmarks.rivals.protocol import (
    CV,
    DENSE,
    Facts,
    Given,
    Rival,
    Solver,
)

# One call is its default; a smaller tolerance calls again from the last answer until
# no coefficient moves by more.
ONE_CALL = 1.0
MOST_RESTARTS = 50
SWEEPS = 1000
# What it is allowed elsewhere than in small problems and unpenalised ones.
SHORT_LIMIT = 10.0
SMALL = 20_000


class Statsmodels(Solver):
    """``GLM`` with a constant column that is not penalised."""

    def __init__(self, given: Given) -> None:
        super().__init__(given)
        n = given.facts.n_obs
        self.X = np.column_stack([np.ones(n), given.X()])

    def fit(self, alphas, tol):
        import statsmodels.api as sm

        family = getattr(sm.families, self.given.facts.family.capitalize())()
        model = sm.GLM(self.given.y, self.X, family)
        if self.given.facts.is_unpenalised:
            return [model.fit() if tol is None else model.fit(tol=tol, maxiter=1000)]
        points, start = [], None
        for alpha in alphas:
            strength = np.full(self.X.shape[1], float(alpha))
            strength[0] = 0.0
            for _ in range(MOST_RESTARTS):
                options = {} if tol is None else {"maxiter": SWEEPS}
                point = model.fit_regularized(
                    alpha=strength, L1_wt=self.given.facts.l1_ratio,
                    start_params=start, **options,
                )  # fmt: skip
                before, start = start, np.asarray(point.params)
                if tol is None or tol >= ONE_CALL:
                    break
                if before is not None and np.abs(start - before).max() <= tol:
                    break
            points.append(point)
        return points

    def read(self, answer):
        params = np.column_stack([np.asarray(point.params) for point in answer])
        return params[0], params[1:]

    @staticmethod
    def version() -> str:
        import statsmodels

        return f"statsmodels {statsmodels.__version__}"


def refuse(facts: Facts) -> str:
    """Return why it does not state a problem."""
    if facts.storage != DENSE:
        return "no sparse columns"
    if facts.task == CV:
        return "no cross-validation"
    return ""


def patience(facts: Facts) -> float:
    """Return the seconds it is allowed at most."""
    is_small = facts.n_obs * facts.n_features <= SMALL
    return float("inf") if is_small or facts.is_unpenalised else SHORT_LIMIT


RIVALS = (
    Rival(
        "statsmodels",
        "statsmodels",
        Statsmodels,
        refuse,
        ("statsmodels",),
        default_tol=ONE_CALL,
        loosest=ONE_CALL,
        patience=patience,
    ),
)
