"""What every explanation looks like: a title, and one sentence a line."""

from dataclasses import dataclass
from html import escape

from penglm.solver.solution import Status


@dataclass(frozen=True, repr=False)
class Account:
    """Sentences about a fit; ``print`` it or let a notebook show it.

    Attributes
    ----------
    alpha, l1_ratio : float
    status : Status
        Of the fit; what is not optimal is explained as far as it went.
    is_estimated : bool
        Whether parameters of the family were estimated with the fit. What is said of
        other fits holds them where they are.
    """

    alpha: float
    l1_ratio: float
    status: Status
    is_estimated: bool

    @property
    def sentences(self) -> list[str]:
        """What there is to say, in order."""
        raise NotImplementedError

    @property
    def title(self) -> str:
        """Say at which strength, and whether the fit is optimal there."""
        said = f"At alpha {self.alpha:.4g}, l1_ratio {self.l1_ratio:g}"
        if self.is_estimated:
            said += ", estimated parameters of the family held"
        if self.status is Status.OPTIMAL:
            return f"{said}:"
        return f"{said} (not optimal: {self.status.value}):"

    def __str__(self) -> str:
        return "\n".join([self.title, *self.sentences])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        items = "".join(f"<li>{escape(said)}</li>" for said in self.sentences)
        return f"<p>{escape(self.title)}</p><ul>{items}</ul>"
