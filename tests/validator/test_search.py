"""The search and its four aids against a search that knows none of them, on texts in which every operation meets every
other one, with traces that were recorded, shifted, narrowed, falsified, or stripped of their clocks.
"""

import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from cllm_sim.architecture import Loaded
from cllm_sim.compose import System
from cllm_sim.library import load
from cllm_sim.trace import Event, Trace
from cllm_sim.validator import judge

from tests.validator import everything
from tests.validator.exhaustive import legal
from tests.validator.schedule import Schedule, system_of

EVERYTHING: Loaded = load(str(Path(__file__).with_name("everything.py")))
ANSWERED = ("add", "load", "exchange", "read")
Logs = dict[str, list[Event]]


def random_run(chance: random.Random, seed: int) -> tuple[System, Trace]:
    """A run of two or three workers who do a few kinds of things at random; it may end in a deadlock or be
    interrupted.
    """
    workers = chance.choice((2, 3))
    system = system_of(EVERYTHING, workers)
    kinds = chance.sample(range(1, everything.KINDS + 1), k=chance.randrange(2, 6))
    orders = [chance.choice(kinds) for _ in range(workers * chance.randrange(3, 5 if workers == 3 else 9))]
    spurious = chance.random() < 0.3
    late_ns = chance.choice((0, 5, 30, 100))
    schedule = Schedule(replace(system, monitor=False, spurious=spurious), [*orders, *[0] * 20], seed, late_ns)
    schedule.run(chance.choice((None, None, chance.randrange(5, 30))))
    return system, schedule.trace(EVERYTHING, 1)


def shifted(logs: Logs, name: str, chance: random.Random) -> None:
    late = chance.randrange(1, 400)
    logs[name] = [event._replace(begin=event.begin + late, end=event.end + late) for event in logs[name]]


def narrowed(logs: Logs, name: str, chance: random.Random) -> None:
    """One event took no time, at one end of the time that it took."""
    if logs[name]:
        index = chance.randrange(len(logs[name]))
        event = logs[name][index]
        moment = chance.choice((event.begin, event.end))
        logs[name][index] = event._replace(begin=moment, end=moment)


def widened(logs: Logs, name: str, chance: random.Random) -> None:
    """Every event began as soon as the one before it had ended."""
    for log in logs.values():
        ends = [0, *(event.end for event in log)]
        log[:] = [event._replace(begin=end) for event, end in zip(log, ends, strict=False)]


def falsified(logs: Logs, name: str, chance: random.Random) -> None:
    """One reply that a text may get from the others is another one."""
    found = [(log, n) for log in logs.values() for n, event in enumerate(log) if event.op.split()[0] in ANSWERED]
    if found:
        log, index = chance.choice(found)
        log[index] = log[index]._replace(reply=chance.choice((0, 1, 2, 3, 5, 6, 7)))


def timeless(logs: Logs, name: str, chance: random.Random) -> None:
    for log in logs.values():
        log[:] = [event._replace(begin=0, end=0) for event in log]


def timeless_and_falsified(logs: Logs, name: str, chance: random.Random) -> None:
    timeless(logs, name, chance)
    falsified(logs, name, chance)


WAYS = (shifted, narrowed, widened, falsified, timeless, timeless_and_falsified)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_the_verdict_is_that_of_an_exhaustive_search(way) -> None:
    found: Counter[bool] = Counter()
    for seed in range(40):
        chance = random.Random(f"{way.__name__} {seed}")
        system, trace = random_run(chance, seed)
        logs = {name: list(log) for name, log in trace.actors.items()}
        way(logs, chance.choice(sorted(logs)), chance)
        changed = Trace(trace.header, {name: tuple(log) for name, log in logs.items()})
        wanted = legal(system, changed)
        assert wanted is not None
        judged = judge(system, changed, path=EVERYTHING.path, budget_moves=100_000)
        assert judged.legal is wanted, f"seed {seed}: {judged.first_illegal}"
        found[wanted] += 1
    assert found[True] >= 5
    if way in (shifted, falsified, timeless_and_falsified):
        assert found[False] >= 5


def test_unrecorded_operations_are_found_like_by_an_exhaustive_search() -> None:
    """The last event of anybody may be missing in an unfinished run, whatever it was and whoever depends on it."""
    for seed in range(40):
        chance = random.Random(f"killed {seed}")
        system, trace = random_run(chance, seed)
        victim = chance.choice([name for name, log in trace.actors.items() if log])
        logs = {**trace.actors, victim: trace.actors[victim][:-1]}
        lengths = {name: len(log) for name, log in logs.items()}
        killed = Trace({**trace.header, "complete": False, "lengths": lengths}, logs)
        assert legal(system, killed)
        assert judge(system, killed, path=EVERYTHING.path).legal is True


def test_a_mutex_given_back_by_somebody_else() -> None:
    """Where that happens, giving back does more than enable: done before the mutex was taken, it would be lost."""
    system = system_of(EVERYTHING, 2)
    end = ("wait 0/end", 0, 950, 2000)
    rows = {
        "0": [("add word 5", 0, 5, 6), ("write flag 2", 0, 6, 7), end],
        "0.0": [
            ("choose", 1, 10, 11),
            ("acquire mutex", 0, 40, 60),
            ("write flag 1", 0, 60, 61),
            ("release mutex", 0, 900, 901),
            ("choose", 0, 901, 902),
            end,
        ],
        "0.1": [("choose", 13, 0, 1), ("release mutex", 0, 1, 50), ("choose", 0, 50, 51), end],
        "side": [
            ("acquire mutex", 0, 55, 80),
            ("load word", 5, 80, 81),
            ("release mutex", 0, 902, 903),
            ("add word 1", 5, 903, 904),
        ],
    }
    trace = Trace({"complete": True}, {name: tuple(Event(*row) for row in log) for name, log in rows.items()})
    assert legal(system, trace) is True
    assert judge(system, trace, path=EVERYTHING.path).legal is True
