"""Relaxed fits: a penalised fit and the refit of its support, mixed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from penglm import checks
from penglm._typing import Index
from penglm.diagnosis import tell
from penglm.exceptions import PenglmInputError
from penglm.relaxation import OF_WHAT, between, held, moving, refit, refits
from penglm.results.cross_validation import CVResults
from penglm.results.fit import FitResults, Solved
from penglm.results.path import PathResults
from penglm.selection.scores import Scores, losses
from penglm.solver.solution import Certificate, Solution, SparseVector, Status


class Mixed:
    """What a mix of two fits says of itself.

    Attributes
    ----------
    gamma : float
        Share of the penalised fit.
    penalised, unpenalised : FitResults
        The two ends, each with its own certificate.
    """

    gamma: float
    penalised: FitResults
    unpenalised: FitResults

    @property
    def worse(self) -> FitResults:
        """The end of the two in the mix that is solved less well."""
        if self.gamma == 1.0:
            return self.penalised
        if self.gamma == 0.0:
            return self.unpenalised
        ends = self.unpenalised, self.penalised
        return max(ends, key=lambda end: end.solution.certificate.kkt_residual)

    @property
    def certificate(self) -> Certificate:
        """Certificate of the worse of the ends in the mix.

        Each end minimises something; between them a mix minimises nothing, and there is
        nothing to prove of it but that its ends are what they should be.
        """
        return self.worse.certificate

    @property
    def verdict(self) -> str:
        """What the certificates of the ends prove, in words."""
        ends = {1.0: [self.penalised], 0.0: [self.unpenalised]}
        both = ends.get(self.gamma, [self.penalised, self.unpenalised])
        names = {id(self.penalised): "penalised", id(self.unpenalised): "refit"}
        said = "; ".join(f"{names[id(end)]} {end.verdict}" for end in both)
        return f"relaxed, gamma = {self.gamma:g}: {said}"

    def relax(self, gamma: float = 0.0) -> Any:
        """Return another mix of the same two fits."""
        return mix(self.penalised, self.unpenalised, gamma)

    def refuse(self, *_: Any, **__: Any) -> Any:
        """Raise: the conditions that explain are those of the penalised end."""
        raise PenglmInputError(
            "a relaxed fit satisfies no conditions of its own that could explain it; "
            "which columns it has was decided by fit.penalised: ask that."
        )

    explain = rivals = scan = scaling_advice = refuse
    plot_geometry = plot_soft_threshold = refuse


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class RelaxedFit(Mixed, FitResults):
    """A penalised fit whose coefficients are shrunk less, or not at all.

    ``alpha`` is that of the penalised end, which chose the columns.

    Attributes
    ----------
    gamma : float
        Share of the penalised fit in [0, 1]; 0 is the unpenalised refit.
    penalised, unpenalised : FitResults

    References
    ----------
    Meinshausen (2007), Comput. Stat. Data Anal. 52(1). Hastie, Tibshirani and
    Tibshirani (2020), Statistical Science 35(4), for the mix.
    """

    gamma: float
    penalised: FitResults
    unpenalised: FitResults


def relaxed(fit: FitResults, gamma: float) -> RelaxedFit:
    """Return the mix of a fit and the unpenalised refit of its support.

    Warns as an unpenalised fit does, of separation and dependent columns.
    """
    solved = fit.solved
    if solved is None:
        raise PenglmInputError(
            "this fit holds no rows to fit again, as a model file or fit_regularized "
            "leaves it; fit the model again (fit_regularized has refit=True), or give "
            "a saved one its rows by penglm.judging.with_rows(fit, data)."
        )
    gamma = checks.share(gamma, "gamma", OF_WHAT)
    other = refit(solved.problem, fit.solution, solved.options)
    problem = held(solved.problem, fit.coef)
    if gamma < 1.0:
        tell([other], problem, fit.data.names, solved.options)
    return mix(fit, refitted(fit, other), gamma)


def refitted(fit: FitResults, solution: Solution) -> FitResults:
    """Wrap the refit of a fit's support; what is outside is excluded."""
    solved: Any = fit.solved
    is_in = moving(solved.problem, fit.coef)
    spec = replace(
        fit.spec, penalty_factor=np.where(is_in, fit.spec.penalty_factor, np.inf)
    )
    problem = held(solved.problem, fit.coef)
    return FitResults(
        solution, fit.data, spec, f"refit of the support at alpha = {fit.alpha:.6g}",
        Solved(problem, solved.null, solved.options),
    )  # fmt: skip


def mix(penalised: FitResults, unpenalised: FitResults, gamma: float) -> RelaxedFit:
    """Return ``gamma`` of one fit and ``1 - gamma`` of another."""
    gamma = checks.share(gamma, "gamma", OF_WHAT)
    a, b = penalised.solution, unpenalised.solution
    coef = between(gamma, a.coef, b.coef)
    intercept = between(gamma, a.intercept, b.intercept)
    ends = [end for end, share in ((a, gamma), (b, 1.0 - gamma)) if share > 0.0]
    worse = max(ends, key=lambda end: end.certificate.kkt_residual)
    bad = [end.status for end in ends if end.status is not Status.OPTIMAL]
    status = Status.OPTIMAL
    if bad:
        is_nowhere = Status.NO_FINITE_SOLUTION in bad
        status = Status.NO_FINITE_SOLUTION if is_nowhere else bad[0]
    data, family = penalised.data, penalised.spec.family
    used = data.sample_weight > 0
    eta = data.design.linear_predictor(coef) + (data.offset + intercept)
    # From the linear predictor: where a mean rounds to 1 the deviance is finite yet.
    loss = family.working_terms(data.y[used], eta[used])[0]
    deviance = 2.0 * float(data.sample_weight[used] @ loss)
    solution = Solution(
        a.alpha, float(intercept), SparseVector.of(coef), status, worse.certificate,
        deviance, a.n_iter + b.n_iter, (),
    )  # fmt: skip
    how = f"{penalised.chosen_by}, relaxed (gamma {gamma:g})"
    return RelaxedFit(
        solution, data, penalised.spec, how, penalised.solved,
        gamma=gamma, penalised=penalised, unpenalised=unpenalised,
    )  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class RelaxedPath(PathResults):
    """A path whose points are relaxed fits.

    Attributes
    ----------
    gamma : float
    penalised : PathResults
    unpenalised : tuple of Solution
        The refit of each point.
    """

    gamma: float
    penalised: PathResults
    unpenalised: tuple[Solution, ...]

    def result(self, solution: Solution, chosen_by: str) -> FitResults:
        k = next(k for k, one in enumerate(self.solutions) if one is solution)
        fit = self.penalised.result(self.penalised.solutions[k], chosen_by)
        return mix(fit, refitted(fit, self.unpenalised[k]), self.gamma)

    def at(
        self, alpha: float | None = None, *, budget: float | None = None
    ) -> FitResults:
        """Return the relaxed fit at one strength, or of the fit within a budget."""
        return relaxed(self.penalised.at(alpha, budget=budget), self.gamma)

    def __getitem__(self, k: Any) -> Any:
        if not isinstance(k, slice):
            return self.result(self.solutions[k], "given")
        return self.part(range(len(self))[k])

    def descending(self) -> "RelaxedPath":
        return self.part(np.argsort(-self.alphas, kind="stable").tolist())

    def part(self, places: Sequence[int]) -> "RelaxedPath":
        """Return some points of the path."""
        solutions, others = (
            tuple(those[k] for k in places)
            for those in (self.solutions, self.unpenalised)
        )
        plain = tuple(self.penalised.solutions[k] for k in places)
        return replace(
            self, solutions=solutions, unpenalised=others,
            penalised=replace(self.penalised, solutions=plain),
        )  # fmt: skip


def relaxed_path(path: PathResults, gamma: float) -> RelaxedPath:
    """Return the relaxed fits along a path; of a relaxed one, mixes of its ends."""
    if isinstance(path, RelaxedPath | RelaxedCV):
        path = path.penalised
    gamma, solved = checks.share(gamma, "gamma", OF_WHAT), path.solved
    others = tuple(refits(solved.problem, path.solutions, solved.options))
    if gamma < 1.0:
        bad = [
            k for k, other in enumerate(others) if other.status is not Status.OPTIMAL
        ]
        for k in bad[:1]:
            problem = held(solved.problem, path.solutions[k].coef)
            tell([others[k]], problem, path.data.names, solved.options)
    fits = (
        mix(fit, refitted(fit, other), gamma)
        for fit, other in zip((path[k] for k in range(len(path))), others, strict=True)
    )
    return RelaxedPath(
        tuple(fit.solution for fit in fits), path.data, path.spec, solved,
        gamma=gamma, penalised=path, unpenalised=others,
    )  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class RelaxedCV(CVResults):
    """A path, and strength and mix chosen together by cross-validation.

    ``scores`` and what is drawn from them are those of ``gamma_best``.

    Attributes
    ----------
    scores_by_gamma : dict of float to Scores
    places : dict of str to (float, int)
        Mix and position on the path of ``"min"`` and ``"1se"``.
    """

    scores_by_gamma: dict[float, Scores]
    places: dict[str, tuple[float, int]]

    @property
    def penalised(self) -> PathResults:
        """The path whose supports are fitted again."""
        return PathResults(self.solutions, self.data, self.spec, self.solved)

    @property
    def gamma_min(self) -> float:
        """Mix with the best mean score."""
        return self.places["min"][0]

    @property
    def gamma_1se(self) -> float:
        """Mix of ``alpha_1se``: the most shrunk within one standard error."""
        return self.places["1se"][0]

    @property
    def gamma_best(self) -> float:
        """The one of the two that ``select`` asked for."""
        return self.places[self.selected_by][0]

    @property
    def alpha_min(self) -> float:
        return float(self.alphas[self.places["min"][1]])

    @property
    def alpha_1se(self) -> float:
        return float(self.alphas[self.places["1se"][1]])

    def result(self, solution: Solution, chosen_by: str) -> FitResults:
        return relaxed(super().result(solution, chosen_by), self.gamma_best)

    def __getitem__(self, k: Any) -> Any:
        if isinstance(k, slice):
            return relaxed_path(self.penalised[k], self.gamma_best)
        return super().__getitem__(k)

    def gammas(self) -> Any:
        """Return the best of each mix: a table of alpha, score, its error and size."""
        import pandas as pd

        rows = []
        for gamma, scores in sorted(self.scores_by_gamma.items()):
            k = best_place({gamma: scores}, self.metric)[1]
            rows.append(
                (gamma, self.alphas[k], scores.mean[k], scores.std[k],
                 int(self.n_nonzero[k]))
            )  # fmt: skip
        columns = ["gamma", "alpha", "score", "se", "nonzero"]
        return pd.DataFrame(rows, columns=columns)

    def __repr__(self) -> str:
        lines = [
            f"{int(self.fold.max()) + 1}-fold cross-validation of relaxed fits, "
            f"{self.metric}, {self.spec.family.name}, l1_ratio {self.l1_ratio:g}",
            f"{'':8s}{'gamma':>8s}{'alpha':>12s}{'score':>12s}{'se':>12s}"
            f"{'nonzero':>10s}",
        ]
        for name, (gamma, k) in self.places.items():
            mark = "* " if name == self.selected_by else "  "
            scores = self.scores_by_gamma[gamma]
            lines.append(
                f"{mark + name:8s}{gamma:8.3g}{self.alphas[k]:12.5g}"
                f"{scores.mean[k]:12.5g}{scores.std[k]:12.3g}"
                f"{int(self.n_nonzero[k]):10d}"
            )
        return "\n".join(lines)


def relaxed_cv(cv: CVResults, scores_by_gamma: dict[float, Scores]) -> RelaxedCV:
    """Return the choice of strength and mix together."""
    least = best_place(scores_by_gamma, cv.metric)
    places = {"min": least, "1se": one_se_place(scores_by_gamma, cv.metric, least)}
    gamma = places[cv.selected_by][0]
    return RelaxedCV(
        cv.solutions, cv.data, cv.spec, cv.solved, scores_by_gamma[gamma], cv.metric,
        cv.selected_by, cv.fold, cv.mean_score_by_l1_ratio,
        scores_by_gamma=scores_by_gamma, places=places,
    )  # fmt: skip


def best_place(known: dict[float, Scores], metric: str) -> tuple[float, int]:
    """Return mix and place of the best mean score; of equals the most shrunk."""
    least = min(losses(scores, metric).min() for scores in known.values())
    return most_shrunk(known, metric, float(least))


def one_se_place(
    known: dict[float, Scores], metric: str, best: tuple[float, int]
) -> tuple[float, int]:
    """Return the strongest penalty within one standard error of the best, then its mix.

    References
    ----------
    glmnet 4.1, ``cv.glmnet(relax = TRUE)``.
    """
    gamma, k = best
    scores = known[gamma]
    most = losses(scores, metric)[k] + scores.std[k]
    return most_shrunk(known, metric, float(most))


def most_shrunk(
    known: dict[float, Scores], metric: str, most: float
) -> tuple[float, int]:
    """Return the first place down the path, then the largest mix, within a score."""
    places: list[tuple[int, float]] = []
    for gamma, scores in known.items():
        good: Index = np.flatnonzero(losses(scores, metric) <= most)
        if good.size:
            places.append((int(good[0]), -gamma))
    k, minus_gamma = min(places)
    return -minus_gamma, k
