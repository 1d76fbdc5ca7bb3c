"""Document 6: what to change, in which order, what each step replaces, and the test that shows it."""

from cllm_sim.report.audit.blocks import (
    Block,
    Bullets,
    Cell,
    Chapter,
    Claim,
    Code,
    Link,
    Paragraph,
    Section,
    Table,
    Words,
    cell,
    code_cell,
    joined,
    told,
)
from cllm_sim.report.audit.excerpts import evidence
from cllm_sim.report.audit.objects import places
from cllm_sim.report.audit.shape import Audit, PlanStep
from cllm_sim.report.quantities import counted

ID = "implementation-plan"
CHANGES = "code-changes"


def chapter(audit: Audit, number: int, title: str) -> Chapter:
    """The chapter."""
    return Chapter(ID, number, title, _answer(audit), _blocks(audit) if audit.plan else (_nothing(audit),))


def anchor(step: PlanStep) -> str:
    """The name of a step's section."""
    return f"step-{step.step}"


def _answer(audit: Audit) -> Words:
    if not audit.plan:
        return ("There is no step to take.",)
    rows = {name for step in audit.plan for name in step.requirements}
    open_rows = [row for row in audit.requirements if row.status in ("partly", "unmet")]
    covered = sum(row.id in rows for row in open_rows)
    about = f", for {covered} of the {counted(len(open_rows), 'requirement')} that are not met" if open_rows else ""
    return (f"{counted(len(audit.plan), 'step')}{about}.",)


def _nothing(audit: Audit) -> Paragraph:
    left = [row.id for row in audit.requirements if row.status in ("partly", "unmet")]
    if left:
        return Paragraph((f"No step is proposed, although {', '.join(left)} are not met.",))
    return Paragraph(("No requirement was found unmet, so nothing is proposed.",))


def _blocks(audit: Audit) -> tuple[Block, ...]:
    rows = tuple(_row(step) for step in audit.plan)
    overview = Section(("In order",), (Table(("step", "what", "requirements", "where"), rows),))
    return (overview, *(_step(audit, step) for step in audit.plan))


def _row(step: PlanStep) -> tuple[Cell, ...]:
    where = code_cell(places(step.where)) if step.where else cell("")
    return (
        Cell((Link(str(step.step), ID, anchor(step)),)),
        Cell(told(step.title)),
        cell(", ".join(step.requirements)),
        where,
    )


def _step(audit: Audit, step: PlanStep) -> Section:
    where = tuple(evidence(audit, place) for place in step.where)
    blocks: list[Block] = [Claim(("Where: ", Code(places(step.where)), "."), where)] if where else []
    facts: list[Words] = [
        (f"{name}: ", *told(text))
        for name, text in (
            ("Replaces", step.replaces),
            ("Comes here because", step.order_reason),
            ("Promise it keeps", step.promise),
            ("Test that shows it", step.test),
            ("Requirements", ", ".join(step.requirements)),
        )
        if text
    ]
    if step.functions:
        facts.append(("Functions: ", *joined([(Code(name),) for name in step.functions])))
    if step.patch:
        facts.append(("Sketch: ", Link(f"code change {step.step}", CHANGES, f"change-{step.step}")))
    if facts:
        blocks.append(Bullets(tuple(facts)))
    if step.sides:
        sides = tuple(evidence(audit, place) for place in step.sides)
        blocks.append(Claim(("The two sides that it orders.",), sides))
    return Section((f"Step {step.step}: ", *told(step.title)), tuple(blocks), anchor(step))
