"""Each check of the proof is needed: without it a wrong control would be accepted. (Seeded faults in the prover.)"""

import pytest

from cllm_sim.induction import actions, explore, interface, moves, prove, tags

from tests.induction.designs import below_root
from tests.induction.test_refused import WRONG


def verdict(tmp_path, name):
    """Is the wrong control accepted by the induction step?"""
    wrong = WRONG[name]
    found = prove(below_root(tmp_path, wrong.statements, wrong.initial), fanouts=(wrong.workers,)).any_depth
    case = next(row for row in found["cases"] if row["name"] == "control")
    return case["verdict"], (case["counterexample"] or {}).get("class")


def nothing(*_args):
    """A check that was forgotten."""


@pytest.mark.parametrize("name", ["serves an old order"])
def test_without_tags_an_old_order_is_accepted(name, tmp_path, monkeypatch):
    """The reference's finding: an untagged interface accepts a node that works on an old command."""
    assert verdict(tmp_path, name) == ("refused", "old-tag")
    monkeypatch.setattr(tags.Tags, "carry", lambda *_: ())
    monkeypatch.setattr(interface.Interface, "untagged", nothing)
    assert verdict(tmp_path, name) == ("holds", None)


@pytest.mark.parametrize("name", ["never arrives", "leaves its children behind"])
def test_with_traces_alone_a_node_that_stops_is_accepted(name, tmp_path, monkeypatch):
    assert verdict(tmp_path, name) == ("refused", "refusal")
    monkeypatch.setattr(explore.Walk, "_stuck", nothing)
    assert verdict(tmp_path, name) == ("holds", None)


def test_without_divergences_a_spin_is_accepted(tmp_path, monkeypatch):
    assert verdict(tmp_path, "spins for ever") == ("refused", "divergence")
    monkeypatch.setattr(explore.Walk, "_rounds", nothing)
    assert verdict(tmp_path, "spins for ever") == ("holds", None)


def test_without_faults_inside_a_control_that_computes_is_accepted(tmp_path, monkeypatch):
    assert verdict(tmp_path, "computes itself") == ("refused", "role")
    monkeypatch.setattr(explore.Walk, "_judge", nothing)
    assert verdict(tmp_path, "computes itself")[1] != "role"


def test_without_the_end_of_the_step_a_forgotten_child_shows_only_later(tmp_path, monkeypatch):
    assert verdict(tmp_path, "forgets all children but one") == ("refused", "lost-batch")
    monkeypatch.setattr(moves.Moves, "step_ends", lambda self, world: actions.Move(99, None, world, (), "", ()))
    assert verdict(tmp_path, "forgets all children but one")[1] != "lost-batch"


def test_without_windows_an_access_at_another_time_shows_only_later(tmp_path, monkeypatch):
    assert verdict(tmp_path, "arrives once too often") == ("refused", "window")
    monkeypatch.setattr(explore.Walk, "_windows", nothing)
    assert verdict(tmp_path, "arrives once too often")[1] != "window"
