"""Every published number and verdict is what this project counts; a difference is explained and recounted.

The checker's unreduced search must also have exactly the states and transitions of the walk that the claims are counted
on, and the order of the walk must not matter.
"""

import random
from collections.abc import Iterator

import pytest

from cllm_sim.checker import run
from cllm_sim.checker.search import Limits, search

from tests.oracles.claims import COUNTERS, HOW, Case, Claim, claims, graph, recounted
from tests.oracles.counting import ARCHITECTURES, explored, program, space_of

NUMBERS_MIN = 60
LARGE = {"readers", "toy", "two_phase_commit"}
"""Programs with thousands of states, walked once only."""


def chosen(entries: Iterator[Claim]) -> list[object]:
    """Claims as parameters of a test."""
    return [
        pytest.param(claim, id=str(claim), marks=[pytest.mark.nightly] if claim.nightly else []) for claim in entries
    ]


def cases() -> list[Case]:
    """Every program with its settings, once."""
    return list(dict.fromkeys(claim.case for claim in claims() if not claim.nightly))


def smaller() -> list[Case]:
    """Those whose whole graph is walked for some number anyway."""
    small = {"two_phase_commit": 3, "toy": 4}
    return [case for case in cases() if case.workers <= small.get(case.program, 8)]


@pytest.mark.parametrize("claim", chosen(claim for claim in claims() if claim.counted != "verdict"))
def test_number(claim: Claim) -> None:
    expected = claim.number if claim.ours is None else claim.ours
    assert COUNTERS[claim.counted](claim.case) == expected, f"{claim.tool}, {claim.where}"


@pytest.mark.parametrize("claim", chosen(claim for claim in claims() if claim.counted == "verdict"))
def test_verdict(claim: Claim) -> None:
    result = run(
        program(claim.case.program, claim.case.settings),
        workers=claim.case.workers,
        reductions="none",
        races="next",
        without=claim.without,
    )
    assert result.complete
    assert {row["class"] for row in result.broken} == claim.classes, f"{claim.tool}: {claim.verdict}"


@pytest.mark.parametrize("claim", chosen(claim for claim in claims() if claim.recount))
def test_the_source_s_own_steps_give_its_number(claim: Claim) -> None:
    assert recounted(claim.recount) == claim.number


@pytest.mark.parametrize("case", smaller(), ids=str)
def test_the_checker_searches_the_same_graph(case: Case) -> None:
    walked = graph(case)
    found, _ = search(space_of(*case), False, Limits())
    assert found.complete
    assert len(found.states) == len(walked.states)
    assert len(found.source) == walked.transitions
    assert len(found.ends) == len(walked.ends)
    assert len(found.deadlocks) == len(walked.deadlocks)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("case", [case for case in smaller() if case.program not in LARGE], ids=str)
def test_the_order_of_the_walk_changes_no_count(case: Case, seed: int) -> None:
    """A fresh space, so that the texts are unfolded in another order, too."""
    walked, again = graph(case), explored(space_of(*case), random.Random(seed))
    assert len(again.states) == len(walked.states)
    assert again.transitions == walked.transitions
    assert len(again.ends) == len(walked.ends)
    assert len(again.deadlocks) == len(walked.deadlocks)


# --- the data file itself -------------------------------------------------------------------------------------------
def test_there_are_enough_numbers() -> None:
    numbers = [claim for claim in claims() if claim.number is not None and claim.ours is None]
    assert len(numbers) >= NUMBERS_MIN
    assert len({str(claim) for claim in claims()}) == len(claims()), "a claim stands twice"


def test_every_claim_says_where_it_stands() -> None:
    for claim in claims():
        assert claim.tool, claim
        assert claim.where, claim
        assert claim.how in HOW, claim
        assert claim.counted == "verdict" or claim.counted in COUNTERS, claim
        assert (claim.number is None) == (claim.counted == "verdict"), claim
        assert claim.how != "recalled" or claim.number is None, f"{claim}: a recalled number is not claimed"


def test_a_difference_is_explained_and_recounted() -> None:
    for claim in claims():
        if claim.ours is not None:
            assert claim.ours != claim.number, claim
            assert claim.note, claim
            assert claim.recount, claim


def test_every_transcription_is_used() -> None:
    written = {path.stem for path in ARCHITECTURES.glob("*.py") if not path.stem.startswith("family_")}
    assert written == {claim.case.program for claim in claims()}
