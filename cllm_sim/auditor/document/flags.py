"""Which plain variables are flags: volatile ones, truth values, and those whose name says so.

Rules of this file: for the inventory only; whether a flag is used soundly is for the rules to say.
"""

from __future__ import annotations

import re

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.inventory import SharedObject

NAME = re.compile(
    r"(^|_)(stop|stopped|stopping|ready|done|finished|running|quit|exit|shutdown|active|has_work|complete|completed|go"
    r"|work_complete|started|initialized|initialised|closed|cancel|cancelled|pending|flag)(_|$)", re.IGNORECASE
)  # fmt: skip
WHOLE = frozenset({"int", "bool", "_Bool", "sig_atomic_t", "unsigned", "unsigned int", "char", "short", "long"})


def flags(analysis: Analysis) -> list[SharedObject]:
    """The flags of a program that has threads, by label."""
    if not analysis.roles.threads:
        return []
    found = [one for one in analysis.inventory.memory.values() if _is_flag(one)]
    return sorted(found, key=lambda one: one.label)


def _is_flag(one: SharedObject) -> bool:
    type = one.type
    if type is None or type.pointers or type.arrays or type.base not in WHOLE or one.location.kind == "local":
        return False
    return "volatile" in type.qualifiers or type.base in {"bool", "_Bool"} or bool(NAME.search(one.location.name))
