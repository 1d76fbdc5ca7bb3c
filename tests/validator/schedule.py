"""Legal traces without the simulator: a random scheduler over `semantics.outcomes` with a clock of its own.

At every turn one of the actors that can move does. The clock is read as the runtime reads it: an operation begins some
time before it takes effect, and its end is known some time after, so neighbouring events of two actors overlap and the
order of their recorded times is not always the order in which they happened.

Rules of this file: everything follows from the seed; nothing of the judge is used.
"""

import random
from collections.abc import Sequence
from dataclasses import replace

from cllm_sim.architecture import Loaded
from cllm_sim.compose import Bound, System, compose
from cllm_sim.operations import Op, Verb
from cllm_sim.script import choice, script
from cllm_sim.semantics import Outcome, initial, outcomes
from cllm_sim.trace import SCHEMA, Event, Trace
from cllm_sim.tree import Tree

TURNS_MAX = 200_000


class Schedule:
    """One random run.

    `late_ns` is the longest delay of a clock reading before or after an operation; the verbs in `last` wait until
    nobody has anything else to do, as if they took long.
    """

    def __init__(
        self, system: System, orders: Sequence[int], seed: int, late_ns: int = 30, last: Sequence[str] = ()
    ) -> None:
        self.last = last
        self.system = system
        self.orders = list(orders)
        self.random = random.Random(seed)
        self.late_ns = late_ns
        self.now = 0
        self.memory = initial(system)
        self.steps = [system.text(actor) for actor in range(len(system.actors))]
        self.ops: list[Op | None] = [next(steps, None) for steps in self.steps]
        self.begin = [self._delay() for _ in self.steps]
        self.logs: list[list[Event]] = [[] for _ in self.steps]
        self.chosen = 0

    @property
    def pending(self) -> list[Bound | None]:
        return [None if op is None else self.system.bound(actor, op) for actor, op in enumerate(self.ops)]

    @property
    def complete(self) -> bool:
        return all(op is None for op in self.ops)

    def run(self, events_max: int | None = None) -> None:
        """Until everybody has finished, nobody can move, or so many events have been recorded."""
        for _ in range(TURNS_MAX):
            moves = self._moves()
            if not moves or (events_max is not None and sum(map(len, self.logs)) >= events_max):
                return
            ready = [move for move in moves if self.begin[move[0]] <= self.now]
            if not ready:
                self.now = min(self.begin[actor] for actor, _ in moves)
                continue
            prompt = [move for move in ready if not self._waits(move[0])]
            if not prompt and len(ready) < len(moves):
                self.now += 1
                continue
            actor, outcome = self.random.choice(prompt or ready)
            self.now += self.random.randrange(1, 20)
            self._apply(actor, outcome)
        raise AssertionError("the schedule does not end")

    def _moves(self) -> list[tuple[int, Outcome]]:
        pending = self.pending
        found = []
        for actor, op in enumerate(self.ops):
            for outcome in outcomes(self.system, pending, self.memory, actor):
                wanted = op is None or op.verb is not Verb.CHOOSE
                if wanted or outcome.done[0][1] == choice(self.orders, self.chosen, op.options if op else ()):
                    found.append((actor, outcome))
        return found

    def _waits(self, actor: int) -> bool:
        op = self.ops[actor]
        return op is not None and op.verb in self.last

    def _apply(self, actor: int, outcome: Outcome) -> None:
        op = self.ops[actor]
        self.chosen += op is not None and op.verb is Verb.CHOOSE
        self.memory = outcome.memory
        for member, reply in outcome.done:
            self._done(member, reply)

    def _done(self, actor: int, reply: int) -> None:
        op = self.ops[actor]
        assert op is not None
        end = self.now + self._delay()
        self.logs[actor].append(Event(self.system.describe(actor, op), reply, self.begin[actor], end))
        self.begin[actor] = end + self._delay()
        try:
            self.ops[actor] = self.steps[actor].send(reply)
        except StopIteration:
            self.ops[actor] = None

    def _delay(self) -> int:
        return self.random.randrange(self.late_ns + 1)

    def trace(self, loaded: Loaded, steps: int, slots: int | None = None) -> Trace:
        """The record, as if read from a file."""
        tree = self.system.tree
        names = [actor.name for actor in self.system.actors]
        header = {
            "schema": SCHEMA,
            "clock": "real",
            "architecture": loaded.name,
            "path": loaded.path,
            "file_sha256": loaded.sha256,
            "workers": tree.workers,
            "depth": tree.depth,
            "slots": slots,
            "steps": steps,
            "seed": 1,
            "complete": self.complete,
            "lengths": {name: len(log) for name, log in zip(names, self.logs, strict=True)},
        }
        return Trace(header, {name: tuple(log) for name, log in zip(names, self.logs, strict=True)})


def system_of(loaded: Loaded, workers: int, depth: int = 1) -> System:
    return compose(loaded.architecture, Tree(workers, depth))


def recorded(
    loaded: Loaded,
    workers: int,
    depth: int = 1,
    *,
    steps: int = 3,
    seed: int = 1,
    late_ns: int = 30,
    spurious: bool = False,
    events_max: int | None = None,
    last: Sequence[str] = (),
) -> tuple[System, Trace]:
    """A system and one random run of it; `spurious`: sleepers may wake up by themselves."""
    system = system_of(loaded, workers, depth)
    schedule = Schedule(replace(system, spurious=spurious, monitor=False), script(steps), seed, late_ns, last)
    schedule.run(events_max)
    return system, schedule.trace(loaded, steps)
