"""Where a condition of the proof does not hold the answer is "not provable this way", with the user's line."""

from pathlib import Path

import pytest

from cllm_sim.errors import BadRequest
from cllm_sim.induction import prove
from cllm_sim.library import load
from cllm_sim.report.text_induction import render

from tests.induction.designs import changed

ORDER = "    yield team.order.write(order)\n"
COMPUTE = "        yield compute(weights, into=me.segment)\n"
SHARED = "shared=(weights,)"
IMPORT = "Seat, Steps, Team, Variable, Work,"


def failing(result):
    """The condition that does not hold, and the user's line that is named for it."""
    rows = [row for row in result.any_depth["conditions"] if not row["holds"]]
    assert len(rows) == 1
    row = rows[0]
    line = Path(row["path"]).read_text(encoding="utf-8").splitlines()[row["line"] - 1]
    return row["name"], line


def assert_not_provable(result, name, line):
    assert (result.verdict, result.exit_code) == ("undecided", 3)
    found, shown = failing(result)
    assert (found, line in shown) == (name, True), (found, shown)
    assert result.any_depth["words"][0].startswith("Not provable this way")
    assert "FAILS" in render(result.any_depth)
    assert all(row["verdict"] == "undecided" for row in result.promises)


@pytest.mark.parametrize(
    ("name", "condition", "line"),
    [
        ("model_lock", "private", "model.acquire()"),
        ("work_queue", "any depth", "depth_max=1"),
        ("serial", "control tree", "architecture ="),
        ("unguarded", "footprint", "using=(activations, gradients)"),
        ("shared_segment", "interchangeable", "team.seats[0].segment"),
    ],
)
def test_shipped_designs_that_are_not_provable(name, condition, line):
    result = prove(load(name), fanouts=(1, 2))
    if name in ("work_queue", "serial"):
        assert (result.verdict, failing(result)[0]) == ("undecided", condition)
    else:
        assert_not_provable(result, condition, line)


def test_a_counter_for_the_whole_tree(tmp_path):
    loaded = changed(
        tmp_path,
        "node_zero",
        (IMPORT, "Seat, Steps, Team, Variable, Word, Work,"),
        ('weights = Region("weights")\n', 'weights = Region("weights")\nclaimed = Word("claimed")\n'),
        (COMPUTE, COMPUTE + "        yield claimed.add(1)\n"),
        (SHARED, "shared=(weights, claimed)"),
    )
    assert_not_provable(prove(loaded, fanouts=(1,)), "no counters", "claimed.add(1)")


def test_work_queue_without_its_limit_of_depth_is_no_wrong_holds(tmp_path):
    loaded = changed(tmp_path, "work_queue", (", depth_max=1", ""))
    result = prove(loaded, fanouts=(1, 2))
    assert result.verdict != "holds"
    assert any(row["verdict"] == "refused" for row in result.any_depth["cases"])


def test_a_barrier_for_the_whole_tree(tmp_path):
    loaded = changed(
        tmp_path,
        "node_zero",
        ('weights = Region("weights")\n', 'weights = Region("weights")\neverybody = Barrier(name="everybody")\n'),
        (ORDER, ORDER + "    yield everybody.wait()\n"),
        (COMPUTE, COMPUTE + "        yield everybody.wait()\n"),
        (SHARED, "shared=(weights, everybody)"),
    )
    assert_not_provable(prove(loaded, fanouts=(1,)), "private", "everybody.wait()")


def test_the_environment_may_not_choose_below_the_root(tmp_path):
    loaded = changed(tmp_path, "node_zero", (COMPUTE, "        yield choose(1, 2)\n" + COMPUTE))
    assert_not_provable(prove(loaded, fanouts=(1,)), "root decides", "choose(1, 2)")


def test_a_leaf_that_goes_round_by_itself(tmp_path):
    loaded = changed(
        tmp_path,
        "node_zero",
        ("class Crew(Team[Seat]):", "class Desk(Seat):\n    flag = Variable()\n\n\nclass Crew(Team[Desk]):"),
        (COMPUTE, "        while not (yield me.flag.read()):\n            pass\n" + COMPUTE),
    )
    assert_not_provable(prove(loaded, fanouts=(1,)), "interface", "me.flag.read()")


def test_a_promise_about_the_whole_tree(tmp_path):
    loaded = changed(
        tmp_path,
        "node_zero",
        ("choose, compute,", "always, choose, compute,"),
        ("promises=(uncontended,)", 'promises=(always("few", lambda view: view.about_to("compute") < 3),)'),
    )
    result = prove(loaded, fanouts=(1,))
    assert (result.verdict, failing(result)[0]) == ("undecided", "whole-tree promises")
    assert prove(loaded, fanouts=(1,), without=("few",)).verdict == "holds"


def test_further_actors_beside_the_root(tmp_path):
    loaded = changed(
        tmp_path,
        "node_zero",
        ("architecture = Arch", "def aside(team: Crew) -> Steps:\n    yield from ()\n\n\narchitecture = Arch"),
        (SHARED, SHARED + ', others={"aside": aside}'),
    )
    assert failing(prove(loaded, fanouts=(1,)))[0] == "control tree"


def test_a_budget_that_is_used_up_is_undecided():
    for result in (prove(load("node_zero"), max_states=50), prove(load("node_zero"), budget_seconds=0.0)):
        assert (result.verdict, result.exit_code) == ("undecided", 3)
        assert "budget" in result.limit
    result = prove(load("node_zero"), fanouts=(1, 2, 3), max_states=130)
    assert "Proved so far, for trees in which every control has as many children: 1, 2." in result.any_depth["words"]


def test_fan_outs_that_make_no_sense_are_a_bad_request(tmp_path):
    for fanouts in ((), (0,), (-1, 2)):
        with pytest.raises(BadRequest, match="--any-depth"):
            prove(load("node_zero"), fanouts=fanouts)
    loaded = changed(tmp_path, "node_zero", (SHARED, SHARED + ", arity=3"))
    assert prove(loaded, fanouts=range(1, 13)).any_depth["fanouts"] == [1, 2, 3]
    with pytest.raises(BadRequest, match="arity"):
        prove(loaded, fanouts=(12,))


@pytest.mark.nightly
def test_a_text_that_counts_without_bound_is_undecided_and_names_the_variable(tmp_path):
    waits = "        yield team.batch.wait()  # Point A: the order stands\n"
    loaded = changed(
        tmp_path,
        "node_zero",
        ("    order = 0\n", "    order = 0\n    count = 0\n"),
        (waits, waits + "        count += 1\n"),
    )
    result = prove(loaded, fanouts=(1,))
    assert (result.verdict, result.exit_code) == ("undecided", 3)
    assert "'count' takes ever new values" in result.limit
