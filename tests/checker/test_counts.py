"""Exact numbers of states and transitions: they agree with an independent prototype, so a change needs an explanation.

The numbers of the quotient are also counted without it: brute force over all renamings of a full search.
"""

import pytest

from cllm_sim.checker import run
from cllm_sim.checker.search import Limits, search

from tests.checker.searching import explored, loaded, orbits, space_of

Counts = tuple[int, int]


@pytest.mark.parametrize(
    ("name", "workers", "depth", "full", "quotient"),
    [
        ("serial", 1, 1, (6, 11), (6, 11)),
        ("node_zero", 2, 1, (225, 457), (152, 316)),
        ("node_zero", 3, 1, (673, 1779), (251, 674)),
        ("node_zero", 4, 1, (2181, 7313), (382, 1275)),
        ("node_zero", 2, 2, (28473, 121872), (6931, 29895)),
        ("sliced_reduce", 2, 1, (238, 482), (160, 332)),
        ("sliced_reduce", 3, 1, (718, 1894), (266, 714)),
        ("work_queue", 2, 1, (438, 909), (266, 557)),
        ("work_queue", 3, 1, (9568, 25315), (1769, 4710)),
        ("model_lock", 2, 1, (7103, 16705), (6594, 15786)),
        ("parked_control_repaired", 2, 1, (230, 572), (159, 397)),
        ("nested", 2, 2, (802, 3202), (212, 827)),
        ("handover", 3, 1, (511, 1348), (591, 1626)),
    ],
)
def test_states_and_transitions(name: str, workers: int, depth: int, full: Counts, quotient: Counts) -> None:
    for reductions, expected in (("none", full), ("symmetry", quotient)):
        result = run(loaded(name), workers=workers, depth=depth, reductions=reductions)
        assert (result.states, result.transitions) == expected
        assert result.complete
        assert result.holds


@pytest.mark.parametrize(("name", "counts"), [("node_zero", (3302, 30251)), ("parked_control_repaired", (3179, 31057))])
def test_twelve_workers(name: str, counts: Counts) -> None:
    result = run(loaded(name), workers=12, reductions="symmetry")
    assert (result.states, result.transitions) == counts
    assert result.holds
    assert result.exit_code == 0
    assert not result.unreached


@pytest.mark.parametrize(("races", "states"), [("next", 6594), ("monitor", 26925)])
def test_model_lock_with_and_without_marks(races: str, states: int) -> None:
    result = run(loaded("model_lock"), workers=2, races=races, reductions="symmetry")
    assert (result.states, result.verdict, result.complete) == (states, "holds", True)


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("name", "reductions", "workers", "states"),
    [
        ("model_lock", "symmetry", 3, 67363),
        ("model_lock", "symmetry", 4, 489858),
        ("count_too_small", "symmetry", 3, 53588),
        ("count_too_small", "none", 3, 288699),
        ("count_too_small", "symmetry", 4, 248237),
    ],
)
@pytest.mark.timeout(900)
def test_large_searches(name: str, reductions: str, workers: int, states: int) -> None:
    result = run(loaded(name), workers=workers, reductions=reductions, races="auto", budget_seconds=800)
    assert (result.states, result.complete) == (states, True)


ORBITS = [
    ("node_zero", 2, 1),
    ("node_zero", 3, 1),
    ("node_zero", 4, 1),
    ("node_zero", 2, 2),
    ("sliced_reduce", 3, 1),
    ("work_queue", 3, 1),
    ("count_too_small", 2, 1),
    ("early_reduce", 3, 1),
    ("leaves_early", 3, 1),
    ("nested", 2, 2),
    ("nested", 4, 1),
    ("parked_control", 3, 1),
    ("handover", 3, 1),
]


@pytest.mark.parametrize(("name", "workers", "depth"), ORBITS)
def test_the_quotient_has_one_state_per_orbit(name: str, workers: int, depth: int) -> None:
    space = space_of(name, workers, depth, any_order=True)
    found, left_out = search(space, True, Limits())
    assert not left_out
    assert len(found.states) == orbits(space, explored(space).states)


@pytest.mark.parametrize("monitor", [False, pytest.param(True, marks=pytest.mark.nightly)])
def test_the_quotient_of_locks_has_one_state_per_orbit(monitor: bool) -> None:
    space = space_of("model_lock", 2, any_order=True, monitor=monitor)
    full = explored(space)
    assert len(full.states) == (53817 if monitor else 13091)
    assert orbits(space, full.states) == (26925 if monitor else 6594)


@pytest.mark.nightly
@pytest.mark.parametrize(("name", "workers", "depth"), [("count_too_small", 3, 1), ("work_queue", 4, 1)])
@pytest.mark.timeout(900)
def test_large_quotients_have_one_state_per_orbit(name: str, workers: int, depth: int) -> None:
    space = space_of(name, workers, depth, any_order=True)
    found, _ = search(space, True, Limits(600))
    assert len(found.states) == orbits(space, explored(space).states)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(
    ("name", "workers", "depth"),
    [("node_zero", 3, 1), ("nested", 2, 2), ("early_reduce", 3, 1), ("forgets_last_child", 2, 1), ("handover", 3, 1)],
)
@pytest.mark.parametrize("symmetric", [True, False])
def test_the_order_of_the_search_changes_nothing(
    name: str, workers: int, depth: int, symmetric: bool, seed: int
) -> None:
    space = space_of(name, workers, depth)
    usual, _ = search(space, symmetric, Limits())
    other, _ = search(space, symmetric, Limits(), seed=seed)
    assert usual.states.packed != other.states.packed
    assert len(other.states) == len(usual.states)
    assert len(other.source) == len(usual.source)
    assert len(other.ends) == len(usual.ends)
    assert {key: len(other.path(defect.state)) for key, defect in other.defects.items()} == {
        key: len(usual.path(defect.state)) for key, defect in usual.defects.items()
    }
