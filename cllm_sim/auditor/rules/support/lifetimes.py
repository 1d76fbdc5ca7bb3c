"""Which threads may be running at a step: between their creation and the end of the join that ends them.

Creations are matched with joins by the handle (and by a constant index of it). A loop that joins is taken to join all
that a loop created, however often it goes round; a join that is skipped because of what the creating function wrote
("not created") ends the same threads. Rules of this file: failures of calls are left out; a thread that nothing joins
runs for ever; a role that is no caller is together with all that its creator lets run beside it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Expr, Index, Member, Name, Unary
from cllm_sim.auditor.flow import Edge, Flow, Step
from cllm_sim.auditor.kept import once
from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.roles import Role, function_key
from cllm_sim.auditor.traverse import within
from cllm_sim.auditor.vocabulary import WRITES, Act

Made = frozenset[int]
"""Steps that created threads."""


@dataclass(slots=True)
class _Running:
    """For every step of a role's flow, the creations (steps of the same flow) whose threads may run before it."""

    before: list[Made]
    roles: dict[int, list[str]] = field(default_factory=dict)


class Lifetimes:
    """Answers for one program."""

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis
        self._running: dict[str, _Running] = {}
        self._beside: dict[str, set[str]] = {}

    def running(self, role: Role, step: int) -> set[str]:
        """The roles of which threads may run while this role is at a step (itself, if there are several of it)."""
        found = self._created_by(role, step)
        if role.many:
            found.add(role.name)
        return found if role.caller else found | self.beside(role)

    def together(self, one: Role, step: int, other: Role, other_step: int) -> bool:
        """May one role be at its step while another role is at that other step?"""
        return other.name in self.running(one, step) and (
            one is other or one.name in self.running(other, other_step)
        )  # fmt: skip

    def beside(self, role: Role) -> set[str]:
        """The other roles that may run while threads of this (created) role do: its creator and their siblings."""
        if role.name in self._beside:
            return self._beside[role.name]
        found = self._beside[role.name] = set()
        for creation in role.created:
            creator = self.analysis.roles.get(creation.creator)
            if creator is None:
                continue
            found.add(creator.name)
            running = self._of(creator)
            for made in running.before:
                names = [name for one in made for name in running.roles[one]]
                if role.name in names:
                    found.update(self._with_their_own(name for name in names if name != role.name))
            if not creator.caller and creator is not role:
                found |= self.beside(creator)
        return found

    def _created_by(self, role: Role, step: int) -> set[str]:
        running = self._of(role)
        return self._with_their_own(name for one in running.before[step] for name in running.roles[one])

    def _with_their_own(self, names: Iterable[str]) -> set[str]:
        """These roles and all that they create."""
        found: set[str] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += [
                    role.name
                    for role in self.analysis.roles.threads
                    if any(one.creator == name for one in role.created)
                ]
        return found

    # ------------------------------------------------------------------------------------------------------ one flow
    def _of(self, role: Role) -> _Running:
        if role.name not in self._running:
            self._running[role.name] = self._make(self.analysis.flow(role), role)
        return self._running[role.name]

    def _make(self, flow: Flow, role: Role) -> _Running:
        running = _Running([frozenset()] * len(flow.steps))
        for step in flow.events(Act.CREATE):
            assert step.event is not None
            started = {function_key(entry) for entry in step.event.entries}
            running.roles[step.index] = [
                one.name for one in self.analysis.roles.threads
                if one.group == role.group and started & {function_key(entry) for entry in one.entries}
            ]  # fmt: skip
        joined = self._loops_that_join(flow, running) | self._guards_of_joins(flow, running)
        waiting = [flow.start]
        seen = {flow.start}
        while waiting:
            index = waiting.pop()
            state = running.before[index]
            for edge in flow.next[index]:
                if edge.kind == "failure":
                    continue
                after = self._after(flow, running, index, edge, state, joined)
                if edge.to not in seen or not after <= running.before[edge.to]:
                    running.before[edge.to] |= after
                    seen.add(edge.to)
                    waiting.append(edge.to)
        return running

    def _after(
        self, flow: Flow, running: _Running, index: int, edge: Edge, state: Made, joined: dict[tuple[int, str], Made]
    ) -> Made:
        step = flow.steps[index]
        if step.act is Act.CREATE:
            return state | {index}
        if step.act is Act.JOIN:
            return state - _ended(step, flow, running)
        return state - joined.get((index, edge.kind), frozenset())

    def _loops_that_join(self, flow: Flow, running: _Running) -> dict[tuple[int, str], Made]:
        """Conditions of loops that join in their bodies, with the creations whose threads have ended behind them."""
        heads: dict[int, set[int]] = {}
        for step in flow.events(Act.JOIN):
            for loop in step.loops:
                heads.setdefault(loop, set()).update(_ended(step, flow, running))
        found: dict[tuple[int, str], Made] = {}
        for step in flow.steps:
            head = step.loops[-1] if step.what == "condition" and step.loops else -1
            if head in heads and flow.steps[head].site == step.site:
                found[step.index, "other"] = frozenset(heads[head])
        return found

    def _guards_of_joins(self, flow: Flow, running: _Running) -> dict[tuple[int, str], Made]:
        """Edges that skip a join because of what the creating function wrote: "not created", "not so many"."""
        found: dict[tuple[int, str], Made] = {}
        for step in flow.events(Act.JOIN):
            ended = _ended(step, flow, running)
            told = {name for one in ended for name in _written_beside(flow, flow.steps[one])}
            here, seen = step.index, {step.index}
            while True:
                edges = [edge for edge in flow.before[here] if edge.kind != "again"]
                if len(edges) != 1 or edges[0].to in seen or flow.steps[edges[0].to].how != step.how:
                    break
                here = edges[0].to
                seen.add(here)
                guard = flow.steps[here]
                if guard.what == "condition" and told & _words(guard.condition):
                    skip = "other" if edges[0].kind == "then" else "then"
                    found[here, skip] = found.get((here, skip), frozenset()) | ended
        return found


def _ended(join: Step, flow: Flow, running: _Running) -> Made:
    """The creations whose threads a join waits for; all of them where the handle tells nothing."""
    made = frozenset(step for step in running.roles if _same_handle(flow.steps[step], join))
    return made or frozenset(running.roles)


def _same_handle(create: Step, join: Step) -> bool:
    assert create.event is not None
    assert join.event is not None
    handle = create.partner
    if handle != join.target and _bare(handle) != _bare(join.target):
        return False
    one, other = _constant_index(_address(create.event.call)), _constant_index(join.event.expression)
    return one is None or other is None or one == other


def _written_beside(flow: Flow, create: Step) -> set[str]:
    """The members and variables that the function of a creation writes, and the handle."""
    found = {create.partner.name.removesuffix("[]")} if create.partner is not None else set()
    for step in flow.steps:
        if step.how == create.how and step.function is create.function:
            if step.set is not None:
                found.add(step.set.name)
            elif step.act in WRITES and step.target is not None:
                found.add(step.target.name.removesuffix("[]"))
    return found


def _words(expr: Expr | None) -> set[str]:
    """The names of variables and members in an expression."""
    return {one.name for one in within(expr) if isinstance(one, Name | Member)}


def _bare(location: Location | None) -> Location | None:
    return None if location is None else location.holder


def _address(call: object) -> Expr | None:
    arguments = getattr(call, "arguments", ())
    return arguments[0] if arguments else None


def _constant_index(expr: Expr | None) -> str | None:
    """The text of a constant index ("0" of `threads[0]`)."""
    if isinstance(expr, Unary):
        expr = expr.operand
    if isinstance(expr, Index):
        text = getattr(expr.index, "text", None)
        return text if isinstance(text, str) else None
    return None


@once
def lifetimes(analysis: Analysis) -> Lifetimes:
    """The lifetimes of a program's threads (made once)."""
    return Lifetimes(analysis)
