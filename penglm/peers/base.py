"""What a peer is: another system, and how it is called on a stated problem."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from penglm._typing import Matrix, Vector
from penglm.exceptions import PenglmInputError
from penglm.families import Family


@dataclass(frozen=True, eq=False)
class Task:
    """A problem as other systems take it.

    Attributes
    ----------
    X : Matrix (n, p)
        Fortran order, divided by what the conversion asks for.
    y, weight, offset : Vector (n,)
    family : Family
    fit_intercept : bool
    system : str
        The convention of the arguments.
    arguments : mapping
        Of the penalty, by the system's own names.
    """

    X: Matrix
    y: Vector
    weight: Vector
    offset: Vector
    family: Family
    fit_intercept: bool
    system: str
    arguments: Mapping[str, Any]

    @property
    def is_weighted(self) -> bool:
        """Whether rows differ in weight."""
        return bool((self.weight != self.weight[0]).any())


@dataclass(frozen=True)
class Peer:
    """Another system.

    Attributes
    ----------
    name : str
        Of its convention, or of the group of its conventions.
    module, package : str
        What is imported, and what is installed.
    models : tuple of (str, str)
        Families and links that it fits.
    offset : bool
        Whether it takes one.
    least_mix : float
        The smallest share of L1 with which it is asked.
    solve : callable
        From a ``Task`` to intercept and coefficients (p,).
    """

    name: str
    module: str
    package: str
    models: tuple[tuple[str, str], ...]
    offset: bool
    solve: Callable[[Task], tuple[float, Vector]]
    least_mix: float = 0.0

    def check(self, family: Family, has_offset: bool, has_limits: bool) -> None:
        """Raise if the peer is not there or cannot state the model.

        Raises
        ------
        PenglmInputError
        """
        if find_spec(self.module) is None:
            raise PenglmInputError(
                f"{self.name} is not installed; python -m pip install {self.package}",
                argument="peer",
            )
        if (family.name, family.link.name) not in self.models:
            known = ", ".join(f"{kind} ({link})" for kind, link in self.models)
            raise PenglmInputError(
                f"{self.name} is compared for {known}, not for {family.name} "
                f"({family.link.name}).",
                argument="peer",
            )
        # Least squares takes an offset off the response.
        if has_offset and not self.offset and family.link.name != "identity":
            raise PenglmInputError(
                f"{self.name} takes no offset, and the model has one.", argument="peer"
            )
        if has_limits:
            raise PenglmInputError(
                f"{self.name} is compared without limits of coefficients, and the "
                "model has some.",
                argument="peer",
            )
