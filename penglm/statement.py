"""What a caller asks for, checked: rows, family, penalty factors and limits.

Everything a door needs before it knows a strength: the engine with the rows of positive
weight, the moments of the columns, and the null model that every path starts from.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from penglm import checks, response
from penglm._typing import Vector
from penglm.checks import NUMERIC
from penglm.diagnosis import tell, tell_constant, tell_empty
from penglm.engines import Block, Engine, Local
from penglm.exceptions import PenglmInputError
from penglm.explanation.scaling import MOST_SPREAD, OF_INDICATORS, Spread, spread
from penglm.families import Family
from penglm.path import automatic_grid, solve_path
from penglm.penalties import ElasticNet, Penalty
from penglm.progress import Progress
from penglm.results.data import ModelData, ModelSpec
from penglm.results.fit import Solved
from penglm.results.path import PathResults, in_order_of
from penglm.solver.null import Null, fit_null, null_at
from penglm.solver.outcome import Options
from penglm.solver.problem import Moments, Problem, measure
from penglm.solver.quadratic import Curvature
from penglm.solver.solution import Solution
from penglm.solver.working_set import Warm


def options(tol: float, max_iter: int, on_nonconvergence: str = "warn") -> Options:
    """Return the solver's options, checked."""
    return Options(
        tol=checks.tolerance(tol),
        max_iter=checks.whole(max_iter, "max_iter"),
        on_nonconvergence=checks.choice(
            on_nonconvergence, ("warn", "raise"), "on_nonconvergence"
        ),
    )


@dataclass(frozen=True, eq=False)
class Statement:
    """A penalised GLM before its strength and mix are chosen.

    Attributes
    ----------
    data : ModelData
    family : Family
    fit_intercept : bool
    standardize : bool or "numeric"
    penalty_factor, lower, upper : Vector (p,)
    coding : str
    n_estimated : int
        Parameters of the family that were estimated from these rows.
    """

    data: ModelData
    family: Family
    fit_intercept: bool
    standardize: bool | str
    penalty_factor: Vector
    lower: Vector
    upper: Vector
    coding: str
    n_estimated: int = 0

    @classmethod
    def build(
        cls,
        data: ModelData,
        family: Family,
        *,
        fit_intercept: bool = True,
        standardize: bool | str = True,
        penalty_factor: Any = None,
        lower: Any = None,
        upper: Any = None,
        coding: str = "treatment",
    ) -> "Statement":
        """Check what was asked for against the rows and columns.

        Raises
        ------
        PenglmInputError
            If factors or limits cannot be used, a response is out of range, or numbers
            are too large or too small for double precision.
        NoFiniteSolutionError
            If the intercept alone already runs off to infinity.
        """
        names, terms = data.names, data.term_slices
        factor = checks.per_column(penalty_factor, "penalty_factor", names, 1.0, terms)
        low = checks.per_column(lower, "lower", names, -np.inf, terms)
        high = checks.per_column(upper, "upper", names, np.inf, terms)
        checks.penalty_factor(factor, names)
        checks.limits(low, high, names)
        used = np.flatnonzero(data.sample_weight > 0)
        response.check_range(data.y[used], family, data.rows[used])
        response.check_finite_solution(data.y[used], family, fit_intercept)
        response.check_squares(data.y[used], data.offset[used], family, data.rows[used])
        response.check_variance(data.y[used], family)
        statement = cls(
            data, family, bool(fit_intercept), checks.scaling(standardize), factor, low,
            high, coding,
        )  # fmt: skip
        checks.sizes(statement.moments.mean, statement.moments.sd, names)
        tell_empty(terms)
        if fit_intercept:
            is_constant = statement.moments.sd == 0.0
            tell_constant(statement.dropped, np.clip(0.0, low, high)[is_constant])
        return statement

    def knowing(self, family: Family) -> "Statement":
        """Return the same under a family with a parameter estimated from its rows."""
        other = replace(self, family=family, n_estimated=1)
        # The rows are the same, and so is what was measured of their columns.
        for name in ("engine", "moments", "is_standardized"):
            vars(other)[name] = getattr(self, name)
        return other

    def starting_at(self, intercept: float, coef: Vector) -> "Statement":
        """Return the same with a point that has a mean in every row to start from."""
        other = replace(self)
        vars(other)["null"] = null_at(self.problem(1.0), intercept, coef)
        return other

    @cached_property
    def engine(self) -> Local:
        """The rows of positive weight; a row of weight zero is not there at all."""
        data = self.data
        block = Block(data.design, data.y, data.sample_weight, data.offset)
        used = np.flatnonzero(data.sample_weight > 0)
        return Local([block if used.size == data.y.size else block.take(used)])

    @cached_property
    def moments(self) -> Moments:
        """Weight total, means and standard deviations of the columns."""
        return measure(self.engine)

    @cached_property
    def is_standardized(self) -> Any:
        """Boolean (p,): columns that are penalised per standard deviation."""
        if self.standardize != NUMERIC:
            return np.full(len(self.data.names), self.standardize)
        return ~self.is_indicator

    @cached_property
    def is_indicator(self) -> Any:
        """Boolean (p,): columns of 0 and 1."""
        blocks = self.engine.blocks
        return np.all([block.design.is_indicator() for block in blocks], axis=0)

    @cached_property
    def spread(self) -> Spread | None:
        """How far apart the units of penalised columns are, None where it is no matter.

        With ``standardize="numeric"`` the caller has thought of it.
        """
        if self.standardize is not False:
            return None
        sd, factor = self.moments.sd, self.penalty_factor
        is_decided = (sd > 0.0) & (factor > 0.0) & (factor < np.inf)
        is_decided &= self.lower < self.upper
        found = spread(sd, factor, is_decided)
        # Of 0 and 1 the mean tells the sd; where none does so no pass is needed.
        share = np.clip(self.moments.mean, 0.0, 1.0)
        is_other = np.abs(sd - np.sqrt(share * (1.0 - share))) > 1e-6 * sd
        if found.ratio <= MOST_SPREAD or is_other[is_decided].all():
            return found
        sd = np.where(self.is_indicator, OF_INDICATORS, sd)
        return spread(sd, factor, is_decided)

    @cached_property
    def dropped(self) -> tuple[str, ...]:
        """Names of constant columns."""
        return tuple(self.data.names[j] for j in np.flatnonzero(self.moments.sd == 0.0))

    @cached_property
    def null(self) -> Null:
        """The model with nothing that is penalised."""
        used = np.flatnonzero(self.data.sample_weight > 0)
        return fit_null(self.problem(1.0), Options(), self.data.rows[used])

    def problem(
        self,
        l1_ratio: float,
        engine: Engine | None = None,
        moments: Moments | None = None,
        penalty: type[Penalty] = ElasticNet,
    ) -> Problem:
        """Return the frozen problem at a mix.

        ``engine`` replaces the rows, as cross-validation does; the columns are then
        measured on those rows, if ``moments`` does not say how they came out.

        Raises
        ------
        PenglmInputError
            If a parameter of the family is still to be estimated.
        """
        missing = self.family.unknown
        if missing is not None:
            raise PenglmInputError(
                f"{missing} of the family is estimated by fit(), fit_path() and "
                f"fit_cv(); anything else needs its value: {missing}=...",
                argument=missing,
            )
        if engine is None:
            engine, moments = self.engine, self.moments
        return Problem.state(
            engine,
            measure(engine) if moments is None else moments,
            self.family,
            penalty,
            l1_ratio,
            penalty_factor=self.penalty_factor,
            lower=self.lower,
            upper=self.upper,
            fit_intercept=self.fit_intercept,
            is_standardized=self.is_standardized,
        )

    def spec(self, l1_ratio: float, penalty: type[Penalty] = ElasticNet) -> ModelSpec:
        """Return what was asked for, as results remember it."""
        return ModelSpec(
            family=self.family,
            fit_intercept=self.fit_intercept,
            standardize=self.standardize,
            l1_ratio=l1_ratio,
            penalty_factor=self.penalty_factor,
            lower=self.lower,
            upper=self.upper,
            dropped=self.dropped,
            null_deviance=self.null.deviance,
            coding=self.coding,
            penalty=penalty.name,
            n_estimated=self.n_estimated,
        )

    def path(
        self,
        l1_ratio: float,
        options: Options,
        penalty: type[Penalty],
        *,
        alphas: Any = None,
        n_alphas: int = 100,
        alpha_min_ratio: float | None = None,
        progress: str | bool = False,
        curvature: Curvature | None = None,
    ) -> PathResults:
        """Solve along a path; ``curvature`` are second derivatives known beforehand."""
        problem, null = self.problem(l1_ratio, penalty=penalty), self.null
        given = None if alphas is None else checks.strengths(alphas)
        grid = automatic_grid(problem, null, n_alphas, alpha_min_ratio)
        if given is not None:
            grid = np.unique(given)[::-1]
        if curvature is not None:
            null = null.knowing(curvature)
        with Progress(grid.size, "path", progress) as bar:
            solutions = solve_path(
                problem, grid.tolist(), null, options,
                stop_early=given is None, on_point=bar.step,
            )  # fmt: skip
        tell(solutions, problem, self.data.names, options)
        if given is not None:
            solutions = list(in_order_of(solutions, given.tolist()))
        return self.path_of(solutions, l1_ratio, options, penalty)

    def start(self, earlier: Any, penalty: type[Penalty]) -> Warm | None:
        """Return an earlier fit on the same columns as a start, None for None."""
        if earlier is None:
            return None
        p, coef = len(self.data.names), np.asarray(getattr(earlier, "coef", ()))
        if coef.shape != (p,):
            raise PenglmInputError(
                f"start must be a fit of the same {p} columns; it has {coef.size}.",
                argument="start",
            )
        path = self.path_of([earlier.solution], 1.0, Options(), penalty)
        return path.before(-1.0)

    def path_of(
        self,
        solutions: list[Solution],
        l1_ratio: float,
        options: Options,
        penalty: type[Penalty] = ElasticNet,
    ) -> PathResults:
        """Wrap solutions with what they came from."""
        solved = Solved(self.problem(l1_ratio, penalty=penalty), self.null, options)
        spec = self.spec(l1_ratio, penalty)
        return PathResults(tuple(solutions), self.data, spec, solved)
