"""How findings about memory call roles, locks and places.

Rules of this file: words only, no judgement.
"""

from __future__ import annotations

from collections.abc import Iterable

from cllm_sim.auditor.findings import Note
from cllm_sim.auditor.flow import Held
from cllm_sim.auditor.inventory import SharedObject
from cllm_sim.auditor.roles import Role
from cllm_sim.auditor.rules.support.races_accesses import Access


def who(role: Role) -> str:
    """A role as the subject of a sentence."""
    if role.caller:
        return role.name
    return f"a thread of {role.name}" if role.many else f"thread {role.name}"


def locks(held: Iterable[Held]) -> str:
    """The locks an access holds."""
    names = sorted({f"{one.lock.label}{' (shared)' if one.shared else ''}" for one in held})
    return f"holding {' and '.join(names)}" if names else "without a lock"


def does(access: Access) -> str:
    """What an access does."""
    return "writes" if access.write else "reads"


def access_note(access: Access, label: str) -> Note:
    """An access as a note: who does what, under which locks, and how it gets there."""
    text = f"{who(access.role)} {does(access)} {label} here, {locks(access.held)}"
    return Note(access.step.site, text, access.role.name, access.step.how)


def declaration_note(known: SharedObject | None) -> tuple[Note, ...]:
    """Where an object is declared."""
    if known is None or known.declared is None:
        return ()
    return (Note(known.declared, f"{known.label} is declared here"),)
