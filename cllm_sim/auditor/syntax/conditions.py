"""Conditional compilation: which parts of a file belong to which condition, told from the directives alone.

The parser never sees a directive. Where every branch of a conditional is whole statements, declarations or elements of
a list, the code of all branches stays and a place's conditions are looked up by its offset. Where a branch cuts through
a statement, only the first branch that holds any code stays, and the others are named as not read.

Rules of this file: include guards and branches for C++ are no conditions, `#if 0` never is code, and a condition is
written `defined(X)` or `!defined(X)` for `#ifdef` and `#ifndef` and as it stands otherwise.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from cllm_sim.auditor.facts import Unread
from cllm_sim.auditor.syntax.lexical import Directive, Lexed, blank, without_comments
from cllm_sim.auditor.syntax.truth import truth

_OPENING = {"if", "ifdef", "ifndef"}
_FURTHER = {"elif", "elifdef", "elifndef", "else"}
_BRACKET = re.compile(rb"[(){}\[\]]")
_CLOSING = (b")", b"}", b"]")
_PAIRS = {b"(": b")", b"{": b"}", b"[": b"]"}
_GUARD = re.compile(r"!\s*defined\s*\(?\s*(\w+)\s*\)?$")
_CONTROL_WORD = re.compile(rb"(?:\b(?:if|for|while|switch)\s*)$")
_NOT_A_START = re.compile(rb"\s*(?:else\b|[=&|+\-/%<>,.?:)\]^]|\*\s*[=)])")
_NOT_AN_END = re.compile(rb"\s*else\b")

NESTING_MAX = 50
"""How deep conditionals are told apart."""

CUT = "a condition of the preprocessor cuts through a statement; only its first branch is read"


@dataclass(slots=True)
class Branch:
    """One branch: its condition ("" for `#else`), and the code between its directive and the next."""

    condition: str
    start: int
    end: int
    directive: Directive
    inner: list[Group] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Group:
    """An `#if` to its `#endif`. Only the branches that may be compiled are kept."""

    start: int
    branches: list[Branch] = field(default_factory=list)
    end: int = 0
    has_else: bool = False
    whole: bool = True

    def negated(self) -> str:
        """The condition of the `#else` branch."""
        conditions = [branch.condition for branch in self.branches if branch.condition]
        return " && ".join(_negated(condition) for condition in conditions)


Step = tuple[Group, int]
Path = tuple[Step, ...]


def _negated(condition: str) -> str:
    if re.fullmatch(r"!defined\(\w+\)", condition):
        return condition[1:]
    return f"!{condition}" if re.fullmatch(r"defined\(\w+\)|\w+", condition) else f"!({condition})"


class Conditions:
    """Looks up the conditions around a place in the code."""

    def __init__(self, groups: Iterable[Group]) -> None:
        self._offsets: list[int] = []
        self._paths: list[Path] = []
        for group in groups:
            self._enter(group, ())
        self.any = bool(self._offsets)

    def _enter(self, group: Group, around: Path) -> None:
        for number, branch in enumerate(group.branches):
            inside = (*around, (group, number)) if group.whole else around
            self._set(branch.start, inside)
            for inner in branch.inner:
                self._enter(inner, inside)
            self._set(branch.end, around)

    def _set(self, offset: int, path: Path) -> None:
        self._offsets.append(offset)
        self._paths.append(path)

    def at(self, offset: int) -> Path:
        """The branches around an offset, outermost first."""
        place = bisect_right(self._offsets, offset)
        return self._paths[place - 1] if place else ()

    def between(self, start: int, end: int) -> bool:
        """Does any condition begin or end in this stretch?"""
        return bisect_right(self._offsets, start) != bisect_right(self._offsets, end)

    def when(self, offset: int) -> tuple[str, ...]:
        """The conditions around an offset as they are written into facts."""
        return tuple(group.branches[number].condition or group.negated() for group, number in self.at(offset))


# -------------------------------------------------------------------------------------------- from directives to groups
def groups_of(lexed: Lexed) -> tuple[list[Group], list[Unread]]:
    """The conditionals of a file as a tree, dead branches blanked in the code and gone from the tree."""
    top, unread = _tree(lexed)
    dropped: list[tuple[int, int]] = []
    alive = _alive(top, _is_guard(lexed, top), dropped)
    _drop(lexed, dropped)
    return alive, unread


def _tree(lexed: Lexed) -> tuple[list[Group], list[Unread]]:
    top: list[Group] = []
    unread: list[Unread] = []
    open_groups: list[Group] = []
    for directive in lexed.directives:
        if directive.keyword in _OPENING:
            group = Group(directive.start)
            if len(open_groups) < NESTING_MAX:
                (open_groups[-1].branches[-1].inner if open_groups else top).append(group)
            else:  # it gets no place in the tree: what is in it counts as always there
                unread.append(Unread(lexed.line(directive.start), lexed.line(directive.start), "#if nested too deep"))
            open_groups.append(group)
            _begin(lexed, group, directive)
        elif directive.keyword in _FURTHER or directive.keyword == "endif":
            if not open_groups:
                line = lexed.line(directive.start)
                unread.append(Unread(line, line, f"#{directive.keyword} without #if"))
                continue
            open_groups[-1].branches[-1].end = directive.start
            if directive.keyword == "endif":
                open_groups.pop().end = directive.end
            else:
                _begin(lexed, open_groups[-1], directive)
    for group in open_groups:
        line = lexed.line(group.start)
        unread.append(Unread(line, line, "#if without #endif"))
        group.end = group.branches[-1].end = len(lexed.code)
    return top, unread


def _begin(lexed: Lexed, group: Group, directive: Directive) -> None:
    rest = without_comments(lexed.text[directive.rest : directive.end]).replace("\\\n", " ")
    rest = " ".join(rest.split())
    if directive.keyword in ("ifdef", "elifdef", "ifndef", "elifndef"):
        word = rest.split(" ")[0]
        rest = f"defined({word})" if directive.keyword in ("ifdef", "elifdef") else f"!defined({word})"
    elif directive.keyword == "else":
        rest = ""
        group.has_else = True
    group.branches.append(Branch(rest, directive.end, len(lexed.code), directive))


def _is_guard(lexed: Lexed, top: list[Group]) -> Callable[[Group], bool]:
    """Tells the include guard: nothing but it in the file, and its first line defines the name that it asks for."""
    if len(top) != 1 or len(top[0].branches) != 1:
        return lambda group: False
    only = top[0]
    asked = _GUARD.match(only.branches[0].condition)
    following = [directive for directive in lexed.directives if directive.start > only.start][:1]
    guards = (
        asked is not None
        and bool(following)
        and following[0].keyword == "define"
        and lexed.text[following[0].rest : following[0].end].split()[:1] == [asked[1]]
        and not lexed.code[: only.start].strip()
        and not lexed.code[only.end :].strip()
    )
    return lambda group: guards and group is only


def _drop(lexed: Lexed, dropped: list[tuple[int, int]]) -> None:
    """Blank stretches, which come in the order of the file, and forget the directives in them."""
    for start, end in dropped:
        blank(lexed.code, start, end)
        blank(lexed.bare, start, end)
    starts = [start for start, _ in dropped]

    def is_left(directive: Directive) -> bool:
        place = bisect_right(starts, directive.start)
        return not place or directive.start >= dropped[place - 1][1]

    if dropped:
        lexed.directives = [directive for directive in lexed.directives if is_left(directive)]


def _alive(groups: list[Group], is_guard: Callable[[Group], bool], dropped: list[tuple[int, int]]) -> list[Group]:
    """The conditionals that are left without dead branches, which are given back; one with a sure branch is none."""
    left: list[Group] = []
    for group in groups:
        kept: list[Branch] = []
        sure = False
        for branch in group.branches:
            verdict = True if is_guard(group) or not branch.condition else truth(branch.condition)
            if sure or verdict is False:
                dropped.append((branch.start, branch.end))
                continue
            if verdict:
                sure = True
                branch.condition = ""
            branch.inner = _alive(branch.inner, is_guard, dropped)
            kept.append(branch)
        if len(kept) == 1 and sure:
            left.extend(kept[0].inner)
        elif kept:
            group.branches, group.has_else = kept, sure
            left.append(group)
    return left


# ------------------------------------------------------------------------------------- conditionals that cut statements
def make_whole(lexed: Lexed, groups: list[Group], cut: Callable[[Group], bool], unread: list[Unread]) -> None:
    """Leave only the first branch of every conditional that cuts through a statement, or of which `cut` says so."""
    for group in groups:
        for branch in group.branches:
            make_whole(lexed, branch.inner, cut, unread)
        if cut(group) or not _is_whole(lexed, group):
            _keep_first(lexed, group, unread)


def _keep_first(lexed: Lexed, group: Group, unread: list[Unread]) -> None:
    group.whole = False
    with_code = [branch for branch in group.branches if lexed.code[branch.start : branch.end].strip()]
    for branch in with_code[1:]:
        unread.append(Unread(lexed.line(branch.start) + 1, lexed.line(branch.end - 1), CUT))
        blank(lexed.code, branch.start, branch.end)
        blank(lexed.bare, branch.start, branch.end)
        branch.inner = []


def _is_whole(lexed: Lexed, group: Group) -> bool:
    """Is every branch a sequence of whole statements, declarations or list elements, and does it stand among such?"""
    bare = lexed.bare
    pieces = [bytes(bare[branch.start : branch.end]) for branch in group.branches]
    if not any(piece.strip() for piece in pieces):
        return True
    before = _last(bare, group.start)
    if before >= 0 and not _is_boundary(bare, before, pieces):
        return False
    if any(_NOT_A_START.match(piece) or not _balanced(piece) for piece in pieces):
        return False
    listed = before >= 0 and bytes(bare[before : before + 1]) in (b",", b"{")
    after = bytes(bare[group.end : group.end + 200])
    return not _NOT_AN_END.match(after) and all(_ends_whole(piece, listed, after) for piece in pieces)


def _last(bare: bytearray, offset: int) -> int:
    """The offset of the last character before `offset` that is no blank, or -1."""
    step = 256
    while offset > 0:
        begin = max(0, offset - step)
        stretch = bare[begin:offset].rstrip()
        if stretch:
            return begin + len(stretch) - 1
        offset, step = begin, step * 4
    return -1


def _is_boundary(bare: bytearray, place: int, pieces: list[bytes]) -> bool:
    last = bytes(bare[place : place + 1])
    if last in (b";", b"{", b"}", b":"):
        return True
    if last == b",":
        return _enclosing(bare, place) == b"{"
    if last != b")" or any(piece.lstrip().startswith(b"{") for piece in pieces):
        return False
    opening = _opening(bare, place)
    return opening > 0 and _CONTROL_WORD.search(bytes(bare[max(0, opening - 20) : opening])) is None


def _opening(bare: bytearray, place: int) -> int:
    """The opening bracket of the closing one at `place`, or -1 where there is none within reason."""
    depth = 0
    begin = max(0, place - 4000)
    for found in reversed(list(_BRACKET.finditer(bytes(bare[begin : place + 1])))):
        depth += 1 if found[0] in _CLOSING else -1
        if depth == 0:
            return begin + found.start()
    return -1


def _enclosing(bare: bytearray, place: int) -> bytes:
    """The bracket around a place, looking back a bounded stretch; an unknown one counts as a brace."""
    depth = 0
    for found in reversed(list(_BRACKET.finditer(bytes(bare[max(0, place - 20_000) : place])))):
        if found[0] in _CLOSING:
            depth += 1
        elif depth == 0:
            return found[0]
        else:
            depth -= 1
    return b"{"


def _balanced(piece: bytes) -> bool:
    expected: list[bytes] = []
    for found in _BRACKET.finditer(piece):
        bracket = found[0]
        if bracket in _PAIRS:
            expected.append(_PAIRS[bracket])
        elif not expected or expected.pop() != bracket:
            return False
    return not expected


def _ends_whole(piece: bytes, listed: bool, after: bytes) -> bool:
    piece = piece.rstrip()
    if not piece or piece.endswith((b";", b"}", b":")):
        return True
    if piece.endswith(b","):
        return listed
    if piece.endswith(b")"):  # a macro used as a statement
        following = after.lstrip()[:1]
        return bool(re.match(rb"\s*\w+\s*\(", piece)) and (not following or following in b"};#" or following.isalpha())
    return False
