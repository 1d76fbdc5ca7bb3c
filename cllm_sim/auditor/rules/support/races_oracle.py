"""What the checker says of a race: confirmed, refuted, or no answer.

Rules of this file: the checker is asked only where structure cannot decide, for its answer is dear; no answer is no
refutation.
"""

from __future__ import annotations

import importlib.util
from enum import StrEnum

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.locations import Location


class Verdict(StrEnum):
    """The checker's word about one location."""

    CONFIRMED = "confirmed"
    REFUTED = "refuted"
    UNKNOWN = "unknown"


def verdict(analysis: Analysis, location: Location) -> Verdict:
    """Is there a run in which the location is raced for?"""
    if importlib.util.find_spec("cllm_sim.auditor.oracle") is None:
        return Verdict.UNKNOWN
    races = getattr(analysis.oracle, "races", None)
    found = races() if races is not None else None
    if found is None:
        return Verdict.UNKNOWN
    return Verdict.CONFIRMED if location in found or location.holder in found else Verdict.REFUTED
