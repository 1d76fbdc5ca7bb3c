"""Two threads take two binary semaphores in opposite orders."""

from cllm_sim import Architecture, Seat, Semaphore, Steps, Team, Work, join

one = Semaphore("one", 1)
two = Semaphore("two", 1)


def main(me: Seat, work: Work) -> Steps:
    yield join("first")
    yield join("second")


def idle(me: Seat, team: Team[Seat], order: int) -> Steps:
    yield from ()


def first(team: Team[Seat]) -> Steps:
    yield two.down()
    yield one.down()
    yield one.up()
    yield two.up()


def second(team: Team[Seat]) -> Steps:
    yield one.down()
    yield two.down()
    yield two.up()
    yield one.up()


architecture = Architecture(main, leaf=idle, shared=(one, two), others={"first": first, "second": second})
