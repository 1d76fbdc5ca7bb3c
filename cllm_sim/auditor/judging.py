"""All rules over one program: findings each once, suppressions applied, the worst first.

Rules of this file: equal inputs give equal lists, in equal order.
"""

from __future__ import annotations

from cllm_sim.auditor import suppressions
from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.findings import CONFIDENCES, SEVERITIES, Finding, Rule
from cllm_sim.auditor.rules import all_rules
from cllm_sim.auditor.suppressions import Suppressed


def judge(analysis: Analysis) -> tuple[list[Finding], list[Suppressed]]:
    """All findings of all rules, suppressions applied, the worst first."""
    rules = all_rules()
    found = [finding for one in rules for finding in one.findings(analysis)]
    known = frozenset(rule.code for rule in rules_known())
    kept, suppressed = suppressions.apply(_once(found), analysis.program.files, known)
    return sorted(kept, key=_rank), suppressed


def rules_known() -> list[Rule]:
    """Every rule there is, those about suppressions included, by code."""
    return sorted(
        [*(one.rule for one in all_rules()), suppressions.UNUSED, suppressions.BAD], key=lambda rule: rule.code
    )


def _rank(finding: Finding) -> tuple[int, int, str, int, str, str]:
    severity, confidence = SEVERITIES.index(finding.severity), CONFIDENCES.index(finding.confidence)
    return severity, confidence, finding.site.path, finding.site.line, finding.code, finding.subject


def _once(findings: list[Finding]) -> list[Finding]:
    seen: dict[tuple[str, str, int, str], Finding] = {}
    for one in findings:
        seen.setdefault((one.code, one.site.path, one.site.line, one.subject), one)
    return list(seen.values())
