"""What a page says in sentences: the model, its certificate, the choice, the limits."""

from typing import Any

import numpy as np

from penglm.checks import NUMERIC
from penglm.explanation.reason import Case
from penglm.report.along import Along
from penglm.report.digits import shown
from penglm.report.markup import shortened
from penglm.results.cross_validation import CVResults
from penglm.results.explained import NOWHERE
from penglm.results.fit import FitResults
from penglm.results.path import PathResults
from penglm.results.relaxed import Mixed, RelaxedCV
from penglm.results.summary import NO_STANDARD_ERRORS
from penglm.solver.solution import Status

# Counts that vary this much more than their family has it are worth a warning.
OVERDISPERSED = 1.5
WHY = {
    Case.POSITIVE: "above threshold",
    Case.NEGATIVE: "above threshold",
    Case.ZERO: "within threshold",
    Case.LOWER: "at its lower limit",
    Case.UPPER: "at its upper limit",
    Case.FIXED: "fixed by its limits",
    Case.EXCLUDED: "excluded",
    Case.CONSTANT: "constant",
    Case.FREE: "unpenalised",
    Case.SHRUNK: "shrunk",
}
BEYOND_LIMIT = "held by its limit"


UNITS: dict[bool | str, str] = {
    True: "per standard deviation of its column",
    False: "per unit of its column",
    NUMERIC: "per standard deviation of its column, of 0 and 1 per unit",
}
STANDARDIZED: dict[bool | str, str] = {
    True: "yes: coefficients are penalised per standard deviation",
    False: "no: coefficients are penalised per unit of their columns",
    NUMERIC: "but for columns of 0 and 1, which are penalised per unit",
}


def why(along: Along, j: int, k: int) -> str:
    """Say in a word or two what holds a coefficient where it is."""
    case = along.cases[j][k]
    threshold = along.alphas[k] * along.unit_threshold[j]
    if case is Case.ZERO and abs(along.signal[j, k]) > threshold:
        return WHY[case] if along.is_open(j, k) else BEYOND_LIMIT
    return WHY[case]


def further_down(along: Along, j: int) -> str:
    """Say whether a zero coefficient enters at weaker strengths of the path.

    Reasons on a page hold everything else still; the path moves.
    """
    below = along.coef[j, along.chosen + 1 :]
    if along.cases[j][along.chosen] is not Case.ZERO or not below.size:
        return ""
    if not below.any():
        return f" On this path it does not, down to alpha {shown(along.alphas[-1])}."
    at = along.chosen + 1 + int(np.flatnonzero(below)[0])
    return f" On this path it is in at alpha {shown(along.alphas[at])}."


def penalty(fit: FitResults) -> str:
    """Return what statisticians call the penalty."""
    called = {1.0: "lasso", 0.0: "ridge"}.get(fit.l1_ratio, "elastic net")
    if fit.spec.penalty != "elastic_net":
        called = fit.spec.penalty.replace("_", " ")
    return f"relaxed {called}" if isinstance(fit, Mixed) else called


def family(fit: FitResults) -> str:
    """Return the family's name as one writes it."""
    return fit.spec.family.name.replace("_", " ").capitalize()


def title(fit: FitResults) -> str:
    """Return what the page is called unless it is told."""
    return f"{family(fit)} {penalty(fit)} for {shortened(fit.data.y_name)}"


def lede(fit: FitResults) -> str:
    """Return the result in a sentence or two."""
    p = len(fit.data.names)
    rows = counted(fit.nobs, "observation")
    said = (
        f"{fit.n_nonzero} of {counted(p, 'column')} explain "
        f"{100.0 * fit.deviance_ratio:.1f}% of the deviance of {rows}, at penalty "
        f"strength alpha = {shown(fit.alpha)}"
    )
    if fit.n_nonzero == 0:
        said = (
            f"No column, of {p:,}, is in the model of {rows}, at penalty strength "
            f"alpha = {shown(fit.alpha)}"
        )
    if fit.chosen_by == "given":
        return f"{said}."
    return f"{said}, chosen by {fit.chosen_by}."


def large(value: float) -> str:
    """Return a number of which a reader wants every digit before the point."""
    return f"{value:,.0f}" if 1e3 <= abs(value) < 1e12 else shown(value, 5)


def counted(n: float, what: str) -> str:
    """Return a number and a noun in the right form."""
    return f"{n:,.6g} {what}{'' if n == 1 else 's'}"


def objective(fit: FitResults) -> str:
    """Return what is minimised, in one line."""
    ratio, strength = fit.l1_ratio, shown(fit.alpha)
    if fit.spec.penalty != "elastic_net":
        cost = f"the {penalty(fit)} penalty at strength {strength}"
    elif ratio == 1.0:
        cost = f"{strength} · sum of f |b|"
    elif ratio == 0.0:
        cost = f"{strength} · sum of f b² / 2"
    else:
        cost = f"{strength} · sum of f ({ratio:g} |b| + {1.0 - ratio:.6g} b² / 2)"
    unit = UNITS[fit.spec.standardize]
    end = "by the penalised end: " if isinstance(fit, Mixed) else ""
    return (
        f"{end}mean half-deviance + {cost}, where b is a coefficient {unit} and f its "
        "penalty factor"
    )


def elsewhere(fit: FitResults) -> str:
    """Return what glmnet calls strength and mix."""
    said = f"lambda = {shown(fit.alpha)}, alpha = {fit.l1_ratio:g}"
    if fit.spec.family.name == "gaussian" and fit.l1_ratio < 1.0:
        said += "; its ridge part is divided by the standard deviation of the response"
    if np.any(fit.spec.penalty_factor != 1.0):
        said += "; it rescales penalty factors to add up to the number of columns"
    return said


def factors(fit: FitResults) -> str | None:
    """Say how penalty factors differ, None where they do not."""
    found = fit.spec.penalty_factor
    if np.all(found == 1.0):
        return None
    said = []
    penalised = found[(found > 0.0) & np.isfinite(found)]
    if penalised.size:
        ends = sorted({shown(penalised.min()), shown(penalised.max())}, key=float)
        said.append(f"{' to '.join(ends)} for {counted(penalised.size, 'column')}")
    for value, words in ((0.0, "0, unpenalised,"), (np.inf, "\u221e, excluded,")):
        n = int(np.sum(found == value))
        if n:
            said.append(f"{words} for {counted(n, 'column')}")
    return "; ".join(said)


def limits(fit: FitResults) -> str | None:
    """Say how many columns have limits, None where none has."""
    bounded = np.isfinite(fit.spec.lower) | np.isfinite(fit.spec.upper)
    n = int(np.sum(bounded))
    return f"on the coefficients of {counted(n, 'column')}" if n else None


def certificate(fit: FitResults) -> tuple[bool, str, str]:
    """Return whether the fit is certified, that in a word or two, and in sentences."""
    if isinstance(fit, Mixed):
        return mixed(fit)
    found = fit.certificate if fit.status not in NOWHERE else fit.solution.certificate
    residual = shown(found.kkt_residual, 2) if np.isfinite(found.kkt_residual) else "∞"
    if fit.status is not Status.OPTIMAL:
        return False, "Not certified.", (
            f"The solver ended as {fit.status.value.replace('_', ' ')}; the optimality "
            f"conditions are missed by {residual} of their thresholds. Take the "
            "numbers here as where it stopped, not as the optimum."
        )  # fmt: skip
    if not found.is_convex:
        return True, "Certified stationary.", (
            f"Every optimality condition holds to {residual} of its threshold, "
            "computed afresh from these coefficients. The problem is not convex, so "
            "another point may be lower."
        )  # fmt: skip
    said = (
        f"Every optimality condition holds to {residual} of its threshold, computed "
        "afresh from these coefficients, and the problem is convex: no other "
        "coefficients do better on this objective."
    )
    if found.duality_gap is not None:
        above = "its minimum, as far as double precision can tell"
        if found.duality_gap > 0.0:
            above = f"at most {shown(found.duality_gap, 2)} above its minimum"
        said += f" The objective, {shown(found.objective, 6)}, is {above}."
    return True, "Certified optimal.", said


def mixed(fit: Any) -> tuple[bool, str, str]:
    """Return the same of a relaxed fit, which minimises nothing itself."""
    is_sound = fit.status is Status.OPTIMAL
    return is_sound, "Ends certified." if is_sound else "Not certified.", (
        f"A relaxed fit takes {shown(fit.gamma, 3)} of the penalised fit, which chose "
        f"the columns, and {shown(1.0 - fit.gamma, 3)} of their unpenalised refit. "
        f"Certificates of what it takes: {fit.verdict}."
    )  # fmt: skip


def choice(fit: FitResults, path: PathResults | None) -> list[str]:
    """Say how the strength was chosen."""
    if isinstance(path, CVResults):
        return by_folds(fit, path)
    if fit.chosen_by.startswith("budget"):
        return [
            f"The coefficients may cost no more than a {fit.chosen_by}; "
            f"alpha = {shown(fit.alpha)} is the strength that this amounts to."
        ]
    if path is not None and fit.chosen_by != "given":
        return [
            f"Of the strengths of the path alpha = {shown(fit.alpha)} has the least "
            f"{fit.chosen_by}."
        ]
    return [f"alpha = {shown(fit.alpha)} was given, not chosen from the data."]


def by_folds(fit: FitResults, cv: CVResults) -> list[str]:
    """Say what cross-validation found."""
    if isinstance(cv, RelaxedCV):
        return by_folds_with_mix(fit, cv)
    n_folds, best = int(cv.fold.max()) + 1, position(cv, cv.alpha_min)
    se = position(cv, cv.alpha_1se)
    said = [
        f"The rows were divided into {n_folds} folds; each was predicted by models "
        f"fitted to the others. The mean {cv.metric} on rows left out is best, "
        f"{shown(cv.mean_score[best])} (standard error "
        f"{shown(cv.std_score[best], 3)}), at alpha = {shown(cv.alpha_min)} with "
        f"{counted(cv.n_nonzero[best], 'column')}. "
        "The one-standard-error rule takes the strongest penalty that is within one "
        f"standard error of that: alpha = {shown(cv.alpha_1se)} with "
        f"{counted(cv.n_nonzero[se], 'column')}."
    ]
    rule = "one-standard-error rule" if cv.selected_by == "1se" else "best score"
    if fit.alpha == cv.alpha_best:
        said.append(f"This page is about the model of the {rule}.")
    else:
        said.append(f"This page is about alpha = {shown(fit.alpha)}, which was given.")
    ratios = cv.mean_score_by_l1_ratio
    if len(ratios) > 1:
        tried = ", ".join(f"{r:g} ({shown(score)})" for r, score in ratios.items())
        said.append(
            f"Of the mixes l1_ratio tried, with their best scores: {tried}, this is "
            f"{cv.l1_ratio:g}."
        )
    return said


def by_folds_with_mix(fit: FitResults, cv: RelaxedCV) -> list[str]:
    """Say what cross-validation of strength and mix together found."""
    found = []
    for name, (gamma, k) in cv.places.items():
        scores = cv.scores_by_gamma[gamma]
        found.append(
            f"{name}: alpha = {shown(cv.alphas[k])}, gamma = {gamma:g}, with "
            f"{counted(cv.n_nonzero[k], 'column')} and a mean {cv.metric} of "
            f"{shown(scores.mean[k])} (standard error {shown(scores.std[k], 3)})"
        )
    return [
        f"The rows were divided into {int(cv.fold.max()) + 1} folds; each was "
        "predicted by models fitted to the others. Strength and mix were chosen "
        f"together. {'; '.join(found)}.",
        f"This page is about alpha = {shown(fit.alpha)}. The curve, the slider and "
        f"the scores beside it are of gamma = {cv.gamma_best:g}.",
    ]


def position(path: PathResults, alpha: float) -> int:
    """Return where a strength is on a path."""
    return int(np.flatnonzero(path.alphas == alpha)[0])


def remarks(fit: FitResults, path: PathResults | None) -> list[str]:
    """Return what a reader has to keep in mind."""
    said = [NO_STANDARD_ERRORS]
    if isinstance(fit, Mixed):
        said.append(
            "The columns were chosen by the penalised fit, and estimates are shrunk "
            "less than there or not at all; there are no conditions to explain them."
        )
    elif fit.alpha > 0.0:
        said.append(
            "Estimates are shrunk towards zero by the penalty; a zero means that a "
            "column adds too little beside the others, not that it has no effect."
        )
    if path is not None:
        missed = [one for one in path.solutions if one.status is not Status.OPTIMAL]
        if missed:
            said.append(
                f"{len(missed)} of the {len(path)} fits of the path are not certified; "
                "the table of the path says which."
            )
    if isinstance(path, CVResults) and cv_at_end(path):
        said.append(
            "The best score is at the weakest strength tried; a weaker one may be "
            "better. Fit a longer path."
        )
    if fit.n_nonzero == 0:
        said.append("No column is in the model: rows differ by their offsets at most.")
    if fit.spec.dropped:
        dropped = counted(len(fit.spec.dropped), "column")
        said.append(f"{dropped} never varied and got the coefficient 0.")
    if fit.spec.n_estimated:
        said.append(
            "Parameters of the family were estimated with this fit; whatever is said "
            "of other strengths holds them."
        )
    said += spread_of(fit)
    if fit.solved is None:
        said.append(
            "The model was read from a file, which holds no rows: there are no reasons "
            "and no pictures of its rows here."
        )
    return said


def spread_of(fit: FitResults) -> list[str]:
    """Say if the response varies more than its family has it."""
    fixed = fit.spec.family.fixed_dispersion
    if fixed is None or fit.data.y.size == 0 or fit.status in NOWHERE:
        return []
    if fit.spec.family.has_classes and np.all(np.isin(fit.data.y, (0.0, 1.0))):
        return []
    found = fit.dispersion()
    if not np.isfinite(found) or found < OVERDISPERSED * fixed:
        return []
    return [
        f"The response varies {shown(found / fixed, 3)} times as much as the "
        f"{family(fit)} family has it (Pearson's estimate). The coefficients stand; "
        "likelihood, AIC and BIC do not."
    ]


def cv_at_end(cv: CVResults) -> bool:
    """Return whether the best score is the last of the path."""
    return len(cv) > 1 and cv.alpha_min == float(cv.alphas.min())


def left_out(along: Along) -> list[str]:
    """Say what the page does not show."""
    said, k = [], len(along.names)
    if k < along.n_features:
        said.append(
            f"{along.n_features - k} of {along.n_features} columns are not shown, to "
            "keep this page small. Shown are those in the model first, then those that "
            "enter elsewhere on the path, then those of largest signal."
        )
        hidden = along.n_in_models - int(np.sum(np.any(along.coef != 0.0, axis=1)))
        hidden = min(hidden, along.n_features - k)
        if hidden:
            said.append(f"{hidden} columns that are not shown enter on the path.")
    m = len(along.solutions)
    if m < along.n_strengths:
        said.append(f"{m} of the {along.n_strengths} strengths of the path are shown.")
    if along.n_failed:
        said.append(f"{along.n_failed} strengths have no finite solution.")
    if along.cases and not along.has_rivals:
        said.append(
            "Who speaks for a column is told at the chosen strength only: there are "
            "many rows and columns."
        )
    return said
