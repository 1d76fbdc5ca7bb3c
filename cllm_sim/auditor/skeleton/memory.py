"""Accesses of plain memory and assignments: races, and values that decide something.

Rules of this file: memory whose value nobody follows is one access; a value that cannot be known is a choice of the
environment or given up.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from cllm_sim.auditor.facts import Binary, Cast, Expr, Site, TypeName
from cllm_sim.auditor.outline import Event, Set
from cllm_sim.auditor.skeleton.code import Access, Line, Node
from cllm_sim.auditor.skeleton.located import Located
from cllm_sim.auditor.skeleton.place import Place
from cllm_sim.auditor.skeleton.round import Tracked
from cllm_sim.auditor.skeleton.sizes import LIMIT
from cllm_sim.auditor.skeleton.values import (
    SMALL,
    Expressions,
    Untranslatable,
    Value,
    change_operation,
    in_place,
    lines_before,
)
from cllm_sim.auditor.vocabulary import Act, Kind

if TYPE_CHECKING:
    pass


TURNS = 4
"""A counter of generations, only ever compared with an earlier value of itself, starts again after so many."""


class Memory(Located, ABC):
    """Reads and writes of one generator."""

    def _access(self, event: Event, write: bool, out: list[Node]) -> None:
        """An access of plain memory of which only races matter."""
        place = self.place_of(event) or self._by_location(event)
        role = self.writer.generator.group.role.name
        step = self.round.step(event, self.writer.frame)
        if place is None or self.round.knowledge.shared.before_threads(role, step):
            return
        if self._is_record(event):
            self.round.knowledge.learnt.whole.add(place.family)
        place = self._noted(place, event)
        if not self._racy(place, event, write) or self._settled(place, event):
            return
        thing = self.round.objects.thing("variable", place, self._location(event), event.site)
        thing.data = True
        text, size, _ = self.round.objects.reference(thing, place, self.writer.generator.sizes)
        out.append(Access(text, size, write, event.site))

    def _settled(self, place: Place, event: Event) -> bool:
        """Is this what tells a thread where its memory is, and nothing else?"""
        if event.expression is None or event.call is not None or event.passed:
            return False
        type = self.round.program.type_of(event.expression, self.writer.frame.function)
        if type is None or type.arrays:
            return False
        places = self.round.places
        if type.pointers:
            return places.settled_pointer(place)
        return places.settled_integer(place) and self.writer.memory_key(place) not in self.round.knowledge.tracked

    def _racy(self, place: Place, event: Event, write: bool) -> bool:
        location = self._location(event)
        if location is not None and location.kind in {"member", "global"}:
            if self.round.knowledge.shared.racy(location):
                return True
            if self.round.knowledge.shared.known(location):
                return False
        if place.root.kind == "local" and self.is_private(place.root):
            return False
        group = self.writer.generator.group
        touched = self.round.knowledge.learnt.touched.setdefault(self.round.objects.normal(place.family), set())
        own = any(one in self.writer.generator.own for one in place.indices)
        touched.add((group.name, write, own))
        several = len({name for name, _, _ in touched}) > 1 or any(
            not is_own and self.round.threads.many(name) for name, _, is_own in touched
        )
        return several and any(written for _, written, _ in touched)

    def _store(self, event: Event, out: list[Node]) -> None:
        place = self.place_of(event)
        if self._is_record(event) and place is not None and event.value is not None:
            self.copy_record(place, event.value, event, out)
            return
        key = None if place is None else self.writer.memory_key(place)
        if key is not None and place is not None:
            self._give_up_elsewhere(place)
        if key is None or place is None or not self.round.follows(key):
            self.writer.flush(out)
            if event.act is Act.WRITE:
                self._access(event, True, out)
            return
        if event.operator in {"", "="}:
            self._assign(event, place, key, out)
        else:
            self._modify(event, place, key, out)

    def _give_up_elsewhere(self, place: Place) -> None:
        """A local of a caller that is changed from here cannot be a local of its generator."""
        root = place.root
        if self._of_a_caller(root):
            key: Tracked = ("private", root._replace(how=()), place.path)
            if self._owner(root) != "main":
                self.round.ban(key)
            elif self.round.knowledge.strict and self.round.follows(key):
                self.round.knowledge.learnt.escaped.add(root)

    def _assign(self, event: Event, place: Place, key: Tracked, out: list[Node]) -> None:
        self._shrink(event.value)
        if event.value is not None:
            self.round.link(key, self.writer.key_of(event.value))
        value = self.writer.consume(event.value, out, target=key) if event.value is not None else Value("0")
        text = self.known_or_chosen(value, key, event.value, event.site, out)
        if text is None:
            if event.act is Act.WRITE:
                self._access(event, True, out)
            return
        self._put(event, place, key, text, out)

    def _shrink(self, expr: Expr | None) -> None:
        """A large constant that is stored is one of the numbers of the skeleton."""
        if expr is None:
            return
        expr = self.writer.rewrite(expr)
        value = self.writer.constant(expr)
        if value is not None and value > SMALL and value not in self.writer.enumerators(expr):
            self.round.sizes.register(expr, self.writer.frame, LIMIT)

    def _put(self, event: Event, place: Place, key: Tracked, text: str, out: list[Node]) -> None:
        if key[0] == "private":
            name = self.writer.local_name(key, place.path[-1] if place.path else place.root.name, place.root.name)
            out.append(Line(f"{name} = {text}", event.site, sets=True))
            return
        atomic = event.act is Act.STORE or event.kind is Kind.ATOMIC
        atomic = atomic or self.round.objects.normal(place.family) in self.round.knowledge.learnt.words
        found = self.tracked_object(place, event, event.site, atomic)
        if found is not None:
            out.append(
                Line(f"yield {found}.{'store' if atomic else 'write'}({_integer(text)})", event.site, yields=True)
            )

    def known_or_chosen(
        self, value: Value | None, key: Tracked, expr: Expr | None, site: Site, out: list[Node]
    ) -> str | None:
        """The text of a value, its operations written before; a choice of what it is compared with if not known."""
        if value is not None:
            before, text = lines_before(value, self.writer)
            out += before
            return text
        if key in self.round.knowledge.difficult:
            self.round.ban(key)
            return None
        other = None if expr is None else self.computed(expr, key)
        if other is not None:
            return other
        options = sorted({0, 1} | self.round.knowledge.compared.get(key, set()))
        shown = "a value" if expr is None else self.writer.shown(expr)
        self.round.note(f"the value '{shown}' is a choice of the environment", site)
        name = self.writer.fresh("chosen")
        text = ", ".join(map(str, options))
        out.append(Line(f"{name} = yield choose({text})", site, shown, yields=True))
        return name

    def computed(self, expr: Expr, key: Tracked) -> str | None:
        """A computed value that is only tested for being one of some constants: it is taken to be none of them."""
        while isinstance(expr, Cast):
            expr = expr.operand
        knowledge = self.round.knowledge
        if not isinstance(expr, Binary) or expr.operator not in {"+", "-", "*", "/"} or key in knowledge.difficult:
            return None
        if key in knowledge.ordered:
            return None
        site = self.writer.site(expr)
        self.round.note(f"'{self.writer.shown(expr)}' is taken to be none of the values it is compared with", site)
        return str(max({1} | knowledge.compared.get(key, set())) + 1)

    def _modify(self, event: Event, place: Place, key: Tracked, out: list[Node]) -> None:
        """`x++`, `x += d`: read, then write, as the machine does."""
        operator = {"++": "+", "--": "-"}.get(event.operator, event.operator.removesuffix("="))
        assert event.expression is not None
        read = next((one for one in self.writer.pending if one.act is Act.READ and one.site == event.site), None)
        if read is not None:
            self.writer.pending.remove(read)
        amount: str | None = "1"
        if event.value is not None:
            value = self.writer.consume(event.value, out)
            amount = None
            if value is not None:
                before, amount = lines_before(value, self.writer)
                out += before
        self.writer.flush(out)
        if amount is None or operator not in {"+", "-", "*", "&", "|", "^", "%"}:
            self.round.ban(key)
            self._access(event, True, out)
            return
        shown = f"({amount})" if " " in amount else amount
        turns = self.round.turns(key) and operator in {"+", "-"}
        if turns:
            self.round.note(f"'{_last(place)}' is counted modulo {TURNS}", event.site)
        if key[0] == "private":
            name = self.writer.local_name(key, place.path[-1] if place.path else place.root.name, place.root.name)
            out.append(Line(f"{name} = {_turned(f'{name} {operator} {shown}', turns)}", event.site, sets=True))
            self.writer.after[event.expression.line, event.expression.column] = (
                f"({name} - 1)" if operator == "+" else f"({name} + 1)",
                name,
            )
            return
        found = self.tracked_object(place, event, event.site, False)
        if found is None:
            return
        name = self.writer.fresh(f"{_last(place)}_now")
        out.append(Line(f"{name} = yield {found}.read()", event.site, yields=True))
        after = _turned(f"{name} {operator} {shown}", turns)
        out.append(Line(f"yield {found}.write({after})", event.site, yields=True))
        at = event.expression.line, event.expression.column
        self.writer.after[at] = (name, f"({after})")

    def _change(self, event: Event, out: list[Node]) -> None:
        """An atomic change whose value nobody uses."""
        place = self.place_of(event)
        key = None if place is None else self.writer.memory_key(place)
        if place is None or key is None or not self.round.follows(key):
            return
        expressions = Expressions(self.writer)
        try:
            operation, _ = change_operation(event, expressions)
        except Untranslatable:
            operation = ""
        found = self.tracked_object(place, event, event.site, True) if operation else None
        if found is None:
            self.round.ban(key)
            return
        for wanted in expressions.value.wants:
            self.round.want(wanted)
        out.append(Line(f"yield {found}.{operation}", event.site, yields=True))

    def _holds_record(self, type: TypeName) -> bool:
        return not type.pointers and not type.arrays and self.round.program.record(type) is not None

    @abstractmethod
    def set_record(self, node: Set, out: list[Node]) -> None:
        """An assignment to a local record; see `records.py`."""

    @abstractmethod
    def copy_record(self, place: Place, value: Expr, event: Event, out: list[Node]) -> None:
        """An assignment of a whole record; see `records.py`."""

    def set(self, node: Set, out: list[Node]) -> None:
        """An assignment to a plain local."""
        writer = self.writer
        variable = writer.variable(node.name)
        if variable is not None and self._holds_record(variable.type):
            self.set_record(node, out)
            return
        key = writer.local_key(node.name)
        if not self.round.follows(key):
            writer.flush(out)
            return
        name = writer.local_name(key, node.name)
        if node.operator in {"++", "--"}:
            writer.flush(out)
            out.append(Line(f"{name} = {name} {node.operator[0]} 1", node.site, sets=True))
            return
        if node.value is not None:
            self.round.link(key, writer.key_of(node.value))
        value = writer.consume(node.value, out, target=key) if node.value is not None else None
        self._set_value(node, key, name, value, out)

    def _set_value(self, node: Set, key: Tracked, name: str, value: Value | None, out: list[Node]) -> None:
        operator = node.operator.removesuffix("=")
        if value is not None and operator not in {"", "+", "-", "*", "&", "|", "^", "%"}:
            value = None
        if value is not None and not operator:
            text = in_place(value, name + " = {}")
            if text is not None:
                out.append(Line(f"{name} = {text}", node.site, yields=bool(value.holes), sets=True))
                return
        if value is None and operator:
            self._accumulated(node, key, name, out)
            return
        text = self.known_or_chosen(value, key, node.value, node.site, out)
        if text is not None:
            shown = f"({text})" if " " in text else text
            given = f"{name} {operator} {shown}" if operator else text
            out.append(Line(f"{name} = {given}", node.site, sets=True))

    def _accumulated(self, node: Set, key: Tracked, name: str, out: list[Node]) -> None:
        """`n += count` where only "is it 0" matters: what is added is taken to be more than 0."""
        knowledge = self.round.knowledge
        compared = knowledge.compared.get(key, set())
        if node.operator != "+=" or key in knowledge.difficult or not compared <= {-1, 0, 1}:
            self.round.ban(key)
            return
        shown = "something" if node.value is None else self.writer.shown(node.value)
        self.round.note(f"'{shown}', which is added to '{node.name}', is taken to be more than 0", node.site)
        out.append(Line(f"{name} = 1", node.site, sets=True))


def _integer(text: str) -> str:
    compares = any(mark in text for mark in (" == ", " != ", " < ", " > ", " <= ", " >= ", "not ", " and ", " or "))
    return f"int({text})" if compares else text


def _turned(text: str, turns: bool) -> str:
    return f"({text}) % {TURNS}" if turns else text


def _last(place: Place) -> str:
    return next((one for one in reversed(place.path) if one not in {"*", "[]"}), place.root.name)
