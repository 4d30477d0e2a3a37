"""What is solved: simulated problems with fixed seeds, and some that came solved."""

from validation.problems import simulated, stored


def everything() -> dict:
    """Return by name a function that makes each problem.

    A function raises ``AbsentError`` where its data are not on this machine.
    """
    return {**simulated.problems(), **stored.problems()}
