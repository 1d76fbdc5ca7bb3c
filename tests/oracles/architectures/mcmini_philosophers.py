"""Philosophers with mutexes for forks. `guard`: nothing, a mutex or a semaphore that limits who may reach for forks."""

from collections.abc import Callable

from cllm_sim import Architecture, Mutex, Seat, Semaphore, Steps, Team, Work, join

dining = Mutex("dining")
Text = Callable[[Team[Seat]], Steps]


def idle(me: Seat, team: Team[Seat], order: int) -> Steps:
    yield from ()


def unguarded(left: Mutex, right: Mutex) -> Text:
    def text(team: Team[Seat]) -> Steps:
        yield left.acquire()
        yield right.acquire()
        yield left.release()
        yield right.release()

    return text


def by_mutex(left: Mutex, right: Mutex) -> Text:
    def text(team: Team[Seat]) -> Steps:
        yield dining.acquire()
        yield left.acquire()
        yield right.acquire()
        yield dining.release()
        yield left.release()
        yield right.release()

    return text


def by_semaphore(room: Semaphore, left: Mutex, right: Mutex) -> Text:
    def text(team: Team[Seat]) -> Steps:
        yield room.down()
        yield left.acquire()
        yield right.acquire()
        yield left.release()
        yield right.release()
        yield room.up()

    return text


def architecture(count: str = "3", guard: str = "none", room: str = "2") -> Architecture:
    number = int(count)
    forks = tuple(Mutex(f"fork{index}") for index in range(number))
    pairs = [(forks[index], forks[(index + 1) % number]) for index in range(number)]
    places = Semaphore("room", int(room))
    if guard == "semaphore":
        texts = [by_semaphore(places, *pair) for pair in pairs]
    else:
        texts = [(by_mutex if guard == "mutex" else unguarded)(*pair) for pair in pairs]
    others = {f"philosopher{index}": text for index, text in enumerate(texts)}

    def main(me: Seat, work: Work) -> Steps:
        for index in range(number):
            yield join(f"philosopher{index}")

    return Architecture(main, leaf=idle, shared=(*forks, dining, places), others=others)
