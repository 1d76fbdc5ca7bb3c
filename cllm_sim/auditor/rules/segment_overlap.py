"""CS001: the parts of a buffer that two workers write have elements in common.

The arithmetic of the workers is run with their real numbers (`support/segments_run.py`). Rules of this file: only parts
that differ from worker to worker are segments (everybody writing everything is a race); only elements written at the
same place of the program are compared, for different places may be different phases.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Index, Member, Site
from cllm_sim.auditor.findings import Confidence, Finding, Note, Rule, Severity
from cllm_sim.auditor.flow import Step
from cllm_sim.auditor.roles import Role
from cllm_sim.auditor.rules.support.segments_run import Machine, Run, Written
from cllm_sim.auditor.rules.support.segments_shares import workers_of
from cllm_sim.auditor.traverse import within
from cllm_sim.auditor.vocabulary import Act

RULE = Rule("CS001", "segment-overlap", Severity.ERROR, "the segments that two workers write overlap")
WORKERS_USUAL = 4
WORKERS_MAX = 64
TOTALS = (1003, 40)
NOTES_MAX = 3


def findings(analysis: Analysis) -> Iterator[Finding]:
    """One finding for every place at which two workers write the same elements."""
    for role in analysis.roles.threads:
        if role.many and len(role.created) == 1:
            yield from _of_role(analysis, role)


def _of_role(analysis: Analysis, role: Role) -> Iterator[Finding]:
    count = workers_of(analysis, role)
    known = None if count is None else analysis.program.followed(count).value
    workers = known if known is not None and 1 < known <= WORKERS_MAX else WORKERS_USUAL
    reported: set[tuple[Site, str]] = set()
    for total in TOTALS:
        runs = [Machine(analysis, role, number, workers, total).run() for number in range(min(workers, 3))]
        for first, (one, other) in enumerate(pairwise(runs)):
            for pair in _overlapping(one, other):
                key = (pair[0].site, pair[0].buffer)
                step = None if key in reported else _step(analysis, role, pair[0])
                if step is not None:
                    reported.add(key)
                    yield _finding(analysis, role, step, pair, first, workers)


def _overlapping(one: list[Written], other: list[Written]) -> Iterator[tuple[Written, Written]]:
    """What two neighbours write at the same place, in parts that differ and meet."""
    for mine in one:
        ours = [each.run for each in one if (each.site, each.buffer) == (mine.site, mine.buffer)]
        theirs = [each for each in other if (each.site, each.buffer) == (mine.site, mine.buffer)]
        runs = [each.run for each in theirs]
        if mine.run in runs:
            yield from (pair for each in theirs if _shared_row(ours, runs, (pair := (mine, each))))
            continue
        for each in theirs:
            if each.run.first > mine.run.first and each.run.meets(mine.run):
                yield mine, each


def _shared_row(ours: list[Run], theirs: list[Run], pair: tuple[Written, Written]) -> bool:
    """Is the last of several parts of one worker (its last row) the first one of its neighbour?"""
    mine, each = pair
    return mine.run == each.run == max(ours) == min(theirs) and min(ours) < min(theirs) and max(ours) < max(theirs)


def _step(analysis: Analysis, role: Role, written: Written) -> Step | None:
    """The step of the flow that writes there, if its buffer is not the worker's own and no lock is held."""
    held = analysis.held(role).surely
    for step in analysis.flow(role).events(Act.WRITE):
        if (step.site.path, step.site.line) != (written.site.path, written.site.line) or held[step.index]:
            continue
        expr = step.event.expression if step.event is not None else None
        if isinstance(expr, Index) and step.owned is not None:
            type = analysis.program.type_of(expr.base, step.function)
            own = step.owned.place(expr.base) and not isinstance(expr.base, Index)
            if type is not None and type.arrays and own:
                return None
        return step
    return None


def _elements(run: Run) -> str:
    return f"elements {run.first} to {run.last}" if run.first != run.last else f"element {run.first}"


def _finding(
    analysis: Analysis, role: Role, step: Step, pair: tuple[Written, Written], first: int, workers: int
) -> Finding:
    mine, theirs = pair
    buffer = mine.buffer
    return Finding(
        RULE.code,
        RULE.severity,
        Confidence.HIGH,
        step.site,
        f"the parts of {buffer} that neighbouring threads of {role.name} write overlap: with {workers} of them number "
        f"{first} writes {_elements(mine.run)}, number {first + 1} {_elements(theirs.run)}",
        buffer,
        tuple(_reasons(analysis, role, step)),
        role.name,
        step.how,
        "let each part end where the next one begins (the end not included), and give the remainder to one worker only",
    )


def _reasons(analysis: Analysis, role: Role, step: Step) -> Iterator[Note]:
    """The loop around the write, and where the members are set that say where the part begins and how long it is."""
    if not step.loops:
        return
    loop = analysis.flow(role).steps[step.loops[-1]]
    if loop.condition is None:
        return
    yield Note(loop.site, f"each thread goes on while {analysis.program.text(loop.condition)}", role.name, loop.how)
    shown = 0
    for one in within(loop.condition):
        location = analysis.locations.of(one, loop.function) if isinstance(one, Member) else None
        for value, owner in analysis.program.assignments.get(location.label, []) if location is not None else []:
            if shown < NOTES_MAX and location is not None:
                shown += 1
                yield Note(Site(owner.path, value.line), f"{location.label} is {analysis.program.text(value)}")
