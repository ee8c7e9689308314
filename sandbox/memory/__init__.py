"""A chat platform in memory: the whole platform port without sockets, for unit tests and simulations."""

from sandbox.memory.adapter import Call, MemoryAdapter
from sandbox.memory.world import MemoryWorld, Thing

__all__ = ["Call", "MemoryAdapter", "MemoryWorld", "Thing"]
