"""Sketches of changes: hunks in the manner of a unified diff, made of the program's own statements.

Rules of this file: what a sketch takes away or keeps is the program's text as the steps before have left it, what it
adds is text. A hunk names the function and its line in the source; it is read beside the source, not applied by a tool.
A sketch works on a draft of its own, which counts only once the step is taken (`Context.applied`). No sketch is longer
than `LINES_MAX`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from cllm_sim.auditor.facts import Function
from cllm_sim.auditor.planning.draft import Draft, Place, Text, closing, emptied, statement_line, unneeded
from cllm_sim.auditor.planning.lines import INDENT, Line, printed

__all__ = ["INDENT", "LINES_MAX", "Sketch", "printed"]

LINES_MAX = 72
Added = Mapping[int, list[str]]
NOTHING: Added = {}
KEPT, TAKEN, NEW = " ", "-", "+"


class Sketch:
    """Collects hunks; `str()` is the patch."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft.copy()
        self._lines: list[str] = []
        self._path = ""

    def hunk(self, path: str, where: str, line: int) -> None:
        """Opens a hunk in a file."""
        if path != self._path:
            self._lines += [f"--- a/{path}", f"+++ b/{path}"]
            self._path = path
        self._lines.append(f"@@ {where}, line {line} @@" if line else f"@@ {where} @@")

    def keep(self, *lines: str) -> None:
        """Lines that stay."""
        self._lines += [f" {line}".rstrip() for line in lines]

    def take(self, *lines: str) -> None:
        """Lines that go."""
        self._lines += [f"-{line}" for line in lines]

    def add(self, *lines: str) -> None:
        """Lines that come."""
        self._lines += [f"+{line}" for line in lines]

    def note(self, *lines: str) -> None:
        """What has to be written by hand, one line each."""
        self.add(*(f"/* to be written: {line} */" for line in lines))

    def new(self, *names: str) -> list[str]:
        """Those of these names that no step before has added; they count as added from here on."""
        found = [one for one in names if one not in self.draft.names]
        self.draft.names |= frozenset(found)
        return found

    # ---------------------------------------------------------------------------------------------------- functions
    def edit(
        self,
        function: Function | Text,
        gone: Collection[int] = (),
        before: Added = NOTHING,
        behind: Added = NOTHING,
        around: int = 1,
    ) -> bool:
        """The changed part of a function: the lines of these numbers go, others come before a line or behind the
        statement that begins on it (indented as that is). A line that goes and has lines before it is replaced.
        Bodies that go completely take their heads along. False where nothing changes."""
        if isinstance(function, Text):
            text = function
        else:
            text = self.draft.text(function)
            gone = {statement_line(function, number) for number in gone}
            before = {statement_line(function, number): added for number, added in before.items()}
            behind = {statement_line(function, number): added for number, added in behind.items()}
        lines = _opened(text.lines, gone, before, behind)
        first = {line.number: n for n, line in reversed(list(enumerate(lines))) if line.number}
        come = {first[number]: added for number, added in before.items() if number in first}
        follow: dict[int, list[str]] = {}
        for number, added in behind.items():
            if number in first:
                start = first[number]
                follow[closing(lines, start)] = [lines[start].pad + one for one in added]
        going = {n for n, line in enumerate(lines) if line.number in gone and line.number}
        going |= emptied(lines, going, {*come, *follow})
        going |= unneeded(lines, going) if not come and not follow else set()
        marked = _marked(lines, going, come, follow)
        if all(mark == KEPT for mark, _ in marked):
            return False
        self.hunk(text.path, text.name, text.line)
        self.keep(text.head)
        self._show(marked, max(around, bool(come or follow)))  # what comes is found by what it stands beside
        self._settle(
            text,
            tuple(line for mark, line in marked if mark != TAKEN),
            {lines[n].number for n in going if n not in come},
        )
        return True

    def going(self, function: Function, numbers: Collection[int]) -> set[int]:
        """These lines of a function with the heads that go when they do."""
        lines = self.draft.text(function).lines
        numbers = {statement_line(function, number) for number in numbers}
        gone = {n for n, line in enumerate(lines) if line.number in numbers}
        return {*numbers, *(lines[n].number for n in emptied(lines, gone, ()))}

    def empties(self, function: Function, numbers: Collection[int]) -> bool:
        """Is nothing but declarations and a plain return left when these lines go?"""
        lines = self.draft.text(function).lines
        numbers = {statement_line(function, number) for number in numbers}
        return all(line.number in numbers or line.text.strip() in {"return;", "}"} for line in lines)

    def drop(self, function: Function) -> None:
        """A function goes as a whole."""
        text = self.draft.text(function)
        self.hunk(text.path, text.name, text.line)
        self.take(text.head, "{", *(line.text for line in text.lines), "}")
        self._settle(text, (), {line.number for line in text.lines})
        self.draft.dropped |= {function.name}

    def write(self, text: Text, where: str) -> None:
        """A new function."""
        self.hunk(text.path, where, 0)
        self.add(text.head, "{", *(line.text for line in text.lines), "}")
        self.draft.texts[text.key] = text

    def _settle(self, text: Text, lines: tuple[Line, ...], gone: Collection[int]) -> None:
        self.draft.texts[text.key] = Text(text.path, text.name, text.line, text.head, lines, text.function)
        places: frozenset[Place] = frozenset((text.path, number) for number in gone)
        self.draft.gone |= places

    def _show(self, marked: list[tuple[str, Line]], around: int) -> None:
        changed = [n for n, (mark, _) in enumerate(marked) if mark != KEPT]
        shown = {near for n in changed for near in range(n - around, n + around + 1)}
        skipped = False
        for n, (mark, line) in enumerate(marked):
            if n not in shown:
                skipped = True
                continue
            if skipped:
                self.keep(f"{INDENT}...")
                skipped = False
            self._lines.append(f"{mark}{line.text}")

    def __bool__(self) -> bool:
        return any(line[:1] in {TAKEN, NEW} and not line.startswith(("+++", "---")) for line in self._lines)

    def __str__(self) -> str:
        if not self:
            return ""
        lines = self._lines if len(self._lines) <= LINES_MAX else [*self._lines[: LINES_MAX - 1], " ..."]
        return "\n".join(lines) + "\n"


def _opened(lines: tuple[Line, ...], gone: Collection[int], before: Added, behind: Added) -> tuple[Line, ...]:
    """The lines with braces around the single statements to which others are added."""
    found: list[Line] = []
    for line in lines:
        more = len(before.get(line.number, [])) > (line.number in gone) or line.number in behind
        if line.bare and line.number and more and found:
            head = found.pop()
            found.append(head._replace(text=f"{head.text} {{"))
            found += [line._replace(bare=False), Line(0, head.pad + "}")]
        else:
            found.append(line)
    return tuple(found)


def _marked(lines: tuple[Line, ...], going: Collection[int], come: Added, follow: Added) -> list[tuple[str, Line]]:
    """Every line with what happens to it; what replaces several lines stands behind all of them."""
    found: list[tuple[str, Line]] = []
    held: list[tuple[str, Line]] = []
    for n, line in enumerate(lines):
        added = [line.pad + one for one in come.get(n, [])]
        if n in going:
            found.append((TAKEN, line))
            number, bare = (line.number, line.bare) if len(added) == 1 else (0, False)
            held += [(NEW, Line(number, one, bare)) for one in added]
        else:
            found += held
            held = []
            found += [(NEW, Line(0, one)) for one in added]
            found.append((KEPT, line))
        if n in follow:
            found += [*held, *((NEW, Line(0, one)) for one in follow[n])]
            held = []
    return found + held
