"""Barriers with everybody who uses them: initialisations, waits, parties and how many threads those are.

Rules of this file: a barrier is an object of its own only where the sources tell it from others of the same type. A
count is None where it cannot be told; then nobody may conclude anything from it. Failure edges are left out.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Site
from cllm_sim.auditor.findings import Note
from cllm_sim.auditor.inventory import Use
from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.program import Count
from cllm_sim.auditor.program.counts import number
from cllm_sim.auditor.roles import Role
from cllm_sim.auditor.rules.support.barriers_identity import Path, grouped, path_of, several
from cllm_sim.auditor.rules.support.threads import At, called, multiplied, steps_of, threads_beside, times
from cllm_sim.auditor.rules.support.threads_differ import Differences, left_out
from cllm_sim.auditor.vocabulary import Act, Kind


@dataclass(slots=True)
class Barrier:
    """One barrier of one program.

    `several`: one name stands for several barriers that cannot be told apart. `wrapped`: others have the same location,
    and only the record around it tells them apart.
    """

    location: Location
    paths: list[Path]
    group: str
    several: bool = False
    declared: Site | None = None
    inits: list[At] = field(default_factory=list)
    waits: list[At] = field(default_factory=list)
    destroys: list[At] = field(default_factory=list)
    dead: list[Use] = field(default_factory=list)

    wrapped: bool = False

    @property
    def label(self) -> str:
        """What a person calls it: the name of the wrapper where several barriers are in wrappers of one type."""
        longest = max(self.paths, key=len, default=())
        return longest[-2] if len(longest) > 1 and self.wrapped else self.location.label

    @property
    def parties(self) -> list[Role]:
        """The roles that wait at it, each once."""
        found = {at.role.name: at.role for at in self.waits}
        return list(found.values())

    def waits_of(self, role: Role) -> list[At]:
        """The waits of one role."""
        return [at for at in self.waits if at.role is role]


def barriers(analysis: Analysis) -> list[Barrier]:
    """All barriers, in the order of their declarations."""
    used = _used(analysis)
    found: list[Barrier] = []
    for one in analysis.inventory.of(Kind.BARRIER):
        groups: dict[str, list[tuple[Path, At]]] = {}
        for path, at in used.get(one.location, ()):
            groups.setdefault(at.role.group, []).append((path, at))
        if not groups:
            found.append(Barrier(one.location, [], "", declared=one.declared, dead=one.dead))
        for group, members in groups.items():
            found += _separated(one.location, group, members, one.declared, one.dead)
    return found


def _used(analysis: Analysis) -> dict[Location, list[tuple[Path, At]]]:
    used: dict[Location, list[tuple[Path, At]]] = {}
    for at in steps_of(analysis, Act.INIT, Act.WAIT, Act.DESTROY):
        assert at.step.event is not None
        if at.step.event.kind is Kind.BARRIER and at.step.target is not None:
            used.setdefault(at.step.target, []).append((path_of(analysis, at.step), at))
    return used


def _separated(
    location: Location, group: str, members: list[tuple[Path, At]], declared: Site | None, dead: list[Use]
) -> list[Barrier]:
    paths = grouped(path for path, _ in members)
    found = []
    for together in paths:
        one = Barrier(location, together, group, several(together), declared, dead=dead, wrapped=len(paths) > 1)
        for path, at in members:
            if path in together:
                shelf = {Act.INIT: one.inits, Act.WAIT: one.waits}.get(at.step.act or Act.CALL, one.destroys)
                shelf.append(at)
        found.append(one)
    return found


# ------------------------------------------------------------------------------------------------------- what is known
def unnamed(analysis: Analysis, act: Act) -> bool:
    """Is there such an act at a barrier that cannot be named (a pointer that leads nobody knows where)?"""
    for at in steps_of(analysis, act):
        assert at.step.event is not None
        if at.step.event.kind is not Kind.BARRIER:
            continue
        target = at.step.target
        if target is None or target.kind == "parameter" or target.is_contents or _is_pointer(analysis, target):
            return True
    return False


def _is_pointer(analysis: Analysis, target: Location) -> bool:
    known = analysis.inventory.objects.get(target)
    return known is None or known.declared is None


# -------------------------------------------------------------------------------------------------------------- counts
@dataclass(frozen=True, slots=True)
class Party:
    """A role at a barrier with the numbers of its threads that may be (None: not known)."""

    role: Role
    waits: tuple[At, ...]
    counts: tuple[Count, ...] | None


def parties(analysis: Analysis, barrier: Barrier, init: At, *, at_most: bool = False) -> list[Party]:
    """Who waits at the barrier that this step initialises, and how many threads each of them is (or is `at_most`)."""
    found = []
    for role in barrier.parties:
        waits = tuple(barrier.waits_of(role))
        counts = threads_beside(analysis, role, init)
        some = counts is not None and role.many and role is not init.role and not at_most
        if some and only_some(analysis, role, waits):
            counts = None
        found.append(Party(role, waits, None if counts is None else tuple(counts)))
    return found


def only_some(analysis: Analysis, role: Role, waits: tuple[At, ...]) -> bool:
    """May a thread of the role end without ever having waited, by a condition that differs between threads?"""
    conditions = Differences(analysis, role).conditions()
    return left_out(analysis.flow(role), conditions, {at.step.index for at in waits}) is not None


def total(found: list[Party]) -> Count | None:
    """The number of threads of all parties; None where it is not known or one party has several numbers."""
    counts: list[Count] = []
    for party in found:
        if party.counts is None or len(party.counts) != 1:
            return None
        counts += party.counts
    counts.sort(key=lambda count: count.text.isdigit())  # "num_threads + 1" reads better than "1 + num_threads"
    whole = counts[0] if counts else None
    for count in counts[1:]:
        assert whole is not None
        whole = whole + (count.constant if count.text.isdigit() else count)
    return whole


def objects_made(analysis: Analysis, barrier: Barrier, init: At) -> Count | None:
    """How many barriers a step initialises for one set of threads: several where it stands in a loop of its own."""
    flow = analysis.flow(init.role)
    shared: set[int] = set()
    for at in steps_of(analysis, Act.CREATE):
        if at.role is init.role:
            shared |= set(at.step.loops)
    taken_down = {loop for at in barrier.destroys if at.role is init.role for loop in at.step.loops}
    extra = [loop for loop in init.step.loops if loop not in shared | taken_down]
    return multiplied(analysis, flow, extra) if extra else number(1)


def expected(analysis: Analysis, barrier: Barrier, init: At) -> Count | None:
    """The count a barrier is initialised with, times the barriers that the step makes."""
    event = init.step.event
    if event is None or event.value is None:
        return None
    function = init.step.function
    count = analysis.program.count(event.value, function, function.path, init.step.bindings)
    return times(analysis, count, objects_made(analysis, barrier, init))


def counts_agree(analysis: Analysis, barrier: Barrier) -> bool:
    """Is the barrier surely initialised for all threads of all its parties?"""
    for init in barrier.inits:
        count = expected(analysis, barrier, init)
        whole: Count | None = None
        for party in barrier.parties:
            threads = threads_beside(analysis, party, init)
            if threads is None or len(threads) != 1:
                return False
            whole = threads[0] if whole is None else whole + threads[0]
        if count is None or whole is None or analysis.program.same_count(count, whole) is not True:
            return False
    return True


def with_value(analysis: Analysis, count: Count) -> str:
    """A count as text, with its number where that is known and says more."""
    value = analysis.program.followed(count).value
    return count.text if value is None or count.text == str(value) else f"{count.text} ({value})"


def wait_notes(barrier: Barrier) -> tuple[Note, ...]:
    """One note for every wait, each place once."""
    notes = {
        (at.step.site, at.role.name): Note(at.step.site, f"{called(at.role)} waits here", at.role.name, at.step.how)
        for at in barrier.waits
    }
    return tuple(notes.values())
