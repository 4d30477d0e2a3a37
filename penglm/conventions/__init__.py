"""How other systems count the strength of a penalty, one record for each."""

from penglm import checks
from penglm.conventions import elsewhere, python, statsmodels
from penglm.conventions.base import Convention
from penglm.conventions.values import Conversion, Facts, Penalty

PENGLM = Convention(
    "penglm", factors="penalty_factor", standardizes="optional", flag="standardize",
    flag_default=True, scales_outside=False,
)  # fmt: skip

SYSTEMS: dict[str, Convention] = {
    system.name: system
    for system in (
        PENGLM, *statsmodels.SYSTEMS, *python.SYSTEMS, *elsewhere.SYSTEMS
    )
}  # fmt: skip
"""Every system by the name that ``to=`` and ``from_=`` take."""


def convention(name: str, argument: str = "to") -> Convention:
    """Return the convention of a system.

    Raises
    ------
    PenglmInputError
        If there is none of this name.
    """
    return SYSTEMS[checks.choice(name, tuple(SYSTEMS), argument)]


def candidates(name: str) -> list[Convention]:
    """Return the conventions that a name may stand for, as "sklearn" does."""
    family = [each for key, each in SYSTEMS.items() if key.startswith(f"{name}.")]
    return family if family and name not in SYSTEMS else [convention(name)]


__all__ = [
    "PENGLM",
    "SYSTEMS",
    "Convention",
    "Conversion",
    "Facts",
    "Penalty",
    "candidates",
    "convention",
]
