"""Document 4: shared regions, buffers divided among threads, and the modules that were meant to be used."""

from cllm_sim.report.audit import answers, findings, requirements
from cllm_sim.report.audit.answers import REGIONS, USED
from cllm_sim.report.audit.blocks import (
    Block,
    Cell,
    Chapter,
    Claim,
    Code,
    Evidence,
    Paragraph,
    Section,
    Table,
    Tone,
    cell,
    code_cell,
)
from cllm_sim.report.audit.chapters.barriers import kind_section
from cllm_sim.report.audit.excerpts import evidence
from cllm_sim.report.audit.objects import segment_facts
from cllm_sim.report.audit.shape import Audit, Module, Segment

ID = "shared-memory"


def chapter(audit: Audit, number: int, title: str) -> Chapter:
    """The chapter."""
    blocks: list[Block] = [kind_section(audit, REGIONS), _segments(audit), _modules(audit)]
    rows = requirements.of_chapter(audit, ID)
    if rows:
        blocks.append(Section(("What the plan asks for here",), (requirements.brief(rows),)))
    return Chapter(ID, number, title, answers.shared_memory(audit), tuple(blocks), findings.of_chapter(audit, ID))


def _segments(audit: Audit) -> Section:
    title = ("Buffers shared between threads",)
    found = audit.inventory.segments
    if not found:
        looked = f"None: {answers.read(audit)} no buffer that threads write or read in shares."
        return Section(title, (Paragraph((looked,)),))
    return Section(title, tuple(_segment(audit, segment) for segment in found))


def _segment(audit: Audit, segment: Segment) -> Claim:
    words = (Code(segment.name), f": {'; '.join(segment_facts(segment))}.")
    used = segment.written and segment.read
    return Claim(words, _segment_evidence(audit, segment), "" if used else "bad")


def _segment_evidence(audit: Audit, segment: Segment) -> tuple[Evidence, ...]:
    found = [evidence(audit, segment.declared, "declared")] if segment.declared else []
    found += [evidence(audit, place, "writes") for place in segment.written]
    found += [evidence(audit, place, "reads") for place in segment.read]
    return tuple(found)


def _modules(audit: Audit) -> Section:
    title = ("Modules: used, only constructed, or only built",)
    if not audit.modules:
        none = f"No module of the kinds that the plan names was found {answers.read(audit)}."
        return Section(title, (Paragraph((none,)),))
    return Section(title, (Table(("module", "files", "status"), tuple(_module(audit, one) for one in audit.modules)),))


def _module(audit: Audit, module: Module) -> tuple[Cell, ...]:
    tone: Tone = "good" if module.status == USED else "bad"
    found = tuple(evidence(audit, place) for place in module.evidence)
    return (
        cell(module.name),
        code_cell(", ".join(module.files)),
        Cell((module.status or "unknown",), "", tone if module.status else "", found),
    )
