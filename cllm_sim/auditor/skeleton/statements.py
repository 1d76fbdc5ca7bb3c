"""Statements of C as Python: the outline of a function becomes the body of a generator.

Rules of this file: C's structure is kept; what a condition decides must be visible (an operation, a jump, or a followed
value), else it is left out; a condition that cannot be followed becomes a choice of the environment and is listed.
"""

from __future__ import annotations

from cllm_sim.auditor.facts import Binary, Conditional, Expr, Site
from cllm_sim.auditor.outline import (
    Branch,
    Either,
    Event,
    Leave,
    Mark,
    Repeat,
    Select,
    Seq,
    Set,
    events,
)
from cllm_sim.auditor.outline import (
    Node as Outlined,
)
from cllm_sim.auditor.skeleton.code import (
    Block,
    Line,
    Node,
    matters,
    only_accesses,
)
from cllm_sim.auditor.skeleton.events import Events
from cllm_sim.auditor.skeleton.loops import Again, Loops
from cllm_sim.auditor.skeleton.place import Frame
from cllm_sim.auditor.skeleton.round import Generator, Round, Tracked
from cllm_sim.auditor.skeleton.scope import Scope
from cllm_sim.auditor.skeleton.values import Expressions, Untranslatable, Value, in_place, lines_before
from cllm_sim.auditor.traverse import within
from cllm_sim.auditor.vocabulary import Act

VALUED = frozenset({Act.READ, Act.LOAD, Act.CHANGE})
INLINE_MAX = 8


class Writer(Scope):
    """Writes one generator."""

    def __init__(self, round: Round, generator: Generator) -> None:
        self.round = round
        self.generator = generator
        self.frame: Frame = generator.frame
        self.pending: list[Event] = []
        self.after: dict[tuple[int, int], tuple[str, str]] = {}
        self.events = Events(self)
        self.looping = Loops(self)
        self.loops: list[tuple[str, tuple[Outlined | Again, ...]]] = []
        self.labels: list[dict[str, Seq]] = []
        self.jumping: set[str] = set()
        self.inlined = 0
        self.inline_result: str | None = None

    @property
    def repeated(self) -> bool:
        """Is this inside a loop, here or in a caller?"""
        return self.generator.repeated or any(kind != "switch" for kind, _ in self.loops)

    def write(self) -> None:
        """Make the generator's body."""
        outline = self.round.analysis.outliner.of(self.frame.function)
        places = self.round.places
        held, places.ring_text = places.ring_text, self._slot
        body = self.sequence(outline.body)
        self.flush(body)
        places.ring_text = held
        self.generator.body = body

    def _slot(self, expr: Expr, frame: Frame) -> str | None:
        """The index of a slot of a ring, where it is known here."""
        if frame is not self.frame or not self.round.knowledge.rings:
            return None
        text = Expressions(self).slot(expr)
        self.round.knowledge.learnt.rings |= text is not None
        return text

    def sequence(self, nodes: Seq) -> list[Node]:
        """The statements of a sequence."""
        out: list[Node] = []
        self.labels.append({node.name: nodes[at:] for at, node in enumerate(nodes) if isinstance(node, Mark)})
        for at, node in enumerate(nodes):
            if isinstance(node, Branch) and self._inside_expression(node, nodes[at + 1 :]):
                self.pending += [one for one in events(node.then + node.other) if self.valued(one)]
                continue
            self.statement(node, out)
            if isinstance(node, Leave) or (out and isinstance(out[-1], Line) and out[-1].leaves):
                break
        self.labels.pop()
        return out

    def _inside_expression(self, branch: Branch, following: Seq) -> bool:
        """Is this the evaluation of `a && b` in the expression that comes next?"""
        for node in following:
            exprs = _expressions(node)
            if any(
                isinstance(one, Binary | Conditional)
                and (one.line, one.column) == (branch.site.line, branch.site.column)
                for expr in exprs for one in within(self.rewrite(expr))
            ):  # fmt: skip
                return True
            if not isinstance(node, Event | Branch):
                return False
        return False

    def statement(self, node: Outlined, out: list[Node]) -> None:  # one per kind
        """One node of the outline."""
        match node:
            case Event():
                self._event(node, out)
            case Set():
                self.events.set(node, out)
            case Branch():
                self._branch(node, out)
            case Repeat():
                self.looping.repeat(node, out)
            case Select():
                self._select(node, out)
            case Leave():
                self._leave(node, out)
            case Mark():
                pass
            case Either(branches=branches):
                out += self.sequence(branches[0][1])
                if len(branches) > 1:
                    self.round.note("conditional compilation: the first variant is taken", node.site)

    def valued(self, event: Event) -> bool:
        """May the expression that follows use the event's value?"""
        return event.act in VALUED or (event.act is Act.CALL and bool(event.callees))

    def _event(self, event: Event, out: list[Node]) -> None:
        if self.valued(event):
            self.pending.append(event)
        else:
            self.events.write(event, out)

    def flush(self, out: list[Node]) -> None:
        """Write what is pending although nobody uses its value."""
        pending, self.pending = self.pending, []
        for event in pending:
            self.events.alone(event, out)

    def consume(
        self, expr: Expr, out: list[Node], *, certain: bool = False, target: Tracked | None = None
    ) -> Value | None:
        """The value of an expression; what it does not use of what is pending is written.

        With `certain`, only if everything in it can surely be followed.
        """
        try:
            value = Expressions(self).translate(expr, certain=certain, target=target)
        except Untranslatable:
            self.flush(out)
            return None
        used = {id(one) for one in value.used}
        self.pending = [one for one in self.pending if id(one) not in used]
        self.flush(out)
        return value

    def _branch(self, node: Branch, out: list[Node]) -> None:
        side = node.failure or self._ending_side(node)
        if side:
            self.flush(out)
            out += self.sequence(node.other if side == "then" else node.then)
            return
        held, self.pending = self.pending, []
        saved = dict(self.after)
        then, other = self.inside(node.then), self.inside(node.other)
        self.pending, self.after = held, saved
        if not matters(then) and not matters(other):
            self.flush(out)
            out += [*then, *other]
            return
        plain = only_accesses(then) and only_accesses(other)
        value = self.consume(node.condition, out, certain=plain)
        out += self._chosen(node, value, then, other)

    def inside(self, body: Seq) -> list[Node]:
        """The statements of a sequence inside another statement, with nothing left pending."""
        out = self.sequence(body)
        self.flush(out)
        return out

    def _chosen(self, node: Branch, value: Value | None, then: list[Node], other: list[Node]) -> list[Node]:
        if value is None:
            plain = only_accesses(then) and only_accesses(other)
            if plain:
                return [*then, *other]
            shown = self.shown(node.condition)
            self.round.note(f"the condition '{shown}' is a choice of the environment", node.site)
            head = Line("if (yield choose(0, 1)):", node.site, shown, yields=True)
            return [*self._two_sided(head, then, other, node.site, known=False)]
        negate = not matters(then) and not then
        wanted, rest = (other, []) if negate else (then, other)
        before: list[Node] = []
        text = in_place(value, "if {}:")
        if text is None:
            before, text = lines_before(value, self)
        test = f"not ({text})" if negate and " " in text else f"not {text}" if negate else text
        head = Line(f"if {test}:", node.site, yields=bool(value.holes) and not before)
        return [*before, *self._two_sided(head, wanted, rest, node.site)]

    def _two_sided(
        self, head: Line, then: list[Node], other: list[Node], site: Site, *, known: bool = True
    ) -> list[Node]:
        found: list[Node] = [Block(head, "if", then or [Line("pass", Site("", 0))], known)]
        if other:
            found.append(Block(Line("else:", Site("", 0)), "else", other, known))
        return found

    def _ending_side(self, node: Branch) -> str:
        """The side that ends the whole process: such paths are left out."""
        for side, body in (("then", node.then), ("other", node.other)):
            if any(isinstance(one, Event) and one.act is Act.END_PROCESS for one in body):
                self.round.note("a path that ends the process is left out", node.site)
                return side
        return ""

    def _leave(self, node: Leave, out: list[Node]) -> None:
        if node.kind == "return":
            self._return(node, out)
        elif node.kind == "goto":
            self._goto(node, out)
        elif node.kind == "break":
            self.flush(out)
            if self.loops and self.loops[-1][0] == "switch":
                return
            out.append(Line("break", node.site, leaves=True))
        else:
            self.flush(out)
            inner = next((one for one in reversed(self.loops) if one[0] != "switch"), ("loop", ()))
            for one in inner[1]:
                if isinstance(one, Again):
                    out += self.looping.again(one.node)
                elif inner[0] != "do":
                    self.statement(one, out)
            self.flush(out)
            out.append(Line("continue", node.site, leaves=True))

    def _return(self, node: Leave, out: list[Node]) -> None:
        if self.inlined:
            self.events.inline_return(node, out)
            return
        key: Tracked = ("result", self.frame.function.path, self.frame.function.line)
        if node.value is None or not self.round.follows(key):
            self.flush(out)
            out.append(Line("return", node.site, leaves=True))
            return
        self.round.link(key, self.key_of(node.value))
        value = self.consume(node.value, out, target=key)
        self.generator.returns = True
        if value is None:
            shown = self.shown(node.value)
            self.round.note(f"the result '{shown}' is a choice of the environment", node.site)
            options = ", ".join(map(str, sorted({0, 1} | self.round.knowledge.compared.get(key, set()))))
            out.append(Line(f"given = yield choose({options})", node.site, shown, yields=True))
            out.append(Line("return given", node.site, leaves=True))
            return
        text = in_place(value, "return {}")
        if text is None:
            before, text = lines_before(value, self)
            out += before
        out.append(Line(f"return {text}", node.site, yields=bool(value.holes), leaves=True))

    def _goto(self, node: Leave, out: list[Node]) -> None:
        """A jump forward is written out: what stands behind the label, and then the function ends."""
        self.flush(out)
        rest = next((labels[node.label] for labels in reversed(self.labels) if node.label in labels), None)
        if rest is None or node.label in self.jumping:
            self.round.note(f"the jump to '{node.label}' is left out", node.site)
            return
        self.jumping.add(node.label)
        held, self.loops = self.loops, []
        out += self.sequence(rest)
        self.loops = held
        self.flush(out)
        self.jumping.discard(node.label)
        if not (out and isinstance(out[-1], Line) and out[-1].leaves):
            out.append(Line("return", node.site, leaves=True))

    def _select(self, node: Select, out: list[Node]) -> None:
        held, self.pending = self.pending, []
        self.loops.append(("switch", ()))
        cases: list[tuple[list[Expr | None], list[Node], Site]] = []
        labels: list[Expr | None] = []
        for number, (label, body, site) in enumerate(node.cases):
            labels.append(label)
            if not body:
                continue
            cases.append((labels, self.inside(_through(node.cases, number)), site))
            labels = []
        self.loops.pop()
        self.pending = held
        if not any(matters(body) for _, body, _ in cases):
            self.flush(out)
            out += [one for _, body, _ in cases for one in body]
            return
        value = self.consume(node.subject, out)
        if value is None:
            self._choose_case(node, cases, out)
            return
        before, text = lines_before(value, self)
        out += before
        self._cases(node, text, cases, out)

    def _choose_case(
        self, node: Select, cases: list[tuple[list[Expr | None], list[Node], Site]], out: list[Node]
    ) -> None:
        shown = self.shown(node.subject)
        self.round.note(f"the value of '{shown}' is a choice of the environment", node.site)
        numbers = ", ".join(str(one) for one in range(len(cases)))
        name = self.fresh("which")
        out.append(Line(f"{name} = yield choose({numbers})", node.site, shown, yields=True))
        for number, (_, body, site) in enumerate(cases):
            word = "if" if number == 0 else "elif"
            out.append(Block(Line(f"{word} {name} == {number}:", site), word, body or [Line("pass", Site("", 0))]))

    def _cases(
        self, node: Select, text: str, cases: list[tuple[list[Expr | None], list[Node], Site]], out: list[Node]
    ) -> None:
        key = self.key_of(node.subject)
        word = "if"
        default: tuple[list[Node], Site] | None = None
        for labels, body, site in cases:
            values = [self.constant(one) for one in labels if one is not None]
            if key is not None:
                self.round.knowledge.compared.setdefault(key, set()).update(one for one in values if one is not None)
            if None in labels:
                default = (body, site)
                continue
            test = f"{text} == {values[0]}" if len(values) == 1 else f"{text} in ({', '.join(map(str, values))})"
            out.append(Block(Line(f"{word} {test}:", site), word, body or [Line("pass", Site("", 0))]))
            word = "elif"
        if default is not None and word == "if":
            out += default[0]
        elif default is not None and default[0]:
            out.append(Block(Line("else:", default[1]), "else", default[0]))


def _expressions(node: Outlined) -> list[Expr]:
    match node:
        case Branch(condition=condition):
            return [condition]
        case Set(value=value) | Leave(value=value) | Event(value=value):
            found = [] if value is None else [value]
            if isinstance(node, Event) and node.call is not None:
                found += list(node.call.arguments)
            return found
        case Select(subject=subject):
            return [subject]
        case _:
            return []


def _through(cases: tuple[tuple[Expr | None, Seq, Site], ...], number: int) -> Seq:
    """A case and those it falls through to."""
    body: Seq = ()
    for _, following, _ in cases[number:]:
        body = (*body, *following)
        if following and isinstance(following[-1], Leave):
            break
    return body
