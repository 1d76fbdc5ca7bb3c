"""N workers pass a semaphore with `permits` places once."""

from cllm_sim import Architecture, Seat, Semaphore, Steps, Team, Work


def root(me: Seat, work: Work) -> Steps:
    yield from ()


def idle(me: Seat, team: Team[Seat], order: int) -> Steps:
    yield from ()


def architecture(permits: str = "2") -> Architecture:
    room = Semaphore("room", int(permits))

    def worker(me: Seat, team: Team[Seat], work: Work) -> Steps:
        yield room.down()
        yield room.up()

    return Architecture(root, worker, idle, idle, shared=(room,))
