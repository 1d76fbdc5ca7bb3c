"""`cllm replay`: what a counterexample's schedule shows when it is walked through, step by step or timed."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cllm_sim import check
from cllm_sim.cli import stepping
from cllm_sim.cli.exit import run

from tests.test_examples import COSTS


@pytest.fixture(scope="module")
def deadlock() -> Any:
    return next(row for row in check("leaves_early", workers=2).broken if row["class"] == "deadlock")["counterexample"]


# -------------------------------------------------------------------------------------------------------------- listing
def test_every_step_with_its_line_and_who_is_stuck(capsys: pytest.CaptureFixture[str], deadlock: Any) -> None:
    assert run(["replay", "leaves_early", deadlock["schedule"], "--workers", "2"]) == 0
    rows = capsys.readouterr().out.splitlines()
    shown = [row for row in rows if row[:4].strip().isdecimal()]
    assert len(shown) == len(deadlock["steps"])
    for row, step in zip(shown, deadlock["steps"], strict=True):
        assert step["op"] in row
        assert f"leaves_early.py:{step['line']}" in row
    stuck = " ".join(" ".join(rows[rows.index("") + 1 :]).split())
    assert stuck == (
        "STUCK control leaves_early.py:45 waits for barrier 0/batch (1 of 3 are there), which needs "
        "worker 0.0 and worker 0.1 (which have left, line 24)"
    )


def test_faults_are_shown_where_they_happen(capsys: pytest.CaptureFixture[str]) -> None:
    example = next(row for row in check("control_computes", workers=2).broken if row["class"] == "role")
    assert run(["replay", "control_computes", example["counterexample"]["schedule"], "--workers", "2"]) == 0
    assert "role: 0 is not a leaf" in capsys.readouterr().out


def test_a_schedule_from_standard_input(cllm: Callable[..., Any]) -> None:
    code, stdout, _ = cllm("replay", "node_zero", "-", "--workers", 2, stdin="0:batch, 0,\n0")
    assert code == 0
    assert "3 steps; nobody is stuck here" in stdout


def test_an_impossible_move_shows_nothing(cllm: Callable[..., Any]) -> None:
    code, stdout, stderr = cllm("replay", "node_zero", "0:batch,0,0,0", "--workers", 2)
    assert (code, stdout) == (2, "")
    assert stderr == "cllm: schedule, step 4: 0 cannot move here; those who can: 0.0, 0.1\n"


def test_an_empty_schedule(cllm: Callable[..., Any]) -> None:
    assert cllm("replay", "node_zero", "", "--workers", 2) == (0, "0 steps; nobody is stuck here\n", "")


# --------------------------------------------------------------------------------------------------------- step by step
def test_a_step_shows_who_moved_what_changed_and_who_waits(cllm: Callable[..., Any]) -> None:
    code, stdout, stderr = cllm("replay", "node_zero", "0:batch,0,0,0.0", "--workers", 2, "--pause", stdin="")
    assert code == 0
    assert stderr == f"4 steps: {stepping.HELP}\n"
    blocks = stdout.split("step ")
    assert [block.split(" of ")[0] for block in blocks[1:]] == ["1", "2", "3", "4"]
    assert "order = yield choose(" in blocks[1]
    assert "choose: → batch" in blocks[1]
    assert "waits" not in blocks[2]
    assert "control (line" in blocks[3]
    assert "for barrier 0/batch (1 of 3 are there), which needs worker 0.0 and worker 0.1" in flat(blocks[3])
    assert "control (line" in blocks[4]
    assert "able      worker 0.1" in blocks[4]


def flat(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("\n\n\n\n", [1, 2, 3]),
        ("\nb\n\n\n", [1, 2, 1, 2, 3]),
        ("3\n\n", [1, 3]),
        ("99\nb\nq\n", [1, 3, 2]),
        ("q\n", [1]),
        ("what?\nq\n", [1, 1]),
        ("", [1, 2, 3]),
        ("\n", [1, 2, 3]),
    ],
)
def test_keys_lead_to_steps(cllm: Callable[..., Any], typed: str, shown: list[int]) -> None:
    """At the end of the input nothing waits any more; who quits is not told the end."""
    code, stdout, _ = cllm("replay", "node_zero", "0:batch,0,0", "--workers", 2, "--pause", stdin=typed)
    assert code == 0
    rows = [row for row in stdout.splitlines() if row.startswith("step ")]
    assert [int(row.split()[1]) for row in rows] == shown
    assert ("nobody is stuck here" in stdout) == (shown[-1] == 3)


def test_single_keys_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    typed: Iterator[str] = iter(["\r", " ", "B", "1", "2", "\r", "1x7\n", "\x1b[C", "\x1b[A", "\x04", "\x1b"])
    monkeypatch.setattr("click.getchar", lambda: next(typed))
    assert [stepping._key() for _ in range(9)] == ["", "", "b", "12", "7", "", "b", "q", "q"]


# ----------------------------------------------------------------------------------------------------------------- json
def test_the_walk_as_data(cllm: Callable[..., Any], deadlock: Any) -> None:
    code, stdout, _ = cllm("replay", "leaves_early", deadlock["schedule"], "--workers", 2, "--format", "json")
    assert code == 0
    walk = json.loads(stdout)
    assert (walk["schema"], walk["verb"], walk["exit_code"]) == ("cllm/1", "replay", 0)
    assert walk["stuck"] == deadlock["stuck"]
    assert walk["order"][0] == {"from": 3, "to": 5, "on": "0/batch"}
    assert walk["steps"][3]["waiting"][0]["from"] == ["0.1"]
    assert walk["steps"][3]["next"] == ["0.1"]
    assert walk["steps"][0]["source"].startswith("order = yield choose(")
    assert walk["next"] == []
    kept = {"actor", "op", "path", "line", "changes", "faults"}
    assert [{name: step[name] for name in kept} for step in walk["steps"]] == [
        {name: step[name] for name in kept} for step in deadlock["steps"]
    ]


# ------------------------------------------------------------------------------------------------------------- timeline
@pytest.fixture
def costs(tmp_path: Path) -> Path:
    path = tmp_path / "costs.toml"
    path.write_text(COSTS, encoding="utf-8")
    return path


def test_the_simulator_drives_the_same_schedule(cllm: Callable[..., Any], deadlock: Any, costs: Path) -> None:
    arguments = ("replay", "leaves_early", deadlock["schedule"], "--workers", 2, "--timeline", "--costs", costs)
    code, stdout, stderr = cllm(*arguments)
    assert (code, stderr) == (0, "")
    rows = [row for row in stdout.splitlines() if " ms  " in row]
    assert len(rows) == len(deadlock["steps"])
    assert all(step["op"] in row for row, step in zip(rows, deadlock["steps"], strict=True))
    assert "end       the same state as the checker's" in stdout
    assert "STUCK  control" in stdout
    assert all(len(row) <= 100 for row in stdout.splitlines())
    assert cllm(*arguments).stdout == stdout


def test_the_timeline_is_left_for_perfetto(
    cllm: Callable[..., Any], deadlock: Any, costs: Path, tmp_path: Path
) -> None:
    arguments = ("replay", "leaves_early", deadlock["schedule"], "--workers", 2, "--timeline", "--costs", costs)
    code, stdout, _ = cllm(*arguments, "-o", "walk", "--format", "json")
    assert code == 0
    timing = json.loads(stdout)["timing"]
    assert timing["same_end"]
    assert len(timing["steps_ms"]) == len(deadlock["steps"])
    assert timing["steps_ms"] == sorted(timing["steps_ms"])
    assert {path.name for path in (tmp_path / "walk").iterdir()} == {
        "walk.json", "timeline.json", "timeline-leaves_early.svg", "timeline-leaves_early.png",
    }  # fmt: skip
    slices = [
        event
        for event in json.loads((tmp_path / "walk" / "timeline.json").read_text(encoding="utf-8"))["traceEvents"]
        if event["ph"] == "X"
    ]
    assert slices
