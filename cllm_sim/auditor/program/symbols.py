"""What the symbols of counts stand for, and products and quotients of them.

Rules of this file: a symbol is a text, and equal texts are the same unknown wherever they occur; therefore whatever
depends on a function's parameters or locals carries that function's name behind "@". Symbols made of others remember
them, so that they can be taken apart again when more becomes known.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from cllm_sim.auditor.facts import Function
from cllm_sim.auditor.program.constants import operate
from cllm_sim.auditor.program.counts import Count, form, is_loose, joined, linear, number, symbol_alone

TERMS_MAX = 16


class Quotient(NamedTuple):
    """A symbol made by / or %."""

    operator: str
    left: Count
    right: Count


class Symbols:
    """The origins of symbols, filled while counts are made."""

    def __init__(self) -> None:
        self.parameters: dict[str, tuple[Function, str]] = {}
        self.products: dict[str, tuple[str, ...]] = {}
        self.quotients: dict[str, Quotient] = {}

    def product(self, left: Count, right: Count, text: str = "") -> Count | None:
        """Two forms multiplied out; None where that makes too many terms."""
        text = text or joined(left.text, "*", right.text)
        if left.value is not None:
            return right.scaled(left.value, text)
        if right.value is not None:
            return left.scaled(right.value, text)
        terms: dict[str, int] = {}
        for one, size in _with_constant(left):
            for other, other_size in _with_constant(right):
                symbol = self._joined(self._factors(one) + self._factors(other))
                terms[symbol] = terms.get(symbol, 0) + size * other_size
        if len(terms) > TERMS_MAX:
            return None
        return linear(terms, left.constant * right.constant, text) if "" not in terms else _settled(terms, text)

    def _factors(self, symbol: str) -> tuple[str, ...]:
        return self.products.get(symbol, (symbol,)) if symbol else ()

    def _joined(self, factors: tuple[str, ...]) -> str:
        if len(factors) < 2:
            return factors[0] if factors else ""
        ordered = tuple(sorted(factors))
        symbol = "*".join(self._tight(factor) for factor in ordered)
        self.products[symbol] = ordered
        return symbol

    def _tight(self, symbol: str) -> str:
        return f"({symbol})" if is_loose(symbol) or symbol in self.quotients else symbol

    def divided(self, left: Count, right: Count, operator: str, text: str = "") -> Count | None:
        """One form divided by another ("/" or "%"); None where the divisor is zero."""
        text = text or joined(left.text, operator, right.text)
        if left.value is not None and right.value is not None:
            result = operate(operator, left.value, right.value)
            return None if result is None else number(result, text)
        if right.value == 0:
            return None
        exact = self._exact(left, right)
        if exact is not None:
            return exact.named(text) if operator == "/" else number(0, text)
        symbol = f"{self._operand(left)}{operator}{self._operand(right)}"
        self.quotients[symbol] = Quotient(operator, left, right)
        return symbol_alone(symbol, text)

    def _operand(self, count: Count) -> str:
        written = form(count.terms, count.constant)
        made = len(count.terms) == 1 and (count.terms[0][0] in self.quotients or count.terms[0][0] in self.products)
        return f"({written})" if is_loose(written) or made else written

    def _exact(self, left: Count, right: Count) -> Count | None:
        """The quotient where the divisor goes into every term."""
        if left.same(right):
            return number(1)
        if right.value is not None:
            divisor = right.value
            sizes = [size for _, size in left.terms] + [left.constant]
            if any(size % divisor for size in sizes):
                return None
            return linear({symbol: size // divisor for symbol, size in left.terms}, left.constant // divisor)
        if len(right.terms) != 1 or right.constant or right.terms[0][1] != 1 or left.constant:
            return None
        factor = right.terms[0][0]
        terms: dict[str, int] = {}
        for symbol, size in left.terms:
            factors = list(self._factors(symbol))
            if factor not in factors:
                return None
            factors.remove(factor)
            rest = self._joined(tuple(factors))
            terms[rest] = terms.get(rest, 0) + size
        return _settled(terms, "")

    def rewritten(self, count: Count, value_of: Callable[[str], Count | None]) -> Count:
        """The form with the values of symbols put in; symbols without a value stay."""
        total = number(count.constant)
        for symbol, size in count.terms:
            value = value_of(symbol) or symbol_alone(symbol)
            total += value.scaled(size, value.text)
        return total.named(count.text)


def _with_constant(count: Count) -> list[tuple[str, int]]:
    return [*count.terms, ("", count.constant)] if count.constant else list(count.terms)


def _settled(terms: dict[str, int], text: str) -> Count:
    constant = terms.pop("", 0)
    return linear(terms, constant, text)
