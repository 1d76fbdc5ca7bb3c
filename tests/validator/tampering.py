"""Ways to tamper with a trace. Each returns the falsified trace, with the closing lengths made to fit again."""

import random
from collections.abc import Callable
from typing import NamedTuple

from cllm_sim.trace import Event, Trace

Logs = dict[str, list[Event]]


class Tampered(NamedTuple):
    """What was done, to whom and at which event; `trace` is the result."""

    what: str
    actor: str
    at: int
    trace: Trace


def dropped(logs: Logs, name: str, index: int, chance: random.Random) -> bool:
    del logs[name][index]
    return True


def doubled(logs: Logs, name: str, index: int, chance: random.Random) -> bool:
    logs[name].insert(index, logs[name][index])
    return True


def moved(logs: Logs, name: str, index: int, chance: random.Random) -> bool:
    """To another actor, where its time would put it."""
    others = [other for other in logs if other != name]
    if not others:
        return False
    event, target = logs[name].pop(index), logs[chance.choice(others)]
    target.insert(sum(other.end <= event.begin for other in target), event)
    return True


def exchanged(logs: Logs, name: str, index: int, chance: random.Random) -> bool:
    """With the next different operation of the same actor; the times stay where they were."""
    log = logs[name]
    other = next((n for n in range(index + 1, len(log)) if log[n].op != log[index].op), None)
    if other is None:
        return False
    first, second = log[index], log[other]
    log[index] = second._replace(begin=first.begin, end=first.end)
    log[other] = first._replace(begin=second.begin, end=second.end)
    return True


def answered(logs: Logs, name: str, index: int, chance: random.Random) -> bool:
    event = logs[name][index]
    logs[name][index] = event._replace(reply=event.reply + chance.choice((-1, 1, 2)))
    return True


def cut(logs: Logs, name: str, index: int, chance: random.Random) -> bool:
    """The last event is missing."""
    del logs[name][-1]
    return True


WAYS: dict[str, Callable[[Logs, str, int, random.Random], bool]] = {
    "dropped": dropped,
    "doubled": doubled,
    "moved": moved,
    "exchanged": exchanged,
    "answered": answered,
    "cut": cut,
}


def tamper(trace: Trace, what: str, seed: int) -> Tampered | None:
    """Tamper with a random event; None where this way does not fit the event that was drawn."""
    chance = random.Random(seed)
    logs: Logs = {name: list(log) for name, log in trace.actors.items()}
    name = chance.choice([name for name, log in logs.items() if log])
    index = chance.randrange(len(logs[name]))
    if not WAYS[what](logs, name, index, chance):
        return None
    header = {**trace.header, "lengths": {name: len(log) for name, log in logs.items()}}
    return Tampered(what, name, index, Trace(header, {name: tuple(log) for name, log in logs.items()}))
