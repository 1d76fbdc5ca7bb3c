"""A finding as a section of the report: what is wrong, both sides with their source lines, how sure, what to do.

Rules of this file: it says what the finding says. Which chapter a code belongs to is decided here and nowhere else.
"""

from cllm_sim.report.audit.blocks import Block, Code, Link, Paragraph, Piece, Section, Tone, Words, one_line, told
from cllm_sim.report.audit.excerpts import excerpt
from cllm_sim.report.audit.shape import SEVERITIES, Audit, Finding, Severity

GAPS = "gap-analysis"
CHAPTERS = {
    "CT003": "architecture-analysis",
    "CT006": "architecture-analysis",
    "CT007": "architecture-analysis",
    "CT": "control-thread",
    "CB": "barrier-usage",
    "CL": "barrier-usage",
    "CW": "barrier-usage",
    "CP": "barrier-usage",
    "CR": "shared-memory",
    "CS": "shared-memory",
    "CD": "shared-memory",
}
"""Where findings with this code, or with a code that begins so, belong besides the gap analysis."""

TONES: dict[Severity, Tone] = {"error": "bad", "warning": "open", "note": ""}


def chapter_of(code: str) -> str:
    """The chapter that a code belongs to."""
    return CHAPTERS.get(code) or CHAPTERS.get(code[:2], GAPS)


def of_chapter(audit: Audit, chapter: str) -> tuple[int, ...]:
    """The numbers of the findings that belong to a chapter, the worst first."""
    return tuple(number for number in by_severity(audit) if chapter_of(audit.findings[number].code) == chapter)


def by_severity(audit: Audit) -> list[int]:
    """The numbers of all findings, the worst first and else in the order of the result."""
    return sorted(range(len(audit.findings)), key=lambda number: SEVERITIES.index(audit.findings[number].severity))


def at_least(severity: Severity, lowest: str) -> bool:
    """Is this as severe as the lowest that is shown?"""
    ranks: tuple[str, ...] = SEVERITIES
    return ranks.index(severity) <= (ranks.index(lowest) if lowest in ranks else len(ranks))


def anchor(number: int) -> str:
    """The name of a finding's section."""
    return f"finding-{number + 1}"


def link(audit: Audit, number: int) -> Words:
    """One line that leads to a finding."""
    finding = audit.findings[number]
    leads = Link(f"{finding.code} {finding.severity}", GAPS, anchor(number))
    return (leads, ": ", *told(one_line(finding.message)), " (", Code(str(finding)), ")")


def section(audit: Audit, number: int) -> Section:
    """Everything that is known about one finding."""
    finding = audit.findings[number]
    blocks: list[Block] = [Paragraph(about(audit, finding)), excerpt(audit, finding)]
    blocks += [excerpt(audit, note, one_line(note.text), finding.subject) for note in finding.notes]
    if finding.tip:
        blocks.append(Paragraph(("What to do: ", *told(finding.tip))))
    blocks.append(Paragraph(("What the rule means: ", Code(f"cllm explain {finding.code}"))))
    title = (Code(finding.code), f" {finding.severity}: ", *told(one_line(finding.message)))
    return Section(title, tuple(blocks), anchor(number), TONES[finding.severity])


def about(audit: Audit, finding: Finding) -> Words:
    """Place, subject, how sure, and what else is known."""
    place = f"{finding}:{finding.column}" if finding.column else str(finding)
    parts: list[Piece] = [Code(place)]
    if finding.subject:
        parts += [", about ", Code(finding.subject)]
    if finding.role:
        parts.append(f", role {finding.role}")
    return (*parts, "".join(f", {word}" for word in certainty(audit, finding)))


def certainty(audit: Audit, finding: Finding) -> list[str]:
    """How sure the rule is, whether the finding is new, and what a check of the extracted protocol said."""
    checked = {"confirmed": "confirmed by the checked protocol", "not confirmed": "not seen in the checked protocol"}
    return [
        word
        for word in (
            f"confidence {finding.confidence}" if finding.confidence else "",
            "new since the baseline" if finding.new and audit.has_baseline else "",
            checked.get(finding.checked, finding.checked),
        )
        if word
    ]
