"""Follows symbols to what they are ever assigned, so that two counts can be compared.

Rules of this file: without regard to order or instance. A symbol is replaced only where everything it can be is one
count: all values assigned to a member or global, all arguments given for a parameter. What is changed in place, or
whose address is used, stays; so does what leads back to itself.
"""

from __future__ import annotations

from collections.abc import Sequence

from cllm_sim.auditor.facts import Call, Expr, FileFacts, Function, Name
from cllm_sim.auditor.program.assignments import Assignments
from cllm_sim.auditor.program.counting import Counting, Knowledge, Scope
from cllm_sim.auditor.program.counts import Count, number, symbol_alone

DEPTH_MAX = 24
VALUES_MAX = 64


class Following:
    """Replaces symbols by what they always are."""

    def __init__(
        self, files: Sequence[FileFacts], knowledge: Knowledge, counting: Counting, assignments: Assignments
    ) -> None:
        self._files = files
        self._know = knowledge
        self._counting = counting
        self._symbols = counting.symbols
        self._assignments = assignments
        self._known: dict[str, Count | None] = {}
        self._open: set[str] = set()
        self._met_open = False
        self._calls: dict[str, list[tuple[Call, Function]]] | None = None
        self._mentions: set[str] = set()

    def followed(self, count: Count) -> Count:
        """The count with every symbol replaced that always is one other count."""
        return self._symbols.rewritten(count, self._value) if count.terms else count

    def same(self, left: Count, right: Count) -> bool | None:
        """Whether two counts are equal: surely, surely not, or unknown."""
        difference = left.difference(right)
        if difference is None:
            difference = self.followed(left).difference(self.followed(right))
        return None if difference is None else difference == 0

    # ------------------------------------------------------------------------------------------------------- symbols
    def _value(self, symbol: str) -> Count | None:
        if symbol in self._known:
            return self._known[symbol]
        if symbol in self._open or len(self._open) >= DEPTH_MAX:
            self._met_open = True
            return None
        self._open.add(symbol)
        value = self._find(symbol)
        self._open.discard(symbol)
        if value is not None and any(name == symbol for name, _ in value.terms):
            value = None
        # What was cut short on the way may be more when asked for alone.
        if not self._met_open or not self._open:
            self._known[symbol] = value
        if not self._open:
            self._met_open = False
        return value

    def _find(self, symbol: str) -> Count | None:
        if symbol in self._symbols.products:
            return self._product(self._symbols.products[symbol])
        if symbol in self._symbols.quotients:
            quotient = self._symbols.quotients[symbol]
            left, right = self.followed(quotient.left), self.followed(quotient.right)
            return self._symbols.divided(left, right, quotient.operator)
        if symbol in self._symbols.parameters:
            return self._parameter(*self._symbols.parameters[symbol])
        if symbol in self._assignments.addressed:
            return None
        return self._agreed(self._assignments.exact.get(symbol, []))

    def _product(self, factors: tuple[str, ...]) -> Count | None:
        total: Count | None = number(1)
        for factor in factors:
            value = self._value(factor) or symbol_alone(factor)
            total = None if total is None else self._symbols.product(total, value)
        return total

    def _agreed(self, values: Sequence[tuple[Expr, Function]]) -> Count | None:
        """The one count that all the values are."""
        if not values or len(values) > VALUES_MAX:
            return None
        agreed: Count | None = None
        for expr, function in values:
            scope = Scope(function if function.name else None, function.path, {})
            count = self.followed(self._counting.of(expr, scope))
            if agreed is not None and not agreed.same(count):
                return None
            agreed = count
        return agreed

    # ---------------------------------------------------------------------------------------------------- parameters
    def _parameter(self, function: Function, name: str) -> Count | None:
        """What all calls give for a parameter; unknown where the function's address is used."""
        calls = self._calls_of(function)
        position = next(index for index, parameter in enumerate(function.parameters) if parameter.name == name)
        if function.name in self._mentions or any(len(call.arguments) <= position for call, _ in calls):
            return None
        return self._agreed([(call.arguments[position], caller) for call, caller in calls])

    def _calls_of(self, function: Function) -> list[tuple[Call, Function]]:
        if self._calls is None:
            self._calls = {}
            for caller in self._know.functions.all:
                usage = self._know.usages.of(caller)
                self._mentions |= usage.mentions - self._know.variables.locals(caller).keys()
                for call in usage.calls:
                    if isinstance(call.function, Name):
                        self._calls.setdefault(call.function.name, []).append((call, caller))
            for file in self._files:
                for one in file.globals:
                    if one.initial is not None:
                        self._mentions |= self._know.usages.of_expression(one.initial, file.path).mentions
        return [
            (call, caller)
            for call, caller in self._calls.get(function.name, [])
            if any(one is function for one in self._know.functions.lookup(function.name, caller.path))
        ]
