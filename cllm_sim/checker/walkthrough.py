"""A schedule to walk through step by step: what `counterexample` tells of it, and for every step the line of the user's
file as it stands, who waits for whom after it, and who could go next.

Rules of this file: it describes, it judges nothing; a superset of what `checker.replay` returns, with the same names.
"""

from collections.abc import Sequence
from linecache import getline
from typing import Any

from cllm_sim.architecture import Loaded
from cllm_sim.checker import system_of
from cllm_sim.checker.explain import counterexample
from cllm_sim.checker.order import rows
from cllm_sim.checker.space import Space, State
from cllm_sim.checker.walk import Walked, parse_schedule, walk
from cllm_sim.operations import Verb
from cllm_sim.results import scope
from cllm_sim.waiting import blocked_on, waits_for


def walkthrough(loaded: Loaded, schedule: str, *, workers: int, depth: int = 1) -> dict[str, Any]:
    """Every step of a schedule as data; raises BadRequest at the first move that is not possible.

    Beside the fields of a counterexample: `order` (what brought steps of different actors into an order), `next` (who
    could go on at the end), and in every step `choice`, `source`, `value`, `waiting`, `finished` and `next`.
    """
    system = system_of(loaded, workers, depth)
    space = Space(system, loaded.path)
    moves = parse_schedule(system, schedule)
    walked, last = walk(space, moves)
    told = counterexample(space, moves)
    states = [step.after for step in walked]
    return {
        **told,
        "architecture": loaded.name,
        "steps": [
            {**row, **_around(space, step, after)}
            for row, step, after in zip(told["steps"], walked, states, strict=True)
        ],
        "order": rows(space, moves),
        "next": able(space, last),
        "scope": scope(system.tree.workers, system.tree.depth),
    }


def _around(space: Space, step: Walked, after: State) -> dict[str, Any]:
    return {
        "choice": step.choice,
        "source": getline(step.place.path, step.place.line).strip(),
        "value": _seen(step),
        "waiting": waiting(space, after),
        "finished": finished(space, after),
        "next": able(space, after),
    }


def _seen(step: Walked) -> int | None:
    """The value that a read replied; None for other operations, and under a cursor."""
    reads = step.bound.verb in (Verb.READ, Verb.LOAD) and step.bound.on >= 0
    return step.after.memory.value[step.bound.on] if reads else None


def finished(space: Space, state: State) -> list[dict[str, Any]]:
    """Who has come to the end of its text, and at which line it left."""
    names = [actor.name for actor in space.system.actors]
    pending = space.pending(state.nodes)
    return [
        {"actor": names[actor], "line": space.place(actor, state.nodes[actor]).line}
        for actor, bound in enumerate(pending)
        if bound is None
    ]


def waiting(space: Space, state: State) -> list[dict[str, Any]]:
    """Everybody who cannot go on in a state: what it waits for, what would have to happen, and who could do it."""
    pending = space.pending(state.nodes)
    names = [actor.name for actor in space.system.actors]
    found = []
    for actor in range(len(pending)):
        place = space.place(actor, state.nodes[actor])
        row = blocked_on(space.system, pending, state.memory, actor, place)
        if row is not None:
            others = [names[other] for other in waits_for(space.system, pending, state.memory, actor)]
            found.append(
                {
                    "actor": row.actor,
                    "waits_for": row.on,
                    "needs": row.needs,
                    "from": others,
                    "path": place.path,
                    "line": place.line,
                }
            )
    return found


def able(space: Space, state: State) -> Sequence[str]:
    """Who can go next, with the choices where somebody else decides: entries of a schedule."""
    names = [actor.name for actor in space.system.actors]
    steps = space.steps(state, space.pending(state.nodes))
    entries = [names[step.actor] + (f":{step.outcome.choice}" if step.outcome.choice else "") for step in steps]
    return list(dict.fromkeys(entries))
