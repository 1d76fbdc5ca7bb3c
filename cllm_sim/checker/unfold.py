"""Unfolding a text into an automaton, one local situation at a time.

A generator runs only when the search meets a local situation for the first time: the text is started afresh and sent
the replies that led there. A situation is recognised by the pending operation and, for every frame of the `yield from`
chain, the instruction position and the plain local values. Every situation is produced twice and compared, so a text
that is not deterministic is found out here.

Rules of this file: only `next` and `send`; the frames are looked at, never changed. The static rules that make the
recognition sound are enforced by `grammar.py`.
"""

import sys
from collections.abc import Callable, Hashable, Iterator
from types import CellType, FrameType, FunctionType, MethodType
from typing import Any, NamedTuple

from cllm_sim.errors import BadArchitecture, NondeterministicText
from cllm_sim.frames import chain, checked_operation, where
from cllm_sim.operations import Op, Place, Scope, Shared, Steps

SITUATIONS_MAX = 2_000
"""Limit of local situations per text; more means that a text counts without bound."""

SILENT_LINES_MAX = 300_000
"""Limit of lines that a text may run between two operations; more means that it never yields again."""

ONLY_REPLIES = "a text may depend on nothing but its arguments and the replies"

Lines = set[tuple[str, int]]


class UnboundedText(Exception):
    """A text has more local situations than the limit; `variable` names the local that keeps changing."""

    def __init__(self, place: Place, variable: str) -> None:
        super().__init__(f"{place}: more than {SITUATIONS_MAX:,} local situations; '{variable}' takes ever new values")
        self.place = place
        self.variable = variable


class Situation(NamedTuple):
    """Where a text stands: its pending operation (None: finished), the line, and the key it is recognised by."""

    op: Op | None
    place: Place
    key: Hashable


class Automaton:
    """The local situations of one text met so far. Node 0 is the start.

    `op[node]` and `place[node]` describe a situation; `step(node, reply)` gives the next one, unfolding it if it is
    new. `assumed` are the steps (node, reply) that were made for a comparison and not in a search.
    """

    def __init__(self, text: Callable[[], Steps], lines: Lines, path: str) -> None:
        self.text = text
        self.lines = lines
        self.path = path
        self.op: list[Op | None] = []
        self.place: list[Place] = []
        self.edges: list[dict[int, int]] = []
        self.replies: list[tuple[int, ...]] = []
        self.seen: dict[Hashable, int] = {}
        self.assumed: set[tuple[int, int]] = set()
        self.runs = 0
        self._enter(())

    def step(self, node: int, reply: int) -> int:
        """The situation after the pending operation of `node` was answered with `reply`."""
        following = self.edges[node].get(reply)
        if following is None:
            following = self.edges[node][reply] = self._enter((*self.replies[node], reply))
        return following

    def run_through(self, node: int, reply: int) -> None:
        """Note the lines between a situation and the next one as reached."""
        self._reach((*self.replies[node], reply))

    def _enter(self, replies: tuple[int, ...]) -> int:
        first, second = self._reach(replies), self._reach(replies)
        if first != second:
            place = second.place if first.op is None else first.place
            told = f"the text did '{first.op}' and then '{second.op}' or its local values differ"
            raise NondeterministicText(f"{place}: run twice with the same replies, {told}; {ONLY_REPLIES}")
        if first.key not in self.seen:
            if len(self.op) >= SITUATIONS_MAX:
                raise UnboundedText(first.place, self._growing())
            self.seen[first.key] = len(self.op)
            self.op.append(first.op)
            self.place.append(first.place)
            self.edges.append({})
            self.replies.append(replies)
        return self.seen[first.key]

    def _reach(self, replies: tuple[int, ...]) -> Situation:
        self.runs += 1
        steps = self.text()
        tracer = _Tracer(self.path, self.lines)
        before = sys.gettrace()
        try:
            self._recall(steps, replies[:-1])
            tracer.last = where(steps).line if replies else tracer.last
            sys.settrace(tracer)  # everything before has been traced when it was new
            op: Any = steps.send(replies[-1]) if replies else next(steps)
        except StopIteration:
            place = Place(self.path, tracer.last)
            return Situation(None, place, ("finished", place.line))
        except BadArchitecture:
            raise
        except RecursionError:
            place = Place(self.path, tracer.last)
            raise BadArchitecture(f"{place}: the text calls itself without end") from None
        except Exception as error:
            place = Place(self.path, tracer.last)
            raise BadArchitecture(f"{place}: {type(error).__name__}: {error}".replace("\n", " ")) from None
        finally:
            sys.settrace(before)
        checked_operation(op, steps)
        place = where(steps)
        return Situation(op, place, (op, *frames(steps, place)))

    def _recall(self, steps: Steps, replies: tuple[int, ...]) -> None:
        """Bring a fresh run to a known situation; on the way it must do what it did before (it may look at a clock)."""
        if not self.op:
            return
        op: object = next(steps)
        node = 0
        for reply in replies:
            if op is not self.op[node]:
                break
            op = steps.send(reply)
            node = self.edges[node][reply]
        if op is not self.op[node]:
            told = f"run again with the same replies, the text did '{op}' where it had done '{self.op[node]}'"
            raise NondeterministicText(f"{where(steps)}: {told}; {ONLY_REPLIES}")

    def _growing(self) -> str:
        """The local variable with the most different values."""
        values: dict[str, set[Hashable]] = {}
        for key in self.seen:
            for frame in key[1:] if isinstance(key, tuple) and key[0] != "finished" else ():
                for name, value in frame[1]:
                    values.setdefault(name, set()).add(value)
        return max(values, key=lambda name: len(values[name]), default="?")


class _Tracer:
    """Notes every line of the user's file that runs, for the list of unreached lines and for the line of a return."""

    def __init__(self, path: str, lines: Lines) -> None:
        self.path = path
        self.lines = lines
        self.last = 1
        self.silent = 0

    def __call__(self, frame: FrameType, event: str, _: Any) -> "_Tracer | None":
        if frame.f_code.co_filename != self.path:
            return None
        if event == "line":
            self.last = frame.f_lineno
            self.silent += 1
            if self.silent > SILENT_LINES_MAX:
                raise BadArchitecture(f"{Place(self.path, self.last)}: the text runs on and on and yields no operation")
            self.lines.add((self.path, frame.f_lineno))
        return self


def frames(steps: Steps, place: Place) -> Iterator[tuple[int, tuple[tuple[str, Hashable], ...]]]:
    """Instruction position and plain locals of every frame of the chain."""
    for generator in chain(steps):
        frame = generator.gi_frame
        assert frame is not None  # the text is suspended
        locals_ = tuple(sorted((name, plain(value, name, place)) for name, value in frame.f_locals.items()))
        yield frame.f_lasti, locals_


def plain(value: Any, name: str, place: Place) -> Hashable:
    """A value by which situations may be compared; raises BadArchitecture for values that carry hidden identity."""
    if value is None or isinstance(value, int | str):
        return (type(value).__name__, value)
    if isinstance(value, tuple):
        return tuple(plain(item, name, place) for item in value)
    if isinstance(value, Shared):
        return ("handle", value.name)
    if isinstance(value, Scope):
        return ("scope", value._prefix)
    if isinstance(value, MethodType):
        return ("method", value.__name__, plain(value.__self__, name, place))
    if isinstance(value, FunctionType):
        return ("function", value.__code__, *(_cell(cell, value, name, place) for cell in value.__closure__ or ()))
    if isinstance(value, type):
        return ("class", value)
    raise BadArchitecture(
        f"{place}: local variable '{name}' is a {type(value).__name__}; "
        "a text may keep int, str, None, bool and tuples of them, and the handles it was given"
    )


def _cell(cell: CellType, function: FunctionType, name: str, place: Place) -> Hashable:
    """A value that a function carries with it; its own name, where it calls itself, is no further value."""
    content = cell.cell_contents
    return "itself" if content is function else plain(content, name, place)
