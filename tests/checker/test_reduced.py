"""The search with partial order: the verdicts of the other modes, in far fewer states; nobody is ignored.

The transcribed programs, random programs and random crews are searched in every mode by `tests/oracles/test_modes.py`.
"""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from cllm_sim import checker, library
from cllm_sim.checker import system_of, verdict
from cllm_sim.checker.reduced import search_reduced
from cllm_sim.checker.search import Limits, search
from cllm_sim.checker.space import Space

HERE = Path(__file__).resolve().parent

VARIANTS = [
    *(("endings", variant) for variant in ("one_lost", "turns", "first_lost", "barrier_in_use", "barrier_after_use")),
    *(("endings", variant) for variant in ("lock_in_use", "lock_of_sleepers")),
    *(("locks", variant) for variant in ("in_order", "inverted", "leaked", "twice", "stranger", "polite")),
    *(("locks", variant) for variant in ("meeting_with_the_lock", "counter", "counter_unlocked")),
]


def told(name: str, reductions: str, workers: int) -> tuple[str, set[str]]:
    """Verdict and classes of defects."""
    data = checker.run(library.load(name), reductions=reductions, workers=workers).data
    return data["verdict"], {row["class"] for row in data["broken"]}


@pytest.mark.parametrize("workers", [2, 3])
@pytest.mark.parametrize("name", library.shipped())
def test_shipped_architectures_have_one_verdict(name: str, workers: int) -> None:
    expected = told(name, "symmetry", workers=workers)
    assert told(name, "partial-order", workers=workers) == expected
    assert told(name, "both", workers=workers) == expected


@pytest.mark.parametrize(("name", "variant"), VARIANTS)
def test_small_protocols_have_one_verdict(name: str, variant: str) -> None:
    loaded = library.load(str(HERE / "architectures" / f"{name}.py"), {"variant": variant})
    rows = [
        checker.run(loaded, workers=2, reductions=mode, races="next").data for mode in ("none", "partial-order", "both")
    ]
    assert len({(row["verdict"], *sorted({one["class"] for one in row["broken"]})) for row in rows}) == 1


@pytest.mark.parametrize(
    ("name", "workers", "depth", "visited"),
    [
        ("node_zero", 2, 1, 84),
        ("node_zero", 12, 1, 334),
        ("node_zero", 3, 3, 1_297),
        ("node_zero", 12, 2, 4_222),
        ("sliced_reduce", 12, 1, 406),
    ],
)
def test_barriers_leave_one_order(name: str, workers: int, depth: int, visited: int) -> None:
    """Linear in the operations of a round: three orders of the root, and what each makes everybody do."""
    data = checker.run(library.load(name), workers=workers, depth=depth, reductions="both").data
    assert (data["verdict"], data["complete"], data["states"]) == ("holds", True, visited)
    assert data["reductions"] == ["symmetry", "partial-order"]


def test_hand_over_by_conditions_is_complete() -> None:
    data = checker.run(library.load("model_lock"), workers=4, reductions="both").data
    assert (data["verdict"], data["complete"]) == ("holds", True)
    assert data["contention"]["model"] == 3
    assert data["states"] < 10_000


def test_an_actor_that_goes_on_for_ever_does_not_hide_another() -> None:
    """The two who pass the token are enough to fill the graph; the one who is lost must be followed all the same."""
    loaded = library.load(str(HERE / "architectures" / "endings.py"), {"variant": "one_lost"})
    system = system_of(loaded, 3, 1)
    found, _ = search_reduced(Space(system, loaded.path), False, Limits())
    assert verdict.wrong(found)


def test_a_path_is_walked_in_single_steps() -> None:
    loaded = library.load("count_too_large")
    space = Space(system_of(loaded, 2, 1), loaded.path)
    found, _ = search_reduced(space, False, Limits())
    for number in found.deadlocks:
        path = found.path(number)
        for here, after in pairwise(path):
            steps = space.steps(here, space.pending(here.nodes))
            assert after in {found.canonical(step.after) for step in steps}


def test_fewer_states_than_the_search_it_stands_for() -> None:
    loaded = library.load("work_queue")
    space = Space(replace(system_of(loaded, 3, 1), monitor=False), loaded.path)
    assert search_reduced(space, False, Limits())[0].visited < len(search(space, False, Limits())[0].states) / 4


def test_what_is_wrong_near_the_start_of_an_unbounded_text_is_found() -> None:
    """A chain of steps goes deep at once; where it meets no end, the search without it looks near the start."""
    loaded = library.load(str(HERE / "unbounded.py"))
    data = checker.run(loaded, workers=1, reductions="partial-order", max_states=2_000).data
    assert (data["verdict"], data["complete"]) == ("broken", False)
    assert "race" in {row["class"] for row in data["broken"]}


def test_promises_of_ones_own_are_asked_of_every_state() -> None:
    loaded = library.load(str(HERE / "architectures" / "words.py"), {"variant": "without_turn"})
    data = checker.run(loaded, workers=2, reductions="partial-order").data
    assert data["verdict"] == "broken"
    assert data["reductions"] == []
    assert any("partial order is off: 'alone inside'" in note for note in data["assumptions"])
