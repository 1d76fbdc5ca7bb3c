"""IN1 to IN5: what is built is used, once, cleaned up, and measured.

Rules of this file: rules find what is unused; this file adds what no rule speaks of: functions that no role reaches,
objects that nobody destroys, clocks around accumulation and waits.
"""

from __future__ import annotations

from collections.abc import Iterator

from cllm_sim.auditor.facts import Function, Site
from cllm_sim.auditor.flow import Step
from cllm_sim.auditor.requirements.answer import Answer, Evidence, answer, at, judges, missing, told
from cllm_sim.auditor.requirements.gradients import folding_steps
from cllm_sim.auditor.requirements.modules import ABSENT, USED, find_modules
from cllm_sim.auditor.requirements.subject import WAITS, Subject, listed, site_of
from cllm_sim.auditor.roles import Role, function_key
from cllm_sim.auditor.roles.model import Key
from cllm_sim.auditor.vocabulary import Act, Kind

UNUSED = ("CB001", "CL001", "CW001", "CW004", "CP001", "CR003", "CS003", "CS004", "CT005", "CT007")
CLOCKS = frozenset(
    "clock_gettime gettimeofday clock times getrusage timespec_get ftime omp_get_wtime rdtsc _rdtsc __rdtsc"
    " __builtin_ia32_rdtsc __builtin_readcyclecounter".split()
)
LIBRARY = "a library: what calls its functions is not in the sources"


@judges("IN1", "calls of the four modules' functions, and accesses to their records, by threads while they run")
def in1(subject: Subject) -> Answer:
    """The infrastructure is used by the training."""
    used, other = [], []
    for one in find_modules(subject):
        if one.status == USED:
            used += [at(site, f"{one.name}: {text}") for site, text in one.evidence[:2]]
        elif one.status == ABSENT:
            other.append(missing(f"{one.name}: no file, function or record by that name"))
        else:
            other += [at(site, f"{one.name}, {one.status}: {text}") for site, text in one.evidence[:1]]
    if not other:
        return answer("met", used)
    return answer("partly" if used else "unmet", other, used)


@judges("IN2", "a second implementation of the same job that an entry point reaches")
def in2(subject: Subject) -> Answer:
    """One implementation."""
    second = subject.found("CT006")
    if second:
        return answer("unmet", told(second))
    if not subject.workers:
        return answer(
            "unknown", missing("no worker threads were found, so there is no implementation to compare others with")
        )
    return answer(
        "met",
        [at(site_of(role.entries[0]), f"{role.name} is the only way to batch processing") for role in subject.workers],
    )


@judges("IN3", "locks, barriers, regions, flags and functions that nothing uses or reaches")
def in3(subject: Subject) -> Answer:
    """Nothing is there without use."""
    idle = subject.found(*UNUSED)
    dead = [] if _is_library(subject) else _unreached(subject)
    if idle:
        return answer("unmet", told(idle), dead)
    if dead:
        return answer("partly", dead)
    return answer("met", missing("every declared object is used, and every function is reached from an entry point"))


def _is_library(subject: Subject) -> bool:
    return not any(role.caller and any(entry.name == "main" for entry in role.entries) for role in subject.roles)


def _unreached(subject: Subject) -> list[Evidence]:
    roles = subject.analysis.roles
    return [
        at(site_of(one), f"{one.name} is reached from no entry point")
        for one in subject.program.functions
        if not roles.of(one)
    ]


@judges("IN4", "a join or detachment for each creation, a destruction for each initialisation, uses after it")
def in4(subject: Subject) -> Answer:
    """Everything is ended once, after its last use."""
    bad = subject.found("CT003", "CD001", "CD002")
    if bad:
        return answer("unmet", told(bad))
    left = [
        at(one.initialised[0].site, f"{one.label} is initialised and never destroyed")
        for kind in (Kind.BARRIER, Kind.MUTEX, Kind.CONDITION, Kind.SEMAPHORE)
        for one in subject.analysis.inventory.of(kind)
        if not one.destroyed and any(not init.static for init in one.initialised)
    ]
    if left:
        return answer("partly", left)
    if not subject.threads:
        return answer("unknown", missing("no thread is created"))
    joined = [
        at(step.site, f"{role.name}: {step.act} {'' if step.target is None else step.target.label}".rstrip())
        for role in subject.roles
        for step in subject.flow(role).events(Act.JOIN, Act.DETACH)
    ]
    return answer("met", joined) if joined else answer("unknown", missing("no join or detachment was found"))


# ------------------------------------------------------------------------------------------------------- measurement
@judges("IN5", f"reads of a clock ({listed(sorted(CLOCKS)[:4])}, ...) before and after the accumulation and the waits")
def in5(subject: Subject) -> Answer:
    """Accumulation and waits are measured."""
    clocks = _clocks(subject)
    if not clocks:
        return answer("unmet", missing("no clock is read in anything that runs"))
    role, steps = folding_steps(subject)
    folding = [] if role is None else [one for step in steps for one in _around(subject, role, step, clocks)]
    waiting = []
    for other in (*subject.workers, *([subject.director] if subject.director is not None else [])):
        for step in subject.waits(other):
            if step.act is not Act.JOIN:
                waiting += [
                    at(site, f"{other.name} measures its wait here") for site in _around(subject, other, step, clocks)
                ]
    accumulation = [at(site, "the accumulation is measured here") for site in folding]
    if accumulation and waiting:
        return answer("met", accumulation, waiting)
    absent = [] if accumulation else [missing("no clock is read before and after the accumulation")]
    absent += [] if waiting else [missing("no clock is read before and after a wait")]
    if accumulation or waiting:
        return answer("partly", absent, accumulation, waiting)
    return answer("unmet", absent, [at(site_of(one), f"{one.name} reads a clock") for one in clocks.values()])


def _clocks(subject: Subject) -> dict[Key, Function]:
    """The functions that read a clock, by themselves or through a function that does nothing else of note."""
    reached = subject.reached(*subject.roles)
    direct = {
        function_key(one): one for one in reached if any(event.name in CLOCKS for event in subject.events_of(one))
    }
    quiet = {
        key: one
        for key, one in direct.items()
        if not any(event.act in WAITS or event.act is Act.CREATE for event in subject.events_of(one))
    }
    more = {
        function_key(one): one
        for one in reached
        if len(one.body) <= 4
        and any(function_key(callee) in quiet for event in subject.events_of(one) for callee in event.callees)
        and not any(event.act in WAITS or event.act is Act.CREATE for event in subject.events_of(one))
    }
    return {**more, **direct}


def _around(subject: Subject, role: Role, step: Step, clocks: dict[Key, Function]) -> Iterator[Site]:
    """Places at which a step lies between two reads of a clock, in its own function or in one around it."""
    for function, site in subject.frames(role, step):
        read = [
            event.site.line
            for event in subject.events_of(function)
            if event.name in CLOCKS or any(function_key(callee) in clocks for callee in event.callees)
        ]
        reads = [line for line in read if line != site.line]
        if any(line < site.line for line in reads) and any(line > site.line for line in reads):
            yield site
