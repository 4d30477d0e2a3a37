"""skglm: working sets and Anderson acceleration, compiled by numba."""

import numpy as np

from validation.benchmarks.rivals.protocol import (
    CV,
    SPLIT,
    Facts,
    Given,
    Rival,
    Solver,
    given_only,
)

# Outer steps at most, where a tolerance is asked for.
MANY = 1000


class Skglm(Solver):
    """``AndersonCD.path``; for the Poisson family ``ProxNewton``, warm-started."""

    def __init__(self, given: Given) -> None:
        super().__init__(given)
        self.X = given.X()
        is_binomial = given.facts.family == "binomial"
        self.y = 2.0 * given.y - 1.0 if is_binomial else given.y

    def fit(self, alphas, tol):
        from skglm.datafits import Logistic, Poisson, Quadratic
        from skglm.penalties import L1, L1_plus_L2
        from skglm.solvers import AndersonCD, ProxNewton

        mix = self.given.facts.l1_ratio
        alphas = np.asarray(alphas)
        penalty = L1(alphas[0]) if mix == 1 else L1_plus_L2(alphas[0], mix)
        options = given_only(tol=tol, max_iter=None if tol is None else MANY)
        family = self.given.facts.family
        if family == "poisson":
            return self.poisson(ProxNewton(**options), Poisson(), penalty, alphas)
        datafit = Quadratic() if family == "gaussian" else Logistic()
        solver = AndersonCD(fit_intercept=True, **options)
        return solver.path(self.X, self.y, datafit, penalty, alphas)[1]

    def poisson(self, solver, datafit, penalty, alphas):
        """Return coefs (p + 1, m), each fit started from the one before."""
        n, p = self.X.shape
        coef, eta = np.zeros(p + 1), np.zeros(n)
        coefs = np.empty((p + 1, alphas.size), order="F")
        for k, alpha in enumerate(alphas):
            penalty.alpha = alpha
            solver.solve(self.X, self.y, datafit, penalty, coef, eta)
            coefs[:, k] = coef
        return coefs

    def read(self, answer):
        return answer[-1], answer[:-1]

    @staticmethod
    def version() -> str:
        import skglm

        return f"skglm {skglm.__version__}"


def refuse(facts: Facts) -> str:
    """Return why it does not state a problem."""
    if facts.storage == SPLIT or facts.has_offset:
        return "no offset"
    if facts.task == CV:
        return "no cross-validation along a path"
    if facts.is_unpenalised:
        return "its road to no penalty is not a path"
    return ""


RIVALS = (
    Rival(
        "skglm",
        "skglm",
        Skglm,
        refuse,
        ("skglm",),
        default_tol=1e-4,
        loosest=1e-1,
        compile_seconds=90.0,
    ),
)
