"""A path with what held-out rows say about it."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from penglm._typing import Index, Matrix, Vector
from penglm.results.fit import FitResults
from penglm.results.path import PathResults
from penglm.selection.scores import Scores, best_index, one_se_index


@dataclass(frozen=True, eq=False, repr=False)
class CVResults(PathResults):
    """A path and its cross-validation.

    Attributes
    ----------
    scores : Scores
        Of the path with the best ``l1_ratio``.
    metric, selected_by : str
    fold : Index (n,)
        Which fold each row belonged to; -1 for rows of weight 0.
    mean_score_by_l1_ratio : dict
        Best mean score of each ``l1_ratio`` tried.
    """

    scores: Scores
    metric: str
    selected_by: str
    fold: Index
    mean_score_by_l1_ratio: dict[float, float]

    @property
    def mean_score(self) -> Vector:
        """Mean score (m,) over folds, weighted by the folds' weights."""
        return self.scores.mean

    @property
    def std_score(self) -> Vector:
        """Standard error (m,) of ``mean_score``."""
        return self.scores.std

    @property
    def alpha_min(self) -> float:
        """Strength with the best mean score."""
        return float(self.alphas[best_index(self.scores, self.metric)])

    @property
    def alpha_1se(self) -> float:
        """Largest strength within one standard error of the best."""
        return float(self.alphas[one_se_index(self.scores, self.metric)])

    @property
    def alpha_best(self) -> float:
        """The one of the two that ``select`` asked for."""
        return self.alpha_1se if self.selected_by == "1se" else self.alpha_min

    @property
    def best(self) -> FitResults:
        """The chosen model, fitted to all rows."""
        k = int(np.flatnonzero(self.alphas == self.alpha_best)[0])
        n_folds = int(self.fold.max()) + 1
        how = f"{n_folds}-fold CV ({self.selected_by})"
        return self.result(self.solutions[k], how)

    @property
    def opened_with(self) -> FitResults:
        """What a report opens with: the chosen model."""
        return self.best

    @property
    def out_of_fold(self) -> Vector:
        """Mean (n,) of each row at ``alpha_best``, from the fit that left it out."""
        k = int(np.flatnonzero(self.alphas == self.alpha_best)[0])
        return self.out_of_fold_path[:, k]

    @property
    def out_of_fold_path(self) -> Matrix:
        """The same (n, m) at every strength.

        A row of weight 0 is in no fold, for no fit saw it: its mean is that of the fit
        to all others.
        """
        eta = np.empty((self.fold.size, len(self)))
        eta[self.fold >= 0] = self.scores.out_of_fold
        unseen = np.flatnonzero(self.fold < 0)
        if unseen.size:
            for k, solution in enumerate(self.solutions):
                eta[unseen, k] = self.result(solution, "").linear_predictor[unseen]
        return self.spec.family.link.inverse(eta)

    def plot_scores(self, ax: Any = None) -> Any:
        """Draw mean score and standard error along the path, with both choices.

        Parameters
        ----------
        ax : matplotlib axes, optional

        Returns
        -------
        matplotlib axes
        """
        from penglm.plots import canvas, path

        shown = canvas.positive(self.alphas)
        return path.scores(
            self.alphas[shown], self.mean_score[shown], self.std_score[shown],
            self.n_nonzero[shown], metric=self.metric, alpha_min=self.alpha_min,
            alpha_1se=self.alpha_1se, selected_by=self.selected_by, ax=ax,
        )  # fmt: skip

    def predict(
        self, data: Any = None, *, alpha: float | None = None, **where: Any
    ) -> Any:
        """Predict at one strength, ``alpha_best`` unless another is given."""
        chosen = self.alpha_best if alpha is None else alpha
        return self.at(chosen).predict(data, **where)

    def __repr__(self) -> str:
        lines = [
            f"{int(self.fold.max()) + 1}-fold cross-validation, {self.metric}, "
            f"{self.spec.family.name}, l1_ratio {self.l1_ratio:g}",
            f"{'':12s}{'alpha':>12s}{'score':>12s}{'se':>12s}{'nonzero':>10s}",
        ]
        for name, alpha in (("min", self.alpha_min), ("1se", self.alpha_1se)):
            k = int(np.flatnonzero(self.alphas == alpha)[0])
            mark = "* " if name == self.selected_by else "  "
            lines.append(
                f"{mark + name:12s}{alpha:12.5g}{self.mean_score[k]:12.5g}"
                f"{self.std_score[k]:12.3g}{int(self.n_nonzero[k]):10d}"
            )
        return "\n".join(lines)
