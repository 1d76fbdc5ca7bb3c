"""Document 1: which threads there are, who starts and who joins them, what each of them does."""

from cllm_sim.report.audit import answers, findings, graphs, requirements
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
    Words,
    cell,
    code_cell,
    told,
)
from cllm_sim.report.audit.excerpts import evidence
from cllm_sim.report.audit.objects import places
from cllm_sim.report.audit.shape import Audit, Place, Role, Thread
from cllm_sim.report.quantities import counted, listed

ID = "architecture-analysis"


def chapter(audit: Audit, number: int, title: str) -> Chapter:
    """The chapter."""
    blocks: list[Block] = [_size(audit), _roles(audit), _starts(audit)]
    rows = requirements.of_chapter(audit, ID)
    if rows:
        blocks.append(Section(("What the plan asks for here",), (requirements.brief(rows),)))
    blocks += [_assumed(audit), _unread(audit)]
    return Chapter(ID, number, title, answers.threads(audit), tuple(blocks), findings.of_chapter(audit, ID))


def _size(audit: Audit) -> Paragraph:
    asked: Words = tuple(piece for path in audit.paths for piece in (" ", Code(path)))
    size = f"{counted(audit.files, 'file')}, {counted(audit.lines, 'line')}, {counted(audit.functions, 'function')}"
    return Paragraph(("Read", *(asked or (" nothing",)), f": {size}."))


# ------------------------------------------------------------------------------------------------------------- roles
def _roles(audit: Audit) -> Section:
    found: list[Block] = [role_claim(audit, role) for role in audit.inventory.roles]
    if not found:
        found.append(Paragraph((f"No role was found: {answers.read(audit)} no entry function of a thread, "
                                "no call that starts one.",)))  # fmt: skip
    picture = graphs.figure(audit, "thread-roles")
    return Section(("Roles",), (*found, *((picture,) if picture else ())))


def role_claim(audit: Audit, role: Role) -> Claim:
    """What a role is and does, in one paragraph."""
    times = f"{role.count} of them" if role.count and role.count != "1" else ""
    entry: Words = (f"{times}, entering " if times else "entering ", Code(role.entry)) if role.entry else (times,)
    apart = "it never reaches batch processing" if audit.knows_work else "no function is known as batch processing"
    told = [
        "it only waits, sleeps or spins" if role.only_parked else "",
        "it reaches batch processing" if role.reaches_work else apart,
        f"it {listed(answers.duties(role))} itself" if answers.duties(role) else "",
    ]
    waits: Words = ("; it waits on ", *answers.names(role.waits_on)) if role.waits_on else ("; it waits on nothing",)
    kind = f"{role.kind}, " if role.kind != role.name else ""
    words = (Code(role.name), f" ({kind}", *entry, "): ", "; ".join(part for part in told if part), *waits, ".")
    return Claim(words, _role_evidence(audit, role))


def _role_evidence(audit: Audit, role: Role) -> tuple[Evidence, ...]:
    entry = (Place(path=role.path, line=role.line),) if role.path else ()
    parts = (
        (entry, "its entry function"),
        (audit.started(role), "is started here"),
        (role.work_path, "on the way to batch processing"),
        (role.distributes, "distributes"),
        (role.accumulates, "accumulates"),
        (role.updates, "updates"),
    )
    return tuple(
        evidence(audit, place, f"{words}: {place.function}" if place.function else words)
        for where, words in parts
        for place in where
    )


# ------------------------------------------------------------------------------------------------------------ starts
def _starts(audit: Audit) -> Section:
    threads = audit.inventory.threads
    title = ("Where threads begin and end",)
    if not threads:
        return Section(title, (Paragraph((f"No call starts a thread {answers.read(audit)}.",)),))
    columns = ("threads", "started", "joined", "detached")
    return Section(title, (Table(columns, tuple(_start(thread) for thread in threads)),))


def _start(thread: Thread) -> tuple[Cell, ...]:
    counts = listed(list(dict.fromkeys(place.count for place in thread.created if place.count not in ("", "1"))), "or")
    ends = "" if thread.detached else "never"
    return (
        code_cell(thread.name),
        code_cell(places(thread.created), f"{counts} of them" if counts else "") if thread.created else cell("never"),
        code_cell(places(thread.joined)) if thread.joined else cell(ends),
        code_cell(places(thread.detached)) if thread.detached else cell(""),
    )


# ------------------------------------------------------------------------------------------------- what it rests on
def _assumed(audit: Audit) -> Section:
    title = ("What the audit took for granted",)
    if not audit.assumptions:
        return Section(title, (Paragraph(("Nothing had to be assumed.",)),))
    rows = []
    for item in audit.assumptions:
        override = Cell((Code(item.override),)) if item.override else cell("")
        rows.append((Cell(told(item.text), str(item) if item.known else ""), cell(item.confidence), override))
    return Section(title, (Table(("assumption", "confidence", "say otherwise with"), tuple(rows)),))


def _unread(audit: Audit) -> Section:
    title = ("What could not be read",)
    if not audit.unreadable:
        return Section(title, (Paragraph((f"Everything was read: {counted(audit.files, 'file')}.",)),))
    return Section(title, (Table(("place", "why"), tuple((code_cell(str(item)), cell(item.why))
                                                       for item in audit.unreadable)),))  # fmt: skip
