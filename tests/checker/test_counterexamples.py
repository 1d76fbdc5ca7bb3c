"""Counterexamples are real: every schedule can be walked in original names and in index order, and shows its defect."""

from collections import deque
from pathlib import Path
from typing import Any

import pytest

from cllm_sim.checker import replay, run
from cllm_sim.checker.space import Space, State
from cllm_sim.checker.walk import Walked, parse_schedule, walk
from cllm_sim.errors import BadRequest
from cllm_sim.results import RunResult
from cllm_sim.semantics import accesses, conflicting

from tests.checker.searching import loaded, space_of

SEARCHES = [
    ("early_reduce", 2, 1, {}),
    ("early_reduce", 2, 2, {}),
    ("count_too_large", 3, 1, {}),
    ("count_too_large", 2, 2, {}),
    ("count_too_small", 2, 1, {}),
    ("control_computes", 3, 1, {}),
    ("control_computes", 2, 2, {}),
    ("shared_segment", 3, 1, {}),
    ("leaves_early", 4, 1, {}),
    ("forgets_last_child", 3, 1, {}),
    ("unguarded", 3, 1, {}),
    ("parked_control", 3, 1, {}),
    ("endings", 3, 1, {"variant": "one_lost"}),
    ("endings", 3, 1, {"variant": "first_lost"}),
    ("endings", 2, 1, {"variant": "turns"}),
    ("endings", 3, 1, {"variant": "barrier_in_use"}),
    ("endings", 2, 1, {"variant": "lock_of_sleepers"}),
    ("locks", 1, 1, {"variant": "inverted"}),
    ("conditions", 1, 1, {"variant": "one_signal_for_two"}),
    ("conditions", 1, 1, {"variant": "queue_if"}),
]


@pytest.mark.parametrize("reductions", ["symmetry", "none"])
@pytest.mark.parametrize(("name", "workers", "depth", "settings"), SEARCHES)
def test_every_schedule_shows_its_defect(
    name: str, workers: int, depth: int, settings: dict[str, str], reductions: str
) -> None:
    result = run(loaded(name, **settings), workers=workers, depth=depth, reductions=reductions, max_states=8000)
    space = space_of(name, workers, depth, settings=settings)
    shown = [row for row in result.broken if row["counterexample"] is not None]
    assert shown
    for row in shown:
        walked, last = walk(space, parse_schedule(space.system, row["counterexample"]["schedule"]))
        assert len(walked) == len(row["counterexample"]["steps"])
        assert f"after {len(walked)} steps" in row["text"]
        SHOWN.get(row["class"], shows_fault)(space, row, walked, last)


def shows_deadlock(space: Space, row: dict[str, Any], walked: list[Walked], last: State) -> None:
    pending = space.pending(last.nodes)
    assert not list(space.steps(last, pending))
    unfinished = {space.system.actors[actor].name for actor, bound in enumerate(pending) if bound is not None}
    assert unfinished
    assert {stuck["actor"] for stuck in row["counterexample"]["stuck"]} == unfinished
    assert all(stuck["waits_for"] and stuck["needs"] for stuck in row["counterexample"]["stuck"])


def shows_race(space: Space, row: dict[str, Any], walked: list[Walked], last: State) -> None:
    first, second = walked[-2:]
    assert first.actor != second.actor
    touched = dict(accesses(first.bound))
    assert any(at in touched and conflicting(mode, touched[at]) for at, mode in accesses(second.bound))
    told = row["counterexample"]["race"]["accesses"]
    assert [(access["actor"], access["op"]) for access in told] == [(step.actor, step.op) for step in (first, second)]
    assert told[0]["actor"] in row["counterexample"]["race"]["missing"]


def shows_fault(space: Space, row: dict[str, Any], walked: list[Walked], last: State) -> None:
    if row["class"] == "never below zero":
        assert min(last.memory.value) < 0
        return
    assert row["class"] in {fault.kind for fault in walked[-1].faults}


def shows_lost_actors(space: Space, row: dict[str, Any], walked: list[Walked], last: State) -> None:
    """Those called stuck do not move in anything that can follow; somebody else does."""
    lost = {space.system.actor_number(stuck["actor"]) for stuck in row["counterexample"]["stuck"]}
    assert lost
    seen, pending = {last}, deque([last])
    movers: set[int] = set()
    while pending:
        state = pending.popleft()
        for step in space.steps(state, space.pending(state.nodes)):
            movers |= {step.actor, *(actor for actor, _ in step.outcome.done)}
            if step.after not in seen:
                seen.add(step.after)
                pending.append(step.after)
    assert movers
    assert not movers & lost


def shows_livelock(space: Space, row: dict[str, Any], walked: list[Walked], last: State) -> None:
    """From the last state on, this state comes again, or the end is out of reach."""
    seen, pending, again, end = {last}, deque([last]), False, False
    while pending:
        state = pending.popleft()
        actors = space.pending(state.nodes)
        end |= space.finished(actors)
        for step in space.steps(state, actors):
            again |= step.after == last
            if step.after not in seen:
                seen.add(step.after)
                pending.append(step.after)
    assert again or not end


SHOWN = {
    "deadlock": shows_deadlock,
    "race": shows_race,
    "partial-deadlock": shows_lost_actors,
    "livelock": shows_livelock,
}


SHORTEST = [
    ("early_reduce", 2, "race", 8),
    ("early_reduce", 2, "stale-read", 6),
    ("early_reduce", 2, "lost-batch", 14),
    ("count_too_large", 2, "deadlock", 5),
    ("count_too_large", 3, "deadlock", 6),
    ("count_too_small", 2, "race", 5),
    ("count_too_small", 2, "deadlock", 6),
    ("count_too_small", 2, "stale-read", 7),
    ("control_computes", 2, "role", 6),
    ("control_computes", 2, "double-processing", 14),
    ("leaves_early", 2, "deadlock", 8),
    ("parked_control", 2, "deadlock", 5),
    ("parked_control", 2, "race", 16),
    ("parked_control", 2, "lost-update", 16),
    ("parked_control", 2, "stale-read", 17),
]


@pytest.mark.parametrize("reductions", ["symmetry", "none"])
@pytest.mark.parametrize(("name", "workers", "kind", "length"), SHORTEST)
def test_lengths_are_shortest_and_equal_in_both_modes(
    name: str, workers: int, kind: str, length: int, reductions: str
) -> None:
    result = run(loaded(name), workers=workers, reductions=reductions)
    lengths = [len(row["counterexample"]["steps"]) for row in result.broken if row["class"] == kind]
    assert min(lengths) == length


@pytest.mark.parametrize("reductions", ["symmetry", "none"])
@pytest.mark.parametrize(
    ("name", "workers", "settings"),
    [
        ("count_too_small", 2, {}),
        ("leaves_early", 3, {}),
        ("parked_control", 2, {}),
        ("locks", 1, {"variant": "inverted"}),
        ("locks", 1, {"variant": "leaked"}),
        ("conditions", 1, {"variant": "one_signal_for_two"}),
        ("endings", 2, {"variant": "one_lost"}),
    ],
)
def test_no_way_back_is_the_step_after_which_the_end_is_out_of_reach(
    name: str, workers: int, settings: dict[str, str], reductions: str
) -> None:
    result = run(loaded(name, **settings), workers=workers, reductions=reductions)
    space = space_of(name, workers, monitor=False, settings=settings)
    rows = [row for row in result.broken if row["class"] in ("deadlock", "partial-deadlock")]
    assert rows
    for row in rows[:3]:
        example = row["counterexample"]
        walked, _ = walk(space, parse_schedule(space.system, example["schedule"]))
        states = [space.start(), *(step.after for step in walked)]
        number = example["no_way_back"]
        assert not ends_from(space, states[number])
        assert number == 0 or ends_from(space, states[number - 1])


def ends_from(space: Space, state: State) -> bool:
    seen, pending = {state}, [state]
    for here in pending:
        actors = space.pending(here.nodes)
        if space.finished(actors):
            return True
        for step in space.steps(here, actors):
            if step.after not in seen:
                seen.add(step.after)
                pending.append(step.after)
    return False


def test_steps_name_the_users_lines_and_what_changed() -> None:
    example = run(loaded("early_reduce"), workers=2).broken[0]["counterexample"]
    step = example["steps"][1]
    assert (step["actor"], step["op"], step["changes"]) == ("0", "write 0/order 1", ["0/order 0 → 1"])
    source = Path(step["path"]).read_text(encoding="utf-8").splitlines()
    assert source[step["line"] - 1].strip() == "yield team.order.write(order)"
    assert [step["changes"] for step in example["steps"] if step["op"] == "choose"] == [["→ batch"]]


def test_a_deadlock_names_the_missing_party_and_the_declaration() -> None:
    row = run(loaded("count_too_large"), workers=2).broken[0]
    needs = {stuck["actor"]: stuck["needs"] for stuck in row["counterexample"]["stuck"]}
    assert needs["0.1"] == "4 parties, 3 have arrived (0, 0.0, 0.1)"
    notes = [place["note"] for place in row["places"]]
    assert "0/batch is declared for 4 parties, but 3 actors wait on it" in notes


def test_the_wait_for_graph_of_a_lock_inversion_is_a_cycle() -> None:
    row = run(loaded("locks", variant="inverted"), workers=1).broken[0]
    edges = {(edge["from"], edge["to"], edge["on"]) for edge in row["counterexample"]["waits"]}
    assert edges == {("one", "two", "second"), ("two", "one", "first")}


# --- schedules as text ------------------------------------------------------------------------------------------------
def first_schedule() -> str:
    result: RunResult = run(loaded("early_reduce"), workers=2)
    return str(result.counterexample["schedule"])


def test_replay_repeats_the_counterexample() -> None:
    example = run(loaded("early_reduce"), workers=2).counterexample
    again = replay(loaded("early_reduce"), example["schedule"], workers=2)
    assert again["steps"] == example["steps"]
    assert again["schedule"] == example["schedule"]


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        ("0:batch,0.7", "schedule, entry 2: no actor called '0.7'; there are 0, 0.0, 0.1"),
        ("0", "schedule, step 1: 0 needs one of the choices batch, epoch, stop"),
        ("0:sleep", "schedule, step 1: 0 needs one of the choices batch, epoch, stop"),
        ("0.0,0.0", "schedule, step 2: 0.0 cannot move here; those who can: 0, 0.1"),
        (
            "0:stop,0,0.0,0.1,0,0.0,0.0",
            "schedule, step 7: 0.0 has finished; those who can: 0.1",
        ),
    ],
)
def test_an_impossible_schedule_is_refused_with_what_is_possible(schedule: str, message: str) -> None:
    with pytest.raises(BadRequest) as raised:
        replay(loaded("node_zero"), schedule, workers=2)
    assert str(raised.value) == message
