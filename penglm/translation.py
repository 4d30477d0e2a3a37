"""Strengths of penalties from system to system."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from penglm import checks
from penglm.checks import NUMERIC
from penglm.conventions import Conversion, Facts, candidates, convention
from penglm.conventions.values import numbers, positive
from penglm.exceptions import PenglmInputError
from penglm.families import as_family, as_link
from penglm.statement import Statement

POSITIVE = {"n_rows", "weight_total", "response_sd", "dispersion"}
"""Facts that are one positive number."""

COLUMNS = {"column_sd", "column_mean", "is_numeric"}
"""Facts that are one number for each column."""


def convert(
    alpha: Any,
    l1_ratio: float = 1.0,
    *,
    to: str = "penglm",
    from_: str = "penglm",
    model: Any = None,
    penalty_factor: Any = None,
    standardize: bool | str | None = None,
    **facts: Any,
) -> Conversion:
    """Say a penalty strength in another system's words.

    Parameters
    ----------
    alpha : float, array or mapping
        The strength, as the system ``from_`` counts it: for scikit-learn's
        ``LogisticRegression`` it is ``C``. A mapping has its arguments by their own
        names, and the three below are left out; a mix that is not in it is the
        system's own default, as the 0 of ``LogisticRegression``.
    l1_ratio : float, default 1.0
        Its share of the L1 part; ignored where the system has none.
    to, from_ : str, default "penglm"
        A name of ``penglm.conventions.SYSTEMS``. ``to="sklearn"``, ``"celer"``,
        ``"spark"`` and ``"matlab"`` stand for the first of their classes that fits.
    model : PenalizedGLM, optional
        Says everything that a translation may need to know of the data. Of penglm's
        own ``penalty_factor`` and ``standardize`` it is the source, too.
    penalty_factor : array (p,), optional
        Multipliers by column in the system ``from_``.
    standardize : bool or "numeric", optional
        Whether the system ``from_`` standardises. If not given: what the model says
        for penglm, the default of another system; without a model False.
    **facts
        ``n_features``, ``n_rows``, ``weight_total``, ``is_weighted``,
        ``response_sd``, ``column_sd``, ``column_mean``, ``family``, ``link``,
        ``fit_intercept``, ``estimates_dispersion`` and ``dispersion`` of
        ``penglm.conventions.Facts``, in place of the model's.

    Returns
    -------
    Conversion
        ``arguments`` by the other system's own names. Where ``column_scale`` is not
        None, its columns have to be divided by that.

    Raises
    ------
    PenglmInputError
        If no arguments mean exactly the same, a fact is missing, or there is no such
        system. It says what to do.

    Examples
    --------
    >>> import penglm as pg
    >>> pg.convert(0.1, 0.5, to="sklearn.Ridge", weight_total=50)
    Traceback (most recent call last):
    ...
    penglm.exceptions.PenglmInputError: sklearn.Ridge is ridge only; l1_ratio must be 0.
    >>> pg.convert(0.1, 0.0, to="sklearn.Ridge", weight_total=50).arguments
    {'alpha': 5.0}
    >>> pg.convert(2.0, from_="sklearn.LogisticRegression", weight_total=50).arguments
    {'alpha': 0.01, 'l1_ratio': 1.0, 'standardize': False}
    """
    source = convention(from_, "from_")
    known = facts_of(model, penalty_factor, facts)
    if isinstance(alpha, Mapping):
        given = dict(alpha)
    else:
        given = {source.strength: alpha}
        if source.mix is not None:
            given[source.mix] = l1_ratio
    own = None if model is None or from_ != "penglm" else model.statement
    if own is not None and penalty_factor is None:
        penalty_factor = own.penalty_factor
    if standardize is None:
        standardize = own.standardize if own is not None else None
    if standardize is None and model is None:
        standardize = False
    for name, value in ((source.factors, penalty_factor), (source.flag, standardize)):
        if name is not None and value is not None:
            given.setdefault(name, value)
        elif name is None and value is not None and value is not False:
            raise PenglmInputError(
                f"{from_} has no penalty factors and does not standardise.",
                argument="from_",
            )
    penalty = source.read(given, known)
    tried = candidates(to)
    if len(tried) == 1:
        return tried[0].say(penalty, known)
    known.need("family", to)
    reasons = []
    for target in tried:
        try:
            return target.say(penalty, known)
        except PenglmInputError as error:
            reasons.append(str(error))
    raise PenglmInputError("\n".join(reasons), argument="to")


def facts_of(model: Any, penalty_factor: Any, told: Mapping[str, Any]) -> Facts:
    """Return what a model says of its data, with what was told in its place.

    Raises
    ------
    PenglmInputError
        If there is no such fact, or there are no columns.
    """
    allowed = tuple(Facts.__dataclass_fields__)
    for name in told:
        checks.choice(name, allowed, "an argument of convert")
    if model is not None and not isinstance(
        getattr(model, "statement", None), Statement
    ):
        raise PenglmInputError(
            f"model must be a PenalizedGLM, not a {type(model).__name__}; tell the "
            "facts of other models by keywords.",
            argument="model",
        )
    known = Facts() if model is None else read_off(model.statement)
    known = replace(known, **checked(told))
    if known.column_sd is not None:
        known = replace(known, n_features=known.column_sd.size)
    if known.n_features is None:
        wide = np.ndim(penalty_factor) == 1
        known = replace(known, n_features=len(penalty_factor) if wide else None)
    if known.n_features == 0:
        raise PenglmInputError(
            "there are no columns and nothing is penalised; any strength means the "
            "same.",
            argument="model",
        )
    return known


def checked(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return facts that were told, and what a family says of itself.

    Raises
    ------
    PenglmInputError
        If one of them cannot be true.
    """
    known = {name: value for name, value in told.items() if value is not None}
    for name in POSITIVE & known.keys():
        known[name] = positive(known[name], name, zero=False)
    if "n_features" in known:
        known["n_features"] = checks.whole(known["n_features"], "n_features", 0)
    if "family" in known:
        family = as_family(known["family"], known.get("link"))
        known |= {"family": family.name, "link": family.link.name}
        known.setdefault("estimates_dispersion", family.fixed_dispersion is None)
    elif "link" in known:
        known["link"] = as_link(known["link"]).name
    columns = {name: numbers(known[name], name) for name in COLUMNS & known.keys()}
    size = max((values.size for values in columns.values()), default=0)
    for name, values in columns.items():
        bad = ~np.isfinite(values) | (
            values < (0.0 if name == "column_sd" else -np.inf)
        )
        if values.shape != (size,) or bad.any():
            raise PenglmInputError(
                f"{name} must be one finite number"
                f"{' >= 0' if name == 'column_sd' else ''} for each column.",
                argument=name,
                index=int(np.argmax(bad)) if bad.any() else None,
            )
    if "is_numeric" in columns:
        columns["is_numeric"] = columns["is_numeric"] != 0.0
    return known | columns


def read_off(statement: Statement) -> Facts:
    """Return the facts of a stated model."""
    data, moments = statement.data, statement.moments
    weight = data.sample_weight
    rest = data.y - data.offset
    used = weight > 0.0
    mean = np.average(rest[used], weights=weight[used])
    spread = np.average((rest[used] - mean) ** 2, weights=weight[used])
    return Facts(
        n_features=len(data.names),
        n_rows=weight.size,
        weight_total=moments.weight_total,
        is_weighted=bool(np.any(weight != weight[0])),
        response_sd=float(np.sqrt(spread)),
        column_sd=moments.sd,
        column_mean=moments.mean,
        is_numeric=replace(statement, standardize=NUMERIC).is_standardized,
        family=statement.family.name,
        link=statement.family.link.name,
        fit_intercept=statement.fit_intercept,
        estimates_dispersion=statement.family.fixed_dispersion is None,
    )
