"""adelie: pathwise coordinate descent in C++; also from a covariance matrix."""

import numpy as np

from validation.benchmarks.rivals.protocol import (
    CV,
    DENSE,
    PATH,
    SPARSE,
    Facts,
    Given,
    Rival,
    Solver,
)

PACKAGES = ("adelie", "numpy<2")


class Adelie(Solver):
    """``grpnet`` with every column a group of its own."""

    def __init__(self, given: Given) -> None:
        import adelie as ad

        super().__init__(given)
        storage = given.facts.storage
        if storage == DENSE:
            self.kept = given.X()
            self.X = ad.matrix.dense(self.kept, method="naive")
        elif storage == SPARSE:
            self.kept = given.X()
            self.X = ad.matrix.sparse(self.kept, method="naive")
        else:
            # Its one-hot matrix wants the levels of a factor in one group.
            numeric, _, _ = given.parts()
            indicators = given.X()[:, numeric.shape[1] :]
            self.kept = numeric, indicators
            dense = ad.matrix.dense(numeric, method="naive")
            rest = ad.matrix.sparse(indicators, method="naive")
            self.X = ad.matrix.concatenate([dense, rest], axis=1)

    def glm(self):
        """Return the loss."""
        import adelie as ad

        return getattr(ad.glm, self.given.facts.family)(self.given.y)

    def options(self, tol):
        """Return tolerances and what keeps the path whole."""
        shared = {
            "early_exit": False,
            "alpha": self.given.facts.l1_ratio,
            "progress_bar": False,
        }
        if tol is None:
            return shared
        if self.given.facts.family == "gaussian":
            return {**shared, "tol": tol}
        return {**shared, "tol": tol, "irls_tol": tol}

    def fit(self, alphas, tol):
        import adelie as ad

        return ad.grpnet(
            self.X, self.glm(), lmda_path=alphas, offsets=self.given.offset,
            **self.options(tol),
        )  # fmt: skip

    def read(self, answer):
        n_alphas = answer.betas.shape[0]
        if not n_alphas:
            raise RuntimeError("it returned an empty path")
        return answer.intercepts, answer.betas.toarray().T

    def cross_validate(self, alphas, tol):
        import adelie as ad

        # Folds are its own; the grid comes out the same.
        ratio = float(alphas[-1] / alphas[0])
        options = self.options(tol)
        del options["early_exit"]
        done = ad.cv_grpnet(
            self.X, self.glm(), n_folds=10, seed=0, min_ratio=ratio,
            lmda_path_size=alphas.size, **options,
        )  # fmt: skip
        curve = 2.0 * np.asarray(done.avg_losses)
        if self.given.facts.family == "gaussian":
            # Its Gaussian loss leaves out y squared.
            curve = curve + np.mean(self.given.y**2)
        return curve

    @staticmethod
    def version() -> str:
        from importlib.metadata import version

        return f"adelie {version('adelie')}"


class Covariance(Adelie):
    """``gaussian_cov``: the Gram matrix once, on the clock, then no rows any more."""

    def fit(self, alphas, tol):
        import adelie as ad

        X, y, n = self.kept, self.given.y, self.given.facts.n_obs
        mean = float(y.mean())
        # Columns come centred, so this is the covariance.
        state = ad.gaussian_cov(
            X.T @ X / n, X.T @ (y - mean) / n, lmda_path=alphas, **self.options(tol)
        )
        return state, mean

    def read(self, answer):
        state, mean = answer
        coefs = state.betas.toarray().T
        return np.full(coefs.shape[1], mean), coefs


def refuse(facts: Facts) -> str:
    """Return why it does not state a problem."""
    return ""


def refuse_covariance(facts: Facts) -> str:
    """Return why the covariance method does not state a problem."""
    if facts.family != "gaussian":
        return "Gaussian only"
    if facts.storage != DENSE or facts.n_features > facts.n_obs:
        return "for dense columns, fewer than rows"
    if facts.task not in (PATH, "fit"):
        return "no cross-validation" if facts.task == CV else "the naive method stands"
    return ""


RIVALS = (
    Rival("adelie", "adelie", Adelie, refuse, PACKAGES),
    Rival("adelie covariance", "adelie", Covariance, refuse_covariance, PACKAGES),
)
