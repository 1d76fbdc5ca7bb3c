"""The worst number of waiters per mutex: exact where the search is complete, and where bounds from both sides meet."""

from typing import Any

import pytest

import cllm_sim.checker
from cllm_sim.checker import run
from cllm_sim.checker.contention import at_most
from cllm_sim.checker.search import Limits, search
from cllm_sim.checker.space import Space
from cllm_sim.checker.walk import parse_schedule, walk
from cllm_sim.results import RunResult
from cllm_sim.semantics import waiters

from tests.checker.searching import explored, loaded, space_of


def row_of(result: RunResult, name: str) -> dict[str, object]:
    (row,) = [row for row in result.contention_details if row["object"] == name]
    return dict(row)


def waiting_at_the_end(name: str, workers: int, schedule: str) -> dict[str, int]:
    """The waiters per mutex in the state that a schedule leads to."""
    space = space_of(name, workers, monitor=False)
    _, last = walk(space, parse_schedule(space.system, schedule))
    found = waiters(space.system, space.pending(last.nodes), last.memory)
    return {space.system.objects[item].name: count for item, count in found.items()}


@pytest.mark.parametrize("reductions", ["symmetry", "none"])
def test_two_workers_of_the_model_lock(reductions: str) -> None:
    result = run(loaded("model_lock"), workers=2, reductions=reductions)
    row = row_of(result, "model")
    assert (row["worst"], row["exact"]) == (1, True)
    assert waiting_at_the_end("model_lock", 2, str(row["schedule"]))["model"] == 1
    private = {name: worst for name, worst in result.contention.items() if name.startswith("0.")}
    assert set(private.values()) == {1}  # a worker and the control want the worker's own lock
    assert set(private) == ({"0.*/lock"} if reductions == "symmetry" else {"0.0/lock", "0.1/lock"})


def test_the_number_is_the_largest_of_all_states() -> None:
    space = space_of("model_lock", 2, monitor=False)
    worst = 0
    for state in explored(space).states:
        worst = max(worst, *waiters(space.system, space.pending(state.nodes), state.memory).values(), 0, 0)
    assert max(run(loaded("model_lock"), workers=2).contention.values()) == worst


@pytest.mark.nightly
def test_three_workers_of_the_model_lock() -> None:
    result = run(loaded("model_lock"), workers=3)
    row = row_of(result, "model")
    assert (row["worst"], row["exact"], result.complete) == (2, True, True)
    assert waiting_at_the_end("model_lock", 3, str(row["schedule"]))["model"] == 2


@pytest.mark.parametrize("workers", [3, 4, 12])
def test_bounds_meet_where_the_search_is_not_complete(workers: int) -> None:
    result = run(loaded("model_lock"), workers=workers, max_states=500, reductions="symmetry")
    row = row_of(result, "model")
    assert (result.verdict, result.complete, result.exit_code) == ("undecided", False, 3)
    assert (row["worst"], row["exact"]) == (workers - 1, True)
    assert waiting_at_the_end("model_lock", workers, str(row["schedule"]))["model"] == workers - 1


def test_the_bound_from_above_counts_those_who_can_want_it() -> None:
    space = space_of("model_lock", 4)
    bounds = at_most(space.system, space.path)
    named = {space.system.objects[item].name: count for item, count in bounds.items()}
    assert named["model"] == 3
    assert named["0.2/lock"] == 1


def test_uncontended_is_broken_with_class_contention() -> None:
    result = run(loaded("model_lock"), workers=2, promise=("uncontended",))
    assert (result.verdict, result.exit_code) == ("broken", 1)
    verdicts = {row["name"]: (row["verdict"], row["class"]) for row in result.promises}
    assert verdicts.pop("uncontended") == ("broken", "contention")
    assert set(verdicts.values()) == {("holds", None)}
    source = loaded("model_lock").path
    for row in result.broken:
        assert (row["class"], row["path"]) == ("contention", source)
        assert "waits for" in row["places"][0]["note"]
        assert row["counterexample"]["schedule"]


@pytest.mark.parametrize("name", ["node_zero", "sliced_reduce"])
def test_who_promises_no_contention_keeps_it(name: str) -> None:
    result = run(loaded(name), workers=3)
    assert ("uncontended", "holds") in {(row["name"], row["verdict"]) for row in result.promises}
    assert result.contention == {}


@pytest.mark.parametrize("reductions", ["symmetry", "none"])
def test_what_only_another_order_of_the_cursor_shows_is_not_counted(reductions: str) -> None:
    result = run(loaded("crossing"), workers=2, reductions=reductions, promise=("uncontended",))
    assert result.contention == {"0/lock": 0}
    assert row_of(result, "0/lock")["exact"] is True
    assert result.holds


def test_a_defect_that_only_another_order_of_the_cursor_shows_is_none() -> None:
    result = run(loaded("crossing", variant="for_ever"), workers=2)
    assert (result.verdict, result.broken, result.unconfirmed) == ("holds", [], [])


def test_what_cannot_be_confirmed_within_the_limits_is_undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    def short_of_states(space: Space, symmetric: bool, limits: Limits, progress: None = None) -> Any:
        return search(space, symmetric, limits if symmetric else Limits(states=1), progress)

    monkeypatch.setattr(cllm_sim.checker, "search", short_of_states)
    for variant in ("lock", "for_ever"):
        result = run(loaded("crossing", variant=variant), workers=2, reductions="symmetry", promise=("uncontended",))
        assert (result.verdict, result.exit_code, result.complete) == ("undecided", 3, False)
        assert "could not be confirmed in index order" in result.limit
