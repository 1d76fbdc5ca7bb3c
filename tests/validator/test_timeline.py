"""What is called free must be free: compared with the exhaustive search on runs full of what each rule is about, and
with every rule made wrong in turn, which has to be noticed.
"""

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cllm_sim.compose import System
from cllm_sim.library import load
from cllm_sim.trace import Event, Trace
from cllm_sim.validator import judge
from cllm_sim.validator.sweep import Sweep
from cllm_sim.validator.timeline import Timeline

from tests.validator import everything
from tests.validator.exhaustive import legal
from tests.validator.schedule import Schedule, recorded, system_of
from tests.validator.tampering import tamper
from tests.validator.test_search import falsified, narrowed, shifted

EVERYTHING = load(str(Path(__file__).with_name("everything.py")))
VALUES, BARRIERS, LOCKS = (2, 3, 4, 5, 12), (8,), (1, 9, 10, 6, 7)
STATES_MAX = 20_000


def run(seed: int, kinds: tuple[int, ...]) -> tuple[System, Trace]:
    """A run of two or three workers who mostly do a few kinds of things; its clock may be coarse."""
    chance = random.Random(seed)
    workers = chance.choice((2, 3))
    system = system_of(EVERYTHING, workers)
    done = [chance.choice(kinds), chance.choice(kinds), chance.randrange(1, everything.KINDS + 1)]
    orders = [chance.choice(done) for _ in range(workers * chance.randrange(3, 7 if workers == 2 else 5))]
    schedule = Schedule(
        replace(system, monitor=False), [*orders, *[0] * 20], seed, late_ns=chance.choice((0, 1, 3, 5, 30, 100))
    )
    schedule.run(chance.choice((None, None, chance.randrange(5, 40))))
    trace = schedule.trace(EVERYTHING, 1)
    logs = {name: list(log) for name, log in trace.actors.items()}
    way = chance.choice((shifted, narrowed, falsified, None))
    if way is not None:
        way(logs, chance.choice(sorted(logs)), chance)
    coarse = chance.choice((1, 1, 2, 5, 10))
    return system, Trace(
        trace.header,
        {
            name: tuple(e._replace(begin=e.begin // coarse, end=e.end // coarse) for e in log)
            for name, log in logs.items()
        },
    )


def disagreements(kinds: tuple[int, ...], seeds: int) -> int:
    """In how many runs the judge and the exhaustive search say different things."""
    found = compared = 0
    for seed in range(seeds):
        system, trace = run(seed, kinds)
        wanted = legal(system, trace, STATES_MAX)
        if wanted is not None:
            compared += 1
            found += judge(system, trace, path=EVERYTHING.path, budget_moves=100_000).legal is not wanted
    assert compared >= 0.8 * seeds
    return found


@pytest.mark.parametrize("kinds", [VALUES, BARRIERS, LOCKS], ids=["values", "barriers", "locks"])
def test_nothing_is_called_free_that_is_not(kinds: tuple[int, ...]) -> None:
    assert disagreements(kinds, 60) == 0


@pytest.mark.nightly
@pytest.mark.parametrize("kinds", [VALUES, BARRIERS, LOCKS], ids=["values", "barriers", "locks"])
def test_nothing_is_called_free_that_is_not_in_many_runs(kinds: tuple[int, ...]) -> None:
    assert disagreements(kinds, 1_500) == 0


def without_members(line: Timeline, system: System) -> None:
    """A barrier with more members than parties is taken for one with as many."""
    line._members.clear()
    JUDGE(line, system)


def whenever(sweep: Sweep, cell: object, serial: int, time: int, order: object) -> bool:
    """A barrier opens, although the wait of some who have arrived was over before."""
    return bool(ARRIVE(sweep, cell, serial, -1, order))


JUDGE: Callable[..., None] = Timeline._judge
ARRIVE: Callable[..., bool] = Sweep._arrive

FAULTS = {
    "a value is changed while others still need it": (Timeline, "alone", lambda line, serial, at: True, VALUES),
    "more members than parties": (Timeline, "_judge", without_members, BARRIERS),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_wrong_rule_is_noticed(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    where, name, wrong, kinds = FAULTS[fault]
    monkeypatch.setattr(where, name, wrong)
    assert disagreements(kinds, 60) > 0


def test_a_barrier_that_opened_after_a_wait_was_over(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = load("node_zero")
    system, trace = recorded(loaded, 3, steps=3, seed=2)
    lies = [found.trace for seed in range(40) if (found := tamper(trace, "early", seed)) is not None]
    lies = [lie for lie in lies if not judge(system, lie, path=loaded.path).legal]
    assert len(lies) >= 10
    monkeypatch.setattr(Sweep, "_arrive", whenever)
    assert any(judge(system, lie, path=loaded.path).legal for lie in lies)


def tied() -> tuple[System, Trace]:
    """Two workers took a mutex at one moment, the second one for no time at all: it must have come first."""
    end = ("wait 0/end", 0, 95, 200)
    rows = {
        "0": [("add word 5", 0, 0, 1), ("write flag 2", 0, 1, 2), end],
        "0.0": [
            ("choose", 1, 3, 4),
            ("acquire mutex", 0, 5, 10),
            ("write flag 1", 0, 30, 31),
            ("release mutex", 0, 31, 40),
            ("choose", 0, 40, 41),
            end,
        ],
        "0.1": [
            ("choose", 1, 3, 4),
            ("acquire mutex", 0, 5, 10),
            ("write flag 1", 0, 10, 10),
            ("release mutex", 0, 10, 12),
            ("choose", 0, 40, 41),
            end,
        ],
        "side": [
            ("acquire mutex", 0, 55, 80),
            ("load word", 5, 80, 81),
            ("release mutex", 0, 82, 83),
            ("add word 1", 5, 93, 94),
        ],
    }
    logs = {name: tuple(Event(*row) for row in log) for name, log in rows.items()}
    return system_of(EVERYTHING, 2), Trace({"complete": True}, logs)


def test_a_mutex_taken_twice_at_one_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    system, trace = tied()
    assert legal(system, trace) is True
    assert judge(system, trace, path=EVERYTHING.path).legal is True

    def untied(line: Timeline, system: System) -> None:
        JUDGE(line, system)
        line.tied.clear()

    monkeypatch.setattr(Timeline, "_judge", untied)
    assert judge(system, trace, path=EVERYTHING.path).legal is False
