"""What may be asked of the solver, and where a solve ended."""

from dataclasses import dataclass, replace

from penglm.solver.quadratic import Expansion
from penglm.solver.solution import Status
from penglm.solver.working_set import Warm


@dataclass(frozen=True)
class Options:
    """What a caller may ask of the solver.

    Attributes
    ----------
    tol : float
        Largest KKT violation, in units of each coordinate's own threshold.
    max_iter : int
        Most IRLS steps.
    road : str
        ``"covariance"``, ``"naive"`` or ``"auto"``.
    screen : bool
        Whether a path is solved on the survivors of the strong rule first.
    whole : bool
        Whether a Gram matrix of all of few columns stands for the rows.
    secant : bool
        Whether second derivatives may learn from the steps taken.
    abreast : bool
        Whether strengths of a tall problem may share a walk over its rows.
    between : bool
        Whether slopes at a point of a path may be bounded by those at its neighbours.
    lead : bool
        Whether a path may start a point on the line through the last two.
    at_once : bool
        Whether small problems are solved by one compiled call.
    pilot : bool
        Whether a tall problem may be solved on a sample of its rows first.
    on_nonconvergence : str
        ``"warn"`` or ``"raise"``: what the doors do about what is not optimal.

    Notes
    -----
    What a switch turns off is done without it, more slowly, to the same tolerance.
    """

    tol: float = 1e-5
    max_iter: int = 100
    road: str = "auto"
    screen: bool = True
    whole: bool = True
    secant: bool = True
    abreast: bool = True
    between: bool = True
    lead: bool = True
    at_once: bool = True
    pilot: bool = True
    on_nonconvergence: str = "warn"


@dataclass(frozen=True, eq=False)
class Outcome:
    """Where a solve ended, on the solver's scale, with what the next may start from."""

    warm: Warm
    status: Status
    loss: float
    n_iter: int
    history: tuple[float, ...]
    rank: int | None = None

    @property
    def here(self) -> Expansion:
        """Loss and slopes where it ended.

        Raises
        ------
        ValueError
            If they were not kept.
        """
        if self.warm.here is None:
            raise ValueError("the expansion of this outcome was not kept")
        return self.warm.here

    def bare(self) -> "Outcome":
        """Return the point alone, without what only a next solve would need."""
        return replace(self, warm=self.warm.bare())
