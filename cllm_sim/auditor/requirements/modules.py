"""The four modules of the infrastructure that a control tree stands on, and how far the training uses them.

Which files, functions and records belong to a module is an assumption by their names and shown as one; whether the
training uses them is read from the code: a thread role (or the calling thread, while threads run) reaches a function
of the module that neither makes nor destroys, or touches a member of the module's records. Rules of this file: what
makes and destroys is told by what it does, and by its name only where it does nothing telling.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from cllm_sim.auditor.facts import Function, Record, Site
from cllm_sim.auditor.requirements.subject import Subject, site_of
from cllm_sim.auditor.roles import function_key
from cllm_sim.auditor.roles.model import Key
from cllm_sim.auditor.vocabulary import ATOMIC, PLAIN, Act

MODULES = {
    "control process": re.compile(r"control_?(process|tree|node)", re.IGNORECASE),
    "shared memory": re.compile(r"shared_?(mem|region|segment|buffer)|(^|_)shm", re.IGNORECASE),
    "lattice hierarchy": re.compile(r"lattice|sphere|hierarchy", re.IGNORECASE),
    "messages": re.compile(r"message|mailbox|(^|_)msg|inbox|outbox", re.IGNORECASE),
}
SHARED_MEMORY = "shared memory"
USED, CONSTRUCTED, BUILT, ABSENT = "used by the training path", "only constructed", "only built", "absent"

MAKES = frozenset({Act.ALLOCATE, Act.OPEN, Act.MAP, Act.INIT})
ENDS = frozenset({Act.FREE, Act.UNMAP, Act.UNLINK, Act.DESTROY})
LIFECYCLE = re.compile(
    r"(^|_)(create|init|initiali[sz]e|new|alloc|make|setup|build|destroy|fini|free|delete|release|cleanup|teardown|deinit)(_|$)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Module:
    """A module as it is found: its files, functions and records."""

    name: str
    files: tuple[str, ...]
    functions: tuple[Function, ...]
    records: tuple[Record, ...]
    status: str = ""
    evidence: tuple[tuple[Site, str], ...] = ()


def find_modules(subject: Subject) -> list[Module]:
    """The four modules with their status."""
    return [_judged(subject, name, pattern) for name, pattern in MODULES.items()]


def _judged(subject: Subject, name: str, pattern: re.Pattern[str]) -> Module:
    found = _parts(subject, name, pattern)
    status, evidence = _status(subject, found)
    return replace(found, status=status, evidence=tuple(dict.fromkeys(evidence)))


def _parts(subject: Subject, name: str, pattern: re.Pattern[str]) -> Module:
    program = subject.program
    files = [file for file in program.files if pattern.search(PurePosixPath(file.path).stem)]
    paths = {file.path for file in files}
    functions = [one for one in program.functions if one.path in paths or pattern.search(one.name)]
    records = [
        one
        for file in program.files
        for one in file.records
        if file.path in paths or pattern.search(program.label(one.name, one.path))
    ]
    every = {*paths, *(one.path for one in functions), *(one.path for one in records)}
    return Module(name, tuple(sorted(every)), tuple(functions), tuple(records))


def _status(subject: Subject, module: Module) -> tuple[str, list[tuple[Site, str]]]:
    if not module.functions and not module.records:
        return ABSENT, []
    lifecycle = _lifecycle(subject, module)
    used = list(_uses(subject, module, lifecycle))
    if used:
        return USED, used
    made = [
        (how[-1] if how else site_of(one), f"{role.name} calls {one.name}")
        for one in module.functions
        for role in subject.analysis.roles.of(one)
        if role.group == subject.group
        for how in (subject.analysis.path_to(role, one),)
    ]
    if made:
        return CONSTRUCTED, [
            *made,
            *((site_of(one), f"{one.name} is reached by no role") for one in _unreached(subject, module)),
        ]
    places = [(site_of(one), f"{one.name} is reached by no role") for one in module.functions]
    return BUILT, places or [(Site(one.path, one.line), f"{one.name} is declared only") for one in module.records]


def _unreached(subject: Subject, module: Module) -> list[Function]:
    return [one for one in module.functions if not subject.analysis.roles.of(one)]


def _lifecycle(subject: Subject, module: Module) -> set[Key]:
    """The functions that only make and destroy, and those that only such functions call."""
    found = {function_key(one) for one in module.functions if _makes_or_ends(subject, one)}
    callers: dict[Key, set[Key]] = {}
    for function in subject.program.functions:
        for event in subject.events_of(function):
            for callee in event.callees:
                callers.setdefault(function_key(callee), set()).add(function_key(function))
    for _ in module.functions:
        more = {
            key
            for one in module.functions
            for key in (function_key(one),)
            if key not in found and callers.get(key) and callers[key] <= found | {key}
        }
        if not more:
            break
        found |= more
    return found


def _makes_or_ends(subject: Subject, function: Function) -> bool:
    acts = {event.act for event in subject.events_of(function)}
    return bool(acts & (MAKES | ENDS)) or bool(LIFECYCLE.search(function.name))


def _uses(subject: Subject, module: Module, lifecycle: set[Key]) -> Iterator[tuple[Site, str]]:
    """What the training does with a module: calls of its functions first, then accesses to its records' members."""
    own = {function_key(one): one for one in module.functions if function_key(one) not in lifecycle}
    labels = {subject.program.label(one.name, one.path) for one in module.records}
    inside = {function_key(one) for one in module.functions}
    roles = [*subject.threads, *subject.callers]
    for role in roles:
        seen: set[Key] = set()
        for step in subject.calling(role, set(own)):
            for callee in () if step.event is None else step.event.callees:
                key = function_key(callee)
                if key in own and key not in seen and function_key(step.function) not in lifecycle:
                    seen.add(key)
                    yield step.site, f"{role.name} calls {callee.name}"
    for role in roles:
        touched: set[str] = set()
        for step in subject.training_steps(role):
            place = step.target
            if step.act not in PLAIN | ATOMIC or place is None or place.owner not in labels or place.label in touched:
                continue
            around = {function_key(function) for function, _ in subject.frames(role, step)}
            if around & inside and around & inside <= lifecycle:
                continue
            touched.add(place.label)
            yield step.site, f"{role.name} uses {place.label}"
