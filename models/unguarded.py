"""BROKEN: the original failure. All workers compute in one model's activations and gradients at once, no lock."""

from cllm_sim import (
    BATCH, EPOCH, STOP, Architecture, Condition, Mutex, Region, Seat, Steps, Team, Variable, Work,
    choose, compute, fold, update,
)  # fmt: skip

weights = Region("weights")
activations = Region("activations")  # the one model's activations and gradients: whoever computes works in them
gradients = Region("gradients")


class Desk(Seat):
    lock = Mutex()
    wake = Condition("lock")
    order = Variable()  # has_work: not 0
    complete = Variable()  # work_complete


class Office(Team[Desk]):
    pass


def worker(me: Desk, team: Office, work: Work) -> Steps:
    order = 0
    while order != STOP:
        yield me.lock.acquire()
        while not (order := (yield me.order.read())):
            yield me.wake.wait()  # gives the lock back while asleep
        yield me.order.write(0)
        yield me.lock.release()
        yield from work(order)
        yield me.lock.acquire()
        yield me.complete.write(1)
        yield me.wake.notify()
        yield me.lock.release()


def leaf(me: Desk, team: Office, order: int) -> Steps:
    if order == BATCH:
        yield compute(weights, into=me.segment, using=(activations, gradients))  # BROKEN: several at once


def control(me: Desk, team: Office, order: int) -> Steps:
    while (yield team.next()):
        yield team.at.lock.acquire()
        yield team.at.order.write(order)
        yield team.at.wake.notify()
        yield team.at.lock.release()
    while (yield team.next()):  # one worker after another
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


architecture = Architecture(root, worker, control, leaf, team=Office, shared=(weights, activations, gradients))
