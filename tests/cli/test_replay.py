"""`cllm replay`: what a counterexample's schedule shows when it is walked through."""

from collections.abc import Callable
from typing import Any

import pytest

from cllm_sim import check
from cllm_sim.cli.exit import run
from cllm_sim.cli.replay import blocks


@pytest.fixture(scope="module")
def deadlock() -> Any:
    return next(row for row in check("leaves_early", workers=2).broken if row["class"] == "deadlock")["counterexample"]


def test_every_step_with_its_line_and_who_is_stuck(capsys: pytest.CaptureFixture[str], deadlock: Any) -> None:
    assert run(["replay", "leaves_early", deadlock["schedule"], "--workers", "2"]) == 0
    rows = capsys.readouterr().out.splitlines()
    shown = [row for row in rows if row[:4].strip().isdecimal()]
    assert len(shown) == len(deadlock["steps"])
    for row, step in zip(shown, deadlock["steps"], strict=True):
        assert step["op"] in row
        assert f"leaves_early.py:{step['line']}" in row
    stuck = rows[rows.index("") + 1 :]
    assert len(stuck) == len(deadlock["stuck"]) > 0
    assert stuck[0].split()[0] == "stuck"
    assert all(row["waits_for"] in text for row, text in zip(deadlock["stuck"], stuck, strict=True))


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


def test_enter_goes_on(cllm: Callable[..., Any]) -> None:
    """With --pause every step but the last waits for a line; at the end of the input nothing waits any more."""
    whole = cllm("replay", "node_zero", "0:batch,0,0", "--workers", 2).stdout
    for stdin in ("\n\n", "\n", ""):
        code, stdout, _ = cllm("replay", "node_zero", "0:batch,0,0", "--workers", 2, "--pause", stdin=stdin)
        assert (code, stdout) == (0, whole)
    assert whole.count("node_zero.py:") == 3


def test_a_step_keeps_its_lines_together() -> None:
    drawn = "  1  a\n  2  b\n     more of b\n  ── no way back ──\n\x1b[2m 10\x1b[0m  c"
    assert list(blocks(drawn)) == ["  1  a", "  2  b\n     more of b\n  ── no way back ──", "\x1b[2m 10\x1b[0m  c"]


def test_an_empty_schedule(cllm: Callable[..., Any]) -> None:
    assert cllm("replay", "node_zero", "", "--workers", 2) == (0, "0 steps; nobody is stuck here\n", "")
