"""Who solves the problems: penglm and three others, each behind the same two names.

A peer has a ``name`` and ``solve(problem) -> Answer``. It raises ``RefusedError`` for
what its convention cannot state or its speed does not allow; any other exception is
its failure.
"""

from validation.peers import glmnet, penglm, scikit_learn, statsmodels


def everyone() -> list:
    """Return the peers in the order of the tables."""
    return [
        penglm.Penglm(),
        glmnet.StoredGlmnet(),
        statsmodels.Statsmodels(),
        scikit_learn.ScikitLearn(),
    ]
