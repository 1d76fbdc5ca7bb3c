"""Expressions of C as Python: what decides the protocol is evaluated, everything else is not translated.

A `Value` is Python text in which every operation that must be yielded is a numbered hole; it is written in place where
the language allows a yield there, else before the statement. Rules of this file: an expression is translated as a whole
or not at all (`Untranslatable`), and nothing is consumed before it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cllm_sim.auditor.facts import (
    Assign,
    Binary,
    Call,
    Cast,
    Conditional,
    Expr,
    Index,
    Member,
    Name,
    Number,
    Site,
    Unary,
)
from cllm_sim.auditor.locations import object_kind
from cllm_sim.auditor.outline import Event
from cllm_sim.auditor.skeleton.code import Line, Node
from cllm_sim.auditor.skeleton.place import FREE, UNKNOWN, Place, number
from cllm_sim.auditor.skeleton.round import Tracked
from cllm_sim.auditor.skeleton.sizes import LIMIT, THREADS
from cllm_sim.auditor.vocabulary import Act, Kind
from cllm_sim.errors import BadArchitecture
from cllm_sim.grammar import check_source

if TYPE_CHECKING:
    from cllm_sim.auditor.skeleton.statements import Writer

SMALL = 3
COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})
OPERATORS = {
    "+": "+", "-": "-", "*": "*", "/": "//", "%": "%", "&": "&", "|": "|", "^": "^", "<<": "<<", ">>": ">>",
    "&&": "and", "||": "or", **{one: one for one in COMPARISONS},
}  # fmt: skip
NO_NUMBERS = frozenset({"float", "double", "long double"})


WORDS = {
    "NULL": 0, "false": 0, "true": 1, "MAP_FAILED": -1, "thrd_success": 0, "EXIT_SUCCESS": 0, "EXIT_FAILURE": 1,
    "SEM_FAILED": 0, "PTHREAD_BARRIER_SERIAL_THREAD": -1, "thrd_error": 2, "thrd_nomem": 3,
}  # fmt: skip
"""Constants of the libraries' headers."""

SCRAMBLING = frozenset({"*", "<<", ">>", "^"})
"""Operators that make ever new numbers: their results are not followed."""


def _plain(text: str) -> bool:
    """Is a text a constant (a number, or one of the numbers of the skeleton)?"""
    return number(text) or text.replace("_", "").isupper()


ERROR_NUMBER = re.compile(r"E[A-Z]+[0-9]*")
"""EINVAL and its like: some number that is not 0."""


class Untranslatable(Exception):
    """The value of an expression cannot be followed."""


@dataclass(slots=True)
class Hole:
    """An operation whose reply stands in the text, and the name it gets where it is written before the statement."""

    text: str
    name: str
    site: Site


@dataclass(slots=True)
class Value:
    """Python text with holes; `before` are lines that must come before it (then no hole stays in place)."""

    text: str
    holes: list[Hole] = field(default_factory=list)
    before: list[Line] = field(default_factory=list)
    used: list[Event] = field(default_factory=list)
    wants: list[Tracked] = field(default_factory=list)
    difficult: list[Tracked] = field(default_factory=list)
    choice: str = ""

    @property
    def constant(self) -> bool:
        """Is the text the same for ever?"""
        return not self.holes and not self.before


def hole(number: int) -> str:
    """The mark of a hole in a text."""
    return f"\x00{number}\x00"


def in_place(value: Value, statement: str) -> str | None:
    """The text with its operations in place, if the language allows that in this statement ("{}" is the text)."""
    if value.before:
        return None
    text = value.text
    whole = len(value.holes) == 1 and text == hole(0) and "= {}" in statement
    for at, one in enumerate(value.holes):
        text = text.replace(hole(at), one.text if whole else f"({one.text})")
    if not value.holes:
        return text
    body = "pass" if statement.endswith(":") else ""
    try:
        check_source("", f"def f():\n  {statement.format(text)}{body}\n  yield 0\n")
    except BadArchitecture:
        return None
    return text


class Expressions:
    """Translates the expressions of one generator; `writer` holds its names and what is pending."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        self.round = writer.round
        self.value = Value("")
        self.target: Tracked | None = None
        self.certain = False

    def translate(self, expr: Expr, *, certain: bool = False, target: Tracked | None = None) -> Value:
        """The value of an expression (for `target`, if it goes there); raises Untranslatable."""
        self.value = Value("")
        self.target = target
        self.certain = certain
        self.value.text = self.text(self.writer.rewrite(expr))
        if certain and self.value.difficult:
            raise Untranslatable
        self.round.knowledge.difficult.update(self.value.difficult)
        for key in self.value.wants:
            self.round.want(key)
        return self.value

    def slot(self, expr: Expr) -> str | None:
        """The text of a ring's index, if it needs no operation; what it is computed from is then followed."""
        self.value = Value("")
        try:
            text = self.text(self.writer.rewrite(expr))
        except Untranslatable:
            return None
        if not self.value.constant or number(text) or self.value.difficult:
            return None
        for key in self.value.wants:
            self.round.want(key)
        return f"({text})" if " " in text and not text.startswith("(") else text

    # ------------------------------------------------------------------------------------------------------- one kind
    def text(self, expr: Expr) -> str:
        """The Python text of an expression."""
        known = self._changed(expr)
        if known is not None:
            return known
        match expr:
            case Number(value=value) if value is not None:
                return str(value)
            case Cast(operand=operand):
                return self.text(operand)
            case Name():
                return self._name(expr)
            case Member() | Index() | Unary(operator="*"):
                return self._memory(expr)
            case Unary(operator="!", operand=operand):
                return f"not {self._operand(operand)}"
            case Unary(operator="-" | "~" | "+" as operator, operand=operand):
                return f"{operator}{self._operand(operand)}"
            case Unary(operator="&"):
                return "1"
            case Unary(operator="++x" | "--x", operand=operand):
                return self.text(operand)
            case Unary(operator="x++" | "x--", operand=Member() | Index() as operand):
                return self._counter(operand)
            case Unary(operator="x++" | "x--" as operator, operand=Name() as operand):
                return f"({self.text(operand)} {'-' if operator == 'x++' else '+'} 1)"
            case Assign(target=Name() as target):
                return self.text(target)
            case Binary(operator=operator) if operator in OPERATORS:
                return self._binary(expr)
            case Conditional(condition=condition, then=then, other=other):
                return f"({self._side(then)} if {self.text(condition)} else {self._side(other)})"
            case Call():
                return self._call(expr)
            case _:
                raise Untranslatable

    def _side(self, expr: Expr) -> str:
        """One side of a conditional; a computed one may be any other value."""
        try:
            return self.text(expr)
        except Untranslatable:
            text = None if self.target is None else self.writer.events.computed(expr, self.target)
            if text is None:
                raise
            return text

    def _changed(self, expr: Expr) -> str | None:
        """The value of what was evaluated just before: `++x`, `x += d`, a call that was taken to succeed."""
        operand = expr.operand if isinstance(expr, Unary) else expr.target if isinstance(expr, Assign) else expr
        known = self.writer.after.get((operand.line, operand.column))
        if known is None or not isinstance(expr, Unary | Assign | Call):
            return None
        if isinstance(expr, Unary) and expr.operator not in {"++x", "--x", "x++", "x--"}:
            return None
        key = self.writer.key_of(operand) if not isinstance(expr, Call) else None
        if key is not None:
            self.value.wants.append(key)
        return known[0] if isinstance(expr, Unary) and expr.operator in {"x++", "x--"} else known[1]

    def _operand(self, expr: Expr) -> str:
        text = self.text(expr)
        return f"({text})" if " " in text else text

    def _binary(self, expr: Binary) -> str:
        if expr.operator in COMPARISONS:
            if self._two_pointers(expr):
                raise Untranslatable
            return self._comparison(expr)
        if expr.operator in {"&&", "||"}:
            return self._connected(expr)
        first = len(self.value.wants)
        left, right = self._operand(expr.left), self._operand(expr.right)
        self.round.knowledge.arithmetic.update(self.value.wants[first:])
        if expr.operator in SCRAMBLING and not (_plain(left) and _plain(right)):
            raise Untranslatable
        return f"{left} {OPERATORS[expr.operator]} {right}"

    def _two_pointers(self, expr: Binary) -> bool:
        """Are two pointers compared with each other?"""
        types = [self.round.program.type_of(one, self.writer.frame.function) for one in (expr.left, expr.right)]
        return all(type is not None and (type.pointers or type.arrays) for type in types)

    def _connected(self, expr: Binary) -> str:
        """`a && b`: if one of them cannot be followed, it alone is a choice of the environment."""
        texts: list[str | None] = []
        for side in (expr.left, expr.right):
            lengths = [len(one) for one in self._held()]
            try:
                texts.append(self._operand(side))
            except Untranslatable:
                for one, length in zip(self._held(), lengths, strict=True):
                    del one[length:]
                texts.append(None)
        if (self.certain and None in texts) or texts == [None, None]:
            raise Untranslatable
        for at, side in enumerate((expr.left, expr.right)):
            if texts[at] is None:
                shown = self.writer.shown(side)
                self.round.note(f"the condition '{shown}' is a choice of the environment", self.writer.site(side))
                texts[at] = self._hole("yield choose(0, 1)", "chosen", self.writer.site(side))
                self.value.choice = shown
        return f"{texts[0]} {OPERATORS[expr.operator]} {texts[1]}"

    def _held(self) -> tuple[list[Any], ...]:
        value = self.value
        return value.holes, value.before, value.used, value.wants, value.difficult

    def _comparison(self, expr: Binary) -> str:
        """Comparisons say which values matter; numbers too large for a search are made smaller."""
        keys = [self.writer.key_of(one) for one in (expr.left, expr.right)]
        sides = [
            self._threads_side(one, other) or self._constant_side(one, key)
            for one, other, key in ((expr.left, expr.right, keys[1]), (expr.right, expr.left, keys[0]))
        ]
        texts = [given if given is not None else self._operand(one) for one, given in zip(
            (expr.left, expr.right), sides, strict=True)]  # fmt: skip
        for key, side, partner in ((keys[0], sides[1], keys[1]), (keys[1], sides[0], keys[0])):
            if key is None:
                continue
            self.round.knowledge.partners.setdefault(key, set()).add(partner)
            if side is None or not number(side):
                self.value.difficult.append(key)
                if expr.operator not in {"==", "!="}:
                    self.round.knowledge.ordered.add(key)
                continue
            if expr.operator not in {"==", "!="}:
                self.round.knowledge.ordered.add(key)
            near = {int(side)} if expr.operator in {"==", "!="} else {int(side) + one for one in (-1, 0, 1)}
            self.round.knowledge.compared.setdefault(key, set()).update(near)
        return f"{texts[0]} {expr.operator} {texts[1]}"

    def _threads_side(self, expr: Expr, other: Expr) -> str | None:
        """A large constant that a number of threads is compared with is the number that is meant."""
        size = self.round.sizes.get(other, self.writer.frame)
        value = self.writer.constant(expr)
        if size is None or size.kind != THREADS or value is None or value <= SMALL or isinstance(expr, Number):
            return None
        return size.name

    def _constant_side(self, expr: Expr, other: Tracked | None) -> str | None:
        """A constant that something followed is compared with."""
        frame = self.writer.frame
        size = self.round.sizes.get(expr, frame)
        if size is not None and not isinstance(expr, Number):
            return size.name
        text = self.round.sizes.text(expr, frame) if isinstance(expr, Binary) else None
        if text is not None and any(one.name in text for one in self.round.sizes.known.values()):
            return f"({text})"
        value = self.writer.constant(expr)
        if value is None:
            return None
        if abs(value) <= SMALL or other is None or value in self.writer.enumerators(expr):
            return str(value)
        size = self.round.sizes.register(expr, frame, LIMIT)
        return str(value) if size is None else size.name

    # ---------------------------------------------------------------------------------------------------------- leaves
    def _name(self, name: Name) -> str:
        writer = self.writer
        unknown = writer.variable(name.name) is None and writer.constant(name) is None
        if unknown and ERROR_NUMBER.fullmatch(name.name):
            return "1"
        pending = writer.pending_at(name)
        if pending is not None:
            return self._memory(name)
        size = self.round.sizes.get(name, writer.frame)
        key = writer.local_key(name.name)
        if key in writer.generator.locals and (size is None or size.kind != THREADS):
            self.value.wants.append(key)
            return writer.generator.locals[key]
        if size is not None:
            return size.name
        value = writer.constant(name)
        if value is not None:
            return str(value)
        integer = self.round.places.integer(name, writer.frame)
        if integer != UNKNOWN and not integer.startswith(FREE):
            return integer
        variable = writer.variable(name.name)
        if variable is None or variable.type.base in NO_NUMBERS or key in self.round.knowledge.banned:
            raise Untranslatable
        if variable.kind == "parameter" and (variable.type.pointers or variable.type.arrays):
            if writer.frame.places.get(name.name) is None:
                raise Untranslatable
            return "1"  # it leads somewhere
        if variable.type.arrays or self._is_record(name):
            raise Untranslatable
        self.value.wants.append(key)
        return writer.local_name(key, name.name)

    def _counter(self, operand: Expr) -> str:
        """`x++` on memory that is not followed yet: it will be in the next round."""
        place = self.writer.place(operand)
        key = None if place is None else self.writer.memory_key(place)
        if key is None or key in self.round.knowledge.banned or self.round.follows(key):
            raise Untranslatable
        self.value.wants.append(key)
        return "counter"

    def _is_record(self, expr: Expr) -> bool:
        type = self.round.program.type_of(expr, self.writer.frame.function)
        return type is not None and not type.pointers and self.round.program.record(type) is not None

    def _memory(self, expr: Expr) -> str:
        writer = self.writer
        event = writer.pending_at(expr)
        size = self.round.sizes.get(expr, writer.frame)
        if size is not None:
            self._use(event)
            return size.name
        integer = self.round.places.integer(expr, writer.frame)
        if integer != UNKNOWN and not integer.startswith(FREE):
            self._use(event)
            return integer
        place = writer.place(expr)
        if place is None:
            raise Untranslatable
        key = writer.memory_key(place)
        type = self.round.program.type_of(expr, writer.frame.function)
        if key in self.round.knowledge.banned or type is None or type.base in NO_NUMBERS or type.arrays:
            raise Untranslatable
        if not type.pointers and self.round.program.record(type) is not None:
            raise Untranslatable
        if place.root.kind == "local" and writer.given_away(place.root.name):
            raise Untranslatable
        self.value.wants.append(key)
        self._use(event)
        if key[0] == "private":
            return writer.local_name(key, place.path[-1] if place.path else place.root.name, place.root.name)
        atomic = object_kind(type) is Kind.ATOMIC
        return self._operation(expr, place, event, atomic)

    def _operation(self, expr: Expr, place: Place, event: Event | None, atomic: bool) -> str:
        writer = self.writer
        site = event.site if event is not None else writer.site(expr)
        text = writer.tracked_object(place, event, site, atomic)
        if text is None:
            raise Untranslatable
        name = next((one for one in reversed(place.path) if one not in {"*", "[]"}), place.root.name)
        return self._hole(f"yield {text}.{'load' if atomic else 'read'}()", f"{name}_now", site)

    def _use(self, event: Event | None) -> None:
        if event is not None:
            self.value.used.append(event)

    def _hole(self, text: str, name: str, site: Site) -> str:
        self.value.holes.append(Hole(text, name, site))
        return hole(len(self.value.holes) - 1)

    # ----------------------------------------------------------------------------------------------------------- calls
    def _call(self, call: Call) -> str:
        writer = self.writer
        event = writer.pending_call(call)
        if event is None or (event.act is Act.CALL and not event.callees):
            return self._succeeds(call)
        if event.act is Act.CALL:
            return self._called(event)
        if event.act is Act.LOAD and event.expression is not None:
            return self._atomic(event, "load()")
        if event.act is Act.CHANGE:
            return self._change(event)
        raise Untranslatable

    def _succeeds(self, call: Call) -> str:
        """A call that may fail is taken to succeed."""
        found = self.round.analysis.outliner.failures.value(call, {}, self.writer.frame.function)
        if found is None or not found.derived or len(found.numbers) != 1:
            raise Untranslatable
        return str(min(found.numbers[0], 1))

    def _called(self, event: Event) -> str:
        made = self.writer.request(event, wants_result=True)
        if made is None or not made[0].returns or made[0].silent:
            assert event.call is not None
            return self._succeeds(event.call)
        generator, arguments = made
        self._use(event)
        return self._hole(f"yield from {generator.name}({arguments})", f"{generator.name}_gave", event.site)

    def _atomic(self, event: Event, operation: str) -> str:
        place = self._atomic_place(event)
        text = self.writer.tracked_object(place, event, event.site, True)
        if text is None:
            raise Untranslatable
        self._use(event)
        word = next((one for one in reversed(place.path) if one not in {"*", "[]"}), place.root.name)
        return self._hole(f"yield {text}.{operation}", f"{word}_now", event.site)

    def _atomic_place(self, event: Event) -> Place:
        place = self.writer.event_place(event)
        if place is None:
            raise Untranslatable
        key = self.writer.memory_key(place)
        if key in self.round.knowledge.banned:
            raise Untranslatable
        self.value.wants.append(key)
        return place

    def _change(self, event: Event) -> str:
        """An atomic read-modify-write whose result is used."""
        operation = change_operation(event, self)
        place = self._atomic_place(event)
        if "compare" in event.name:
            return self._compare_exchange(event, place)
        text = self._atomic(event, operation[0])
        return f"({text} {operation[1]})" if operation[1] else text

    def _compare_exchange(self, event: Event, place: Place) -> str:
        arguments = event.call.arguments if event.call is not None else ()
        text = self.writer.tracked_object(place, event, event.site, True)
        if text is None or len(arguments) < 3:
            raise Untranslatable
        new = self._pure(arguments[2])
        if event.name.startswith("__sync"):
            old = self._pure(arguments[1])
            self._use(event)
            reply = self._hole(f"yield {text}.exchange({old}, {new})", "before", event.site)
            return f"{reply} == {old}" if "bool" in event.name else reply
        expected = arguments[1]
        while isinstance(expected, Cast):
            expected = expected.operand
        if not (isinstance(expected, Unary) and expected.operator == "&"):
            raise Untranslatable
        held = self.writer.place(expected.operand)
        if held is None or self.writer.memory_key(held)[0] != "private":
            raise Untranslatable
        key = self.writer.memory_key(held)
        self.value.wants.append(key)
        local = self.writer.local_name(key, held.path[-1] if held.path else held.root.name)
        before, won = self.writer.fresh("before"), self.writer.fresh("won")
        site = event.site
        self._use(event)
        self.value.before += [
            Line(f"{before} = yield {text}.exchange({local}, {new})", site, yields=True),
            Line(f"{won} = {before} == {local}", site, sets=True),
            Line(f"{local} = {before}", site, sets=True),
        ]
        return won

    def _pure(self, expr: Expr) -> str:
        """An expression without operations."""
        count = len(self.value.holes)
        text = self._operand(expr)
        if len(self.value.holes) != count:
            raise Untranslatable
        return text

    def pure(self, expr: Expr) -> str:
        """The text of an expression that needs no operation; raises Untranslatable."""
        return self._pure(self.writer.rewrite(expr))


def change_operation(event: Event, expressions: Expressions) -> tuple[str, str]:
    """An atomic change as an operation of a word, and what to add to its reply for the value C gives."""
    name = event.name
    if not name and event.operator:
        return _compound(event, expressions)
    if "compare" in name:
        return "", ""
    if "test_and_set" in name and "lock" not in name:
        return "exchange(0, 1)", ""
    value = expressions.pure(event.value) if event.value is not None else "1"
    if "exchange" in name or "test_and_set" in name:
        return (f"exchange({1 if value == '0' else 0}, {value})", "")
    sign = "-" if "sub" in name else ""
    if "add" in name or "sub" in name:
        after = name.endswith("_fetch")
        shown = f"({value})" if " " in value else value
        return f"add({sign}{shown})", (f"{'-' if sign else '+'} {shown}" if after else "")
    if "or" in name.split("_"):
        return "exchange(0, 1)", ""
    raise Untranslatable


def _compound(event: Event, expressions: Expressions) -> tuple[str, str]:
    """`x++`, `x += d` on an atomic."""
    steps = {"++": "1", "--": "-1"}
    if event.operator in steps:
        return f"add({steps[event.operator]})", ""
    if event.operator in {"+=", "-="} and event.value is not None:
        value = expressions.pure(event.value)
        return f"add({'-' if event.operator == '-=' else ''}{value})", ""
    raise Untranslatable


def lines_before(value: Value, writer: Writer) -> tuple[list[Node], str]:
    """The operations of a value as statements before, and the text that is left."""
    lines: list[Node] = list(value.before)
    text = value.text
    for at, one in enumerate(value.holes):
        name = writer.fresh(one.name)
        lines.append(Line(f"{name} = {one.text}", one.site, yields=True))
        text = text.replace(hole(at), name)
    return lines, text
