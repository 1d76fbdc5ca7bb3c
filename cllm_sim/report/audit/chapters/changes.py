"""Document 7: the sketch of every change, and the protocol they lead to in the program's own names."""

from cllm_sim.report.audit.blocks import (
    Block,
    Cell,
    Chapter,
    Claim,
    Link,
    Listing,
    Paragraph,
    Section,
    Table,
    Words,
    code_cell,
    told,
)
from cllm_sim.report.audit.chapters import plan
from cllm_sim.report.audit.excerpts import evidence
from cllm_sim.report.audit.shape import Audit, Pairing, PlanStep
from cllm_sim.report.quantities import counted

ID = plan.CHANGES


def chapter(audit: Audit, number: int, title: str) -> Chapter:
    """The chapter."""
    sketched = [step for step in audit.plan if step.patch]
    blocks: list[Block] = [_change(audit, step) for step in sketched]
    blocks.append(_protocol(audit))
    return Chapter(ID, number, title, _answer(audit, len(sketched)), tuple(blocks))


def _answer(audit: Audit, sketched: int) -> Words:
    if not sketched:
        return ("No change is sketched: ", f"{counted(len(audit.plan), 'step')} of the plan, none with a sketch.")
    left = len(audit.plan) - sketched
    more = f"; {counted(left, 'step')} without a sketch" if left else ""
    return (f"{counted(sketched, 'sketch', 'sketches')} of changes, to be read beside the sources, not to be applied "
            f"blindly{more}.",)  # fmt: skip


def _change(audit: Audit, step: PlanStep) -> Section:
    where = tuple(evidence(audit, place) for place in step.where)
    title = (f"Change {step.step}: ", *told(step.title))
    words: Words = ("For ", Link(f"step {step.step}", plan.ID, plan.anchor(step)), " of the plan.")
    return Section(title, (Claim(words, where), Listing(step.patch, "diff")), f"change-{step.step}")


def _protocol(audit: Audit) -> Section:
    title = ("The protocol in the names of the program",)
    if not audit.protocol:
        return Section(title, (Paragraph(("The protocol could not be put into the program's names: the result carries "
                                          "none.",)),))  # fmt: skip
    blocks: list[Block] = [Listing(audit.protocol, "python")]
    if audit.mapping:
        blocks.insert(0, Table(("in the protocol", "in the program", "where"), tuple(map(_pairing, audit.mapping))))
    return Section(title, tuple(blocks))


def _pairing(pair: Pairing) -> tuple[Cell, ...]:
    return code_cell(pair.ours), code_cell(pair.theirs), code_cell(f"{pair.path}:{pair.line}" if pair.path else "")
