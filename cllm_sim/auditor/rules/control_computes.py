"""CT004: the thread that coordinates does batch processing itself.

A role coordinates if it waits at a barrier of the workers, or distributes, accumulates or updates. Rules of this file:
work on a way of its own, without other threads, is CT006's; a role of many equal threads is no control unless it has
workers of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Site
from cllm_sim.auditor.findings import Confidence, Finding, Note, Rule, Severity
from cllm_sim.auditor.flow import Step
from cllm_sim.auditor.roles import Role, function_key
from cllm_sim.auditor.rules.support.barriers import barriers
from cllm_sim.auditor.rules.support.threads_work import Doing, Threads, doing_work, work_name
from cllm_sim.auditor.vocabulary import Act

RULE = Rule(
    "CT004", "control-computes", Severity.ERROR, "the thread that coordinates the others processes batches itself"
)

DUTIES = {
    "accumulate": "accumulates gradients here",
    "update": "updates the weights here",
    "distribute": "distributes batches here",
}


def findings(analysis: Analysis) -> Iterator[Finding]:
    """One finding for every control role that reaches batch processing."""
    doing = doing_work(analysis)
    for one in doing:
        workers = [other.role for other in doing if _may_be_worker(other.role, one.role)]
        if not workers or (one.role.many and not any(_creates(worker, one.role) for worker in workers)):
            continue
        steps = _beside_workers(analysis, one, workers)
        duties = _duties(analysis, one.role, workers)
        if steps and duties:
            yield _finding(one.role, steps, duties, workers)


def _may_be_worker(role: Role, control: Role) -> bool:
    return role is not control and not role.caller and role.many and role.group == control.group


def _creates(worker: Role, control: Role) -> bool:
    return any(one.creator == control.name for one in worker.created)


def _beside_workers(analysis: Analysis, one: Doing, workers: list[Role]) -> list[Step]:
    """The steps of work that are taken while workers run."""
    flow = analysis.flow(one.role)
    alive = flow.alive()
    steps = [step for step in one.steps if step.index in alive]
    if not one.role.caller and not any(_creates(worker, one.role) for worker in workers):
        return steps
    threads = Threads(analysis, one.role, workers)
    return [step for step in steps if threads.meanwhile(step) and not threads.after_failure(step)]


def _duties(analysis: Analysis, role: Role, workers: list[Role]) -> list[Note]:
    """What makes the role a control, with the places."""
    notes: list[Note] = []
    for barrier in barriers(analysis):
        parties = barrier.parties
        together = [worker for worker in workers if worker in parties]
        if role in parties and together:
            first = barrier.waits_of(role)[0].step
            text = f"waits for {together[0].name} at barrier {barrier.label}"
            notes.append(Note(first.site, text, role.name, first.how))
    for purpose, text in DUTIES.items():
        for step in analysis.flow(role).events(Act.CALL):
            assert step.event is not None
            if any(function_key(callee) in analysis.purposes.of(purpose) for callee in step.event.callees):
                notes.append(Note(step.site, text, role.name, step.how))
                break
    return notes


def _finding(role: Role, steps: list[Step], duties: list[Note], workers: list[Role]) -> Finding:
    first = steps[0]
    notes = [Note(Site(entry.path, entry.line), f"{role.name} begins here", role.name) for entry in role.entries]
    notes += [Note(step.site, f"calls {work_name(step)} as well", role.name, step.how) for step in steps[1:]]
    notes += [Note(site, f"{role.name} calls what leads there", role.name) for site in first.how]
    return Finding(
        RULE.code, RULE.severity, Confidence.HIGH if len(duties) > 1 else Confidence.MEDIUM, first.site,
        f"{role.name} coordinates {workers[0].name} and processes a batch itself: it calls {work_name(first)}",
        role.name, (*notes, *duties), role.name, first.how,
        "leave the work to the worker threads: the control only orders, waits, gathers and updates",
    )  # fmt: skip
