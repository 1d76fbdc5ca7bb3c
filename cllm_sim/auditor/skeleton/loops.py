"""Loops of C as Python: over threads, a number of rounds, waiting busily, as long as a condition holds.

Rules of this file: a loop that only touches data is written once; one that cannot be followed goes round as often as
the environment says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cllm_sim.auditor.facts import Expr, Site
from cllm_sim.auditor.outline import Repeat, Seq, Set, children, events
from cllm_sim.auditor.skeleton.code import (
    Access,
    Block,
    Line,
    Node,
    accesses,
    happens,
    matters,
    mentions,
    only_accesses,
    only_choices,
    walk,
)
from cllm_sim.auditor.skeleton.counted import Counted, counted_loop
from cllm_sim.auditor.skeleton.place import UNKNOWN
from cllm_sim.auditor.skeleton.sizes import ROUNDS, THREADS, Size
from cllm_sim.auditor.skeleton.values import Expressions, Untranslatable, in_place, lines_before
from cllm_sim.auditor.vocabulary import Act

if TYPE_CHECKING:
    from cllm_sim.auditor.skeleton.statements import Writer


class Loops:
    """Writes the loops of one generator."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer

    def repeat(self, node: Repeat, out: list[Node]) -> None:
        """Any loop."""
        self.writer.flush(out)
        counted = counted_loop(node, self.writer.round.program)
        if counted is not None and not _assigned(counted.name, node.body) and self._counted(node, counted, out):
            return
        self._uncounted(node, out)

    def _counted(self, node: Repeat, counted: Counted, out: list[Node]) -> bool:
        """A loop that counts: over threads, a number of rounds, or only data. False if its bound is not known."""
        _, first, last, inclusive, _ = counted
        size = self.writer.round.sizes.get(last, self.writer.frame)
        threads = size is not None and size.kind == THREADS
        body, variable = self._round_body(node, counted, size if threads else None)
        varying = any(mentions(one.text, variable) for one in accesses(body))
        if not threads and not varying and only_accesses(body):
            out += body
            return True
        if not threads and not varying and only_choices(body):
            out += body
            return True
        if size is None:
            size = self._rounds(last)
        text = size.name if size is not None else self._bound(last)
        start = self._bound(first)
        if text is None or start is None:
            return False
        out += self._range(node, variable, first, last, inclusive, body, size, text)
        return True

    def _range(
        self, node: Repeat, variable: str, first: Expr, last: Expr, inclusive: bool, body: list[Node],
        size: Size | None, text: str | None = None,
    ) -> list[Node]:  # fmt: skip
        text = text or (size.name if size is not None else "1")
        start = self._bound(first) or "0"
        limit = f"{text} + 1" if inclusive else text
        arguments = limit if start == "0" else f"{start}, {limit}"
        head = Line(f"for {variable} in range({arguments}):", node.site)
        return [Block(head, "for", body or [Line("pass", Site("", 0))], variable=variable)] if body else []

    def _bound(self, expr: Expr) -> str | None:
        text = self.writer.round.sizes.text(expr, self.writer.frame)
        if text is not None:
            return text
        try:
            value = Expressions(self.writer).translate(expr)
        except Untranslatable:
            return None
        return value.text if value.constant else None

    def _rounds(self, last: Expr) -> Size | None:
        """The number of rounds of a loop, where it is known, or where several threads must agree about it."""
        sizes = self.writer.round.sizes
        key = sizes.key(last, self.writer.frame)
        if key is None:
            return None
        users = self.writer.round.knowledge.loop_users.setdefault(key, set())
        users.add(self.writer.generator.group.name)
        if self.writer.generator.group.many:
            users.add(self.writer.generator.group.name + " again")
        known = sizes.value(key, last, self.writer.frame) is not None
        if not known and len(users) < 2:
            return None
        size = sizes.register(last, self.writer.frame, ROUNDS)
        if size is not None and not known:
            self.writer.round.note(f"several threads go round {size.text} times: {size.value} here", size.site)
        return size

    def _round_body(self, node: Repeat, counted: Counted, size: Size | None) -> tuple[list[Node], str]:
        """The body of a counting loop, with its variable known by name (and as an index, if it counts threads)."""
        name, array = counted.name, counted.array
        key = self.writer.local_key(name)
        known = self.writer.generator.locals.get(key)
        variable = known or self.writer.local_name(key, name)
        held = self.writer.frame.integers.get(name)
        picks = size is not None or self.writer.round.follows(key)
        if picks:
            self.writer.frame.integers[name] = variable
        if array is not None:
            start = self.writer.round.places.pointee(self.writer.rewrite(array), self.writer.frame)
            self.writer.frame.places[name] = None if start is None else start.element(variable if picks else UNKNOWN)
        self.writer.generator.sizes.pop(variable, None)  # another loop may have had the name
        if size is not None and not counted.inclusive and self._bound(counted.first) == "0":
            self.writer.generator.sizes[variable] = size.name
        self.writer.loops.append(("loop", ()))
        body = [*self.writer.inside(node.test), *self.writer.inside(node.body)]
        self.writer.loops.pop()
        self.writer.frame.places.pop(name, None)
        if picks:
            self.writer.frame.integers.pop(name)
            if held is not None:
                self.writer.frame.integers[name] = held
        return body, variable

    def _uncounted(self, node: Repeat, out: list[Node]) -> None:
        out += self.writer.inside(node.start)
        counted = counted_loop(node, self.writer.round.program)
        name = counted.name if counted is not None else ""
        key = self.writer.local_key(name)
        counter = self.writer.generator.locals.get(key) if self.writer.round.follows(key) else None
        held = self.writer.frame.integers.get(name)
        if counter is not None:
            self.writer.frame.integers[name] = counter
            self.writer.generator.sizes.pop(counter, None)
        self._general(node, out)
        if counter is not None:
            del self.writer.frame.integers[name]
            if held is not None:
                self.writer.frame.integers[name] = held

    def _general(self, node: Repeat, out: list[Node]) -> None:
        self.writer.loops.append(("loop", node.step))
        if node.kind == "do":
            self.writer.loops[-1] = ("do", (*node.test, Again(node)))
        body = self.writer.inside(node.body)
        self.writer.loops.pop()
        step = self.writer.inside(node.step)
        idle = not happens(body) and not happens(step) and node.condition is not None and node.kind != "do"
        if idle and self._waits_busily(node, body, out):
            return
        if not matters(body) and not matters(step) and not self._test_matters(node):
            tested = self.writer.inside(node.test)
            out += [*tested, *body, *step]
            return
        if node.kind != "do" and only_accesses(body) and only_accesses(step) and not self._decided(node):
            out += [*self.writer.inside(node.test), *body, *step]
        elif node.kind == "do":
            self._do(node, body, out)
        else:
            self._while(node, [*body, *step], out)

    def _decided(self, node: Repeat) -> bool:
        """Can the condition of a loop surely be followed?"""
        if node.condition is None:
            return True
        held, self.writer.pending = self.writer.pending, []
        self.writer.sequence(node.test)
        try:
            Expressions(self.writer).translate(node.condition, certain=True)
        except Untranslatable:
            return False
        finally:
            self.writer.pending = held
        return True

    def _test_matters(self, node: Repeat) -> bool:
        return node.condition is None or any(
            one.act not in {Act.READ, Act.LOAD} and not (one.act is Act.CALL and not one.callees)
            for one in events(node.test)
        )

    def _waits_busily(self, node: Repeat, body: list[Node], out: list[Node]) -> bool:
        """`while (!flag) pause();`: asks again and again."""
        if matters(body) or not events(node.test):
            return False
        tested = self.writer.sequence(node.test)
        assert node.condition is not None
        try:
            value = Expressions(self.writer).translate(node.condition)
        except Untranslatable:
            self.writer.flush(tested)
            if happens([one for one in tested if not isinstance(one, Access)]):
                return False
            out += [*tested, *body]
            return True
        if not value.holes:
            self.writer.pending = []
            return False
        self.writer.pending = []
        text = in_place(value, "while {}:")
        again = Line("yield choose(0)", node.site, "asks again", yields=True)
        if text is not None:
            out.append(Block(Line(f"while {text}:", node.site, yields=True), "while", [*body, again]))
        else:
            before, text = lines_before(value, self.writer)
            leave = Block(Line(f"if not ({text}):", node.site), "if", [Line("break", node.site, leaves=True)])
            out.append(Block(Line("while True:", node.site), "while", [*tested, *before, leave, *body, again]))
        return True

    def _while(self, node: Repeat, body: list[Node], out: list[Node]) -> None:
        tested = self.writer.sequence(node.test)
        if node.condition is None:
            self.writer.flush(tested)
            out.append(Block(Line("while True:", node.site), "while", [*tested, *body, *_breath(body, node.site)]))
            return
        value = self.writer.consume(node.condition, tested)
        if value is None:
            shown = self.writer.shown(node.condition)
            self.writer.round.note(f"the loop condition '{shown}' is a choice of the environment", node.site)
            head = Line("while (yield choose(0, 1)):", node.site, shown, yields=True)
            if tested:
                leave = Block(Line("if not (yield choose(0, 1)):", node.site, shown, yields=True), "if",
                              [Line("break", node.site, leaves=True)])  # fmt: skip
                out.append(Block(Line("while True:", node.site), "while", [*tested, leave, *body]))
            else:
                out.append(Block(head, "while", body or [Line("pass", Site("", 0))], known=False))
            return
        text = in_place(value, "while {}:") if not tested else None
        if text is not None:
            body = [*body, *_breath(body, node.site)] or [Line("pass", Site("", 0))]
            out.append(Block(Line(f"while {text}:", node.site, yields=bool(value.holes)), "while", body))
            return
        before, text = lines_before(value, self.writer)
        leave = Block(Line(f"if not ({text}):", node.site), "if", [Line("break", node.site, leaves=True)])
        body = [*tested, *before, leave, *body]
        out.append(Block(Line("while True:", node.site), "while", [*body, *_breath(body, node.site)]))

    def _do(self, node: Repeat, body: list[Node], out: list[Node]) -> None:
        ending = self.again(node)
        out.append(Block(Line("while True:", node.site), "while", [*body, *ending]))

    def again(self, node: Repeat) -> list[Node]:
        """The test at the end of a do loop."""
        tested = self.writer.sequence(node.test)
        if node.condition is None:
            self.writer.flush(tested)
            return tested
        value = self.writer.consume(node.condition, tested)
        leave: list[Node] = [Line("break", node.site, leaves=True)]
        if value is None:
            shown = self.writer.shown(node.condition)
            self.writer.round.note(f"the loop condition '{shown}' is a choice of the environment", node.site)
            head = Line("if not (yield choose(0, 1)):", node.site, shown, yields=True)
            return [*tested, Block(head, "if", leave)]
        text = in_place(value, "if not ({}):")
        before: list[Node] = []
        if text is None:
            before, text = lines_before(value, self.writer)
        head = Line(f"if not ({text}):", node.site, yields=bool(value.holes) and not before)
        return [*tested, *before, Block(head, "if", leave)]


class Again:
    """Stands for the test of a do loop, for `continue`."""

    def __init__(self, node: Repeat) -> None:
        self.node = node


def _assigned(name: str, body: Seq) -> bool:
    """Is a local assigned inside a body?"""
    stack = [*body]
    while stack:
        node = stack.pop()
        if isinstance(node, Set) and node.name == name:
            return True
        stack.extend(children(node))
    return False


BREATHING = (".wait()", ".down()", "join(", "choose(", "yield from")


def _breath(body: list[Node], site: Site) -> list[Node]:
    """A loop that never waits lets the others go on: a choice, so that going round is no defect by itself."""
    texts = [one.head.text if isinstance(one, Block) else one.text for one in walk(body)]
    if any(mark in text for text in texts for mark in BREATHING):
        return []
    return [Line("yield choose(0)", site, "goes round again", yields=True)]
