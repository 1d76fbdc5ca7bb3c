"""Records that are assigned as a whole: the followed members are copied one by one.

Rules of this file: what is not followed is part of one access of the whole record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cllm_sim.auditor.facts import Call, Cast, Expr, InitialList
from cllm_sim.auditor.outline import Event, Set
from cllm_sim.auditor.skeleton.calls import Calls
from cllm_sim.auditor.skeleton.code import Line, Node
from cllm_sim.auditor.skeleton.memory import Memory
from cllm_sim.auditor.skeleton.place import Place, Root
from cllm_sim.auditor.skeleton.round import Tracked
from cllm_sim.auditor.skeleton.values import (
    Value,
)
from cllm_sim.auditor.vocabulary import Act, Kind

if TYPE_CHECKING:
    pass


class Records(Memory):
    """Assignments of whole records in one generator."""

    calls: Calls

    def set_record(self, node: Set, out: list[Node]) -> None:
        """An assignment to a local record, or its initial values."""
        writer = self.writer
        place = Place(
            Root("local", writer.frame.function.name, node.name, writer.frame.function.path, writer.frame.how)
        )
        value = node.value
        if value is None:
            self._initial_record(place, node, out)
            return
        event = Event(Act.WRITE, Kind.MEMORY, None, node.site)
        self.copy_record(place, value, event, out)

    def _fields(self, place: Place) -> list[tuple[str, ...]]:
        """The followed members inside a record, as the rest of their paths."""
        found = []
        knowledge = self.round.knowledge
        for key in sorted((knowledge.tracked | self.round.wanted) - knowledge.banned, key=str):
            if key[0] == "private":
                root, path = key[1], key[2]
            elif key[0] == "memory":
                root, path = key[1].root, key[1].path  # type: ignore[attr-defined]  # a Family
            else:
                continue
            same = root in {place.root, place.root._replace(how=())}
            if same and path[: len(place.path)] == place.path and len(path) > len(place.path):  # type: ignore[arg-type, index]
                rest = path[len(place.path) :]  # type: ignore[index]
                if "[]" not in rest:
                    found.append(rest)
        return list(dict.fromkeys(found))

    def _initial_record(self, place: Place, node: Set, out: list[Node]) -> None:
        fields = self._fields(place)
        given: dict[str, Expr] = {}
        for stored in (one for field in fields for one in self.round.places.stores.of(field[-1])):
            if (
                stored.initial
                and stored.function is self.writer.frame.function
                and stored.target.line == node.site.line
            ):
                given[self.round.program.text(stored.target)] = stored.value
        for field in fields:
            value = given.get(".".join((node.name, *field)))
            target = place._replace(path=(*place.path, *field))
            event = Event(Act.WRITE, Kind.MEMORY, None, node.site, value=value)
            self._assign(event, target, self.writer.memory_key(target), out)
        self.writer.flush(out)

    def copy_record(self, place: Place, value: Expr, event: Event, out: list[Node]) -> None:
        """`a = b` for whole records: the followed members are copied, the rest is one access."""
        fields = self._fields(place)
        while isinstance(value, Cast) and not isinstance(value.operand, InitialList):
            value = value.operand
        source: Place | None
        if isinstance(value, Call):
            source = self.calls.inlined_record(value, out)
        else:
            source = self.round.places.place(self.writer.rewrite(value), self.writer.frame)
        if not fields:
            self.writer.flush(out)
            if event.expression is not None:
                self._access(event, True, out)
            return
        for field in fields:
            self._copy_member(place, field, source, value, event, out)
        self.writer.flush(out)

    def _copy_member(
        self, place: Place, field: tuple[str, ...], source: Place | None, value: Expr, event: Event, out: list[Node]
    ) -> None:
        target = place._replace(path=(*place.path, *field))
        key = self.writer.memory_key(target)
        self.round.want(key)
        listed = value.operand if isinstance(value, Cast) else value
        if isinstance(listed, InitialList):
            given = next((one for name, one in listed.items if name.lstrip(". ") == ".".join(field)), None)
            self._assign_member(event, target, key, given, out)
            return
        text = None
        if source is not None:
            text = self._member_value(source._replace(path=(*source.path, *field)), value, event, out)
        if text is None:
            text = self.known_or_chosen(None, key, value, event.site, out)
        if text is not None:
            self._put(event, target, key, text, out)

    def _assign_member(self, event: Event, target: Place, key: Tracked, given: Expr | None, out: list[Node]) -> None:
        value = self.writer.consume(given, out) if given is not None else Value("0")
        text = self.known_or_chosen(value, key, given, event.site, out)
        if text is not None:
            self._put(event, target, key, text, out)

    def _member_value(self, source: Place, value: Expr, event: Event, out: list[Node]) -> str | None:
        key = self.writer.memory_key(source)
        if key in self.round.knowledge.banned:
            return None
        self.round.want(key)
        if key[0] == "private":
            return self.writer.local_name(key, source.path[-1], source.root.name)
        read = next(
            (one for one in self.writer.pending if one.act is Act.READ and one.site.line == event.site.line
             and one.expression is not None and self.place_of(one) is not None), None,
        )  # fmt: skip
        if read is not None:
            self.round.knowledge.learnt.whole.add(Place(source.root, source.path[:-1]).family)
            self.writer.pending.remove(read)
        found = self.tracked_object(source, read, event.site, False)
        if found is None:
            return None
        name = self.writer.fresh(f"{source.path[-1]}_now")
        out.append(Line(f"{name} = yield {found}.read()", event.site, yields=True))
        return name
