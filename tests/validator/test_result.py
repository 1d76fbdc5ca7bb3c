"""`validator.run`: the result document, its exit codes, and traces that belong to another text."""

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from cllm_sim import results, validator
from cllm_sim.architecture import uncontended
from cllm_sim.errors import BadRequest
from cllm_sim.library import load
from cllm_sim.promises import PROMISES
from cllm_sim.trace import Trace, read_trace, write_trace

from tests.validator.schedule import recorded

SCHEMA = json.loads((Path(results.__file__).parent / "result.schema.json").read_text(encoding="utf-8"))
FIELDS = {
    "schema", "verb", "architecture", "file_sha256", "scope", "seed", "environment", "seconds", "exit_code", "legal",
    "events", "first_illegal", "promises", "predicted_ms", "measured_ms", "error_pct", "noise_floor_pct", "per_phase",
}  # fmt: skip


def promise(result, name: str) -> tuple[str, str | None]:
    return next((row["verdict"], row["class"]) for row in result.promises if row["name"] == name)


def spoiled(trace: Trace) -> Trace:
    """The same with a barrier that replied something."""
    log = list(trace.actors["0.0"])
    log[0] = log[0]._replace(reply=7)
    return Trace(trace.header, {**trace.actors, "0.0": tuple(log)})


def test_a_legal_run() -> None:
    loaded = load("node_zero")
    _, trace = recorded(loaded, 3, steps=4)
    result = validator.run(loaded, trace)
    assert set(result.data) >= FIELDS
    assert (result.verb, result.legal, result.exit_code, result.first_illegal) == ("validate", True, 0, None)
    assert result.holds
    assert [row["name"] for row in result.promises] == [*PROMISES, "uncontended"]
    assert {row["verdict"] for row in result.promises} == {"holds"}
    assert result.scope["workers"] == 3
    assert result.measured_ms["median"] > 0
    assert result.predicted_ms is None
    assert result.events == trace.events


def test_the_document_fits_the_schema_and_survives_json() -> None:
    loaded = load("early_reduce")
    _, trace = recorded(loaded, 2, steps=2)
    for shown in (trace, spoiled(trace)):
        data = json.loads(validator.run(loaded, shown).to_json())
        jsonschema.validate({**data, "command": [], "wall_seconds": 0.0}, SCHEMA)


def test_from_a_file(tmp_path: Path) -> None:
    loaded = load("work_queue")
    _, trace = recorded(loaded, 3, steps=2)
    path = tmp_path / "trace.jsonl"
    header = {name: value for name, value in trace.header.items() if name != "lengths"}
    write_trace(path, Trace(header, trace.actors))
    assert validator.run(loaded, read_trace(path)).legal is True
    lines = path.read_text(encoding="utf-8").splitlines()
    last = max(number for number, line in enumerate(lines) if '"op"' in line)
    path.write_text("\n".join(lines[:last] + lines[last + 1 :]), encoding="utf-8")
    first = validator.run(loaded, read_trace(path)).first_illegal
    assert (first["actor"], first["event"]) == (json.loads(lines[last])["actor"], json.loads(lines[-1])["length"] - 1)


def test_an_illegal_trace() -> None:
    loaded = load("node_zero")
    _, trace = recorded(loaded, 2, steps=2)
    result = validator.run(loaded, spoiled(trace))
    assert (result.legal, result.exit_code) == (False, 1)
    assert result.first_illegal["actor"] == "0.0"
    assert result.first_illegal["event"] == 0
    assert result.first_illegal["possible_replies"] == [0]
    assert result.first_illegal["path"] == loaded.path
    assert {row["verdict"] for row in result.promises} == {"undecided"}
    assert result.measured_ms is None


def test_broken_promises_of_a_legal_trace() -> None:
    loaded = load("early_reduce")
    _, trace = recorded(loaded, 3, steps=3)
    result = validator.run(loaded, trace)
    assert (result.legal, result.exit_code) == (True, 1)
    assert promise(result, "no race") == ("broken", "race")
    assert promise(result, "control never computes") == ("holds", None)
    assert {row["class"] for row in result.broken} >= {"race", "stale-read"}
    assert not any(row["class"].endswith("-on-weights") for row in result.broken)


def test_a_race_on_the_weights_breaks_update_before_use() -> None:
    loaded = load("forgets_last_child")
    for seed in range(8):
        _, trace = recorded(loaded, 2, steps=3, seed=seed, last=["compute"])
        result = validator.run(loaded, trace)
        if "weights" in {row["text"].split()[2] for row in result.broken}:
            break
    assert promise(result, "update before use") == ("broken", "race")


def test_without_leaves_promises_out() -> None:
    loaded = load("forgets_last_child")
    _, trace = recorded(loaded, 2, steps=3)
    assert validator.run(loaded, trace).exit_code == 1
    result = validator.run(loaded, trace, without=("no race", "update before use"))
    assert result.exit_code == 0
    assert result.broken == []


def test_waiting_breaks_a_promise_only_where_it_is_made() -> None:
    loaded = load("model_lock")
    _, trace = recorded(loaded, 4, steps=1, last=["compute"])
    assert validator.run(loaded, trace).exit_code == 0
    asked = validator.run(loaded, trace, promise=("uncontended",))
    assert asked.exit_code == 1
    assert promise(asked, "uncontended") == ("broken", "contention")
    assert asked.contention["model"] == 3
    declared = replace(loaded, architecture=replace(loaded.architecture, promises=(uncontended,)))
    assert promise(validator.run(declared, trace), "uncontended") == ("broken", "contention")


def test_slots_that_nobody_answers_for() -> None:
    """No event tells it; the numbers of this run do."""
    loaded = load("lost_remainder")
    _, trace = recorded(loaded, 5, steps=1)
    uneven = validator.run(loaded, Trace({**trace.header, "slots": 12}, trace.actors))
    assert promise(uneven, "own segment only") == ("broken", "coverage")
    assert [row["class"] for row in uneven.broken] == ["coverage"]
    assert "slot 10" in uneven.broken[0]["text"]
    even = validator.run(loaded, Trace({**trace.header, "slots": 10}, trace.actors))
    assert even.exit_code == 0


def test_an_interrupted_run_says_nothing_about_its_end() -> None:
    loaded = load("node_zero")
    _, trace = recorded(loaded, 3, steps=3, events_max=40)
    result = validator.run(loaded, trace)
    assert (result.legal, result.complete, result.exit_code) == (True, False, 0)
    assert promise(result, "no deadlock") == ("undecided", None)
    assert promise(result, "progress") == ("undecided", None)
    assert promise(result, "fresh") == ("holds", None)


def test_a_run_that_hung() -> None:
    loaded = load("leaves_early")
    _, trace = recorded(loaded, 3, steps=2)
    result = validator.run(loaded, trace)
    assert (result.legal, result.exit_code) == (True, 1)
    assert promise(result, "no deadlock") == ("broken", "deadlock")
    assert [row["actor"] for row in result.stuck] == ["0"]


def test_a_limit_is_exit_code_3() -> None:
    loaded = load("node_zero")
    _, trace = recorded(loaded, 3, steps=3)
    result = validator.run(loaded, trace, budget_moves=20)
    assert (result.legal, result.exit_code) == (None, 3)
    assert 0 < result.events_judged < result.events


def test_a_simulated_trace_has_no_measured_times() -> None:
    loaded = load("node_zero")
    _, trace = recorded(loaded, 2, steps=2)
    result = validator.run(loaded, Trace({**trace.header, "clock": "simulated"}, trace.actors))
    assert result.legal is True
    assert result.measured_ms is None


def test_a_single_actor_whatever_the_tree() -> None:
    loaded = load("serial")
    _, trace = recorded(loaded, 0, 0, steps=2)
    for workers in (0, 1, 12):
        assert validator.run(loaded, Trace({**trace.header, "workers": workers, "depth": 1}, trace.actors)).legal


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("file_sha256", "0" * 64, "the text has changed since"),
        ("architecture", "model_lock", "recorded of 'model_lock'"),
        ("workers", 13, "arity"),
        ("workers", "many", "workers"),
        ("slots", None, None),
    ],
)
def test_headers_that_do_not_fit(field: str, value: object, told: str | None) -> None:
    loaded = load("node_zero")
    _, trace = recorded(loaded, 2, steps=1)
    shown = Trace({**trace.header, field: value}, trace.actors)
    if told is None:
        assert validator.run(loaded, shown).legal is True
        return
    with pytest.raises(BadRequest, match=told) as caught:
        validator.run(loaded, shown)
    assert "\n" not in str(caught.value)


def test_a_header_without_a_field() -> None:
    loaded = load("node_zero")
    _, trace = recorded(loaded, 2, steps=1)
    header = {name: value for name, value in trace.header.items() if name != "file_sha256"}
    with pytest.raises(BadRequest, match="lacks 'file_sha256'"):
        validator.run(loaded, Trace(header, trace.actors))
