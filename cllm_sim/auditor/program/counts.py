"""Symbolic integers: linear forms such as `num_threads + 1`.

Rules of this file: plain arithmetic on forms; what a symbol stands for is known to `symbols.py`. A form keeps the text
a person would write for it, which plays no part in comparisons.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

SUMS = frozenset("+-")
PRODUCTS = frozenset("*/%")


@dataclass(frozen=True, slots=True)
class Count:
    """A sum of coefficient times symbol, and a constant."""

    terms: tuple[tuple[str, int], ...]  # sorted by symbol, no coefficient is zero
    constant: int
    text: str

    @property
    def value(self) -> int | None:
        """The number, where it is one."""
        return None if self.terms else self.constant

    def same(self, other: Count) -> bool:
        """Whether the two are equal whatever their symbols stand for."""
        return self.terms == other.terms and self.constant == other.constant

    def difference(self, other: Count) -> int | None:
        """This less the other, where that is a number."""
        return self.constant - other.constant if self.terms == other.terms else None

    def __add__(self, other: Count | int) -> Count:
        if isinstance(other, int):
            return self if other == 0 else linear(dict(self.terms), self.constant + other, _moved(self.text, other))
        return _combined(self, other, 1, joined(self.text, "+", other.text))

    def __sub__(self, other: Count | int) -> Count:
        if isinstance(other, int):
            return self + -other
        return _combined(self, other, -1, joined(self.text, "-", other.text))

    def scaled(self, factor: int, text: str) -> Count:
        """This form times a number."""
        return linear({symbol: size * factor for symbol, size in self.terms}, self.constant * factor, text)

    def named(self, text: str) -> Count:
        """The same form under another text."""
        return Count(self.terms, self.constant, text)


def linear(terms: Mapping[str, int], constant: int, text: str = "") -> Count:
    """A form from its parts; without a text it is written out."""
    kept = tuple(sorted((symbol, size) for symbol, size in terms.items() if size))
    return Count(kept, constant, text or form(kept, constant))


def number(value: int, text: str = "") -> Count:
    """A form that is a number."""
    return Count((), value, text or str(value))


def symbol_alone(symbol: str, text: str = "") -> Count:
    """A form that is one symbol."""
    return Count(((symbol, 1),), 0, text or symbol)


def form(terms: tuple[tuple[str, int], ...], constant: int) -> str:
    """The form written out: "2*n + 1"."""
    pieces = [(size < 0, symbol if abs(size) == 1 else f"{abs(size)}*{symbol}") for symbol, size in terms]
    if constant or not pieces:
        pieces.append((constant < 0, str(abs(constant))))
    first = ("-" if pieces[0][0] else "") + pieces[0][1]
    return first + "".join(f" {'-' if negative else '+'} {piece}" for negative, piece in pieces[1:])


def joined(left: str, operator: str, right: str) -> str:
    """Two texts with an operator between them, in parentheses where they need some."""
    sums = operator in "+-"
    if not _operators(left) <= (SUMS | PRODUCTS if sums else PRODUCTS):
        left = f"({left})"
    allowed = SUMS | PRODUCTS if operator == "+" else PRODUCTS if operator == "-" else frozenset()
    if not _operators(right) <= allowed:
        right = f"({right})"
    return f"{left} {operator} {right}"


def _operators(text: str) -> set[str]:
    """The operators between the operands of a text, outside all brackets."""
    return set("".join(_outside(text)).split(" ")[1::2])


def is_loose(text: str) -> bool:
    """Whether a text is more than one operand: it has a space outside all brackets."""
    return " " in _outside(text)


def _outside(text: str) -> list[str]:
    """The characters outside all brackets."""
    found: list[str] = []
    depth = 0
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        if depth == 0:
            found.append(character)
    return found


def _moved(text: str, by: int) -> str:
    if text.lstrip("-").isdigit():
        return str(int(text) + by)
    return joined(text, "+" if by > 0 else "-", str(abs(by)))


def _combined(left: Count, right: Count, sign: int, text: str) -> Count:
    terms = dict(left.terms)
    for symbol, size in right.terms:
        terms[symbol] = terms.get(symbol, 0) + sign * size
    return linear(terms, left.constant + sign * right.constant, text)
