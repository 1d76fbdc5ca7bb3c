"""Which functions are worth entering when a role's flow is made: those that synchronise, share, or work.

Rules of this file: for a small program the answer is "all" (None); the limit is a constant here.
"""

from __future__ import annotations

from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.outline import Event, Outliner, events
from cllm_sim.auditor.program import Program
from cllm_sim.auditor.purposes import Purposes
from cllm_sim.auditor.roles import Roles, function_key
from cllm_sim.auditor.roles.model import Key
from cllm_sim.auditor.vocabulary import ATOMIC, PLAIN, WRITES, Act

SMALL = 150
"""Programs with at most this many functions reached are entered everywhere."""

SHARED_USERS_MAX = 60
"""A location touched by more functions than this is left to the rules that need no flow."""

NOT_SYNCHRONISING = PLAIN | ATOMIC | {Act.CALL, Act.ALLOCATE, Act.FREE, Act.PAUSE, Act.END_PROCESS}


def relevant_functions(program: Program, outliner: Outliner, roles: Roles, purposes: Purposes) -> frozenset[Key] | None:
    """The functions worth entering, by key; None for all."""
    reached = {key: reach.function for role in roles.all for key, reach in role.reach.items()}
    if len(reached) <= SMALL:
        return None
    if not roles.threads:
        return frozenset()
    held = {key: events(outliner.of(function).body) for key, function in reached.items()}
    shared = _shared(roles, held)
    direct = {key for key, found in held.items() if any(_matters(event, shared) for event in found)}
    direct |= purposes.work & set(reached)
    return frozenset(_with_callers(direct, held))


def _matters(event: Event, shared: set[Location]) -> bool:
    return event.act not in NOT_SYNCHRONISING or (event.target in shared and event.act not in {Act.CALL, Act.FREE})


def _shared(roles: Roles, held: dict[Key, list[Event]]) -> set[Location]:
    """Locations that several roles (or many threads of one) touch, at least one writing."""
    by_role: dict[Location, set[str]] = {}
    writers: set[Location] = set()
    users: dict[Location, set[Key]] = {}
    for role in roles.all:
        for key in role.reach:
            for event in held[key]:
                if event.target is None or event.act not in PLAIN | ATOMIC:
                    continue
                by_role.setdefault(event.target, set()).add(role.name)
                users.setdefault(event.target, set()).add(key)
                if event.act in WRITES:
                    writers.add(event.target)
    return {
        location
        for location, names in by_role.items()
        if len(names) > 1 and location in writers and len(users[location]) <= SHARED_USERS_MAX
    }


def _with_callers(direct: set[Key], held: dict[Key, list[Event]]) -> set[Key]:
    callers: dict[Key, set[Key]] = {}
    for key, found in held.items():
        for event in found:
            for callee in event.callees:
                callers.setdefault(function_key(callee), set()).add(key)
    waiting = list(direct)
    seen = set(direct)
    while waiting:
        for caller in callers.get(waiting.pop(), ()):
            if caller not in seen:
                seen.add(caller)
                waiting.append(caller)
    return seen
