"""BROKEN: Node Zero with one Point B per child, but the update comes before that of the last child."""

from cllm_sim import (
    BATCH, EPOCH, STOP, Architecture, Barrier, Region, Seat, Semaphore, Steps, Team, Variable, Work,
    choose, compute, fold, update,
)  # fmt: skip

weights = Region("weights")


class Desk(Seat):
    written = Semaphore()  # Point B of this child


class Crew(Team[Desk]):
    batch = Barrier()  # parties: the control and all its workers
    epoch = Barrier()
    order = Variable()


def worker(me: Desk, team: Crew, work: Work) -> Steps:
    order = 0
    while order != STOP:
        yield team.batch.wait()  # Point A: the order stands
        order = yield team.order.read()
        yield from work(order)  # a leaf computes; a control commands its own workers
        if order == BATCH:
            yield me.written.up()  # Point B: my segment is written
        elif order == EPOCH:
            yield team.epoch.wait()


def leaf(me: Desk, team: Crew, order: int) -> Steps:
    if order == BATCH:
        yield compute(weights, into=me.segment)


def control(me: Desk, team: Crew, order: int) -> Steps:
    yield team.order.write(order)
    yield team.batch.wait()  # Point A
    if order == BATCH:
        for seat in team.seats[:-1]:
            yield seat.written.down()  # Point B, one child after another
        yield fold(team.each.segment, into=me.segment)
        yield update(me.segment, into=weights)  # BROKEN: the last child may still compute
        yield team.seats[-1].written.down()  # Point B of the last child, too late
    elif order == EPOCH:
        yield team.epoch.wait()


def root(me: Desk, work: Work) -> Steps:
    order = 0
    while order != STOP:
        order = yield choose(BATCH, EPOCH, STOP)  # the environment decides
        yield from work(order)


architecture = Architecture(root, worker, control, leaf, team=Crew, shared=(weights,), depth_max=1)
