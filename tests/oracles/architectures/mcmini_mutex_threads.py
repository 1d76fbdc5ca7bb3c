"""Two threads take two locks, one of them the other way round; `main` waits for both."""

from cllm_sim import Architecture, Mutex, Seat, Steps, Team, Work, join

one = Mutex("one")
two = Mutex("two")


def main(me: Seat, work: Work) -> Steps:
    yield join("first")
    yield join("second")


def idle(me: Seat, team: Team[Seat], order: int) -> Steps:
    yield from ()


def first(team: Team[Seat]) -> Steps:
    yield two.acquire()
    yield one.acquire()
    yield one.release()
    yield two.release()


def second(team: Team[Seat]) -> Steps:
    yield one.acquire()
    yield two.acquire()
    yield two.release()
    yield one.release()


architecture = Architecture(main, leaf=idle, shared=(one, two), others={"first": first, "second": second})
