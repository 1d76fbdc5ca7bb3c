"""A schedule that goes wrong in the extracted protocol, step by step, every step at its line of the program.

Rules of this file: steps are told in the order in which they happen; who is stuck is told with what would help.
"""

from cllm_sim.report.audit.blocks import Block, Cell, Code, Paragraph, Section, Table, cell, code_cell
from cllm_sim.report.audit.shape import SkeletonCheck, Step, Stuck
from cllm_sim.report.quantities import counted

NO_WAY_BACK = "no way back: every continuation from here ends badly"


def section(check: SkeletonCheck) -> Section:
    """The counterexample of one check."""
    example = check.counterexample
    if example is None:
        raise ValueError("this check has no counterexample")
    blocks: list[Block] = []
    if example.steps:
        rows = [(cell(str(number)), *_step(step)) for number, step in enumerate(example.steps, 1)]
        if example.no_way_back and example.no_way_back < len(rows):
            rows.insert(example.no_way_back, (Cell(), Cell(), Cell(), Cell(), Cell((NO_WAY_BACK,), "", "bad")))
        blocks.append(Table(("step", "who", "line", "does", "what changes"), tuple(rows)))
    if example.stuck:
        rows_stuck = tuple(map(_stuck, example.stuck))
        blocks.append(Table(("stuck", "line", "waits for", "needs"), rows_stuck))
    if example.schedule:
        blocks.append(Paragraph(("As a schedule: ", Code(example.schedule))))
    kind = f" ends in {check.kind}" if check.kind else " goes wrong"
    return Section((f"How it{kind} with {counted(check.workers, 'worker')}",), tuple(blocks))


def _step(step: Step) -> tuple[Cell, Cell, Cell, Cell]:
    return (
        cell(step.actor, step.role if step.role != step.actor else ""),
        code_cell(str(step) if step.known else ""),
        code_cell(step.op),
        cell(", ".join(step.changes)),
    )


def _stuck(row: Stuck) -> tuple[Cell, ...]:
    where = code_cell(str(row) if row.known else "")
    return cell(row.actor), where, code_cell(row.waits_for), cell(row.needs)
