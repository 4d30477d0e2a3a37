"""penglm, through the door its users take."""

import numpy as np

from validation.benchmarks.rivals.protocol import (
    FIT,
    SPLIT,
    Given,
    Rival,
    Solver,
    given_only,
)


class Penglm(Solver):
    """``PenalizedGLM`` from arrays, built anew for every fit, on the clock."""

    def __init__(self, given: Given) -> None:
        super().__init__(given)
        self.is_split = given.facts.storage == SPLIT
        self.X = given.parts() if self.is_split else given.X()

    def model(self):
        """Return the model; a factor is given as codes."""
        import penglm as pg

        X = self.X
        if self.is_split:
            from penglm.design import Categorical, Dense, Split

            numeric, codes, levels = self.X
            factors = [
                Categorical(codes[:, k], int(levels[k])) for k in range(levels.size)
            ]
            X = Split([Dense(numeric), *factors])
        return pg.PenalizedGLM(
            self.given.y, X, self.given.facts.family, offset=self.given.offset,
            standardize=False,
        )  # fmt: skip

    def fit(self, alphas, tol):
        options = given_only(tol=tol)
        l1_ratio = self.given.facts.l1_ratio
        model = self.model()
        if self.given.facts.task == FIT or alphas.size == 1:
            return [model.fit(float(alphas[0]), l1_ratio, **options).solution]
        path = model.fit_path(alphas, l1_ratio=l1_ratio, progress=False, **options)
        return path.solutions

    def read(self, answer):
        intercepts = np.array([solution.intercept for solution in answer])
        return intercepts, np.column_stack([solution.coef for solution in answer])

    def cross_validate(self, alphas, tol):
        cv = self.model().fit_cv(
            self.given.folds, l1_ratio=self.given.facts.l1_ratio, alphas=alphas,
            progress=False, **given_only(tol=tol),
        )  # fmt: skip
        return cv.mean_score

    @staticmethod
    def version() -> str:
        import penglm as pg

        return f"penglm {pg.__version__}"


RIVALS = (
    Rival(
        "penglm",
        "penglm",
        Penglm,
        lambda facts: "",
        default_tol=1e-5,
        compile_seconds=90.0,
    ),
)
