"""Findings: what a rule says of a program, as data.

Rules of this file: a rule returns findings and prints nothing; renderers read nothing else. `severity` says how bad it
is if true, `confidence` how sure the rule is; the two are independent. Every finding of two sides shows both: the
second and further sides are `notes`, each with its place and how the role gets there.
"""

from dataclasses import dataclass
from enum import StrEnum

from cllm_sim.auditor.facts import Site


class Severity(StrEnum):
    """How bad: error (hang, race, lost data, memory fault), warning (a defect of design), note (unused)."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Confidence(StrEnum):
    """How sure."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


SEVERITIES = (Severity.ERROR, Severity.WARNING, Severity.NOTE)
CONFIDENCES = (Confidence.HIGH, Confidence.MEDIUM, Confidence.LOW)


@dataclass(frozen=True, slots=True)
class Note:
    """A further place of a finding: what is there, which role gets there, and by which calls (outermost first)."""

    site: Site
    text: str
    role: str = ""
    how: tuple[Site, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One defect. `subject` names the object, function or role it is about (part of a baseline's key)."""

    code: str
    severity: Severity
    confidence: Confidence
    site: Site
    message: str
    subject: str
    notes: tuple[Note, ...] = ()
    role: str = ""
    how: tuple[Site, ...] = ()
    tip: str = ""

    @property
    def key(self) -> str:
        """What stays the same while lines move: code, file and subject."""
        return f"{self.code}:{self.site.path}:{self.subject}"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule's identity; its page for `cllm explain` is `explain/rules/<code>.md`."""

    code: str
    name: str
    severity: Severity
    summary: str
