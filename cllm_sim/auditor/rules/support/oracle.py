"""What the check of the extracted protocol says about a hang that a rule suspects.

The check is bounded (few workers, few rounds, numbers made small one by one), so it may confirm a suspicion, but it
neither refutes what hangs on data nor is a reason for one. Rules of this file: no answer is never an answer.
"""

from __future__ import annotations

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.findings import Finding


def confirmed(analysis: Analysis, candidate: Finding) -> bool | None:
    """Does a hang of the extracted protocol stop at one of the places of a finding?

    True: yes. False: the protocol was searched in full, as far as it was extracted, and never hangs. None: no answer.
    """
    hangs = analysis.oracle.deadlocks()
    if hangs is None:
        return None
    if not hangs:
        return False
    lines = {(place.path, place.line) for place in (candidate.site, *(note.site for note in candidate.notes))}
    standing = ((one.site.path, one.site.line) for hang in hangs for one in hang.stuck)
    return True if any(place in lines for place in standing) else None
