"""Who waits for what, in words: the report of a deadlock, a hang, or a walk through a schedule.

Rules of this file: it looks at a state and describes it; whether an actor can move is asked of `semantics.outcomes`.
"""

from cllm_sim.compose import Bound, System
from cllm_sim.operations import Place, Verb, Waiting
from cllm_sim.semantics import DESTROYED, Memory, Pending, outcomes, parked, under_cursor, wanted_mutex

NOWHERE = Place("", 0)


def blocked_on(system: System, pending: Pending, memory: Memory, actor: int, place: Place = NOWHERE) -> Waiting | None:
    """What an actor waits for, and what would have to happen; None if it can move or has finished."""
    bound = pending[actor]
    if bound is None or outcomes(system, pending, memory, actor):
        return None
    resolved = under_cursor(system, memory, actor, bound) if bound.at else bound
    assert resolved is not None
    if resolved.verb is Verb.JOIN:
        other = system.actors[resolved.on].name
        return Waiting(system.actors[actor].name, other, f"{other} to finish", place)
    name = system.objects[resolved.on].name
    return Waiting(system.actors[actor].name, name, _needs(system, pending, memory, actor, resolved), place)


def _needs(system: System, pending: Pending, memory: Memory, actor: int, bound: Bound) -> str:
    name = system.objects[bound.on].name
    if bound.verb is Verb.WAIT:
        arrived = [system.actors[other].name for other in parked(system, pending, memory, bound.on)]
        parties = system.objects[bound.on].parties
        return f"{parties} parties, {len(arrived)} have arrived ({', '.join(arrived)})"
    mutex = wanted_mutex(system, memory, actor, bound)
    if mutex >= 0 and memory.value[mutex] == DESTROYED:
        return f"{system.objects[mutex].name}, which was destroyed"
    if mutex >= 0:
        holder = memory.value[mutex] - 1
        return f"{system.objects[mutex].name}, held by {system.actors[holder].name}"
    if bound.verb is Verb.SLEEP:
        return f"a notify of {name}"
    if bound.verb is Verb.DOWN:
        return f"an up of {name}, it is 0"
    return f"{name} to become {bound.op.value}, it is {memory.value[bound.on]}"


def waits_for(system: System, pending: Pending, memory: Memory, actor: int) -> list[int]:
    """The actors that could still do what a blocked actor waits for: edges of the wait-for graph."""
    bound = pending[actor]
    if bound is None or outcomes(system, pending, memory, actor):
        return []
    resolved = under_cursor(system, memory, actor, bound) if bound.at else bound
    assert resolved is not None
    if resolved.verb is Verb.JOIN:
        return [resolved.on]
    mutex = wanted_mutex(system, memory, actor, resolved)
    if mutex >= 0:
        return [memory.value[mutex] - 1] if memory.value[mutex] > 0 else []
    there = set(parked(system, pending, memory, resolved.on)) | {actor}
    return [other for other in range(len(pending)) if other not in there and _reaches(system, other, resolved.on)]


def _reaches(system: System, actor: int, item: int) -> bool:
    """Can this actor name the object at all?"""
    return any(
        item in target if isinstance(target, tuple) else item == target for target in system.bind[actor].values()
    )
