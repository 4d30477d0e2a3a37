"""glum: IRLS with coordinate descent inside, on tabmat's matrices."""

from validation.benchmarks.rivals.protocol import (
    SPLIT,
    Facts,
    Given,
    Rival,
    Solver,
    given_only,
)

# Its Newton step needs a Gram matrix of all columns.
MOST_COLUMNS = 20_000
FAMILIES = {"gaussian": "normal", "binomial": "binomial", "poisson": "poisson"}
# IRLS steps at most, where a tolerance is asked for; its default is 100.
MANY = 1000


class Glum(Solver):
    """``GeneralizedLinearRegressor``; factors as tabmat's categorical matrices."""

    def __init__(self, given: Given) -> None:
        super().__init__(given)
        if given.facts.storage != SPLIT:
            self.X = given.X()
            return
        import tabmat

        numeric, codes, levels = given.parts()
        factors = [
            tabmat.CategoricalMatrix(codes[:, k], categories=range(int(levels[k])))
            for k in range(levels.size)
        ]
        self.X = tabmat.SplitMatrix([tabmat.DenseMatrix(numeric), *factors])

    def options(self, tol):
        """Return what every estimator is given."""
        facts = self.given.facts
        return {
            "family": FAMILIES[facts.family],
            "l1_ratio": facts.l1_ratio,
            **given_only(gradient_tol=tol, max_iter=None if tol is None else MANY),
        }

    def fit(self, alphas, tol):
        from glum import GeneralizedLinearRegressor

        is_path = alphas.size > 1
        strength = alphas.tolist() if is_path else float(alphas[0])
        model = GeneralizedLinearRegressor(
            alpha=strength, alpha_search=is_path, **self.options(tol)
        )
        return model.fit(self.X, self.given.y, offset=self.given.offset)

    def read(self, answer):
        import numpy as np

        if answer.alpha_search:
            return np.asarray(answer.intercept_path_), np.asarray(answer.coef_path_).T
        return np.array([answer.intercept_]), answer.coef_[:, None]

    def cross_validate(self, alphas, tol):
        from glum import GeneralizedLinearRegressorCV
        from sklearn.model_selection import PredefinedSplit

        model = GeneralizedLinearRegressorCV(
            alphas=alphas, cv=PredefinedSplit(self.given.folds), **self.options(tol)
        )
        model.fit(self.X, self.given.y)
        return model.deviance_path_.mean(axis=0).ravel()

    @staticmethod
    def version() -> str:
        import glum

        return f"glum {glum.__version__}"


def refuse(facts: Facts) -> str:
    """Return why it does not state a problem."""
    if facts.n_features > MOST_COLUMNS:
        return f"needs a Gram matrix of all {facts.n_features} columns"
    return ""


RIVALS = (
    Rival("glum", "glum", Glum, refuse, ("glum",), default_tol=1e-4, loosest=1.0),
)
