"""The sweep and its tables against the semantics: every move of an accepted order is what `semantics.effects` says in
the whole state, answers as recorded, and fits the clocks.
"""

import random
from collections.abc import Sequence
from dataclasses import replace
from math import inf

import pytest

from cllm_sim.compose import System
from cllm_sim.library import load, shipped
from cllm_sim.semantics import effects
from cllm_sim.trace import Trace
from cllm_sim.validator import judge
from cllm_sim.validator.judgement import _replayed
from cllm_sim.validator.logs import Logs
from cllm_sim.validator.replay import Log
from cllm_sim.validator.search import Search
from cllm_sim.validator.sweep import Sweep
from cllm_sim.validator.tables import Step
from cllm_sim.validator.timeline import Timeline

from tests.validator.schedule import recorded
from tests.validator.tampering import tamper
from tests.validator.test_search import random_run

ENDS_EARLY = {"leaves_early", "count_too_large"}
"""Whose runs end with everybody waiting."""


def prepared(system: System, trace: Trace) -> tuple[System, list[Log]]:
    judging = replace(system, spurious=True, monitor=False, any_order=frozenset())
    return judging, _replayed(judging, trace)


def order_of(judging: System, logs: Sequence[Log]) -> list[Step]:
    search = Search(judging, logs, 1_000_000, inf)
    assert search.run() is True
    return search.order


def check(judging: System, logs: Sequence[Log], order: Sequence[Step]) -> None:
    """Follow an order through whole states."""
    state = Logs(judging, logs)
    for step in order:
        found = effects(judging, state.pending, state.memory, step.actor)
        outcome = found[step.number]
        assert (step.faults, step.events) == (outcome.faults, outcome.events)
        assert step.done == tuple(member for member, _ in outcome.done)
        undone = [state.times(actor)[1] for actor in range(len(logs)) if state.recorded(actor)]
        assert state.times(step.actor)[0] <= min(undone, default=inf)
        for member, reply in outcome.done:
            assert not state.recorded(member) or state.replies[member][state.position[member]] == reply
        state.perform(outcome)
    assert state.done == state.total


@pytest.mark.parametrize("name", sorted(shipped()))
def test_accepted_orders_are_what_the_semantics_says(name: str) -> None:
    for seed in range(4):
        workers, late_ns, events_max = ((2, 0, None), (3, 30, None), (5, 200, None), (3, 5, 40))[seed]
        system, trace = recorded(load(name), workers, steps=3, seed=seed, late_ns=late_ns, events_max=events_max)
        judging, logs = prepared(system, trace)
        check(judging, logs, order_of(judging, logs))


def test_accepted_orders_where_every_operation_meets_every_other_one() -> None:
    for seed in range(60):
        system, trace = random_run(random.Random(seed), seed)
        judging, logs = prepared(system, trace)
        check(judging, logs, order_of(judging, logs))


@pytest.mark.parametrize("name", sorted(set(shipped()) - ENDS_EARLY))
def test_the_sweep_alone_judges_runs_that_break_no_rule(name: str) -> None:
    """No search at all, whatever there is: barriers, mutexes, conditions, a counter for claims."""
    system, trace = recorded(load(name), 4, steps=4, seed=2, late_ns=100)
    judging, logs = prepared(system, trace)
    sweep, order = Sweep(judging, logs, Timeline(judging, logs)), list[Step]()
    assert sweep.run(order, 10**9, inf)
    faulty = judge(system, trace, path=load(name).path).classes
    if not set(faulty) - {"race", "race-on-weights"}:
        assert sum(sweep.position()) == trace.events
        check(judging, logs, order)


@pytest.mark.parametrize("name", ["node_zero", "model_lock", "work_queue", "sliced_reduce"])
def test_refuting_costs_no_more_moves_than_confirming(name: str) -> None:
    loaded = load(name)
    system, trace = recorded(loaded, 12, steps=6, seed=3, late_ns=200)
    confirmed = judge(system, trace, path=loaded.path).moves
    refuted = 0
    for what in ("answered", "early", "late", "dropped"):
        for seed in range(6):
            tampered = tamper(trace, what, seed)
            judged = judge(system, tampered.trace, path=loaded.path) if tampered else None
            if judged is not None and judged.legal is False:
                refuted += 1
                assert judged.moves <= 3 * confirmed
    assert refuted >= 8


def test_mutexes_taken_at_the_same_moment() -> None:
    """Two actors took a mutex for no time at one moment: which one came first is not known from their ends."""
    loaded = load("model_lock")
    system, trace = recorded(loaded, 3, steps=2, seed=1)
    for divisor in (10, 50, 1000):
        coarse = {
            name: tuple(event._replace(begin=event.begin // divisor, end=event.end // divisor) for event in log)
            for name, log in trace.actors.items()
        }
        assert judge(system, Trace(trace.header, coarse), path=loaded.path).legal is True


def test_going_on_from_a_state_of_the_search() -> None:
    """The slots made from a state of the semantics are those that the sweep has there itself."""
    for name in ("model_lock", "node_zero", "work_queue"):
        system, trace = recorded(load(name), 3, steps=2, seed=4, late_ns=50)
        judging, logs = prepared(system, trace)
        for moves in range(1, 60, 7):
            sweep, order = Sweep(judging, logs, Timeline(judging, logs)), list[Step]()
            sweep.run(order, moves, inf)
            state = Logs(judging, logs)
            for step in order:
                state.perform(effects(judging, state.pending, state.memory, step.actor)[step.number])
            other = Sweep(judging, logs, Timeline(judging, logs))
            other.stand(state.position, state.pending, state.memory)
            assert (other.at, other.slots) == (sweep.at, sweep.slots)
            assert other.run(order, 10**9, inf)
            assert sum(other.position()) == trace.events
            check(judging, logs, order)
