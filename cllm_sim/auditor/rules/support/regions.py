"""Shared-memory regions: where they are mapped, with which rights, who keeps the pointer, and who uses the memory.

The pointer that a mapping returns is followed through locals, results and out-parameters to the member or global that
keeps it (`Region.base`), and from there to the handle of the program (`Training.gradient_region`). Rules of this file:
a use is anything but keeping, testing against NULL and giving back; what cannot be followed has no holder, and rules
stay silent about it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import (
    Assign,
    Binary,
    Call,
    Cast,
    Conditional,
    Declare,
    Expr,
    Function,
    Member,
    Name,
    Return,
    Site,
    Unary,
)
from cllm_sim.auditor.flow import Step
from cllm_sim.auditor.kept import once
from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.outline import events
from cllm_sim.auditor.roles import Role, function_key
from cllm_sim.auditor.roles.model import Key
from cllm_sim.auditor.rules.support.regions_rights import Rights, rights_of
from cllm_sim.auditor.traverse import expressions, parts, statements, within
from cllm_sim.auditor.vocabulary import Act

DEPTH_MAX = 6


@dataclass(frozen=True, slots=True)
class Holder:
    """A variable or member that keeps a region's pointer, or the handle that leads to it; where it was set."""

    location: Location
    function: Function
    site: Site


@dataclass(slots=True)
class Region:
    """One mapping in one role's flow. `holders` keep the pointer itself, `handles` the record around it.

    `makers` are the functions through which it is made: those that map, and those that hand the result on.
    """

    role: Role
    step: Step
    rights: Rights
    holders: list[Holder] = field(default_factory=list)
    handles: list[Holder] = field(default_factory=list)
    makers: set[Key] = field(default_factory=set)

    @property
    def outermost(self) -> list[Holder]:
        """The handles, or the holders of the pointer where there are none."""
        return self.handles or self.holders


@once
def regions(analysis: Analysis) -> list[Region]:
    """All mappings that some role reaches, each with the calls that lead there."""
    found = []
    for role in analysis.roles.all:
        for step in analysis.flow(role).events(Act.MAP):
            assert step.event is not None
            region = Region(role, step, rights_of(analysis, step))
            if step.event.call is not None:
                _Following(analysis, region).result(step.event.call, step.function, 0)
            found.append(region)
    return found


class _Following:
    """Follows the pointer of one mapping."""

    def __init__(self, analysis: Analysis, region: Region) -> None:
        self.analysis = analysis
        self.region = region

    def result(self, call: Expr, function: Function, depth: int) -> None:
        """Who keeps what an expression (a call) gives in a function."""
        if depth > DEPTH_MAX:
            return
        names: set[str] = set()
        for target, value in _assignments(function):
            if not _carries(value, call, names):
                continue
            if isinstance(target, Name) and self._local(target, function):
                names.add(target.name)
            else:
                self._kept(target, function, depth)
        for name in sorted(names):
            self._keep(Name(name, call.line), function)
        if any(_carries(value, call, names) for value in _returned(function)):
            self._handed_on(function, depth)

    def _local(self, name: Name, function: Function) -> bool:
        variable = self.analysis.program.variable(name.name, function, function.path)
        return variable is None or (variable.kind != "global" and not variable.static)

    def _keep(self, target: Expr, function: Function) -> None:
        location = self.analysis.locations.of(target, function)
        if location is not None:
            self.region.holders.append(Holder(location, function, Site(function.path, target.line)))

    def _kept(self, target: Expr, function: Function, depth: int) -> None:
        """A member, a global, or `*out` keeps the pointer."""
        if isinstance(target, Unary) and target.operator == "*" and isinstance(target.operand, Name):
            self._through(target.operand.name, function, depth, self.region.holders)
            return
        self._keep(target, function)
        base: Expr = target
        while isinstance(base, Member):
            base = base.base
        if not isinstance(base, Name) or base is target or not self._local(base, function):
            return
        self.region.makers.add(function_key(function))
        variable = self.analysis.program.variable(base.name, function, function.path)
        if variable is not None and variable.kind == "parameter":
            self._through(base.name, function, depth, self.region.handles)
        elif any(isinstance(value, Name) and value.name == base.name for value in _returned(function)):
            for call, caller in self.analysis.callables.callers(function.name):
                self._handle(call, caller, depth + 1)

    def _handle(self, call: Expr, function: Function, depth: int) -> None:
        """Who keeps the record that a making function returns."""
        if depth > DEPTH_MAX:
            return
        names: set[str] = set()
        for target, value in _assignments(function):
            if not _carries(value, call, names):
                continue
            if isinstance(target, Name) and self._local(target, function):
                names.add(target.name)
            location = self.analysis.locations.of(target, function)
            if location is not None:
                self.region.handles.append(Holder(location, function, Site(function.path, call.line)))
        if any(_carries(value, call, names) for value in _returned(function)):
            self.region.makers.add(function_key(function))
            for outer, caller in self.analysis.callables.callers(function.name):
                self._handle(outer, caller, depth + 1)

    def _handed_on(self, function: Function, depth: int) -> None:
        self.region.makers.add(function_key(function))
        for call, caller in self.analysis.callables.callers(function.name):
            self.result(call, caller, depth + 1)

    def _through(self, parameter: str, function: Function, depth: int, kept: list[Holder]) -> None:
        """What the callers pass for an out-parameter or a handle."""
        self.region.makers.add(function_key(function))
        positions = [at for at, one in enumerate(function.parameters) if one.name == parameter]
        for call, caller in self.analysis.callables.callers(function.name):
            for position in positions:
                if position >= len(call.arguments) or depth > DEPTH_MAX:
                    continue
                given = call.arguments[position]
                variable = (
                    self.analysis.program.variable(given.name, caller, caller.path) if isinstance(given, Name) else None
                )
                if variable is not None and variable.kind == "parameter":
                    self._through(variable.name, caller, depth + 1, kept)
                    continue
                location = self.analysis.locations.of(given, caller)
                if location is not None:
                    kept.append(Holder(location, caller, Site(caller.path, call.line)))


# ---------------------------------------------------------------------------------------------------------------- uses
def uses(analysis: Analysis, region: Region, held: Location) -> Iterator[Site]:
    """The places in live code where a holder or handle is used for more than keeping, testing and giving back."""
    for function in live_functions(analysis):
        if function_key(function) in region.makers:
            continue
        if held.kind in {"local", "parameter"} and held.owner != function.name:
            continue
        for statement in statements(function.body):
            for expr in [*expressions(statement)]:
                yield from _uses(analysis, region, expr, held, function)


def _uses(analysis: Analysis, region: Region, expr: Expr, held: Location, function: Function) -> Iterator[Site]:
    match expr:
        case _ if _is(analysis, expr, held, function):
            yield Site(function.path, expr.line)
        case Assign(operator="=", target=target, value=value) if _is(analysis, target, held, function):
            yield from _uses(analysis, region, value, held, function)
        case Binary(operator="==" | "!=" | "&&" | "||", left=left, right=right):
            for side in (left, right):
                if not _is(analysis, side, held, function):
                    yield from _uses(analysis, region, side, held, function)
        case Unary(operator="!", operand=operand) if _is(analysis, operand, held, function):
            return
        case Call(arguments=arguments) if _keeps_or_returns(analysis, region, expr, function):
            for argument in arguments:
                if not _is(analysis, _bare(argument), held, function):
                    yield from _uses(analysis, region, argument, held, function)
        case Conditional(condition=condition, then=then, other=other):
            for part in ([] if _is(analysis, condition, held, function) else [condition]) + [then, other]:
                yield from _uses(analysis, region, part, held, function)
        case _:
            for part in parts(expr):
                yield from _uses(analysis, region, part, held, function)


def _is(analysis: Analysis, expr: Expr, held: Location, function: Function) -> bool:
    return isinstance(expr, Name | Member) and analysis.locations.of(expr, function) == held


def _keeps_or_returns(analysis: Analysis, region: Region, call: Call, function: Function) -> bool:
    """Does a call only make the region, or give it back?"""
    name = call.function.name if isinstance(call.function, Name) else ""
    if name in {"munmap", "shmdt", "close", "free", "msync"}:
        return True
    callees = analysis.program.lookup(name, function.path) if name else ()
    return bool(callees) and all(
        function_key(callee) in region.makers or _gives_back(analysis, callee) for callee in callees
    )


def _gives_back(analysis: Analysis, function: Function) -> bool:
    return any(event.act is Act.UNMAP for event in events(analysis.outliner.of(function).body))


def live_functions(analysis: Analysis) -> list[Function]:
    """All functions that some role reaches, each once."""
    found = {key: reach.function for role in analysis.roles.all for key, reach in role.reach.items()}
    return list(found.values())


# ----------------------------------------------------------------------------------------------------------- structure
def _assignments(function: Function) -> Iterator[tuple[Expr, Expr]]:
    for one in statements(function.body):
        if isinstance(one, Declare) and one.initial is not None:
            yield Name(one.name, one.line, one.column), one.initial
        for expr in expressions(one):
            for part in within(expr):
                if isinstance(part, Assign) and part.operator == "=":
                    yield part.target, part.value


def _carries(value: Expr, call: Expr, names: set[str]) -> bool:
    """Is a value the call's result, or a local that holds it?"""
    match value:
        case Cast(operand=operand) | Assign(value=operand):
            return _carries(operand, call, names)
        case Conditional(then=then, other=other):
            return _carries(then, call, names) or _carries(other, call, names)
        case Binary(operator="+", left=left):
            return _carries(left, call, names)
        case Name(name=name):
            return name in names
        case Call(function=function, line=line, column=column) if isinstance(call, Call):
            return (function, line, column) == (call.function, call.line, call.column)  # macros may differ inside
        case _:
            return False


def _returned(function: Function) -> list[Expr]:
    found = [one.value for one in statements(function.body) if isinstance(one, Return)]
    return [value for value in found if value is not None]


def _bare(argument: Expr) -> Expr:
    """`&x` as x."""
    return argument.operand if isinstance(argument, Unary) and argument.operator == "&" else argument
