"""One thread writes a word, N threads read it."""

from cllm_sim import Architecture, Seat, Steps, Team, Word, Work

x = Word("x")


def root(me: Seat, work: Work) -> Steps:
    yield x.store(1)


def worker(me: Seat, team: Team[Seat], work: Work) -> Steps:
    yield x.load()


def idle(me: Seat, team: Team[Seat], order: int) -> Steps:
    yield from ()


architecture = Architecture(root, worker, idle, idle, shared=(x,))
