"""Document 2: barriers, locks, conditions, semaphores, atomics and flags: who waits where, and in which order."""

from cllm_sim.report.audit import answers, findings, graphs, requirements
from cllm_sim.report.audit.blocks import Block, Chapter, Claim, Code, Evidence, Paragraph, Section, Words
from cllm_sim.report.audit.excerpts import evidence
from cllm_sim.report.audit.objects import KINDS, Kind, facts, never, summary, verb
from cllm_sim.report.audit.shape import Audit, SyncObject

ID = "barrier-usage"
ELSEWHERE = "regions"  # told in the chapter about shared memory


def chapter(audit: Audit, number: int, title: str) -> Chapter:
    """The chapter."""
    blocks: list[Block] = [kind_section(audit, kind) for kind in KINDS if kind.key != ELSEWHERE]
    picture = graphs.figure(audit, "synchronisation-order")
    blocks.append(Section(("Synchronisation order",), (picture or _no_order(audit),)))
    rows = requirements.of_chapter(audit, ID)
    if rows:
        blocks.append(Section(("What the plan asks for here",), (requirements.brief(rows),)))
    return Chapter(ID, number, title, answers.barriers(audit), tuple(blocks), findings.of_chapter(audit, ID))


def _no_order(audit: Audit) -> Paragraph:
    return Paragraph((f"No order between threads was found: {answers.read(audit)} no object that one role leaves and "
                      "another waits on.",))  # fmt: skip


def kind_section(audit: Audit, kind: Kind) -> Section:
    """All objects of a kind, or that there is none."""
    found = kind.of(audit.inventory)
    title = (kind.many[0].upper() + kind.many[1:],)
    if not found:
        looked = f"None {answers.read(audit)}: looked for declarations, initialisations and uses of {kind.many}."
        return Section(title, (Paragraph((looked,)),))
    claims = tuple(object_claim(audit, kind, item) for item in found)
    return Section(title, (Paragraph((f"{summary(kind, audit.inventory)}.",)), *claims))


def object_claim(audit: Audit, kind: Kind, item: SyncObject) -> Claim:
    """What happens with one object."""
    seen = {place.role for place in item.waits}
    others = [role for role in item.members if role not in seen]
    members: Words = ("; takes part as well: ", *answers.names(others)) if others else ()
    told = "; ".join(facts(kind, item)) or "nothing more is known"
    words = (Code(item.name), f": {told}", *members, ".")
    return Claim(words, object_evidence(audit, item), "bad" if never(kind, item) else "")


def object_evidence(audit: Audit, item: SyncObject) -> tuple[Evidence, ...]:
    """Every place that has to do with an object."""
    found = [evidence(audit, item.declared, "declared")] if item.declared else []
    found += [evidence(audit, place, f"initialised for {place.count}" if place.count else "initialised")
              for place in item.initialised]  # fmt: skip
    found += [evidence(audit, place, verb(place.operation) if place.operation else "used") for place in item.waits]
    found += [evidence(audit, place, "in code that nobody reaches") for place in item.dead]
    found += [evidence(audit, place, "destroyed") for place in item.destroyed]
    return tuple(found)
