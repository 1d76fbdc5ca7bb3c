"""An audit as SARIF 2.1.0, for editors and code hosting sites: findings with both sides and the way of each role there.

Rules of this file: the words are those of the findings. URIs are relative to what was audited and percent-encoded;
columns count characters from 1. A finding that the source itself suppresses is a suppressed result, so that no reader
has to guess whether it was looked at.
"""

import json
from collections.abc import Mapping, Sequence
from shlex import join
from typing import Any
from urllib.parse import quote

from cllm_sim.report.audit.blocks import one_line
from cllm_sim.report.audit.excerpts import excerpt
from cllm_sim.report.audit.shape import Audit, Finding, Place, Rule, Severity, Suppressed, Unreadable, read_audit
from cllm_sim.results import ExitCode

VERSION = "2.1.0"
SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
ROOT = "SRCROOT"
FINGERPRINT = "codePathSubject/v1"
RANKS = {"high": 90.0, "medium": 60.0, "low": 30.0}
FAILED = (ExitCode.REQUEST, ExitCode.INTERNAL)
Log = dict[str, Any]


def render(data: Mapping[str, Any]) -> str:
    """The log as JSON text; raises BadRequest where the result is none of an audit."""
    audit = read_audit(data)
    log = {"$schema": SCHEMA, "version": VERSION, "runs": [_run(audit)]}
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def _run(audit: Audit) -> Log:
    rules = _rules(audit)
    order = {code: number for number, code in enumerate(rules)}
    results = [_result(audit, finding, order) for finding in audit.findings]
    results += [_suppressed(item, rules, order) for item in audit.suppressed]
    return {
        "tool": {"driver": {"name": "cllm", "rules": [_rule(code, rule) for code, rule in rules.items()]}},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {ROOT: {"description": {"text": "the folder that was audited"}}},
        "invocations": [_invocation(audit)],
        "results": results,
    }


# ------------------------------------------------------------------------------------------------------------- rules
def _rules(audit: Audit) -> dict[str, Rule]:
    """All rules of the audit by their codes, and any that a finding names beyond them."""
    named: dict[str, Severity] = {finding.code: finding.severity for finding in audit.findings}
    rules = {code: Rule(severity=severity) for code, severity in named.items()}
    rules |= {item.code: Rule() for item in audit.suppressed if item.code not in rules}
    rules |= audit.rules
    return dict(sorted(rules.items()))


def _rule(code: str, rule: Rule) -> Log:
    described = {"shortDescription": {"text": rule.summary}} if rule.summary else {}
    more = f"cllm explain {code}"
    told = f"{rule.summary} More: " if rule.summary else "More: "
    return {
        "id": code,
        **({"name": rule.name} if rule.name else {}),
        **described,
        "help": {"text": f"{told}{more}", "markdown": f"{told}`{more}`"},
        "defaultConfiguration": {"level": rule.severity},
    }


def _invocation(audit: Audit) -> Log:
    command = audit.command if isinstance(audit.command, str) else join(audit.command)
    return {
        **({"commandLine": command} if command else {}),
        "executionSuccessful": audit.exit_code not in FAILED,
        "exitCode": audit.exit_code,
        "toolExecutionNotifications": [_unread(item) for item in audit.unreadable],
    }


def _unread(item: Unreadable) -> Log:
    where = {"locations": [_location(item)]} if item.known else {}
    return {"level": "warning", "message": {"text": f"not understood: {item.why}"}, **where}


# ----------------------------------------------------------------------------------------------------------- results
def _result(audit: Audit, finding: Finding, order: Mapping[str, int]) -> Log:
    related = [
        {"id": number, **_location(note, _said(note))} for number, note in enumerate(finding.notes, 1) if note.known
    ]
    flows = _flows(audit, finding)
    rank = RANKS.get(finding.confidence)
    return {
        "ruleId": finding.code,
        "ruleIndex": order[finding.code],
        "kind": "fail",
        "level": finding.severity,
        "message": {"text": _message(finding)},
        "locations": [_location(finding, "", excerpt_of(audit, finding))] if finding.known else [],
        **({"relatedLocations": related} if related else {}),
        **({"codeFlows": [{"message": {"text": "how each role gets there"}, "threadFlows": flows}]} if flows else {}),
        "partialFingerprints": {FINGERPRINT: f"{finding.code}:{finding.path}:{finding.subject}"},
        "suppressions": [],
        **({"baselineState": "new" if finding.new else "unchanged"} if finding.new is not None else {}),
        **({"rank": rank} if rank is not None else {}),
        "properties": _properties(finding),
    }


def _message(finding: Finding) -> str:
    tip = f" To do: {one_line(finding.tip)}" if finding.tip else ""
    said = one_line(finding.message) or finding.code
    return f"{said}{'' if said.endswith('.') or not tip else '.'}{tip}"


def _properties(finding: Finding) -> Log:
    found = {
        "confidence": finding.confidence,
        "subject": finding.subject,
        "role": finding.role,
        "checked": finding.checked,
    }
    return {name: value for name, value in found.items() if value}


def _suppressed(item: Suppressed, rules: Mapping[str, Rule], order: Mapping[str, int]) -> Log:
    said = one_line(item.message) or rules[item.code].summary or item.code
    return {
        "ruleId": item.code,
        "ruleIndex": order[item.code],
        "kind": "fail",
        "level": rules[item.code].severity,
        "message": {"text": f"{said.rstrip('.')}. Suppressed in the source."},
        "locations": [_location(item)] if item.known else [],
        "partialFingerprints": {FINGERPRINT: f"{item.code}:{item.path}:{item.subject or item.line}"},
        "suppressions": [{"kind": "inSource", **({"justification": item.reason} if item.reason else {})}],
    }


# ------------------------------------------------------------------------------------------------------------ places
def _flows(audit: Audit, finding: Finding) -> list[Log]:
    """One thread flow for each side: the calls that lead there, and the place itself."""
    sides: list[tuple[Place, str]] = [(finding, one_line(finding.message))]
    sides += [(note, one_line(note.text)) for note in finding.notes]
    flows: list[Log] = []
    names: dict[str, int] = {}
    for place, said in sides:
        if not place.known or not (place.role or place.how):
            continue
        name = place.role or "side"
        names[name] = names.get(name, 0) + 1
        numbered = name if names[name] == 1 else f"{name} ({names[name]})"
        flows.append({"id": numbered, "locations": _steps(audit, place, said)})
    return flows


def _steps(audit: Audit, place: Place, said: str) -> Sequence[Log]:
    calls = [(call, f"by way of {call.function}" if call.function else "by way of this call") for call in place.how]
    found: list[Log] = []
    for level, (call, words) in enumerate(calls):
        if call.known:
            found.append({"location": _location(call, words), "nestingLevel": level})
    found.append({"location": _location(place, said, excerpt_of(audit, place)), "nestingLevel": len(calls)})
    return found


def excerpt_of(audit: Audit, place: Place) -> Log:
    """The end of what is meant, and the line as it stands, where the result carries it."""
    source = audit.source(place)
    if not source:
        return {}
    length = excerpt(audit, place).length if 0 < place.column <= len(source) else 0
    end = {"endColumn": place.column + length} if length else {}
    return {**end, "snippet": {"text": source}}


def _location(place: Place, said: str = "", more: Mapping[str, Any] | None = None) -> Log:
    region: Log = {}
    if place.line:
        region = {"startLine": place.line, **({"startColumn": place.column} if place.column else {}), **(more or {})}
    physical: Log = {"artifactLocation": _artifact(place.path), **({"region": region} if region else {})}
    return {"physicalLocation": physical, **({"message": {"text": said}} if said else {})}


def _said(note: Place) -> str:
    who = f"{note.role}: " if note.role else ""
    return f"{who}{one_line(note.text)}" if note.text or who else "belongs to it"


def _artifact(path: str) -> Log:
    if path.startswith("/"):
        return {"uri": f"file://{quote(path)}"}
    return {"uri": quote(path.removeprefix("./")), "uriBaseId": ROOT}
