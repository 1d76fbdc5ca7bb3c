"""SM1 to SM3: shared regions are really used, as they were mapped, and whatever threads share is ordered.

Rules of this file: a program without a region has not integrated shared memory, which is unmet, not unknown; a flow
that was cut off shows nothing by what is absent from it.
"""

from __future__ import annotations

from cllm_sim.auditor.facts import Call, Cast, Expr, Function, Name, Site
from cllm_sim.auditor.inventory import SharedObject
from cllm_sim.auditor.outline import Event
from cllm_sim.auditor.requirements.answer import Answer, Evidence, answer, at, judges, missing, told
from cllm_sim.auditor.requirements.modules import SHARED_MEMORY, USED, find_modules
from cllm_sim.auditor.requirements.subject import Subject, listed
from cllm_sim.auditor.traverse import names
from cllm_sim.auditor.vocabulary import SYNCHRONISES, Act, Kind

NO_REGION = missing("no shared region is opened or mapped (looked for shm_open, mmap with MAP_SHARED, shmget, shmat)")


def region_events(subject: Subject) -> list[tuple[Event, Site]]:
    """The calls of reached functions that open or map a region that can be shared."""
    found = []
    for function in subject.reached(*subject.roles):
        for event in subject.events_of(function):
            modes = {name for mode in event.modes for name in names(mode)}
            if event.act is Act.OPEN or (event.act is Act.MAP and "MAP_PRIVATE" not in modes):
                found.append((event, event.site))
    return found


@judges("SM1", "regions that are opened or mapped, and the threads' reads and writes of them")
def sm1(subject: Subject) -> Answer:
    """Regions are created and used."""
    made = region_events(subject)
    if not made:
        return answer("unmet", NO_REGION)
    idle = subject.found("CS004")
    places = [at(site, f"{event.act} of a region") for event, site in made]
    if idle:
        return answer("unmet", told(idle), places)
    used = _uses(subject)
    if not used:
        return answer("unmet", places, missing("no thread reads or writes a region"))
    return answer("met", used, places)


def _uses(subject: Subject) -> list[Evidence]:
    """How the threads get at the region: by the module that holds it."""
    found = next(one for one in find_modules(subject) if one.name == SHARED_MEMORY)
    if found.status == USED:
        return [at(site, text) for site, text in found.evidence]
    return _direct(subject)


def _direct(subject: Subject) -> list[Evidence]:
    """Reads and writes of the memory behind what a mapping was assigned to."""
    held = set()
    for label, values in subject.program.assignments.items():
        for value, function in values:
            call = subject.program.text(value)
            if (
                "mmap(" in call
                or "shmat(" in call
                or any(
                    one.act is Act.MAP
                    for callee in _called(subject, value, function)
                    for one in subject.events_of(callee)
                )
            ):
                held.add(label)
    return [
        at(step.site, f"{role.name} {'writes' if write else 'reads'} {place.label}")
        for role in (*subject.threads, *subject.callers)
        for write in (True, False)
        for place, step in subject.accesses(role, write=write)
        if place.is_contents and place.holder.label in held
    ]


def _called(subject: Subject, value: Expr, function: Function) -> tuple[Function, ...]:
    while isinstance(value, Cast):
        value = value.operand
    if isinstance(value, Call) and isinstance(value.function, Name):
        return subject.program.lookup(value.function.name, function.path)
    return ()


@judges("SM2", "the protection a region is mapped with against the reads and writes that are made of it")
def sm2(subject: Subject) -> Answer:
    """Mode and use agree."""
    made = region_events(subject)
    if not made:
        return answer("unknown", NO_REGION)
    wrong = subject.found("CS005")
    if wrong:
        return answer("unmet", told(wrong))
    if subject.found("CS004") or not (used := _uses(subject)):
        return answer(
            "unknown",
            [at(site, "mapped, but nothing uses the region, so there is no use to compare") for _, site in made],
        )
    modes = [
        at(site, f"{event.act} with {listed(subject.program.text(one) for one in event.modes)}")
        for event, site in made
        if event.modes
    ]
    return answer("met", modes, used)


@judges("SM3", "memory that several threads touch and at least one writes, without an order between them")
def sm3(subject: Subject) -> Answer:
    """Everything shared is ordered."""
    found = subject.found("CR001", "CR002", "CD001")
    if found:
        return answer("unmet", told(found))
    if not subject.threads:
        return answer("unknown", missing("no thread is created, so nothing is shared"))
    if subject.truncated:
        return answer("unknown", missing("the program is too large to follow every thread to its end"))
    shared = [one for one in subject.analysis.inventory.shared_memory() if _is_written(one)]
    orders = [
        at(one.by(*SYNCHRONISES)[0].site, f"{one.label} orders {listed(one.roles(*SYNCHRONISES))}")
        for kind in (Kind.BARRIER, Kind.MUTEX, Kind.CONDITION, Kind.SEMAPHORE)
        for one in subject.analysis.inventory.of(kind)
        if one.by(*SYNCHRONISES)
    ]
    text = f"{len(shared)} members and variables are shared and written, and no race was found on them"
    return answer("met", orders, missing(text))


def _is_written(one: SharedObject) -> bool:
    return any(use.act is Act.WRITE for use in one.uses)
