"""Work queue: as Node Zero, but the workers claim the batch piece by piece with an atomic counter."""

from cllm_sim import (
    BATCH, EPOCH, STOP, Architecture, Barrier, Region, Regions, Seat, Steps, Team, Variable, Word, Work,
    choose, compute, fold, update,
)  # fmt: skip

weights = Region("weights")


class Crew(Team[Seat]):
    batch = Barrier()  # parties: the control and all its workers
    epoch = Barrier()
    order = Variable()
    claimed = Word()  # pieces handed out so far
    piece = Regions(lambda workers: workers)  # one gradient segment per piece, not per worker


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
        while (piece := (yield team.claimed.add(1))) < team.workers:
            yield compute(weights, into=team.piece[piece])  # mine, because I claimed it


def control(me: Seat, team: Crew, order: int) -> Steps:
    yield team.claimed.store(0)
    yield team.order.write(order)
    yield team.batch.wait()  # Point A
    if order == BATCH:
        yield team.batch.wait()  # Point B
        yield fold(team.piece, into=me.segment)  # nobody writes a piece before the next Point A
    elif order == EPOCH:
        yield team.epoch.wait()


def root(me: Seat, work: Work) -> Steps:
    order = 0
    while order != STOP:
        order = yield choose(BATCH, EPOCH, STOP)  # the environment decides
        yield from work(order)
        if order == BATCH:
            yield update(me.segment, into=weights)  # validate, clip, apply


architecture = Architecture(root, worker, control, leaf, team=Crew, shared=(weights,), depth_max=1)
