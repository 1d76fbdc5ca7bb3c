"""Runs of a random scheduler are legal, whatever the architecture, and cost one move per event.

`schedule.py` makes them without the judge and without the simulator, its clock as late as a real one.
"""

import random
from dataclasses import replace

import pytest

from cllm_sim.library import load, shipped
from cllm_sim.trace import Trace
from cllm_sim.validator import judge

from tests.validator.schedule import Schedule, recorded, system_of

MOVES_PER_SLEEP = 4
"""Falling asleep and taking the mutex back are moves of their own, and so may be waking up."""


def sleeps(trace: Trace) -> int:
    return sum(event.op.startswith("sleep") for log in trace.actors.values() for event in log)


@pytest.mark.parametrize("workers", [2, 3, 12])
@pytest.mark.parametrize("name", sorted(shipped()))
def test_every_architecture(name: str, workers: int) -> None:
    loaded = load(name)
    for seed in (1, 2):
        system, trace = recorded(loaded, workers, steps=3, seed=seed)
        judged = judge(system, trace, path=loaded.path)
        assert judged.legal is True, judged.first_illegal
        assert judged.judged == judged.events == trace.events
        if name != "count_too_small":  # where arrivals that overlap may open the barrier for different actors
            assert judged.moves <= trace.events + MOVES_PER_SLEEP * sleeps(trace)


@pytest.mark.parametrize(("workers", "steps"), [(2, 5), (12, 1)])
def test_two_levels(workers: int, steps: int) -> None:
    loaded = load("node_zero")
    system, trace = recorded(loaded, workers, 2, steps=steps)
    judged = judge(system, trace, path=loaded.path)
    assert judged.legal is True
    assert judged.moves == trace.events
    assert judged.faults == ()


@pytest.mark.parametrize("late_ns", [0, 1, 1000])
@pytest.mark.parametrize("name", ["model_lock", "work_queue", "unguarded", "count_too_small"])
def test_clocks_read_late(name: str, late_ns: int) -> None:
    """The recorded times of neighbouring events may be in the wrong order; what they rule out never happened."""
    loaded = load(name)
    for seed in range(6):
        system, trace = recorded(loaded, 4, steps=3, seed=seed, late_ns=late_ns)
        assert judge(system, trace, path=loaded.path).legal is True


def test_spurious_wake_ups_are_allowed() -> None:
    """Real condition variables have them."""
    loaded = load("model_lock")
    seen = 0
    for seed in range(5):
        system, trace = recorded(loaded, 3, steps=2, seed=seed, spurious=True)
        assert judge(system, trace, path=loaded.path).legal is True
        seen += sleeps(trace)
    assert seen > sleeps(recorded(loaded, 3, steps=2, seed=0)[1]) * 5


@pytest.mark.parametrize("name", ["node_zero", "model_lock", "work_queue", "count_too_small", "forgets_last_child"])
def test_interrupted_runs_are_legal_prefixes(name: str) -> None:
    """Whoever was in the middle of an operation may have performed it without recording it."""
    loaded = load(name)
    for seed in range(12):
        system, trace = recorded(loaded, 3, steps=3, seed=seed, events_max=10 + 5 * seed)
        assert not trace.header["complete"]
        assert judge(system, trace, path=loaded.path).legal is True


@pytest.mark.parametrize("name", ["node_zero", "model_lock", "work_queue"])
def test_killed_between_an_operation_and_its_record(name: str) -> None:
    loaded = load(name)
    for seed in range(12):
        system, trace = recorded(loaded, 3, steps=2, seed=seed)
        victim = random.Random(seed).choice([actor for actor, log in trace.actors.items() if log])
        logs = {**trace.actors, victim: trace.actors[victim][:-1]}
        lengths = {actor: len(log) for actor, log in logs.items()}
        killed = Trace({**trace.header, "complete": False, "lengths": lengths}, logs)
        assert judge(system, killed, path=loaded.path).legal is True


def test_a_log_too_short_for_its_run_limits_what_is_judged() -> None:
    """One actor's log was full: nothing is concluded from what the others did afterwards."""
    loaded = load("node_zero")
    system, trace = recorded(loaded, 3, steps=6)
    kept = trace.actors["0.1"][:9]
    lengths = {**trace.header["lengths"], "0.1": len(kept)}
    header = {**trace.header, "complete": False, "lengths": lengths}
    short = Trace(header, {**trace.actors, "0.1": kept})
    assert judge(system, short, path=loaded.path).legal is False
    judged = judge(system, replace(short, header={**header, "cut": ["0.1"]}), path=loaded.path)
    assert judged.legal is True
    assert judged.judged == sum(event.end <= kept[-1].end for log in trace.actors.values() for event in log)
    assert judged.judged < judged.events


def test_a_serial_run_and_a_run_without_steps() -> None:
    for name in ("serial", "node_zero"):
        loaded = load(name)
        system, trace = recorded(loaded, 2, steps=0)
        assert judge(system, trace, path=loaded.path).legal is True


def test_a_long_run_is_judged_in_one_sweep() -> None:
    loaded = load("model_lock")
    system = system_of(loaded, 12)
    schedule = Schedule(replace(system, monitor=False), [1] * 20 + [3], seed=5, late_ns=200)
    schedule.run()
    trace = schedule.trace(loaded, 20)
    judged = judge(system, trace, path=loaded.path)
    assert judged.legal is True
    assert judged.moves <= trace.events + MOVES_PER_SLEEP * sleeps(trace)
