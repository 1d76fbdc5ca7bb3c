"""All fields of an audit's document, put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cllm_sim.auditor import planning
from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.document.inventory import inventory_fields
from cllm_sim.auditor.document.modules import modules
from cllm_sim.auditor.document.places import Data
from cllm_sim.auditor.document.roles import order_graph, role_graph
from cllm_sim.auditor.document.sentence import verdict_line
from cllm_sim.auditor.facts import FileFacts, Site
from cllm_sim.auditor.findings import Finding, Note
from cllm_sim.auditor.planning import PlanStep
from cllm_sim.auditor.purposes import Assumption
from cllm_sim.auditor.requirements import Judgement
from cllm_sim.auditor.sources import Unreadable
from cllm_sim.auditor.suppressions import Suppressed

DOCUMENTS = (
    ("architecture-analysis", "Architecture analysis"),
    ("barrier-usage", "Barrier usage"),
    ("control-thread", "Control-thread status"),
    ("shared-memory", "Shared-memory integration status"),
    ("gap-analysis", "Gap analysis"),
    ("implementation-plan", "Implementation plan"),
    ("code-changes", "Code changes"),
    ("test-results", "Test results"),
)
LINE_MAX = 400
LIBRARY_SUCCEEDS = (
    "calls of the threading and memory libraries succeed; branches that only handle their failure are left out"
)


def fields(
    analysis: Analysis,
    files: Sequence[FileFacts],
    texts: Mapping[str, Path],
    unreadable: Sequence[Unreadable],
    findings: Sequence[Finding],
    suppressed: Sequence[Suppressed],
    judgements: Sequence[Judgement],
    steps: Sequence[PlanStep],
    baseline: frozenset[str] | None,
) -> dict[str, Any]:
    """The fields of an audit's document beside those that every result has."""
    lines = _Lines(texts)
    inventory = inventory_fields(analysis)
    text, mapping = planning.protocol(analysis)
    held = {
        "files": len(files),
        "lines": sum(file.lines for file in files),
        "functions": len(analysis.program.functions),
        "verdict_line": verdict_line(inventory, findings, judgements),
        "inventory": inventory,
        "modules": modules(analysis),
        "findings": [_finding(one, lines, baseline) for one in findings],
        "suppressed": [_suppressed(one) for one in suppressed],
        "requirements": [_requirement(one) for one in judgements],
        "plan": [one.data() for one in steps],
        "protocol": text,
        "mapping": mapping,
        "assumptions": [_assumption(one) for one in _assumptions(analysis)],
        "unreadable": [*map(_unreadable, unreadable), *_unread(files)],
        "skeleton": None,
        "results": None,
        "documents": [{"id": name, "title": title} for name, title in DOCUMENTS],
        "graphs": {"roles": role_graph(analysis), "order": order_graph(analysis)},
    }
    return {**held, "sources": lines.of_all(held)}


class _Lines:
    """The source line at a place, read once per file."""

    def __init__(self, texts: Mapping[str, Path]) -> None:
        self._texts = texts
        self._held: dict[str, list[str]] = {}

    def at(self, site: Site) -> str:
        if site.path not in self._held:
            try:
                data = self._texts[site.path].read_bytes()
            except (OSError, KeyError):
                data = b""
            self._held[site.path] = data.decode("utf-8", "replace").split("\n")
        held = self._held[site.path]
        return held[site.line - 1].rstrip("\r")[:LINE_MAX] if 0 < site.line <= len(held) else ""

    def of_all(self, data: Any) -> dict[str, dict[str, str]]:
        """The source lines of every place in a document: by path, then by line."""
        found: dict[str, dict[str, str]] = {}
        stack = [data]
        while stack:
            one = stack.pop()
            if isinstance(one, dict):
                path, line = one.get("path"), one.get("line")
                if path and line and (text := self.at(Site(str(path), int(line)))):
                    found.setdefault(str(path), {})[str(line)] = text
                stack.extend(one.values())
            elif isinstance(one, list):
                stack.extend(one)
        return {path: dict(sorted(held.items(), key=lambda item: int(item[0]))) for path, held in sorted(found.items())}


def _finding(one: Finding, lines: _Lines, baseline: frozenset[str] | None) -> Data:
    return {
        "code": one.code,
        "severity": str(one.severity),
        "confidence": str(one.confidence),
        "path": one.site.path,
        "line": one.site.line,
        "column": one.site.column,
        "message": one.message,
        "subject": one.subject,
        "role": one.role,
        "how": [{"path": site.path, "line": site.line} for site in one.how],
        "notes": [_note(note, lines) for note in one.notes],
        "tip": one.tip,
        "source": lines.at(one.site),
        "new": baseline is None or one.key not in baseline,
        "key": one.key,
    }


def _note(note: Note, lines: _Lines) -> Data:
    return {
        "path": note.site.path,
        "line": note.site.line,
        "text": note.text,
        "role": note.role,
        "how": [{"path": site.path, "line": site.line} for site in note.how],
        "source": lines.at(note.site),
    }


def _suppressed(one: Suppressed) -> Data:
    site = one.finding.site
    return {
        "code": one.finding.code, "path": site.path, "line": site.line, "reason": one.reason,
        "message": one.finding.message, "subject": one.finding.subject,
    }  # fmt: skip


def _requirement(one: Judgement) -> Data:
    return {
        "id": one.id,
        "group": one.group,
        "text": one.text,
        "source": one.source,
        "status": str(one.status),
        "evidence": [
            {"path": "" if site is None else site.path, "line": 0 if site is None else site.line, "text": text}
            for site, text in one.evidence
        ],
        "looked_for": one.looked_for,
    }


def _assumptions(analysis: Analysis) -> list[Assumption]:
    from cllm_sim.auditor.findings import Confidence

    found = list(analysis.purposes.assumptions)
    if analysis.roles.threads:
        found.append(Assumption(LIBRARY_SUCCEEDS, Confidence.HIGH))
    for event, function in analysis.roles.unresolved:
        text = f"{event.name} in {function.name} starts a function that could not be told; its thread is left out"
        found.append(Assumption(text, Confidence.LOW, "", event.site))
    for role in analysis.roles.all:
        if analysis.flow(role).level:
            text = f"{role.name}: only functions that synchronise or touch shared memory are followed step by step"
            found.append(Assumption(text, Confidence.MEDIUM))
        if analysis.flow(role).truncated:
            text = f"{role.name}: too large to follow every call; rules that conclude from absence stay silent"
            found.append(Assumption(text, Confidence.LOW))
    return found


def _assumption(one: Assumption) -> Data:
    return {
        "text": one.text,
        "confidence": str(one.confidence),
        "override": one.override,
        "path": "" if one.site is None else one.site.path,
        "line": 0 if one.site is None else one.site.line,
    }


def _unreadable(one: Unreadable) -> Data:
    return {"path": one.path, "line": one.line, "why": one.why}


def _unread(files: Sequence[FileFacts]) -> list[Data]:
    return [{"path": file.path, "line": one.line, "why": one.why} for file in files for one in file.unread]
