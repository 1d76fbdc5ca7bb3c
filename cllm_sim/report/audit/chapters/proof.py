"""Document 8: what was checked and run: the protocol extracted from the program, and the one that the plan leads to."""

from cllm_sim.report.audit import examples, outcomes
from cllm_sim.report.audit.blocks import (
    Block,
    Cell,
    Chapter,
    Claim,
    Evidence,
    Listing,
    Paragraph,
    Section,
    Table,
    Tone,
    Words,
    cell,
    code_cell,
    told,
)
from cllm_sim.report.audit.shape import Audit, Skeleton, SkeletonCheck
from cllm_sim.report.quantities import counted, listed, rounded

ID = "test-results"
TONES: dict[str, Tone] = {"holds": "good", "broken": "bad", "undecided": "open"}


def chapter(audit: Audit, number: int, title: str) -> Chapter:
    """The chapter."""
    blocks = (_skeleton(audit), *outcomes.sections(audit.results), _tests(audit))
    return Chapter(ID, number, title, _answer(audit), blocks)


def _answer(audit: Audit) -> Words:
    skeleton, results = audit.skeleton, audit.results
    if skeleton is None:
        own = "The program's own protocol was not checked"
    elif not skeleton.checks:
        own = "No protocol could be extracted from the program"
    else:
        own = f"The protocol extracted from the program: {listed([_verdict(check) for check in skeleton.checks])}"
    ran = outcomes.ran(results)
    other = f"the protocol of the plan: {ran}" if ran else "the protocol of the plan was not run"
    return (f"{own}; {other}.",)


def _verdict(check: SkeletonCheck) -> str:
    why = f" ({check.kind})" if check.kind else ""
    return f"{check.verdict}{why} with {counted(check.workers, 'worker')}"


# ---------------------------------------------------------------------------------------------- extracted protocol
def _skeleton(audit: Audit) -> Section:
    title = ("The protocol of the program as it is",)
    found = audit.skeleton
    if found is None:
        return Section(title, (Paragraph(("No skeleton of the program was made and checked in this audit.",)),))
    if found.refused:
        return Section(title, (Paragraph(("No skeleton could be made: ", *told(found.refused))),))
    blocks: list[Block] = [_check(check) for check in found.checks]
    blocks += [examples.section(check) for check in found.checks if check.counterexample]
    blocks += [Section(("What was left out of it",), (_abstracted(found),), folded=True)] if found.abstracted else []
    if found.text:
        blocks.append(Section(("Its text",), (Listing(found.text, "python"),), folded=True))
    return Section(title, tuple(blocks))


def _check(check: SkeletonCheck) -> Claim:
    size = [
        counted(check.states, "state") if check.states is not None else "",
        counted(check.transitions, "step") if check.transitions is not None else "",
        outcomes.searched(check.complete, check.limit),
        f"{rounded(check.seconds, 2)} s" if check.seconds is not None else "",
    ]
    told = ", ".join(part for part in size if part)
    promises = [f"{row.verdict}: {row.name}" for row in check.promises if row.verdict != "holds"]
    held = sum(row.verdict == "holds" for row in check.promises)
    kept = f"; holds: {counted(held, 'other promise')}" if held else ""
    words = f"With {counted(check.workers, 'worker')}: {check.verdict}{f', {check.kind}' if check.kind else ''}"
    more = f"; {listed(promises)}" if promises else ""
    return Claim((f"{words}{f' ({told})' if told else ''}{more}{kept}.",), _broken(check), TONES.get(check.verdict, ""))


def _broken(check: SkeletonCheck) -> tuple[Evidence, ...]:
    found = []
    for row in check.broken:
        found.append(Evidence(str(row) if row.known else "", "", f"{row.kind}: {row.message}", row.role))
        if row.other is not None:
            found.append(Evidence(str(row.other), "", f"{row.kind}: the other side", row.other.role))
    return tuple(found)


def _abstracted(found: Skeleton) -> Table:
    rows = tuple((cell(row.text), code_cell(str(row) if row.known else "")) for row in found.abstracted)
    return Table(("left out or simplified", "where"), rows)


# ------------------------------------------------------------------------------------------------------------- tests
def _tests(audit: Audit) -> Section:
    """The test that each step of the plan names, and the findings that the check spoke about."""
    blocks: list[Block] = []
    steps = [step for step in audit.plan if step.test]
    if steps:
        rows = tuple((cell(str(step.step)), Cell(told(step.title)), Cell(told(step.test))) for step in steps)
        blocks.append(Table(("step", "what", "test that has to pass after it"), rows))
    checked = _checked(audit)
    if checked is not None:
        blocks.append(checked)
    if not blocks:
        blocks.append(Paragraph(("No step of the plan names a test, and no finding was held against a check.",)))
    return Section(("Tests that the plan asks for",), tuple(blocks))


def _checked(audit: Audit) -> Table | None:
    found = [finding for finding in audit.findings if finding.checked]
    if not found:
        return None
    tones: dict[str, Tone] = {"confirmed": "good", "not confirmed": "open"}
    rows = tuple(
        (code_cell(row.code), Cell(told(row.message)), cell(row.checked, "", tones.get(row.checked, "")))
        for row in found
    )
    return Table(("finding", "says", "checked protocol"), rows)
