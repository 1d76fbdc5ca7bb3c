"""Wrong controls are refused by the induction step, each with what happened and what would have been allowed.

Every one is right at depth 1 (the root's own control is), so nothing but the step can refuse it; where a promise is
broken, a real tree of depth 2 shows it as well.
"""

from pathlib import Path
from typing import NamedTuple

import pytest

from cllm_sim import checker
from cllm_sim.induction import prove
from cllm_sim.report.text_induction import render

from tests.induction.designs import AN_EPOCH, COMMAND, FOLD, POINT_B, RIGHT, below_root, changed


class Wrong(NamedTuple):
    """A wrong control: its statements, the class, the fan-out that shows it, and a word of the line that is blamed."""

    statements: str
    kind: str
    workers: int
    blamed: str
    real: bool = True
    initial: str = "0"


WRONG = {
    "reduces before the children have written": Wrong(
        COMMAND + "    if order == BATCH:\n" + FOLD + "        yield team.batch.wait()\n" + AN_EPOCH,
        "stale-read",
        1,
        "fold(team.each.segment",
    ),
    "skips the barrier of its children": Wrong(
        COMMAND + "    if order == BATCH:\n" + FOLD + AN_EPOCH, "stale-read", 1, "fold(team.each.segment"
    ),
    "does not wait for the order to stand": Wrong(
        "    yield team.order.write(order)\n" + POINT_B + FOLD + AN_EPOCH, "refusal", 1, "while order != STOP"
    ),
    "writes twice": Wrong(COMMAND + POINT_B + FOLD + FOLD + AN_EPOCH, "double-processing", 1, "fold(team.each.segment"),
    "arrives before it has written": Wrong(
        COMMAND + POINT_B + "        yield me.last.write(1)\n" + AN_EPOCH, "trace", 1, "team.batch.wait()"
    ),
    "writes one step late": Wrong(
        "    late = yield me.last.read()\n    if late:\n"
        + FOLD
        + "        yield me.last.write(0)\n"
        + COMMAND
        + POINT_B
        + "        yield me.last.write(1)\n"
        + AN_EPOCH,
        "trace",
        1,
        "team.batch.wait()",
    ),
    "uses the command of the step before": Wrong(
        "    late = yield me.last.read()\n    yield me.last.write(order)\n    order = late\n" + RIGHT,
        "trace",
        1,
        "team.batch.wait()",
    ),
    "forgets all children but one": Wrong(
        COMMAND
        + POINT_B
        + "        yield team.next()\n        yield fold(team.at.segment, into=me.segment)\n"
        + "        while (yield team.next()):\n            pass\n"
        + AN_EPOCH,
        "lost-batch",
        2,
        "",
    ),
    "folds the segments of the step before": Wrong(
        "    if order == BATCH:\n" + FOLD + COMMAND + POINT_B + AN_EPOCH, "stale-read", 1, "fold(team.each.segment"
    ),
    "never arrives": Wrong(
        COMMAND + POINT_B + "        yield team.epoch.wait()\n" + FOLD + AN_EPOCH, "refusal", 1, "team.epoch.wait()"
    ),
    "arrives once too often": Wrong(
        COMMAND + POINT_B + FOLD + "        yield team.batch.wait()\n" + AN_EPOCH, "window", 1, "compute(weights"
    ),
    "spins for ever": Wrong(
        COMMAND + POINT_B + "        while not (yield me.last.read()):\n            pass\n" + FOLD + AN_EPOCH,
        "divergence",
        1,
        "me.last.read()",
    ),
    "serves an old order": Wrong(
        "    if order != BATCH:\n        yield team.order.write(order)\n    yield team.batch.wait()\n"
        + POINT_B
        + FOLD
        + AN_EPOCH
        + "        yield team.order.write(BATCH)\n",
        "old-tag",
        1,
        "fold(team.each.segment",
        real=False,
        initial="BATCH",
    ),
    "computes itself": Wrong(
        COMMAND + POINT_B + "        yield compute(weights, into=me.segment)\n" + AN_EPOCH,
        "role",
        1,
        "compute(weights",
    ),
    "hands down another order": Wrong(
        "    yield team.order.write(EPOCH if order == BATCH else order)\n    yield team.batch.wait()\n"
        "    if order == BATCH:\n        yield team.epoch.wait()\n" + FOLD + AN_EPOCH,
        "stale-read",
        1,
        "fold(team.each.segment",
    ),
    "leaves its children behind": Wrong(
        "    if order == STOP:\n        return\n" + RIGHT, "refusal", 1, "while order != STOP"
    ),
    "delivers at an epoch": Wrong(RIGHT + FOLD, "window", 1, "fold(team.each.segment"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_control_is_refused_by_the_step(name, tmp_path):
    wrong = WRONG[name]
    loaded = below_root(tmp_path, wrong.statements, wrong.initial)
    result = prove(loaded, fanouts=(1, 2))
    found = result.any_depth
    refused = [row for row in found["cases"] if row["verdict"] != "holds"]
    assert [(row["name"], row["workers"]) for row in refused] == [("control", wrong.workers)]
    assert ("root", wrong.workers, "holds") in [(row["name"], row["workers"], row["verdict"]) for row in found["cases"]]
    example = refused[0]["counterexample"]
    assert example["class"] == wrong.kind
    assert len(example["steps"]) >= 4
    line = Path(loaded.path).read_text(encoding="utf-8").splitlines()[example["line"] - 1]
    assert wrong.blamed in line
    assert result.verdict == ("broken" if wrong.real else "undecided")
    assert found["confirmed_on"] == ({"workers": wrong.workers, "depth": 2} if wrong.real else None)
    assert result.exit_code == (1 if wrong.real else 3)


@pytest.mark.parametrize("name", ["arrives before it has written", "spins for ever", "never arrives"])
def test_the_terminal_shows_the_steps_and_what_was_allowed(name, tmp_path):
    wrong = WRONG[name]
    text = render(prove(below_root(tmp_path, wrong.statements), fanouts=(1,)).any_depth)
    assert f"control with 1 worker: {wrong.kind}" in text
    assert "| outside: read parent/order" in text
    assert "allowed: deliver node/segment, with the order of this step (below_root.py:" in text
    assert ("again and again" in text) == (wrong.kind == "divergence")


def test_steps_keep_the_names_of_children(tmp_path):
    """The same child reads its order before it computes: names do not jump along the counterexample."""
    wrong = WRONG["forgets all children but one"]
    found = prove(below_root(tmp_path, wrong.statements), fanouts=(2,)).any_depth
    example = next(row["counterexample"] for row in found["cases"] if row["counterexample"])
    for child in ("child 0", "child 1"):
        ops = [step["op"] for step in example["steps"] if step["actor"] == child]
        assert ops[:3] == ["wait node/batch", "read node/order", f"compute {child}/segment"]
    assert example["steps"][-1]["actor"] == "the parent"


def test_right_controls_are_not_refused(tmp_path):
    harmless = "    yield me.last.write(order)\n"
    keeps_epochs_to_itself = "    if order == EPOCH:\n        return\n" + COMMAND + POINT_B + FOLD
    touches_more_than_the_root = RIGHT + "    while (yield team.next()):\n        yield team.at.last.write(0)\n"
    for statements in (RIGHT, harmless + RIGHT, keeps_epochs_to_itself, touches_more_than_the_root):
        loaded = below_root(tmp_path, statements)
        assert prove(loaded, fanouts=(1, 2)).verdict == "holds", statements
        assert checker.run(loaded, workers=1, depth=2).verdict == "holds"


def test_a_wrong_root_is_broken_at_depth_one(tmp_path):
    loaded = changed(tmp_path, "node_zero", ("yield update(me.segment, into=weights)", "pass"))
    result = prove(loaded, fanouts=(2,))
    assert result.verdict == "broken"
    assert result.any_depth["confirmed_on"] == {"workers": 2, "depth": 1}
    assert result.counterexample["schedule"]


def test_a_root_that_never_ends_is_not_called_right(tmp_path):
    loaded = changed(tmp_path, "node_zero", ("choose(BATCH, EPOCH, STOP)", "choose(BATCH, EPOCH)"))
    result = prove(loaded, fanouts=(1,))
    assert result.verdict == "broken"
    assert result.any_depth["cases"][0]["counterexample"]["class"] == "livelock"


def test_shares_that_lose_items_are_broken_at_every_depth(tmp_path):
    result = prove(changed(tmp_path, "lost_remainder"), fanouts=(1, 2))
    assert result.verdict == "broken"
    assert [row["class"] for row in result.broken] == ["coverage"]
