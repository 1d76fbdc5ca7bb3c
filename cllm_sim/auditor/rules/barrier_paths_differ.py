"""CB003: a party skips a wait that the others perform, or the parties wait a different number of times.

A condition that may come out differently in two threads of one role, whose sides wait a different number of times
before they meet again; two roles whose loops fix different numbers of waits; parties that cannot get through all their
barriers together, however they go. Rules of this file: orders that all parties read alike are no defect; where the
numbers of threads already differ, CB002 or CB004 speaks; a wrong way out of the program is CT002's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Site
from cllm_sim.auditor.findings import Confidence, Finding, Note, Rule, Severity
from cllm_sim.auditor.flow import Step
from cllm_sim.auditor.program import Count
from cllm_sim.auditor.roles import Role
from cllm_sim.auditor.rules import shutdown_leaves_waiter
from cllm_sim.auditor.rules.barrier_count import judged
from cllm_sim.auditor.rules.support.barriers import (
    Barrier,
    barriers,
    counts_agree,
    only_some,
    unnamed,
    wait_notes,
    with_value,
)
from cllm_sim.auditor.rules.support.barriers_paths import Ways
from cllm_sim.auditor.rules.support.barriers_together import Outcome, Together
from cllm_sim.auditor.rules.support.barriers_totals import early_leaves, total_waits
from cllm_sim.auditor.rules.support.oracle import confirmed
from cllm_sim.auditor.rules.support.threads import called, incomplete, threads_beside
from cllm_sim.auditor.rules.support.threads_differ import Differences, told
from cllm_sim.auditor.rules.support.threads_shutdown import Exit, early_exits
from cllm_sim.auditor.vocabulary import Act

RULE = Rule(
    "CB003",
    "barrier-paths-differ",
    Severity.ERROR,
    "a party skips a wait, or the parties wait a different number of times",
)

EXITS_MAX = 30


def findings(analysis: Analysis) -> Iterator[Finding]:
    """One finding for every skipped wait, and for every two roles whose waits do not match."""
    if incomplete(analysis) or unnamed(analysis, Act.WAIT):
        return
    ways: dict[str, Ways] = {}
    seen: set[Site] = set()
    for barrier in barriers(analysis):
        if not barrier.waits or judged(analysis, barrier) is not None:
            continue
        skipped = list(_skips(analysis, barrier, ways))
        for condition, found in skipped:
            if condition.site not in seen:
                seen.add(condition.site)
                yield found
        if not skipped and not barrier.several and counts_agree(analysis, barrier):
            more = _leaves(analysis, barrier) or list(_unequal(analysis, barrier))
            seen |= {one.site for one in more}
            yield from more
    if not seen:
        yield from _together(analysis)


# --------------------------------------------------------------------------------------------------------------- skips
def _skips(analysis: Analysis, barrier: Barrier, ways: dict[str, Ways]) -> Iterator[tuple[Step, Finding]]:
    for role in barrier.parties:
        if not role.many or not _everybody(analysis, barrier, role):
            continue
        if role.name not in ways:
            ways[role.name] = Ways(analysis.flow(role))
        targets = {at.step.index for at in barrier.waits_of(role)}
        for condition in Differences(analysis, role).conditions():
            side = _shorter_side(ways[role.name], condition, targets)
            if side is not None:
                yield condition, _skip_finding(analysis, barrier, role, condition, side, ways[role.name])


def _everybody(analysis: Analysis, barrier: Barrier, role: Role) -> bool:
    """Are several threads of the role at one barrier, and is each of them meant to wait?"""
    for init in barrier.inits:
        threads = threads_beside(analysis, role, init)
        if threads is not None and any(count.value == 1 for count in threads):
            return False  # each thread has a barrier of its own
    if not only_some(analysis, role, tuple(barrier.waits_of(role))):
        return True
    return bool(barrier.inits) and counts_agree(analysis, barrier)


def _shorter_side(ways: Ways, condition: Step, targets: set[int]) -> int | None:
    """The first step of the side that waits less often, where no way of one side waits as often as one of the other."""
    meeting = ways.meeting(condition.index)
    sides = ways.sides(condition)
    if meeting is None or len(sides) < 2:
        return None
    counted = sorted((ways.waits(side, meeting, targets), side) for side in sides)
    (fewest, side), (most, _) = counted[0], counted[-1]
    return side if fewest.most < most.least else None


def _skip_finding(analysis: Analysis, barrier: Barrier, role: Role, condition: Step, side: int, ways: Ways) -> Finding:
    meeting = ways.meeting(condition.index)
    assert meeting is not None
    region = ways.region(side, meeting)
    flow = analysis.flow(role)
    jumps = [flow.steps[index] for index in sorted(region) if flow.steps[index].leave is not None]
    first = jumps[0] if jumps and jumps[0].how == condition.how else condition
    text = analysis.program.text(condition.condition) if condition.condition is not None else "its condition"
    notes = [
        Note(condition.site, f"this test may come out differently in two threads: {text}", role.name, condition.how)
    ]
    notes += [note for note in wait_notes(barrier) if note.site not in {first.site, condition.site}]
    if first is condition:
        notes = notes[1:]
    if first is condition:
        message = (
            f"how often a {role.name} thread waits at barrier {barrier.label} hangs on {text}, which differs between"
        )
        message += " threads: the others wait for ever"
    else:
        message = (
            f"a {role.name} thread leaves its way here (test of {text}) and skips a wait at barrier {barrier.label} "
        )
        message += "that the others perform: they wait for ever"
    return Finding(
        RULE.code, RULE.severity, Confidence.HIGH, first.site,
        message,
        barrier.label, tuple(notes), role.name, first.how,
        "let every thread wait equally often in every round: skip the work, never the barrier",
    )  # fmt: skip


# ---------------------------------------------------------------------------------------------------------- one leaves
def _leaves(analysis: Analysis, barrier: Barrier) -> list[Finding]:
    """A role that may leave its loop early while another one, which cannot know, waits a fixed number of times."""
    for role in barrier.parties:
        if role.many:
            continue
        flow = analysis.flow(role)
        targets = {at.step.index for at in barrier.waits_of(role)}
        for other in barrier.parties:
            if other is role or total_waits(analysis, other, [at.step for at in barrier.waits_of(other)]) is None:
                continue
            for found in early_leaves(flow, targets):
                if not told(analysis, role, found.condition):
                    made = _leave_finding(analysis, barrier, (role, other), found.condition, found.first)
                    return [_surer(analysis, made)]
    return []


def _surer(analysis: Analysis, finding: Finding) -> Finding:
    """The finding with high confidence where the check of the protocol hangs at one of its places."""
    return replace(finding, confidence=Confidence.HIGH) if confirmed(analysis, finding) else finding


def _leave_finding(
    analysis: Analysis, barrier: Barrier, roles: tuple[Role, Role], condition: Step, jump: Step
) -> Finding:
    role, other = roles
    text = analysis.program.text(condition.condition) if condition.condition is not None else "its condition"
    notes = (
        [Note(condition.site, f"taken when {text}", role.name, condition.how)] if condition.site != jump.site else []
    )
    notes += [note for note in wait_notes(barrier) if note.site not in {jump.site, condition.site}]
    return Finding(
        RULE.code, RULE.severity, Confidence.MEDIUM, jump.site,
        f"{role.name} may leave its loop here and no longer waits at barrier {barrier.label}, but {other.name} waits "
        "there a fixed number of times",
        barrier.label, tuple(notes), role.name, jump.how,
        "tell the other parties by an order that they read after a wait, and let all of them leave together",
    )  # fmt: skip


# ------------------------------------------------------------------------------------------------------------- unequal
def _unequal(analysis: Analysis, barrier: Barrier) -> Iterator[Finding]:
    totals: list[tuple[Role, Count]] = []
    for role in barrier.parties:
        found = total_waits(analysis, role, [at.step for at in barrier.waits_of(role)])
        if found is not None:
            totals.append((role, found))
    for (one, first), (other, second) in combinations(totals, 2):
        if analysis.program.same_count(first, second) is False:
            yield _unequal_finding(analysis, barrier, (one, first), (other, second))
            return


def _unequal_finding(
    analysis: Analysis, barrier: Barrier, one: tuple[Role, Count], other: tuple[Role, Count]
) -> Finding:
    fewer, more = sorted((one, other), key=lambda pair: _size(analysis, pair[1]))
    first = barrier.waits_of(fewer[0])[0].step
    loops = [analysis.flow(fewer[0]).steps[loop] for loop in first.loops]
    notes = [Note(loop.site, "the loop around the wait", fewer[0].name, loop.how) for loop in loops[-1:]]
    notes += [note for note in wait_notes(barrier) if note.site != first.site]
    return Finding(
        RULE.code, RULE.severity, Confidence.HIGH, first.site,
        f"each {fewer[0].name} waits {with_value(analysis, fewer[1])} times at barrier {barrier.label}, but "
        f"{more[0].name} {with_value(analysis, more[1])} times: {called(more[0])} waits for ever",
        barrier.label, tuple(notes), fewer[0].name, first.how,
        "let both wait equally often in every round (look at counters that are not set again)",
    )  # fmt: skip


def _size(analysis: Analysis, count: Count) -> int:
    value = analysis.program.followed(count).value
    return value if value is not None else 0


# ------------------------------------------------------------------------------------------------------------ together
def _together(analysis: Analysis) -> Iterator[Finding]:
    """Roles that cannot get through their barriers together, or not once one of them has left by a way of its own."""
    chosen = [one for one in barriers(analysis) if one.waits and not one.several and counts_agree(analysis, one)]
    known = {site for one in shutdown_leaves_waiter.findings(analysis) for site in (one.site, *_sites(one))}
    for group in dict.fromkeys(one.group for one in chosen):
        together = Together(analysis, [one for one in chosen if one.group == group])
        whole = together.outcome() if together.possible else None
        if whole is None:
            continue
        if not whole.ends:
            if whole.stuck and not known:
                yield _stuck_finding(together, whole)
            continue
        for role in together.roles:
            for found in _lonely_exits(analysis, together, role):
                if not {found.first.site, found.condition.site} & known:
                    known |= {found.first.site, found.condition.site}
                    yield _surer(analysis, _lonely_finding(analysis, role, found, together))


def _sites(finding: Finding) -> list[Site]:
    return [note.site for note in finding.notes]


def _lonely_exits(analysis: Analysis, together: Together, role: Role) -> Iterator[Exit]:
    """The ways out that nobody was told of, after which the others cannot come to their end."""
    targets = {at.step.index for one in together.barriers for at in one.waits if at.role is role}
    differences = Differences(analysis, role)
    flow = analysis.flow(role)
    begun = {index for step in flow.events(Act.CREATE) for index in flow.reachable(step.index)} or flow.alive()
    exits = [one for one in early_exits(flow, targets, also_after=True) if one.condition.index in begun]
    for found in exits[:EXITS_MAX]:
        own = {flow.steps[loop].site for loop in found.condition.loops}
        if found.condition.site in own or told(analysis, role, found.condition):
            continue
        divided = role.many and differences.at(found.condition) and not together.alone(role)
        outcome = together.outcome(role, (found.condition.index, found.to), divided=divided)
        if outcome is not None and outcome.taken and not outcome.ends:
            yield found


def _stuck_finding(together: Together, whole: Outcome) -> Finding:
    role, step = whole.stuck[0]
    label = step.target.label if step.target is not None else "a barrier"
    others = [
        f"{one.name} at {at.target.label if at.target is not None else 'a barrier'}" for one, at in whole.stuck[1:]
    ]
    notes = [Note(at.site, f"{one.name} stands here", one.name, at.how) for one, at in whole.stuck[1:]]
    notes += [note for one in together.barriers for note in wait_notes(one) if note.site != step.site]
    unique = {(note.site, note.role): note for note in notes}
    met = f" while {' and '.join(others)} waits" if others else " and nobody else comes there any more"
    return Finding(
        RULE.code, RULE.severity, Confidence.MEDIUM, step.site,
        f"the waits of the parties do not fit together: {role.name} waits at barrier {label}{met}",
        label, tuple(unique.values()), role.name, step.how,
        "let all parties pass the same barriers in the same order, equally often in every round",
    )  # fmt: skip


def _lonely_finding(analysis: Analysis, role: Role, found: Exit, together: Together) -> Finding:
    condition, jump = found.condition, found.first
    text = analysis.program.text(condition.condition) if condition.condition is not None else "its condition"
    notes = [Note(condition.site, f"taken when {text}", role.name, condition.how)]
    notes += [note for one in together.barriers for note in wait_notes(one)]
    label = next(one.label for one in together.barriers if role in one.parties)
    return Finding(
        RULE.code, RULE.severity, Confidence.MEDIUM, jump.site,
        f"{role.name} may leave here (test of {text}) without the others being told: they wait for it at a barrier",
        label, tuple(note for note in notes if note.site != jump.site), role.name, jump.how,
        "tell the other parties by an order that they read after a wait, and let all of them leave together",
    )  # fmt: skip
