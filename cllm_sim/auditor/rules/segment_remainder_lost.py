"""CS002: every worker gets total / workers elements, and nobody takes the remainder.

Rules of this file: silent where the numbers are known to divide evenly, or where anything near deals with the rest.
Keep in step: `support/segments_shares.py`.
"""

from __future__ import annotations

from collections.abc import Iterator

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Site
from cllm_sim.auditor.findings import Confidence, Finding, Note, Rule, Severity
from cllm_sim.auditor.rules.support.segments_shares import Share, remainder_taken, shares

RULE = Rule("CS002", "segment-remainder-lost", Severity.ERROR, "total / workers is given out and the rest to nobody")


def findings(analysis: Analysis) -> Iterator[Finding]:
    """One finding for every share whose remainder is lost."""
    reported: set[Site] = set()
    for share in shares(analysis):
        if share.site not in reported and not remainder_taken(analysis, share):
            reported.add(share.site)
            yield _finding(analysis, share)


def _finding(analysis: Analysis, share: Share) -> Finding:
    total, workers = analysis.program.text(share.total), analysis.program.text(share.workers)
    known = share.total_value is not None and share.workers_value is not None
    example = ""
    if share.total_value is not None and share.workers_value:
        lost = share.total_value % share.workers_value
        example = f": with {share.total_value} and {share.workers_value} the last {lost} belong to no thread"
    notes = [Note(site, f"each worker begins at {text}") for site, text in share.starts[:3]]
    notes += [Note(site, f"{location.label} is set to the share here") for location, site in share.keepers[:3]]
    return Finding(
        RULE.code,
        RULE.severity,
        Confidence.HIGH if known else Confidence.MEDIUM,
        share.site,
        f"every thread of {share.role.name} gets {total} / {workers} elements, and the remainder is given to nobody"
        f"{example}",
        f"{total} / {workers}",
        tuple(notes),
        share.role.name,
        (),
        f"give the last worker the rest, or the first ({total} % {workers}) workers one element more",
    )
