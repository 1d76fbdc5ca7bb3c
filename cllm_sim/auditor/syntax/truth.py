"""What is sure about a condition of the preprocessor without knowing any macro: `0`, `1`, and that this is not C++.

Rules of this file: three values, true, false and None for unknown; whatever is not understood is unknown.
"""

from __future__ import annotations

import re

_TOKEN = re.compile(r"\s*(?:(defined)\s*\(?\s*(\w+)\s*\)?|(\d\w*)|(\w+)|(&&|\|\||[!=<>]=|[!()<>])|(\S))")
_COMPARISONS = ("==", "!=", "<", ">", "<=", ">=")
_ANY = re.compile(r"\d|__cplusplus|\b(?:true|false)\b")
_DEEPEST = 50

Value = int | None


def truth(condition: str) -> bool | None:
    """Is the condition true or false whatever is defined? None where that depends."""
    if not _ANY.search(condition):
        return None
    reader = _Reader(condition)
    value = reader.alternatives(0)
    return None if value is None or reader.lost or reader.tokens else bool(value)


class _Reader:
    """Reads `||`, `&&`, comparisons, `!` and parentheses; anything else makes it lost."""

    def __init__(self, condition: str) -> None:
        self.lost = False
        self.tokens = [self._token(found) for found in _TOKEN.finditer(condition)]
        self.tokens.reverse()

    def _token(self, found: re.Match[str]) -> str | int | None:
        defined, asked, number, word, operator, other = found.groups()
        if defined:
            return 0 if asked == "__cplusplus" else None
        if number:
            digits = number.rstrip("uUlL")
            try:
                return int(digits, 0 if not digits.startswith("0") or digits == "0" or not digits.isdigit() else 8)
            except ValueError:
                return None
        if word:
            return {"__cplusplus": 0, "false": 0, "true": 1}.get(word)
        if other:
            self.lost = True
        return operator or ""

    def _next(self) -> str | int | None:
        return self.tokens[-1] if self.tokens else ""

    def alternatives(self, depth: int) -> Value:
        value = self.conjunction(depth)
        while self._next() == "||":
            self.tokens.pop()
            other = self.conjunction(depth)
            value = 1 if value or other else None if value is None or other is None else 0
        return value

    def conjunction(self, depth: int) -> Value:
        value = self.comparison(depth)
        while self._next() == "&&":
            self.tokens.pop()
            other = self.comparison(depth)
            value = 0 if 0 in (value, other) else None if value is None or other is None else 1
        return value

    def comparison(self, depth: int) -> Value:
        value = self.single(depth)
        while (operator := self._next()) in _COMPARISONS:
            self.tokens.pop()
            other = self.single(depth)
            if value is None or other is None:
                value = None
            else:
                less, equal = value < other, value == other
                verdicts = (equal, not equal, less, not (less or equal), less or equal, not less)
                value = int(verdicts[_COMPARISONS.index(str(operator))])
        return value

    def single(self, depth: int) -> Value:
        if not self.tokens or depth > _DEEPEST:
            self.lost = True
            return None
        token = self.tokens.pop()
        if token == "!":
            value = self.single(depth + 1)
            return None if value is None else int(not value)
        if token == "(":
            value = self.alternatives(depth + 1)
            if self._next() != ")":
                self.lost = True
            elif self.tokens:
                self.tokens.pop()
            return value
        if isinstance(token, str):
            self.lost = True
            return None
        return token
