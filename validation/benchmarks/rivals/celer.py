"""celer: working sets with dual extrapolation, for the Gaussian family."""

import numpy as np

from validation.benchmarks.rivals.protocol import (
    CV,
    SPARSE,
    SPLIT,
    Facts,
    Given,
    Rival,
    Solver,
    given_only,
)

# Defaults of its estimators, which are not those of celer_path.
TOL, MAX_ITER = 1e-4, 100
# Working sets at most, where a tolerance is asked for.
MANY = 1000


class Celer(Solver):
    """``celer_path`` about the means, which is what its estimators call."""

    def __init__(self, given: Given) -> None:
        super().__init__(given)
        self.X = given.X()
        self.mean = np.zeros(given.facts.n_features)
        if given.facts.storage == SPARSE:
            self.mean = np.asarray(self.X.mean(axis=0)).ravel()

    def fit(self, alphas, tol):
        from celer import celer_path

        others = {}
        if self.given.facts.storage == SPARSE:
            others = {"X_offset": self.mean, "X_scale": np.ones_like(self.mean)}
        y = self.given.y
        _, coefs, _ = celer_path(
            self.X, y - y.mean(), "lasso", alphas=alphas,
            l1_ratio=self.given.facts.l1_ratio, prune=True,
            tol=TOL if tol is None else tol,
            max_iter=MAX_ITER if tol is None else MANY, **others,
        )  # fmt: skip
        return coefs

    def read(self, answer):
        return self.given.y.mean() - self.mean @ answer, answer

    def cross_validate(self, alphas, tol):
        from celer import LassoCV
        from sklearn.model_selection import PredefinedSplit

        model = LassoCV(
            alphas=alphas, cv=PredefinedSplit(self.given.folds),
            **given_only(tol=tol, max_iter=None if tol is None else MANY),
        )  # fmt: skip
        return model.fit(self.X, self.given.y).mse_path_.mean(axis=1)

    @staticmethod
    def version() -> str:
        import celer

        return f"celer {celer.__version__}"


def refuse(facts: Facts) -> str:
    """Return why it does not state a problem."""
    if facts.family == "binomial":
        return "no intercept in its logistic regression"
    if facts.family == "poisson":
        return "no Poisson family"
    if facts.storage == SPLIT or facts.has_offset:
        return "no offset"
    if facts.task == CV and facts.storage == SPARSE:
        return "not tried"
    return ""


RIVALS = (Rival("celer", "celer", Celer, refuse, ("celer",), default_tol=TOL),)
