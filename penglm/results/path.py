"""A path of fitted models, strongest penalty first."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from penglm import checks
from penglm._typing import Index, Vector
from penglm.budget import budgets, solve_budget, spent, start_below
from penglm.diagnosis import tell, tell_budget
from penglm.exceptions import PenglmInputError
from penglm.path import solve_at
from penglm.penalties.elastic_net import LEAST_L1_RATIO
from penglm.results.data import ModelData, ModelSpec
from penglm.results.fit import FitResults, Solved
from penglm.results.measures import explained
from penglm.selection.criteria import CRITERIA
from penglm.solver.solution import Solution, Status
from penglm.solver.working_set import Warm

if TYPE_CHECKING:
    import pandas as pd

    from penglm.results.relaxed import RelaxedPath

# Two strengths closer than this are the same point of the path.
SAME_ALPHA = 1e-10


@dataclass(frozen=True, eq=False, repr=False)
class PathResults:
    """Solutions along a path, in the order the strengths were asked for.

    Attributes
    ----------
    solutions : tuple of Solution
    data : ModelData
    spec : ModelSpec
    solved : Solved
        What ``at`` needs to solve between two points of the path.
    """

    solutions: tuple[Solution, ...]
    data: ModelData
    spec: ModelSpec
    solved: Solved

    def __len__(self) -> int:
        return len(self.solutions)

    def __getitem__(self, k: Any) -> Any:
        """Return one fit, or a part of the path for a slice."""
        if isinstance(k, slice):
            return PathResults(self.solutions[k], self.data, self.spec, self.solved)
        return self.result(self.solutions[k], "given")

    @property
    def alphas(self) -> Vector:
        """Strengths (m,)."""
        return np.array([solution.alpha for solution in self.solutions])

    @property
    def l1_ratio(self) -> float:
        """Share of the L1 part."""
        return self.spec.l1_ratio

    @property
    def intercepts(self) -> Vector:
        """Intercepts (m,)."""
        return np.array([solution.intercept for solution in self.solutions])

    @cached_property
    def coef(self) -> "pd.DataFrame":
        """Coefficients, one row a name and one column a strength, stored sparse."""
        import pandas as pd

        # DataFrame.sparse.from_spmatrix of pandas 3.0 fills floats with NaN, not 0.
        columns = {
            k: pd.arrays.SparseArray(solution.coef, fill_value=0.0)
            for k, solution in enumerate(self.solutions)
        }
        return pd.DataFrame(columns, index=list(self.data.names)).set_axis(
            self.alphas, axis=1
        )

    @property
    def n_nonzero(self) -> Index:
        """Nonzero coefficients (m,)."""
        return np.array([solution.n_nonzero for solution in self.solutions])

    @property
    def deviance_ratio(self) -> Vector:
        """Share of the null deviance explained (m,)."""
        null = self.spec.null_deviance
        return np.array([explained(s.deviance, null) for s in self.solutions])

    @property
    def budgets(self) -> Vector:
        """What the coefficients cost (m,): the constraint of each strength.

        ``sum_j f_j |b_j|`` for the lasso, where ``b_j`` is the coefficient as it is
        penalised: times the standard deviation of its column where the model
        standardises.
        """
        return budgets(self.solved.problem, self.solutions)

    @property
    def kkt_residual(self) -> Vector:
        """Certified violation (m,) in units of alpha."""
        return np.array([s.certificate.kkt_residual for s in self.solutions])

    @property
    def converged(self) -> bool:
        """Whether every solution is optimal and its certificate meets the tolerance."""
        return all(solution.status is Status.OPTIMAL for solution in self.solutions)

    def result(self, solution: Solution, chosen_by: str) -> FitResults:
        """Wrap one solution."""
        return FitResults(solution, self.data, self.spec, chosen_by, self.solved)

    def at(
        self, alpha: float | None = None, *, budget: float | None = None
    ) -> FitResults:
        """Return the fit at one strength, solved there if it is not on the grid.

        Parameters
        ----------
        alpha : float, optional
        budget : float, optional
            In place of ``alpha``: what the coefficients may cost, as in ``budgets``.

        Notes
        -----
        glmnet interpolates between grid points; penglm solves, from the nearest
        stronger point, and certifies.
        """
        checks.one_of(alpha=alpha, budget=budget)
        if budget is not None:
            return self.within(checks.strength(budget, "budget"))
        alpha = checks.strength(alpha)
        distance = np.abs(self.alphas - alpha)
        nearest = int(distance.argmin())
        if alpha < np.inf and distance[nearest] <= SAME_ALPHA * alpha:
            return self.result(self.solutions[nearest], "given")
        solved = self.solved
        solution = solve_at(
            solved.problem, alpha, solved.null, solved.options,
            start=self.before(alpha),
        )  # fmt: skip
        tell([solution], solved.problem, self.data.names, solved.options)
        return self.result(solution, "given")

    def within(self, most: float) -> FitResults:
        """Return the fit of least loss among those that cost no more."""
        solved = self.solved
        solution = solve_budget(solved.problem, most, solved.null, solved.options)
        is_missed = solution.status is Status.OPTIMAL_INACCURATE
        if is_missed and solution.certificate.kkt_residual <= solved.options.tol:
            cost = spent(solved.problem, solution)
            tell_budget(solution, most, cost, solved.options)
        else:
            tell([solution], solved.problem, self.data.names, solved.options)
        return self.result(solution, f"budget {most:.6g}")

    def before(self, alpha: float) -> Warm | None:
        """Return the nearest stronger point as a start, None if there is none."""
        return start_below(self.solved.problem, self.solutions, alpha)

    def descending(self) -> "PathResults":
        """Return the path strongest penalty first, as choosing needs it."""
        order = np.argsort(-self.alphas, kind="stable")
        return replace(self, solutions=tuple(self.solutions[k] for k in order))

    def criterion(self, name: str) -> Vector:
        """Return an information criterion (m,) along the path."""
        return np.array([self[k].criterion(name) for k in range(len(self))])

    def select(self, by: str) -> FitResults:
        """Return the fit that minimises ``"aic"``, ``"bic"`` or ``"ebic"``."""
        checks.choice(by, CRITERIA, "by")
        best = int(self.criterion(by).argmin())
        return self.result(self.solutions[best], by.upper())

    def relax(self, gamma: float = 0.0) -> "RelaxedPath":
        """Return the path of relaxed fits; see ``FitResults.relax``.

        Each support is fitted once.
        """
        from penglm.results.relaxed import relaxed_path

        return relaxed_path(self, gamma)

    def predict(self, data: Any = None, *, alpha: float, **where: Any) -> Any:
        """Predict at one strength; see ``FitResults.predict``."""
        return self.at(alpha).predict(data, **where)

    def knots(self) -> "pd.DataFrame":
        """Return who enters, leaves or changes sign, and between which strengths.

        Returns
        -------
        DataFrame
            Columns ``name``, ``event`` (``enters``, ``leaves``, ``changes sign``),
            ``alpha`` (where it is first seen), ``alpha_before``, ``coef`` and
            ``n_nonzero`` after it. Ordered down the path.
        """
        import pandas as pd

        order = np.argsort(-self.alphas, kind="stable")
        events = []
        before, alpha_before = np.zeros(len(self.data.names)), np.inf
        for k in order:
            solution = self.solutions[k]
            sign = np.sign(solution.coef)
            for j in np.flatnonzero(sign != np.sign(before)):
                event = "leaves" if sign[j] == 0 else "changes sign"
                event = "enters" if before[j] == 0 else event
                events.append(
                    (self.data.names[j], event, solution.alpha, alpha_before,
                     solution.coef[j], int(np.count_nonzero(sign)))
                )  # fmt: skip
            before, alpha_before = solution.coef, solution.alpha
        columns = ["name", "event", "alpha", "alpha_before", "coef", "n_nonzero"]
        return pd.DataFrame(events, columns=columns)

    def plot(
        self,
        against: str = "alpha",
        *,
        chosen: float | None = None,
        most_names: int = 10,
        ax: Any = None,
    ) -> Any:
        """Draw the coefficients along the path.

        Parameters
        ----------
        against : {"alpha", "budget", "deviance_ratio"}
            What the horizontal axis measures.
        chosen : float, optional
            Strength at which to draw a line.
        most_names : int, default 10
            Coefficients that carry their names: those that reach farthest.
        ax : matplotlib axes, optional

        Returns
        -------
        matplotlib axes
            Coefficients are drawn as they are penalised: per standard deviation of
            their columns where the model standardises.
        """
        from penglm.plots import canvas
        from penglm.plots import path as picture

        checks.choice(against, tuple(picture.AGAINST), "against")
        shown = np.flatnonzero(canvas.positive(self.alphas))
        measures = {
            "alpha": self.alphas,
            "budget": self.budgets,
            "deviance_ratio": self.deviance_ratio,
        }
        x = measures[against][shown]
        if chosen is not None:
            apart = np.abs(np.log(self.alphas[shown] / checks.strength(chosen)))
            chosen = float(x[apart.argmin()])
        accessor: Any = self.coef.sparse
        coef = accessor.to_coo().tocsr()[:, shown]
        moved = np.unique(coef.nonzero()[0])
        units = {
            True: "per standard deviation of its column", False: "raw",
            checks.NUMERIC: "per standard deviation, of 0 and 1 raw",
        }  # fmt: skip
        size = self.solved.problem.penalty_scale[moved]
        return picture.coefficients(
            against, x, coef[moved].toarray() * size[:, None],
            [self.data.names[j] for j in moved], self.n_nonzero[shown],
            unit=units[self.spec.standardize],
            chosen=chosen, most_names=most_names, ax=ax,
        )  # fmt: skip

    @property
    def opened_with(self) -> FitResults:
        """What a report of the path opens with: the least BIC where there is one."""
        if self.spec.family.has_likelihood:
            return self.select("bic")
        return self.result(self.descending().solutions[-1], "given")

    def report(
        self,
        path: Any,
        *,
        alpha: float | None = None,
        title: str | None = None,
        note: str | None = None,
    ) -> None:
        """Write a page of HTML with a slider along the path, atomically.

        Parameters
        ----------
        path : path-like
            The file.
        alpha : float, optional
            Strength that the page opens with and is about. If not given, that of
            ``select("bic")``, of a quasi-likelihood the weakest, after
            cross-validation ``alpha_best``.
        title, note : str, optional
            The heading in place of penglm's, and a line below it.

        Raises
        ------
        FileWriteError
            If the file cannot be written; an older file is then left as it was.

        Notes
        -----
        Reasons at every strength follow from the path's own points; nothing is fitted
        but ``alpha`` where it is not among them. The file has at most 300,000 bytes
        and says what it leaves out for that.
        """
        from penglm.report.page import report

        fit = self.opened_with if alpha is None else self.at(alpha)
        report(fit, self, path, title=title, note=note)

    def table(self) -> "pd.DataFrame":
        """Return glmnet's table: nonzero count, per cent deviance explained, alpha."""
        import pandas as pd

        return pd.DataFrame(
            {
                "Df": self.n_nonzero,
                "%Dev": np.round(100.0 * self.deviance_ratio, 2),
                "alpha": self.alphas,
            }
        )

    def table_text(self) -> str:
        """Return the table as glmnet prints it."""
        table = self.table()
        table["alpha"] = [f"{alpha:.4g}" for alpha in self.alphas]
        text: str = table.to_string()
        return text

    @property
    def path_info(self) -> str:
        """What this is a path of, how well it is solved, where a ridge path starts."""
        family = self.spec.family
        said = (
            f"{family.name} path, {family.link.name} link, l1_ratio "
            f"{self.l1_ratio:g}, {len(self)} points, "
            f"largest KKT residual {self.kkt_residual.max():.1e} of alpha"
        )
        if self.l1_ratio < LEAST_L1_RATIO:
            said += (
                "; ridge empties no model, so an automatic path starts where an "
                f"l1_ratio of {LEAST_L1_RATIO:g} would"
            )
        return said

    def __repr__(self) -> str:
        return f"{self.path_info}\n{self.table_text()}"


def in_order_of(
    solutions: Sequence[Solution], alphas: Sequence[float]
) -> tuple[Solution, ...]:
    """Return solutions in the order of the strengths asked for, repeats included."""
    by_alpha = {solution.alpha: solution for solution in solutions}
    try:
        return tuple(by_alpha[alpha] for alpha in alphas)
    except KeyError as missing:
        raise PenglmInputError(f"no solution at alpha = {missing}") from None
