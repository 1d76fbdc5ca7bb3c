"""What the makers of steps ask: which rows are open, what they rest on, and the program's names.

Rules of this file: a maker is registered with the rows it serves, in the order of the plan; it is asked only if one of
them is open, and its step names only open rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from cllm_sim.auditor.facts import Function, Site
from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.planning.draft import Draft
from cllm_sim.auditor.planning.layout import Layout
from cllm_sim.auditor.planning.sketch import Sketch
from cllm_sim.auditor.planning.step import PlanStep
from cllm_sim.auditor.requirements import Evidence, Judgement, Subject
from cllm_sim.auditor.vocabulary import Act

OPEN = frozenset({"partly", "unmet"})
WHERE_MAX = 6
Lines = dict[tuple[str, int], set[int]]
"""Line numbers by function (`Function.key`)."""
READS, STORES = frozenset({Act.READ, Act.LOAD}), frozenset({Act.WRITE, Act.STORE})
RACES = "\1"
"""What a run under the sanitizer says about races: made when it is known which step ends the last of them."""
AUDITED = re.compile(r"\0([^\0|]*)\|([^\0|]*)\0")
"""An audit that a test speaks of: codes, rows. The words are made when all steps are known."""


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
