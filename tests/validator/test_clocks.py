"""Vector clocks against the marks of the semantics, and the walk over steps against the walk over states."""

import random
from math import inf

import pytest

from cllm_sim.library import load, shipped
from cllm_sim.semantics import Mark, ordered
from cllm_sim.validator.clocks import Clocks
from cllm_sim.validator.search import Search
from cllm_sim.validator.walk import every_state, unbroken, walk

from tests.validator.schedule import recorded
from tests.validator.test_search import random_run
from tests.validator.test_sweep import order_of, prepared


def test_the_first_race_is_the_same() -> None:
    """On texts in which every operation meets every other one, racy or not."""
    found = {True: 0, False: 0}
    for seed in range(80):
        system, trace = random_run(random.Random(seed), seed)
        judging, logs = prepared(system, trace)
        clocks, raced = Clocks(judging), False
        marks: tuple[Mark, ...] = ()
        for step in order_of(judging, logs):
            marks, races = ordered(judging, marks, step.events)
            raced = clocks.race(step.events)
            assert raced == bool(races)
            if raced:
                break
        found[raced] += 1
    assert min(found.values()) >= 15


@pytest.mark.parametrize("name", sorted(shipped()))
def test_the_walk_over_steps_sees_what_the_walk_over_states_does(name: str) -> None:
    """Where nothing is broken; else it says so. Contention is the same, and where it was worst."""
    for seed in range(4):
        workers, late_ns, events_max = ((2, 0, None), (3, 30, None), (6, 200, None), (3, 5, 40))[seed]
        last = ["compute"] if seed % 2 else []
        system, trace = recorded(
            load(name), workers, steps=3, seed=seed, late_ns=late_ns, events_max=events_max, last=last
        )
        judging, logs = prepared(system, trace)
        order = order_of(judging, logs)
        short, whole = unbroken(judging, logs, order), every_state(judging, logs, order)
        assert (short is None) == bool(whole.seen)
        if short is not None:
            assert short.contention == whole.contention


def test_waiting_at_the_end_of_an_unfinished_run_counts() -> None:
    """Nobody gives the mutex back before the run ends, and still the others wait for it."""
    loaded = load("model_lock")
    more = 0
    for events_max in range(20, 100, 5):
        system, trace = recorded(loaded, 4, steps=2, seed=3, last=["compute"], events_max=events_max)
        judging, logs = prepared(system, trace)
        search = Search(judging, logs, 1_000_000, inf)
        assert search.run() is True
        given_back = unbroken(judging, logs, search.order)
        assert given_back is not None
        model = system.bind[0]["model"]
        assert isinstance(model, int)
        holder = search.memory.value[model]
        waiting = walk(judging, logs, search.order, search).contention[model].waiters
        assert waiting >= given_back.contention[model].waiters
        if waiting > given_back.contention[model].waiters:
            more += 1
            assert holder > 0
    assert more
