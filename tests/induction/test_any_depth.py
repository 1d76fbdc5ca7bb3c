"""Node Zero at every depth: the proof holds for 1 to 12 children, and what it says is what was done."""

import json
from pathlib import Path

import jsonschema
import pytest

from cllm_sim import checker, results
from cllm_sim.induction import prove
from cllm_sim.induction.moves import Moves
from cllm_sim.library import load
from cllm_sim.promises import PROMISES
from cllm_sim.report.text_induction import render
from cllm_sim.results import RunResult

from tests.induction.designs import changed

FANOUTS = tuple(range(1, 13))

HANDED_OVER = Path(__file__).with_name("architectures") / "handed_over.py"

SCHEMA_FILE = Path(results.__file__).with_name("result.schema.json")

EXPECTED = [
    # number, action, what it reads besides, what comes next, may the step end here
    (1, "arrive at parent/batch", [], {"": 2}, False),
    (2, "go on from parent/batch", [], {"": 3}, False),
    (3, "read parent/order", [], {"1 (batch)": 4, "2 (epoch)": 5, "3 (stop)": 6}, False),
    (4, "deliver node/segment, with the tag of the order", ["weights"], {"": 7}, False),
    (5, "arrive at parent/epoch", [], {"": 8}, False),
    (6, "finish", [], {}, False),
    (7, "arrive at parent/batch", [], {"": 9}, False),
    (8, "go on from parent/epoch", [], {"": 1}, False),
    (9, "go on from parent/batch", [], {"": 10}, False),
    (10, "arrive at parent/batch", [], {"": 11}, True),
    (11, "go on from parent/batch", [], {"": 3}, True),
]
"""The interface of Node Zero, written by hand: the tool has to compute the same from the leaf's text."""


@pytest.fixture(scope="module")
def result() -> RunResult:
    return prove(load("node_zero"))


def test_node_zero_holds_at_every_depth(result):
    assert (result.verdict, result.exit_code) == ("holds", 0)
    assert result.any_depth["verdict"] == "holds"
    assert result.complete
    assert {row["name"]: row["verdict"] for row in result.promises} == dict.fromkeys(
        (*PROMISES, "uncontended"), "holds"
    )


def test_every_part_at_every_fan_out_was_proved_with_something_in_it(result):
    cases = result.any_depth["cases"]
    assert [(row["workers"], row["name"]) for row in cases] == [
        (workers, name) for workers in FANOUTS for name in ("base", "control", "root")
    ]
    assert all(row["verdict"] == "holds" and row["counterexample"] is None for row in cases)
    assert all(row["states"] > 0 and row["transitions"] >= row["states"] for row in cases)
    assert result.states == sum(row["states"] for row in cases)


def counts(result):
    return {(row["name"], row["workers"]): (row["states"], row["transitions"]) for row in result.any_depth["cases"]}


def test_counts_are_exact(result):
    found = counts(result)
    assert found["base", 1] == found["base", 12] == (17, 31)
    assert [found["root", workers] for workers in (1, 2, 12)] == [(67, 81), (102, 121), (1002, 1346)]
    assert [found["control", workers] for workers in (1, 2, 12)] == [(78, 92), (113, 132), (1013, 1357)]


def test_without_early_arrivals_the_walks_are_larger_and_agree(result, monkeypatch):
    monkeypatch.setattr(Moves, "arrival", lambda self, world: None)
    plain = prove(load("node_zero"), fanouts=(1, 2, 4))
    found = counts(plain)
    assert plain.verdict == "holds"
    assert plain.any_depth["interface"] == result.any_depth["interface"]
    assert [found["root", workers] for workers in (1, 2, 4)] == [(119, 196), (232, 420), (594, 1248)]
    assert [found["control", workers] for workers in (1, 2, 4)] == [(141, 231), (265, 478), (649, 1352)]


def test_the_computed_interface_is_the_expected_one(result):
    rows = result.any_depth["interface"]
    assert [(row["number"], row["action"], row["reads"], row["next"], row["step_may_end"]) for row in rows] == EXPECTED
    lines = Path(load("node_zero").path).read_text(encoding="utf-8").splitlines()
    assert "team.order.read()" in lines[rows[2]["line"] - 1]
    assert "compute(weights" in lines[rows[3]["line"] - 1]


def test_all_conditions_are_listed_and_hold(result):
    conditions = result.any_depth["conditions"]
    assert len(conditions) >= 10
    assert all(row["holds"] and not row["why"] for row in conditions)


def test_mixed_fan_outs_follow_where_no_text_asks_for_the_number(result):
    assert result.any_depth["mixed_fanouts"]
    assert not prove(load("sliced_reduce"), fanouts=(2, 3)).any_depth["mixed_fanouts"]


def test_the_words_say_what_was_proved(result):
    words = " ".join(result.any_depth["words"])
    assert "trees of every depth whose controls have 1 to 12 children" in words
    assert "by construction" in words
    assert "failures and divergences" in words


def test_the_terminal_shows_verdict_interface_conditions_and_sizes(result):
    text = render(result.any_depth)
    assert text.startswith("any depth: holds\n")
    assert "3  read parent/order  1 (batch) -> 4, 2 (epoch) -> 5, 3 (stop) -> 6  node_zero.py:" in text
    assert "checked  footprint" in text
    assert f"{result.states:,}" in text


@pytest.mark.parametrize("fanouts", [(2,), (3, 5), (12, 1)])
def test_single_fan_outs_can_be_asked_for(fanouts):
    found = prove(load("node_zero"), fanouts=fanouts).any_depth
    assert found["verdict"] == "holds"
    assert found["fanouts"] == list(fanouts)


def test_a_reduce_in_slices_holds_with_equal_fan_outs():
    result = prove(load("sliced_reduce"), fanouts=(2, 3, 4))
    assert result.verdict == "holds"
    assert "the same number of children" in result.any_depth["words"][0]
    assert any(row["action"].startswith("fold ") for row in result.any_depth["interface"])


def test_a_hand_over_with_locks_holds_and_shows_every_lock_step():
    result = prove(load(str(HANDED_OVER)), fanouts=(1,))
    assert result.verdict == "holds"
    actions = [row["action"] for row in result.any_depth["interface"]]
    assert actions[0] == "acquire node/lock"
    assert {"sleep node/wake", "be woken at node/wake", "notify node/wake", "write node/complete 1"} <= set(actions)
    assert checker.run(load(str(HANDED_OVER)), workers=1, depth=2).verdict == "holds"


def test_waiting_for_a_lock_breaks_uncontended_where_it_is_asked_for():
    result = prove(load(str(HANDED_OVER)), fanouts=(1,), promise=("uncontended",))
    assert result.verdict == "broken"
    assert [row["class"] for row in result.broken] == ["contention"]


def test_a_lock_of_the_team_belongs_to_one_group(tmp_path):
    work = "        yield from work(order)  # a leaf computes; a control commands its own workers\n"
    tally = (
        "        yield team.lock.acquire()\n        yield team.tally.write(order)\n        yield team.lock.release()\n"
    )
    loaded = changed(
        tmp_path,
        "node_zero",
        ("Barrier, Region,", "Barrier, Mutex, Region,"),
        ("    order = Variable()\n", "    order = Variable()\n    lock = Mutex()\n    tally = Variable()\n"),
        (work, work + tally),
    )
    result = prove(loaded, fanouts=(1, 2, 3), without=("uncontended",))
    assert result.verdict == "holds"
    assert "acquire parent/lock" in [row["action"] for row in result.any_depth["interface"]]
    seen = checker.run(loaded, workers=2, depth=2, reductions="both", without=("uncontended",))
    assert seen.verdict == "holds"
    assert prove(loaded, fanouts=(2,)).verdict == "broken"  # somebody waits for the lock


def test_the_result_is_a_result_of_check(result):
    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    for found in (result, prove(load("model_lock")), prove(load("count_too_large"))):
        document = json.loads(found.to_json())
        jsonschema.validate({**document, "command": None, "wall_seconds": 0.0}, schema)


def test_two_proofs_are_equal():
    first, second = (prove(load("node_zero"), fanouts=(1, 2, 3)).any_depth for _ in range(2))
    for found in (first, second):
        found["seconds"] = 0
        for row in found["cases"]:
            row["seconds"] = 0
    assert first == second
