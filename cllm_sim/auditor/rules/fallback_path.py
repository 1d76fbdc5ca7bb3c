"""CT006: a second implementation of the same job can be reached beside the threaded one.

The calling thread does the work itself on a way without threads, or one of two sets of threads is chosen. Rules of this
file: work that every run does before or after the threads is no second way; work beside running threads is CT004's.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Function, Site
from cllm_sim.auditor.findings import Confidence, Finding, Note, Rule, Severity
from cllm_sim.auditor.flow import Flow, Step
from cllm_sim.auditor.rules.support.threads import creations
from cllm_sim.auditor.rules.support.threads_work import Doing, Threads, doing_work, parting, work_name

RULE = Rule(
    "CT006",
    "fallback-path",
    Severity.WARNING,
    "a second implementation of the job is reachable beside the threaded one",
)


def findings(analysis: Analysis) -> Iterator[Finding]:
    """One finding for every second way to the work."""
    doing = doing_work(analysis)
    threaded = [one for one in doing if not one.role.caller]
    for one in doing:
        mine = [other for other in threaded if other.role.group == one.role.group]
        if one.role.caller and mine:
            yield from _sequential(analysis, one, mine)
    yield from _two_crews(analysis, threaded)


# ---------------------------------------------------------------------------------------------------------- sequential
def _sequential(analysis: Analysis, one: Doing, threaded: list[Doing]) -> Iterator[Finding]:
    threads = Threads(analysis, one.role, [other.role for other in threaded])
    if not threads.made:
        return
    ways: dict[str, list[Step]] = {}
    for step in one.steps:
        failed = threads.after_failure(step)
        if (threads.meanwhile(step) and not failed) or not threads.avoidable(step):
            continue
        if failed or threads.without(step):
            ways.setdefault(_second(analysis, one, step, threads), []).append(step)
    for name, steps in ways.items():
        yield _sequential_finding(analysis, one, name, steps, threads, threaded)


def _second(analysis: Analysis, one: Doing, step: Step, threads: Threads) -> str:
    """The function that the second way begins with."""
    function = _begins(analysis, one, step, threads)
    return work_name(step) if function is None else function.name


def _begins(analysis: Analysis, one: Doing, step: Step, threads: Threads) -> Function | None:
    site = parting(step, threads.made)
    for other in analysis.flow(one.role).steps:
        if (
            other.event is not None
            and other.site == site
            and other.event.callees
            and other.how == step.how[: len(other.how)]
        ):
            return other.event.callees[0]
    return None


def _sequential_finding(
    analysis: Analysis, one: Doing, name: str, steps: list[Step], threads: Threads, threaded: list[Doing]
) -> Finding:
    first = steps[0]
    sites = list(dict.fromkeys(parting(step, threads.made) for step in steps))
    how = first.how[: first.how.index(sites[0])] if sites[0] in first.how else first.how
    function = _begins(analysis, one, first, threads)
    notes = [Note(site, f"{name} is chosen here as well", one.role.name) for site in sites[1:]]
    if function is not None:
        notes.append(Note(Site(function.path, function.line), f"{name} is this function", one.role.name))
    notes.append(Note(first.site, f"it calls {work_name(first)} in the calling thread", one.role.name, first.how))
    for other in threaded:
        notes += [
            Note(at.step.site, f"the threaded way: {other.role.name} does the same work", at.role.name, at.step.how)
            for at in creations(analysis, other.role)
        ]
    return Finding(
        RULE.code, RULE.severity, Confidence.HIGH, sites[0],
        f"{name} does the work of {threaded[0].role.name} in the calling thread: a second way beside the threaded one",
        name, tuple(notes), one.role.name, how,
        "keep one implementation: let the threaded one run with one worker too, and report when threads cannot start",
    )  # fmt: skip


# ----------------------------------------------------------------------------------------------------------- two crews
def _two_crews(analysis: Analysis, threaded: list[Doing]) -> Iterator[Finding]:
    for one, other in combinations(threaded, 2):
        if one.role.group != other.role.group:
            continue
        first, second = list(creations(analysis, one.role)), list(creations(analysis, other.role))
        creators = {at.role.name for at in (*first, *second)}
        if not first or not second or len(creators) != 1 or not _same_work(one, other):
            continue
        flow = analysis.flow(first[0].role)
        if any(_follows(flow, a.step, b.step) for a in first for b in second):
            continue
        site = second[0].step.site
        notes = (Note(first[0].step.site, f"{one.role.name} is started here", first[0].role.name, first[0].step.how),)
        yield Finding(
            RULE.code, RULE.severity, Confidence.MEDIUM, site,
            f"{other.role.name} does the same work as {one.role.name}, and only one of the two is started",
            f"{one.role.name}, {other.role.name}", notes, second[0].role.name, second[0].step.how,
            "keep one of the two implementations",
        )  # fmt: skip


def _same_work(one: Doing, other: Doing) -> bool:
    return bool({work_name(step) for step in one.steps} & {work_name(step) for step in other.steps})


def _follows(flow: Flow, one: Step, other: Step) -> bool:
    """Can one creation come after the other in the same round of the loops around both?"""
    shared = set(one.loops) & set(other.loops)

    def stops(step: Step) -> bool:
        return step.index in shared

    return other.index in flow.reachable(one.index, stops) or one.index in flow.reachable(other.index, stops)
