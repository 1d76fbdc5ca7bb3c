"""Two words taken by trying: everybody in the same order, waiting for each until it is free."""

from cllm_sim import BATCH, Architecture, Seat, Steps, Team, Word, Work


class Crew(Team[Seat]):
    one = Word()
    two = Word()


def free(team: Crew) -> Steps:
    yield team.two.store(0)
    yield team.one.store(0)


def worker(me: Seat, team: Crew, work: Work) -> Steps:
    while (yield team.one.exchange(0, 1)):  # worker
        yield team.one.wait_until(0)
    while (yield team.two.exchange(0, 1)):  # worker
        yield team.two.wait_until(0)
    yield from free(team)


def leaf(me: Seat, team: Crew, order: int) -> Steps:
    yield from ()


def control(me: Seat, team: Crew, order: int) -> Steps:
    while (yield team.one.exchange(0, 1)):  # control
        yield team.one.wait_until(0)  # control
    while (yield team.two.exchange(0, 1)):  # control
        yield team.two.wait_until(0)  # control
    yield from free(team)


def root(me: Seat, work: Work) -> Steps:
    yield from work(BATCH)


architecture = Architecture(root, worker, control, leaf, team=Crew, depth_max=1)
