"""Which functions are worth entering when a role's flow is made: those that synchronise, share, or work.

Four levels, each entering less than the one before: everything; what synchronises or touches shared memory; the same
without memory that many functions touch; only what synchronises. Rules of this file: level 0 answers None, for "all".
"""

from __future__ import annotations

from collections import Counter

from cllm_sim.auditor.flow.interest import with_callers
from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.outline import Event, Outliner, events
from cllm_sim.auditor.purposes import Purposes
from cllm_sim.auditor.roles import Roles
from cllm_sim.auditor.roles.model import Key
from cllm_sim.auditor.vocabulary import ATOMIC, PLAIN, WRITES, Act

SHARED_USERS_MAX = (0, 60, 12, 0)
"""By level: a location that more functions touch is no reason to enter one."""

LEVELS = len(SHARED_USERS_MAX)

NOT_SYNCHRONISING = PLAIN | ATOMIC | {Act.CALL, Act.ALLOCATE, Act.FREE, Act.PAUSE, Act.END_PROCESS}


def relevant_functions(outliner: Outliner, roles: Roles, purposes: Purposes, level: int) -> frozenset[Key] | None:
    """The functions worth entering at a level, by key; None for all."""
    if level == 0:
        return None
    reached = {key: reach.function for role in roles.all for key, reach in role.reach.items()}
    held = {key: events(outliner.of(function).body) for key, function in reached.items()}
    shared = _shared(roles, held, SHARED_USERS_MAX[level])
    direct = {key for key, found in held.items() if any(_matters(event, shared) for event in found)}
    direct |= purposes.work & set(reached)
    return frozenset(with_callers(direct, held))


def _matters(event: Event, shared: set[Location]) -> bool:
    return event.act not in NOT_SYNCHRONISING or (event.target in shared and event.act not in {Act.CALL, Act.FREE})


def _shared(roles: Roles, held: dict[Key, list[Event]], users_max: int) -> set[Location]:
    """Locations that several roles (or many threads of one) touch, at least one writing."""
    threads: Counter[Location] = Counter()
    writers: set[Location] = set()
    users: dict[Location, set[Key]] = {}
    for role in roles.all:
        touched: set[Location] = set()
        for key in role.reach:
            for event in held[key]:
                if event.target is None or event.act not in PLAIN | ATOMIC:
                    continue
                touched.add(event.target)
                users.setdefault(event.target, set()).add(key)
                if event.act in WRITES:
                    writers.add(event.target)
        threads.update(dict.fromkeys(touched, 2 if role.many else 1))
    return {
        location
        for location, number in threads.items()
        if number > 1 and location in writers and len(users[location]) <= users_max
    }
