"""penglm at its defaults, along the whole grid."""

import warnings

import numpy as np

from validation.problem import Answer, Problem


class Penglm:
    """One path with warm starts."""

    name = "penglm"

    def solve(self, problem: Problem) -> Answer:
        """Return the whole path."""
        import penglm as pg

        with warnings.catch_warnings():
            # Constant columns of real data are zero for every peer.
            warnings.simplefilter("ignore", pg.exceptions.ConstantColumnWarning)
            model = pg.PenalizedGLM(
                problem.y, problem.X, problem.family, link=problem.link,
                offset=problem.offset, var_weights=problem.sample_weight,
                fit_intercept=problem.fit_intercept, standardize=problem.standardize,
                penalty_factor=problem.penalty_factor, lower=problem.lower,
                upper=problem.upper,
            )  # fmt: skip
            # Units are part of the problem; no peer remarks on them.
            warnings.simplefilter("ignore", pg.exceptions.ScalingWarning)
            path = model.fit_path(
                problem.alphas, l1_ratio=problem.l1_ratio, progress=False
            )
        note = f"own certificate {path.kkt_residual.max():.0e}"
        coefs = np.column_stack([solution.coef for solution in path.solutions])
        return Answer(np.arange(len(path)), path.intercepts, coefs, note)
