"""Measures a program against a plan: one judgement a row.

Rules of this file: a row whose id has no judge is unknown, and a person must give the evidence; the judges themselves
stand in one small file a group and are found by the id they register.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.findings import Finding
from cllm_sim.auditor.requirements import (  # noqa: F401  # each registers its judges
    barriers,
    gradients,
    infrastructure,
    memory,
    node_zero,
    recursive,
)
from cllm_sim.auditor.requirements.answer import JUDGES, Evidence, Status, missing
from cllm_sim.auditor.requirements.plan import Requirement
from cllm_sim.auditor.requirements.subject import Subject

NO_JUDGE = "no judge for this requirement; evidence must be given by a person"


@dataclass(frozen=True, slots=True)
class Judgement:
    """How far a program meets a requirement, and what that rests on."""

    id: str
    group: str
    text: str
    source: str
    status: Status
    evidence: tuple[Evidence, ...]
    looked_for: str
    promise: str = ""


def judge(analysis: Analysis, findings: Sequence[Finding], plan: Iterable[Requirement]) -> list[Judgement]:
    """The judgements on all rows of a plan, in its order."""
    subject = Subject(analysis, findings)
    return [_one(subject, row) for row in plan]


def _one(subject: Subject, row: Requirement) -> Judgement:
    known = JUDGES.get(row.id)
    if known is None:
        status: Status = "unknown"
        return Judgement(row.id, row.group, row.text, row.source, status, (missing(NO_JUDGE),), "", row.promise)
    given = known.answer(subject)
    return Judgement(
        row.id, row.group, row.text, row.source, given.status, given.evidence, known.looked_for, row.promise
    )
