"""One actor puts `items` into a semaphore, another one takes them out."""

from cllm_sim import Architecture, Seat, Semaphore, Steps, Team, Work

there = Semaphore("there")


def root(me: Seat, work: Work) -> Steps:
    yield from ()


def idle(me: Seat, team: Team[Seat], order: int) -> Steps:
    yield from ()


def architecture(items: str = "3") -> Architecture:
    count = int(items)

    def puts(team: Team[Seat]) -> Steps:
        for _ in range(count):
            yield there.up()

    def takes(team: Team[Seat]) -> Steps:
        for _ in range(count):
            yield there.down()

    return Architecture(root, leaf=idle, shared=(there,), others={"puts": puts, "takes": takes})
