"""RC1 to RC9: controls below controls, each with up to twelve children.

A level is a role that starts threads and is started itself; a node's children are the threads it starts. Rules of this
file: one control with its children is a tree of one level, which is partly what a row about every level asks for; a
data structure of that shape without threads is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from cllm_sim.auditor.facts import Binary, Call, Function, Name, Record, Site
from cllm_sim.auditor.locations import members
from cllm_sim.auditor.requirements import node_zero
from cllm_sim.auditor.requirements.answer import Answer, Evidence, answer, at, judges, missing
from cllm_sim.auditor.requirements.gradients import divisions
from cllm_sim.auditor.requirements.subject import Subject, listed, site_of
from cllm_sim.auditor.roles import Role
from cllm_sim.auditor.traverse import all_expressions, assigned_locals, names, within
from cllm_sim.auditor.vocabulary import ATOMIC, Act

CORES = frozenset("get_nprocs get_nprocs_conf sched_getaffinity pthread_getaffinity_np omp_get_num_procs".split())
CORE_NAMES = frozenset("_SC_NPROCESSORS_ONLN _SC_NPROCESSORS_CONF".split())
STATISTIC = re.compile(r"loss|count|total|stat|second|time|busy|wait|report|processed|samples|batches", re.IGNORECASE)
PARENT = re.compile(r"parent", re.IGNORECASE)
POSITION = re.compile(r"position|slot|index|place", re.IGNORECASE)
SPHERE = re.compile(r"sphere|lattice|node|cell", re.IGNORECASE)
ONE_LEVEL = "there is one level only"


def middle(subject: Subject) -> list[Role]:
    """The roles that are started by a thread that was created itself, and start threads: controls below a control."""
    names_ = {role.name for role in subject.threads}
    return [
        role
        for role in subject.threads
        if subject.created_by(role) and (role.many or any(one.creator in names_ for one in role.created))
    ]


def _levels(subject: Subject) -> list[Evidence]:
    return [
        at(one.event.site, f"{role.name} starts {child.name}")
        for role in middle(subject)
        for child in subject.created_by(role)
        for one in child.created[:1]
        if one.creator == role.name
    ]


def _flat(subject: Subject) -> list[Evidence]:
    return [one for role in subject.workers for one in node_zero.starts(role)] or [missing("no thread starts threads")]


def _control(subject: Subject) -> list[Evidence]:
    return [] if subject.control is None else node_zero.starts(subject.control)


@judges("RC1", "threads that start threads, and how many each of them starts")
def rc1(subject: Subject) -> Answer:
    """One control and up to twelve children, at every node."""
    counted = node_zero.nz4(subject)
    if middle(subject):
        return answer("met" if counted.status == "met" else "partly", _levels(subject), counted.evidence)
    if subject.control is not None and counted.status == "met":
        return answer("partly", counted.evidence, missing(f"no child starts threads: {ONE_LEVEL}"))
    return answer("unmet", _flat(subject), missing("no thread that was started starts up to twelve others"))


@judges("RC2", "batch processing in what the controls of all levels reach")
def rc2(subject: Subject) -> Answer:
    """Only leaves compute."""
    if not middle(subject):
        return node_zero.nz2(subject)
    controls = [*([subject.control] if subject.control is not None else []), *middle(subject)]
    computing = [
        one
        for role in controls
        for one in (_works_meanwhile if role in subject.workers else node_zero.computing)(subject, role)
    ]
    if computing:
        return answer("unmet", computing)
    return answer(
        "met",
        [at(site_of(role.entries[0]), f"{role.name} processes nothing while it has children") for role in controls],
    )


@judges("RC3", "a thread that processes batches, starts threads of its own, and processes again when these have ended")
def rc3(subject: Subject) -> Answer:
    """A worker can become a control and return."""
    both = [role for role in subject.workers if subject.created_by(role)]
    if not both:
        levels = _levels(subject)
        if levels:
            return answer("partly", levels, missing("the controls between never process batches, so none changes over"))
        return answer("unmet", _flat(subject), missing("no thread that processes batches starts threads"))
    found, busy = [], []
    for role in both:
        for step in subject.training_steps(role):
            if step.act is Act.CREATE:
                found.append(at(step.site, f"{role.name}, a worker, starts threads"))
        busy += _works_meanwhile(subject, role)
    return answer("partly" if busy else "met", busy, found)


def _works_meanwhile(subject: Subject, role: Role) -> list[Evidence]:
    """Work between the start of the children and their end."""
    flow = subject.flow(role)
    started = [step for step in subject.training_steps(role) if step.act is Act.CREATE]
    works = {step.index: step for step in subject.doing(role, "work")}
    found = []
    around = {loop for step in started for loop in step.loops}
    joins = {loop for step in flow.events(Act.JOIN) for loop in step.loops} - around
    for step in started:
        after = flow.reachable(step.index, lambda one: one.act is Act.JOIN or one.index in joins)
        found += [
            at(works[one].site, f"{role.name} processes while its children run") for one in sorted(after & works.keys())
        ]
    return found


@judges("RC4", "writes of work by a control that its children read, at each level")
def rc4(subject: Subject) -> Answer:
    """Work goes down level by level."""
    if subject.control is None:
        return answer("unmet", _flat(subject), missing("no control hands work to its children"))
    handed = [
        at(step.site, f"{subject.control.name} hands out work: {node_zero.called(step)}")
        for step in (subject.doing(subject.control, "distribute") or node_zero.hands_out(subject, subject.control))[:3]
    ]
    between = [
        at(step.site, f"{role.name} hands on work: {node_zero.called(step)}")
        for role in middle(subject)
        for step in (subject.doing(role, "distribute") or node_zero.hands_out(subject, role))[:2]
    ]
    if handed and between:
        return answer("met", handed, between)
    if handed or between:
        return answer("partly", handed, between, missing(ONE_LEVEL if not middle(subject) else "not at every level"))
    return answer("unmet", _control(subject), missing("the control writes nothing that its children read"))


@judges("RC5", "threads started and joined again inside the rounds, depending on the load")
def rc5(subject: Subject) -> Answer:
    """Depth follows the load."""
    grown = []
    for role in subject.threads:
        steps = subject.training_steps(role)
        starts = [step for step in steps if step.act is Act.CREATE and step.loops]
        joins = {loop for step in steps if step.act is Act.JOIN for loop in step.loops}
        waits = {loop for step in subject.waits(role) if step.act is not Act.JOIN for loop in step.loops}
        grown += [
            at(step.site, f"{role.name} starts threads in a loop in which it also waits")
            for step in starts
            if set(step.loops) & waits
        ]
        if grown and not joins:
            return answer("partly", grown, missing("they are not joined in that loop"))
    if grown:
        return answer("met", grown)
    return answer(
        "unmet",
        [*_control(subject), *_flat(subject)],
        missing("no thread is started or ended after the start, whatever the load"),
    )


@judges("RC6", "the number of cores (sysconf, get_nprocs, sched_getaffinity) and what it limits")
def rc6(subject: Subject) -> Answer:
    """No more active threads than cores."""
    asked = [
        (function, call)
        for function in subject.reached(*subject.roles)
        for call in all_expressions(function.body)
        if isinstance(call, Call) and isinstance(call.function, Name) and _counts_cores(call)
    ]
    if not asked:
        return answer(
            "unmet", missing("the cores are never counted (looked for sysconf, get_nprocs, sched_getaffinity)")
        )
    places = [at(Site(function.path, call.line), f"{function.name} counts the cores") for function, call in asked]
    limits = [one for function, _ in asked for one in _limits(subject, function)]
    return answer("met" if limits else "partly", places, limits or [missing("nothing is compared with their number")])


def _counts_cores(call: Call) -> bool:
    name = call.function.name if isinstance(call.function, Name) else ""
    return name in CORES or (name == "sysconf" and any(names(one) & CORE_NAMES for one in call.arguments))


def _limits(subject: Subject, function: Function) -> Iterator[Evidence]:
    """Comparisons in the function that counts the cores, or in a caller, with what came out."""
    held = _holders(function)
    for expr in all_expressions(function.body):
        if isinstance(expr, Binary) and expr.operator in node_zero.COMPARES:
            direct = any(isinstance(part, Call) and _counts_cores(part) for part in within(expr))
            if direct or names(expr) & held:
                yield at(Site(function.path, expr.line), f"compared here: {subject.program.text(expr)}")
    for call, caller in subject.analysis.callables.callers(function.name):
        for expr in all_expressions(caller.body):
            if isinstance(expr, Binary) and expr.operator in node_zero.COMPARES and call in within(expr):
                yield at(Site(caller.path, expr.line), f"compared here: {subject.program.text(expr)}")


def _holders(function: Function) -> set[str]:
    """The locals that hold the number of cores."""
    return {
        name
        for name, values in assigned_locals(function).items()
        if any(isinstance(part, Call) and _counts_cores(part) for value in values for part in within(value))
    }


@judges("RC7", "figures that children write and their control reads (loss, counts, times), handed on to its parent")
def rc7(subject: Subject) -> Answer:
    """Statistics go up."""
    control = subject.control
    if control is None:
        return answer("unmet", missing("no control thread collects anything"), _flat(subject))
    read = dict(subject.accesses(control, write=False))
    collected = [
        at(step.site, f"{control.name} collects {place.label} of its children")
        for place, step in read.items()
        if place in subject.worker_written and not place.is_contents and _is_figure(subject, place.owner, place.name)
    ]
    if not collected:
        return answer("unmet", _control(subject), missing("the control reads no figure that its children write"))
    handed = []
    for role in middle(subject):
        written = {place for place, _ in subject.accesses(role, write=True)}
        handed += [
            at(step.site, f"{control.name} reads {place.label}, which {role.name} writes")
            for place, step in read.items()
            if place in written
        ]
    if handed:
        return answer("met", collected, handed)
    return answer("partly", collected, missing(f"{ONE_LEVEL}, so nothing is handed on to a parent"))


def _is_figure(subject: Subject, owner: str, name: str) -> bool:
    """Is a member a figure by its name, or a record that holds one?"""
    if STATISTIC.search(name):
        return True
    for record in _records(subject):
        if subject.program.label(record.name, record.path) == owner:
            for member in record.members:
                inner = subject.program.record(member.type, record.path) if member.name == name else None
                if inner is not None and any(STATISTIC.search(one.name) for one in inner.members):
                    return True
    return False


def _records(subject: Subject) -> list[Record]:
    return [record for file in subject.program.files for record in file.records]


@judges("RC8", "how shares of work are made: the remainder of a division, a queue or counter that workers take from")
def rc8(subject: Subject) -> Answer:
    """Load is balanced."""
    if not subject.workers:
        return answer("unknown", node_zero.NO_WORKERS)
    even = [
        at(site, f"{name} makes shares that differ by one at most: {text}")
        for site, text, name, dealt in divisions(subject)
        if dealt
    ]
    taken = [
        at(
            step.site,
            f"{role.name} takes its next piece of work from {step.target.label if step.target else 'a counter'}",
        )
        for role in subject.workers
        for step in subject.training_steps(role)
        if step.act in ATOMIC and step.act is Act.CHANGE and step.loops
    ]
    if not even and not taken:
        return answer(
            "unmet",
            _flat(subject),
            missing("no share is made by dividing evenly, and no worker takes work as it comes"),
        )
    if middle(subject):
        return answer("met", even, taken, _levels(subject))
    return answer("partly", even, taken, missing(ONE_LEVEL))


@judges("RC9", "a member of each thread's record that leads to its place in the tree: a parent and a position")
def rc9(subject: Subject) -> Answer:
    """Each thread knows its sphere and its position."""
    if not subject.workers:
        return answer("unknown", node_zero.NO_WORKERS)
    found, weak = [], []
    for role in subject.workers:
        touched = {place for write in (True, False) for place, _ in subject.accesses(role, write=write)}
        sphere, position = _place_members(subject, role)
        if sphere and position:
            read = [step for place, step in subject.accesses(role, write=False) if place.name in position]
            found += [
                at(step.site, f"{role.name} uses its position: {step.target.label if step.target else ''}")
                for step in read[:1]
            ]
            found += sphere
        elif position and any(place.name in position for place in touched):
            weak.append(missing(f"{role.name} knows {listed(position)}, but no sphere with a parent"))
        if sphere and not found:
            weak += sphere
    if found:
        return answer("met", found)
    if weak and any(one.site is not None for one in weak):
        return answer("partly", weak)
    return answer(
        "unmet",
        weak or [missing("no thread's record leads to a place in a tree (looked for members parent and position)")],
    )


def _place_members(subject: Subject, role: Role) -> tuple[list[Evidence], list[str]]:
    """The members of a thread's record (or of a record it points to) that say its place, and the positions' names."""
    spheres, positions = [], []
    for created in role.created:
        argument = created.event.argument
        type = None if argument is None else subject.program.type_of(argument, created.function)
        record = None if type is None else subject.program.record(type, created.function.path)
        for location, member, line in [] if record is None else members(subject.program, record):
            assert record is not None
            if POSITION.fullmatch(location.name) and not member.pointers:
                positions.append(location.name)
            inner = subject.program.record(member, record.path)
            label = "" if inner is None else subject.program.label(inner.name)
            if inner is None or not SPHERE.search(label):
                continue
            held = [one.name for one in inner.members]
            if any(PARENT.search(one) for one in held) and any(POSITION.fullmatch(one) for one in held):
                spheres.append(at(Site(record.path, line), f"{location.label} leads to a {label} with {listed(held)}"))
                positions += [one for one in held if POSITION.fullmatch(one)]
    return spheres, positions
