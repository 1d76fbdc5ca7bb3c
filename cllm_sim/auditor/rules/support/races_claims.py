"""Items that a thread has claimed: an index or pointer that it took from shared memory so that nobody else gets it.

`row = next++` under a lock, `job = queue_pop(q)`, a slot number returned by a function that locks: what such a value
leads to belongs to the claimer until it hands it on. Rules of this file: a value taken while a lock is held, or by a
function that synchronises, counts as claimed; a rule about races stays silent about what is claimed. Every local of
every inlined function is looked at once in a program, however many accesses ask for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Call, Expr, Function, Index, Member, Name, Site, Unary
from cllm_sim.auditor.flow import Step
from cllm_sim.auditor.flow.interest import with_callers
from cllm_sim.auditor.outline import Event, events
from cllm_sim.auditor.roles import Role, function_key
from cllm_sim.auditor.roles.model import Key
from cllm_sim.auditor.traverse import assigned_locals, names, within
from cllm_sim.auditor.vocabulary import KNOWN, Act

CLAIMING = frozenset({Act.LOCK, Act.CHANGE, Act.DOWN, Act.TRY_DOWN, Act.TRY_LOCK, Act.SLEEP})

_Frame = tuple[Key, tuple[Site, ...]]


@dataclass(frozen=True, slots=True)
class _Local:
    """A local of one inlined function, as steps in loops (or not in any) see it."""

    frame: _Frame
    name: str
    looped: bool


@dataclass(slots=True)
class _Index:
    """What a role's flow holds, by the inlined function it stands in."""

    many: bool
    sets: dict[tuple[_Frame, str], list[Step]] = field(default_factory=dict)
    calls: dict[tuple[Site, tuple[Site, ...]], list[Step]] = field(default_factory=dict)
    filled: dict[_Frame, set[str]] = field(default_factory=dict)
    claimed: dict[_Local, bool] = field(default_factory=dict)


class Claims:
    """Answers for the flows of one program."""

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis
        self.program = analysis.program
        self._indices: dict[str, _Index] = {}

    def claimed(self, role: Role, step: Step, expr: Expr) -> bool:
        """Does an access go through an index or pointer that the thread claimed?"""
        index = self._index(role)
        if not (index.many or step.loops):
            return False  # once in a run nothing is claimed
        frame, looped = _frame(step), bool(step.loops)
        leading = self._leading(expr, step.function)
        return any(self._follow(role, index, _Local(frame, name, looped), step.function) for name in leading)

    def _leading(self, expr: Expr, function: Function) -> set[str]:
        """The locals that decide which piece of memory an lvalue is: indices, and pointers gone through."""
        found: set[str] = set()
        while True:
            match expr:
                case Index(base=base, index=index):
                    found |= names(index)
                    expr = base
                case Member(base=base) | Unary(operand=base):
                    expr = base
                case Name(name=name):
                    return found | {name}
                case _:
                    return found | names(expr)

    def _follow(self, role: Role, index: _Index, first: _Local, function: Function) -> bool:
        """Does a local, or one that its value came from, hold something claimed?"""
        came_from: dict[_Local, _Local | None] = {first: None}
        waiting = [(first, function)]
        while waiting:
            local, inside = waiting.pop()
            answer = index.claimed.get(local)
            if answer is None:
                answer, sources = self._own_answer(role, index, local, inside)
                new = [(one, where) for one, where in sources if one not in came_from]
                came_from.update((one, local) for one, _ in new)
                waiting += new
            if answer:
                back: _Local | None = local
                while back is not None:
                    index.claimed[back] = True
                    back = came_from[back]
                return True
        index.claimed.update(dict.fromkeys(came_from, False))  # all that these came from was looked at as well
        return False

    def _own_answer(
        self, role: Role, index: _Index, local: _Local, function: Function
    ) -> tuple[bool, list[tuple[_Local, Function]]]:
        """Is a local claimed where it gets its value? If not: the locals that its value comes from."""
        variable = self.program.variable(local.name, function, function.path)
        if variable is None or variable.kind == "global" or variable.static:
            return False, []
        if variable.kind == "parameter" and local.name not in assigned_locals(function):
            given = list(self._arguments(index, local, function))
        else:
            if (index.many or local.looped) and local.name in index.filled.get(local.frame, ()):
                return True, []
            sets = [one for one in index.sets.get((local.frame, local.name), []) if index.many or one.loops]
            given = [(one, one.set.value) for one in sets if one.set is not None and one.set.value is not None]
        sources: list[tuple[_Local, Function]] = []
        for at, value in given:
            if self._takes(role, at, value):
                return True, []
            own = at.set.name if at.set is not None else None
            mentioned = (name for name in sorted(names(value)) if name != own)
            sources += [(_Local(_frame(at), name, bool(at.loops)), at.function) for name in mentioned]
        return False, sources

    def _takes(self, role: Role, at: Step, value: Expr) -> bool:
        """Is a value taken from shared memory under a lock, or by a function that synchronises?"""
        if self.analysis.held(role).surely[at.index] and self._reads_shared(value, at.function):
            return True
        return any(isinstance(one, Call) and self._claims(one, at.function) for one in within(value))

    def _arguments(self, index: _Index, local: _Local, function: Function) -> Iterator[tuple[Step, Expr]]:
        """A parameter: what the calls that lead here passed."""
        how = local.frame[1]
        for call in index.calls.get((how[-1], how[:-1]), []) if how else []:
            assert call.event is not None
            assert call.event.call is not None
            for parameter, argument in zip(function.parameters, call.event.call.arguments, strict=False):
                if parameter.name == local.name:
                    yield call, argument
                    return

    def _reads_shared(self, value: Expr, function: Function) -> bool:
        """Does a value come straight out of shared memory (not the result of a mere calculation of locals)?"""
        for one in within(value):
            if isinstance(one, Member | Index):
                return True
            if isinstance(one, Name):
                variable = self.program.variable(one.name, function, function.path)
                if variable is not None and (variable.kind == "global" or variable.static):
                    return True
        return False

    def _claims(self, call: Call, function: Function) -> bool:
        name = call.function.name if isinstance(call.function, Name) else ""
        callees = self.program.lookup(name, function.path) if name else ()
        known = KNOWN.get(name)
        if not callees:
            return known is not None and known.act in CLAIMING
        return any(self.synchronises(callee) for callee in callees)

    def synchronises(self, function: Function) -> bool:
        """Does a function, or what it calls, take a lock or wait?"""
        return function_key(function) in self._claiming

    @cached_property
    def _claiming(self) -> set[Key]:
        outliner = self.analysis.outliner
        held = {function_key(one): events(outliner.of(one).body) for one in self.program.functions}
        direct = {key for key, found in held.items() if any(event.act in CLAIMING for event in found)}
        return with_callers(direct, held)

    def _index(self, role: Role) -> _Index:
        if role.name not in self._indices:
            index = self._indices[role.name] = _Index(role.many)
            for step in self.analysis.flow(role).steps:
                if step.set is not None:
                    index.sets.setdefault((_frame(step), step.set.name), []).append(step)
                elif step.act is Act.CALL and step.event is not None and step.event.call is not None:
                    index.calls.setdefault((step.site, step.how), []).append(step)
                    if index.many or step.loops:
                        index.filled.setdefault(_frame(step), set()).update(self._filled_in(step.event))
        return self._indices[role.name]

    def _filled_in(self, call: Event) -> set[str]:
        """The locals that a call sets through their address, if it synchronises (`queue_pop(&q, &job)`)."""
        given = call.call.arguments if call.call is not None else ()
        addressed = (one.operand for one in given if isinstance(one, Unary) and one.operator == "&")
        found = {one.name for one in addressed if isinstance(one, Name)}
        return found if found and any(self.synchronises(callee) for callee in call.callees) else set()


def _frame(step: Step) -> _Frame:
    return function_key(step.function), step.how
