"""What the checker says of a race: confirmed, refuted, or no answer.

Rules of this file: the checker is asked only where structure cannot decide, for its answer is dear; no answer is no
refutation, and neither is a search of a skeleton in which the accesses do not occur.
"""

from __future__ import annotations

from enum import StrEnum

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Site
from cllm_sim.auditor.locations import Location


class Verdict(StrEnum):
    """The checker's word about one location."""

    CONFIRMED = "confirmed"
    REFUTED = "refuted"
    UNKNOWN = "unknown"


def verdict(analysis: Analysis, location: Location, *sites: Site) -> Verdict:
    """Is there a run in which the location is raced for? `sites` are the accesses in question."""
    races = analysis.oracle.races()
    if races is None:
        return Verdict.UNKNOWN
    if location in races or location.holder in races:
        return Verdict.CONFIRMED
    return Verdict.REFUTED if analysis.oracle.covers(location, *sites) else Verdict.UNKNOWN
