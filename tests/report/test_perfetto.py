"""`timeline.json`: groups, threads, slices that never overlap, arrows that lead from slice to slice."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from cllm_sim.report.perfetto import timeline_json, without_overlap
from cllm_sim.report.shape import Timeline, read_comparison

from tests.report import sample

Entry = dict[str, Any]


def entries(data: sample.Result) -> list[Entry]:
    document = json.loads(timeline_json(read_comparison(data)))
    assert set(document) == {"displayTimeUnit", "traceEvents"}
    found: list[Entry] = document["traceEvents"]
    return found


def timeline(events: list[Any], actors: tuple[str, ...] = ("0", "0.0", "0.1")) -> sample.Result:
    return {
        "timelines": [
            {"architecture": "a", "workers": 2, "kind": "real", "actors": actors, "events": events, "steps": [0]}
        ]
    }


def slices(found: list[Entry]) -> dict[tuple[int, int], list[Entry]]:
    rows: dict[tuple[int, int], list[Entry]] = defaultdict(list)
    for entry in found:
        if entry["ph"] == "X":
            rows[entry["pid"], entry["tid"]].append(entry)
    return rows


def test_a_group_for_every_run_and_a_thread_for_every_actor(report: Path) -> None:
    found = json.loads((report / "timeline.json").read_text(encoding="utf-8"))["traceEvents"]
    groups = [entry["args"]["name"] for entry in found if entry["name"] == "process_name"]
    assert groups == [
        "model_lock, 12 workers (real)",
        "model_lock, 12 workers (simulated)",
        "node_zero, 12 workers (real)",
        "node_zero, 12 workers (simulated)",
    ]
    threads = [entry["args"]["name"] for entry in found if entry["name"] == "thread_name" and entry["pid"] == 1]
    assert threads == ["steps", "control", *(f"worker 0.{index}" for index in range(12))]


@pytest.mark.parametrize("make", [sample.demo, sample.deep])
def test_slices_of_a_thread_do_not_overlap(make: Any) -> None:
    for row in slices(entries(make())).values():
        ends = 0.0
        for entry in sorted(row, key=lambda one: one["ts"]):
            assert entry["dur"] > 0
            assert entry["ts"] >= round(ends, 3)
            ends = entry["ts"] + entry["dur"]


def test_microseconds_and_names() -> None:
    found = slices(entries(timeline([[1, "compute", 0.5, 2.25], [1, "barrier", 2.25, 3]])))
    assert [(one["name"], one["cat"], one["ts"], one["dur"]) for one in found[1, 2]] == [
        ("compute", "compute", 500.0, 1750.0),
        ("waits at a barrier", "barrier", 2250.0, 750.0),
    ]
    assert [(one["name"], one["ts"], one["dur"]) for one in found[1, 0]] == [("step 1", 0.0, 3000.0)]


def test_an_event_that_runs_into_the_next_is_cut() -> None:
    item = Timeline(architecture="a", kind="real", actors=("0",), events=((0, "fold", 2, 3), (0, "compute", 0, 2.5)))
    assert [one[1:4] for one in without_overlap(item)] == [("compute", 0, 2), ("fold", 2, 3)]


def arrows(found: list[Entry]) -> list[tuple[int, float, int, float]]:
    starts = {entry["id"]: entry for entry in found if entry["ph"] == "s"}
    return [
        (starts[entry["id"]]["tid"], starts[entry["id"]]["ts"], entry["tid"], entry["ts"])
        for entry in found
        if entry["ph"] == "f"
    ]


def test_the_last_at_a_barrier_releases_the_others() -> None:
    crossing = [[0, "barrier", 0, 5.2], [1, "barrier", 3, 5.1], [2, "barrier", 5, 5.1]]
    assert arrows(entries(timeline(crossing))) == [(3, 5000.0, 1, 5199.999), (3, 5000.0, 2, 5099.999)]


def test_a_barrier_of_others_is_passed_over() -> None:
    early = [[0, "barrier", 0, 1], [0, "barrier", 2, 6], [1, "barrier", 3, 6], [2, "barrier", 4, 6]]
    assert [arrow[::2] for arrow in arrows(entries(timeline(early)))] == [(3, 1), (3, 2)]


def test_a_releaser_that_is_told_wins() -> None:
    told = [
        [0, "compute", 0, 4],
        [1, "lock", 1, 3, 0],
        [1, "barrier", 3, 4],
        [0, "barrier", 4, 5],
        [2, "barrier", 3, 4],
    ]
    assert arrows(entries(timeline(told))) == [(1, 3000.0, 2, 2999.999)]


def test_arrows_begin_and_end_inside_slices() -> None:
    found = entries(sample.demo())
    rows = slices(found)
    ends = [entry for entry in found if entry["ph"] in "sf"]
    assert ends
    for entry in ends:
        assert any(one["ts"] <= entry["ts"] < one["ts"] + one["dur"] for one in rows[entry["pid"], entry["tid"]])
