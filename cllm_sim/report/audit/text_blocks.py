"""Chapters and findings on the terminal: the same blocks as on the page, as plain lines.

Rules of this file: layout only. A source line is never broken; one that is too long is cut around what is marked, and
a dot shows where. Words say everything, colour only repeats them.
"""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from cllm_sim.report.audit.blocks import (
    Block,
    Bullets,
    Cell,
    Claim,
    Evidence,
    Excerpt,
    Figure,
    Listing,
    Paragraph,
    Section,
    Table,
    one_line,
    plain,
)
from cllm_sim.report.lines import blank, line, rows, width

STYLES = {"bad": "red", "open": "yellow", "good": "green", "": ""}
INDENT = 2
CUT = "…"
EVIDENCE_MAX = 6
LAST_MIN = 16
"""Columns that the last field of a row needs at least."""


def show(console: Console, blocks: Sequence[Block], indent: int = 0) -> None:
    """All blocks, one below the other."""
    for before, block in zip((None, *blocks), blocks, strict=False):
        if isinstance(before, Table) and isinstance(block, Table):
            blank(console)
        match block:
            case Paragraph():
                paragraph(console, plain(block.words), indent, STYLES[block.tone])
            case Claim():
                paragraph(console, plain(block.words), indent, STYLES[block.tone])
                evidence(console, block.evidence, indent + INDENT)
            case Bullets():
                rows(console, [("-", plain(words)) for words in block.items], indent + INDENT)
            case Table():
                _table(console, block, indent)
            case Listing():
                for text in block.text.rstrip().splitlines():
                    code(console, text, indent + INDENT)
            case Excerpt():
                excerpt(console, block, indent)
            case Figure():
                paragraph(console, f"{block.title}:", indent)
                rows(console, [(plain(words),) for words in block.arrows], indent + INDENT)
            case Section():
                blank(console)
                line(console, " " * indent + plain(block.title), "bold")
                show(console, block.blocks, indent + INDENT)


def paragraph(console: Console, text: str, indent: int = 0, style: str = "") -> None:
    """A paragraph that keeps its indentation when it is broken."""
    if indent:
        rows(console, [(one_line(text),)], indent, (style,))
    else:
        line(console, one_line(text), style)


def code(console: Console, text: str, indent: int) -> None:
    """A line of a program, cut where the window ends."""
    line(console, " " * indent + cut(text, width(console) - indent))


def cut(text: str, room: int) -> str:
    """As much of one line as there is room for."""
    return text if len(text) <= room else text[: max(0, room - 1)] + CUT


def evidence(console: Console, found: Sequence[Evidence], indent: int) -> None:
    """Places with what they show; the source line stands where there are no words."""
    told = []
    for item in found[:EVIDENCE_MAX]:
        words = " ".join(part for part in (item.role, item.words) if part)
        how = f" (by way of {' → '.join(item.how)})" if item.how else ""
        told.append((item.place, one_line(f"{words}{how}") or item.source))
    if len(found) > EVIDENCE_MAX:
        told.append(("", f"and {len(found) - EVIDENCE_MAX} more places"))
    pairs(console, told, indent)


def pairs(console: Console, found: Sequence[tuple[str, str]], indent: int) -> None:
    """Names with what is said of them, beside each other; below each other where a name takes too much room."""
    room = (width(console) - indent) // 2
    column = max((len(name) for name, _ in found if len(name) <= room), default=0)
    for name, said in found:
        if len(name) <= room:
            rows(console, [(f"{name:<{column}}", said)], indent)
        else:
            paragraph(console, name, indent)
            paragraph(console, said, indent + 2 * INDENT)


def excerpt(console: Console, block: Excerpt, indent: int = 0, head: bool = True) -> None:
    """What is said of a line, the line with its number, the mark below it, and how the role gets there."""
    if head:
        words = " ".join(part for part in (block.role, one_line(block.words)) if part)
        paragraph(console, f"{block.place}  {words}".rstrip(), indent)
    if block.source:
        number = str(block.number) if block.number else ""
        gutter = f"{' ' * indent}{number:>5} | "
        source, start, length = window(block, max(20, width(console) - len(gutter)))
        line(console, gutter + source)
        if start is not None:
            console.print(Text(f"{' ' * (indent + 5)} | {' ' * start}").append("^" * length, "bold red"))
    if block.how:
        paragraph(console, f"by way of {' → '.join(block.how)}", indent + INDENT, "dim")


def window(block: Excerpt, room: int) -> tuple[str, int | None, int]:
    """The part of a source line that has room, with the mark in it."""
    source, start, length = block.source, block.start, block.length
    if len(source) <= room:
        return source, start, length
    first = 0 if start is None else max(0, min(start - room // 3, len(source) - room))
    shown = source[first : first + room]
    shown = (CUT + shown[1:] if first else shown)[: room - 1]
    shown += CUT if first + room < len(source) else source[first + room - 1 : first + room]
    return shown, None if start is None else start - first, min(length, room - 1 - ((start or 0) - first))


def _table(console: Console, block: Table, indent: int) -> None:
    """Rows under their heads; where the window has no room for that, each row by itself with its heads before it."""
    cells = [[_cell(cell) for cell in row] for row in block.rows]
    widest = [max(map(len, column)) for column in zip(block.columns, *cells, strict=True)]
    evident = any(cell.evidence for row in block.rows for cell in row)
    if not evident and sum(widest[:-1]) + INDENT * (len(widest) + 1) + LAST_MIN <= width(console) - indent:
        for number, texts in enumerate([list(block.columns), *cells]):
            padded = [f"{text:<{size}}" for text, size in zip(texts[:-1], widest[:-1], strict=True)]
            rows(console, [[*padded, texts[-1]]], indent + INDENT, [] if number else ["dim"] * len(widest))
        return
    for row, told in zip(block.rows, cells, strict=True):
        named = [(name, text) for name, text in zip(block.columns[1:], told[1:], strict=True) if text not in ("", "–")]
        paragraph(console, f"{block.columns[0]} {told[0]}", indent + INDENT)
        pairs(console, named, indent + 2 * INDENT)
        for cell in row:
            evidence(console, cell.evidence, indent + 3 * INDENT)


def _cell(cell: Cell) -> str:
    return " ".join(part for part in (plain(cell.words), f"({one_line(cell.detail)})" if cell.detail else "") if part)
