"""What the makers of steps ask: which rows are open, what they rest on, and the program's names.

Rules of this file: a maker is registered with the rows it serves, in the order of the plan; it is asked only if one of
them is open, and its step names only open rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from cllm_sim.auditor.facts import Function, Site
from cllm_sim.auditor.planning.layout import Layout
from cllm_sim.auditor.planning.step import PlanStep
from cllm_sim.auditor.requirements import Evidence, Judgement, Subject

OPEN = frozenset({"partly", "unmet"})
WHERE_MAX = 6


class Context:
    """One program with the judgements on it."""

    def __init__(self, subject: Subject, judgements: Iterable[Judgement]) -> None:
        self.subject = subject
        self.program = subject.program
        self.layout = Layout(subject)
        self.judgements = {one.id: one for one in judgements}

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
        codes = tuple(dict.fromkeys(codes))
        gone = f" without {', '.join(codes)} and" if codes else ""
        audit = f"`{self.layout.again}` ends{gone} with {', '.join(ids)} met"
        return f"`{self.layout.sanitised}` reports no data race and ends; {audit}" if run else audit

    def codes(self, *codes: str) -> tuple[str, ...]:
        """Those of these codes that there are findings of."""
        return tuple(code for code in codes if self.subject.found(code))

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
