"""N philosophers sit in a ring; each takes its left fork, then its right one, and eats once."""

from collections.abc import Callable

from cllm_sim import Architecture, Mutex, Seat, Steps, Team, Work


def root(me: Seat, work: Work) -> Steps:
    yield from ()


def idle(me: Seat, team: Team[Seat], order: int) -> Steps:
    yield from ()


def eats(left: Mutex, right: Mutex) -> Callable[[Team[Seat]], Steps]:
    def text(team: Team[Seat]) -> Steps:
        yield left.acquire()
        yield right.acquire()
        yield left.release()
        yield right.release()

    return text


def architecture(count: str = "3") -> Architecture:
    seats = int(count)
    forks = tuple(Mutex(f"fork{number}") for number in range(seats))
    others = {f"philosopher{number}": eats(forks[number], forks[(number + 1) % seats]) for number in range(seats)}
    return Architecture(root, leaf=idle, shared=forks, others=others)
