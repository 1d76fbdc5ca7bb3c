"""Locks and semaphores as SimGrid has them: a request, then a wait; requests are served in the order of their arrival.

A second meaning, written for one purpose: where a published number of traces differs from ours, the same program read
this way must give the published one, so that the difference is explained and not adjusted. A mutex is a semaphore with
one permit. Rules of this file: it shares the counting with `traces.py` and nothing with the project's semantics.
"""

from collections.abc import Iterator
from typing import NamedTuple, TypeVar

from tests.oracles.traces import GIVE, GRANT, READ, REQUEST, WRITE, Event

Value = TypeVar("Value")
Act = tuple[str, int]
"""("take" or "give", semaphore), or ("join", thread)."""


class Queues(NamedTuple):
    """Where every thread stands, free permits, who waits in line, and who has been granted one it has yet to take."""

    at: tuple[int, ...]
    requested: tuple[bool, ...]
    free: tuple[int, ...]
    line: tuple[tuple[int, ...], ...]
    granted: frozenset[int]


class Requests:
    """The steps of threads given as lists of acts; counted like any program."""

    def __init__(self, threads: list[list[Act]], permits: list[int]) -> None:
        self.threads = threads
        self.permits = permits
        self._known: dict[Queues, tuple[tuple[Event, Queues], ...]] = {}

    def start(self) -> Queues:
        """Before anybody has moved."""
        count = len(self.threads)
        return Queues((0,) * count, (False,) * count, tuple(self.permits), ((),) * len(self.permits), frozenset())

    def finished(self, now: Queues) -> bool:
        """Has everybody come to the end?"""
        return all(self._over(now, thread) for thread in range(len(self.threads)))

    def after(self, now: Queues) -> tuple[tuple[Event, Queues], ...]:
        """All events that are possible, each with what follows."""
        if now not in self._known:
            self._known[now] = tuple(self._after(now))
        return self._known[now]

    def _over(self, now: Queues, thread: int) -> bool:
        return now.at[thread] == len(self.threads[thread])

    def _after(self, now: Queues) -> Iterator[tuple[Event, Queues]]:
        for thread, acts in enumerate(self.threads):
            if self._over(now, thread):
                continue
            kind, item = acts[now.at[thread]]
            if kind == "take" and not now.requested[thread]:
                yield self._event(thread, item, REQUEST, last=False), self._request(now, thread, item)
            elif kind == "take":
                if thread in now.granted:
                    after = self._moved(now._replace(granted=now.granted - {thread}), thread)
                    yield self._event(thread, item, GRANT, self._over(after, thread)), after
            elif kind == "give":
                after = self._moved(self._given(now, item), thread)
                yield self._event(thread, item, GIVE, self._over(after, thread)), after
            elif self._over(now, item):
                after = self._moved(now, thread)
                yield self._event(thread, -1 - item, READ, self._over(after, thread)), after

    def _event(self, thread: int, item: int, mode: str, last: bool) -> Event:
        end = {(-1 - thread, 0, WRITE)} if last else set()
        return Event(thread, frozenset({(item, 0, mode), *end}), "")

    def _request(self, now: Queues, thread: int, item: int) -> Queues:
        now = now._replace(requested=_put(now.requested, thread, True))
        if now.free[item]:
            return now._replace(free=_put(now.free, item, now.free[item] - 1), granted=now.granted | {thread})
        return now._replace(line=_put(now.line, item, (*now.line[item], thread)))

    def _given(self, now: Queues, item: int) -> Queues:
        if not now.line[item]:
            return now._replace(free=_put(now.free, item, now.free[item] + 1))
        first, *rest = now.line[item]
        return now._replace(line=_put(now.line, item, tuple(rest)), granted=now.granted | {first})

    def _moved(self, now: Queues, thread: int) -> Queues:
        at = _put(now.at, thread, now.at[thread] + 1)
        return now._replace(at=at, requested=_put(now.requested, thread, False))


def _put(values: tuple[Value, ...], index: int, value: Value) -> tuple[Value, ...]:
    return (*values[:index], value, *values[index + 1 :])


# --- programs -------------------------------------------------------------------------------------------------------
def _joined(threads: list[list[Act]]) -> list[list[Act]]:
    return [*threads, [("join", number) for number in range(len(threads))]]


def philosophers(count: int, room: int) -> Requests:
    """Forks are 0 to count - 1, the room's semaphore is the last one."""
    threads: list[list[Act]] = []
    for left in range(count):
        right = (left + 1) % count
        forks: list[Act] = [("take", left), ("take", right), ("give", left), ("give", right)]
        threads.append([("take", count), *forks, ("give", count)])
    return Requests(_joined(threads), [*(1,) * count, room])


def barber(customers: int, chairs: int) -> Requests:
    """The barber shop; what the barber reads of a plain variable is no step there."""
    room, chair, pillow, belt = range(4)
    customer: list[Act] = [
        ("take", room), ("take", chair), ("give", room), ("give", pillow), ("take", belt), ("give", chair),
    ]  # fmt: skip
    threads = [[("take", pillow), ("give", belt)] * customers + [("take", pillow)], *[list(customer)] * customers]
    main: list[Act] = [("join", number + 1) for number in range(customers)]
    return Requests([*threads, [*main, ("give", pillow), ("join", 0)]], [chairs, 1, 0, 0])


def producer_consumer(producers: int, consumers: int, items: int, size: int) -> Requests:
    """The bounded buffer, where both readings agree."""
    empty, full, mutex = range(3)
    produce: list[Act] = [("take", empty), ("take", mutex), ("give", mutex), ("give", full)]
    consume: list[Act] = [("take", full), ("take", mutex), ("give", mutex), ("give", empty)]
    threads = [*[produce * items] * producers, *[consume * items] * consumers]
    return Requests(_joined(threads), [size, 0, 1])
