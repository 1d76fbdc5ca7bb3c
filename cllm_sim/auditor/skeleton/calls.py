"""Calls of the program's own functions: a generator for each way of being called, or the body written in place.

Rules of this file: a function is written once for every combination of places its parameters lead to; numbers that tell
instances apart become Python parameters. A function that changes its caller's locals, or returns a record, is written
where it is called, if it has no early return; else its effect on them is given up.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from cllm_sim.auditor.facts import Call, Cast, Function, Name
from cllm_sim.auditor.outline import Event, Leave
from cllm_sim.auditor.skeleton.code import (
    Access,
    Block,
    Line,
    Node,
    accesses,
    happens,
    only_accesses,
    only_choices,
    simplified,
    trimmed,
)
from cllm_sim.auditor.skeleton.place import FREE, UNKNOWN, Frame, Place, number, ring
from cllm_sim.auditor.skeleton.round import GENERATORS_MAX, Generator, TooLarge, Tracked
from cllm_sim.auditor.skeleton.values import Expressions, Untranslatable, lines_before

if TYPE_CHECKING:
    from cllm_sim.auditor.skeleton.events import Events
    from cllm_sim.auditor.skeleton.statements import Writer

INLINE_DEPTH_MAX = 4


class Calls:
    """Writes the calls of one generator."""

    def __init__(self, writer: Writer, events: Events) -> None:
        self.writer = writer
        self.events = events
        self.round = writer.round
        self.active: list[Function] = []
        self.returned: Place | None = None

    def alone(self, event: Event, out: list[Node]) -> None:
        """A call whose result nobody uses."""
        callees = event.callees
        if len(callees) == 1:
            self._one(event, callees[0], out)
            return
        bodies: list[list[Node]] = []
        for callee in callees:
            body: list[Node] = []
            self._one(event, callee, body)
            if happens(body) and all(_texts(body) != _texts(other) for other in bodies):
                bodies.append(body)
        if len(bodies) < 2:
            out += bodies[0] if bodies else []
            return
        self.round.note(f"which function '{event.name}' is, is a choice of the environment", event.site)
        name = self.writer.fresh("target")
        numbers = ", ".join(str(one) for one in range(len(bodies)))
        out.append(Line(f"{name} = yield choose({numbers})", event.site, event.name, yields=True))
        for at, body in enumerate(bodies):
            word = "if" if at == 0 else "elif"
            out.append(Block(Line(f"{word} {name} == {at}:", event.site), word, body))

    def _one(self, event: Event, callee: Function, out: list[Node]) -> None:
        assert event.call is not None
        frame = self.round.places.called(self.writer.frame, event.call, callee)
        if self._in_place(callee, frame):
            out += self._inline(callee, frame)
            return
        made = self._generator(event, callee, frame)
        if made is None:
            return
        generator, arguments = made
        body = simplified(generator.body) if generator.done and only_accesses(generator.body) else []
        if body and all(isinstance(one, Access) for one in body):
            out += _with_arguments(generator, arguments, accesses(body))
        else:
            out.append(Line(f"yield from {generator.name}({arguments})", event.site, yields=True))

    # -------------------------------------------------------------------------------------------------------- in place
    def _in_place(self, callee: Function, frame: Frame) -> bool:
        if len(self.active) >= INLINE_DEPTH_MAX or any(one is callee for one in self.active):
            return False
        hows = self.writer.generator.hows
        given = any(
            (place is not None and place.root.kind == "local" and place.root.how in hows
            and self.events.is_private(place.root) and self.events._fields(place._replace(indices=())))
            or (place is not None and self._followed(place))
            for place in frame.places.values()
        )  # fmt: skip
        return given and self.plain(callee)

    def _followed(self, place: Place) -> bool:
        """Is this a followed plain local of this generator?"""
        key = self.writer.memory_key(place)
        return key[0] == "private" and self.round.follows(key)

    def plain(self, callee: Function) -> bool:
        """Has a function no early return?"""
        from cllm_sim.auditor.skeleton.events import ends_only_at_its_end

        return ends_only_at_its_end(self.round.analysis.outliner.of(callee).body)

    def _inline(self, callee: Function, frame: Frame) -> list[Node]:
        writer = self.writer
        held = (writer.frame, writer.loops, writer.labels, writer.after, writer.pending)
        writer.frame, writer.loops, writer.labels, writer.after, writer.pending = frame, [], [], {}, []
        writer.generator.hows.append(frame.how)
        writer.inlined += 1
        self.active.append(callee)
        self.returned = None
        before = self._parameters(callee, frame, held[0])
        body = [*before, *writer.sequence(self.round.analysis.outliner.of(callee).body)]
        writer.flush(body)
        self.active.pop()
        writer.inlined -= 1
        writer.frame, writer.loops, writer.labels, writer.after, writer.pending = held
        return [one for one in body if not (isinstance(one, Line) and one.text == "return")]

    def _parameters(self, callee: Function, frame: Frame, caller: Frame) -> list[Node]:
        """Followed parameters of a function written in place are assigned first."""
        out: list[Node] = []
        writer = self.writer
        for parameter in callee.parameters:
            key: Tracked = ("local", callee.path, callee.line, parameter.name)
            if parameter.name not in frame.sizes or not self.round.follows(key):
                continue
            name = writer.local_name(key, parameter.name)
            here, writer.frame = writer.frame, caller
            try:
                value = Expressions(writer).translate(frame.sizes[parameter.name])
                before, text = lines_before(value, writer)
                out += [*before, Line(f"{name} = {text}", writer.site(frame.sizes[parameter.name]), sets=True)]
            except Untranslatable:
                self.round.ban(key)
            writer.frame = here
        return out

    def inline_return(self, node: Leave, out: list[Node]) -> None:
        """The end of a function written in place: remember what it returns."""
        self.writer.flush(out)
        if node.value is not None:
            self.returned = self.round.places.place(self.writer.rewrite(node.value), self.writer.frame)

    def inlined_record(self, call: Call, out: list[Node]) -> Place | None:
        """The record that a call returns, if the function can be written in place."""
        event = self.writer.pending_call(self._rewritten(call))
        if event is None or len(event.callees) != 1 or event.call is None:
            return None
        callee = event.callees[0]
        if not self.plain(callee) or len(self.active) >= INLINE_DEPTH_MAX:
            return None
        self.writer.pending.remove(event)
        self.writer.flush(out)
        frame = self.round.places.called(self.writer.frame, event.call, callee)
        out += self._inline(callee, frame)
        return self.returned

    def _rewritten(self, call: Call) -> Call:
        rewritten = self.writer.rewrite(call)
        return rewritten if isinstance(rewritten, Call) else call

    # ------------------------------------------------------------------------------------------------------ generators
    def request(self, event: Event, *, wants_result: bool = False) -> tuple[Generator, str] | None:
        """The generator of a call with a single target, and its arguments; None if nothing happens in it."""
        if len(event.callees) != 1 or event.call is None:
            return None
        callee = event.callees[0]
        if wants_result:
            self.round.want(("result", callee.path, callee.line))
        return self._generator(event, callee, self.round.places.called(self.writer.frame, event.call, callee))

    def _generator(self, event: Event, callee: Function, frame: Frame) -> tuple[Generator, str] | None:
        holes = self._holes(callee, frame)
        caller = self.writer.generator
        if (callee.path, callee.line) in self.round.knowledge.needs_own and caller.group.many:
            if caller.own:
                for text in caller.own:
                    holes.setdefault(text, "me" if len(caller.own) == 1 else f"me_{len(holes)}")
            else:
                self.round.knowledge.needs_own.add((caller.function.path, caller.function.line))
        self._hand_on(callee, frame, holes)
        arguments = [*holes]
        tracked = self._tracked_parameters(callee, frame, event)
        key = self._key(callee, frame, holes)
        generator = self.round.generators.get(key)
        if generator is None and (callee.path, callee.line) in self.round.writing:
            self.round.note(f"the recursive call of {callee.name} is left out", event.site)
            return None
        if generator is None:
            generator = self._write(callee, frame, holes, [name for name, _ in tracked], key)
        if not generator.done:
            self.round.note(f"the recursive call of {callee.name} is left out", event.site)
            return None
        if generator.silent:
            return None
        arguments += [text for _, text in tracked]
        return generator, ", ".join(arguments)

    def _hand_on(self, callee: Function, frame: Frame, holes: dict[str, str]) -> None:
        """Counters of loops around the call that the callee needs to know."""
        for path, line, free in sorted(self.round.knowledge.needs_index):
            if (path, line) != (callee.path, callee.line):
                continue
            text = self.events._counter(free)
            if text is not None:
                holes.setdefault(text, self.round.objects_safe(free.rpartition(":")[2]))
                frame.indices[free] = holes[text]

    def _holes(self, callee: Function, frame: Frame) -> dict[str, str]:
        """Texts of the caller that pick instances, and the parameters they become; the frame is changed to these."""
        holes: dict[str, str] = {}
        sizes = {one.name for one in self.round.sizes.known.values()}

        def inside(text: str, name: str) -> str:
            if text == UNKNOWN or text.startswith(FREE) or number(text) or text in sizes:
                return text
            if text not in holes:
                taken = set(holes.values())
                wanted, count = f"{name}_number" if name in taken else name, 2
                while wanted in taken:
                    wanted, count = f"{name}_{count}", count + 1
                holes[text] = self.round.objects_safe(wanted)
            return holes[text]

        for name, place in frame.places.items():
            if place is not None:
                frame.places[name] = place._replace(indices=tuple(inside(one, name) for one in place.indices))
        for name, text in list(frame.integers.items()):
            if text == UNKNOWN or text.startswith(FREE):
                del frame.integers[name]
            else:
                frame.integers[name] = inside(text, name)
        return holes

    def _tracked_parameters(self, callee: Function, frame: Frame, event: Event) -> list[tuple[str, str]]:
        """Followed integer parameters with the arguments' texts."""
        found = []
        for parameter in callee.parameters:
            key: Tracked = ("local", callee.path, callee.line, parameter.name)
            if parameter.name not in frame.sizes or parameter.name in frame.integers or not self.round.follows(key):
                continue
            argument = frame.sizes[parameter.name]
            self.round.link(key, self.writer.key_of(argument))
            try:
                value = Expressions(self.writer).translate(argument, target=key)
            except Untranslatable:
                other = self.events.computed(argument, key)
                if other is None:
                    self.round.ban(key)
                else:
                    found.append((parameter.name, other))
                continue
            if not value.constant:
                self.round.ban(key)
                continue
            found.append((parameter.name, value.text))
        return found

    def _key(self, callee: Function, frame: Frame, holes: dict[str, str]) -> tuple[object, ...]:
        places = tuple(sorted((name, str(place)) for name, place in frame.places.items()))
        integers = tuple(sorted(frame.integers.items()))
        owns = any(root.kind == "local" and root.owner == callee.name and "*" in self.round.paths_of(root)
                   for root in self.round.knowledge.learnt.users)  # fmt: skip
        sizes = tuple(self.writer.generator.sizes.get(text) or ring(text) or "" for text in holes)
        how = frame.how if owns else ()
        integers += tuple(sorted(frame.indices.items()))
        return (
            callee.path,
            callee.line,
            places,
            integers,
            sizes,
            how,
            tuple(holes.values()),
            self.writer.generator.group.name,
        )

    def _write(
        self, callee: Function, frame: Frame, holes: dict[str, str], tracked: list[str], key: tuple[object, ...]
    ) -> Generator:
        from cllm_sim.auditor.skeleton.statements import Writer

        if len(self.round.generators) >= GENERATORS_MAX:
            raise TooLarge
        caller = self.writer.generator
        generator = Generator("", callee, frame, caller.group, hows=[frame.how])
        generator.name = self.round.generator_name(callee.name)
        generator.repeated = self.writer.repeated
        generator.parameters = [*holes.values(), *tracked]
        generator.names |= set(generator.parameters)
        self.round.knowledge.local_names |= set(generator.parameters)
        lengths = {text: caller.sizes.get(text) or ring(text) for text in holes}
        generator.sizes = {holes[text]: length for text, length in lengths.items() if length is not None}
        if caller.own and all(text in holes for text in caller.own):
            generator.own = tuple(holes[text] for text in caller.own)
        for name in tracked:
            generator.locals[("local", callee.path, callee.line, name)] = name
        self.round.generators[key] = generator
        self.round.writing.append((callee.path, callee.line))
        Writer(self.round, generator).write()
        self.round.writing.pop()
        generator.body = trimmed(generator.body)
        idle = only_choices(generator.body) and not generator.returns
        generator.silent = idle or not happens(generator.body) or not _yields(generator.body)
        generator.done = True
        return generator


def _yields(body: list[Node]) -> bool:
    """Is there anything to yield (and not only ways to leave)?"""
    for node in body:
        if isinstance(node, Line) and node.yields:
            return True
        if isinstance(node, Block) and (node.head.yields or _yields(node.body)):
            return True
        if not isinstance(node, Line | Block):
            return True
    return False


def _with_arguments(generator: Generator, arguments: str, body: list[Access]) -> list[Node]:
    """The accesses of a function that does nothing else, in the caller's words."""
    given = dict(zip(generator.parameters, arguments.split(", "), strict=False))

    def said(text: str) -> str:
        return re.sub(r"[A-Za-z_]\w*", lambda found: given.get(found[0], found[0]), text)

    return [replace(one, text=said(one.text)) for one in body]


def _texts(body: list[Node]) -> list[str]:
    return [one.head.text if isinstance(one, Block) else one.text for one in body]


__all__ = ["Calls", "Cast", "Name"]
