"""Rows in this machine's memory, in one or several blocks."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from penglm._typing import Index
from penglm.engines.base import Additive, Block, Engine


class Local(Engine):
    """Row blocks held in memory.

    Parameters
    ----------
    blocks : sequence of Block
        All with the same columns. Their order is the order of the rows.
    """

    def __init__(self, blocks: Sequence[Block]) -> None:
        self.blocks = tuple(blocks)
        self.n_obs = sum(block.design.shape[0] for block in self.blocks)
        self.n_features = self.blocks[0].design.shape[1]

    def sum(self, function: Callable[[Block], Additive]) -> tuple[Any, ...]:
        total = function(self.blocks[0])
        for block in self.blocks[1:]:
            total = tuple(a + b for a, b in zip(total, function(block), strict=True))
        return total

    def select(self, columns: Index) -> "Local":
        return Local(
            [
                replace(block, design=block.design.select(columns))
                for block in self.blocks
            ]
        )

    def whole(self) -> Block | None:
        return self.blocks[0] if len(self.blocks) == 1 else None
