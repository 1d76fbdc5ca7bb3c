"""Every reduction gives the verdict of the unreduced search, and reaches every end and every deadlock.

Rules of this file: what a reduction must agree with is the plain walk of this folder, or the mode without reductions.
"""

from collections.abc import Callable

import pytest

from cllm_sim.checker import REDUCTIONS, run
from cllm_sim.checker.packing import Packing
from cllm_sim.checker.reduced import search_reduced
from cllm_sim.checker.search import Found, Limits, search
from cllm_sim.checker.space import Space, State

from tests.oracles.claims import Case, claims
from tests.oracles.counting import orbits, program, space_of

REDUCED = [name for name in REDUCTIONS if name != "none"]
SMALL = {"two_phase_commit": 3, "toy": 3, "lockinc": 4, "ainc": 4, "readers": 4}
"""Workers up to which a program is searched in every mode."""

SEEDS = 60


def cases() -> list[Case]:
    """Every transcribed program with its settings, once."""
    every = dict.fromkeys(claim.case for claim in claims())
    return [case for case in every if case.workers <= SMALL.get(case.program, 5)]


def classes(case: Case, reductions: str) -> set[str]:
    """The classes of defects that a mode reports; progress is left out, for some programs never end."""
    result = run(
        program(case.program, case.settings), workers=case.workers, reductions=reductions, without=("progress",)
    )
    assert result.complete
    return {row["class"] for row in result.broken}


@pytest.mark.parametrize("case", cases(), ids=str)
def test_equal_verdicts(case: Case) -> None:
    expected = classes(case, "none")
    for reductions in REDUCED:
        assert classes(case, reductions) == expected, reductions


# --- ends -----------------------------------------------------------------------------------------------------------
Search = Callable[[Space], Found]


def unreduced(space: Space) -> Found:
    """The reference."""
    return search(space, False, Limits())[0]


def symmetric(space: Space) -> Found:
    """Symmetry alone."""
    return search(space, True, Limits())[0]


def ordered(space: Space) -> Found:
    """Partial order alone."""
    return search_reduced(space, False, Limits())[0]


def both(space: Space) -> Found:
    """Partial order and symmetry."""
    return search_reduced(space, True, Limits())[0]


def ends(found: Found) -> tuple[set[State], set[State]]:
    """The states in which everybody has finished, and those in which nobody can move although somebody has not.

    Situations of a text that go on in the same way for ever count as one, as they do under partial order.
    """
    packing = Packing(found.space, frozenset(), 16, True)

    def told(numbers: list[int]) -> set[State]:
        return {packing.unpack(packing.pack(found.states[number])) for number in numbers}

    return told(found.ends), told(found.deadlocks)


def kinds(found: Found) -> set[str]:
    """What is wrong."""
    return {key[0] for key in found.defects}


def agree(case: Case) -> None:
    """Do all searches come to the same ends?"""
    space = space_of(*case)
    reference = unreduced(space)
    finished, deadlocked = ends(reference)
    by_order = ordered(space)
    assert ends(by_order) == (finished, deadlocked)
    assert len(by_order.states) <= len(reference.states)
    for found in (symmetric(space), both(space)):
        assert [orbits(space, one) for one in ends(found)] == [orbits(space, one) for one in (finished, deadlocked)]
        assert kinds(found) == kinds(by_order) == kinds(reference)


@pytest.mark.parametrize("case", cases(), ids=str)
def test_every_end_is_reached(case: Case) -> None:
    agree(case)


@pytest.mark.parametrize("pieces", [2, 3])
def test_every_end_of_random_programs_is_reached(pieces: int) -> None:
    for seed in range(SEEDS):
        agree(Case("family_random", 1, (("pieces", str(pieces)), ("seed", str(seed)))))


@pytest.mark.parametrize("workers", [2, 3])
def test_every_end_of_random_crews_is_reached(workers: int) -> None:
    """Here the workers are alike, so that both reductions meet."""
    for seed in range(SEEDS):
        agree(Case("family_random_crew", workers, (("seed", str(seed)),)))


def test_a_lock_given_back_by_a_stranger_keeps_nobody_out() -> None:
    agree(Case("family_stranger", 1, ()))
