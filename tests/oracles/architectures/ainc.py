"""N threads increment one counter, each by an atomic addition."""

from cllm_sim import Architecture, Seat, Steps, Team, Word, Work

x = Word("x")


def root(me: Seat, work: Work) -> Steps:
    yield from ()


def worker(me: Seat, team: Team[Seat], work: Work) -> Steps:
    yield x.add(1)


def idle(me: Seat, team: Team[Seat], order: int) -> Steps:
    yield from ()


architecture = Architecture(root, worker, idle, idle, shared=(x,))
