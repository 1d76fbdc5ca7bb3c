"""What names mean in one generator: locals, places, keys of followed values, and what is pending.

Rules of this file: it answers and gives names; it writes no statement.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cllm_sim.auditor.facts import Assign, Call, Cast, Expr, Name, Site, Unary
from cllm_sim.auditor.outline import Event
from cllm_sim.auditor.program import Variable
from cllm_sim.auditor.skeleton.place import Frame, Place
from cllm_sim.auditor.skeleton.round import Generator, Round, Tracked
from cllm_sim.auditor.skeleton.values import WORDS
from cllm_sim.auditor.vocabulary import Act

if TYPE_CHECKING:
    from cllm_sim.auditor.skeleton.events import Events


class Scope:
    """The names of one generator while it is written."""

    round: Round
    generator: Generator
    frame: Frame
    pending: list[Event]
    after: dict[tuple[int, int], tuple[str, str]]
    events: Events

    def site(self, expr: Expr) -> Site:
        """Where an expression stands."""
        return Site(self.frame.function.path, expr.line, expr.column)

    def shown(self, expr: Expr) -> str:
        """An expression as a person reads it, in one short line."""
        text = " ".join(self.round.program.text(expr).split())
        return text if len(text) <= 60 else text[:57] + "..."

    def rewrite(self, expr: Expr) -> Expr:
        """An expression without macros."""
        return self.round.places.rewrite(expr, self.frame.function)

    def variable(self, name: str) -> Variable | None:
        """What a name means here."""
        return self.round.program.variable(name, self.frame.function, self.frame.function.path)

    def constant(self, expr: Expr | None) -> int | None:
        """The value of a constant."""
        if expr is None:
            return None
        if isinstance(expr, Name) and self.variable(expr.name) is None and expr.name in WORDS:
            return WORDS[expr.name]
        return self.round.program.constant(expr, self.frame.function, self.frame.function.path)

    def given_away(self, name: str) -> bool:
        """Is the address of a local given to a function that is not in the sources? Then anything may stand in it."""
        return name in self.round.places.given_away(self.frame.function)

    def enumerators(self, expr: Expr) -> set[int]:
        """The constant's value, if it is a word for something and no amount."""
        value = self.constant(expr)
        while isinstance(expr, Cast):
            expr = expr.operand
        names = {name for file in self.round.program.files for name, given, _ in file.constants if given is None}
        return {value} if value is not None and isinstance(expr, Name) and expr.name in names else set()

    def local_key(self, name: str) -> Tracked:
        """The key of a local variable."""
        return "local", self.frame.function.path, self.frame.function.line, name

    def local_name(self, key: Tracked, *names: str) -> str:
        """The Python name of a local."""
        if key not in self.generator.locals:
            self.generator.locals[key] = self.fresh(*names)
        return self.generator.locals[key]

    def fresh(self, *names: str) -> str:
        """A name that nothing else in the generator has."""
        name = "_".join(reversed(names)) if len(names) > 1 else names[0]
        name = "".join(one if one.isalnum() or one == "_" else "_" for one in name).strip("_") or "value"
        name = self.round.objects_safe(name)
        unique, number = name, 2
        while unique in self.generator.names:
            unique, number = f"{name}_{number}", number + 1
        self.generator.names.add(unique)
        self.round.knowledge.local_names.add(unique)
        return unique

    def key_of(self, expr: Expr) -> Tracked | None:
        """The key of what an expression reads, if it is one thing."""
        while isinstance(expr, Cast):
            expr = expr.operand
        if isinstance(expr, Name):
            variable = self.variable(expr.name)
            plain = variable is not None and variable.kind != "global" and not variable.static
            if plain and self.pending_at(expr) is None:
                return self.local_key(expr.name)
        if isinstance(expr, Call):
            event = self.pending_call(expr)
            if event is not None and len(event.callees) == 1:
                return "result", event.callees[0].path, event.callees[0].line
            place = None if event is None or event.act is Act.CALL else self.event_place(event)
            return None if place is None else self.memory_key(place)
        if isinstance(expr, Assign):
            return self.key_of(expr.target)
        if isinstance(expr, Unary) and expr.operator in {"++x", "--x", "x++", "x--"}:
            return self.key_of(expr.operand)
        place = self.place(expr)
        return None if place is None else self.memory_key(place)

    def place(self, expr: Expr) -> Place | None:
        """The place that an lvalue names here."""
        return self.round.places.place(self.rewrite(expr), self.frame)

    def event_place(self, event: Event) -> Place | None:
        """The place that an event touches: its expression is an lvalue, or (for library calls) a pointer to one."""
        return self.events.place_of(event)

    def memory_key(self, place: Place) -> Tracked:
        """The key of a place: private if it is a local that only this generator sees."""
        root = place.root
        if root in self.round.knowledge.learnt.escaped:
            return "memory", place.family
        if root.kind == "local" and root.how in self.generator.hows and self.events.is_private(root):
            return "private", root._replace(how=()), place.path
        return "memory", place.family

    def pending_at(self, expr: Expr) -> Event | None:
        """The pending read of an lvalue."""
        at = (expr.line, expr.column)
        for event in self.pending:
            reads = event.act in {Act.READ, Act.LOAD} and event.call is None and not event.passed
            here = (event.site.line, event.site.column) == at and type(event.expression) is type(expr)
            if reads and here:
                return event
        return None

    def pending_call(self, call: Call) -> Event | None:
        """The pending event of a call."""
        for event in self.pending:
            if event.call is not None and event.call == call:
                return event
        return None

    def tracked_object(self, place: Place, event: Event | None, site: Site, atomic: bool) -> str | None:
        """The Python text of the object that holds a followed value."""
        return self.events.tracked_object(place, event, site, atomic)

    def request(self, event: Event, *, wants_result: bool = False) -> tuple[Generator, str] | None:
        """The generator that a call runs, and its arguments."""
        return self.events.request(event, wants_result=wants_result)
