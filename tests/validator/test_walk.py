"""What a legal run kept of its promises: faults with their places, waiting for mutexes, who is stuck at the end."""

from dataclasses import replace
from pathlib import Path

import pytest

from cllm_sim.architecture import always, sometimes
from cllm_sim.compose import compose
from cllm_sim.library import load
from cllm_sim.trace import Trace
from cllm_sim.tree import Tree
from cllm_sim.validator import judge

from tests.validator.schedule import recorded

NAMED = {
    "early_reduce": {"race", "stale-read", "lost-batch"},
    "control_computes": {"role", "double-processing"},
    "shared_segment": {"race", "ownership"},
    "forgets_last_child": {"race"},
    "unguarded": {"race"},
}


@pytest.mark.parametrize("name", NAMED)
def test_faults_are_listed_with_their_places(name: str) -> None:
    loaded = load(name)
    source = Path(loaded.path).read_text(encoding="utf-8").splitlines()
    system, trace = recorded(loaded, 3, steps=4)
    judged = judge(system, trace, path=loaded.path)
    assert judged.legal is True
    assert NAMED[name] <= {found.removesuffix("-on-weights") for found in judged.classes}
    for fault in judged.faults:
        event = trace.actors[fault["actor"]][fault["event"]]
        assert (fault["op"], fault["reply"]) == (event.op, event.reply)
        assert fault["path"] == loaded.path
        assert event.op.split()[0].split("_")[0] in source[fault["line"] - 1]
        assert fault["count"] >= 1
        assert fault["text"]


@pytest.mark.parametrize("name", ["node_zero", "model_lock", "sliced_reduce", "work_queue", "serial"])
def test_sound_designs_have_no_faults(name: str) -> None:
    loaded = load(name)
    for seed in range(4):
        system, trace = recorded(loaded, 4, steps=4, seed=seed, late_ns=500)
        assert judge(system, trace, path=loaded.path).faults == ()


def test_a_fault_that_another_order_avoids_is_not_reported() -> None:
    """The fold ended before the compute did, but they overlap: nothing says that the segment was empty."""
    loaded = load("early_reduce")
    system, trace = recorded(loaded, 2, steps=1)
    logs = {name: list(log) for name, log in trace.actors.items()}
    computes = [event for log in logs.values() for event in log if event.op.startswith("compute")]
    index = next(n for n, event in enumerate(logs["0"]) if event.op.startswith("fold"))
    first, last = min(event.begin for event in computes), max(event.begin for event in computes)
    fold = logs["0"][index]
    logs["0"][index] = fold._replace(begin=min(fold.begin, first), end=max(fold.begin, last))
    for later in range(index + 1, len(logs["0"])):
        event = logs["0"][later]
        logs["0"][later] = event._replace(begin=event.begin + 10_000, end=event.end + 10_000)
    for name in ("0.0", "0.1"):
        logs[name] = [
            event if number < 3 else event._replace(begin=event.begin + 10_000, end=event.end + 10_000)
            for number, event in enumerate(logs[name])
        ]
        logs[name][3] = logs[name][3]._replace(begin=logs[name][2].end)
    judged = judge(system, Trace(trace.header, {name: tuple(log) for name, log in logs.items()}), path=loaded.path)
    assert judged.legal is True
    assert "race" in judged.classes
    assert "stale-read" not in judged.classes


def test_waiting_for_a_mutex_is_measured() -> None:
    """All other workers wait for the model while the first one computes."""
    loaded = load("model_lock")
    system, trace = recorded(loaded, 4, steps=1, last=["compute"])
    judged = judge(system, trace, path=loaded.path)
    assert judged.legal is True
    desks = {f"0.{number}/lock" for number in range(4)}
    assert set(judged.contention) == {"model", "0/lock", *desks}
    assert judged.contention["model"] == 3
    assert judged.contention["0/lock"] == 0
    assert max(judged.contention[name] for name in desks) <= 1
    assert judged.contended is not None
    assert (judged.contended["op"], judged.contended["count"]) == ("release model", 3)


@pytest.mark.parametrize(("name", "waits_for"), [("count_too_large", "0/batch"), ("leaves_early", "0/batch")])
def test_a_deadlock_at_the_end_of_an_unfinished_run(name: str, waits_for: str) -> None:
    """The semantics says that nobody can move: that is a broken promise, and no illegal trace."""
    loaded = load(name)
    system, trace = recorded(loaded, 3, steps=2)
    judged = judge(system, trace, path=loaded.path)
    assert judged.legal is True
    assert not judged.complete
    assert judged.classes == ("deadlock",)
    assert {row["waits_for"] for row in judged.stuck} == {waits_for}
    assert all(row["line"] > 0 for row in judged.stuck)


def test_an_interrupted_run_is_no_deadlock() -> None:
    loaded = load("node_zero")
    for seed in range(10):
        system, trace = recorded(loaded, 3, steps=3, seed=seed, events_max=20 + seed)
        judged = judge(system, trace, path=loaded.path)
        assert judged.faults == ()
        assert judged.stuck == ()


def test_promises_of_the_architectures_own() -> None:
    """`always` is broken by a single state on the way, `sometimes` is fulfilled by one."""
    loaded = load("node_zero")
    promises = (
        always("never all at once", lambda state: state.about_to("compute") < state.workers),
        always("orders are known", lambda state: all(0 <= order <= 3 for order in state.values("order"))),
        sometimes("somebody folds", lambda state: state.about_to("fold") == 1),
        sometimes("somebody sleeps", lambda state: state.about_to("sleep") > 0),
    )
    _, trace = recorded(loaded, 2, steps=6, seed=2)
    system = compose(replace(loaded.architecture, promises=promises), Tree(2, 1))
    judged = judge(system, trace, path=loaded.path)
    assert judged.legal is True
    assert judged.classes == ("never all at once",)
    assert judged.own_seen == {"somebody folds"}
