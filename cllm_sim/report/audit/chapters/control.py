"""Document 3: is there a control, does it coordinate, does it keep away from the work, and can it stop?"""

from cllm_sim.report.audit import answers, findings, requirements
from cllm_sim.report.audit.blocks import Block, Chapter, Claim, Code, Evidence, Paragraph, Section, Tone, Words
from cllm_sim.report.audit.excerpts import evidence
from cllm_sim.report.audit.shape import Audit, Place, Role

ID = "control-thread"
DUTIES = (("distributes", "distributes the batches"), ("accumulates", "accumulates the results"),
          ("updates", "updates the shared state"))  # fmt: skip


def chapter(audit: Audit, number: int, title: str) -> Chapter:
    """The chapter."""
    found = answers.controls(audit)
    blocks: list[Block] = [_section(audit, role) for role in found]
    if not found:
        blocks.append(_without(audit))
    blocks.append(_workers(audit))
    rows = requirements.of_chapter(audit, ID)
    if rows:
        blocks.append(Section(("What the plan asks for here",), (requirements.brief(rows),)))
    return Chapter(ID, number, title, answers.control(audit), tuple(blocks), findings.of_chapter(audit, ID))


def _section(audit: Audit, role: Role) -> Section:
    started = _started(audit, role)
    own = Claim(("It is a thread of its own.",) if started else ("No call was found that starts it.",), started)
    claims: list[Block] = [own, _work(audit, role)]
    claims += [_duty(audit, words, getattr(role, duty)) for duty, words in DUTIES]
    claims.append(_waiting(role))
    return Section(("Control ", Code(role.name)), tuple(claims))


def _started(audit: Audit, role: Role) -> tuple[Evidence, ...]:
    return tuple(
        evidence(audit, place, f"started, {place.count} of them" if place.count not in ("", "1") else "started")
        for place in audit.started(role)
    )


def _work(audit: Audit, role: Role) -> Claim:
    if not audit.knows_work:
        words = ("Whether it computes is not known: no function was taken for batch processing; ",
                 Code("--bind work=FUNC"), " names it.")  # fmt: skip
        return Claim(words, (), "open")
    if not role.reaches_work:
        return Claim(("It does not compute: no path from its entry function reaches batch processing.",), (), "good")
    path = tuple(evidence(audit, place, place.function) for place in role.work_path)
    return Claim(("It computes: batch processing is reached from its entry function.",), path, "bad")


def _duty(audit: Audit, words: str, found: tuple[Place, ...]) -> Claim:
    if found:
        return Claim((f"It {words}.",), tuple(evidence(audit, place, place.function) for place in found), "good")
    verb, _, rest = words.partition(" ")
    return Claim((f"Nothing was found where it {verb} {rest}.",), (), "bad")


def _waiting(role: Role) -> Claim:
    waits: Words = answers.names(role.waits_on) or ("nothing",)
    tone: Tone = "bad" if role.only_parked else ""
    parked = " It is only parked: waiting, sleeping or spinning is all it does." if role.only_parked else ""
    return Claim(("It waits on ", *waits, ".", parked), (), tone)


def _without(audit: Audit) -> Paragraph:
    started = [thread.name for thread in audit.inventory.threads]
    among: Words = (" Looked at: ", *answers.names(started), ".") if started else ()
    return Paragraph(("Looked for: a thread of its own that hands out batches, adds up results and updates the shared "
                      "state, and from which no path leads to batch processing. None was found.", *among))  # fmt: skip


def _workers(audit: Audit) -> Section:
    """Who it could coordinate, and who coordinates in its place."""
    workers = [role for role in audit.inventory.roles if role.kind == "worker"]
    others = [role for role in audit.inventory.roles if role.kind not in ("worker", "control")]
    count = audit.scope.workers
    claims: list[Block] = [
        Paragraph((f"{count} workers were counted." if count is not None else "The number of workers is no constant "
                   "of the sources." if workers else "No role was taken for a worker.",)),
        *(Paragraph((Code(role.name), f": {role.count or 'an unknown number'} of them, enter ", Code(role.entry)))
          for role in workers),
    ]  # fmt: skip
    for role in others:
        does = [words for duty, words in DUTIES if getattr(role, duty)]
        where = tuple(evidence(audit, place, duty) for duty, _ in DUTIES for place in getattr(role, duty))
        if does:
            claims.append(Claim((Code(role.name), f" ({role.kind}) {' and '.join(does)}."), where, "open"))
        if role.only_parked:
            words = (Code(role.name), " only waits, sleeps or spins: a thread that is merely parked is no control.")
            claims.append(Claim(words, _started(audit, role), "open"))
    return Section(("Workers, and who else coordinates",), tuple(claims))
