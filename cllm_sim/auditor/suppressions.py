"""Suppression comments: `/* cllm: ignore[CB001] why */` takes a finding away, and is itself checked.

One that suppresses nothing, names an unknown code or gives no reason is a finding (CX001, CX002); a bad one suppresses
nothing. Rules of this file: matched by the finding's own line only, never by its notes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cllm_sim.auditor.facts import FileFacts, Site, Suppression
from cllm_sim.auditor.findings import Confidence, Finding, Rule, Severity

UNUSED = Rule("CX001", "unused-suppression", Severity.WARNING, "a suppression comment that suppresses nothing")
BAD = Rule("CX002", "bad-suppression", Severity.WARNING, "a suppression comment with an unknown code or no reason")


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A finding that a comment took away, and the comment's reason and line."""

    finding: Finding
    reason: str
    line: int


def apply(
    findings: Iterable[Finding], files: Sequence[FileFacts], known: frozenset[str]
) -> tuple[list[Finding], list[Suppressed]]:
    """The findings that stay (with those about bad and unused comments), and those taken away."""
    comments = [(file.path, one) for file in files for one in file.suppressions]
    bad = [finding for path, one in comments for finding in _bad(path, one, known)]
    good = [(path, one) for path, one in comments if one.reason and set(one.codes) <= known]
    speaking: dict[tuple[str, int, str], Suppression] = {}
    for path, one in good:
        for code in one.codes:
            speaking.setdefault((path, one.speaks_of, code), one)  # a second comment for the same is unused
    used: set[tuple[str, int, str]] = set()
    kept: list[Finding] = []
    taken: list[Suppressed] = []
    for finding in findings:
        comment = speaking.get((finding.site.path, finding.site.line, finding.code))
        if comment is not None:
            used.add((finding.site.path, comment.line, finding.code))
            taken.append(Suppressed(finding, comment.reason, comment.line))
        else:
            kept.append(finding)
    unused = [
        _finding(UNUSED, path, one.line, f"suppression of {code} suppresses nothing here", code)
        for path, one in good
        for code in one.codes
        if (path, one.line, code) not in used
    ]
    return [*kept, *bad, *unused], taken


def _bad(path: str, one: Suppression, known: frozenset[str]) -> list[Finding]:
    found = [
        _finding(BAD, path, one.line, f"suppression of {code}: there is no such code", code)
        for code in one.codes
        if code not in known
    ]
    if not one.codes:
        message = "suppression without a code: write cllm: ignore[CODE] reason"
        found.append(_finding(BAD, path, one.line, message, "none"))
    elif not one.reason:
        codes = ", ".join(one.codes)
        found.append(_finding(BAD, path, one.line, f"suppression of {codes} gives no reason", codes))
    return found


def _finding(rule: Rule, path: str, line: int, message: str, subject: str) -> Finding:
    tip = "remove it" if rule is UNUSED else "say which code and why"
    return Finding(rule.code, rule.severity, Confidence.HIGH, Site(path, line), message, subject, tip=tip)
