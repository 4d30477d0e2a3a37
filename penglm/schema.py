"""What a model file has to look like, said once, and checked before it is believed.

A checksum finds damage; this finds a file that somebody wrote by hand. Keys that are
not named here are passed over, so that a later penglm may add some.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from penglm.exceptions import ModelFileError

Rule = Any
"""A predicate; a list of one rule, for any number of them; a dict of rules by key."""

ANY_KEY = "*"


def text(value: Any) -> bool:
    """Tell whether this is text."""
    return isinstance(value, str)


def truth(value: Any) -> bool:
    """Tell whether this is true or false."""
    return isinstance(value, bool)


def whole(value: Any) -> bool:
    """Tell whether this is a whole number that an array can hold."""
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63


def number(value: Any) -> bool:
    """Tell whether this is a finite number."""
    return whole(value) or (isinstance(value, float) and math.isfinite(value))


def extended(value: Any) -> bool:
    """Tell whether this is a number or an infinity, which JSON knows as text."""
    return number(value) or value in ("inf", "-inf")


def share(value: Any) -> bool:
    """Tell whether this is a number from 0 to 1."""
    return number(value) and 0.0 <= value <= 1.0


def at_least_zero(value: Any) -> bool:
    """Tell whether this is a number that is not negative, or positive infinity."""
    return value == "inf" or (number(value) and value >= 0)


def level(value: Any) -> bool:
    """Tell whether this can be a level of a factor."""
    return text(value) or truth(value) or number(value)


def anything(_: Any) -> bool:
    """Let everything pass; what it is made of is checked where it is restored."""
    return True


def maybe(rule: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """Return a rule that lets null pass, too."""
    return lambda value: value is None or rule(value)


def word_or_truth(value: Any) -> bool:
    """Tell whether this is how columns are standardised."""
    return truth(value) or value == "numeric"


KNOWN: Rule = {
    "code": text,
    "levels": lambda value: value is None or all(map(level, value)),
    "absent": [whole],
    "transforms": {ANY_KEY: {ANY_KEY: anything}},
}
ENCODER: Rule = {
    "formula": text,
    "columns": [text],
    "table": [text],
    "has_intercept": truth,
    "factors": [KNOWN],
    "shifts": [KNOWN],
    "subterms": [
        {
            "term": text,
            "factors": [text],
            "codings": [{"kind": text, "suffixes": [text]}],
        }
    ],
}
MODEL: Rule = {
    "family": text,
    "link": text,
    "family_parameters": {ANY_KEY: number},
    "exponent": maybe(number),
    "alpha": at_least_zero,
    "l1_ratio": share,
    "fit_intercept": truth,
    "standardize": word_or_truth,
    "coding": text,
    "penalty": text,
    "n_estimated": whole,
    "intercept": number,
    "names": [text],
    "coef": [number],
    "penalty_factor": [at_least_zero],
    "lower": [extended],
    "upper": [extended],
    "dropped": [text],
    "null_deviance": number,
    "deviance": number,
    "status": text,
    "n_iter": whole,
    "certificate": {
        "kkt_residual": at_least_zero,
        "worst_column": whole,
        "objective": number,
        "duality_gap": maybe(number),
        "is_convex": truth,
    },
    "chosen_by": text,
    "llf": maybe(extended),
    "nobs": lambda value: number(value) and value > 0,
    "pearson_chi2": number,
    "y_name": text,
    "y_levels": lambda value: value is None or all(map(level, value)),
    "has_offset": truth,
    "beside": {ANY_KEY: maybe(text)},
    "terms": {ANY_KEY: [whole]},
    "formula": maybe(text),
}


OPTIONAL: Rule = {"signal": [number], "link_parameters": {ANY_KEY: number}}
"""What a file of a model need not hold, but if so, like this."""


def check(value: Any, rule: Rule, place: str = "model") -> None:
    """Raise unless a value of a file keeps its rule.

    Raises
    ------
    ModelFileError
        Naming the place.
    """
    if isinstance(rule, Sequence):
        if not isinstance(value, list):
            raise wrong(place)
        for k, each in enumerate(value):
            check(each, rule[0], f"{place}[{k}]")
    elif isinstance(rule, Mapping):
        if not isinstance(value, dict):
            raise wrong(place)
        keys = value if ANY_KEY in rule else rule
        for key in keys:
            if key not in value:
                raise ModelFileError(f"'{place}.{key}' is not there.")
            check(value[key], rule.get(key, rule.get(ANY_KEY)), f"{place}.{key}")
    elif not rule(value):
        raise wrong(place)


def wrong(place: str) -> ModelFileError:
    """Return the error for a place that holds what it cannot."""
    return ModelFileError(f"'{place}' is not what it should be.")
