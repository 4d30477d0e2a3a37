"""R glmnet 4.1-6: solutions stored with the problem, nothing is run."""

from validation.problem import Answer, Problem, RefusedError

NOTHING_STORED = "no stored solution"


class StoredGlmnet:
    """The solution that came with a problem."""

    name = "glmnet (stored)"

    def solve(self, problem: Problem) -> Answer:
        """Return it."""
        if problem.stored is None:
            raise RefusedError(NOTHING_STORED)
        return problem.stored
