"""The sentence that answers each question about a program: which threads, which barriers, which control, which shared
memory. Every sentence is made of the inventory and of nothing else; where nothing was found it says what was looked
for.

Rules of this file: one function a question, one paragraph an answer; the evidence stands in the chapters.
"""

from collections.abc import Sequence

from cllm_sim.report.audit.blocks import Code, Piece, Words, joined
from cllm_sim.report.audit.objects import KINDS, count_of, unused
from cllm_sim.report.audit.shape import Audit, Role
from cllm_sim.report.quantities import counted, listed

NAMES_MAX = 6
USED = "used by the training path"
BARRIERS, MUTEXES, CONDITIONS, SEMAPHORES, ATOMICS, FLAGS, REGIONS = KINDS


def names(found: Sequence[str]) -> Words:
    """`a`, `b` and `c`, each as a name; the rest is counted."""
    shown: list[Piece] = []
    for number, name in enumerate(found[:NAMES_MAX]):
        last = number == len(found) - 1
        shown += [" and " if last else ", "] if number else []
        shown.append(Code(name))
    return (*shown, f" and {len(found) - NAMES_MAX} more") if len(found) > NAMES_MAX else tuple(shown)


def read(audit: Audit) -> str:
    """How much was read: `in 6 files (1,240 lines)`."""
    return f"in {counted(audit.files, 'file')} ({counted(audit.lines, 'line')})"


# ----------------------------------------------------------------------------------------------------------- threads
def threads(audit: Audit) -> Words:
    """Which threads exist, who starts them, who works."""
    roles = audit.inventory.roles
    started = audit.inventory.threads
    if not started and not roles:
        return (f"No thread is started: {read(audit)} no call creates one.",)
    who = joined([_role(role, audit.knows_work) for role in roles], "; ")
    left = [thread.name for thread in started if thread.created and not thread.joined and not thread.detached]
    if left:
        ends: Words = (*names(left), f" {'is' if len(left) == 1 else 'are'} neither joined nor detached")
    else:
        ends = ("every thread that is started is joined or detached",) if started else ("no call starts a thread",)
    return (counted(len(roles), "role"), *((": ", *who) if roles else ()), "; ", *ends, ".")


def entry(role: Role) -> Words:
    """The entry function in brackets, unless the role is called so."""
    return (" (", Code(role.entry), ")") if role.entry not in ("", role.name) else ()


def _role(role: Role, knows_work: bool) -> Words:
    times = f"{role.count} × " if role.count and role.count != "1" else ""
    idle = " processes no batches" if knows_work else ""
    does = " only waits" if role.only_parked else " processes batches" if role.reaches_work else idle
    return (f"{times}{role.name}", *entry(role), does)


def _capital(words: Words) -> Words:
    first = words[0] if words else ""
    if isinstance(first, str) and not isinstance(first, Code) and first:
        return (first[0].upper() + first[1:], *words[1:])
    return words


# ---------------------------------------------------------------------------------------------------------- barriers
def barriers(audit: Audit) -> Words:
    """Which barriers exist, which of them anybody waits on."""
    found = audit.inventory.barriers
    if not found:
        locks = counted(len(audit.inventory.mutexes), "mutex", "mutexes")
        conditions = counted(len(audit.inventory.conditions), "condition", "conditions")
        return (f"No barrier is declared or initialised {read(audit)}; what orders the threads is {locks} and ",
                f"{conditions}.")  # fmt: skip
    idle = [item.name for item in unused(BARRIERS, audit.inventory)]
    used = [item for item in found if item.name not in idle]
    told = f"{counted(len(found), 'barrier')} {'is' if len(found) == 1 else 'are'} declared, "
    if not used:
        return (f"{told}none is waited on: ", *names(idle), ".")
    told += f"{len(used)} {'is' if len(used) == 1 else 'are'} waited on"
    more: Words = ("; not: ", *names(idle)) if idle else ()
    counts: Words = joined([(Code(item.name), f" for {count}") for item in used if (count := count_of(item))])
    return (told, *more, *(("; initialised ", *counts) if counts else ()), ".")


# ----------------------------------------------------------------------------------------------------------- control
def controls(audit: Audit) -> tuple[Role, ...]:
    """The roles that were taken for a control."""
    return tuple(role for role in audit.inventory.roles if role.kind == "control")


def control(audit: Audit) -> Words:
    """Is there a control, is it a thread of its own, does it coordinate, does it compute?"""
    found = controls(audit)
    if not found:
        return ("There is no control thread", *_instead(audit), ".")
    return joined([_control(role, audit.knows_work) for role in found], " ")


def _instead(audit: Audit) -> Words:
    """Who does a control's part where there is none, and who only stands by."""
    roles = [role for role in audit.inventory.roles if role.kind != "worker"]
    told: list[Words] = [(Code(role.name), f" ({role.kind}) {listed(duties(role))}") for role in roles if duties(role)]
    told += [(Code(role.name), " only waits") for role in roles if role.only_parked]
    if not audit.inventory.roles:
        told.append(("no thread has a role at all",))
    elif not told:
        told.append(("no role distributes, accumulates or updates",))
    return ("; ", *joined(told, "; "))


def _control(role: Role, knows_work: bool) -> Words:
    apart = "never reaches batch processing" if knows_work else "may compute or not (no function is known as the work)"
    computes = "reaches batch processing" if role.reaches_work else apart
    if role.only_parked:
        return (_name(role), *entry(role), f" {computes}, but it is only parked: it never does anything except wait.")
    does = duties(role)
    lacks = [word for word in ("distributes", "accumulates", "updates") if word not in does]
    told = listed(does) or "neither distributes, accumulates nor updates"
    missing = (
        f"; it does not itself {listed([word.removesuffix('s') for word in lacks], 'or')}" if does and lacks else ""
    )
    return (_name(role), *entry(role), f" {told}{missing}; it {computes}.")


def _name(role: Role) -> str:
    return "The control thread" if role.name in ("control", "control thread") else f"The control {role.name}"


def duties(role: Role) -> list[str]:
    """Which of a control's three duties a role does."""
    return [word for word in ("distributes", "accumulates", "updates") if getattr(role, word)]


# ----------------------------------------------------------------------------------------------------- shared memory
def shared_memory(audit: Audit) -> Words:
    """Which regions and segments exist, and who really uses them."""
    regions, segments = audit.inventory.regions, audit.inventory.segments
    idle = [item.name for item in unused(REGIONS, audit.inventory)]
    told: list[Words] = [_regions(len(regions), idle)]
    if segments:
        silent = [item.name for item in segments if not item.written or not item.read]
        both = len(segments) - len(silent)
        told.append((f"{counted(len(segments), 'buffer')} shared between threads, {both} both written and read",
                     *(("; not both: ", *names(silent)) if silent else ())))  # fmt: skip
    else:
        told.append(("no buffer was found that threads divide among themselves",))
    apart = [module for module in audit.modules if module.status and module.status != USED]
    if audit.modules:
        used = len(audit.modules) - len(apart)
        told.append((f"{used} of {counted(len(audit.modules), 'module')} used by the training path",))
    return (*_capital(joined(told, "; ")), ".")


def _regions(count: int, idle: Sequence[str]) -> Words:
    if not count:
        return ("no shared-memory region is created",)
    verb = "is" if count == 1 else "are"
    if not idle:
        return (f"{counted(count, 'shared-memory region')} {verb} created and used",)
    who = "no thread reads or writes" if len(idle) == count else "unused:"
    return (f"{counted(count, 'shared-memory region')} {verb} created; {who} ", *names(idle))
