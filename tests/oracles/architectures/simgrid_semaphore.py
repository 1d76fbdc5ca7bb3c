"""A producer hands four words to a consumer through one place: `empty` and `full` take turns."""

from cllm_sim import Architecture, Seat, Semaphore, Steps, Team, Work

empty = Semaphore("empty", 1)
full = Semaphore("full")


def root(me: Seat, work: Work) -> Steps:
    yield from ()


def idle(me: Seat, team: Team[Seat], order: int) -> Steps:
    yield from ()


def producer(team: Team[Seat]) -> Steps:
    for _ in range(4):
        yield empty.down()
        yield full.up()


def consumer(team: Team[Seat]) -> Steps:
    for _ in range(4):
        yield full.down()
        yield empty.up()


architecture = Architecture(root, leaf=idle, shared=(empty, full), others={"producer": producer, "consumer": consumer})
