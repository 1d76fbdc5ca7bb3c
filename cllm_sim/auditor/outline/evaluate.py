"""What evaluating an expression does to shared things, in C's order as far as it has one.

Reads and writes of members, globals, memory behind pointers, and locals whose address is taken are events; other locals
are not shared and only appear as `Set`. Rules of this file: what a library call does stands in `vocabulary.py`; what
cannot be named is an event without target, never left out silently where it synchronises.
"""

from __future__ import annotations

from cllm_sim.auditor.callables import Callables
from cllm_sim.auditor.facts import (
    Assign,
    Binary,
    Call,
    Cast,
    Conditional,
    Expr,
    Function,
    Index,
    InitialList,
    Member,
    Name,
    Opaque,
    Site,
    Unary,
)
from cllm_sim.auditor.locations import Location, Locations, is_object, object_kind
from cllm_sim.auditor.outline.expand import Expander
from cllm_sim.auditor.outline.failure import Failures
from cllm_sim.auditor.outline.nodes import Branch, Event, Node, Set
from cllm_sim.auditor.program import Program
from cllm_sim.auditor.traverse import all_expressions
from cllm_sim.auditor.vocabulary import KNOWN, SYNCHRONISATION_TYPES, Act, Kind, Known

DEPTH_MAX = 200
STEPS = {"++x": "++", "x++": "++", "--x": "--", "x--": "--"}


class Evaluator:
    """Turns the expressions of one function into nodes."""

    def __init__(
        self, program: Program, locations: Locations, callables: Callables, failures: Failures, function: Function
    ) -> None:
        self.program = program
        self.failures = failures
        self.locations = locations
        self.callables = callables
        self.function = function
        self.expander = Expander(program, function)
        self.shared_locals = _address_taken(function)

    def nodes(self, expr: Expr | None) -> list[Node]:
        """What the evaluation of an expression does."""
        return [] if expr is None else self.value(self.expander.rewrite(expr), 0)

    def site(self, expr: Expr) -> Site:
        """Where an expression stands."""
        return Site(self.function.path, expr.line, expr.column)

    # ------------------------------------------------------------------------------------------------------ values
    def value(self, expr: Expr, depth: int) -> list[Node]:
        """The nodes of evaluating an expression for its value."""
        if depth > DEPTH_MAX:
            return []
        depth += 1
        match expr:
            case Name():
                return self._read(expr)
            case Member() | Index() | Unary(operator="*"):
                return self.address(expr, depth) + self._read(expr)
            case Unary(operator="&", operand=operand):
                return self.address(operand, depth)
            case Unary(operator=operator, operand=operand) if operator in STEPS:
                return self._change(operand, STEPS[operator], None, expr, depth)
            case Assign(operator=operator, target=target, value=value):
                return self.value(value, depth) + self._change(target, operator, value, expr, depth)
            case Binary(operator="&&" | "||", left=left, right=right):
                return self._short_circuit(expr, left, right, depth)
            case Conditional():
                return self._conditional(expr, depth)
            case Call():
                return self._call(expr, depth)
            case _:
                return [node for part in _inner(expr) for node in self.value(part, depth)]

    def address(self, expr: Expr, depth: int) -> list[Node]:
        """The nodes of computing where an lvalue is, without touching it."""
        if depth > DEPTH_MAX:
            return []
        depth += 1
        match expr:
            case Member(base=base, arrow=arrow):
                return self.value(base, depth) if arrow else self.address(base, depth)
            case Index(base=base, index=index):
                type = self.program.type_of(base, self.function)
                whole = type is not None and type.arrays
                return (self.address(base, depth) if whole else self.value(base, depth)) + self.value(index, depth)
            case Unary(operator="*", operand=operand):
                return self.value(operand, depth)
            case Cast(operand=operand):
                return self.address(operand, depth)
            case Name():
                return []
            case _:
                return self.value(expr, depth)

    def _short_circuit(self, expr: Binary, left: Expr, right: Expr, depth: int) -> list[Node]:
        first, second = self.value(left, depth), self.value(right, depth)
        if not any(_acts(node) for node in second):
            return first + second
        taken = tuple(second)
        then, other = (taken, ()) if expr.operator == "&&" else ((), taken)
        return [*first, Branch(left, then, other, self.site(expr), self.failures.side(left, self.function))]

    def _conditional(self, expr: Conditional, depth: int) -> list[Node]:
        then, other = self.value(expr.then, depth), self.value(expr.other, depth)
        test = self.value(expr.condition, depth)
        if not then and not other:
            return test
        failure = self.failures.side(expr.condition, self.function)
        return [*test, Branch(expr.condition, tuple(then), tuple(other), self.site(expr), failure)]

    # ------------------------------------------------------------------------------------------------------ accesses
    def _read(self, expr: Expr) -> list[Node]:
        return self._access(expr, Act.READ, "", None, self.site(expr))

    def _change(self, target: Expr, operator: str, value: Expr | None, expr: Expr, depth: int) -> list[Node]:
        """`target operator value`: a plain local is `Set`, everything else is read (but for "=") and written."""
        before = self.address(target, depth)
        if isinstance(target, Name) and self._private(target):
            return [*before, Set(target.name, operator, value, self.site(expr))]
        if self._initialises(target, value):
            location = self.locations.of(target, self.function)
            kind = object_kind(self.program.type_of(target, self.function)) or Kind.MEMORY
            return [*before, Event(Act.INIT, kind, location, self.site(target), target, operator="=")]
        read = [] if operator == "=" else self._access(target, Act.READ, operator, None, self.site(target))
        write = self._access(target, Act.WRITE, operator, value, self.site(target))
        if write and isinstance(write[0], Event) and write[0].act is Act.CHANGE:
            read = []
        return before + read + write

    def _initialises(self, target: Expr, value: Expr | None) -> bool:
        type = self.program.type_of(target, self.function)
        if type is None or not is_object(type) or value is None:
            return False  # a pointer to an object is data
        return object_kind(type) in {Kind.MUTEX, Kind.CONDITION, Kind.SEMAPHORE, Kind.BARRIER}

    def _private(self, name: Name) -> bool:
        variable = self.program.variable(name.name, self.function, self.function.path)
        if variable is None:
            return True
        if variable.kind == "global" or variable.static:
            return False
        return name.name not in self.shared_locals

    def _access(self, expr: Expr, act: Act, operator: str, value: Expr | None, site: Site) -> list[Node]:
        if isinstance(expr, Name) and self._private(expr):
            return []
        type = self.program.type_of(expr, self.function)
        if type is not None and (type.arrays or (type.base in SYNCHRONISATION_TYPES and act is Act.READ)):
            return []  # an array stands for its address; a handle or lock is no data
        location = self.locations.of(expr, self.function)
        if location is None:
            return []
        kind = Kind.MEMORY
        if object_kind(type) is Kind.ATOMIC and type is not None and not type.pointers:
            kind = Kind.ATOMIC
            act = _atomic_act(act, operator)
        return [Event(act, kind, location, site, expr, value, operator)]

    # --------------------------------------------------------------------------------------------------------- calls
    def _call(self, expr: Call, depth: int) -> list[Node]:
        name = expr.function.name if isinstance(expr.function, Name) else ""
        local = name and self.program.variable(name, self.function, self.function.path) is not None
        defined = () if local or not name else self.program.lookup(name, self.function.path)
        if name in KNOWN and not defined:
            return self._known(expr, name, KNOWN[name], depth)
        callees = defined or (() if name and not local else self.callables.of(expr.function, self.function))
        before = [] if name else self.value(expr.function, depth)
        for argument in expr.arguments:
            before += self.value(argument, depth)
        if not callees:
            before += [node for argument in expr.arguments for node in self._handed_over(argument)]
        shown = name or self.program.text(expr.function)
        call = Event(Act.CALL, Kind.MEMORY, None, self.site(expr), call=expr, name=shown, callees=callees)
        return [*before, call]

    def _handed_over(self, argument: Expr) -> list[Node]:
        """An array or pointer given to a function that is not in the sources: its memory may be read."""
        type = self.program.type_of(argument, self.function)
        if type is None or not (type.arrays or type.pointers) or object_kind(type) is not None:
            return []
        target = self.locations.pointed(argument, self.function)
        if target is None or target.kind in {"local", "parameter"}:
            return []
        return [Event(Act.READ, Kind.MEMORY, target, self.site(argument), argument, passed=True)]

    def _known(self, expr: Call, name: str, known: Known, depth: int) -> list[Node]:
        arguments = expr.arguments
        nodes: list[Node] = []
        for position, argument in enumerate(arguments):
            if position in {known.entry, known.target if not known.by_value else None, known.partner}:
                nodes += self.address(_dereferenced(argument), depth)
            else:
                nodes += self.value(argument, depth)
        nodes += [node for one in known.reads for node in self._touched(arguments, one, Act.READ)]
        nodes += self._also_handed_over(arguments, known)
        nodes += [node for one in known.writes for node in self._touched(arguments, one, Act.WRITE)]
        return [*nodes, self._library_event(expr, name, known)]

    def _also_handed_over(self, arguments: tuple[Expr, ...], known: Known) -> list[Node]:
        """Further pointers given to a known function (the texts that `snprintf` prints) may be read."""
        told = {*known.reads, *known.writes}
        others = [one for at, one in enumerate(arguments) if known.act is Act.CALL and at not in told]
        return [node for one in others for node in self._handed_over(one)]

    def _touched(self, arguments: tuple[Expr, ...], position: int, act: Act) -> list[Node]:
        if position >= len(arguments):
            return []
        target = self.locations.pointed(arguments[position], self.function)
        if target is None or target.kind == "parameter":
            return [] if target is None else [self._plain(act, target, arguments[position])]
        if target.kind == "local" and target.holder.name not in self.shared_locals:
            return []
        return [self._plain(act, target, arguments[position])]

    def _plain(self, act: Act, target: Location, argument: Expr) -> Event:
        return Event(act, Kind.MEMORY, target, self.site(argument), argument, operator="=" if act is Act.WRITE else "")

    def _library_event(self, expr: Call, name: str, known: Known) -> Event:
        arguments = expr.arguments

        def given(position: int | None) -> Expr | None:
            return arguments[position] if position is not None and position < len(arguments) else None

        target = given(known.target)
        entry, partner = given(known.entry), given(known.partner)
        if known.act is Act.CREATE:
            partner = target
        return Event(
            known.act,
            known.kind,
            None if target is None else self._object(target, known),
            self.site(expr),
            target,
            given(known.value),
            partner=None if partner is None else self.locations.pointed(partner, self.function),
            call=expr,
            name=name,
            entries=() if entry is None else self.callables.of(entry, self.function),
            argument=given(known.argument),
            modes=tuple(arguments[one] for one in known.modes if one < len(arguments)),
        )

    def _object(self, target: Expr, known: Known) -> Location | None:
        if not known.by_value:
            return self.locations.pointed(target, self.function)
        if known.kind is Kind.THREAD:
            return self.locations.of(target, self.function)
        return self.locations.pointed(target, self.function)


def _acts(node: Node) -> bool:
    """Does a node do more than read?"""
    return not isinstance(node, Event) or node.act not in {Act.READ, Act.LOAD}


def _atomic_act(act: Act, operator: str) -> Act:
    if act is Act.READ:
        return Act.LOAD
    return Act.STORE if operator == "=" else Act.CHANGE


def _dereferenced(argument: Expr) -> Expr:
    """`&x` as x: the address of x needs no access of x itself."""
    return argument.operand if isinstance(argument, Unary) and argument.operator == "&" else argument


def _inner(expr: Expr) -> tuple[Expr, ...]:
    match expr:
        case Cast(operand=operand) | Unary(operand=operand):
            return (operand,)
        case Binary(left=left, right=right):
            return left, right
        case InitialList(items=items):
            return tuple(value for _, value in items)
        case Opaque(parts=parts):
            return parts
        case _:
            return ()


def _address_taken(function: Function) -> frozenset[str]:
    """Locals whose address leaves the expression: others may come to share them."""
    taken = set()
    for expr in all_expressions(function.body):
        if isinstance(expr, Unary) and expr.operator == "&":
            base = expr.operand
            while isinstance(base, Member | Index) and not (isinstance(base, Member) and base.arrow):
                base = base.base
            if isinstance(base, Name):
                taken.add(base.name)
    return frozenset(taken)
