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

    @property
    def variables(self) -> dict[str, Index]:
        """Columns of each variable that may have a coefficient, by name.

        A term of a formula is one variable; without a formula every column is. Columns
        that are excluded or constant belong to none.
        """
        usable = ~(self.is_excluded | self.is_constant)
        everything = np.arange(len(self.names))
        if self.slices:
            parts = {name: everything[part] for name, part in self.slices.items()}
        else:
            parts = {name: everything[[j]] for j, name in enumerate(self.names)}
        kept = {name: places[usable[places]] for name, places in parts.items()}
        return {name: places for name, places in kept.items() if places.size}

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
        known = list(dict.fromkeys([*self.names, *self.slices]))
        near = [f"'{one}'" for one in get_close_matches(str(name), known)]
        offer = f"{', '.join(known[:10])}."
        if near:
            offer = f"did you mean {' or '.join(near)}?"
        raise PenglmInputError(
            f"'{name}' is no column or term of this model: {offer}", argument="name"
        )
