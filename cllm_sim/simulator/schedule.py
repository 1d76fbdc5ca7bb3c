"""A simulated run in which who goes next is given: a schedule, with the durations of the cost model.

Everybody takes the core time of its next operation as in any simulated run, and then waits for its turn. The state
changes once per entry of the schedule, in that order, by `semantics.outcomes`; so the run ends where the schedule ends,
whatever the durations are. Time passes around it as in `engine`: waking, releasing and getting a core cost what they
cost there.

Rules of this file: the order comes from the schedule and from nothing else; a schedule that is not possible is the
caller's mistake.
"""

from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

from simpy.events import Event as Happening

from cllm_sim.compose import Bound
from cllm_sim.operations import Op, Place
from cllm_sim.semantics import Memory, outcomes
from cllm_sim.simulator.engine import Engine, Setting
from cllm_sim.simulator.log import NS
from cllm_sim.trace import Event

Entry = tuple[int, str]
"""An actor, and the choice where somebody else chose."""


@dataclass(frozen=True)
class Followed:
    """What a run along a schedule did.

    `at_ns` has the instant of every entry, `logs` the operations that came to their end, `unfinished` per actor the one
    that did not and when it was begun; `memory`, `pending` and `places` are the state at the end.
    """

    at_ns: tuple[int, ...]
    logs: dict[str, tuple[Event, ...]]
    unfinished: dict[str, tuple[str, int]]
    memory: Memory
    pending: tuple[Bound | None, ...]
    places: tuple[Place, ...]
    end_ns: int


def follow(setting: Setting, schedule: Sequence[Entry]) -> Followed:
    """Run along a schedule that is possible on the setting's system."""
    return _Follower(setting, schedule).follow()


class _Follower(Engine):
    """An engine whose actors wait for their turn."""

    def __init__(self, setting: Setting, schedule: Sequence[Entry]) -> None:
        super().__init__(setting, 0)
        self._schedule = tuple(schedule)
        self._turns = [self.environment.event() for _ in range(len(self._schedule) + 1)]
        self._own: list[deque[int]] = [deque() for _ in self.numbers]
        for position, (actor, _) in enumerate(self._schedule):
            self._own[actor].append(position)
        self._at_ns: list[int] = []
        self._begun: dict[int, int] = {}
        self._answerer = [-1] * len(self.numbers)

    def follow(self) -> Followed:
        """Perform the whole schedule."""
        for actor in self.numbers:
            self.environment.process(self._turn_by_turn(actor))
        self._turns[0].succeed()
        self.environment.run()
        assert len(self._at_ns) == len(self._schedule), "the run stopped before the schedule's end"
        names = [actor.name for actor in self.system.actors]
        return Followed(
            tuple(self._at_ns),
            {
                name: log.events(self.system, actor)
                for actor, (name, log) in enumerate(zip(names, self._logs, strict=True))
            },
            {names[actor]: found for actor in self.numbers if (found := self._left_over(actor)) is not None},
            self.memory,
            tuple(self.pending),
            tuple(text.place() for text in self.texts),
            max([round(self.end_s * NS), *(log.last_ns for log in self._logs)]),
        )

    def _left_over(self, actor: int) -> tuple[str, int] | None:
        """The operation that an actor is in at the end, and since when."""
        bound = self.pending[actor]
        if bound is None:
            return None
        return self.system.describe(actor, bound.op), self._begun.get(actor, self._logs[actor].last_ns)

    def _turn_by_turn(self, actor: int) -> Generator[Happening, Any, None]:
        """The SimPy process of one actor: core time, its turn, and what others have to do to let it go on."""
        task, mine = self.host.task(), self._own[actor]
        while mine:
            bound = self.pending[actor]
            assert bound is not None, "the schedule moves an actor that has finished"
            begin_s = self.environment.now
            self._begun[actor] = round(begin_s * NS)
            self._bells[actor] = self.environment.event()
            yield task.run(self._demand_s(actor, bound))
            yield from self._turns_of(actor, task)
            if self._answerer[actor] != actor:  # somebody else's step lets it go on, or nobody's ever does
                task.leave()
                yield self._bells[actor]
                if self.wake_s:
                    yield self.environment.timeout(self.wake_s)
                yield task.run(0.0)
            self._finish(actor, bound.op, begin_s)
        task.leave()

    def _turns_of(self, actor: int, task: Any) -> Generator[Happening, Any, None]:
        """Perform the actor's entries, each in its turn, until its operation is done or it has no more."""
        mine = self._own[actor]
        while mine and not self._answered[actor]:
            turn = self._turns[mine[0]]
            if not turn.triggered:
                blocked = not outcomes(self.system, self.pending, self.memory, actor)
                task.leave()
                yield turn | self._bells[actor]
                if self._answered[actor]:
                    return
                if blocked and self.wake_s:
                    yield self.environment.timeout(self.wake_s)
                yield task.run(0.0)
            for member in self._perform(mine.popleft()):
                if self.release_s:
                    yield task.run(self.release_s)
                self._bells[member].succeed()

    def _perform(self, position: int) -> list[int]:
        """One entry of the schedule; returns who is to be woken."""
        actor, choice = self._schedule[position]
        self.operations += 1
        self.end_s = self.environment.now
        self._mover, self._woken = actor, []
        found = outcomes(self.system, self.pending, self.memory, actor)
        outcome = next(one for one in found if not choice or one.choice == choice)
        for member, _ in outcome.done:
            self._answerer[member] = actor
        self._apply(actor, outcome)
        self._at_ns.append(self._now_ns())
        self._turns[position + 1].succeed()
        return self._woken

    def _finish(self, actor: int, op: Op, begin_s: float) -> None:
        self._answered[actor], self._answerer[actor] = False, -1
        self._begun.pop(actor, None)
        self._logs[actor].add(op, self._replies[actor], begin_s, self.environment.now)
