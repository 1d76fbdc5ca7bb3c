"""Work handed over by condition variables, every worker in its own seat: no barrier, no lock for the whole tree."""

from cllm_sim import (
    BATCH,
    EPOCH,
    STOP,
    Architecture,
    Condition,
    Mutex,
    Region,
    Seat,
    Steps,
    Team,
    Variable,
    Work,
    choose,
    compute,
    fold,
    update,
)  # fmt: skip

weights = Region("weights")


class Desk(Seat):
    lock = Mutex()
    wake = Condition("lock")
    order = Variable()
    complete = Variable()


class Office(Team[Desk]):
    pass


def worker(me: Desk, team: Office, work: Work) -> Steps:
    order = 0
    while order != STOP:
        yield me.lock.acquire()
        while not (order := (yield me.order.read())):
            yield me.wake.wait()
        yield me.order.write(0)
        yield me.lock.release()
        yield from work(order)
        yield me.lock.acquire()
        yield me.complete.write(1)
        yield me.wake.notify()
        yield me.lock.release()


def leaf(me: Desk, team: Office, order: int) -> Steps:
    if order == BATCH:
        yield compute(weights, into=me.segment)


def control(me: Desk, team: Office, order: int) -> Steps:
    while (yield team.next()):
        yield team.at.lock.acquire()
        yield team.at.order.write(order)
        yield team.at.wake.notify()
        yield team.at.lock.release()
    while (yield team.next()):
        yield team.at.lock.acquire()
        while not (yield team.at.complete.read()):
            yield team.at.wake.wait()
        yield team.at.complete.write(0)
        yield team.at.lock.release()
    if order == BATCH:
        yield fold(team.each.segment, into=me.segment)


def root(me: Desk, work: Work) -> Steps:
    order = 0
    while order != STOP:
        order = yield choose(BATCH, EPOCH, STOP)
        yield from work(order)
        if order == BATCH:
            yield update(me.segment, into=weights)


architecture = Architecture(root, worker, control, leaf, team=Office, shared=(weights,))
