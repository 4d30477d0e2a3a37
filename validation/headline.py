"""What ``converged=True`` of statsmodels ``fit_regularized`` is worth.

Claim: on the diabetes data and on seeded random problems, first answers of
``fit_regularized`` at its defaults can have the wrong variables and say that they have
converged; ``penglm.certify`` finds each of them, and passes every penglm answer.

Run: python -m validation.headline    (about 3 minutes; writes the page)

The exit code is 1 if the claim fails.
"""

import sys
import warnings
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np

import penglm as pg
from validation.objective import judge, null_slope
from validation.pages import table, versions
from validation.peers.statsmodels import OPTIMAL, glm_of, split
from validation.problem import Problem, build
from validation.problems.simulated import Recipe, make

PAGE = Path(__file__).resolve().parents[1] / "docs" / "validation" / "statsmodels.md"

N_PROBLEMS = 60
N_OBS, N_FEATURES, RHO, SEED = 200, 15, 0.5, 20261201
# Strengths as shares of the slope of the null model.
SHARES, DIABETES_SHARE = (0.2, 0.05), 0.025
# The defaults stop after 50 sweeps; a user who reads the warning raises it.
SETTINGS = {"defaults": {}, "`maxiter=1000`": {"maxiter": 1000}}
FAMILIES = ("gaussian", "binomial", "poisson")
# A KKT residual this large, in units of alpha, is not a matter of tolerances.
CLEARLY_OFF = 0.01
MOST_RESTARTS = 20
# The certificate and the independent judge agree to this, relative, on a wrong answer.
SAME_VERDICT = 1e-6


@dataclass(frozen=True, eq=False)
class Story:
    """Calls of ``fit_regularized`` at one strength, and penglm's answer.

    Attributes
    ----------
    calls : list of (intercept, coef)
        At the defaults; the first from zero, each other from the one before.
    converged : bool
        What the first call said.
    fit : penglm.FitResults
    certificates : list of penglm.Certificate
        ``penglm.certify`` of each call.
    judged : float
        The independent judge's KKT residual of the first call.
    excess : float
        Objective of the first call above penglm's, relative.
    """

    calls: list
    converged: bool
    fit: pg.FitResults
    certificates: list
    judged: float
    excess: float

    @property
    def residual(self) -> float:
        """KKT residual of the first call, by ``penglm.certify``."""
        return self.certificates[0].kkt_residual

    @property
    def missed(self) -> list[int]:
        """Variables of the optimum that the first call lacks."""
        return sorted(set(self.fit.support) - set(np.flatnonzero(self.calls[0][1])))

    @property
    def kept(self) -> list[int]:
        """Variables of the first call that are zero at the optimum."""
        return sorted(set(np.flatnonzero(self.calls[0][1])) - set(self.fit.support))

    @property
    def is_off(self) -> bool:
        """Whether the first call is clearly not optimal."""
        return self.residual > CLEARLY_OFF

    @property
    def has_wrong_support(self) -> bool:
        """Whether the first call is clearly not optimal and has other variables."""
        return self.is_off and bool(self.missed or self.kept)

    @property
    def is_resolved(self) -> bool:
        """Whether the last call is optimal."""
        return self.certificates[-1].kkt_residual <= OPTIMAL


Stories = dict[tuple[float, str], list[Story]]
"""By strength and setting."""


def tell(problem: Problem, **options) -> Story:
    """Call statsmodels until its answer is optimal, and penglm once."""
    alpha, unit = float(problem.alphas[0]), null_slope(problem)
    model, per_row = glm_of(problem)
    strength = np.r_[0.0, np.full(problem.n_features, alpha * per_row)]
    calls, said, certificates, start = [], [], [], None
    for _ in range(MOST_RESTARTS + 1):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = model.fit_regularized(
                alpha=strength, start_params=start, **options
            )
        start = np.asarray(result.params)
        calls.append(split(problem, start))
        said.append(bool(result.converged))
        intercept, coef = calls[-1]
        certificates.append(pg.certify(
            coef, intercept, problem.y, problem.X, alpha=alpha, family=problem.family
        ))  # fmt: skip
        if certificates[-1].kkt_residual <= OPTIMAL:
            break
    fit = pg.PenalizedGLM(problem.y, problem.X, problem.family).fit(alpha)
    first = judge(problem, alpha, *calls[0], unit)
    mine = judge(problem, alpha, fit.intercept, fit.coef, unit)
    excess = first.objective / mine.objective - 1.0
    return Story(calls, said[0], fit, certificates, first.kkt_residual, excess)


def diabetes() -> tuple[Problem, list[str]]:
    """Return the data of Efron et al. (2004), from scikit-learn, and the names."""
    from sklearn.datasets import load_diabetes

    data = load_diabetes(scaled=False)
    problem = build("diabetes", "gaussian", data.data, data.target, [1.0])
    alpha = DIABETES_SHARE * null_slope(problem)
    return replace(problem, alphas=np.array([alpha])), list(data.feature_names)


def random_stories(family: str) -> Stories:
    """Return the stories of all seeded problems of a family."""
    stories: Stories = {key: [] for key in product(SHARES, SETTINGS)}
    for k in range(N_PROBLEMS):
        recipe = Recipe(family, N_OBS, N_FEATURES, SEED + k, rho=RHO)
        problem = make(f"{family}_{k}", recipe)
        unit = null_slope(problem)
        for share, setting in stories:
            problem = replace(problem, alphas=np.array([share * unit]))
            stories[share, setting].append(tell(problem, **SETTINGS[setting]))
    return stories


def coefficient_table(story: Story, problem: Problem, names: list[str]) -> str:
    """Return the coefficients per standard deviation, side by side."""
    columns = (story.calls[0][1], story.calls[-1][1], story.fit.coef)
    remarks = dict.fromkeys(story.missed, "missed") | dict.fromkeys(story.kept, "kept")
    lines = []
    for j, name in enumerate(names):
        values = [
            f"{coef[j] * problem.sd[j]:.3f}" if coef[j] else "0" for coef in columns
        ]
        lines.append([name, *values, remarks.get(j, "")])
    restarts = len(story.calls) - 1
    head = [
        "variable",
        "first answer:",
        f"restart {restarts}:",
        "penglm:",
        "remark",
    ]
    return table(head, lines)


def certificate_table(story: Story) -> str:
    """Return what ``penglm.certify`` says of the three answers."""
    restarts = len(story.calls) - 1
    three = {
        "statsmodels, first answer": story.certificates[0],
        f"statsmodels, restart {restarts}": story.certificates[-1],
        "penglm": story.fit.certificate,
    }
    lines = [
        [name, f"{c.kkt_residual:.1e}", f"{c.objective:.3f}", f"{c.duality_gap:.1e}"]
        for name, c in three.items()
    ]
    return table(["answer", "KKT residual:", "objective:", "duality gap:"], lines)


def frequency_table(found: dict[str, Stories]) -> str:
    """Return one line a family, strength and setting."""
    lines = []
    for family, by_key in found.items():
        for (share, setting), stories in by_key.items():
            said = [story for story in stories if story.converged]
            off = [story for story in stories if story.is_off]
            excess = np.array([100 * story.excess for story in stories])
            lines.append([
                family, str(share), setting,
                f"{len(said)} of {len(stories)}", str(len(off)),
                str(sum(story.has_wrong_support for story in stories)),
                f"**{sum(story.has_wrong_support for story in said)}**",
                f"{np.median(excess):.3f} %", f"{excess.max():.2f} %",
            ])  # fmt: skip
    head = [
        "family", "strength:", "setting", "said converged:", "not optimal:",
        "wrong variables:", "wrong variables, said converged:", "median excess:",
        "largest excess:",
    ]  # fmt: skip
    return table(head, lines)


def detail_table(found: dict[str, Stories]) -> str:
    """Return how wrong the supports are and how many restarts put them right."""
    lines = []
    for family, by_key in found.items():
        for (share, setting), stories in by_key.items():
            restarts = np.array([len(story.calls) - 1 for story in stories])
            spread = [str(int((restarts == k).sum())) for k in range(3)]
            lines.append([
                family, str(share), setting,
                str(sum(len(story.missed) for story in stories)),
                str(sum(len(story.kept) for story in stories)),
                str(sum(story.fit.n_nonzero for story in stories)),
                *spread, str(int((restarts > 2).sum())),
                str(sum(not story.is_resolved for story in stories)),
            ])  # fmt: skip
    head = [
        "family", "strength:", "setting", "missed:", "wrongly kept:", "in the optimum:",
        "0 restarts:", "1:", "2:", "more:", "never optimal:",
    ]  # fmt: skip
    return table(head, lines)


def page(
    story: Story,
    problem: Problem,
    names: list[str],
    found: dict[str, Stories],
) -> str:
    """Return docs/validation/statsmodels.md."""
    every = [s for by in found.values() for stories in by.values() for s in stories]
    worst = max(s.fit.certificate.kkt_residual for s in [story, *every])
    missed = ", ".join(f"`{names[j]}`" for j in story.missed) or "nothing"
    kept = ", ".join(f"`{names[j]}`" for j in story.kept) or "nothing"
    return f"""# When `fit_regularized` says it has converged

Generated by `python -m validation.headline`; do not edit. Made with {versions()}.

statsmodels can fit an L1-penalised GLM with `GLM.fit_regularized`. Its answer carries a
flag, `converged`. This page shows that the flag does not mean that the penalised
objective is at its minimum, how often it is not, and how to tell.

## The cause

The method is coordinate descent. In the source of statsmodels,
`statsmodels/base/elastic_net.py`, a coefficient that is zero after the second or a
later sweep is put on a list and not tried again in that call. A variable that becomes
useful once others have shrunk stays out. The remaining coefficients then settle, the
sweep changes nothing any more, and `converged` is `True`. Nothing looks at the
optimality conditions of the variables left out.

Called again with `start_params` set to its own answer, the method tries every variable
once more, so a few calls usually reach the minimum. The flag does not tell when this is
needed. More sweeps (`maxiter`) do not help either, as the tables show.

## One data set

The diabetes data of Efron, Hastie, Johnstone and Tibshirani (2004), {problem.n_obs}
rows and {problem.n_features} columns, as in
`sklearn.datasets.load_diabetes(scaled=False)`; columns centred and divided by their
standard deviation, Gaussian family, `alpha = {story.fit.alpha:.4f}`, lasso.
statsmodels is called at its defaults, except that `alpha` is a vector with 0 for the
constant, so that both minimise the same function.

The first answer says `converged={story.converged}`. It misses {missed} and wrongly
keeps {kept}. Its objective is {100 * story.excess:.2g} % above the minimum.

{coefficient_table(story, problem, names)}
`penglm.certify` judges coefficients, whoever computed them. The KKT residual is the
largest distance of a coefficient from its optimality condition, in units of `alpha`:
about 1 is the size of the penalty itself. The duality gap is an upper bound of how far
the objective is above the minimum, in units of the objective.

{certificate_table(story)}
The NumPy judge of `validation/objective.py`, which shares no code with penglm, gives
the first answer a KKT residual of {story.judged:.1e} as well.

## How often

{N_PROBLEMS} seeded random problems a family: {N_OBS} rows, {N_FEATURES} standardised
columns with correlation {RHO}, every fifth of which matters; lasso; the strength is
given as a share of the one that empties the model. An answer counts as not optimal if
its KKT residual is above {CLEARLY_OFF} of `alpha`, which no tolerance explains, and as
having the wrong variables if it is not optimal and its nonzero coefficients are not
those of the optimum. The excess is the objective above penglm's, relative.

{frequency_table(found)}
With the default `maxiter=50` some calls end with a warning and `converged=False`;
that is the flag at work. With `maxiter=1000` the flag is `True` and the answers are
no better. Under the stronger penalty few variables come and go during the sweeps, and
fewer are locked out.

{detail_table(found)}
`missed` and `wrongly kept` count variables over all problems of a line, `in the
optimum` the nonzero coefficients of penglm's fits. A restart is a further call from
the last answer; an answer is called optimal at a KKT residual of {OPTIMAL:.0e} of
`alpha`.

penglm's own fits of all these problems have KKT residuals of at most {worst:.0e} of
`alpha`.

## What to do with statsmodels

1. Pass `alpha` as a vector with 0 for the constant; a scalar penalises the constant.
2. Raise `maxiter` and call again with `start_params` from the last answer.
3. Stop when a certificate says so, not the flag. For columns passed as they are:

```python
coef, intercept = result.params[1:], result.params[0]
certificate = penglm.certify(
    coef, intercept, y, X, alpha=alpha, family=family, standardize=False
)
certificate.kkt_residual  # near zero at the minimum
```

With weights, statsmodels divides by the number of rows and penglm by the sum of the
weights: multiply penglm's `alpha` by `sum(weights) / rows` for statsmodels.
"""


def breaches(stories: list[Story]) -> list[str]:
    """Return what contradicts the claim."""
    found = []
    if not any(story.converged and story.has_wrong_support for story in stories):
        found.append("no first answer is wrong and says that it has converged")
    for k, story in enumerate(stories):
        if story.fit.certificate.kkt_residual > OPTIMAL:
            found.append(f"problem {k}: penglm is not certified")
        if story.is_off and abs(story.judged / story.residual - 1.0) > SAME_VERDICT:
            found.append(f"problem {k}: certificate and judge disagree")
        if story.is_off and story.excess <= 0:
            found.append(f"problem {k}: refused, yet not above penglm")
    return found


def main() -> int:
    """Tell the story, write the page, return the exit code."""
    problem, names = diabetes()
    story = tell(problem)
    print(f"diabetes: converged={story.converged}, KKT residual {story.residual:.2g}")
    print(coefficient_table(story, problem, names))
    print(certificate_table(story))
    found = {}
    for family in FAMILIES:
        found[family] = random_stories(family)
        print(frequency_table({family: found[family]}), flush=True)
    print(detail_table(found))
    every = [s for by in found.values() for stories in by.values() for s in stories]
    broken = breaches([story, *every])
    for breach in broken:
        print(f"FAILS {breach}")
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(story, problem, names, found))
    print(f"wrote docs/validation/{PAGE.name}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
