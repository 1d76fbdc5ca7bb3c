"""Document 5: the program against the plan, row by row, and every finding with both of its sides."""

from cllm_sim.report.audit import answers, findings, requirements
from cllm_sim.report.audit.blocks import Block, Cell, Chapter, Code, Paragraph, Section, Table, Words, cell, code_cell
from cllm_sim.report.audit.shape import SEVERITIES, Audit, Severity
from cllm_sim.report.quantities import counted, listed

ID = findings.GAPS
TITLES = {"error": "Errors", "warning": "Warnings", "note": "Notes"}
MEANINGS = {
    "error": "A hang, a race, lost data or a memory fault in some run.",
    "warning": "A defect of design, or a likely fault.",
    "note": "Something unused, or worth knowing.",
}


def chapter(audit: Audit, number: int, title: str) -> Chapter:
    """The chapter."""
    blocks: list[Block] = [_requirements(audit)]
    blocks += [_findings(audit, severity) for severity in SEVERITIES if audit.number(severity)]
    if not audit.findings:
        blocks.append(Section(("Findings",), (Paragraph((_nothing(audit),), "good"),)))
    if audit.suppressed:
        blocks.append(_suppressed(audit))
    return Chapter(ID, number, title, answer(audit), tuple(blocks))


def answer(audit: Audit) -> Words:
    """How far the program is from the plan."""
    rows = len(audit.requirements)
    asked = (
        f"Of {counted(rows, 'requirement')} {requirements.counts(audit)}" if rows else "No plan was measured against"
    )
    return (f"{asked}; {severities(audit)}.",)


def severities(audit: Audit) -> str:
    """`7 errors, 3 warnings and 2 notes`, or that nothing was found."""
    told = [counted(audit.number(severity), severity) for severity in SEVERITIES if audit.number(severity)]
    return listed(told) or "no finding"


def _nothing(audit: Audit) -> str:
    rules = f"{counted(len(audit.rules), 'rule')} looked at" if audit.rules else "The rules looked at"
    return f"{rules} every object and role {answers.read(audit)} and found nothing."


def _requirements(audit: Audit) -> Section:
    title = ("The plan, row by row",)
    if not audit.requirements:
        return Section(title, (Paragraph(("The result carries no requirements.",)),))
    return Section(title, (requirements.table(audit, audit.requirements),))


def _findings(audit: Audit, severity: Severity) -> Section:
    numbers = [number for number, finding in enumerate(audit.findings) if finding.severity == severity]
    sections = tuple(findings.section(audit, number) for number in numbers)
    return Section((f"{TITLES[severity]} ({len(numbers)})",), (Paragraph((MEANINGS[severity],)), *sections))


def _suppressed(audit: Audit) -> Section:
    columns = ("code", "place", "finding", "reason given in the source")
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (code_cell(item.code), code_cell(str(item)), cell(item.message), cell(item.reason)) for item in audit.suppressed
    )
    said = counted(len(audit.suppressed), "finding")
    words: Words = (f"{said} left out because a comment ", Code("cllm: ignore[CODE] reason"), " asks for it.")
    return Section(("Suppressed",), (Paragraph(words), Table(columns, rows)))
