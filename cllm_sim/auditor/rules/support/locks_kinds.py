"""Which locks a thread may take twice.

Rules of this file: a mutex made with attributes that are not spelled out counts as recursive.
"""

from __future__ import annotations

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Call, Name, Number
from cllm_sim.auditor.flow import Step
from cllm_sim.auditor.rules.support.locks import live
from cllm_sim.auditor.traverse import names
from cllm_sim.auditor.vocabulary import Act

PLAIN = frozenset({"NULL", "mtx_plain", "mtx_timed"})


def recursive(analysis: Analysis, lock: Step) -> bool:
    """May the thread that holds this lock take it again?"""
    for _, step in live(analysis, Act.INIT):
        call = None if step.event is None or step.target != lock.target else step.event.call
        if call is not None and step.event is not None and _with_attributes(call, step.event.name):
            return True
    return any(
        "RECURSIVE" in name
        for file in analysis.program.files
        for one in file.globals
        if lock.target is not None and one.name == lock.target.name
        for name in names(one.initial)
    )


def _with_attributes(call: Call, name: str) -> bool:
    if name not in {"pthread_mutex_init", "mtx_init"} or len(call.arguments) < 2:
        return False
    given = call.arguments[1]
    if isinstance(given, Number):
        return given.value != 0
    return not (isinstance(given, Name) and given.name in PLAIN)
