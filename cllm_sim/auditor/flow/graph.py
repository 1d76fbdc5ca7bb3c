"""What a flow is: steps and edges. Made by `inline.py`; read by rules.

Rules of this file: data and plain graph questions; what an edge's kind means stands at `Edge`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from cllm_sim.auditor.facts import Expr, Function, Site
from cllm_sim.auditor.flow.own import Own
from cllm_sim.auditor.locations import Bindings, Location
from cllm_sim.auditor.outline import Event, Leave, Set
from cllm_sim.auditor.vocabulary import Act


class Edge(NamedTuple):
    """To which step, and on which way.

    "" goes on; "then" and "other" leave a condition as true and false ("case" leaves a switch); "again" goes back to
    a loop's start; "failure" is taken only when a call of the library fails (an arm of an error test).
    """

    to: int
    kind: str


@dataclass(slots=True)
class Step:
    """One step of a role.

    `what` is event, condition, loop (a loop's start), switch, set, label (does nothing), leave, start or end. `event`
    is set for events (its `target` and `partner` are those of `target`/`partner` here, parameters replaced by what was
    passed).
    `how` are the call sites that led into `function`, outermost first. `own`: the access speaks of memory that each
    thread of the role has to itself; `owned` tells that of further expressions. `loops` are the steps (kind loop) of
    the loops around it, outermost first.
    """

    index: int
    what: str
    function: Function
    how: tuple[Site, ...]
    site: Site
    event: Event | None = None
    target: Location | None = None
    partner: Location | None = None
    condition: Expr | None = None
    set: Set | None = None
    leave: Leave | None = None
    own: bool = False
    loops: tuple[int, ...] = ()
    bindings: Bindings = field(default_factory=dict)
    owned: Own | None = None

    @property
    def act(self) -> Act | None:
        """What the event does; None where this is no event."""
        return None if self.event is None else self.event.act


@dataclass(slots=True)
class Flow:
    """The steps of one role from `start` to `end`. `truncated` says that a limit cut calls off (listed in `cut`).

    At `level` 0 every call was entered; above, only functions that matter for synchronisation (see `relevance`).
    """

    role: str
    steps: list[Step] = field(default_factory=list)
    next: list[list[Edge]] = field(default_factory=list)
    start: int = 0
    end: int = 0
    truncated: bool = False
    level: int = 0
    cut: list[str] = field(default_factory=list)
    _before: list[list[Edge]] | None = None
    _events: dict[Act | None, list[Step]] | None = None
    _alive: dict[bool, frozenset[int]] = field(default_factory=dict)

    @property
    def before(self) -> list[list[Edge]]:
        """The edges backwards: for every step those it is reached from."""
        if self._before is None:
            self._before = [[] for _ in self.steps]
            for index, edges in enumerate(self.next):
                for edge in edges:
                    self._before[edge.to].append(Edge(index, edge.kind))
        return self._before

    def events(self, *acts: Act) -> Iterator[Step]:
        """The steps with an event (of these acts, if any are given), in the order of the text."""
        if self._events is None:
            self._events = {None: [step for step in self.steps if step.event is not None]}
            for step in self._events[None]:
                self._events.setdefault(step.act, []).append(step)
        if len(acts) == 1:
            return iter(self._events.get(acts[0], ()))
        return (step for step in self._events[None] if not acts or step.act in acts)

    def reachable(
        self, start: int, stop: Callable[[Step], bool] | None = None, *, failures: bool = False, backwards: bool = False
    ) -> set[int]:
        """All steps that come after `start` (itself left out) on some way on which no step of `stop` lies before.

        Steps for which `stop` is true are reached, but not gone through. Failure edges are left out unless asked for.
        """
        edges = self.before if backwards else self.next
        seen: set[int] = set()
        waiting = [start]
        while waiting:
            here = waiting.pop()
            for edge in edges[here]:
                if edge.to in seen or (edge.kind == "failure" and not failures):
                    continue
                seen.add(edge.to)
                if stop is None or not stop(self.steps[edge.to]):
                    waiting.append(edge.to)
        return seen

    def alive(self, *, failures: bool = False) -> set[int]:
        """The steps that can be reached from the start."""
        if failures not in self._alive:
            self._alive[failures] = frozenset(self.reachable(self.start, failures=failures) | {self.start})
        return set(self._alive[failures])


def indices(steps: Iterable[Step]) -> set[int]:
    """The numbers of steps."""
    return {step.index for step in steps}
