"""Standard errors and what rests on them: statsmodels', where nothing was penalised.

Those of maximum likelihood do not hold for coefficients that a penalty selected and
shrank, so there they are refused with the reason.
"""

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from penglm.exceptions import PenglmInputError
from penglm.families import STATSMODELS_LINKS, Family

if TYPE_CHECKING:
    from penglm.results.fit import FitResults

NAMES = frozenset(
    {"bse", "tvalues", "pvalues", "conf_int", "cov_params", "normalized_cov_params",
     "use_t", "t_test", "t_test_pairwise", "f_test", "wald_test", "wald_test_terms",
     "score_test", "get_prediction", "get_influence", "get_hat_matrix_diag",
     "get_margeff"}
)  # fmt: skip
"""What statsmodels' results have and a penalised fit cannot honestly give."""

# Numbers of a dense design, columns times rows.
LARGEST = 50_000_000


def refuse(results: "FitResults") -> None:
    """Raise unless the fit is one of maximum likelihood on a design of full rank.

    Raises
    ------
    PenglmInputError
        Saying why, and where to look.
    """
    spec, data = results.spec, results.data
    is_held = np.isfinite(spec.lower) | np.isfinite(spec.upper)
    reason = ""
    if results.alpha != 0.0:
        reason = (
            f"the fit is penalised (alpha {results.alpha:.4g}): standard errors, tests "
            "and intervals of maximum likelihood do not hold after selection and "
            "shrinkage. fit.explain() says why coefficients are what they are, fit_cv "
            "how well they predict; model.fit(0) has standard errors."
        )
    elif is_held.any() or np.isinf(spec.penalty_factor).any() or spec.dropped:
        reason = (
            "some coefficients are limited, excluded or of constant columns; fit the "
            "others alone."
        )
    elif not results.converged:
        reason = f"the fit ended as {results.status.value}."
    elif not data.y.size:
        reason = "a model read from a file has no rows; fit it again."
    elif data.y.size * len(data.names) > LARGEST:
        reason = f"the dense design would hold more than {LARGEST} numbers."
    if reason:
        raise PenglmInputError(reason, argument="alpha")


def as_statsmodels(results: "FitResults") -> Any:
    """Return what ``FitResults.to_statsmodels`` says."""
    import pandas as pd
    import statsmodels.api as sm

    refuse(results)
    data, spec = results.data, results.spec
    used = np.flatnonzero(data.sample_weight > 0.0)
    exog = pd.DataFrame(data.design.take(used).to_dense(), columns=list(data.names))
    if spec.fit_intercept:
        exog.insert(0, "Intercept", 1.0, allow_duplicates=True)
    rank = np.linalg.matrix_rank(exog / np.sqrt((exog**2).mean()))
    if rank < exog.shape[1]:
        raise PenglmInputError(
            f"the design has rank {rank} < {exog.shape[1]}, so that coefficients have "
            "no standard error of their own; leave dependent columns out.",
            argument="exog",
        )
    family, scale = family_of(spec.family)
    y: Any = pd.Series(data.y[used], name=data.y_name)
    precision = data.precision[used]
    if scale is None and spec.family.has_trials and np.any(precision != 1.0):
        # Of shares with weights its likelihood is not that of the counts; the scale it
        # estimates from counts forgets their number.
        names = [data.y_name, f"not {data.y_name}"]
        counts = np.column_stack([y * precision, (1.0 - y) * precision])
        y = pd.DataFrame(counts, columns=names)
        precision = np.ones_like(precision)
    with warnings.catch_warnings():
        # penglm has said itself what it had to say about this model.
        warnings.simplefilter("ignore")
        model = sm.GLM(
            y, exog, family, offset=data.offset[used],
            freq_weights=data.freq_weights[used], var_weights=precision,
        )  # fmt: skip
        return model.fit(start_params=results.params.to_numpy(), scale=scale, tol=1e-12)


def family_of(family: Family) -> tuple[Any, Any]:
    """Return statsmodels' family with its link, and how it estimates the dispersion.

    Raises
    ------
    PenglmInputError
        If it has no such family or link.
    """
    import statsmodels.api as sm

    name, link = type(family).__name__, family.link
    theirs = {ours: kind for kind, ours in STATSMODELS_LINKS.items()} | {
        "power": "Power"
    }
    kind = getattr(sm.families, name.removeprefix("Quasi"), None)
    if kind is None or link.name not in theirs:
        raise PenglmInputError(
            f"statsmodels has no family '{family.name}' with the link '{link.name}'.",
            argument="family",
        )
    made = getattr(sm.families.links, theirs[link.name])
    own = made(**their_parameters(link.parameters))
    options = their_parameters(family.parameters)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return kind(own, **options), "X2" if name.startswith("Quasi") else None


def their_parameters(ours: dict[str, float]) -> dict[str, float]:
    """Return what statsmodels calls the parameters of a family or a link."""
    names = {"exponent": "power", "power": "var_power"}
    found = {names[key]: value for key, value in ours.items() if key in names}
    return found | ({"alpha": 1.0 / ours["theta"]} if "theta" in ours else {})
