"""What the makers of steps ask: which rows are open, what they rest on, and the program's names.

Rules of this file: a maker is registered with the rows it serves, in the order of the plan; it is asked only if one of
them is open, and its step names only open rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import pairwise

from cllm_sim.auditor.facts import Assign, Declare, Function, If, Name, Site, Stmt
from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.planning.draft import Draft
from cllm_sim.auditor.planning.layout import Layout
from cllm_sim.auditor.planning.lines import INDENT, printed, variable
from cllm_sim.auditor.planning.sketch import Sketch
from cllm_sim.auditor.planning.step import PlanStep
from cllm_sim.auditor.requirements import Evidence, Judgement, Subject
from cllm_sim.auditor.traverse import all_expressions, inner, names, statements
from cllm_sim.auditor.vocabulary import Act, Kind

OPEN = frozenset({"partly", "unmet"})
WHERE_MAX = 6
Lines = dict[tuple[str, int], set[int]]
"""Line numbers by function (`Function.key`)."""
HANDED = frozenset({Kind.MUTEX, Kind.CONDITION, Kind.SEMAPHORE})
READS, STORES = frozenset({Act.READ, Act.LOAD}), frozenset({Act.WRITE, Act.STORE})
RACES = "\1"
"""What a run under the sanitizer says about races: made when it is known which step ends the last of them."""
AUDITED = re.compile(r"\0([^\0|]*)\|([^\0|]*)\0")
"""An audit that a test speaks of: codes, rows. The words are made when all steps are known."""


def with_test(function: Function, line: int) -> set[int]:
    """The lines of a call with the test of its result behind it."""
    gone = {line}
    for body in (function.body, *(inner(one) for one in statements(function.body))):
        for one, after in pairwise(body):
            if one.line == line and isinstance(after, If) and names(after.condition) & assigned(one):
                gone |= {printed_line.number for printed_line in printed((after,))}
    return gone


def assigned(one: Stmt) -> set[str]:
    """What a statement assigns by name."""
    found = {one.name} if isinstance(one, Declare) else set()
    for expr in all_expressions((one,)):
        if isinstance(expr, Assign) and isinstance(expr.target, Name):
            found.add(expr.target.name)
    return found


class Context:
    """One program with the judgements on it."""

    def __init__(self, subject: Subject, judgements: Iterable[Judgement]) -> None:
        self.subject = subject
        self.program = subject.program
        self.layout = Layout(subject)
        self.judgements = {one.id: one for one in judgements}
        self.draft = Draft()

    def open(self, *ids: str) -> tuple[str, ...]:
        """Those of these rows that are unmet or partly met."""
        return tuple(id for id in ids if id in self.judgements and self.judgements[id].status in OPEN)

    def rests_on(self, *ids: str, limit: int = WHERE_MAX) -> tuple[Evidence, ...]:
        """The places on which the open ones of these rows rest."""
        found = [item for id in self.open(*ids) for item in self.judgements[id].evidence if item.site is not None]
        seen: dict[Site | None, Evidence] = {}
        for item in found:
            seen.setdefault(item.site, item)
        return tuple(seen.values())[:limit]

    def promise(self, ids: Sequence[str]) -> str:
        """The promises of the protocol that these rows name."""
        return ", ".join(dict.fromkeys(self.judgements[id].promise for id in ids if self.judgements[id].promise))

    def expects(self, ids: Sequence[str], *codes: str, run: bool = True) -> str:
        """How a step is tested: the sanitizer, and another audit with what it must say."""
        audit = f"\0{' '.join(dict.fromkeys(codes))}|{' '.join(ids)}\0"
        return f"`{self.layout.sanitised}` {RACES}; {audit}" if run else audit

    def codes(self, *codes: str) -> tuple[str, ...]:
        """Those of these codes that there are findings of."""
        return tuple(code for code in codes if self.subject.found(code))

    def sketch(self) -> Sketch:
        """A sketch on what the steps before have left."""
        return Sketch(self.draft)

    def applied(self, sketch: Sketch) -> str:
        """The patch of a step that is taken: the steps behind it begin with what it leaves."""
        self.draft = sketch.draft
        return str(sketch)

    def is_gone(self, site: Site | None) -> bool:
        """Has a step before taken this line away?"""
        return site is not None and self.draft.is_gone(site.path, site.line)

    def idle_writes(self, sketch: Sketch, planned: Lines) -> Lines:
        """The writes of what nobody reads any more once these lines of functions are gone, too."""
        gone = {*sketch.draft.gone}
        gone |= {(one.path, n) for one in self.reached() for n in planned.get(one.key, ())}
        read: dict[Location, set[tuple[str, int]]] = {}
        written: dict[Location, list[tuple[Function, int]]] = {}
        for function in self.reached():
            for event in self.subject.events_of(function):
                place = event.target
                if place is None or place.kind not in {"member", "global"} or place.is_contents:
                    continue
                if event.act in READS:
                    read.setdefault(place, set()).add((event.site.path, event.site.line))
                elif event.act in STORES:
                    written.setdefault(place, []).append((function, event.site.line))
        found: Lines = {}
        for place, places in written.items():
            if place in read and read[place] <= gone:
                for function, line in places:
                    found.setdefault(function.key, set()).add(line)
        return found

    def forgotten(self, sketch: Sketch, planned: Lines) -> set[Location]:
        """The locks, conditions and semaphores that lose their last use (making and destroying left out) with these
        lines of functions."""
        gone = {*sketch.draft.gone}
        gone |= {(one.path, n) for one in self.reached() for n in planned.get(one.key, ())}
        uses: dict[Location, set[tuple[str, int]]] = {}
        for function in self.reached():
            for event in self.subject.events_of(function):
                if event.target is not None and event.kind in HANDED and event.act not in {Act.INIT, Act.DESTROY}:
                    uses.setdefault(event.target, set()).add((event.site.path, event.site.line))
                    if event.partner is not None:
                        uses.setdefault(event.partner, set()).add((event.site.path, event.site.line))
        fresh = gone - self.draft.gone
        return {place for place, sites in uses.items() if sites <= gone and sites & fresh}

    def ends_of(self, places: Collection[Location]) -> Lines:
        """The lines that make and destroy objects: the initialisation with the test of its result, the destruction."""
        found: Lines = {}
        for function in self.reached():
            for event in self.subject.events_of(function):
                if event.target in places and event.act in {Act.INIT, Act.DESTROY}:
                    lines = found.setdefault(function.key, set())
                    lines |= with_test(function, event.site.line)
        return found

    def undeclare(self, sketch: Sketch, places: Collection[Location]) -> None:
        """The members that nothing uses any more go."""
        for file in self.program.files:
            for record in file.records:
                label = self.program.label(record.name, record.path)
                unused = {place.name for place in places if place.kind == "member" and place.owner == label}
                members = [one for one in record.members if one.name in unused]
                if members:
                    sketch.hunk(record.path, self.layout.type_of(record), record.line)
                    sketch.take(*(f"{INDENT}{variable(one.type, one.name)};" for one in members))

    def unused(self, sketch: Sketch, planned: Lines, written: Lines) -> set[Location]:
        """The plain variables that had uses, all of which go with these lines."""
        gone = {*sketch.draft.gone}
        for function in self.reached():
            gone |= {(function.path, n) for lines in (planned, written) for n in lines.get(function.key, ())}
        uses: dict[Location, set[tuple[str, int]]] = {}
        for function in self.reached():
            for event in self.subject.events_of(function):
                place = event.target
                if place is not None and not place.is_contents and event.act in {*READS, *STORES}:
                    uses.setdefault(place, set()).add((event.site.path, event.site.line))
        fresh = gone - self.draft.gone
        return {place for place, sites in uses.items() if sites <= gone and sites & fresh}

    def reached(self) -> list[Function]:
        """All functions that run."""
        return self.subject.reached(*self.subject.roles)


Maker = Callable[[Context], PlanStep | None]
MAKERS: dict[str, tuple[tuple[str, ...], Maker]] = {}


def serves(name: str, *ids: str) -> Callable[[Maker], Maker]:
    """Registers the maker of a step by a name and the rows it serves."""

    def register(maker: Maker) -> Maker:
        MAKERS[name] = (ids, maker)
        return maker

    return register
