"""The rows of the plan: how many are met, and what each verdict rests on.

Rules of this file: a row that is not met says what was found or what was looked for; which rows a chapter repeats
follows from the words of their group, and the gap analysis has them all.
"""

from collections.abc import Sequence

from cllm_sim.report.audit.blocks import Cell, Code, Link, Table, Tone, cell, one_line, told
from cllm_sim.report.audit.excerpts import evidence
from cllm_sim.report.audit.findings import GAPS
from cllm_sim.report.audit.shape import STATUSES, Audit, Requirement, Status
from cllm_sim.report.naming import slug
from cllm_sim.report.quantities import listed

TONES: dict[Status, Tone] = {"met": "good", "partly": "open", "unmet": "bad", "unknown": ""}
GROUPS = {
    "barrier-usage": ("barrier",),
    "control-thread": ("node zero", "control"),
    "shared-memory": ("memory", "gradient"),
    "architecture-analysis": ("infrastructure",),
}
"""Words in the name of a group that say to which chapter its rows belong."""


def number(audit: Audit, status: Status) -> int:
    """How many rows have this status."""
    return sum(row.status == status for row in audit.requirements)


def counts(audit: Audit) -> str:
    """`9 met, 4 partly, 12 unmet and 4 unknown`."""
    return listed([f"{number(audit, status)} {status}" for status in STATUSES if number(audit, status)])


def of_chapter(audit: Audit, chapter: str) -> tuple[Requirement, ...]:
    """The rows that a chapter repeats."""
    words = GROUPS.get(chapter, ())
    return tuple(row for row in audit.requirements if any(word in row.group.lower() for word in words))


def table(audit: Audit, rows: Sequence[Requirement]) -> Table:
    """Each row with its verdict and what that rests on."""
    return Table(("id", "asked for", "verdict", "rests on"), tuple(_row(audit, row) for row in rows))


def brief(rows: Sequence[Requirement]) -> Table:
    """The same for a chapter that only repeats them: what it rests on stands in the gap analysis."""
    return Table(
        ("id", "verdict", "asked for"),
        tuple(
            (Cell((Link(row.id, GAPS, anchor(row)),)), cell(row.status, "", TONES[row.status]), Cell(told(row.text)))
            for row in rows
        ),
    )


def anchor(row: Requirement) -> str:
    """The name of a row's place in the gap analysis."""
    return f"requirement-{slug(row.id)}"


def _row(audit: Audit, row: Requirement) -> tuple[Cell, ...]:
    asked = Cell(told(row.text), row.source)
    name = Cell((Code(row.id),), row.group, anchor=anchor(row))
    return (name, asked, cell(row.status, "", TONES[row.status]), rests_on(audit, row))


def rests_on(audit: Audit, row: Requirement) -> Cell:
    """The evidence for a verdict in one line, with all of it behind."""
    found = tuple(evidence(audit, place) for place in row.evidence)
    return Cell(told(one_line_of(row)), "", "", found if any(item.place for item in found) else ())


def one_line_of(row: Requirement) -> str:
    """The first piece of evidence; where nothing was found, what was looked for."""
    placed = [place for place in row.evidence if place.known]
    told = next((place.text for place in row.evidence if not place.known and place.text), "")
    if placed:
        first = placed[0]
        more = f" and {len(placed) - 1} more" if len(placed) > 1 else ""
        return f"{first}{more}: {one_line(first.text)}" if first.text else f"{first}{more}"
    return one_line(told or (f"looked for: {row.looked_for}" if row.looked_for else "no evidence either way"))
