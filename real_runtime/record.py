"""The log of one actor in shared memory: what it did, what the reply was, when it began and ended.

Each process writes its own log and nobody else's, so recording takes no lock and gives no order between processes. An
event counts once it is complete, so a log is whole at every instant, also that of a kill. A log that is full stops: the
trace is then a prefix, and says so.

Rules of this file: one record is four 64-bit integers (label, reply, begin, end in ns of the machine's one monotonic
clock); a label is where its text begins in the actor's table of texts, from 1 on. The clock is read outside of the
operation. Keep in step with `board.py`.
"""

from collections.abc import Iterator
from typing import NamedTuple

from cllm_sim.trace import Event
from real_runtime.board import EVENT_COLUMNS, EVENTS, Board

FINISHED = -1
_ROWS_AT_ONCE = 65_536


class Recorder:
    """Writes one actor's log; `begin` and `end` are called around every operation."""

    def __init__(self, board: Board, actor: int) -> None:
        self._log = memoryview(board.logs[actor]).cast("B").cast("q")
        self._count = memoryview(board.counts[actor]).cast("B").cast("q")
        self._current = memoryview(board.current[actor]).cast("B").cast("q")
        self._labels = memoryview(board.labels[actor])
        self._free = 1
        self._capacity = len(self._log) // EVENT_COLUMNS

    def label(self, text: str) -> int:
        """Label of an operation's text, which is put into the shared table; 0 where the table is full."""
        encoded = text.encode()
        label, end = self._free, self._free + len(encoded)
        if end >= len(self._labels):  # a zero byte always follows
            return 0
        self._labels[label:end] = encoded
        self._free = end + 1
        return label

    def begin(self, label: int) -> None:
        """This operation is about to be performed."""
        self._current[0] = label

    def end(self, label: int, reply: int, begin_ns: int, end_ns: int) -> None:
        """This operation has been performed."""
        count = self._count[EVENTS]
        if count < self._capacity:
            at = count * EVENT_COLUMNS
            log = self._log
            log[at], log[at + 1], log[at + 2], log[at + 3] = label, reply, begin_ns, end_ns
        self._count[EVENTS] = count + 1
        self._current[0] = ~label

    def finish(self) -> None:
        """The text has come to its end."""
        self._current[0] = FINISHED


class Doing(NamedTuple):
    """Where an actor is: at an operation or (`performing` is False) behind it; `op` is empty before the first one."""

    op: str
    performing: bool
    finished: bool

    @property
    def words(self) -> str:
        """As part of a sentence: `in 'wait 0/batch'`."""
        if self.finished:
            return "at the end of its text"
        if not self.op:
            return "before its first operation"
        return f"{'in' if self.performing else 'after'} '{self.op}'"


def doing(board: Board, actor: int) -> Doing:
    """What an actor is doing, or did last."""
    label = int(board.current[actor][0])
    performing = label > 0
    op = label_text(board, actor, label if performing else ~label) if label not in (0, FINISHED) else ""
    return Doing(op, performing, label == FINISHED)


def label_text(board: Board, actor: int, label: int) -> str:
    """The text of a label; empty for label 0."""
    if not label:
        return ""
    row = board.labels[actor]
    length = 64
    while b"\0" not in (text := bytes(row[label : label + length])):
        length *= 2
    return text.partition(b"\0")[0].decode("utf-8", "replace")


def log_is_whole(board: Board, actor: int) -> bool:
    """Was the log long enough for all events, and the table for all their texts?"""
    performed = int(board.counts[actor][EVENTS])
    kept = board.logs[actor][: performed * EVENT_COLUMNS : EVENT_COLUMNS]
    return performed * EVENT_COLUMNS <= board.logs.shape[1] and bool(kept.all())


def read_log(board: Board, actor: int, origin_ns: int) -> Iterator[Event]:
    """The events of an actor, with times from `origin_ns` on."""
    kept = min(int(board.counts[actor][EVENTS]), board.logs.shape[1] // EVENT_COLUMNS)
    names: dict[int, str] = {}
    for start in range(0, kept, _ROWS_AT_ONCE):
        stop = min(start + _ROWS_AT_ONCE, kept)
        rows = board.logs[actor][start * EVENT_COLUMNS : stop * EVENT_COLUMNS].reshape(-1, EVENT_COLUMNS).tolist()
        for label, reply, begin, end in rows:
            if label not in names:
                names[label] = label_text(board, actor, label)
            yield Event(names[label], reply, begin - origin_ns, end - origin_ns)
