"""Other systems that solve the same problems; none is imported before it is asked."""

from penglm.peers.base import Peer, Task
from penglm.peers.systems import PEERS

__all__ = ["PEERS", "Peer", "Task"]
