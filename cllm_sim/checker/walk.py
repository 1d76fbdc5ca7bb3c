"""Schedules: who moved, in order. Walking through one gives the states between, and what every step changed.

A schedule is text: comma-separated `actor[:choice]`, for example `0:batch,0.3,0:stop`. The choice is written only where
somebody else chose (the environment's order, or which sleeper was woken). Rules of this file: steps are taken from
`Space.steps`, so a schedule that the semantics does not allow is refused with what was possible instead.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from cllm_sim.checker.space import Space, State, Step
from cllm_sim.compose import Bound, System
from cllm_sim.errors import BadRequest
from cllm_sim.operations import Kind, Place, Verb
from cllm_sim.semantics import FOLDED, FRESH, SLICES, Fault, Memory


class Move(NamedTuple):
    """One entry of a schedule."""

    actor: int
    choice: str


@dataclass(frozen=True)
class Walked:
    """One step of a walk: who did what where, what changed, and which rules it broke."""

    actor: str
    op: str
    place: Place
    changes: tuple[str, ...]
    faults: tuple[Fault, ...]
    choice: str
    after: State
    bound: Bound


def format_schedule(system: System, moves: Iterable[Move]) -> str:
    """A schedule as text."""
    return ",".join(system.actors[actor].name + (f":{choice}" if choice else "") for actor, choice in moves)


def parse_schedule(system: System, text: str) -> list[Move]:
    """A schedule from text; raises BadRequest for an actor that does not exist."""
    moves = []
    for position, entry in enumerate(filter(None, (part.strip() for part in text.split(","))), 1):
        name, _, choice = entry.partition(":")
        try:
            moves.append(Move(system.actor_number(name), choice))
        except KeyError:
            known = ", ".join(actor.name for actor in system.actors[:14])
            raise BadRequest(f"schedule, entry {position}: no actor called '{name}'; there are {known}") from None
    return moves


def walk(space: Space, moves: Iterable[Move]) -> tuple[list[Walked], State]:
    """Follow a schedule from the start; raises BadRequest at the first move that is not possible."""
    state = space.start()
    walked: list[Walked] = []
    for number, move in enumerate(moves, 1):
        step = _step(space, state, move, number)
        walked.append(describe(space, state, step))
        state = step.after
    return walked, state


def _step(space: Space, state: State, move: Move, number: int) -> Step:
    pending = space.pending(state.nodes)
    possible = [step for step in space.steps(state, pending) if step.actor == move.actor]
    matching = [step for step in possible if not move.choice or step.outcome.choice == move.choice]
    if len(matching) == 1:
        return matching[0]
    name = space.system.actors[move.actor].name
    if possible:
        choices = ", ".join(step.outcome.choice for step in possible)
        raise BadRequest(f"schedule, step {number}: {name} needs one of the choices {choices}")
    able = sorted({space.system.actors[step.actor].name for step in space.steps(state, pending)})
    why = "has finished" if pending[move.actor] is None else "cannot move here"
    raise BadRequest(f"schedule, step {number}: {name} {why}; those who can: {', '.join(able) or 'nobody'}")


def describe(space: Space, before: State, step: Step) -> Walked:
    """A step in words."""
    bound = space.pending(before.nodes)[step.actor]
    assert bound is not None
    return Walked(
        space.system.actors[step.actor].name,
        space.system.describe(step.actor, bound.op),
        space.place(step.actor, before.nodes[step.actor]),
        tuple(changes(space.system, before.memory, step)),
        step.outcome.faults,
        step.outcome.choice,
        step.after,
        bound,
    )


def changes(system: System, before: Memory, step: Step) -> list[str]:
    """What a step changed in the shared state, most telling first."""
    after = step.after.memory
    told = []
    if step.outcome.choice:
        told.append(f"→ {step.outcome.choice}")
    if not step.outcome.done and after.phase[step.actor] == 1:
        told.append("waits")
    released = [system.actors[actor].name for actor, _ in step.outcome.done if actor != step.actor]
    if released:
        told.append(f"all go on: {', '.join(released)}")
    for actor, (old, new) in enumerate(zip(before.phase, after.phase, strict=True)):
        if (old, new) == (1, 2):
            told.append(f"wakes {system.actors[actor].name}")
    for item, (old, new) in enumerate(zip(before.value, after.value, strict=True)):
        thing = system.objects[item]
        if old != new and thing.kind is not Kind.CURSOR:
            told.append(f"{thing.name} {value_text(system, item, old)} → {value_text(system, item, new)}")
        elif old != new and new == 1:
            told.append(f"cursor at {thing.name.partition('/')[0]}")
    return told


def value_text(system: System, item: int, value: int) -> str:
    """A value as a person would say it."""
    kind = system.objects[item].kind
    if kind is Kind.MUTEX:
        return "destroyed" if value < 0 else "free" if value == 0 else f"held by {system.actors[value - 1].name}"
    if kind is Kind.REGION:
        names = {0: "empty", FRESH: "fresh", FOLDED: "folded"}
        slices = value - SLICES if value > SLICES else -value
        return names.get(value, f"{slices} slice{'' if slices == 1 else 's'}")
    return str(value)


BLOCKING_FIRST_HALF = frozenset({Verb.WAIT, Verb.SLEEP})
"""Verbs whose step is first an arrival (the actor parks), and later a completion."""
