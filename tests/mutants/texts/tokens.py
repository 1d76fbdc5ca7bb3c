"""Semaphores: one token guards a counter, and the control goes on once every worker has rung."""

from cllm_sim import BATCH, Architecture, Seat, Semaphore, Steps, Team, Variable, Work


class Crew(Team[Seat]):
    token = Semaphore(initial=1)
    bell = Semaphore()
    count = Variable()


def worker(me: Seat, team: Crew, work: Work) -> Steps:
    yield team.token.down()
    count = yield team.count.read()  # worker
    yield team.count.write(count + 1)
    yield team.token.up()
    yield team.bell.up()


def leaf(me: Seat, team: Crew, order: int) -> Steps:
    yield from ()


def control(me: Seat, team: Crew, order: int) -> Steps:
    for _ in range(team.workers):
        yield team.bell.down()
    yield team.count.read()


def root(me: Seat, work: Work) -> Steps:
    yield from work(BATCH)


architecture = Architecture(root, worker, control, leaf, team=Crew, depth_max=1)
