"""Events of C as operations of the language: locks, barriers, threads, accesses, and calls of the program's functions.

Rules of this file: one method per kind of event; what has no counterpart is left out and listed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cllm_sim.auditor.facts import Expr, Site
from cllm_sim.auditor.outline import Event, Leave, children
from cllm_sim.auditor.skeleton.calls import Calls
from cllm_sim.auditor.skeleton.code import Block, Line, Node
from cllm_sim.auditor.skeleton.objects import Thing
from cllm_sim.auditor.skeleton.place import FREE, UNKNOWN, Place
from cllm_sim.auditor.skeleton.records import Records
from cllm_sim.auditor.skeleton.round import Generator
from cllm_sim.auditor.skeleton.sizes import LIMIT, THREADS
from cllm_sim.auditor.skeleton.threads import Group
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


class Events(Records):
    """Writes the events of one generator."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        self.round = writer.round
        self.calls = Calls(writer, self)

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

    def _synchronise(self, event: Event, out: list[Node]) -> None:
        kind, operation = SYNCHRONISATION[event.act]
        thing, text, size = self.sync(event, kind)
        if thing is None or self._unheard(event, thing):
            return
        self.round.knowledge.learnt.used.add((kind, thing.family))
        if event.act in {Act.TRY_LOCK, Act.TRY_DOWN} and event.call is not None:
            self.writer.after[event.call.line, event.call.column] = ("0", "0")
        if kind == "condition" and event.partner is not None:
            self._partner(event, thing)
        self._operation(f"{text}.{operation}", size, event.site, out)

    def _unheard(self, event: Event, thing: Thing) -> bool:
        """Is this a signal to a condition at which nobody ever sleeps without a limit?"""
        slept = self.round.knowledge.learnt.slept
        if event.act is Act.SLEEP:
            slept.add(thing.family)
        return event.act in {Act.NOTIFY, Act.NOTIFY_ALL} and thing.family not in slept

    def _operation(self, text: str, size: str, site: Site, out: list[Node]) -> None:
        """One operation, or one for each instance."""
        if not size:
            out.append(Line(f"yield {text}", site, yields=True))
            return
        line = Line(f"yield {text.replace('{}', 'each')}", site, yields=True)
        out.append(Block(Line(f"for each in range({size}):", site), "for", [line], variable="each"))

    def sync(self, event: Event, kind: str) -> tuple[Thing | None, str, str]:
        """The object that an event synchronises at, as Python text."""
        place = self.place_of(event) or self._by_location(event)
        if place is None:
            self.round.note(f"{event.act} of an object that cannot be told is left out", event.site)
            return None, "", ""
        if place.root.kind == "type":
            place = self._noted(place, event)
        else:
            self._note_place(place, event)  # that a lock is "the thread's own" is too bold a guess
        return self._object(kind, place, event)

    def _object(self, kind: str, place: Place, event: Event) -> tuple[Thing, str, str]:
        location = self._location(event)
        thing = self.round.objects.thing(kind, place, location, event.site)
        text, size, exact = self.round.objects.reference(thing, place, self.writer.generator.sizes)
        if event.act is not Act.DESTROY and not (exact and self.round.objects.told_apart(place)):
            if kind in {"mutex", "condition", "semaphore"}:
                self.round.vague.add(thing.name)
            if not exact:
                text, size = text.replace("{}", "0"), ""
            self.round.note(f"which {thing.label} is meant is not known: one is taken for all", event.site)
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
        self._remember(event)
        value = event.value
        if event.kind in {Kind.BARRIER, Kind.SEMAPHORE} and value is not None:
            size = self._count(event, value)
            self.writer.pending = []
            thing, _, _ = self.sync(event, str(event.kind))
            if thing is not None and event.kind is Kind.BARRIER:
                thing.parties = size
            elif thing is not None:
                thing.initial = size
        else:
            self.writer.flush(out)

    def _remember(self, event: Event) -> None:
        """Where an object is made: one that is made more than once is not followed to its destruction."""
        place = self.place_of(event)
        if place is None:
            return
        self._note_place(place, event)
        family = self.round.objects.normal(place.family)
        sites = self.round.knowledge.learnt.initialised.setdefault(family, set())
        sites.add(event.site)
        if self.writer.repeated and not self.round.objects.dimensions(family):
            sites.add(event.site._replace(column=0))  # made anew in every round

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
                text = self._counter(one.free) or change.get(one.free, UNKNOWN)
                if text in {UNKNOWN} or text.startswith(FREE):
                    text = "each"
                    size = group.sizes[number]
                elif not text.isdigit() and text not in self.writer.generator.sizes:
                    text = f"{text} % {group.sizes[number]}"
                names += f"[{text}]"
            started: list[Node] = []
            self._operation(f"{group.name}_start{names}.up()".replace("each", "{}"), size, event.site, started)
            out += self._only(group, started, event)

    def _counter(self, free: str) -> str | None:
        """The text of a loop's counter: of this function, or handed on by those that led here."""
        frame = self.writer.frame
        function, _, name = free.removeprefix(FREE).partition(":")
        if function == frame.function.name:
            return frame.integers.get(name)
        if free not in frame.indices:
            self.round.knowledge.needs_index.add((frame.function.path, frame.function.line, free))
        return frame.indices.get(free)

    def _only(self, group: Group, body: list[Node], event: Event) -> list[Node]:
        """What concerns a thread out of a table of functions happens in one round only."""
        if group.only is None:
            return body
        text = self._counter(group.only[0])
        if text is None:
            return body
        return [Block(Line(f"if {text} == {group.only[1]}:", event.site), "if", body)]

    def _join(self, event: Event, out: list[Node]) -> None:
        place = None
        frame = self.writer.frame
        if event.expression is not None:
            place = self.round.places.place(self.writer.rewrite(event.expression), frame)
        here = {f"{FREE}{frame.function.name}:{name}": text for name, text in frame.integers.items()}
        for group in self.round.threads.groups[1:]:
            for one in group.dimensions:
                if group.handle is None or one.free not in group.handle.indices:
                    self._counter(one.free)
        here.update(frame.indices)
        found = self.round.threads.joined(event, place, here)
        if not found:
            self.round.note("which thread is joined cannot be told: the join is left out", event.site)
        for group, numbers in found:
            body: list[Node] = []
            self._joined(group, numbers, event, body)
            out += self._only(group, body, event)

    def _joined(self, group: Group, numbers: tuple[str, ...] | None, event: Event, out: list[Node]) -> None:
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

    def request(self, event: Event, *, wants_result: bool = False) -> tuple[Generator, str] | None:
        """The generator that a call runs, with its arguments."""
        return self.calls.request(event, wants_result=wants_result)

    def inline_return(self, node: Leave, out: list[Node]) -> None:
        """`return` in a function that is written where it is called."""
        self.calls.inline_return(node, out)


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
