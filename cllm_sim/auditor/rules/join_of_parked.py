"""CT001: a join of a thread that never ends.

Either nothing lets the thread leave its loop before the join (no flag is ever set, or only after the join), or the flag
is set but the thread sleeps and is not woken. Rules of this file: a thread that can end in a way that is not understood
ends; what is left behind at a barrier, or by a signal for one only, is CT002's.
"""

from __future__ import annotations

from collections.abc import Iterator

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Site
from cllm_sim.auditor.findings import Confidence, Finding, Note, Rule, Severity
from cllm_sim.auditor.flow import Step
from cllm_sim.auditor.roles import Role
from cllm_sim.auditor.rules.support.threads_exits import Ending, Flags, flags_of
from cllm_sim.auditor.rules.support.threads_shutdown import Joined, joins, missed, only_after, stop_flags
from cllm_sim.auditor.vocabulary import BLOCKS, Act

RULE = Rule("CT001", "join-of-parked", Severity.ERROR, "a thread is joined that never ends")


def findings(analysis: Analysis) -> Iterator[Finding]:
    """One finding for every thread whose join cannot return."""
    if any(analysis.flow(role).truncated for role in analysis.roles.all):
        return
    done: set[str] = set()
    for joined in joins(analysis):
        role = joined.target
        if role.name in done:
            continue
        known = flags_of(analysis, role.group)
        found = _never(analysis, joined, known) or _asleep(analysis, joined, known)
        if found is not None:
            done.add(role.name)
            yield found


def _never(analysis: Analysis, joined: Joined, flags: Flags) -> Finding | None:
    """The thread has no way out, or its flag is set only after the join."""
    ending = Ending(analysis, joined.target, flags)
    late = only_after(analysis, joined, flags, ending)
    if ending.ends(late):
        return None
    role = joined.target
    parked = [one for one in analysis.flow(role).events(*BLOCKS) if one.loops and one.act not in {Act.LOCK, Act.JOIN}]
    notes = [Note(one.site, f"{role.name} waits here in a loop", role.name, one.how) for one in parked]
    notes += [Note(at.step.site, f"{at.role.name} sets the flag only after the join", at.role.name, at.step.how)
              for at in late if ending.ends([one for one in late if one != at])]  # fmt: skip
    if late and ending.ends():
        why = "the flag that lets it go is set only after the join"
    else:
        why = "nothing that it tests in its loop is ever set so that it could leave"
    return _finding(joined, why, notes, Confidence.HIGH)


def _asleep(analysis: Analysis, joined: Joined, flags: Flags) -> Finding | None:
    """The flag is set, but nothing wakes the thread before the join."""
    for flag in stop_flags(analysis, joined, flags):
        for wait in flag.idle:
            if wait.act is Act.WAIT:
                continue
            store = missed(analysis, joined, flag, wait, everyone=False)
            if store is None:
                continue
            label = wait.target.label if wait.target is not None else "its object"
            wake = "post" if wait.act is Act.DOWN else "signal"
            notes = [
                Note(
                    store.step.site,
                    f"{store.role.name} sets {flag.location.label} here",
                    store.role.name,
                    store.step.how,
                ),
                Note(wait.site, f"{joined.target.name} may sleep here", joined.target.name, wait.how),
            ]
            why = f"{flag.location.label} is set, but there is no {wake} of {label} between that and the join"
            return _finding(joined, why, notes, Confidence.HIGH)
    return None


def _finding(joined: Joined, why: str, notes: list[Note], confidence: Confidence) -> Finding:
    role: Role = joined.target
    step: Step = joined.step
    entry = [Note(Site(one.path, one.line), f"{role.name} begins here", role.name) for one in role.entries]
    unique = {note.site: note for note in (*notes, *entry)}
    return Finding(
        RULE.code, RULE.severity, confidence, step.site,
        f"{joined.role.name} joins {role.name}, which may never end: {why}",
        role.name, tuple(unique.values()), joined.role.name, step.how,
        "set the flag under the lock, wake every sleeper (broadcast, one post each), and only then join",
    )  # fmt: skip
