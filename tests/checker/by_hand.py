"""A small system with one object of every kind, and a run of it that is moved by hand, one operation at a time."""

from typing import Any

from cllm_sim.architecture import Architecture
from cllm_sim.compose import Bound, System, compose
from cllm_sim.operations import (
    Barrier,
    Condition,
    Mutex,
    Op,
    Region,
    Regions,
    Seat,
    Semaphore,
    Steps,
    Team,
    Variable,
    Word,
)
from cllm_sim.semantics import initial, outcomes
from cllm_sim.tree import Tree


class Desk(Seat):
    gate = Barrier(lambda workers: 2)
    lock = Mutex()
    wake = Condition("lock")


class Crew(Team[Desk]):
    batch = Barrier()
    door = Mutex()
    bell = Condition("door")
    token = Semaphore(initial=1)
    word = Word(initial=5)
    note = Variable(initial=7)
    piece = Regions(lambda workers: workers)


weights = Region("weights")
scratch = Region("scratch")


def nothing(*_: Any) -> Steps:
    yield from ()


ARCHITECTURE = Architecture(
    nothing, nothing, nothing, nothing, team=Crew, shared=(weights, scratch), others={"main": nothing}
)
SYSTEM = compose(ARCHITECTURE, Tree(2, 1))
me, up, down = Desk("me"), Crew("up", 2), Crew("down", 2)
CONTROL, ONE, TWO, MAIN = "0", "0.0", "0.1", "main"


class World:
    """One run, moved by hand. `do` performs an operation that must be possible and completes it."""

    def __init__(self, system: System = SYSTEM) -> None:
        self.system = system
        self.memory = initial(system)
        self.pending: list[Bound | None] = [None] * len(system.actors)

    def give(self, actor: str, op: Op) -> None:
        number = self.system.actor_number(actor)
        self.pending[number] = self.system.bound(number, op)

    def possible(self, actor: str) -> tuple[Any, ...]:
        return outcomes(self.system, self.pending, self.memory, self.system.actor_number(actor))

    def go(self, actor: str, choice: str = "") -> tuple[dict[str, int], list[str]]:
        """Take the only outcome (or the one chosen): whose operations it completed with which reply, and the faults."""
        found = [outcome for outcome in self.possible(actor) if outcome.choice == choice or not choice]
        assert len(found) == 1, f"{actor}: {len(found)} outcomes"
        self.memory = found[0].memory
        for number, _ in found[0].done:
            self.pending[number] = None
        replies = {self.system.actors[number].name: reply for number, reply in found[0].done}
        return replies, [fault.kind for fault in found[0].faults]

    def do(self, actor: str, op: Op, choice: str = "") -> tuple[int | None, list[str]]:
        """The actor's reply (None: it has only arrived), and the faults."""
        self.give(actor, op)
        replies, faults = self.go(actor, choice)
        return replies.get(actor), faults

    def value(self, name: str) -> int:
        return self.memory.value[[thing.name for thing in self.system.objects].index(name)]

    def phases(self) -> tuple[int, ...]:
        return self.memory.phase
