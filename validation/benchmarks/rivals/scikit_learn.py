"""scikit-learn: coordinate descent for the Gaussian family, else what it offers."""

import numpy as np

from validation.benchmarks.rivals.protocol import (
    COLD,
    CV,
    PATH,
    SPARSE,
    SPLIT,
    Facts,
    Given,
    Rival,
    Solver,
    given_only,
)

# Iterations at most, where a tolerance is asked for.
MANY = 100_000
PACKAGES = ("scikit-learn",)


class Lasso(Solver):
    """``enet_path``, with a Gram matrix where there are more rows than columns."""

    def __init__(self, given: Given) -> None:
        super().__init__(given)
        self.X = given.X()
        self.mean = np.zeros(given.facts.n_features)
        if given.facts.storage == SPARSE:
            self.mean = np.asarray(self.X.mean(axis=0)).ravel()

    def fit(self, alphas, tol):
        from sklearn.linear_model import enet_path

        options = given_only(tol=tol, max_iter=None if tol is None else MANY)
        if self.given.facts.storage == SPARSE:
            # A Gram matrix would have p * p cells.
            options |= {
                "X_offset": self.mean,
                "X_scale": np.ones_like(self.mean),
                "precompute": False,
            }
        y = self.given.y
        _, coefs, _ = enet_path(
            self.X, y - y.mean(), l1_ratio=self.given.facts.l1_ratio,
            alphas=alphas, copy_X=False, **options,
        )  # fmt: skip
        return coefs

    def read(self, answer):
        return self.given.y.mean() - self.mean @ answer, answer

    def cross_validate(self, alphas, tol):
        from sklearn.linear_model import LassoCV
        from sklearn.model_selection import PredefinedSplit

        model = LassoCV(
            alphas=alphas, cv=PredefinedSplit(self.given.folds),
            **given_only(tol=tol, max_iter=None if tol is None else MANY),
        )  # fmt: skip
        return model.fit(self.X, self.given.y).mse_path_.mean(axis=1)

    @staticmethod
    def version() -> str:
        import sklearn

        return f"scikit-learn {sklearn.__version__}"


class Logistic(Solver):
    """``LogisticRegression`` by one of its solvers, warm-started along a path."""

    solver = "saga"

    def __init__(self, given: Given) -> None:
        super().__init__(given)
        self.X = given.X()

    def fit(self, alphas, tol):
        from sklearn.linear_model import LogisticRegression

        n = self.given.facts.n_obs
        options = given_only(tol=tol, max_iter=None if tol is None else MANY)
        model = LogisticRegression(
            solver=self.solver, l1_ratio=0.0 if self.solver != "saga" else 1.0,
            warm_start=True, **options,
        )  # fmt: skip
        points = []
        for alpha in alphas:
            model.set_params(C=1.0 / (alpha * n) if alpha > 0 else np.inf)
            model.fit(self.X, self.given.y)
            points.append((model.intercept_[0], model.coef_[0].copy()))
        return points

    def read(self, answer):
        intercepts, coefs = zip(*answer)  # noqa: B905, Python 3.9 has no strict
        return np.array(intercepts), np.column_stack(coefs)

    version = staticmethod(Lasso.version)


class Lbfgs(Logistic):
    """The default solver."""

    solver = "lbfgs"


class NewtonCholesky(Logistic):
    """The solver for many more rows than columns."""

    solver = "newton-cholesky"


def refuse(facts: Facts) -> str:
    """Return why no solver of it states a problem with an L1 part."""
    if facts.storage == SPLIT or facts.has_offset:
        return "no offset"
    if facts.is_unpenalised:
        return "see its other solvers"
    if facts.family == "poisson":
        return "PoissonRegressor has no L1 penalty"
    return ""


def refuse_lasso(facts: Facts) -> str:
    """Return why Lasso does not state a problem."""
    return refuse(facts) or ("" if facts.family == "gaussian" else "see saga")


def refuse_saga(facts: Facts) -> str:
    """Return why saga does not state a problem."""
    if facts.family != "binomial":
        return "for the binomial family"
    if facts.task == CV:
        return "saga needs minutes for one path"
    if facts.storage == SPARSE and facts.task == PATH:
        return "saga needs minutes on uncentred sparse columns"
    return refuse(facts)


def refuse_ridge(facts: Facts) -> str:
    """Return why the smooth solvers do not state a problem."""
    if facts.family != "binomial" or not facts.is_unpenalised:
        return "no L1 penalty"
    return "" if facts.task != COLD else "no L1 penalty"


RIVALS = (
    Rival("scikit-learn", "scikit_learn", Lasso, refuse_lasso, PACKAGES, 1e-4, 1e-1),
    Rival("scikit-learn saga", "scikit_learn", Logistic, refuse_saga, PACKAGES, 1e-4),
    Rival(
        "scikit-learn lbfgs", "scikit_learn", Lbfgs, refuse_ridge, PACKAGES, 1e-4, 1e-1
    ),
    Rival(
        "scikit-learn newton-cholesky",
        "scikit_learn",
        NewtonCholesky,
        refuse_ridge,
        PACKAGES,
        1e-4,
        1e-1,
    ),
)
