"""Which place an event touches, as far as the threads' own numbers and the names by type tell.

Rules of this file: everything seen of a place is remembered for the next round.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cllm_sim.auditor.facts import Expr, Site
from cllm_sim.auditor.outline import Event
from cllm_sim.auditor.skeleton.place import FREE, UNKNOWN, Place, Root
from cllm_sim.auditor.vocabulary import Act

if TYPE_CHECKING:
    from cllm_sim.auditor.skeleton.statements import Writer


class Located:
    """Places of the events of one generator."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        self.round = writer.round

    def place_of(self, event: Event) -> Place | None:
        """The place that an event touches."""
        expr = event.expression
        if expr is None:
            return None
        expr = self.writer.rewrite(expr)
        frame = self.writer.frame
        if event.call is not None:
            return self.round.places.pointee(expr, frame)
        if event.passed or (event.act in {Act.READ, Act.WRITE} and self._hands_over(expr, event)):
            place = self.round.places.pointee(expr, frame)
            if place is not None and place.path and place.path[-1] == "[]" and place.indices[-1] == "0":
                place = place._replace(indices=(*place.indices[:-1], UNKNOWN))  # all of it
            return place
        return self.round.places.place(expr, frame)

    def _hands_over(self, expr: Expr, event: Event) -> bool:
        """Is it the memory behind the expression that is touched?"""
        locations, function = self.round.analysis.locations, self.writer.frame.function
        if event.target is None or locations.of(expr, function) == event.target:
            return False
        return locations.pointed(expr, function) == event.target

    def _location(self, event: Event):  # type: ignore[no-untyped-def]  # Location | None
        step = self.round.step(event, self.writer.frame)
        return step.target if step is not None and step.target is not None else event.target

    def _by_location(self, event: Event) -> Place | None:
        """Where the place cannot be worked out: the only one that has this name by type."""
        location = self._location(event)
        if location is None or location.kind in {"parameter", "local"}:
            return None
        families = list(self.round.families_at(location))
        if len(families) == 1:
            family = families[0]
            return Place(family.root, family.path, (UNKNOWN,) * family.path.count("[]"))
        step = self.round.step(event, self.writer.frame)
        own = self.own() if step is not None and step.own else ()
        index = own[-1] if own else UNKNOWN
        return Place(Root("type", location.owner, location.name.removesuffix("[]"), location.path), ("[]",), (index,))

    def _noted(self, place: Place, event: Event) -> Place:
        """A place with the thread's own number where the access is its own, and everything about it remembered."""
        step = self.round.step(event, self.writer.frame)
        generator = self.writer.generator
        if step is not None and step.own and generator.group.many:
            own_sizes = generator.group.sizes
            if not any(generator.sizes.get(one) in own_sizes for one in place.indices):
                place = self._own_element(place)
        self._note_place(place, event)
        return place

    def _own_element(self, place: Place) -> Place:
        """The first element of which nothing is known is the thread's own."""
        own = self.own()
        for at, text in enumerate(place.indices):
            if own and (text == UNKNOWN or text.startswith(FREE)):
                return place._replace(indices=(*place.indices[:at], own[-1], *place.indices[at + 1 :]))
        return place

    def own(self) -> tuple[str, ...]:
        """The names of the thread's own number here; if there is none, the function is given it in the next round."""
        generator = self.writer.generator
        if generator.group.many and not generator.own:
            function = generator.function
            self.round.knowledge.needs_own.add((function.path, function.line))
        return generator.own

    def _note_place(self, place: Place, event: Event) -> None:
        learnt = self.round.knowledge.learnt
        self.round.objects.note(place, self.writer.generator.sizes)
        group = self.writer.generator.group
        users = learnt.users.setdefault(place.root, set())
        users.add(group.name)
        location = self._location(event)
        if location is not None and location.kind not in {"parameter", "local"} and place.root.kind != "type":
            learnt.by_location.setdefault(location, set()).add(place.family)

    def is_private(self, root: Root) -> bool:
        """Is this local variable seen by its own thread only?"""
        if root.kind != "local":
            return False
        users = self.round.knowledge.learnt.users.get(root, set())
        return users <= {self._owner(root)}

    def _owner(self, root: Root) -> str:
        for group in self.round.threads.groups[1:]:
            if group.frame.how == root.how[: len(group.frame.how)]:
                return group.name
        return self.round.threads.groups[0].name

    def tracked_object(self, place: Place, event: Event | None, site: Site, atomic: bool) -> str | None:
        """The Python text of the object that holds a followed value; None (and given up) where it cannot be told."""
        if event is not None:
            place = self._noted(place, event)
        location = None if event is None else self._location(event)
        thing = self.round.objects.thing("word" if atomic else "variable", place, location, site)
        text, _, exact = self.round.objects.reference(thing, place, self.writer.generator.sizes)
        exact = exact and self.round.objects.told_apart(place)
        if place.root.kind == "local" and self.is_private(place.root):
            exact = exact and self._owner(place.root) == "main"
            if exact and self._of_a_caller(place.root) and self.round.knowledge.strict:
                self.round.knowledge.learnt.escaped.add(place.root)
        if not exact:
            if self.round.knowledge.strict:
                self.round.ban(self.writer.memory_key(place))
            return None
        thing.data = False
        if atomic:
            self.round.knowledge.learnt.words.add(thing.family)
        self.round.followed.add(thing.name)
        return text

    def _is_record(self, event: Event) -> bool:
        if event.expression is None or event.call is not None:
            return False
        type = self.round.program.type_of(event.expression, self.writer.frame.function)
        return (
            type is not None and not type.pointers and not type.arrays and self.round.program.record(type) is not None
        )

    def _of_a_caller(self, root: Root) -> bool:
        """Is this a local of a function that called this one?"""
        return root.kind == "local" and root.how not in self.writer.generator.hows and self.is_private(root)
