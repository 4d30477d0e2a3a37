"""Claims as shares of what each column would say alone, the largest of them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from penglm.exceptions import PenglmInputError

if TYPE_CHECKING:
    import pandas as pd

    from penglm.explanation.rivals import Claimed


def shares_of(columns: Sequence["Claimed"], most: int) -> "pd.DataFrame":
    """Return shares of null signals by column and rival, the ``most`` of each.

    Raises
    ------
    PenglmInputError
        If there is nothing to share.
    """
    import pandas as pd

    # A column without any signal has nothing that could be claimed.
    told = [one for one in columns if one.null_signal != 0.0]
    if not told:
        raise PenglmInputError(
            "there are no columns to draw rivals of: no coefficient is zero; name a "
            "column, rivals(name).",
            argument="name",
        )
    alone = {one.name: abs(one.null_signal) / (one.threshold or 1.0) for one in told}
    told = sorted(told, key=lambda one: -alone[one.name])[:most]
    claims = pd.DataFrame(
        [one.claims for one in told], index=[one.name for one in told]
    )
    claims = claims.fillna(0.0).div([one.null_signal for one in told], axis=0)
    order = claims.abs().max().sort_values(ascending=False, kind="stable").index
    kept = claims[order[:most]].copy()
    if order[most:].size:
        kept["others"] = claims[order[most:]].sum(axis=1)
    kept["remaining"] = [one.signal / one.null_signal for one in told]
    return kept
