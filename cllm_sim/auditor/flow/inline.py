"""From outlines to a role's flow: every call of a function of the program is replaced by that function's steps.

Functions without anything of interest are stepped over; recursion and depth are cut, and what was cut is listed.
Rules of this file: control flow as C has it (goto, break, fall-through); a failure edge leads where only an error goes.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from cllm_sim.auditor.facts import Expr, Function, Index, Name, Number, Site, Unary
from cllm_sim.auditor.flow.fixed import Fixed, Values, has_label
from cllm_sim.auditor.flow.graph import Edge, Flow, Step
from cllm_sim.auditor.flow.handed import Handed
from cllm_sim.auditor.flow.interest import Interest
from cllm_sim.auditor.flow.own import Own
from cllm_sim.auditor.flow.published import Published
from cllm_sim.auditor.locations import Bindings
from cllm_sim.auditor.outline import (
    Branch,
    Either,
    Event,
    Leave,
    Mark,
    Node,
    Outliner,
    Repeat,
    Select,
    Seq,
    Set,
    events,
)
from cllm_sim.auditor.roles import Role, function_key
from cllm_sim.auditor.roles.model import Key
from cllm_sim.auditor.vocabulary import ATOMIC, KNOWN, PLAIN, SYNCHRONISES, Act

DEPTH_MAX = 24
STEPS_MAX = 20_000
CLONES_MAX = 80
"""So often a function that synchronises nothing is entered in one flow, where not everything is followed anyway."""

Tails = list[tuple[int, str]]
"""Open ends: a step and the kind of the edge that is to leave it."""


@dataclass(slots=True)
class _Frame:
    """One inlined instance of a function."""

    function: Function
    how: tuple[Site, ...]
    bindings: Bindings
    own: Own
    keys: frozenset[Key]
    fixed: Values = field(default_factory=dict)
    returns: Tails = field(default_factory=list)
    marks: dict[str, int] = field(default_factory=dict)
    gotos: list[tuple[Tails, str]] = field(default_factory=list)
    breaks: list[Tails] = field(default_factory=list)
    continues: list[Tails] = field(default_factory=list)
    loops: tuple[int, ...] = ()


class Inliner:
    """Makes the flows of one program. `relevant` (if given) are the functions worth entering, by key."""

    def __init__(self, outliner: Outliner, relevant: frozenset[Key] | None = None, steps_max: int = STEPS_MAX) -> None:
        self.outliner = outliner
        self.relevant = relevant
        self.steps_max = steps_max
        self.published = Published(outliner.program)
        self.fixed = Fixed(outliner)
        self.interest = Interest(outliner)
        self.handed = Handed(outliner)
        self._clones: Counter[Key] = Counter()
        self._ended: Tails = []

    def flow(self, role: Role) -> Flow:
        """The flow of a role; several entries (a library's) are alternatives."""
        flow = Flow(role.name)
        first = role.entries[0]
        flow.start = _add(flow, Step(0, "start", first, (), Site(first.path, first.line)))
        tails: Tails = []
        self._ended = []
        self._clones.clear()
        for entry in role.entries:
            frame = self._frame(entry, (), {}, self._own_parameters(role, entry), set(), frozenset())
            kind = "case" if len(role.entries) > 1 else ""
            tails += self._function(flow, frame, [(flow.start, kind)])
        last = role.entries[-1]
        flow.end = _add(flow, Step(0, "end", last, (), Site(last.path, last.line_end)))
        _join(flow, tails + self._ended, flow.end)
        return flow

    def _frame(
        self,
        function: Function,
        how: tuple[Site, ...],
        bindings: Bindings,
        own: set[str],
        private: set[str],
        keys: frozenset[Key],
    ) -> _Frame:
        published = self.published.names(function)
        owned = Own(self.outliner.locations, function, own, private, published)
        return _Frame(function, how, bindings, owned, keys | {function_key(function)})

    def _function(self, flow: Flow, frame: _Frame, tails: Tails) -> Tails:
        out = self._sequence(flow, frame, self.outliner.of(frame.function).body, tails)
        for open_ends, label in frame.gotos:
            if label in frame.marks:
                _join(flow, open_ends, frame.marks[label])
            else:
                out += open_ends
        return out + frame.returns

    def _sequence(self, flow: Flow, frame: _Frame, body: Seq, tails: Tails) -> Tails:
        for node in body:
            if not tails and not isinstance(node, Mark | Repeat | Select | Branch):
                continue  # after a jump, up to the next label
            tails = self._node(flow, frame, node, tails)
        return tails

    def _node(self, flow: Flow, frame: _Frame, node: Node, tails: Tails) -> Tails:  # one per kind
        match node:
            case Event(act=Act.CALL) if node.callees:
                return self._call(flow, frame, node, tails)
            case Event():
                return self._event(flow, frame, node, tails)
            case Set():
                return self._step(flow, frame, "set", node.site, tails, set=node)
            case Branch():
                return self._branch(flow, frame, node, tails)
            case Repeat():
                return self._repeat(flow, frame, node, tails)
            case Select():
                return self._select(flow, frame, node, tails)
            case Leave():
                return self._leave(flow, frame, node, tails)
            case Mark():
                out = self._step(flow, frame, "label", node.site, tails)
                frame.marks[node.name] = out[0][0]
                return out
            case Either(branches=branches):
                return [end for _, body in branches for end in self._sequence(flow, frame, body, list(tails))]

    def _step(self, flow: Flow, frame: _Frame, what: str, site: Site, tails: Tails, **more: object) -> Tails:
        step = Step(
            0, what, frame.function, frame.how, site, loops=frame.loops, bindings=frame.bindings, owned=frame.own
        )
        for name, value in more.items():
            setattr(step, name, value)
        index = _add(flow, step)
        _join(flow, tails, index)
        return [(index, "")]

    # -------------------------------------------------------------------------------------------------------- events
    def _event(self, flow: Flow, frame: _Frame, event: Event, tails: Tails) -> Tails:
        locations = self.outliner.locations
        if event.act in PLAIN | ATOMIC and event.expression is not None and _private(frame.own, event):
            return tails
        out = self._step(
            flow, frame, "event", event.site, tails, event=event,
            target=locations.bound(event.target, frame.bindings),
            partner=locations.bound(event.partner, frame.bindings),
            own=event.expression is not None and _owned(frame.own, event),
        )  # fmt: skip
        if self._wraps(frame, event):
            step = flow.steps[out[0][0]]
            step.site, step.how = frame.how[-1], (*frame.how[:-1], event.site)
        if event.act is Act.END_THREAD:
            self._ended += out
        return [] if event.act in {Act.END_THREAD, Act.END_PROCESS} else out

    def _wraps(self, frame: _Frame, event: Event) -> bool:
        """Is the event all that a function does, to what it was given? Then its place is where it was called."""
        if event.act not in SYNCHRONISES or event.target is None or event.target.kind != "parameter" or not frame.how:
            return False
        whole = [one for one in events(self.outliner.of(frame.function).body) if one.act not in PLAIN]
        return len(whole) == 1

    def _call(self, flow: Flow, frame: _Frame, event: Event, tails: Tails) -> Tails:
        here = self._event(flow, frame, event, tails)
        entered = [one for one in event.callees if not self.silent(one)]
        if not entered:
            return here
        out: Tails = list(here) if len(entered) < len(event.callees) else []
        for callee in entered:
            key = function_key(callee)
            deep = key in frame.keys or len(frame.how) >= DEPTH_MAX
            if deep or len(flow.steps) >= self.steps_max or self._worn_out(callee):
                flow.truncated = flow.truncated or len(flow.steps) >= self.steps_max
                flow.cut.append(f"{callee.name} ({event.site})")
                out += [end for end in here if end not in out]
                continue
            self._clones[key] += 1
            kind = "case" if len(event.callees) > 1 else ""
            inner = self._callee(frame, event, callee)
            out += self._function(flow, inner, [(index, kind) for index, _ in here])
        return out

    def _worn_out(self, callee: Function) -> bool:
        """Was a function entered often enough? (To leave out a lock would be wrong; one more read is nothing new.)"""
        often = self.relevant is not None and self._clones[function_key(callee)] >= CLONES_MAX
        return often and not self.interest.synchronises(callee)

    def _callee(self, frame: _Frame, event: Event, callee: Function) -> _Frame:
        assert event.call is not None
        given = {
            parameter.name: (argument, frame.function)
            for parameter, argument in zip(callee.parameters, event.call.arguments, strict=False)
        }
        bindings = {name: _through(value, frame.bindings) for name, value in given.items()}
        own = {name for name, (argument, _) in given.items() if frame.own.value(argument)}
        private = {name for name, (argument, _) in given.items() if frame.own.leads_to_private(argument)}
        inner = self._frame(callee, (*frame.how, event.site), bindings, own, private, frame.keys)
        inner.loops = frame.loops
        inner.fixed = self.fixed.handed_over(event.call, frame.function, frame.fixed, callee)
        return inner

    def silent(self, function: Function) -> bool:
        """Has a function nothing worth entering (also in what it calls)?"""
        if self.relevant is not None:
            return function_key(function) not in self.relevant
        return self.interest.silent(function)

    def _own_parameters(self, role: Role, entry: Function) -> set[str]:
        """The entry's parameters, if they differ from thread to thread."""
        differs = role.many and self.handed.differs(role)
        return {parameter.name for parameter in entry.parameters} if differs else set()

    # ----------------------------------------------------------------------------------------------------- structure
    def _branch(self, flow: Flow, frame: _Frame, node: Branch, tails: Tails) -> Tails:
        decided = self.fixed.truth(node.condition, frame.function, frame.fixed)
        if decided is not None and not has_label(node.other if decided else node.then):
            return self._sequence(flow, frame, node.then if decided else node.other, tails)
        index = self._step(flow, frame, "condition", node.site, tails, condition=node.condition)[0][0]
        kinds = {"then": "then", "other": "other"}
        if node.failure:
            kinds[node.failure] = "failure"
        then = self._sequence(flow, frame, node.then, [(index, kinds["then"])])
        other = self._sequence(flow, frame, node.other, [(index, kinds["other"])])
        return then + other

    def _repeat(self, flow: Flow, frame: _Frame, node: Repeat, tails: Tails) -> Tails:
        tails = self._sequence(flow, frame, node.start, tails)
        head = self._step(flow, frame, "loop", node.site, tails, condition=node.condition)
        index = head[0][0]
        outside = frame.loops
        frame.loops = (*outside, index)
        frame.breaks.append([])
        frame.continues.append([])
        if node.kind == "do":
            out = self._do(flow, frame, node, head, index)
        else:
            out = self._while(flow, frame, node, head, index)
        frame.continues.pop()
        frame.loops = outside
        return out + frame.breaks.pop()

    def _while(self, flow: Flow, frame: _Frame, node: Repeat, head: Tails, index: int) -> Tails:
        tested = self._sequence(flow, frame, node.test, head)
        decide = (
            self._step(flow, frame, "condition", node.site, tested, condition=node.condition) if node.condition else []
        )
        inside = [(one, "then") for one, _ in decide] if decide else tested
        body = self._sequence(flow, frame, node.body, inside)
        stepped = self._sequence(flow, frame, node.step, body + frame.continues[-1])
        self._again(flow, frame, node, stepped, index)
        return [(one, "other") for one, _ in decide]

    def _again(self, flow: Flow, frame: _Frame, node: Repeat, tails: Tails, head: int) -> None:
        """Back to a loop's start: every way back is an edge "again", also where a condition is the last step."""
        if any(kind for _, kind in tails):
            tails = self._step(flow, frame, "label", node.site, tails)
        _join(flow, tails, head, "again")

    def _do(self, flow: Flow, frame: _Frame, node: Repeat, head: Tails, index: int) -> Tails:
        body = self._sequence(flow, frame, node.body, head)
        tested = self._sequence(flow, frame, node.test, body + frame.continues[-1])
        if node.condition is None:
            self._again(flow, frame, node, tested, index)
            return []
        if isinstance(node.condition, Number) and node.condition.value == 0:
            return tested  # `do { ... break; ... } while (0)`
        decide = self._step(flow, frame, "condition", node.site, tested, condition=node.condition)
        flow.next[decide[0][0]].append(Edge(index, "again"))
        return [(one, "other") for one, _ in decide]

    def _select(self, flow: Flow, frame: _Frame, node: Select, tails: Tails) -> Tails:
        index = self._step(flow, frame, "switch", node.site, tails, condition=node.subject)[0][0]
        frame.breaks.append([])
        through: Tails = []
        taken = self._taken(frame, node)
        for place, (_, body, _) in enumerate(node.cases):
            enters: Tails = [(index, "case")] if taken is None or place == taken else []
            through = self._sequence(flow, frame, body, enters + through)
        default = any(value is None for value, _, _ in node.cases) if taken is None else taken < len(node.cases)
        return through + frame.breaks.pop() + ([] if default else [(index, "case")])

    def _taken(self, frame: _Frame, node: Select) -> int | None:
        """The only case that a switch takes, where the parameters of this call decide that."""
        taken = self.fixed.case(node, frame.function, frame.fixed)
        return None if any(has_label(body) for _, body, _ in node.cases) else taken

    def _leave(self, flow: Flow, frame: _Frame, node: Leave, tails: Tails) -> Tails:
        out = self._step(flow, frame, "leave", node.site, tails, leave=node)
        if node.kind == "return":
            frame.returns += out
        elif node.kind == "goto":
            frame.gotos.append((out, node.label))
        elif node.kind == "break" and frame.breaks:
            frame.breaks[-1] += out
        elif node.kind == "continue" and frame.continues:
            frame.continues[-1] += out
        return []


def _private(own: Own, event: Event) -> bool:
    """Is the memory of an access a local that nobody else can see?"""
    assert event.expression is not None
    if event.target is not None and event.target.is_contents:
        type = own.program.type_of(event.expression, own.function)
        if type is not None and (type.pointers or type.arrays) and not isinstance(event.expression, Index | Unary):
            return own.leads_to_private(event.expression)
    return own.private(event.expression)


def _owned(own: Own, event: Event) -> bool:
    """Is the memory of an access the thread's own? (For memory handed over by pointer, the pointer decides.)"""
    assert event.expression is not None
    if event.act in {Act.READ, Act.WRITE} and event.target is not None and event.target.is_contents:
        type = own.program.type_of(event.expression, own.function)
        if type is not None and (type.pointers or type.arrays):
            return own.value(event.expression)
    if event.call is not None and event.name in KNOWN and not KNOWN[event.name].by_value:
        return own.value(event.expression)  # the object was given by its address
    return own.place(event.expression)


def _through(value: tuple[Expr, Function], outer: Bindings) -> tuple[Expr, Function]:
    """An argument that is itself a parameter of the caller: what the caller was given."""
    expr, _ = value
    return outer.get(expr.name, value) if isinstance(expr, Name) else value


def _add(flow: Flow, step: Step) -> int:
    step.index = len(flow.steps)
    flow.steps.append(step)
    flow.next.append([])
    return step.index


def _join(flow: Flow, tails: Tails, to: int, kind: str = "") -> None:
    for index, leaving in tails:
        edge = Edge(to, leaving if leaving else kind)
        if edge not in flow.next[index]:
            flow.next[index].append(edge)
