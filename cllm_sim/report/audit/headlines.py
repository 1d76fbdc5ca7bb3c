"""What stands above all chapters: title, verdict in one sentence, a few figures, and how the audit was made.

Rules of this file: the verdict is the audit's own sentence; every figure says what it is a figure of.
"""

from dataclasses import dataclass
from shlex import join
from typing import Any

from cllm_sim.report.audit import answers, requirements
from cllm_sim.report.audit.blocks import Tone
from cllm_sim.report.audit.chapters.gaps import severities
from cllm_sim.report.audit.objects import unused
from cllm_sim.report.audit.shape import Audit
from cllm_sim.report.quantities import counted, rounded


@dataclass(frozen=True, slots=True)
class KeyFigure:
    """A number to see first."""

    value: str
    label: str
    detail: str = ""
    tone: Tone = ""


def title(audit: Audit) -> str:
    """What was audited."""
    return f"Audit of {audit.architecture or 'nothing'}"


def verdict(audit: Audit) -> str:
    """One sentence; where the result has none, what was read and found."""
    if audit.verdict_line:
        return audit.verdict_line
    threads = "" if audit.inventory.threads else "; no thread is started"
    return f"{severities(audit).capitalize()} {answers.read(audit)}{threads}."


def key_figures(audit: Audit) -> list[KeyFigure]:
    """Three to five figures."""
    found = [_findings(audit)]
    if audit.requirements:
        met = requirements.number(audit, "met")
        rest = [f"{requirements.number(audit, status)} {status}" for status in ("partly", "unmet", "unknown")
                if requirements.number(audit, status)]  # fmt: skip
        found.append(KeyFigure(f"{met} of {len(audit.requirements)}", "requirements met", ", ".join(rest)))
    barriers = audit.inventory.barriers
    if barriers:
        used = len(barriers) - len(unused(answers.BARRIERS, audit.inventory))
        found.append(KeyFigure(f"{used} of {len(barriers)}", "barriers waited on", "", "" if used else "bad"))
    workers, controls = audit.scope.workers, answers.controls(audit)
    if controls:
        beside = "a control that is only parked" if all(role.only_parked for role in controls) else "a control"
    else:
        beside = "no control"
    if workers is None:
        counts = [role.count for role in audit.inventory.roles if role.kind == "worker" and role.count]
        beside = f"{', '.join(counts)}; {beside}" if counts else beside
    found.append(KeyFigure("–" if workers is None else str(workers), "workers", beside))
    left = f"{counted(len(audit.unreadable), 'place')} not understood" if audit.unreadable else "all of them understood"
    found.append(KeyFigure(f"{audit.lines:,}", "lines read", f"{counted(audit.files, 'file')}, {left}"))
    return found


def _findings(audit: Audit) -> KeyFigure:
    errors, warnings, notes = (audit.number(severity) for severity in ("error", "warning", "note"))
    rest = f"{counted(warnings, 'warning')}, {counted(notes, 'note')}"
    return KeyFigure(str(errors), "error" if errors == 1 else "errors", rest, "bad" if errors else "good")


def command(audit: Audit) -> str:
    """The command that made the result, as one would type it."""
    return audit.command if isinstance(audit.command, str) else join(audit.command)


def settings(audit: Audit) -> list[tuple[str, str]]:
    """Versions, digest and time, as (name, value)."""
    found: list[tuple[str, Any]] = [
        ("audited", ", ".join(audit.paths)),
        ("SHA-256 of all sources", audit.file_sha256),
        *audit.environment.items(),
        ("took", f"{rounded(audit.wall_seconds)} s" if audit.wall_seconds is not None else ""),
    ]
    return [(name, str(value)) for name, value in found if value not in (None, "", {}, [])]
