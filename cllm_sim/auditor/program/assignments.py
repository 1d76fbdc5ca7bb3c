"""All values ever assigned to members and globals, in the whole program.

Rules of this file: keys are "Label.member", a global's name, or "function.variable" for a static local; what is given
to the elements of an array, or put behind a pointer, has the key with "[]" added. Without regard to order or instance.
A value that changes what was there (`+=`, `++`) stands as that whole expression. `{0}` sets nothing: it clears.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from cllm_sim.auditor.facts import (
    Cast,
    Expr,
    FileFacts,
    Function,
    Index,
    InitialList,
    Member,
    Name,
    Number,
    Record,
    Text,
    TypeName,
    Unary,
)
from cllm_sim.auditor.program.counting import Counting, Knowledge, static_symbol
from cllm_sim.auditor.program.labels import Slot
from cllm_sim.auditor.program.nodes import Effort
from cllm_sim.auditor.program.typing_of import pointed
from cllm_sim.auditor.program.usage import Usage
from cllm_sim.auditor.program.variables import Variable

ELEMENTS = "[]"
DESIGNATOR = re.compile(r"\.\s*(\w+)|\[[^\]]*\]")
DEPTH_MAX = 40

Values = dict[str, list[tuple[Expr, Function]]]


class Assignments:
    """One pass over the program; `values` by person's names, `exact` by the symbols that counts use."""

    def __init__(self, files: Sequence[FileFacts], knowledge: Knowledge, counting: Counting) -> None:
        self._know = knowledge
        self._counting = counting
        self.values: Values = {}
        self.exact: Values = {}
        self.addressed: set[str] = set()  # symbols whose address is used, so that others may change them
        for function in knowledge.functions.all:
            self._function(function)
        for file in files:
            self._globals(file)

    # ------------------------------------------------------------------------------------------------------- reading
    def _function(self, function: Function) -> None:
        usage = self._know.usages.of(function)
        own = self._know.variables.locals(function)
        for stmt in usage.declares:
            variable = own.get(stmt.name)
            if variable is not None and variable.static and stmt.initial is not None:
                self._enter(static_symbol(variable), static_symbol(variable), stmt.initial, function)
        self._usage(usage, function)

    def _globals(self, file: FileFacts) -> None:
        place = Function("", file.path, 1, 1, TypeName("void"), (), (), static=True)
        for one in file.globals:
            if one.initial is None:
                continue
            declared = self._know.variables.declared(one.name, None, file.path)
            if declared is not None:
                self._enter(one.name, self._counting.global_symbol(declared.variable), one.initial, place)
            self._usage(self._know.usages.of_expression(one.initial, file.path), place)
            if isinstance(one.initial, InitialList):
                self._list(self._know.types.resolved(one.type, file.path), one.initial, place, one.name, 0)

    def _usage(self, usage: Usage, function: Function) -> None:
        for target, value in usage.assigned:
            keys = self._keys(target, function, 0)
            if keys is not None:
                self._enter(*keys, value, function)
        for operand in usage.addressed:
            keys = self._keys(operand, function, 0)
            if keys is not None:
                self.addressed.add(keys[1])
        for type_name, listed in usage.lists:
            self._list(self._know.types.resolved(type_name, function.path), listed, function, "", 0)

    def _enter(self, key: str, symbol: str, value: Expr, function: Function) -> None:
        self.values.setdefault(key, []).append((value, function))
        self.exact.setdefault(symbol, []).append((value, function))

    # ---------------------------------------------------------------------------------------------------------- keys
    def _keys(self, target: Expr, function: Function, depth: int) -> tuple[str, str] | None:
        """What a person calls the target, and the symbol that counts have for it."""
        if depth > DEPTH_MAX:
            return None
        match target:
            case Name(name=name):
                declared = self._know.variables.declared(name, function, function.path)
                return None if declared is None else self._variable_keys(declared.variable)
            case Member():
                symbol = self._counting.member_symbol(target, function, function.path, Effort())
                return None if symbol is None else (symbol, symbol)
            case Index(base=base) | Unary(operator="*", operand=base):
                keys = self._keys(base, function, depth + 1)
                return None if keys is None else (keys[0] + ELEMENTS, keys[1] + ELEMENTS)
            case Cast(operand=operand):
                return self._keys(operand, function, depth + 1)
            case _:
                return None

    def _variable_keys(self, variable: Variable) -> tuple[str, str] | None:
        if variable.kind == "global":
            return variable.name, self._counting.global_symbol(variable)
        if variable.kind == "local" and variable.static:
            return static_symbol(variable), static_symbol(variable)
        return None

    # --------------------------------------------------------------------------------------------------------- lists
    def _list(self, type_name: TypeName, listed: InitialList, function: Function, key: str, depth: int) -> None:
        """Shares the values of an initial list out to members and elements."""
        if depth > DEPTH_MAX or _clears(listed):
            return
        if type_name.arrays:
            element = pointed(type_name)
            for designator, value in listed.items:
                steps = _steps(designator)
                if element is not None:
                    self._place(element, steps[1:], value, function, key + ELEMENTS if key else "", depth + 1)
            return
        record = None if type_name.pointers else self._know.types.record(type_name)
        if record is not None:
            self._members(record, listed, function, depth)

    def _members(self, record: Record, listed: InitialList, function: Function, depth: int) -> None:
        slots = self._know.labels.slots(record)
        label = self._know.labels.label(record.name)
        position: int | None = 0  # None: which member comes next depends on sizes
        for designator, value in listed.items:
            steps = _steps(designator)
            slot: Slot | None
            if steps:
                slot = self._know.types.member(record, steps[0])
                position = _position(slots, steps[0])
            else:
                slot = slots[position] if position is not None and position < len(slots) else None
                if slot is not None and self._leaves_out_braces(slot, value, function):
                    slot = position = None
            if isinstance(slot, Record):
                if isinstance(value, InitialList):
                    self._members(slot, value, function, depth + 1)
            elif slot is not None:
                self._place(slot.type, steps[1:], value, function, f"{label}.{slot.name}", depth + 1)
            position = None if position is None else position + 1

    def _leaves_out_braces(self, slot: Slot, value: Expr, function: Function) -> bool:
        """Whether a plain value stands for the first part of an array or record inside."""
        if isinstance(value, InitialList | Text):
            return False
        if isinstance(slot, Record) or slot.type.arrays:
            return True
        if slot.type.pointers or self._know.types.record(slot.type) is None:
            return False
        given = self._know.type_of.of(value, function, function.path, Effort())
        return given is not None and self._know.types.record(given) is None

    def _place(
        self, type_name: TypeName, steps: list[str], value: Expr, function: Function, key: str, depth: int
    ) -> None:
        """Enters one value at the place that the rest of its designator leads to."""
        while steps and depth <= DEPTH_MAX:
            step = steps[0]
            if step.startswith("["):
                element = pointed(type_name)
                if element is None:
                    return
                type_name, key = element, key + ELEMENTS if key else ""
            else:
                record = self._know.types.record(type_name)
                member = None if record is None else self._know.types.member(record, step)
                if record is None or member is None:
                    return
                type_name, key = member.type, f"{self._know.labels.label(record.name)}.{step}"
            steps = steps[1:]
            depth += 1
        if key:
            self._enter(key, key, value, function)
        if isinstance(value, InitialList):
            self._list(type_name, value, function, key, depth)


def _clears(listed: InitialList) -> bool:
    if len(listed.items) != 1:
        return not listed.items
    designator, value = listed.items[0]
    return not designator and isinstance(value, Number) and value.value == 0


def _steps(designator: str) -> list[str]:
    """The parts of a designator: "workers", "[]"."""
    return [found[1] or ELEMENTS for found in DESIGNATOR.finditer(designator)]


def _position(slots: tuple[Slot, ...], name: str) -> int | None:
    return next((index for index, slot in enumerate(slots) if slot.name == name), None)
