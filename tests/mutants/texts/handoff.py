"""A batch handed to every worker under a lock and a condition of its own; the control goes round with its cursor."""

from cllm_sim import (
    BATCH,
    Architecture,
    Condition,
    Mutex,
    Region,
    Seat,
    Steps,
    Team,
    Variable,
    Work,
    compute,
    fold,
    update,
)

BATCHES = 1
weights = Region("weights")


class Desk(Seat):
    lock = Mutex()
    wake = Condition("lock")
    order = Variable()
    complete = Variable()


class Office(Team[Desk]):
    pass


def worker(me: Desk, team: Office, work: Work) -> Steps:
    for _ in range(BATCHES):
        yield me.lock.acquire()  # asks for an order
        while not (yield me.order.read()):
            yield me.wake.wait()  # until there is an order
        yield me.order.write(0)
        yield me.lock.release()  # has its order
        yield from work(BATCH)
        yield me.lock.acquire()  # reports
        yield me.complete.write(1)
        yield me.wake.notify()  # tells the control
        yield me.lock.release()  # has reported


def leaf(me: Desk, team: Office, order: int) -> Steps:
    yield compute(weights, into=me.segment)


def control(me: Desk, team: Office, order: int) -> Steps:
    while (yield team.next()):  # hands out
        yield team.at.lock.acquire()  # hands out
        yield team.at.order.write(order)
        yield team.at.wake.notify()  # tells the worker
        yield team.at.lock.release()  # handed out
    while (yield team.next()):  # collects
        yield team.at.lock.acquire()  # collects
        while not (yield team.at.complete.read()):
            yield team.at.wake.wait()  # until it is complete
        yield team.at.complete.write(0)
        yield team.at.lock.release()  # collected
    yield fold(team.each.segment, into=me.segment)


def root(me: Desk, work: Work) -> Steps:
    for _ in range(BATCHES):
        yield from work(BATCH)
        yield update(me.segment, into=weights)


architecture = Architecture(root, worker, control, leaf, team=Office, shared=(weights,), depth_max=1)
