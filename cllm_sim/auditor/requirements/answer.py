"""What a judge answers, and the register of all judges.

Rules of this file: an answer without a place says what was looked for or that no place can be shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Literal, NamedTuple

from cllm_sim.auditor.facts import Site
from cllm_sim.auditor.findings import Finding

if TYPE_CHECKING:
    from cllm_sim.auditor.requirements.subject import Subject

Status = Literal["met", "partly", "unmet", "unknown"]
EVIDENCE_MAX = 8


class Evidence(NamedTuple):
    """A place in the program and what is there; without a place: what is missing."""

    site: Site | None
    text: str


class Answer(NamedTuple):
    """A status with what it rests on."""

    status: Status
    evidence: tuple[Evidence, ...]


class Judge(NamedTuple):
    """One requirement's judge: what it looks for, in words, and how it answers."""

    looked_for: str
    answer: Callable[[Subject], Answer]


JUDGES: dict[str, Judge] = {}


def judges(id: str, looked_for: str) -> Callable[[Callable[[Subject], Answer]], Callable[[Subject], Answer]]:
    """Registers the judge of a requirement."""

    def register(function: Callable[[Subject], Answer]) -> Callable[[Subject], Answer]:
        assert id not in JUDGES, id
        JUDGES[id] = Judge(looked_for, function)
        return function

    return register


def answer(status: Status, *evidence: Evidence | Iterable[Evidence]) -> Answer:
    """An answer of pieces of evidence, each place and text once, and no more of them than a person reads."""
    found: dict[Evidence, None] = {}
    for one in evidence:
        for item in (one,) if isinstance(one, Evidence) else one:
            found.setdefault(Evidence(*item))
    kept = tuple(found) or (missing("no place can be shown for this"),)
    if len(kept) > EVIDENCE_MAX:
        kept = (*kept[:EVIDENCE_MAX], Evidence(None, f"and {len(kept) - EVIDENCE_MAX} more places"))
    return Answer(status, kept)


def at(site: Site | None, text: str) -> Evidence:
    """A piece of evidence."""
    return Evidence(site, text)


def missing(text: str) -> Evidence:
    """Something that was looked for and not found."""
    return Evidence(None, text)


def told(findings: Iterable[Finding]) -> list[Evidence]:
    """Findings as evidence, their own place first."""
    return [Evidence(finding.site, f"{finding.code}: {finding.message}") for finding in findings]
