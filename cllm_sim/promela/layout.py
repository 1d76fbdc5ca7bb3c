"""Which Promela variables stand for which part of a state of ours.

- `at_<actor>`: where the text stands. A node of its automaton is one number; a wait has a second one (arrived), a sleep
  two more (asleep; woken, in need of the mutex), so our phases need no variable of their own. Finished nodes come last.
- one variable per object that some text names: a mutex's owner + 1 (-1: destroyed), a word, variable or semaphore, a
  region's freshness (as in `semantics.py`), how many have arrived at a barrier (redundant, therefore harmless to the
  counts, and different from how the checker counts them), whether a barrier was destroyed.
- `cursor_<control>`: the child that a cursor stands at, counted from 1; 0: at none.

Rules of this file: numbers and names depend only on the texts, never on the order of a search, so the text of an export
is always the same.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from cllm_sim.checker.space import Space
from cllm_sim.checker.unfold import Automaton
from cllm_sim.compose import Bound, System
from cllm_sim.operations import Kind, Verb

PHASES = {Verb.WAIT: 2, Verb.SLEEP: 3}
"""How many places a node has; one for every other verb."""

PHASE_NAMES = {Verb.WAIT: ("", "arrived"), Verb.SLEEP: ("", "asleep", "woken")}

TYPES = {Kind.MUTEX: "short", Kind.REGION: "short", Kind.BARRIER: "short"}
"""Promela's type for an object's value; `int` for every other kind."""


class Places:
    """The places of one text: `number[node, phase]`, in the order in which its replies lead to them."""

    def __init__(self, automaton: Automaton) -> None:
        self.automaton = automaton
        self.number: dict[tuple[int, int], int] = {}
        nodes = _in_order(automaton)
        going_on = [node for node in nodes if automaton.op[node] is not None]
        for node in going_on:
            op = automaton.op[node]
            assert op is not None
            for phase in range(PHASES.get(op.verb, 1)):
                self.number[node, phase] = len(self.number)
        self.finished = len(self.number)
        """The first place at which the text has finished; there is one per line that returns."""
        at_end = [node for node in nodes if automaton.op[node] is None]
        self.number.update({(node, 0): self.finished + index for index, node in enumerate(at_end)})
        self.nodes = [*going_on, *at_end]

    def after(self, node: int, reply: int) -> int | None:
        """The place that a reply leads to; None where the checker has never met that reply."""
        following = self.automaton.edges[node].get(reply)
        return None if following is None else self.number[following, 0]


def _in_order(automaton: Automaton) -> list[int]:
    """All nodes, breadth first, smaller replies first."""
    found = [0]
    for node in found:
        found.extend(following for _, following in sorted(automaton.edges[node].items()) if following not in found)
    return found


class Names:
    """Identifiers of Promela, each given once."""

    def __init__(self) -> None:
        self.taken: set[str] = set()

    def of(self, prefix: str, name: str) -> str:
        """A free identifier that reads like the name."""
        wanted = f"{prefix}_{re.sub('[^A-Za-z0-9]+', '_', name).strip('_')}"
        found, number = wanted, 1
        while found in self.taken:
            number += 1
            found = f"{wanted}_{number}"
        self.taken.add(found)
        return found


@dataclass(frozen=True)
class Parking:
    """A place at which an actor may be parked at a barrier or condition; `only` is the condition for it, or empty."""

    actor: int
    node: int
    only: str


class Layout:
    """The variables of one system, and where everybody may stand."""

    def __init__(self, system: System, space: Space) -> None:
        self.system = system
        self.path = space.path
        self.space = space
        self.places = [Places(space.automata[actor.kind]) for actor in system.actors]
        names = Names()
        self.at = [names.of("at", actor.name) for actor in system.actors]
        self.cursor = {
            number: names.of("cursor", actor.name)
            for number, actor in enumerate(system.actors)
            if self._verbs(number, Verb.NEXT)
        }
        self.used = self._used()
        self.value = {item: names.of(system.objects[item].kind, system.objects[item].name) for item in self.used}
        self.mortal = frozenset(bound.on for _, _, _, bound in self.everything() if bound.verb is Verb.DESTROY)
        self.gone = {
            item: names.of("gone", system.objects[item].name)
            for item in sorted(self.mortal)
            if system.objects[item].kind is Kind.BARRIER
        }
        self.parking: dict[int, list[Parking]] = {}
        for actor, node, only, bound in self.everything():
            if bound.verb in PHASES:
                self.parking.setdefault(bound.on, []).append(Parking(actor, node, only))

    def name(self, actor: int) -> str:
        """The actor's name, as the user knows it."""
        return self.system.actors[actor].name

    def everything(self) -> Iterator[tuple[int, int, str, Bound]]:
        """Every operation with its objects resolved: actor, node, condition (of the cursor), operation."""
        for actor, places in enumerate(self.places):
            for node in places.nodes:
                for only, bound in self.variants(actor, node):
                    yield actor, node, only, bound

    def variants(self, actor: int, node: int) -> list[tuple[str, Bound]]:
        """The operation of a node, once per child where it names the child under the cursor."""
        op = self.places[actor].automaton.op[node]
        if op is None:
            return []
        bound = self.system.bound(actor, op)
        if not bound.at:
            return [("", bound)]
        if actor not in self.cursor:
            return []
        return [(f"{self.cursor[actor]} == {index}", variant) for index, variant in enumerate(bound.at, 1)]

    def standing(self, actor: int, node: int, phase: int = 0) -> str:
        """The condition that an actor stands at a node."""
        return f"{self.at[actor]} == {self.places[actor].number[node, phase]}"

    def finished(self, actor: int) -> str:
        """The condition that an actor has finished."""
        return f"{self.at[actor]} >= {self.places[actor].finished}"

    def others_finished(self, actor: int) -> str:
        """The condition that everybody else has finished."""
        return " && ".join(self.finished(other) for other in range(len(self.at)) if other != actor) or "true"

    def parked(self, item: int) -> list[tuple[Parking, str]]:
        """Everywhere that somebody may be parked at an object, each with its condition."""
        return [
            (parking, " && ".join(filter(None, (self.standing(parking.actor, parking.node, 1), parking.only))))
            for parking in self.parking.get(item, ())
        ]

    def dead(self, item: int) -> str:
        """The condition that a barrier or mutex was destroyed; empty where nobody ever does so."""
        if item not in self.mortal:
            return ""
        return self.gone.get(item) or f"{self.value[item]} == -1"

    def regions(self) -> list[int]:
        """The regions, which the end of a step empties."""
        return [item for item in self.used if self.system.objects[item].kind is Kind.REGION]

    def _verbs(self, actor: int, verb: Verb) -> bool:
        places = self.places[actor]
        return any(op is not None and op.verb is verb for op in map(places.automaton.op.__getitem__, places.nodes))

    def _used(self) -> list[int]:
        """Objects whose value may matter: those that an operation names, and every region that holds something."""
        used = {item for item, thing in enumerate(self.system.objects) if thing.kind is Kind.REGION and thing.initial}
        for _, _, _, bound in self.everything():
            if bound.verb is Verb.JOIN:
                continue
            used |= {bound.on, *bound.writes, *(bound.reads if bound.verb is not Verb.COMPUTE else ())}
            if bound.verb is Verb.SLEEP:
                used.add(self.system.objects[bound.on].mutex)
        used.discard(-1)
        return sorted(item for item in used if self.system.objects[item].kind is not Kind.CONDITION)
