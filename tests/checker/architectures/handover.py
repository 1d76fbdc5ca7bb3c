"""Every child has a barrier of its own, at which the control meets it through the cursor: `rounds` times."""

from cllm_sim import BATCH, Architecture, Barrier, Region, Seat, Steps, Team, Work, compute, fold, update

weights = Region("weights")


class Desk(Seat):
    ready = Barrier(lambda workers: 2)  # the child and its control


class Office(Team[Desk]):
    pass


def worker(me: Desk, team: Office, work: Work) -> Steps:
    for _ in range(2):
        yield from work(BATCH)
        yield me.ready.wait()  # my segment is written
        yield me.ready.wait()  # it was folded, and the weights are new


def leaf(me: Desk, team: Office, order: int) -> Steps:
    yield compute(weights, into=me.segment)


def control(me: Desk, team: Office, order: int) -> Steps:
    while (yield team.next()):
        yield team.at.ready.wait()
    yield fold(team.each.segment, into=me.segment)
    yield update(me.segment, into=weights)
    while (yield team.next()):
        yield team.at.ready.wait()


def root(me: Desk, work: Work) -> Steps:
    for _ in range(2):
        yield from work(BATCH)


architecture = Architecture(root, worker, control, leaf, team=Office, shared=(weights,), depth_max=1)
