"""One thread and two locks: taken and given back in order, or one of them taken a second time."""

from cllm_sim import Architecture, Mutex, Seat, Steps, Team, Work

one = Mutex("one")
two = Mutex("two")


def idle(me: Seat, team: Team[Seat], order: int) -> Steps:
    yield from ()


def in_order(me: Seat, work: Work) -> Steps:
    yield one.acquire()
    yield two.acquire()
    yield two.release()
    yield one.release()


def twice(me: Seat, work: Work) -> Steps:
    yield one.acquire()
    yield two.acquire()
    yield two.release()
    yield one.acquire()  # held already
    yield one.release()


def architecture(variant: str = "ok") -> Architecture:
    return Architecture(in_order if variant == "ok" else twice, leaf=idle, shared=(one, two))
