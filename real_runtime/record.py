"""The log of one actor in shared memory: what it did, what the reply was, when it began and ended.

Each process writes its own log and nobody else's, so recording takes no lock and gives no order between processes. A log
that is full stops: the trace is then a prefix, and says so.

Rules of this file: one record is four 64-bit integers (label, reply, begin, end in ns of the machine's one monotonic
clock); the clock is read outside of the operation. Keep in step with `board.py`.
"""

from cllm_sim.trace import Event
from real_runtime.board import EVENT_COLUMNS, LABEL_BYTES, LABELS_MAX, Board

FINISHED = -1


class Recorder:
    """Writes one actor's log; `begin` and `end` are called around every operation."""

    def __init__(self, board: Board, actor: int) -> None:
        self._log = memoryview(board.logs[actor]).cast("B").cast("q")
        self._count = memoryview(board.counts[actor]).cast("B").cast("q")
        self._current = memoryview(board.current[actor]).cast("B").cast("q")
        self._labels = board.labels[actor]
        self._known = 0
        self._capacity = len(self._log) // EVENT_COLUMNS

    def label(self, text: str) -> int:
        """Number of a label, written into the shared table on first use; 0 where the table is full."""
        if self._known >= LABELS_MAX - 1:
            return 0
        self._known += 1
        encoded = text.encode()[: LABEL_BYTES - 1]
        start = self._known * LABEL_BYTES
        self._labels[start : start + len(encoded)] = memoryview(encoded)
        return self._known

    def begin(self, label: int) -> None:
        """This operation is about to be performed."""
        self._current[0] = label

    def end(self, label: int, reply: int, begin_ns: int, end_ns: int) -> None:
        """This operation has been performed."""
        count = self._count[0]
        if count < self._capacity:
            at = count * EVENT_COLUMNS
            log = self._log
            log[at], log[at + 1], log[at + 2], log[at + 3] = label, reply, begin_ns, end_ns
        self._count[0] = count + 1

    def finish(self) -> None:
        """The text has come to its end."""
        self._current[0] = FINISHED


def label_text(board: Board, actor: int, label: int) -> str:
    """The text of a label."""
    start = label * LABEL_BYTES
    return bytes(board.labels[actor][start : start + LABEL_BYTES]).partition(b"\0")[0].decode()


def current_op(board: Board, actor: int) -> str:
    """What an actor is doing: an operation's label, or that it has not begun or has finished."""
    label = int(board.current[actor][0])
    if label == FINISHED:
        return "finished"
    return label_text(board, actor, label) if label else "not started"


def read_log(board: Board, actor: int, origin_ns: int) -> tuple[tuple[Event, ...], bool]:
    """The events of an actor with times from `origin_ns` on, and whether the log was long enough for all of them."""
    performed = int(board.counts[actor][0])
    capacity = board.logs.shape[1] // EVENT_COLUMNS
    kept = min(performed, capacity)
    rows = board.logs[actor][: kept * EVENT_COLUMNS].reshape(kept, EVENT_COLUMNS).tolist()
    names: dict[int, str] = {}
    events = []
    for label, reply, begin, end in rows:
        if label not in names:
            names[label] = label_text(board, actor, label)
        events.append(Event(names[label], reply, begin - origin_ns, end - origin_ns))
    return tuple(events), performed <= capacity
