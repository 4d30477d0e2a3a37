"""What the columns of a model are called, and which were left out beforehand."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

import numpy as np

from penglm._typing import Index, Mask
from penglm.exceptions import PenglmInputError


@dataclass(frozen=True, eq=False)
class Terms:
    """Names of columns and of the terms they belong to.

    Attributes
    ----------
    names : tuple of str (p,)
    slices : mapping of str to slice
        Columns of each term of a formula; empty where there was none.
    is_excluded, is_constant : Mask (p,)
        Columns with an infinite penalty factor, and those that never vary.
    """

    names: tuple[str, ...]
    is_excluded: Mask
    is_constant: Mask
    slices: Mapping[str, slice] = field(default_factory=dict)

    def places(self, name: str | None) -> Index:
        """Return the positions of a column or of a term's columns, all for None.

        Raises
        ------
        PenglmInputError
            If nothing is called so.
        """
        everything = np.arange(len(self.names))
        if name is None:
            return everything
        if name in self.slices:
            return everything[self.slices[name]]
        if name in self.names:
            return everything[[self.names.index(name)]]
        known = [*self.names, *self.slices]
        near = get_close_matches(str(name), known, n=1)
        offer = f"did you mean '{near[0]}'?" if near else f"{', '.join(known[:10])}."
        raise PenglmInputError(
            f"'{name}' is no column or term of this model: {offer}", argument="name"
        )
