"""Dining philosophers, one meal each. `last`: how the last one takes the forks, as the others or reversed."""

from collections.abc import Callable

from cllm_sim import Architecture, Mutex, Seat, Steps, Team, Work

NAMES = ("plato", "kant", "hume", "mill", "marx")


def root(me: Seat, work: Work) -> Steps:
    yield from ()


def leaf(me: Seat, team: Team[Seat], order: int) -> Steps:
    yield from ()


def philosopher(left: Mutex, right: Mutex) -> Callable[[Team[Seat]], Steps]:
    def eat(team: Team[Seat]) -> Steps:
        yield left.acquire()
        yield right.acquire()
        yield right.release()
        yield left.release()

    return eat


def architecture(count: str = "3", last: str = "same") -> Architecture:
    forks = tuple(Mutex(f"fork{number}") for number in range(int(count)))
    pairs = [(forks[number], forks[(number + 1) % len(forks)]) for number in range(len(forks))]
    if last == "reversed":
        pairs[-1] = pairs[-1][::-1]
    others = {name: philosopher(*pair) for name, pair in zip(NAMES, pairs, strict=False)}
    return Architecture(root, leaf=leaf, shared=forks, others=others)
