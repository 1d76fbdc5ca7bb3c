"""What counts as the checker's word on a race: found, searched for in vain, or not in the skeleton at all.

Rules of this file: real programs, searched in full.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Site
from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.rules.support.races_oracle import Verdict, verdict
from cllm_sim.auditor.vocabulary import PLAIN

from tests.audit.auditing import analysed

CORPUS = Path(__file__).resolve().parents[1] / "corpus"


def searched(name: str) -> Analysis:
    """The analysis of a program of the corpus whose skeleton is searched in full."""
    analysis = analysed({name: (CORPUS / name).read_text(encoding="utf-8")}, oracle_seconds=120.0)
    assert analysis.oracle.complete
    return analysis


def touched(analysis: Analysis, label: str) -> tuple[Location, list[Site]]:
    """A piece of memory with the places where it is read and written."""
    (one,) = (one for one in analysis.inventory.memory.values() if one.location.label == label)
    return one.location, [use.site for use in one.uses if use.act in PLAIN]


@pytest.fixture(scope="module")
def handoff() -> Analysis:
    return searched("l_work_handoff.c")


def test_a_race_that_was_found_is_confirmed() -> None:
    analysis = searched("m_handoff_race.c")
    location, sites = touched(analysis, "mailbox.frame[]")
    assert verdict(analysis, location, *sites) is Verdict.CONFIRMED


def test_memory_that_was_searched_without_a_race_is_refuted(handoff: Analysis) -> None:
    location, sites = touched(handoff, "worker.gradient[]")
    assert sites
    assert verdict(handoff, location, *sites) is Verdict.REFUTED


def test_memory_that_is_not_in_the_skeleton_has_no_answer() -> None:
    """The pages in the ring are guarded by one lock, so the skeleton leaves them out, and no search says a thing."""
    analysis = searched("l_print_queue.c")
    location, sites = touched(analysis, "spool.pages[]")
    assert verdict(analysis, location, *sites) is Verdict.UNKNOWN


def test_an_access_that_is_not_in_the_skeleton_has_no_answer(handoff: Analysis) -> None:
    location, sites = touched(handoff, "worker.gradient[]")
    elsewhere = Site(sites[0].path, 1)
    assert verdict(handoff, location, sites[0], elsewhere) is Verdict.UNKNOWN
