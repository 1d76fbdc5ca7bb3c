"""N pairs of threads; the two of a pair take the lock of their pair once."""

from collections.abc import Callable

from cllm_sim import Architecture, Mutex, Seat, Steps, Team, Work


def root(me: Seat, work: Work) -> Steps:
    yield from ()


def idle(me: Seat, team: Team[Seat], order: int) -> Steps:
    yield from ()


def takes(lock: Mutex) -> Callable[[Team[Seat]], Steps]:
    def text(team: Team[Seat]) -> Steps:
        yield lock.acquire()
        yield lock.release()

    return text


def architecture(pairs: str = "1") -> Architecture:
    locks = tuple(Mutex(f"lock{number}") for number in range(int(pairs)))
    others = {f"{side}{number}": takes(lock) for number, lock in enumerate(locks) for side in ("left", "right")}
    return Architecture(root, leaf=idle, shared=locks, others=others)
