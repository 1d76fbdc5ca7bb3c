"""Events of C as operations of the language: locks, barriers, threads, accesses, and calls of the program's functions.

Rules of this file: one method per kind of event; what has no counterpart is left out and listed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cllm_sim.auditor.facts import Binary, Call, Cast, Expr, Function, InitialList, Site
from cllm_sim.auditor.outline import Event, Leave, Set, children
from cllm_sim.auditor.skeleton.calls import Calls
from cllm_sim.auditor.skeleton.code import Access, Block, Line, Node
from cllm_sim.auditor.skeleton.objects import Thing
from cllm_sim.auditor.skeleton.places import FREE, UNKNOWN, Place, Root
from cllm_sim.auditor.skeleton.round import Generator, Tracked
from cllm_sim.auditor.skeleton.sizes import LIMIT, THREADS
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
    from cllm_sim.auditor.skeleton.statements import Writer

SYNCHRONISATION = {
    Act.WAIT: ("barrier", "wait()"),
    Act.LOCK: ("mutex", "acquire()"),
    Act.LOCK_SHARED: ("mutex", "acquire()"),
    Act.TRY_LOCK: ("mutex", "acquire()"),
    Act.UNLOCK: ("mutex", "release()"),
    Act.SLEEP: ("condition", "wait()"),
    Act.NOTIFY: ("condition", "notify()"),
    Act.NOTIFY_ALL: ("condition", "notify_all()"),
    Act.DOWN: ("semaphore", "down()"),
    Act.TRY_DOWN: ("semaphore", "down()"),
    Act.UP: ("semaphore", "up()"),
}
SAID = {
    Act.LOCK_SHARED: "a lock for reading is taken as a lock for one",
    Act.TRY_LOCK: "an attempt to lock is taken as a lock",
    Act.TRY_DOWN: "an attempt to go down is taken as one that waits",
    Act.DETACH: "a detached thread is one that nobody joins",
    Act.CANCEL: "the cancellation of a thread is left out",
    Act.FORK: "a forked process is left out",
}


class Events:
    """Writes the events of one generator."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        self.round = writer.round
        self.calls = Calls(writer, self)

    # ------------------------------------------------------------------------------------------------------- dispatch
    def write(self, event: Event, out: list[Node]) -> None:
        """An event whose value nobody uses."""
        if event.act in SAID:
            self.round.note(SAID[event.act], event.site)
        if event.act in SYNCHRONISATION:
            self.writer.flush(out)
            self._synchronise(event, out)
        elif event.act in {Act.WRITE, Act.STORE}:
            self._store(event, out)
        elif event.act is Act.TIMED_SLEEP:
            self._timed(event, out)
        elif event.act is Act.INIT:
            self._initialise(event, out)
        else:
            self.writer.flush(out)
            self._rest(event, out)

    def _rest(self, event: Event, out: list[Node]) -> None:
        if event.act is Act.CREATE:
            self._create(event, out)
        elif event.act is Act.JOIN:
            self._join(event, out)
        elif event.act is Act.DESTROY:
            self._destroy(event, out)
        elif event.act is Act.END_THREAD:
            out.append(Line("return", event.site, leaves=True))
            if self.writer.frame.function is not self.writer.generator.group.entry:
                self.round.note("the end of a thread inside a function is taken as the function's end", event.site)

    def alone(self, event: Event, out: list[Node]) -> None:
        """An event with a value that nobody uses."""
        if event.act is Act.READ:
            self._access(event, False, out)
        elif event.act is Act.CHANGE:
            self._change(event, out)
        elif event.act is Act.CALL:
            self.calls.alone(event, out)

    # ------------------------------------------------------------------------------------------------- synchronisation
    def _synchronise(self, event: Event, out: list[Node]) -> None:
        kind, operation = SYNCHRONISATION[event.act]
        thing, text, size = self.sync(event, kind)
        if thing is None:
            return
        self.round.knowledge.learnt.used.add((kind, thing.family))
        if event.act in {Act.TRY_LOCK, Act.TRY_DOWN} and event.call is not None:
            self.writer.after[event.call.line, event.call.column] = ("0", "0")
        if kind == "condition" and event.partner is not None:
            self._partner(event, thing)
        self._operation(f"{text}.{operation}", size, event.site, out)

    def _operation(self, text: str, size: str, site: Site, out: list[Node]) -> None:
        """One operation, or one for each instance."""
        if not size:
            out.append(Line(f"yield {text}", site, yields=True))
            return
        line = Line(f"yield {text.format('each')}", site, yields=True)
        out.append(Block(Line(f"for each in range({size}):", site), "for", [line], variable="each"))

    def sync(self, event: Event, kind: str) -> tuple[Thing | None, str, str]:
        """The object that an event synchronises at, as Python text."""
        place = self.place_of(event) or self._by_location(event)
        if place is None:
            self.round.note(f"{event.act} of an object that cannot be told is left out", event.site)
            return None, "", ""
        return self._object(kind, self._noted(place, event), event)

    def _object(self, kind: str, place: Place, event: Event) -> tuple[Thing, str, str]:
        location = self._location(event)
        thing = self.round.objects.thing(kind, place, location, event.site)
        text, size, exact = self.round.objects.reference(thing, place, self.writer.generator.sizes)
        if not exact and event.act not in {Act.DESTROY}:
            text, size = text.replace("{}", "0"), ""
            self.round.note(f"which {thing.label} is meant is not known: the first is taken", event.site)
        return thing, text, size

    def _partner(self, event: Event, condition: Thing) -> None:
        arguments = event.call.arguments if event.call is not None else ()
        if len(arguments) < 2:
            return
        place = self.round.places.pointee(self.writer.rewrite(arguments[1]), self.writer.frame)
        if place is None and event.partner is not None:
            place = next((Place(*family) for family in self.round.families_at(event.partner)), None)
        if place is None:
            return
        self._note_place(place, event)
        mutex = self.round.objects.thing("mutex", place, event.partner, event.site)
        if condition.mutex is not None and condition.mutex is not mutex:
            self.round.note(f"{condition.label} is used with two mutexes: the first counts", event.site)
            return
        condition.mutex = mutex

    def _timed(self, event: Event, out: list[Node]) -> None:
        """A sleep for a limited time may end at any moment: the mutex is given back and taken again."""
        self.writer.flush(out)
        self.round.note("a wait with a time limit may end at any time", event.site)
        arguments = event.call.arguments if event.call is not None else ()
        place = (
            self.round.places.pointee(self.writer.rewrite(arguments[1]), self.writer.frame)
            if len(arguments) > 1
            else None
        )
        if place is None:
            return
        _, text, _ = self._object("mutex", self._noted(place, event), event)
        out.append(Line(f"yield {text}.release()", event.site, yields=True))
        out.append(Line("yield choose(0)", event.site, "the time passes", yields=True))
        out.append(Line(f"yield {text}.acquire()", event.site, yields=True))

    def _initialise(self, event: Event, out: list[Node]) -> None:
        if event.kind is Kind.ATOMIC:
            self._store(event, out)
            return
        value = event.value
        if event.kind in {Kind.BARRIER, Kind.SEMAPHORE} and value is not None:
            size = self._count(event, value)
            self.writer.pending = []
            thing, _, _ = self.sync(event, str(event.kind))
            if thing is not None and event.kind is Kind.BARRIER:
                thing.parties = size
            elif thing is not None:
                thing.initial = size
            if thing is not None:
                self.round.knowledge.learnt.initialised.setdefault(thing.family, set()).add(event.site)
        else:
            self.writer.flush(out)

    def _count(self, event: Event, value: Expr) -> str:
        sizes, frame = self.round.sizes, self.writer.frame
        value = self.writer.rewrite(value)
        text = sizes.text(value, frame)
        threads = {one.name for one in sizes.known.values() if one.kind == THREADS}
        if text is not None and any(name in text for name in threads):
            return text
        constant = self.writer.constant(value)
        if event.kind is Kind.BARRIER:
            shift = self.round.threads.shift(event, self._location(event))
            if constant is None:
                key = sizes.key(value, frame)
                constant = None if key is None else sizes.value(key, value, frame)
            if constant is not None:
                return str(max(1, constant + shift))
            self.round.note("the number of parties is not known: all threads that wait there are taken", event.site)
            return str(max(1, self.round.threads.parties(self._location(event))))
        if constant is not None and constant > sizes.scale.limit:
            size = sizes.register(value, frame, LIMIT)
            return str(constant) if size is None else size.name
        return text or "0"

    def _destroy(self, event: Event, out: list[Node]) -> None:
        kind = {Kind.BARRIER: "barrier", Kind.MUTEX: "mutex"}.get(event.kind)
        if kind is None:
            return
        learnt = self.round.knowledge.learnt
        place = self.place_of(event) or self._by_location(event)
        if place is None or (kind, self.round.objects.normal(place.family)) not in learnt.used:
            return
        thing, text, size = self.sync(event, kind)
        if thing is None or len(learnt.initialised.get(thing.family, ())) > 1:
            return
        self._operation(f"{text}.destroy()", size, event.site, out)

    # --------------------------------------------------------------------------------------------------------- threads
    def _create(self, event: Event, out: list[Node]) -> None:
        frame = self.writer.frame
        for group in self.round.threads.created(event):
            change: dict[str, str] = {}
            if event.expression is not None and group.handle is not None:
                place = self.round.places.pointee(self.writer.rewrite(event.expression), frame)
                if place is not None and place.family == group.handle.family:
                    change = dict(zip(group.handle.indices, place.indices, strict=True))
            names, size = "", ""
            for number, one in enumerate(group.dimensions):
                function, _, name = one.free.removeprefix(FREE).partition(":")
                text = frame.integers.get(name) if function == frame.function.name else None
                text = text or change.get(one.free, UNKNOWN)
                if text in {UNKNOWN} or text.startswith(FREE):
                    text = "each"
                    size = group.sizes[number]
                names += f"[{text}]"
            self._operation(f"{group.name}_start{names}.up()".replace("each", "{}"), size, event.site, out)

    def _join(self, event: Event, out: list[Node]) -> None:
        place = None
        if event.expression is not None:
            place = self.round.places.place(self.writer.rewrite(event.expression), self.writer.frame)
        found = self.round.threads.joined(event, place)
        if not found:
            self.round.note("which thread is joined cannot be told: the join is left out", event.site)
        for group, numbers in found:
            group.joined = True
            if not group.dimensions:
                out.append(Line(f"yield join({group.actor(())})", event.site, yields=True))
            elif numbers is not None and not any(one.startswith(FREE) for one in numbers):
                known = self.writer.generator.sizes
                numbers = tuple(
                    one if one in known or one.isdigit() else f"{one} % {size}"
                    for one, size in zip(numbers, group.sizes, strict=True)
                )
                out.append(Line(f"yield join({group.actor(numbers)})", event.site, yields=True))
            else:
                self._join_each(group.actor(tuple(f"each_{n}" for n in range(len(group.sizes)))), group.sizes, event, out)

    def _join_each(self, actor: str, sizes: list[str], event: Event, out: list[Node]) -> None:
        body: list[Node] = [Line(f"yield join({actor})", event.site, yields=True)]
        for number in reversed(range(len(sizes))):
            head = Line(f"for each_{number} in range({sizes[number]}):", event.site)
            body = [Block(head, "for", body, variable=f"each_{number}")]
        out += body

    # ---------------------------------------------------------------------------------------------------------- places
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
        index = own[0] if own else UNKNOWN
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
                return place._replace(indices=(*place.indices[:at], own[0], *place.indices[at + 1 :]))
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

    # -------------------------------------------------------------------------------------------------------- accesses
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
        text, size, exact = self.round.objects.reference(thing, place, self.writer.generator.sizes)
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

    def _is_record(self, event: Event) -> bool:
        if event.expression is None or event.call is not None:
            return False
        type = self.round.program.type_of(event.expression, self.writer.frame.function)
        return type is not None and not type.pointers and not type.arrays and self.round.program.record(type) is not None

    # ---------------------------------------------------------------------------------------------------------- writes
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

    def _of_a_caller(self, root: Root) -> bool:
        """Is this a local of a function that called this one?"""
        return root.kind == "local" and root.how not in self.writer.generator.hows and self.is_private(root)

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
            out.append(Line(f"yield {found}.{'store' if atomic else 'write'}({_integer(text)})", event.site, yields=True))

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
        if key[0] == "private":
            name = self.writer.local_name(key, place.path[-1] if place.path else place.root.name, place.root.name)
            out.append(Line(f"{name} = {name} {operator} {shown}", event.site, sets=True))
            self.writer.after[event.expression.line, event.expression.column] = (f"({name} - 1)" if operator == "+" else f"({name} + 1)", name)
            return
        found = self.tracked_object(place, event, event.site, False)
        if found is None:
            return
        name = self.writer.fresh(f"{_last(place)}_now")
        out.append(Line(f"{name} = yield {found}.read()", event.site, yields=True))
        out.append(Line(f"yield {found}.write({name} {operator} {shown})", event.site, yields=True))
        at = event.expression.line, event.expression.column
        self.writer.after[at] = (name, f"({name} {operator} {shown})")

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

    def set(self, node: Set, out: list[Node]) -> None:
        """An assignment to a plain local."""
        writer = self.writer
        variable = writer.variable(node.name)
        if variable is not None and not variable.type.pointers and not variable.type.arrays:
            if self.round.program.record(variable.type) is not None:
                self._set_record(node, out)
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

    # --------------------------------------------------------------------------------------------------------- records
    def _set_record(self, node: Set, out: list[Node]) -> None:
        writer = self.writer
        place = Place(Root("local", writer.frame.function.name, node.name, writer.frame.function.path, writer.frame.how))
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
                found.append(path[len(place.path) :])  # type: ignore[index]
        return list(dict.fromkeys(found))

    def _initial_record(self, place: Place, node: Set, out: list[Node]) -> None:
        fields = self._fields(place)
        given: dict[str, Expr] = {}
        for stored in (one for field in fields for one in self.round.places.stores.of(field[-1])):
            if stored.initial and stored.function is self.writer.frame.function and stored.target.line == node.site.line:
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

    def _assign_member(
        self, event: Event, target: Place, key: Tracked, given: Expr | None, out: list[Node]
    ) -> None:
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

    # ----------------------------------------------------------------------------------------------------------- calls
    def request(self, event: Event, *, wants_result: bool = False) -> tuple[Generator, str] | None:
        """The generator that a call runs, with its arguments."""
        return self.calls.request(event, wants_result=wants_result)

    def inline_return(self, node: Leave, out: list[Node]) -> None:
        """`return` in a function that is written where it is called."""
        self.calls.inline_return(node, out)


def _integer(text: str) -> str:
    compares = any(mark in text for mark in (" == ", " != ", " < ", " > ", " <= ", " >= ", "not ", " and ", " or "))
    return f"int({text})" if compares else text


def _last(place: Place) -> str:
    return next((one for one in reversed(place.path) if one not in {"*", "[]"}), place.root.name)


def ends_only_at_its_end(body: tuple[object, ...], last: bool = True) -> bool:
    """Has a function no `return` but as its last statement?"""
    for at, node in enumerate(body):
        at_end = last and at == len(body) - 1
        if isinstance(node, Leave):
            if node.kind != "return" or not at_end:
                return False
        elif not ends_only_at_its_end(children(node), last=False):  # type: ignore[arg-type]
            return False
    return True


def same_function(one: Function, other: Function) -> bool:
    """Are two functions the same one?"""
    return (one.path, one.line) == (other.path, other.line)
