"""glmnet, in R: the worker is ``glmnet.R``."""

from validation.benchmarks.rivals.protocol import Facts, Rival


def refuse(facts: Facts) -> str:
    """Return why it does not state a problem."""
    return ""


RIVALS = (Rival("glmnet", "glmnet", None, refuse, default_tol=1e-7, loosest=1e-1),)
