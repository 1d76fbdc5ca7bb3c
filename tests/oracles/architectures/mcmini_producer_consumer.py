"""Producers and consumers of a bounded buffer: two semaphores and a mutex around the buffer.

`order`: the semaphore first (`ok`), or the mutex first (`deadlock`: whoever waits for the other side holds it).
"""

from collections.abc import Callable

from cllm_sim import Architecture, Mutex, Seat, Semaphore, Steps, Team, Variable, Work, join

mutex = Mutex("mutex")
full = Semaphore("full")
buffer = Variable("buffer")
Text = Callable[[Team[Seat]], Steps]


def idle(me: Seat, team: Team[Seat], order: int) -> Steps:
    yield from ()


def through(before: Semaphore, after: Semaphore, items: int, writes: bool) -> Text:
    def text(team: Team[Seat]) -> Steps:
        for _ in range(items):
            yield before.down()
            yield mutex.acquire()
            if writes:
                yield buffer.write(1)
            else:
                yield buffer.read()
            yield mutex.release()
            yield after.up()

    return text


def holding(before: Semaphore, after: Semaphore, items: int, writes: bool) -> Text:
    def text(team: Team[Seat]) -> Steps:
        for _ in range(items):
            yield mutex.acquire()
            yield before.down()
            if writes:
                yield buffer.write(1)
            else:
                yield buffer.read()
            yield mutex.release()
            yield after.up()

    return text


def architecture(
    order: str = "ok", producers: str = "1", consumers: str = "1", items: str = "2", size: str = "1"
) -> Architecture:
    empty = Semaphore("empty", int(size))
    text = through if order == "ok" else holding
    others = {f"producer{number}": text(empty, full, int(items), True) for number in range(int(producers))}
    others |= {f"consumer{number}": text(full, empty, int(items), False) for number in range(int(consumers))}
    names = tuple(others)

    def main(me: Seat, work: Work) -> Steps:
        for number in range(len(names)):
            yield join(names[number])

    return Architecture(main, leaf=idle, shared=(mutex, empty, full, buffer), others=others)
