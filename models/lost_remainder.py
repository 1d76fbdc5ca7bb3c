"""BROKEN: Node Zero, but the last segment misses the remainder of an uneven division."""

from cllm_sim import (
    BATCH, EPOCH, STOP, Architecture, Barrier, Region, Seat, Steps, Team, Variable, Work,
    choose, compute, fold, uncontended, update,
)  # fmt: skip

weights = Region("weights")


def share(index: int, workers: int, total: int) -> range:
    size = total // workers
    return range(index * size, (index + 1) * size)  # BROKEN: the remainder belongs to nobody


class Crew(Team[Seat]):
    batch = Barrier()  # parties: the control and all its workers
    epoch = Barrier()
    order = Variable()


def worker(me: Seat, team: Crew, work: Work) -> Steps:
    order = 0
    while order != STOP:
        yield team.batch.wait()  # Point A: the order stands
        order = yield team.order.read()
        yield from work(order)  # a leaf computes; a control commands its own workers
        if order == BATCH:
            yield team.batch.wait()  # Point B: every segment is written
        elif order == EPOCH:
            yield team.epoch.wait()


def leaf(me: Seat, team: Crew, order: int) -> Steps:
    if order == BATCH:
        yield compute(weights, into=me.segment)


def control(me: Seat, team: Crew, order: int) -> Steps:
    yield team.order.write(order)
    yield team.batch.wait()  # Point A
    if order == BATCH:
        yield team.batch.wait()  # Point B
        yield fold(team.each.segment, into=me.segment)  # nobody writes a segment before the next Point A
    elif order == EPOCH:
        yield team.epoch.wait()


def root(me: Seat, work: Work) -> Steps:
    order = 0
    while order != STOP:
        order = yield choose(BATCH, EPOCH, STOP)  # the environment decides
        yield from work(order)
        if order == BATCH:
            yield update(me.segment, into=weights)  # validate, clip, apply


architecture = Architecture(
    root, worker, control, leaf, team=Crew, shared=(weights,), promises=(uncontended,), share=share
)
