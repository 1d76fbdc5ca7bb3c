"""The log of one actor while it grows.

Rules of this file: four integers an event and no objects, because a long run has millions of events.
"""

from array import array

from cllm_sim.compose import System
from cllm_sim.operations import Op
from cllm_sim.trace import Event

NS = 1e9
"""Nanoseconds per second."""


class Log:
    """The events of one actor so far."""

    def __init__(self) -> None:
        self._rows = array("q")
        self._ops: list[Op] = []
        self._index: dict[Op, int] = {}

    def __len__(self) -> int:
        return len(self._rows) // 4

    @property
    def last_ns(self) -> int:
        """When the last event ended."""
        return self._rows[-1] if self._rows else 0

    def add(self, op: Op, reply: int, begin_s: float, end_s: float) -> None:
        """Append an event; times are rounded to nanoseconds."""
        index = self._index.get(op)
        if index is None:
            index = self._index[op] = len(self._ops)
            self._ops.append(op)
        self._rows.extend((index, reply, round(begin_s * NS), round(end_s * NS)))

    def events(self, system: System, actor: int) -> tuple[Event, ...]:
        """The log in absolute names."""
        names = [system.describe(actor, op) for op in self._ops]
        rows = iter(self._rows)
        return tuple(Event(names[op], reply, begin, end) for op, reply, begin, end in zip(*[rows] * 4, strict=True))
