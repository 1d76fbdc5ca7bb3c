"""Statements of C as Python: the outline of a function becomes the body of a generator.

Rules of this file: C's structure is kept; what a condition decides must be visible (an operation, a jump, or a followed
value), else it is left out; a condition that cannot be followed becomes a choice of the environment and is listed.
"""

from __future__ import annotations

from cllm_sim.auditor.facts import Binary, Call, Cast, Conditional, Expr, Function, Name, Site, Unary
from cllm_sim.auditor.outline import (
    Branch,
    Either,
    Event,
    Leave,
    Mark,
    Node as Outlined,
    Repeat,
    Select,
    Seq,
    Set,
    children,
    events,
)
from cllm_sim.auditor.program import Variable
from cllm_sim.auditor.roles.discover import counting
from cllm_sim.auditor.skeleton.code import Access, Block, Line, Node, accesses, happens, matters, mentions, only_accesses, only_choices, walk
from cllm_sim.auditor.skeleton.events import Events
from cllm_sim.auditor.skeleton.places import Frame, Place
from cllm_sim.auditor.skeleton.round import Generator, Round, Tracked
from cllm_sim.auditor.skeleton.sizes import ROUNDS, THREADS, Size
from cllm_sim.auditor.skeleton.values import Expressions, Untranslatable, Value, in_place, lines_before
from cllm_sim.auditor.traverse import within
from cllm_sim.auditor.vocabulary import Act

VALUED = frozenset({Act.READ, Act.LOAD, Act.CHANGE})
INLINE_MAX = 8


class Writer:
    """Writes one generator."""

    def __init__(self, round: Round, generator: Generator) -> None:
        self.round = round
        self.generator = generator
        self.frame: Frame = generator.frame
        self.pending: list[Event] = []
        self.after: dict[tuple[int, int], tuple[str, str]] = {}
        self.events = Events(self)
        self.loops: list[tuple[str, Seq]] = []
        self.labels: list[dict[str, Seq]] = []
        self.jumping: set[str] = set()
        self.inlined = 0
        self.inline_result: str | None = None

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

    # ------------------------------------------------------------------------------------------------------ sequences
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
                self._repeat(node, out)
            case Select():
                self._select(node, out)
            case Leave():
                self._leave(node, out)
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

    # ------------------------------------------------------------------------------------------------------- branches
    def _branch(self, node: Branch, out: list[Node]) -> None:
        side = node.failure or self._ending_side(node)
        if side:
            self.flush(out)
            out += self.sequence(node.other if side == "then" else node.then)
            return
        held, self.pending = self.pending, []
        saved = dict(self.after)
        then, other = self._inside(node.then), self._inside(node.other)
        self.pending, self.after = held, saved
        if not matters(then) and not matters(other):
            self.flush(out)
            out += [*then, *other]
            return
        plain = only_accesses(then) and only_accesses(other)
        value = self.consume(node.condition, out, certain=plain)
        out += self._chosen(node, value, then, other)

    def _inside(self, body: Seq) -> list[Node]:
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

    # ---------------------------------------------------------------------------------------------------------- loops
    def _repeat(self, node: Repeat, out: list[Node]) -> None:
        self.flush(out)
        counted = counting(node)
        if counted is not None and not _assigned(counted[0], node.body):
            if self._counted(node, counted, out):
                return
        self._uncounted(node, out)

    def _counted(self, node: Repeat, counted: tuple[str, Expr, Expr, bool], out: list[Node]) -> bool:
        """A loop that counts: over threads, a number of rounds, or only data. False if its bound is not known."""
        name, first, last, inclusive = counted
        size = self.round.sizes.get(last, self.frame)
        threads = size is not None and size.kind == THREADS
        body, variable = self._round_body(node, name, size if threads else None)
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
        text = self.round.sizes.text(expr, self.frame)
        if text is not None:
            return text
        try:
            value = Expressions(self).translate(expr)
        except Untranslatable:
            return None
        return value.text if value.constant else None

    def _rounds(self, last: Expr) -> Size | None:
        """The number of rounds of a loop, where it is known, or where several threads must agree about it."""
        sizes = self.round.sizes
        key = sizes.key(last, self.frame)
        if key is None:
            return None
        users = self.round.knowledge.loop_users.setdefault(key, set())
        users.add(self.generator.group.name)
        if self.generator.group.many:
            users.add(self.generator.group.name + " again")
        known = sizes.value(key, last, self.frame) is not None
        if not known and len(users) < 2:
            return None
        size = sizes.register(last, self.frame, ROUNDS)
        if size is not None and not known:
            self.round.note(f"several threads go round {size.text} times: {size.value} here", size.site)
        return size

    def _round_body(self, node: Repeat, name: str, size: Size | None) -> tuple[list[Node], str]:
        """The body of a counting loop, with its variable known by name (and as an index, if it counts threads)."""
        key = self.local_key(name)
        known = self.generator.locals.get(key)
        variable = known or self.local_name(key, name)
        held = self.frame.integers.get(name)
        picks = size is not None or self.round.follows(key)
        if picks:
            self.frame.integers[name] = variable
        if size is not None:
            self.generator.sizes[variable] = size.name
        self.loops.append(("loop", ()))
        body = [*self._inside(node.test), *self._inside(node.body)]
        self.loops.pop()
        if picks:
            self.frame.integers.pop(name)
            if held is not None:
                self.frame.integers[name] = held
        return body, variable

    def _uncounted(self, node: Repeat, out: list[Node]) -> None:
        out += self._inside(node.start)
        counted = counting(node)
        name = counted[0] if counted is not None else ""
        counter = self.generator.locals.get(self.local_key(name)) if self.round.follows(self.local_key(name)) else None
        held = self.frame.integers.get(name)
        if counter is not None:
            self.frame.integers[name] = counter
        self._general(node, out)
        if counter is not None:
            del self.frame.integers[name]
            if held is not None:
                self.frame.integers[name] = held

    def _general(self, node: Repeat, out: list[Node]) -> None:
        self.loops.append(("loop", node.step))
        if node.kind == "do":
            self.loops[-1] = ("do", (*node.test, _Again(node)))  # type: ignore[assignment]  # seen by _leave only
        body = self._inside(node.body)
        self.loops.pop()
        step = self._inside(node.step)
        if not happens(body) and not happens(step) and node.condition is not None and node.kind != "do":
            if self._waits_busily(node, body, out):
                return
        if not matters(body) and not matters(step) and not self._test_matters(node):
            tested = self._inside(node.test)
            out += [*tested, *body, *step]
            return
        if node.kind != "do" and only_accesses(body) and only_accesses(step) and not self._decided(node):
            out += [*self._inside(node.test), *body, *step]
        elif node.kind == "do":
            self._do(node, body, out)
        else:
            self._while(node, [*body, *step], out)

    def _decided(self, node: Repeat) -> bool:
        """Can the condition of a loop surely be followed?"""
        if node.condition is None:
            return True
        held, self.pending = self.pending, []
        self.sequence(node.test)
        try:
            Expressions(self).translate(node.condition, certain=True)
        except Untranslatable:
            return False
        finally:
            self.pending = held
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
        tested = self.sequence(node.test)
        assert node.condition is not None
        try:
            value = Expressions(self).translate(node.condition)
        except Untranslatable:
            self.flush(tested)
            if happens([one for one in tested if not isinstance(one, Access)]):
                return False
            out += [*tested, *body]
            return True
        if not value.holes:
            self.pending = []
            return False
        self.pending = []
        text = in_place(value, "while {}:")
        again = Line("yield choose(0)", node.site, "asks again", yields=True)
        if text is not None:
            out.append(Block(Line(f"while {text}:", node.site, yields=True), "while", [*body, again]))
        else:
            before, text = lines_before(value, self)
            leave = Block(Line(f"if not ({text}):", node.site), "if", [Line("break", node.site, leaves=True)])
            out.append(Block(Line("while True:", node.site), "while", [*tested, *before, leave, *body, again]))
        return True

    def _while(self, node: Repeat, body: list[Node], out: list[Node]) -> None:
        tested = self.sequence(node.test)
        if node.condition is None:
            self.flush(tested)
            out.append(Block(Line("while True:", node.site), "while", [*tested, *body, *_breath(body, node.site)]))
            return
        value = self.consume(node.condition, tested)
        if value is None:
            shown = self.shown(node.condition)
            self.round.note(f"the loop condition '{shown}' is a choice of the environment", node.site)
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
        before, text = lines_before(value, self)
        leave = Block(Line(f"if not ({text}):", node.site), "if", [Line("break", node.site, leaves=True)])
        body = [*tested, *before, leave, *body]
        out.append(Block(Line("while True:", node.site), "while", [*body, *_breath(body, node.site)]))

    def _do(self, node: Repeat, body: list[Node], out: list[Node]) -> None:
        ending = self.again(node)
        out.append(Block(Line("while True:", node.site), "while", [*body, *ending]))

    def again(self, node: Repeat) -> list[Node]:
        """The test at the end of a do loop."""
        tested = self.sequence(node.test)
        if node.condition is None:
            self.flush(tested)
            return tested
        value = self.consume(node.condition, tested)
        leave: list[Node] = [Line("break", node.site, leaves=True)]
        if value is None:
            shown = self.shown(node.condition)
            self.round.note(f"the loop condition '{shown}' is a choice of the environment", node.site)
            head = Line("if not (yield choose(0, 1)):", node.site, shown, yields=True)
            return [*tested, Block(head, "if", leave)]
        text = in_place(value, "if not ({}):")
        before: list[Node] = []
        if text is None:
            before, text = lines_before(value, self)
        head = Line(f"if not ({text}):", node.site, yields=bool(value.holes) and not before)
        return [*tested, *before, Block(head, "if", leave)]

    # --------------------------------------------------------------------------------------------------------- jumps
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
                if isinstance(one, _Again):
                    out += self.again(one.node)
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
            options = sorted({0, 1} | self.round.knowledge.compared.get(key, set()))
            text = ", ".join(map(str, options))
            out.append(Line(f"given = yield choose({text})", node.site, shown, yields=True))
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
            cases.append((labels, self._inside(_through(node.cases, number)), site))
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
        name = self.fresh("case")
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

    # ---------------------------------------------------------------------------------------------------------- names
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
        if isinstance(expr, Name) and self.variable(expr.name) is None:
            from cllm_sim.auditor.outline.failure import CONSTANTS

            if expr.name in CONSTANTS:
                return CONSTANTS[expr.name]
        return self.round.program.constant(expr, self.frame.function, self.frame.function.path)

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
            if variable is not None and variable.kind != "global" and not variable.static:
                if self.pending_at(expr) is None:
                    return self.local_key(expr.name)
        if isinstance(expr, Call):
            event = self.pending_call(expr)
            if event is not None and len(event.callees) == 1:
                return "result", event.callees[0].path, event.callees[0].line
            place = None if event is None or event.act is Act.CALL else self.event_place(event)
            return None if place is None else self.memory_key(place)
        if isinstance(expr, Unary) and expr.operator in {"++x", "--x", "x++", "x--"}:
            return self.key_of(expr.operand)
        place = self.place(expr)
        return None if place is None else self.memory_key(place)

    # --------------------------------------------------------------------------------------------------------- places
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
            if event.act in {Act.READ, Act.LOAD} and event.call is None and not event.passed:
                if (event.site.line, event.site.column) == at and type(event.expression) is type(expr):
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


class _Again:
    """Stands for the test of a do loop, for `continue`."""

    def __init__(self, node: Repeat) -> None:
        self.node = node


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


def _assigned(name: str, body: Seq) -> bool:
    """Is a local assigned inside a body?"""
    stack = [*body]
    while stack:
        node = stack.pop()
        if isinstance(node, Set) and node.name == name:
            return True
        stack.extend(children(node))
    return False


def _through(cases: tuple[tuple[Expr | None, Seq, Site], ...], number: int) -> Seq:
    """A case and those it falls through to."""
    body: Seq = ()
    for _, following, _ in cases[number:]:
        body = (*body, *following)
        if following and isinstance(following[-1], Leave):
            break
    return body


BREATHING = (".wait()", ".down()", "join(", "choose(", "yield from")


def _breath(body: list[Node], site: Site) -> list[Node]:
    """A loop that never waits lets the others go on: a choice, so that going round is no defect by itself."""
    texts = [one.head.text if isinstance(one, Block) else one.text for one in walk(body)]
    if any(mark in text for text in texts for mark in BREATHING):
        return []
    return [Line("yield choose(0)", site, "goes round again", yields=True)]


def function_key(function: Function) -> tuple[str, int]:
    """Which function."""
    return function.path, function.line


__all__ = ["Writer", "accesses", "function_key"]
