"""Where rows live."""

from penglm.engines.base import Additive, Block, Engine
from penglm.engines.local import Local

__all__ = ["Additive", "Block", "Engine", "Local"]
