"""What the terminal shows: short when all holds, complete when something is broken, never too wide."""

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from cllm_sim import check

from tests.report import sample

Show = Callable[..., str]
COPIED = ("walk through it:", "look at it:", "written", "how long", "is it the text", "what that means", "was it legal")
"""Lines that hold a command or a path are never broken."""


def fits(text: str, width: int = 100) -> bool:
    return all(len(line) <= width or line.startswith(COPIED) for line in text.splitlines())


def flat(text: str) -> str:
    """The text without its line breaks."""
    return " ".join(text.split())


def checked(name: str, workers: int = 2) -> dict[str, Any]:
    return check(name, workers=workers).data


# ---------------------------------------------------------------------------------------------------------------- check
def test_success_is_short(shown: Show) -> None:
    text = shown(checked("node_zero"))
    lines = text.splitlines()
    assert lines[0].startswith("node_zero  1 control + 2 workers, any number of steps")
    assert lines[1].startswith("  holds     no deadlock, no race, control never computes")
    assert lines[-1] == "how long it takes:  cllm simulate node_zero --workers 2"
    assert "states, " in lines[-2]
    assert "complete" in lines[-2]
    assert len(lines) < 12
    assert "BROKEN" not in text
    assert fits(text)


def test_failure_is_complete(shown: Show) -> None:
    data = checked("leaves_early")
    text = shown(data)
    assert "  BROKEN    no deadlock: deadlock" in text
    story = text.partition("step by step")[2]
    for number, step in enumerate(data["counterexample"]["steps"], 1):
        line = next(line for line in story.splitlines() if line.startswith(f"  {number}  "))
        assert step["op"] in line
        assert f"leaves_early.py:{step['line']}" in line
    assert "STUCK  control" in story
    assert "waits for barrier 0/batch (1 of 3 are there), which needs worker 0.0 and worker 0.1" in flat(story)
    assert "no way back" in story
    assert (
        text.splitlines()[-1]
        == f"walk through it:  cllm replay leaves_early {data['counterexample']['schedule']} --workers 2"
    )
    assert fits(text)


def test_the_way_back_ends_between_the_steps(shown: Show) -> None:
    data = checked("leaves_early")
    data["counterexample"]["no_way_back"] = 3
    lines = shown(data).splitlines()
    place = next(number for number, line in enumerate(lines) if "no way back" in line)
    assert lines[place - 1].startswith("  3  ")
    assert lines[place + 1].startswith("  4  ")


def test_a_long_file_name_keeps_its_line(shown: Show) -> None:
    data = checked("leaves_early")
    text = json.dumps(data).replace("leaves_early.py", "a_name_that_is_much_too_long_for_a_column.py")
    told = shown(json.loads(text))
    assert all(f"…:{step['line']}  " in told for step in data["counterexample"]["steps"])


def test_a_race_names_both_sides_and_the_missing_order(shown: Show) -> None:
    text = shown(checked("early_reduce"))
    assert "'fold 0/segment' by control (early_reduce.py:38) and 'compute 0.0/segment' by worker 0.0" in flat(text)
    assert "stale-read: folds 0.0/segment" in text
    assert text.count("early_reduce.py:38") >= 2


def test_lines_that_were_never_reached_are_listed(shown: Show) -> None:
    data = checked("count_too_large")
    text = shown(data)
    assert f"{len(data['unreached'])} lines of the text were never reached:" in text
    assert all(f"count_too_large.py:{row['line']}" in text for row in data["unreached"])


def test_undecided_names_the_limit_and_a_smaller_scope(shown: Show) -> None:
    data = checked("node_zero")
    promises = [{"name": "no race", "verdict": "undecided", "class": None}]
    text = shown({**data, "verdict": "undecided", "promises": promises, "complete": False, "limit": "60 s"})
    assert "undecided no race (limit reached: 60 s)" in text
    assert "NOT complete" in text
    assert text.splitlines()[-1] == "try:  cllm check node_zero --workers 1"


def test_waiters_are_told(shown: Show) -> None:
    assert "waiters   at most 1 for model and 1 for each lock" in shown(
        check("model_lock", workers=2, reductions="symmetry").data
    )


def test_the_file_of_the_user_stays_a_path(shown: Show) -> None:
    data = {**checked("leaves_early"), "command": ["cllm", "check", "./my/leaves_early.py"]}
    assert "cllm replay ./my/leaves_early.py " in shown(data)


def test_colour_only_repeats_the_words(shown: Show) -> None:
    data = checked("leaves_early")
    plain, coloured = shown(data), shown(data, color=True)
    assert "\x1b[" not in plain
    assert "\x1b[1;31mBROKEN" in coloured


def test_nothing_is_markup(shown: Show) -> None:
    data = checked("node_zero")
    text = shown({**data, "assumptions": ["[bold]all[/bold] of [1, 2] :smile:"]})
    assert "[bold]all[/bold] of [1, 2] :smile:" in text


# -------------------------------------------------------------------------------------------------------------- compare
def test_the_comparison_fits_and_says_everything(shown: Show) -> None:
    text = shown({**sample.demo(), "output": "reports/demo"})
    assert fits(text)
    assert "as marked:" in text
    assert "3 different" in text
    assert "3 digests in 3 runs" in text
    assert "model_lock against node_zero  2.03x slower  (ratio 0.46 to 0.52)" in text
    assert "walk through it:  cllm replay unguarded " in text
    assert text.splitlines()[-1] == "look at it:  reports/demo/index.html"


@pytest.mark.parametrize("make", [sample.lists, sample.deep, sample.checked_only])
@pytest.mark.parametrize("width", [80, 100, 200])
def test_every_comparison_fits(shown: Show, make: Callable[[], sample.Result], width: int) -> None:
    assert fits(shown(make(), width=width), min(width, 100))


def test_a_narrow_window_leaves_out_columns_and_cuts_no_cell(shown: Show) -> None:
    text = shown(sample.lists(), width=80)
    head = next(line for line in text.splitlines() if line.startswith("architecture"))
    assert head.split() == ["architecture", "verdict", "waiters", "predicted", "measured", "error"]
    assert "sliced_reduce  holds" in text


# ----------------------------------------------------------------------------------------------------------------- runs
SCOPE = {"workers": 3, "depth": 1, "slots": 12, "steps": 20, "memory": "sequentially consistent"}
STUCK = [{"actor": "0.0", "waits_for": "0/batch", "needs": "5 parties, 4 have arrived", "path": "x/y.py", "line": 20}]


def simulated(**fields: Any) -> dict[str, Any]:
    return {
        "verb": "simulate",
        "architecture": "model_lock",
        "scope": SCOPE,
        "seed": 1,
        "verdict": "holds",
        "promises": [{"name": "no deadlock", "verdict": "holds", "class": None}],
        "deadlock": {"stuck": [], "edges": []},
        "contention": {"model": 2, "0.0/lock": 0},
        "step_ms": {"median": 43.7, "p05": 41.5, "p95": 48.9},
        "ci95_ms": [43.1, 44.2],
        "replications": 5,
        "cores": 2,
        "wait_share": {"compute": 0.08, "fold": 0.01, "update": 0.0, "barrier": 0.0, "lock": 0.88, "ready": 0.03},
        "critical_path": [
            {"actor": "0", "op": "fold 0/segment", "ms": 0.9},
            {"actor": "0.0", "op": "compute", "ms": 3.1},
        ],
        "events": 1234,
        "events_per_second": 240000.0,
        **fields,
    }


def test_a_simulation(shown: Show) -> None:
    text = shown(simulated())
    assert text.splitlines()[0] == "model_lock  1 control + 3 workers, 20 steps, 2 cores, 5 replications, seed 1"
    assert "step      43.7 ms   (5 to 95 %: 41.5–48.9; mean with 95 % confidence: 43.1–44.2)" in text
    assert "waiting for locks or notifies 88 %" in flat(text)
    assert "waiters   at most 2 for model" in text
    assert "control: fold 0/segment 0.900 ms → worker 0.0: compute 3.10 ms" in text
    assert text.splitlines()[-1] == "for real:  cllm train model_lock --workers 3"
    assert fits(text)


def test_a_simulated_deadlock(shown: Show) -> None:
    broken = [{"name": "no deadlock", "verdict": "broken", "class": "deadlock"}]
    nothing = {"median": None, "p05": None, "p95": None}
    text = shown(simulated(verdict="broken", promises=broken, deadlock={"stuck": STUCK}, step_ms=nothing, ci95_ms=None))
    assert "BROKEN    no deadlock: deadlock" in text
    assert "stuck  worker 0.0  y.py:20  waits for 0/batch: needs 5 parties, 4 have arrived" in text
    assert "  step" not in text
    assert text.splitlines()[-1] == "is it the text?  cllm check model_lock --workers 3"


def trained(**fields: Any) -> dict[str, Any]:
    return {
        "verb": "train",
        "architecture": "node_zero",
        "scope": SCOPE,
        "seed": 1,
        "slots": 12,
        "steps": 20,
        "complete": True,
        "processes": 4,
        "loss": {"first": 8.02, "last": 4.11},
        "heldout_bits_per_byte": {"first": 8.01, "last": 4.2},
        "bigram_bits_per_byte": 3.52,
        "step_ms": {"median": 21.5, "p05": 20.4, "p95": 24.1},
        "nonfinite_steps": 0,
        "clipped_steps": 0,
        "digest": "ab" * 32,
        "run_dir": "runs/a b",
        **fields,
    }


def test_a_training_run(shown: Show) -> None:
    text = shown(trained())
    assert "done      20 steps by 4 processes" in text
    assert "loss      training 8.02 → 4.11, held-out 8.01 → 4.20 bits per byte (bigram entropy 3.52)" in text
    assert "step      21.5 ms   (5 to 95 %: 20.4–24.1)" in text
    assert f"weights   {'ab' * 32}" in text
    assert "aborted" not in text
    assert text.splitlines()[-1] == "was it legal?  cllm validate 'runs/a b'"
    assert fits(text)


def test_aborted_and_clipped_steps_name_the_culprit(shown: Show) -> None:
    culprit = {"step": 5, "slot": 7, "parameter": "hidden.0", "index": 12}
    text = shown(trained(nonfinite_steps=1, culprits=[culprit], clipped_steps=2, gradient_clip_val=1.0))
    assert "aborted   1 step with NaN or Inf, weights untouched" in text
    assert "step 5, slot 7, parameter hidden.0, index 12" in text
    assert "clipped   2 steps (norm above 1.00)" in text


def test_a_run_that_was_ended_has_no_digest(shown: Show) -> None:
    text = shown(trained(complete=False, digest=None, heldout_bits_per_byte={"first": 8.0, "last": None}))
    assert "did not come to its end" in text
    assert "no digest" in text
    assert "held-out 8.00 → –" in text


def judged(**fields: Any) -> dict[str, Any]:
    return {
        "verb": "validate",
        "architecture": "node_zero",
        "scope": SCOPE,
        "seed": 1,
        "clock": "real",
        "legal": True,
        "events": 7800,
        "first_illegal": None,
        "promises": [{"name": "no race", "verdict": "holds", "class": None}],
        "predicted_ms": 19.9,
        "measured_ms": {"median": 21.5, "p05": 20.4, "p95": 24.1},
        "error_pct": -7.4,
        "noise_floor_pct": 1.2,
        "per_phase": {"predicted": {"compute": 18.0}, "measured": {"compute": 19.0, "lock": 0.0}},
        **fields,
    }


def test_a_legal_record(shown: Show) -> None:
    text = shown(judged())
    assert "legal     7,800 events form a behaviour of node_zero" in text
    assert "predicted 19.9 ms a step: -7.4 %; noise of the measurement 1.2 %" in text
    assert "compute  18.0 ms    19.0 ms" in text
    assert fits(text)


def test_an_illegal_record(shown: Show) -> None:
    first = {
        "text": "0.0, event 3: 'read 0/order' answered 5",
        "path": "a/b.py",
        "line": 21,
        "possible_replies": [1, 2],
        "possible_ops": [],
    }
    text = shown(judged(legal=False, first_illegal=first, measured_ms=None, per_phase=None))
    assert "ILLEGAL   0.0, event 3: 'read 0/order' answered 5" in text
    assert "b.py:21" in text
    assert "possible answers here: 1, 2" in text
    assert text.splitlines()[-1] == "can the text do that?  cllm check node_zero --workers 3"


def test_an_undecided_record(shown: Show) -> None:
    text = shown(judged(legal=None, events_judged=500))
    assert "undecided a limit was reached after 500 of 7,800 events" in text


def test_a_calibration(shown: Show) -> None:
    sheet = [{"name": "compute", "median_us": 301.25, "interval": [300.0, 304.0], "note": None}]
    text = shown({"verb": "calibrate", "sheet": sheet, "costs": "/c/costs.toml", "seconds": 7.31})
    assert "compute  301" in text
    assert "300–304" in text
    assert "written  /c/costs.toml" in text


def test_an_unknown_verb_is_shown_as_it_is(shown: Show) -> None:
    assert '"verb": "bench"' in shown({"verb": "bench", "rows": []})


def test_a_check_does_not_load_what_draws() -> None:
    unwanted = {"matplotlib", "jinja2", "networkx", "pydantic"}
    code = f"import sys, cllm_sim.report.text; print(sorted({unwanted} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
