"""One chapter as a Markdown document that can be read by itself, printed, or put beside the sources.

Rules of this file: layout only. Whatever comes from the audited program is escaped, so that a name can neither become
markup nor end a table's cell; several lines of it stand in a fence longer than any within them.
"""

import re
from collections.abc import Callable, Mapping, Sequence

from cllm_sim.report.audit import findings, headlines
from cllm_sim.report.audit.blocks import (
    Block,
    Bullets,
    Cell,
    Chapter,
    Claim,
    Code,
    Evidence,
    Excerpt,
    Figure,
    Link,
    Listing,
    Paragraph,
    Piece,
    Section,
    Table,
    Words,
    one_line,
)
from cllm_sim.report.audit.shape import Audit

SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&!$^])")
LEADING = re.compile(r"^(\s*)([-+]|\d+[.)])(?=\s)")
TICKS = re.compile(r"`+")
DEEPEST = 6
Chapters = Mapping[str, Chapter]


def document(audit: Audit, chapter: Chapter, others: Chapters) -> str:
    """The whole document; links lead to the other documents beside it."""
    parts = [f"# {chapter.number}. {escaped(chapter.title)}", escaped(headlines.title(audit)),
             f"**{inline(chapter.answer, others)}**", *_drawn(chapter.blocks, 2, others)]  # fmt: skip
    if chapter.findings:
        links = [f"- {inline(findings.link(audit, number), others)}" for number in chapter.findings]
        parts += ["## Findings about it", "\n".join(links)]
    command = headlines.command(audit)
    if command:
        parts += ["---", f"Made by {code(command)}"]
    return "\n\n".join(part for part in parts if part) + "\n"


def _drawn(blocks: Sequence[Block], level: int, others: Chapters) -> list[str]:
    found = []
    for block in blocks:
        if isinstance(block, Section):
            mark = f'<a id="{block.anchor}"></a>\n\n' if block.anchor else ""
            found.append(f"{mark}{'#' * min(level, DEEPEST)} {inline(block.title, others)}")
            found += _drawn(block.blocks, level + 1, others)
        else:
            found.append(DRAWN[type(block)](block, others))
    return found


# ------------------------------------------------------------------------------------------------------------ pieces
def escaped(text: str) -> str:
    """Plain text that stays plain text."""
    return LEADING.sub(r"\1\\\2", SPECIAL.sub(r"\\\1", one_line(text)))


def code(text: str) -> str:
    """A piece of a program, within ticks enough."""
    text = one_line(text)
    ticks = "`" * (1 + max((len(run) for run in TICKS.findall(text)), default=0))
    space = " " if text.startswith("`") or text.endswith("`") or not text else ""
    return f"{ticks}{space}{text}{space}{ticks}"


def inline(words: Words, others: Chapters) -> str:
    """A sentence."""
    return "".join(_piece(piece, others) for piece in words)


def _piece(piece: Piece, others: Chapters) -> str:
    if isinstance(piece, Link):
        file = others[piece.chapter].file if piece.chapter in others else ""
        return f"[{escaped(piece.text)}]({file}#{piece.anchor})"
    if isinstance(piece, Code):
        return code(piece)
    return _kept_ends(piece)


def _kept_ends(text: str) -> str:
    """Escaped, with the spaces at its ends, which stand between it and its neighbours."""
    inner = SPECIAL.sub(r"\\\1", one_line(text))
    return f"{' ' if text[:1].isspace() else ''}{inner}{' ' if len(text) > 1 and text[-1:].isspace() else ''}"


def fenced(text: str, language: str) -> str:
    """Several lines of a program."""
    fence = "`" * max(3, 1 + max((len(run) for run in TICKS.findall(text)), default=0))
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


# ------------------------------------------------------------------------------------------------------------ blocks
def _paragraph(block: Paragraph, others: Chapters) -> str:
    return LEADING.sub(r"\1\\\2", inline(block.words, others))


def _claim(block: Claim, others: Chapters) -> str:
    rows = [f"  - {_evidence(item)}" for item in block.evidence]
    return "\n".join([f"- {inline(block.words, others)}", *rows])


def _evidence(item: Evidence) -> str:
    said = " ".join(part for part in (escaped(item.role), escaped(item.words)) if part)
    how = f"by way of {escaped(' → '.join(item.how))}" if item.how else ""
    source = code(item.source) if item.source else ""
    parts = (code(item.place) if item.place else "", said, how)
    told = " ".join(part for part in parts if part)
    return f"{told}: {source}" if told and source else told or source


def _bullets(block: Bullets, others: Chapters) -> str:
    return "\n".join(f"- {inline(words, others)}" for words in block.items)


def _table(block: Table, others: Chapters) -> str:
    head = f"| {' | '.join(escaped(column) for column in block.columns)} |"
    rows = [f"| {' | '.join(_cell(cell, others) for cell in row)} |" for row in block.rows]
    return "\n".join([head, f"|{' --- |' * len(block.columns)}", *rows])


def _cell(cell: Cell, others: Chapters) -> str:
    text = (f'<a id="{cell.anchor}"></a>' if cell.anchor else "") + inline(cell.words, others)
    if cell.evidence:
        text = "; ".join(_evidence(item) for item in cell.evidence)
    detail = f" ({escaped(cell.detail)})" if cell.detail else ""
    return re.sub(r"(?<!\\)\|", r"\\|", f"{text}{detail}")


def _listing(block: Listing, _: Chapters) -> str:
    return fenced(block.text, block.language)


def _excerpt(block: Excerpt, _: Chapters) -> str:
    head = " ".join(part for part in (code(block.place) if block.place else "", escaped(block.role),
                                      escaped(block.words)) if part)  # fmt: skip
    mark = f"\n{' ' * block.start}{'^' * block.length}" if block.start is not None else ""
    how = f"\n\ngets there by way of {escaped(' → '.join(block.how))}" if block.how else ""
    return f"{head}\n\n{fenced(block.source + mark, 'c')}{how}" if block.source else f"{head}{how}"


def _figure(block: Figure, others: Chapters) -> str:
    arrows = "\n".join(f"- {inline(words, others)}" for words in block.arrows)
    return f"![{escaped(block.title)}]({block.name}.svg)\n\n{escaped(block.caption)}\n\n{arrows}".rstrip()


DRAWN: dict[type, Callable[..., str]] = {
    Paragraph: _paragraph,
    Claim: _claim,
    Bullets: _bullets,
    Table: _table,
    Listing: _listing,
    Excerpt: _excerpt,
    Figure: _figure,
}
